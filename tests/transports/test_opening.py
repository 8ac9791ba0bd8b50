"""Connecting, trusting, logging in, logging out."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import paramiko
import pytest
from pydantic import SecretStr

from ponprobe.drivers.huawei.dialect import MA5800
from ponprobe.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    HostKeyError,
    SessionLimit,
    SessionLost,
    TransportTimeout,
)
from ponprobe.flow import Cli
from ponprobe.transports import cli_netmiko
from ponprobe.transports.cli_netmiko import CliSettings
from ponprobe.transports.dialogue import Patience
from ponprobe.transports.host_keys import HostKeys, fingerprint

PASSWORD = "Canary-7pass"


def hello(peer: Any) -> None:
    peer.greet()
    peer.gone()


# ------------------------------------------------------------------------------------------------------- log-in


def test_banner_and_first_prompt(serve: Any, session_to: Any, access: str, chunked: int) -> None:
    session = session_to(serve(access, hello))
    assert "Access Software" in session.open()
    assert (session.hostname, session.view, session.is_open, session.lines_sent) == ("OLT-1", "user", True, 0)
    with pytest.raises(RuntimeError, match="open already"):
        session.open()


def test_window_and_terminal_are_announced_over_ssh(serve: Any, session_to: Any) -> None:
    device = serve("ssh", hello)
    session_to(device, dialect=replace(MA5800, width=200, height=50)).open()
    assert device.window == (200, 50)


def test_question_of_the_banner_is_answered(serve: Any, session_to: Any, access: str, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.greet("\r\n  The password expires soon. Change it later? YES/NO:")
        peer.expect("yes\n")
        peer.say("yes\r\n\r\nOLT-1>")
        peer.gone()

    assert session_to(serve(access, script)).open().endswith("OLT-1>")


@pytest.mark.parametrize(
    "refusal",
    [
        ("\r\n  Username or password invalid.\r\n", "did not accept"),
        ("\r\n  This user has been locked.\r\n", "has locked"),
    ],
)
def test_refused_users_are_tried_once(
    serve: Any, session_to: Any, access: str, chunked: int, refusal: tuple[str, str]
) -> None:
    said, names = refusal

    def script(peer: Any) -> None:
        peer.greet(said)
        peer.silent()

    device = serve(access, script)
    waits: list[float] = []
    with pytest.raises(AuthError, match=f"{names} user tester") as caught:
        session_to(device, sleep=waits.append).open()
    assert said.strip(" .\r\n") in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert (device.connections, waits) == (1, [])


def test_telnet_that_asks_again_without_a_word(serve: Any, session_to: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.greet("\r\n>>User name:")
        peer.silent()

    with pytest.raises(AuthError, match="did not accept"):
        session_to(serve("telnet", script)).open()


def test_telnet_that_takes_noise_for_a_user_name(serve: Any, session_to: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.say("\r\n>>User name:")
        peer.expect("tester\n")
        peer.say("\r\n")
        hello(peer)

    assert session_to(serve("telnet", script)).open().endswith("OLT-1>")


def test_wrong_password_over_ssh(serve: Any, session_to: Any) -> None:
    device = serve("ssh", hello)
    session = session_to(device, password=SecretStr("wrong-secret"))
    with pytest.raises(AuthError, match="as tester failed") as caught:
        session.open()
    assert "wrong-secret" not in str(caught.value)
    assert "tried once only" in str(caught.value)
    assert device.passwords == ["wrong-secret"]
    assert not session.is_open


def test_password_by_keyboard_interactive(serve: Any, session_to: Any) -> None:
    device = serve("ssh", hello, auths="keyboard-interactive")
    session_to(device).open()
    assert device.passwords == [PASSWORD]


def test_wrong_password_by_keyboard_interactive(serve: Any, session_to: Any) -> None:
    device = serve("ssh", hello, auths="keyboard-interactive")
    with pytest.raises(AuthError, match="check user and password"):
        session_to(device, password=SecretStr("wrong-secret")).open()
    assert device.passwords == ["wrong-secret"]


def test_ssh_that_takes_no_passwords(serve: Any, session_to: Any) -> None:
    with pytest.raises(AuthError, match="does not take passwords"):
        session_to(serve("ssh", hello, auths="publickey")).open()


LIMIT = "\r\n  Reenter times have reached the upper limit\r\n"


def test_session_limit_is_waited_for(serve: Any, session_to: Any, access: str, chunked: int) -> None:
    def script(peer: Any) -> None:
        if peer.number < 3:
            peer.greet(LIMIT)
        else:
            hello(peer)

    waits: list[float] = []
    session = session_to(serve(access, script), sleep=waits.append)
    session.open()
    assert waits == [60, 60]
    assert session.is_open


def test_session_limit_that_stays(serve: Any, session_to: Any, access: str) -> None:
    device = serve(access, lambda peer: peer.greet(LIMIT))
    waits: list[float] = []
    session = session_to(device, sleep=waits.append, session_wait_s=100, session_retry_s=25)
    with pytest.raises(SessionLimit, match="no free session for user tester: 'Reenter times"):
        session.open()
    assert waits == [25, 25, 25, 25]
    assert device.connections == 5


def test_no_waiting_for_a_free_session(serve: Any, session_to: Any) -> None:
    device = serve("telnet", lambda peer: peer.greet(LIMIT))
    with pytest.raises(SessionLimit):
        session_to(device, sleep=lambda s: pytest.fail("waited"), session_wait_s=0).open()
    assert device.connections == 1


def test_silence_instead_of_a_prompt(serve: Any, session_to: Any, access: str) -> None:
    def script(peer: Any) -> None:
        peer.greet("\r\n  Access Software\r\n")
        peer.silent()

    session = session_to(serve(access, script), patience=Patience(reply_s=0.2))
    with pytest.raises(TransportTimeout, match=r"[Ll]ogging in to 127\.0\.0\.1 as tester.*'Access Software'"):
        session.open()
    assert not session.is_open


def test_hang_up_instead_of_a_prompt(serve: Any, session_to: Any, access: str) -> None:
    session = session_to(serve(access, lambda peer: peer.greet("\r\n  bye\r\n")))
    with pytest.raises(SessionLost, match=r"before its first prompt.*'bye'"):
        session.open()


def test_opened_again_after_being_lost(serve: Any, session_to: Any, access: str) -> None:
    def script(peer: Any) -> None:
        peer.greet()
        if peer.number == 1:
            peer.expect("display time\n")
        else:
            peer.line("display time", "  12:00\r\n\r\nOLT-1>")
            peer.gone()

    session = session_to(serve(access, script))
    session.open()
    with pytest.raises(SessionLost):
        session.ask(Cli("display time"))
    session.open()
    assert "12:00" in session.ask(Cli("display time")).text


def test_telnet_warns_once_per_process(
    serve: Any, session_to: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cli_netmiko, "_telnet_warned", False)
    device = serve("telnet", hello)
    with caplog.at_level(logging.WARNING, logger="ponprobe.transports"):
        for _ in range(2):
            session_to(device).open()
    assert [record.name for record in caplog.records] == ["ponprobe.transports.cli_netmiko"]
    assert "clear text" in caplog.text


def test_nothing_is_logged_but_the_conversation_that_we_keep(
    serve: Any, session_to: Any, access: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        session = session_to(serve(access, hello))
        session.open()
        session.close()
    assert PASSWORD not in caplog.text
    assert PASSWORD not in session.transcript.to_jsonl()
    assert PASSWORD not in repr(session._settings)


# ------------------------------------------------------------------------------------------------- no connection


def test_refused_connection(session_to: Any, serve: Any, access: str) -> None:
    device = serve(access, hello)
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    with pytest.raises(ConnectError, match=rf"Connecting 127\.0\.0\.1:{free}.*nothing listens"):
        session_to(device, port=free).open()


def test_name_that_does_not_resolve(session_to: Any, serve: Any, mocker: Any) -> None:
    mocker.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known"))
    with pytest.raises(ConnectError, match="could not be resolved"):
        session_to(serve("ssh", hello), host="olt.invalid").open()


def test_port_that_is_no_ssh(session_to: Any, serve: Any) -> None:
    device = serve("telnet", lambda peer: peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(ConnectError, match=r"Opening an SSH session.*is this an SSH port"):
        session_to(device, access="ssh").open()


def test_port_that_accepts_and_keeps_silent(session_to: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:

        class Mute:
            access, port = "ssh", mute.getsockname()[1]

        with pytest.raises(ConnectError):
            session_to(Mute, connect_timeout_s=0.3).open()


@pytest.mark.parametrize(
    "old",
    [
        {"kex": ("diffie-hellman-group14-sha1",), "ciphers": ("aes128-cbc",), "digests": ("hmac-sha1",)},
        {"kex": ("diffie-hellman-group1-sha1",), "ciphers": ("3des-cbc",), "digests": ("hmac-sha1",)},
        {"kex": ("diffie-hellman-group14-sha1",), "ciphers": ("aes256-cbc",), "digests": ("hmac-md5",)},
    ],
    ids=["group14-sha1 aes128-cbc", "group1-sha1 3des-cbc", "group14-sha1 aes256-cbc"],
)
def test_servers_with_old_cryptography_only(serve: Any, session_to: Any, rsa_key: Any, old: dict[str, Any]) -> None:
    device = serve("ssh", hello, keys=[rsa_key], old={**old, "key_types": ("ssh-rsa",)})
    session = session_to(device)
    session.open()
    transport = session._pipe._channel.get_transport()
    assert (transport.host_key_type, transport.local_cipher) == ("ssh-rsa", old["ciphers"][0])
    # and once more with the key that is known by now
    session.close()
    session.open()


def test_server_without_a_common_algorithm(serve: Any, session_to: Any, mocker: Any) -> None:
    mocker.patch.object(paramiko.Transport, "_preferred_kex", ("diffie-hellman-group1-sha1",))
    device = serve("ssh", hello, old={"kex": ("ecdh-sha2-nistp256",)})
    with pytest.raises(ConnectError, match="no algorithm"):
        session_to(device).open()


# ----------------------------------------------------------------------------------------------------- host keys


def trusted(tmp_path: Path, device: Any, policy: str = "strict") -> HostKeys:
    return HostKeys(policy, tmp_path / "trust" / "known_hosts", "127.0.0.1", device.port)


def test_new_host_is_stored_and_then_known(serve: Any, session_to: Any, tmp_path: Path, host_key: Any) -> None:
    device = serve("ssh", hello)
    session_to(device).open()
    file = tmp_path / "trust" / "known_hosts"
    assert file.read_text() == f"[127.0.0.1]:{device.port} {host_key.get_name()} {host_key.get_base64()}\n"
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
    session_to(device, host_keys="strict").open()
    assert paramiko.HostKeys(str(file)).check(f"[127.0.0.1]:{device.port}", host_key)


def test_unknown_host_under_strict(serve: Any, session_to: Any, tmp_path: Path, host_key: Any) -> None:
    device = serve("ssh", hello)
    with pytest.raises(HostKeyError, match="is unknown") as caught:
        session_to(device, host_keys="strict").open()
    assert f"pin:{host_key.fingerprint}" in str(caught.value)
    assert not (tmp_path / "trust").exists()
    assert device.passwords == []


@pytest.fixture(params=["same type", "other type"])
def old_key(request: pytest.FixtureRequest, rsa_key: paramiko.PKey) -> paramiko.PKey:
    return rsa_key if request.param == "other type" else paramiko.ECDSAKey.generate()


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
def test_changed_key_is_refused(serve: Any, session_to: Any, tmp_path: Path, old_key: Any, policy: str) -> None:
    device = serve("ssh", hello)
    stored, host_key = old_key, device.keys[0]
    trusted(tmp_path, device, "accept-new").check(stored.get_name(), stored.asbytes())
    with pytest.raises(HostKeyError, match="has changed its key") as caught:
        session_to(device, host_keys=policy).open()
    assert stored.fingerprint in str(caught.value)
    assert host_key.fingerprint in str(caught.value)
    assert "known_hosts" in str(caught.value)
    assert device.passwords == []  # no password for a stranger
    assert trusted(tmp_path, device).known() == {stored.get_name(): stored.asbytes()}


def test_stored_type_of_key_is_asked_for(
    serve: Any, session_to: Any, tmp_path: Path, host_key: Any, rsa_key: Any
) -> None:
    device = serve("ssh", hello, keys=[host_key, rsa_key])
    trusted(tmp_path, device, "accept-new").check("ssh-rsa", rsa_key.asbytes())
    session_to(device, host_keys="strict").open()


def test_pinned_key(serve: Any, session_to: Any, tmp_path: Path, host_key: Any) -> None:
    device = serve("ssh", hello)
    session_to(device, host_keys=f"pin:{host_key.fingerprint}").open()
    assert not (tmp_path / "trust").exists()
    with pytest.raises(HostKeyError, match="SHA256:AAAA is pinned") as caught:
        session_to(device, host_keys="pin:SHA256:AAAA").open()
    assert host_key.fingerprint in str(caught.value)


def test_policy_of_another_form() -> None:
    with pytest.raises(ConfigError, match="'ask'"):
        CliSettings("h", None, "ssh", "u", SecretStr("p"), host_keys="ask")


def test_default_ports() -> None:
    assert CliSettings("h", None, "ssh", "u", SecretStr("p")).real_port == 22
    assert CliSettings("h", None, "telnet", "u", SecretStr("p")).real_port == 23
    assert HostKeys("strict", Path("x"), "olt", 22).name == "olt"


def test_fingerprint_is_that_of_openssh(host_key: Any) -> None:
    assert fingerprint(host_key.asbytes()) == host_key.fingerprint


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("# kept\nolt-x ssh-rsa AAAA")  # without a line end
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def meet(number: int) -> None:
        try:
            start.wait(10)
            for port in range(1000, 1010):
                HostKeys("accept-new", path, f"olt-{number}", port).check("ssh-ed25519", bytes([number]))
        except Exception as exc:  # noqa: BLE001 - of a thread: the test looks at it
            failures.append(exc)

    threads = [threading.Thread(target=meet, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# kept", "olt-x ssh-rsa AAAA"]
    assert len(set(lines)) == len(lines) == 82
    assert sorted(p.name for p in tmp_path.iterdir()) in (["known_hosts"], ["known_hosts", "known_hosts.lock"])


def test_host_that_somebody_else_met_meanwhile(tmp_path: Path, mocker: Any) -> None:
    path = tmp_path / "known_hosts"

    @contextlib.contextmanager
    def slow(*args: Any, **options: Any) -> Any:
        path.write_text("olt ssh-ed25519 AAAA\n")
        yield

    mocker.patch("ponprobe.transports.host_keys.FileLock", slow)
    with pytest.raises(HostKeyError, match="has changed"):
        HostKeys("accept-new", path, "olt", 22).check("ssh-ed25519", b"other")
    assert path.read_text() == "olt ssh-ed25519 AAAA\n"


def test_stored_key_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("olt ssh-rsa !!!\n")
    with pytest.raises(HostKeyError, match="cannot be read"):
        HostKeys("strict", tmp_path / "k", "olt", 22).known()


def test_file_that_cannot_be_read_or_written(tmp_path: Path, mocker: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostKeyError, match="cannot be read"):
        HostKeys("accept-new", tmp_path / "file" / "k", "olt", 22).check("ssh-rsa", b"key")
    mocker.patch("tempfile.mkstemp", side_effect=OSError(28, "No space left on device"))
    with pytest.raises(HostKeyError, match=r"cannot be stored .*No space left"):
        HostKeys("accept-new", tmp_path / "k", "olt", 22).check("ssh-rsa", b"key")


# ------------------------------------------------------------------------------------------------------- log-out


def test_logout_from_a_deep_view(serve: Any, session_to: Any, access: str, chunked: int) -> None:
    finished = threading.Event()

    def script(peer: Any) -> None:
        peer.greet("\r\nOLT-1(config-if-gpon-0/1)#")
        peer.line("quit", "\r\nOLT-1(config)#")
        peer.line("quit", "\r\nOLT-1#")
        peer.line("quit", "  Check whether data was saved.\r\n  Are you sure to log out? (y/n)[n]:")
        peer.expect("y\n")
        peer.say("y\r\nConfiguration console exit, please retry to log on\r\n")
        finished.set()

    session = session_to(serve(access, script), patience=Patience(reply_s=5, logout_s=5))
    session.open()
    session.close()
    assert finished.wait(5)
    assert not session.is_open
    assert session.lines_sent == 0


@pytest.mark.parametrize("answer", ["", "quit\r\n", "quit\r\n  Are you sure to log out? (y/n)[n]:"])
def test_logout_that_the_device_ignores(serve: Any, session_to: Any, access: str, answer: str) -> None:
    def script(peer: Any) -> None:
        peer.greet()
        peer.expect("quit\n")
        peer.say(answer)
        if answer.endswith(":"):
            peer.expect("y\n")
        peer.silent()

    session = session_to(serve(access, script), patience=Patience(reply_s=5, logout_s=0.3))
    session.open()
    begun = monotonic()
    session.close()
    assert monotonic() - begun < 3
    assert not session.is_open
    session.close()


def test_logout_that_only_brings_prompts(serve: Any, session_to: Any, access: str) -> None:
    def script(peer: Any) -> None:
        peer.greet()
        for _ in range(10):
            peer.line("quit", "\r\nOLT-1>")
        peer.silent()

    session = session_to(serve(access, script), patience=Patience(reply_s=5, logout_s=5))
    session.open()
    session.close()


def test_logout_after_the_device_has_gone(serve: Any, session_to: Any, access: str) -> None:
    device = serve(access, lambda peer: peer.greet())
    session = session_to(device)
    session.open()
    device.stop()
    session.close()
    assert not session.is_open


def test_no_farewell_out_of_step(serve: Any, session_to: Any, access: str) -> None:
    # the answer of a lost question might come now; a farewell could confirm what nobody meant to confirm
    def script(peer: Any) -> None:
        peer.greet()
        peer.expect("ont delete 0 1\n")
        peer.silent()

    session = session_to(serve(access, script))
    session.open()
    with pytest.raises(TransportTimeout):
        session.ask(Cli("ont delete 0 1", timeout_s=0.1))
    session.close()


def test_interrupted_by_the_user_in_the_middle(serve: Any, session_to: Any, access: str, mocker: Any) -> None:
    session = session_to(serve(access, hello))
    session.open()
    mocker.patch.object(session._pipe, "recv", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        session.ask(Cli("display time"))
    assert not session.is_open
