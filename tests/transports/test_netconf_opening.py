"""Connecting, trusting, logging in, exchanging hellos, saying goodbye: over NETCONF."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import paramiko
import pytest
from pydantic import SecretStr

sys.path.append(str(Path(__file__).parent))  # for the peer

from netconf_peer import BASE, BASE_10, BASE_11, FULL, PASSWORD, NetconfPeer, key, serve, session_to

from ponprobe.errors import AuthError, ConnectError, HostKeyError, SessionLost, TransportTimeout
from ponprobe.flow import NetconfGet
from ponprobe.transports.host_keys import fingerprint

__all__ = ["key", "serve", "session_to"]  # fixtures

ASK = NetconfGet("names", '<x xmlns="urn:x"/>', "running")


def polite(peer: NetconfPeer) -> None:
    peer.hello()
    peer.answers({"get-config": "<data/>"})


def test_what_is_known_after_opening(serve: Any, session_to: Any, key: Any) -> None:
    session = session_to(serve(polite))
    assert (session.is_open, session.capabilities, session.host_key) == (False, frozenset(), None)
    session.open()
    assert session.is_open
    assert session.capabilities == {BASE_10, BASE_11, *FULL}
    assert session.host_key == fingerprint(key.asbytes())
    assert session.requests_sent == 0
    with pytest.raises(RuntimeError, match="open already"):
        session.open()


@pytest.mark.parametrize(
    ("handler", "private"),
    [("standard", False), ("huawei", True)],
)
def test_what_our_hello_says(serve: Any, session_to: Any, handler: str, private: bool) -> None:
    said: list[str] = []
    session = session_to(serve(lambda peer: (said.append(peer.hello()), peer.gone())), handler=handler)
    session.open()
    session.close()
    (hello,) = said
    assert BASE_10 in hello
    assert BASE_11 in hello
    # private capabilities change what that vendor's devices speak; so they are said only where they are wanted
    assert ("www.huawei.com/netconf/capability" in hello) == private
    if not private:
        assert hello.count("<capability>") == 2


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("chunk", [1, 7, 0])
def test_both_versions(serve: Any, session_to: Any, version: str, chunk: int) -> None:
    session = session_to(serve(polite, version=version, chunk=chunk))
    session.open()
    assert (BASE_11 in session.capabilities) == (version == "1.1")
    assert session.get(ASK).data.startswith("<data")


def test_a_hello_with_blanks_and_another_prefix(serve: Any, session_to: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        lines = "\n".join(f"<n:capability>\n   {uri}\n </n:capability>" for uri in (BASE_10, BASE_11, "a&amp;b"))
        inner = f"<!-- x --><n:capabilities>\n{lines}<n:capability/></n:capabilities>\n<n:session-id> 4 </n:session-id>"
        peer.hello(text=f'<?xml version="1.0"?>\n<n:hello xmlns:n="{BASE}">\n{inner}</n:hello>\n')
        assert peer.chunked
        peer.answers({"get-config": "<data/>"})

    session = session_to(serve(script))
    session.open()
    # a blank around base:1.1 must not make two sides speak two framings
    assert session.capabilities == {BASE_10, BASE_11, "a&b"}
    assert session.get(ASK).data.startswith("<data")


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (f'<hello xmlns="{BASE}"><capabilities><capability>urn:x</capability></capabilities></hello>', r"base:1\.0"),
        (f'<hello xmlns="{BASE}"/>', r"base:1\.0"),
        ("HTTP/1.1 400 Bad Request", "is it a NETCONF server"),
        (f'<hello xmlns="{BASE}"><capabilities>', "is it a NETCONF server"),
        (f'<rpc-reply xmlns="{BASE}" message-id="x"/>', "where a <hello> was due"),
        ("<!DOCTYPE hello><hello/>", "document type"),
    ],
)
def test_what_is_no_hello(serve: Any, session_to: Any, hello: str, why: str) -> None:
    session = session_to(serve(lambda peer: (peer.hello(text=hello), peer.gone())))
    with pytest.raises(ConnectError, match=why):
        session.open()
    assert not session.is_open
    ours, theirs = session.transcript
    assert (ours.direction, ours.role, theirs.direction) == ("sent", "login", "received")
    assert BASE_11 in ours.text
    assert theirs.text.startswith(hello[:20]), "what came instead of a hello can be looked at"


# ------------------------------------------------------------------------------------------------- no connection


def test_nothing_listens(serve: Any, session_to: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    with pytest.raises(ConnectError, match=rf"127\.0\.0\.1:{free}.*nothing listens on port {free}") as refused:
        session_to(serve(polite), port=free).open()
    assert "display sysman service state" in str(refused.value)
    assert "SNMP" in str(refused.value)


def test_name_that_does_not_resolve(serve: Any, session_to: Any, mocker: Any) -> None:
    mocker.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known"))
    with pytest.raises(ConnectError, match="could not be resolved"):
        session_to(serve(polite), host="olt.invalid").open()


def test_port_that_accepts_and_keeps_silent(serve: Any, session_to: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        session = session_to(serve(polite), port=mute.getsockname()[1], connect_timeout_s=0.3)
        with pytest.raises(ConnectError, match="SSH"):
            session.open()


def test_server_without_the_subsystem(serve: Any, session_to: Any) -> None:
    with pytest.raises(ConnectError, match="no subsystem 'netconf'"):
        session_to(serve(polite, subsystem="sftp")).open()


def test_server_that_does_not_say_whether_it_has_the_subsystem(serve: Any, session_to: Any) -> None:
    server = serve(polite, subsystem="silent")
    started = monotonic()
    with pytest.raises(TransportTimeout, match="in time"):
        session_to(server, reply_timeout_s=0.3).open()
    server.released.set()
    assert monotonic() - started < 5


def test_server_that_never_says_hello(serve: Any, session_to: Any) -> None:
    session = session_to(serve(lambda peer: peer.gone()), reply_timeout_s=0.3)
    with pytest.raises(TransportTimeout, match="did not say hello in time"):
        session.open()
    assert not session.is_open


@pytest.mark.parametrize("said", [b"", b"<hello", b"<hello/>]]>]]"])
def test_hang_up_instead_of_a_hello(serve: Any, session_to: Any, said: bytes) -> None:
    def script(peer: NetconfPeer) -> None:
        peer.write(said)
        peer.read()
        peer.drop()

    with pytest.raises(ConnectError, match="closed the connection"):
        session_to(serve(script)).open()


# -------------------------------------------------------------------------------------------------------- log-in


def test_wrong_password_is_tried_once(serve: Any, session_to: Any) -> None:
    server = serve(polite)
    with pytest.raises(AuthError, match="tried once only") as refused:
        session_to(server, password=SecretStr("Canary-wrong")).open()
    assert server.passwords == ["Canary-wrong"]
    assert "Canary" not in str(refused.value)


def test_server_that_takes_no_passwords(serve: Any, session_to: Any) -> None:
    server = serve(polite, auths="publickey")
    with pytest.raises(AuthError, match="does not take passwords"):
        session_to(server).open()
    assert server.passwords == []


def test_no_key_file_agent_or_configuration_of_the_user_is_used(
    serve: Any, session_to: Any, mocker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    (tmp_path / ".ssh").mkdir()
    for name in ("id_rsa", "id_ecdsa", "config", "known_hosts"):
        (tmp_path / ".ssh" / name).write_text("garbage")
    agent = mocker.patch("paramiko.Agent")
    keys = mocker.patch("paramiko.PKey.from_path")
    session = session_to(serve(polite))
    session.open()
    assert session.is_open
    agent.assert_not_called()
    keys.assert_not_called()


@pytest.mark.parametrize("kex", ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"])
def test_server_with_old_cryptography_only(serve: Any, session_to: Any, kex: str) -> None:
    old = {"kex": (kex,), "key_types": ("ssh-rsa",), "ciphers": ("aes128-cbc",), "digests": ("hmac-sha1",)}
    session = session_to(serve(polite, old=old, key=paramiko.RSAKey.generate(2048)))
    session.open()
    assert session.is_open


def test_new_host_is_stored_and_then_known(serve: Any, session_to: Any, tmp_path: Path) -> None:
    server = serve(polite)
    session_to(server).open()
    known = (tmp_path / "trust" / "known_hosts").read_text()
    assert known.startswith(f"[127.0.0.1]:{server.port} ")
    session_to(server, host_keys="strict").open()
    assert (tmp_path / "trust" / "known_hosts").read_text() == known


@pytest.mark.parametrize("policy", ["strict", "pin:SHA256:" + "A" * 43, "changed"])
def test_no_password_for_a_server_that_is_not_trusted(serve: Any, session_to: Any, tmp_path: Path, policy: str) -> None:
    server = serve(polite)
    if policy == "changed":
        path = tmp_path / "trust" / "known_hosts"
        path.parent.mkdir()
        other = paramiko.ECDSAKey.generate()
        path.write_text(f"[127.0.0.1]:{server.port} {other.get_name()} {other.get_base64()}\n")
        policy = "accept-new"
    with pytest.raises(HostKeyError):
        session_to(server, host_keys=policy).open()
    assert server.passwords == []


def test_pinned_key(serve: Any, session_to: Any, key: Any) -> None:
    session_to(serve(polite), host_keys=f"pin:{fingerprint(key.asbytes())}").open()


def test_nothing_is_logged_and_no_secret_is_kept(serve: Any, session_to: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        session = session_to(serve(polite))
        session.open()
        session.get(ASK)
        session.close()
    assert PASSWORD not in caplog.text
    assert "<rpc" not in caplog.text, "ncclient logs whole messages, with what is secret in them"
    assert PASSWORD not in session.transcript.to_jsonl()
    assert PASSWORD not in repr(session._settings)


# ------------------------------------------------------------------------------------------------------ goodbye


def test_goodbye(serve: Any, session_to: Any) -> None:
    server = serve(polite)
    session = session_to(server)
    session.open()
    session.close()
    session.close()
    assert not session.is_open
    assert server.requests == ["<close-session/>"]
    with pytest.raises(SessionLost, match="not open, 'get-config: names' was not sent"):
        session.get(ASK)


def test_goodbye_that_the_server_ignores(serve: Any, session_to: Any) -> None:
    session = session_to(serve(lambda peer: (peer.hello(), peer.request(), peer.request())))
    session.open()
    started = monotonic()
    session.close()
    assert monotonic() - started < 8
    assert not session.is_open


def test_goodbye_after_the_server_has_gone(serve: Any, session_to: Any) -> None:
    opened = threading.Event()
    session = session_to(serve(lambda peer: (peer.hello(), opened.wait(10), peer.drop())))
    session.open()
    opened.set()
    deadline = monotonic() + 10
    while session.is_open:
        assert monotonic() < deadline, "a session that has ended still seems open"
    session.close()
    session.close()


def test_goodbye_while_an_answer_is_due(serve: Any, session_to: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        peer.hello()
        peer.request()
        asked.set()
        peer.gone()

    asked = threading.Event()
    session = session_to(serve(script), reply_timeout_s=30)
    session.open()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            session.get(ASK)
        except SessionLost as exc:
            failures.append(exc)

    caller = threading.Thread(target=ask)
    caller.start()
    assert asked.wait(10)
    started = monotonic()
    session.close()
    assert monotonic() - started < 8
    caller.join(10)
    assert len(failures) == 1
    assert not session.is_open


def test_opened_again(serve: Any, session_to: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        peer.hello(capabilities=FULL[:1] if peer.number == 1 else FULL)
        if peer.number == 1:
            peer.request()
            peer.drop()
        else:
            peer.answers({"get-config": "<data>second</data>"})

    session = session_to(serve(script))
    session.open()
    with pytest.raises(SessionLost):
        session.get(ASK)
    assert not session.is_open
    session.open()
    assert "second" in session.get(ASK).data
    assert set(FULL) < session.capabilities
    assert session.requests_sent == 2
