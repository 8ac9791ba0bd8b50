"""No secret in any output of a full run: transcript, log, journal, exception, JSON, event."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.config import SnmpEntry
from ponprobe.connect import connect, journal_at
from ponprobe.errors import NotSupported, PonprobeError
from ponprobe.models.addressing import Loid, OnuAuth, Password, PonPort, Serial

CLI_PASSWORD = "CNRYcli7Pa55word"
ONU_PASSWORD = "CNRYpw4711"
LOID = "CNRYloid5570111433"
CHECKCODE = "CNRYchk4321"
COMMUNITY = "CNRYcommunity88"
CANARIES = (CLI_PASSWORD, ONU_PASSWORD, LOID, CHECKCODE, COMMUNITY)
FORMS = {form for canary in CANARIES for form in (canary, canary.encode().hex(), canary.encode().hex().upper())}

AUTHS = {
    "password": OnuAuth(password=Password(value=SecretStr(ONU_PASSWORD))),
    "serial+password": OnuAuth(serial=Serial("HWTC0CAFE001"), password=Password(value=SecretStr(ONU_PASSWORD))),
    "loid": OnuAuth(loid=Loid(value=SecretStr(LOID))),
    "loid+checkcode": OnuAuth(loid=Loid(value=SecretStr(LOID), checkcode=SecretStr(CHECKCODE))),
}


@pytest.fixture
def olt(personality: Any) -> Iterator[emulator.EmulatedOlt]:
    scenario = personality.lab
    for spec in scenario.olts:
        spec.password = CLI_PASSWORD
        spec.snmp.community = COMMUNITY
    with emulator.serve(scenario) as lab:
        olt = lab.olts[personality.olt]

        port = PonPort.parse(personality.port)
        splitter = next(ont.splitter for ont in olt.world.onts.values() if ont.port == port)
        olt.world.plug_in("HWTC0CAFE001", port, splitter, password=ONU_PASSWORD)
        olt.world.plug_in("HWTC0CAFE002", port, splitter, loid=LOID, checkcode=CHECKCODE)
        yield olt


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any library says at its loudest."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def assert_no_canary(text: str, where: str) -> None:
    for form in FORMS:
        assert form not in text, f"{form} stands in the {where}"


@pytest.mark.parametrize("how", AUTHS)
@pytest.mark.parametrize("lost_at", [None, "registration", "reading"])
def test_no_secret_comes_out_of_a_run(  # noqa: PLR0917
    personality: Any, olt: emulator.EmulatedOlt, tmp_path: Path, log: io.StringIO, how: str, lost_at: str | None
) -> None:
    before = olt.snapshot()
    register, read = personality.register_words, personality.read_words
    lost_words = {"registration": register, "reading": read}.get(lost_at or "")
    events: list[str] = []
    shown: list[str] = []

    def cut(_number: int, line: str, moment: str) -> None:
        if lost_words is not None and lost_words in line and moment == "executed":
            olt.faults.on_command = None
            raise ConnectionAbortedError

    olt.faults.on_command = cut
    with connect(
        olt.host,
        platform=personality.platform,
        username=olt.username,
        password=SecretStr(CLI_PASSWORD),
        enable_password=SecretStr(olt.enable_password),
        access=personality.access,
        port=personality.port_of(olt),
        journal=str(tmp_path / "journal.sqlite3"),
        known_hosts=tmp_path / "known_hosts",
        online_timeout_s=20,
        snmp=SnmpEntry(community=SecretStr(COMMUNITY), port=olt.snmp_port) if personality.snmp else None,
        routes=("cli", "netconf") if lost_at == "reading" else ("snmp", "netconf", "cli"),
    ) as session:
        session.on_event = lambda event: events.append(event.model_dump_json())
        order = personality.order.model_copy(update={"auth": AUTHS[how]})
        shown += [repr(order), str(order), order.model_dump_json()]
        if how in personality.unseen_auths:
            with pytest.raises(NotSupported):
                session.measure(order)
            return
        shown += [repr(session.plan(order))]
        try:
            result = session.measure(order, verify="snmp" if personality.snmp else None)
        except PonprobeError as exc:
            assert lost_at == "registration"
            shown += ["".join(traceback.format_exception(exc)), repr(exc), str(vars(exc))]
        else:
            assert result.verdict is not None
            assert result.verdict.reading.complete, f"the ONU must come online by {how}"
            shown += [result.model_dump_json(), repr(result), str(result)]
        shown += [repr(each) for each in session.discovered()]
        shown += [each.model_dump_json() for each in session.discovered()]
        transcript = session.transcript
        assert all(recovery.clean for recovery in session.recover())
    assert olt.snapshot() == before
    journal_at(str(tmp_path / "journal.sqlite3")).close()
    assert any(register in line for line in olt.commands), "the run must have used the secret"
    assert_no_canary(transcript.text(), "transcript")
    assert_no_canary(transcript.to_jsonl(), "transcript file")
    assert_no_canary(log.getvalue(), "log")
    assert_no_canary("\n".join(events), "events")
    assert_no_canary("\n".join(shown), "results, errors and reprs")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert_no_canary(file.read_bytes().decode("latin-1"), f"file {file.name}")
    assert "***" in transcript.text(), "something must have been covered"
    assert len(transcript) > 20
