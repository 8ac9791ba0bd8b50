"""Bad input of every kind ends in a clear error before anything is changed on the device."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.errors import (
    AlreadyExists,
    AuthError,
    ConnectError,
    HostKeyError,
    PonprobeError,
    SessionLimit,
    WrongPort,
)
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.session.olt import Olt
from ponprobe.transports import cli_netmiko
from ponprobe.transports.dialogue import Patience


@pytest.fixture
def olt(personality: Any) -> Iterator[emulator.EmulatedOlt]:
    with emulator.serve(personality.lab) as lab:
        olt = lab.olts[personality.olt]
        yield olt


@pytest.fixture
def opened(personality: Any, olt: emulator.EmulatedOlt, tmp_path: Path) -> Callable[..., Olt]:
    def open_it(**changes: Any) -> Olt:
        how: dict[str, Any] = {
            "platform": personality.platform,
            "username": olt.username,
            "password": SecretStr(olt.password),
            "enable_password": SecretStr(olt.enable_password),
            "access": personality.access,
            "port": personality.port_of(olt),
            "journal": str(tmp_path / "journal.sqlite3"),
            "known_hosts": tmp_path / "known_hosts",
            **changes,
        }
        return connect(olt.host, **how)

    return open_it


def test_an_order_that_the_olt_cannot_fulfil_is_refused_by_name(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    order = personality.order
    before = olt.snapshot()
    with opened() as session:
        for changes, kind, words in personality.impossible:
            with pytest.raises(kind, match=words) as refused:
                session.measure(order.model_copy(update=changes))
            assert refused.value.after_change is None, changes
            assert olt.host in str(refused.value) or isinstance(refused.value, PonprobeError)
        assert session.recover() == (), "nothing was begun, so there is nothing to recover"
    assert olt.snapshot() == before


def test_an_onu_that_is_plugged_in_elsewhere_is_found_there(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    before = olt.snapshot()
    elsewhere = PonPort.parse(personality.elsewhere)
    with opened() as session, pytest.raises(WrongPort, match=f"found on {personality.port} instead of") as refused:
        session.measure(personality.order.model_copy(update={"port": elsewhere}))
    assert refused.value.recorded == elsewhere
    assert refused.value.found == PonPort.parse(personality.port)
    assert olt.snapshot() == before


def test_a_serial_that_is_registered_says_where(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    known = next(iter(olt.world.onus.values()))
    order = personality.order.model_copy(update={"auth": OnuAuth(serial=known.serial)})
    with opened() as session, pytest.raises(AlreadyExists, match=f"registered on {known.ref}"):
        session.measure(order)


def test_an_unknown_serial_comes_up_nowhere_and_is_undetermined_and_taken_away(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    before = olt.snapshot()
    order = personality.order.model_copy(update={"auth": OnuAuth(serial=Serial("HWTC00C0FFEE"))})
    with opened(online_timeout_s=0.5) as session:
        result = session.measure(order)
    assert result.verdict is not None
    assert str(result.verdict.outcome) == "undetermined"
    assert [finding.code for finding in result.findings] == ["never_online"]
    assert result.clean
    assert olt.snapshot() == before


def test_a_wrong_password_is_tried_once(olt: emulator.EmulatedOlt, opened: Callable[..., Olt]) -> None:
    with opened(password=SecretStr("not-this-one")) as session, pytest.raises(AuthError) as refused:
        session.facts()
    assert "not-this-one" not in str(refused.value)
    assert olt.commands == []


def test_a_locked_user_is_told_so(olt: emulator.EmulatedOlt, opened: Callable[..., Olt]) -> None:
    olt.faults.locked_users = {olt.username}
    with opened() as session, pytest.raises(AuthError):
        session.facts()
    assert olt.commands == []


def test_an_unreachable_host_is_named(opened: Callable[..., Olt]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        port = taken.getsockname()[1]
        with opened(port=port) as session, pytest.raises(ConnectError, match=rf"127\.0\.0\.1.*{port}"):
            session.facts()


def test_a_host_key_that_changed_is_refused(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt], tmp_path: Path
) -> None:
    if personality.access != "ssh":
        pytest.skip("Telnet has no host keys")
    with opened() as session:
        session.facts()
    known = len(olt.commands)
    olt.regenerate_host_key()
    with opened() as session, pytest.raises(HostKeyError, match=olt.host_key_fingerprint.replace("+", r"\+")):
        session.facts()
    with opened(host_keys=f"pin:{olt.host_key_fingerprint}") as session:
        assert session.facts().model
    assert len(olt.commands) > known
    strict = {"host_keys": "strict", "known_hosts": tmp_path / "an_empty_file"}
    with opened(**strict) as session, pytest.raises(HostKeyError):
        session.facts()


def test_when_the_user_has_no_free_session_it_waits_and_then_says_so(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    if personality.platform == "bbf_xpon":
        pytest.skip("NETCONF has no word for it: such a server closes the connection")
    olt.faults.reenter_limit = 0
    with opened(session_wait_s=0.4, session_retry_s=0.1) as session, pytest.raises(SessionLimit, match="session"):
        session.facts()
    assert olt.commands == []


def test_a_busy_olt_is_waited_for_and_a_device_that_stays_busy_is_left_clean(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    before = olt.snapshot()
    olt.faults.busy = 2
    with opened(busy_wait_s=20) as session:
        assert session.measure(personality.order).clean
    assert olt.faults.busy == 0
    assert olt.snapshot() == before


@pytest.mark.parametrize("eats", [False, True], ids=["alarms", "alarms that eat characters"])
def test_alarms_in_the_middle_of_answers_do_not_matter(
    personality: Any,
    olt: emulator.EmulatedOlt,
    opened: Callable[..., Olt],
    monkeypatch: pytest.MonkeyPatch,
    eats: bool,
) -> None:
    # a prompt behind an alarm is believed after a silence; with a real device's second this is a test of waiting
    monkeypatch.setattr(cli_netmiko, "Patience", partial(Patience, grace_s=0.2))
    before = olt.snapshot()
    olt.faults.alarm_every, olt.faults.alarm_eats = 3, eats
    with opened() as session:
        # a change whose line was eaten into is refused by the device and taken back; questions are asked again
        outcome = contextlib.suppress(PonprobeError) if eats else contextlib.nullcontext()
        with outcome:
            assert session.measure(personality.order).clean
        olt.faults.alarm_every = 0
        assert all(recovery.clean for recovery in session.recover())
    assert olt.snapshot() == before


def test_a_device_that_asks_and_pages_as_after_login_is_understood(
    personality: Any, olt: emulator.EmulatedOlt, opened: Callable[..., Olt]
) -> None:
    """Smart prompts, pages and the warning with its second prompt, with every set-up line refused."""
    before = olt.snapshot()
    olt.faults.password_notice = True
    with opened() as session:
        assert session.measure(personality.order).clean
    assert olt.snapshot() == before
