"""What schedulers rely on: deadlines, signals, readers that go away, requests that are asked twice, dry runs."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ponprobe.connect import journal_at
from ponprobe.emulator import EmulatedOlt
from ponprobe.session.olt import Olt

from .conftest import CANARIES, GOOD, PATH, WEAK, Run, changes, measure

ALARM = signal.SIGALRM
"""What a deadline comes as: sent by hand, it comes exactly where a test wants it."""


def at(olt: EmulatedOlt, start: str, moment: str, act: Callable[[], object]) -> list[str]:
    """Do something once, when a command that starts like this is at this moment of its life."""
    done: list[str] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if line.startswith(start) and when == moment and not done:
            done.append(line)
            act()

    olt.faults.on_command = on_command
    return done


def sends(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def flat(text: str) -> str:
    return " ".join(text.split())


def open_runs(home: Path) -> list[str]:
    return [each.state for each in journal_at(str(home / "state/ponprobe/journal.sqlite3")).unfinished()]


# ---------------------------------------------------------------------- deadlines


@pytest.mark.parametrize(
    ("where", "code", "after"),
    [("display board", 5, None), ("ont add", 6, "rolled_back"), ("display ont optical-info", 6, "rolled_back")],
)
def test_a_deadline_takes_back_what_is_under_way(
    cli: Run, olt: EmulatedOlt, home: Path, *, where: str, code: int, after: str | None
) -> None:
    before = olt.snapshot()
    sent = at(olt, where if code == 6 else "", "executed", sends(ALARM))
    ran = cli(*measure(), "--timeout", "3600", "--events")
    assert sent
    last = ran.events[-1]
    assert (ran.code, last["event"], last["data"]["exit_code"]) == (code, "finished", code)
    assert (last["error"]["class"], last["error"]["after_change"], last["error"]["retryable"]) == (
        "TimedOut", after, True,
    )  # fmt: skip
    assert "3600 s (--timeout)" in ran.err
    assert (olt.snapshot() == before, open_runs(home) if after else []) == (True, [])


def test_a_deadline_really_comes(cli: Run, olt: EmulatedOlt) -> None:
    for ont in olt.world.onts.values():
        ont.online_after_s = 3600
    before = olt.snapshot()
    start = time.monotonic()
    ran = cli(*measure(), "--timeout", "1.5", "--json")
    assert (ran.code, ran.json["error"]["class"]) in {(6, "TimedOut"), (5, "TimedOut")}
    assert 1.4 < time.monotonic() - start < 60
    assert olt.snapshot() == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_deadline_does_not_spoil_a_result_that_is_there(cli: Run, olt: EmulatedOlt) -> None:
    """When only the removal is left, it is finished, and the verdict is given."""
    before = olt.snapshot()
    sent = at(olt, "undo service-port", "executed", sends(ALARM))
    ran = cli(*measure(), "--timeout", "3600", "--json")
    assert sent
    assert (ran.code, ran.json["verdict"]["outcome"], ran.json["clean"]) == (0, "pass", True)
    assert olt.snapshot() == before


@pytest.mark.parametrize("words", [("facts",), ("optics", "0/1/0"), ("sweep",), ("discover",)])
def test_questions_have_deadlines_too(cli: Run, olt: EmulatedOlt, words: tuple[str, ...]) -> None:
    at(olt, "", "executed", sends(ALARM))
    name, *rest = words
    ran = cli(name, "ma5683t", *rest, "--timeout", "3600")
    assert (ran.code, "TimedOut" in ran.err, "nothing was changed" in ran.err) == (5, True, True)
    if name == "sweep":
        last = ran.events[-1]
        assert (last["event"], last["exit_code"], last["error"]["class"]) == ("finished", 5, "TimedOut")


def test_patience_with_one_answer_is_another_option(cli: Run, olt: EmulatedOlt) -> None:
    olt.faults.silent_after = 1
    ran = cli("facts", "ma5683t", "--reply-timeout", "0.5", "--json")
    assert (ran.code, ran.json["error"]["class"]) == (5, "TransportTimeout")
    assert cli("facts", "ma5683t", "--reply-timeout", "0").code == 2


# ---------------------------------------------------------------------- signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize(
    "where",
    [
        "ont add",
        "service-port ",
        "display ont optical-info",
        "undo service-port",
        "ont delete",
        "display ont info by-sn",
    ],
)
def test_one_signal_anywhere_leaves_nothing(
    cli: Run, olt: EmulatedOlt, home: Path, *, number: int, code: int, where: str
) -> None:
    """Also in the middle of the removal: it is finished before the command ends."""
    before = olt.snapshot()
    sent = at(olt, where, "executed", sends(number))
    ran = cli(*measure(), "--events")
    assert sent
    assert ran.code == code, ran.err
    assert [event["event"] for event in ran.events].count("finished") == 1
    last = ran.events[-1]
    before_any_change = where == "display ont info by-sn"
    assert last["error"]["after_change"] == (None if before_any_change else "rolled_back")
    assert (last["event"], last["data"]["exit_code"]) == ("finished", code)
    assert (olt.snapshot() == before, [] if before_any_change else open_runs(home)) == (True, [])


def test_nohup_is_heeded(cli: Run, olt: EmulatedOlt) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        at(olt, "display ont optical-info", "executed", sends(signal.SIGHUP))
        assert cli(*measure()).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("form", [(), ("--events",), ("--json",)])
def test_a_terminal_that_goes_away_leaves_no_test_onu(
    cli: Run, olt: EmulatedOlt, home: Path, form: tuple[str, ...]
) -> None:
    before = olt.snapshot()
    with at_a_terminal(*measure(), *form) as (child, terminal):
        seen = at(olt, "display ont optical-info", "arrived", lambda: os.close(terminal))
        # a terminal takes a page; what is told must not stop where nobody reads it
        reader = threading.Thread(target=said, args=(terminal,), daemon=True)
        reader.start()
        assert wait_for(child) == 129
    assert seen
    assert (olt.snapshot() == before, open_runs(home)) == (True, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_revoke_that_is_stopped_ends_with_the_removal(cli: Run, olt: EmulatedOlt, home: Path, number: int) -> None:
    before = olt.snapshot()
    run_id = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--json").json["run_id"]
    at(olt, "undo service-port", "executed", sends(number))
    ran = cli("revoke", "ma5683t", run_id, "--json")
    assert (ran.code, ran.json["error"]["after_change"]) == (128 + number, "rolled_back")
    assert (olt.snapshot() == before, open_runs(home)) == (True, [])


def test_a_revoke_that_cannot_reach_the_olt_is_7_while_the_onu_stands(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Nothing changed" would be true, and would send nobody to look."""
    monkeypatch.setenv("PONPROBE_REMOVAL_WAIT_S", "0.1")
    run_id = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--json").json["run_id"]
    ran = cli("revoke", "ma5683t", run_id, "--port", "1")
    assert (ran.code, f"ponprobe revoke ma5683t --port 1 {run_id}" in flat(ran.err)) == (7, True)
    assert cli("revoke", "ma5683t", run_id).code == 0
    assert cli("revoke", "ma5683t", run_id, "--port", "1").code == 5


