"""Every way a command can end, and that it says the truth about the device."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ponprobe.app import outcome
from ponprobe.app.outcome import ExitCode
from ponprobe.emulator import EmulatedOlt, Lab
from ponprobe.errors import (
    ConfigError,
    HostKeyError,
    LeaseConflict,
    NotOurs,
    ParseError,
    ResidueError,
    RevokeError,
    SessionLost,
)
from ponprobe.session.olt import Olt

from .conftest import ELSEWHERE, FOREIGN, WEAK, Run, changes, measure


def at(olt: EmulatedOlt, start: str, moment: str, act: Any) -> None:
    """Do something once, when a command that starts like this is at this moment of its life."""
    done: list[int] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if line.startswith(start) and when == moment and not done:
            done.append(1)
            act()

    olt.faults.on_command = on_command


def hang_up() -> None:
    raise ConnectionAbortedError


def test_a_pass_is_0_and_leaves_the_olt_as_it_was(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    ran = cli(*measure(), "--json")
    assert (ran.code, ran.json["verdict"]["outcome"], ran.json["clean"]) == (0, "pass", True)
    assert olt.snapshot() == before
    assert changes(olt)


def test_a_fail_is_3(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    ran = cli(*measure(WEAK))
    assert ran.code == 3
    assert "不达标" in ran.err
    assert "CLEAN" in ran.err
    assert ran.out == ""
    assert olt.snapshot() == before


def test_the_user_side_limit_passes_what_fails_in_construction(cli: Run) -> None:
    ran = cli(*measure(WEAK), "--stage", "user_side", "--json")
    assert (ran.code, ran.json["verdict"]["threshold_set"]["id"]) == (0, "user_side")


def test_no_verdict_is_4(cli: Run, olt: EmulatedOlt) -> None:
    for ont in olt.world.onts.values():
        ont.online_after_s = 3600
    before = olt.snapshot()
    ran = cli(*measure(), "--online-timeout", "0.2")
    assert ran.code == 4
    assert "无法判定" in ran.err
    assert "never online" in ran.err
    assert olt.snapshot() == before


@pytest.mark.parametrize("fault", ["refused", "password"])
def test_a_connection_that_fails_is_5(cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    more = ["--port", "1"] if fault == "refused" else []
    if fault == "password":
        monkeypatch.setenv("PONPROBE_LAB_MA5683T", "wrong")
    ran = cli(*measure(), *more, "--json")
    error = ran.json["error"]
    assert ran.code == 5
    assert error["after_change"] is None
    assert (error["class"], error["retryable"]) == (("ConnectError", True) if more else ("AuthError", False))
    assert "nothing was changed" in ran.err
    assert olt.commands == []


def test_a_line_lost_after_a_change_is_6(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    at(olt, "service-port ", "executed", hang_up)
    ran = cli(*measure(), "--json")
    assert (ran.code, ran.json["error"]["after_change"]) == (6, "rolled_back")
    assert "nothing is left" in ran.err
    assert olt.snapshot() == before


def test_residue_is_7_whatever_the_verdict_and_recover_ends_it(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = olt.snapshot()
    monkeypatch.setenv("PONPROBE_REMOVAL_WAIT_S", "0.3")

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "arrived" and line.startswith(("undo service-port", "ont delete")):
            raise ConnectionAbortedError

    olt.faults.on_command = on_command
    ran = cli(*measure(), "--events")
    last = ran.events[-1]
    assert ran.code == 7
    assert (last["event"], last["error"]["after_change"], last["error"]["retryable"]) == ("finished", "residue", False)
    assert "ponprobe recover" in ran.err
    assert olt.snapshot() != before

    stuck = cli("recover", "--json")
    assert stuck.code == 7
    assert stuck.json["olts"][0]["recovered"][0]["clean"] is False

    olt.faults.on_command = None
    done = cli("recover", "--json")
    assert (done.code, done.json["olts"][0]["recovered"][0]["clean"]) == (0, True)
    assert olt.snapshot() == before
    again = cli("recover")
    assert (again.code, "nothing to recover" in again.err) == (0, True)


@pytest.mark.parametrize(
    ("serial", "port", "error"), [(FOREIGN, "0/1/0", "AlreadyExists"), (ELSEWHERE, "0/1/0", "WrongPort")]
)
def test_a_safety_rule_is_8_and_changes_nothing(cli: Run, olt: EmulatedOlt, serial: str, port: str, error: str) -> None:
    ran = cli(*measure(serial, port), "--json")
    assert (ran.code, ran.json["error"]["class"]) == (8, error)
    if error == "WrongPort":
        assert (ran.json["error"]["recorded"], ran.json["error"]["found"]) == ("0/1/0", "0/1/1")
    assert "nothing was changed" in ran.err
    assert changes(olt) == []


def test_a_changed_host_key_is_8(cli: Run, olt: EmulatedOlt) -> None:
    olt.regenerate_host_key()
    ran = cli("facts", "ma5683t", "--json")
    assert (ran.code, ran.json["error"]["class"]) == (8, "HostKeyError")
    assert olt.commands == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_takes_the_onu_away_first(cli: Run, olt: EmulatedOlt, number: signal.Signals, code: int) -> None:
    before = olt.snapshot()
    at(olt, "display ont optical-info", "executed", lambda: os.kill(os.getpid(), number))
    ran = cli(*measure(), "--events")
    assert ran.code == code
    assert ran.events[-1]["error"]["after_change"] == "rolled_back"
    assert "nothing is left" in ran.err
    assert olt.snapshot() == before
    assert signal.getsignal(number) is not None


def test_a_second_signal_does_not_disturb_the_cleaning(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith(("display ont optical-info", "undo service-port")):
            os.kill(os.getpid(), signal.SIGINT)

    olt.faults.on_command = on_command
    ran = cli(*measure())
    assert ran.code == 130
    assert "still taking the test ONU away" in ran.err
    assert olt.snapshot() == before


def test_giving_up_on_the_cleaning_is_said_as_residue(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    signals: list[int] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith("display ont optical-info") and not signals:
            signals.append(1)
            os.kill(os.getpid(), signal.SIGINT)
        elif when == "executed" and line.startswith(("display service-port port", "undo service-port")) and signals:
            os.kill(os.getpid(), signal.SIGINT)

    olt.faults.on_command = on_command
    ran = cli(*measure(), "--json")
    assert (ran.code, ran.json["error"]["after_change"]) == (7, "residue")
    olt.faults.on_command = None
    assert cli("recover").code == 0
    assert olt.snapshot() == before


def test_a_real_process_heeds_sigterm(cli: Run, olt: EmulatedOlt, home: Path) -> None:
    before = olt.snapshot()
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", *measure()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    at(olt, "display ont optical-info", "arrived", process.terminate)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "nothing is left" in err
    assert out == ""
    assert olt.snapshot() == before


def test_a_bug_is_1_without_traceback_unless_asked(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Olt) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Olt, "facts", broken)
    ran = cli("facts", "ma5683t", "--json")
    assert (ran.code, ran.json["error"]["class"]) == (1, "ZeroDivisionError")
    assert "Traceback" not in ran.err
    assert "ponprobe recover" in ran.err
    assert "Traceback" in cli("facts", "ma5683t", "-v").err


def test_a_failure_after_the_proof_is_not_called_residue(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is over and proven; what fails later, the journal knows better than the error does."""
    for ont in olt.world.onts.values():
        ont.online_after_s = 3600
    before = olt.snapshot()

    def lost(_self: Olt, *_: object) -> None:
        raise SessionLost("gone")

    monkeypatch.setattr(Olt, "_why_offline", lost)
    ran = cli(*measure(), "--online-timeout", "0.1", "--json")
    assert (ran.code, ran.json["error"]["after_change"]) == (6, "rolled_back")
    assert olt.snapshot() == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (ParseError("x"), 5),
        (HostKeyError("x"), 8),
        (LeaseConflict("x"), 8),
        (NotOurs("x"), 8),
        (RevokeError("x"), 7),
        (ResidueError("x"), 7),
        (KeyboardInterrupt(), 130),
        (outcome.Interrupted(signal.SIGTERM), 143),
        (outcome.Interrupted(signal.SIGHUP), 129),
        (outcome.TimedOut(1.0), 5),
        (ValueError("x"), 1),
    ],
)
def test_the_table_of_errors(error: BaseException, code: int) -> None:
    assert outcome.of_error(error) == code


def _weak(_olt: EmulatedOlt, _patch: pytest.MonkeyPatch) -> None:
    """Nothing to prepare."""


def _never_online(olt: EmulatedOlt, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PONPROBE_ONLINE_TIMEOUT_S", "0.2")
    for ont in olt.world.onts.values():
        ont.online_after_s = 3600


def _buggy(_olt: EmulatedOlt, patch: pytest.MonkeyPatch) -> None:
    def broken(_self: Olt, *_given: object, **_named: object) -> None:
        raise ZeroDivisionError("oops")

    patch.setattr(Olt, "measure", broken)


def _away(_olt: EmulatedOlt, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PONPROBE_LAB_MA5683T", "wrong")


def _cut_once(olt: EmulatedOlt, _patch: pytest.MonkeyPatch) -> None:
    at(olt, "service-port ", "executed", hang_up)


def _cut_always(olt: EmulatedOlt, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PONPROBE_REMOVAL_WAIT_S", "0.1")

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "arrived" and line.startswith(("undo service-port", "ont delete")):
            raise ConnectionAbortedError

    olt.faults.on_command = on_command


def _signalled(number: int) -> Any:
    def prepare(olt: EmulatedOlt, _patch: pytest.MonkeyPatch) -> None:
        at(olt, "display ont optical-info", "executed", lambda: os.kill(os.getpid(), number))

    return prepare


TABLE: dict[ExitCode, tuple[list[str], Any]] = {
    ExitCode.DONE: (measure(), _weak),
    ExitCode.BUG: (measure(), _buggy),
    ExitCode.USAGE: ([*measure(), "--stage", "roof"], _weak),
    ExitCode.FAIL: (measure(WEAK), _weak),
    ExitCode.UNDETERMINED: (measure(), _never_online),
    ExitCode.NOTHING_CHANGED: (measure(), _away),
    ExitCode.ROLLED_BACK: (measure(), _cut_once),
    ExitCode.RESIDUE: (measure(), _cut_always),
    ExitCode.REFUSED: (measure(FOREIGN), _weak),
    ExitCode.HUNG_UP: (measure(), _signalled(signal.SIGHUP)),
    ExitCode.INTERRUPTED: (measure(), _signalled(signal.SIGINT)),
    ExitCode.TERMINATED: (measure(), _signalled(signal.SIGTERM)),
}
"""How the command comes to each code that its help documents."""


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_documented_code_is_what_the_command_ends_with(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch, code: ExitCode
) -> None:
    words, prepare = TABLE[code]
    before = olt.snapshot()
    prepare(olt, monkeypatch)
    ran = cli(*words, "--events")
    assert (ran.code, ran.events[-1]["event"], ran.events[-1]["data"]["exit_code"]) == (code, "finished", code)
    assert (olt.snapshot() == before) == (code is not ExitCode.RESIDUE), "the code says whether the OLT is clean"
    assert set(outcome.MEANINGS) == set(TABLE) == set(ExitCode)


def test_residue_beats_every_error() -> None:
    for error in (ConfigError("x"), SessionLost("x"), KeyboardInterrupt(), ValueError("x")):
        error.after_change = "residue"  # type: ignore[union-attr]
        assert outcome.of_error(error) is ExitCode.RESIDUE


def test_the_worst_of_a_batch() -> None:
    codes = [ExitCode.DONE, ExitCode.FAIL, ExitCode.REFUSED, ExitCode.ROLLED_BACK]
    assert outcome.worst(codes) is ExitCode.ROLLED_BACK
    assert outcome.worst([*codes, ExitCode.RESIDUE]) is ExitCode.RESIDUE
    assert outcome.worst([]) is ExitCode.DONE
    assert set(outcome.ORDER) == set(ExitCode), "a code that the order forgets would end as 0"
    order = [ExitCode.RESIDUE, ExitCode.ROLLED_BACK, ExitCode.NOTHING_CHANGED, ExitCode.REFUSED, ExitCode.FAIL]
    for worse, better in zip(order, [*order[1:], ExitCode.UNDETERMINED], strict=True):
        assert outcome.worst([better, worse]) is worse


def test_help_has_the_whole_table(command: Run) -> None:
    ran = command("--help")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert all(meaning in words for meaning in outcome.MEANINGS.values())
    names = re.findall(r"^│ ([a-z]+) ", ran.out, re.MULTILINE)
    assert names[:2] == ["measure", "batch"], "what people come for is what they read first"
    assert names.index("recover") < names.index("facts") < names.index("judge")


def test_the_lab_is_untouched_by_questions(cli: Run, lab: Lab) -> None:
    before = {name: olt.snapshot() for name, olt in lab.olts.items()}
    for arguments in (
        ["facts", "ma5800"],
        ["boards", "ma5800"],
        ["discover", "ma5800"],
        ["discover", "ma5800", "0/1/0"],
        ["onus", "ma5800", "0/1/0"],
        ["onus", "ma5800", "--serial", "HWTC1C000ED2"],
        ["optics", "ma5800", "0/1/0:0"],
        ["optics", "ma5800", "0/1/0"],
        ["optics", "ma5800", "0/1"],
    ):
        ran = cli(*arguments, "--json")
        assert (ran.code, ran.json["schema"], ran.json["olt"]) == (0, 1, "ma5800"), arguments
        shown = cli(*arguments)
        assert (shown.code, shown.out) == (0, ""), arguments
        assert shown.err.strip(), arguments
    assert before == {name: olt.snapshot() for name, olt in lab.olts.items()}