def test_a_recovery_that_is_stopped_does_not_claim_to_be_clean(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PONPROBE_REMOVAL_WAIT_S", "0.1")

    def cut(_number: int, line: str, when: str) -> None:
        if line.startswith(("undo service-port", "ont delete")) and when == "arrived":
            raise ConnectionAbortedError

    olt.faults.on_command = cut
    assert cli(*measure()).code == 7
    at(olt, "undo service-port", "arrived", sends(signal.SIGINT))
    ran = cli("recover", "--json")
    assert (ran.code, ran.json["error"]["after_change"]) == (7, "residue")
    olt.faults.on_command = None
    assert cli("recover").code == 0


# ---------------------------------------------------------------------- readers that go away


def piped(*words: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "ponprobe.app", *words], **streams)


def test_people_who_look_away_do_not_change_the_code(cli: Run, olt: EmulatedOlt) -> None:
    """``2>&1 | head -1`` closes the road to people; the scheduler still has to learn of the verdict."""
    before = olt.snapshot()
    process = piped(*measure(WEAK), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stdout is not None
    process.stderr.close()
    process.stdout.close()
    assert (process.wait(60), olt.snapshot() == before) == (3, True)


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr", "all"])
def test_closed_streams_are_no_reason_to_fail(cli: Run, olt: EmulatedOlt, closed: str) -> None:
    ends = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-", "all": "<&- >&- 2>&-"}[closed]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {ends}', "sh", sys.executable, "-m", "ponprobe.app", *measure(WEAK), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    if closed in {"stdin", "stderr"}:
        assert json.loads(done.stdout)["exit_code"] == 3


def test_a_prompt_needs_a_terminal_and_not_just_a_stream(cli: Run, olt: EmulatedOlt) -> None:
    for end in ("<&-", "</dev/null"):
        words = [sys.executable, "-m", "ponprobe.app", *measure(), "--password", "ask:", "--json"]
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {end}', "sh", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, json.loads(done.stdout)["error"]["class"]) == (2, "SecretMissing")
    assert olt.commands == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_stdout_hides_nothing(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    for form in ("--json", "--events"):
        with Path("/dev/full").open("wb") as full:
            process = piped(*measure(), form, stdout=full, stderr=subprocess.PIPE)
            assert process.stderr is not None
            with process.stderr:
                err = process.stderr.read().decode()
        assert process.wait(60) == 1
        assert "No space left" in flat(err)
        assert "Traceback" not in err
        assert olt.snapshot() == before


# ---------------------------------------------------------------------- terminals


@contextmanager
def at_a_terminal(*words: str, **environment: str) -> Iterator[tuple[int, int]]:
    """Run a command as a person would: the leader of a session on a terminal of its own."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another process
        os.environ.update({"TERM": "xterm-256color", **environment})
        os.execv(sys.executable, [sys.executable, "-m", "ponprobe.app", *words])
    try:
        yield child, terminal
    finally:
        with suppress(OSError):
            os.close(terminal)
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)


def wait_for(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def said(terminal: int) -> str:
    text = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    return text.decode("utf-8", "replace")


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize(
    ("words", "environment", "coloured", "moves"),
    [
        ((), {}, True, True),
        (("--no-color",), {}, False, True),
        ((), {"NO_COLOR": "1"}, False, True),
        ((), {"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_gets_what_it_can_show(
    cli: Run, words: tuple[str, ...], environment: dict[str, str], *, coloured: bool, moves: bool
) -> None:
    with at_a_terminal(*measure(), *words, **environment) as (child, terminal):
        text = said(terminal)
        assert wait_for(child) == 0
    assert bool(COLOUR.search(text)) == coloured
    assert ("\x1b[2K" in text or "\x1b[?25l" in text) == moves
    assert "PASS" in text


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_secret_is_asked_for_at_a_terminal_and_not_echoed(cli: Run, olt: EmulatedOlt) -> None:
    with at_a_terminal("facts", "ma5683t", "--password", "ask:", "--json") as (child, terminal):
        prompt = b""
        while b": " not in prompt:
            prompt += os.read(terminal, 65536)
        os.write(terminal, CANARIES["LAB_PASSWORD"].encode() + b"\n")
        text = prompt.decode() + said(terminal)
        assert wait_for(child) == 0
    assert "MA5683T" in text
    assert CANARIES["LAB_PASSWORD"] not in text


# ---------------------------------------------------------------------- asked twice


def test_a_measurement_is_made_once_under_an_id(cli: Run, olt: EmulatedOlt) -> None:
    words = (*measure(WEAK), "--request-id", "job-1", "--json")
    first = cli(*words)
    sent = len(olt.commands)
    again = cli(*words)
    assert (first.code, again.code, first.json["request_id"]) == (3, 3, "job-1")
    assert {**again.json, "repeated": None} == {**first.json, "repeated": None}
    assert (again.json["repeated"], len(olt.commands)) == (True, sent)
    shown = cli(*words[:-1])
    assert (shown.code, "answered before, and nothing was sent" in flat(shown.err)) == (3, True)
    events = cli(*words[:-1], "--events").events
    assert [(event["event"], event["request_id"]) for event in events] == [("finished", "job-1")]
    for other in (measure(GOOD), [*measure(WEAK), "--stage", "user_side"], [*measure(WEAK), "--samples", "1"]):
        ran = cli(*other, "--request-id", "job-1", "--json")
        assert (ran.code, ran.json["error"]["class"], ran.json["request_id"]) == (8, "RequestConflict", "job-1")
    assert len(olt.commands) == sent


def test_an_answer_of_another_version_is_given_as_it_was(cli: Run, home: Path, olt: EmulatedOlt) -> None:
    words = (*measure(), "--request-id", "job-6")
    first = cli(*words, "--json").json
    with closing(sqlite3.connect(home / "state/ponprobe/journal.sqlite3")) as store, store:
        store.execute("UPDATE requests SET answer = json_set(answer, '$.verdict.of_tomorrow', 1) WHERE id = 'job-6'")
    again = cli(*words, "--json")
    assert (again.code, again.json["verdict"]["of_tomorrow"], again.json["run_id"]) == (0, 1, first["run_id"])
    shown = cli(*words)
    assert (shown.code, "answered before" in flat(shown.err), first["explanation"][:40] in flat(shown.err)) == (
        0, True, True,
    )  # fmt: skip


def test_a_request_that_failed_may_be_asked_again(cli: Run, olt: EmulatedOlt) -> None:
    words = (*measure(), "--request-id", "job-2", "--json")
    at(olt, "service-port ", "executed", hang_up)
    assert cli(*words).code == 6
    ran = cli(*words)
    assert (ran.code, "repeated" in ran.json) == (0, False)
    assert cli(*words).json["repeated"] is True


def hang_up() -> None:
    raise ConnectionAbortedError


def test_a_request_whose_process_died_takes_its_leftovers_away_first(cli: Run, olt: EmulatedOlt, home: Path) -> None:
    before = olt.snapshot()
    words = (*measure(), "--request-id", "job-3", "--json")
    process = piped(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    at(olt, "display ont optical-info", "arrived", process.kill)
    assert process.wait(60) == -signal.SIGKILL
    olt.faults.on_command = None
    assert (olt.snapshot() != before, open_runs(home)) == (True, ["open"])
    ran = cli(*words)
    assert (ran.code, ran.json["verdict"]["outcome"]) == (0, "pass")
    assert (olt.snapshot() == before, open_runs(home)) == (True, [])


def test_a_request_that_is_still_running_is_refused_and_may_be_asked_later(cli: Run, olt: EmulatedOlt) -> None:
    words = (*measure(), "--request-id", "job-5", "--json")
    begun, told = threading.Event(), threading.Event()

    def meanwhile() -> None:
        begun.set()
        assert told.wait(60)

    at(olt, "display ont optical-info", "arrived", meanwhile)
    process = piped(*words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert begun.wait(60)
        sent = len(olt.commands)
        ran = cli(*words)
        assert (ran.code, ran.json["error"]["class"], ran.json["error"]["retryable"]) == (8, "RequestConflict", True)
        assert len(olt.commands) == sent
    finally:
        told.set()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["clean"]) == (0, True)
    assert cli(*words).json["repeated"] is True


def test_an_activation_is_made_once_under_an_id(cli: Run, olt: EmulatedOlt) -> None:
    words = ("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--request-id", "job-4", "--json")
    first = cli(*words)
    added = [line for line in olt.commands if line.startswith("ont add")]
    again = cli(*words)
    assert (first.code, again.code, again.json["run_id"]) == (0, 0, first.json["run_id"])
    assert [line for line in olt.commands if line.startswith("ont add")] == added
    assert "answered before" in flat(cli(*words[:-1]).err)
    assert cli("revoke", "ma5683t", first.json["run_id"]).code == 0


@pytest.mark.parametrize("request_id", ["", "x" * 201, "a\nb"])
def test_an_id_that_cannot_be_kept_is_2(cli: Run, olt: EmulatedOlt, request_id: str) -> None:
    ran = cli(*measure(), "--request-id", request_id)
    assert (ran.code, "--request-id" in ran.err, olt.commands) == (2, True, [])


# ---------------------------------------------------------------------- dry runs


def test_an_activation_can_be_tried(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--dry-run", "--json")
    assert (ran.code, changes(olt)) == (0, [])
    assert any(line["line"].startswith("ont add") for line in ran.json["lines"])


def test_a_removal_can_be_looked_at_without_asking_anybody(
    cli: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PONPROBE_REMOVAL_WAIT_S", "0.1")
    kept = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--json").json
    sent = len(olt.commands)
    ran = cli("revoke", "ma5683t", kept["run_id"], "--dry-run", "--json")
    (found,) = ran.json["runs"]
    assert (ran.code, found["onu"], found["serial"], found["state"]) == (0, "0/1/0:2", GOOD, "kept")
    assert found["undo"][0].startswith("undo service-port")
    assert found["undo"][-1].startswith("ont delete")
    assert cli("recover", "--dry-run", "--json").json["runs"] == [], "what is kept on purpose is not recovered"
    assert len(olt.commands) == sent
    assert cli("revoke", "ma5683t", kept["run_id"]).code == 0

    def cut(_number: int, line: str, when: str) -> None:
        if line.startswith(("undo service-port", "ont delete")) and when == "arrived":
            raise ConnectionAbortedError

    olt.faults.on_command = cut
    assert cli(*measure()).code == 7
    sent = len(olt.commands)
    shown = cli("recover", "--dry-run")
    assert (shown.code, "ont delete" in shown.err, len(olt.commands)) == (0, True, sent)
    olt.faults.on_command = None
    assert cli("recover").code == 0
    assert "nothing to take away" in cli("recover", "--dry-run").err


# ---------------------------------------------------------------------- one end, always


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("facts", "nobody"), 2),
        (("facts", "ma5683t", "--platform", "abacus"), 2),
        (("facts",), 2),
        (("facts", "ma5683t", "--config", "gone.toml"), 2),
        (("facts", "ma5683t", "--transcript", "no/where"), 2),
        (("facts", "ma5683t", "--timeout", "0"), 2),
        (("facts", "ma5683t", "--password", "env:NOWHERE"), 2),
        (("facts", "ma5683t", "--port", "1"), 5),
        (("optics", "ma5683t", "0/9/9"), 5),
        (("revoke", "ma5683t", "no-such-run"), 2),
        (("project", "activate", "P", "--onu", GOOD), 2),
        (("project", "revoke", "P", "--actor", "a", "--role", "builder"), 2),
        (("project", "resume"), 0),
        (("batch", "gone.csv"), 2),
        (("recover",), 0),
    ],
)
def test_the_stream_has_one_end(cli: Run, words: tuple[str, ...], code: int) -> None:
    ran = cli(*words, "--events")
    assert ran.code == code, ran.err
    names = [event["event"] for event in ran.events]
    assert (names.count("finished"), names[-1]) == (1, "finished")
    assert [event["seq"] for event in ran.events] == list(range(1, len(names) + 1))
    last = ran.events[-1]
    assert (last["schema"], last["data"]["exit_code"]) == (1, code)
    assert (last["error"] is None) == (code == 0)


def test_a_bug_in_the_middle_has_its_end_too(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Olt) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Olt, "facts", broken)
    ran = cli("facts", "ma5683t", "--events")
    assert (ran.code, ran.events[-1]["event"], ran.events[-1]["error"]["class"]) == (1, "finished", "ZeroDivisionError")
