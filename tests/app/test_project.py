"""``ponprobe project`` against emulated OLTs of both vendors: the whole flow by commands, refusals, files, signals."""

from __future__ import annotations

import concurrent.futures
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ponprobe import emulator
from ponprobe.app import team
from ponprobe.app.desk import Desk
from ponprobe.app.options import Output
from ponprobe.app.outcome import Interrupted
from ponprobe.app.project_options import Room
from ponprobe.app.project_work import Crew, of_item
from ponprobe.connect import journal_at
from ponprobe.emulator import EmulatedOlt, Lab, Scenario
from ponprobe.models.engineering import ROW_HEADERS, ActivationState, Failure, OltRecord, SplitterKey
from ponprobe.models.run import RunEvent
from ponprobe.reports import verify_package
from ponprobe.workflow.outcomes import ItemOutcome

from .conftest import CANARIES, Ran, Run, changes

openpyxl = pytest.importorskip("openpyxl")

P = "XM-2016-001"
GOOD, WEAK, ZTE = "锦绣花园 1 号楼/FAT-01-1", "FAT-01-2", "ODP-1-1"
SERIALS = {GOOD: "HWTC0B086EA9", WEAK: "HWTC0B086EB0", ZTE: "ZTEG0B000EA9"}
BUILDER = ("--actor", "施工甲", "--role", "builder")
ENGINEER = ("--actor", "验收乙", "--role", "acceptance_engineer")
REVIEWER = ("--actor", "资管丙", "--role", "resource_admin")
HEADER = (
    "OLT名称", "OLT管理IP", "OLT平台", "PON口", "SVLAN", "线路模板", "业务模板", "ONU类型", "TCONT模板",
    "分光器名称", "分光器端口号", "分光比",
)  # fmt: skip
ROWS: tuple[tuple[Any, ...], ...] = (
    ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/0", 2000, "20", "20", None, None, GOOD, 3, "1:8"),
    ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/0", 2000, "20", "20", None, None, WEAK, 1, "1:8"),
    ("c320", "127.0.0.1", "zte_zxan", "1/1/1", 2000, None, None, "TEST-1GE", "TEST-100M", ZTE, 1, "1:8"),
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Two vendors' OLTs with ONUs that range at once and secrets that must appear nowhere."""
    scenario = emulator.builtin_scenario("demo_huawei")
    scenario.olts += emulator.builtin_scenario("demo_zte").olts
    scenario.olts = [spec for spec in scenario.olts if spec.name in {"ma5683t", "c320"}]
    for spec in scenario.olts:
        spec.online_after_s = 0.0
        spec.password = CANARIES["LAB_PASSWORD"]
        spec.enable_password = None
    return scenario


@pytest.fixture
def olt(lab: Lab) -> EmulatedOlt:
    return lab.olts["ma5683t"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience than with a device."""
    for name, value in {
        "ONLINE_TIMEOUT_S": "0.3",
        "SAMPLES": "2",
        "REMOVAL_WAIT_S": "2",
        "SESSION_WAIT_S": "5",
    }.items():
        monkeypatch.setenv(f"PONPROBE_{name}", value)


@pytest.fixture
def cli(cli: Run, quick: None) -> Run:
    """The command as everywhere, with the check that no secret is ever shown."""

    def ran(*words: str) -> Ran:
        found = cli(*words)
        assert not [name for name, value in CANARIES.items() if value in found.out + found.err]
        return found

    return ran


def sheet(path: Path, rows: tuple[tuple[Any, ...], ...] = ROWS, header: tuple[str, ...] = HEADER) -> str:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "POS"
    for row in (header, *rows):
        page.append(row)
    book.save(path)
    book.close()
    return str(path)


def ranges(path: Path, *rows: str, header: str = "CVLAN范围") -> str:
    path.write_text("\n".join((header, *(rows or ("3001-3002",)))) + "\n", "utf-8")
    return str(path)


def imported(cli: Run, home: Path, *more: str) -> Ran:
    ran = cli(
        "project", "import", sheet(home / "pos.xlsx"), "--project", P, "--name", "锦绣花园二期",
        "--cvlan-file", ranges(home / "cvlan.csv"), *BUILDER, *more,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return ran


def photo(home: Path, name: str) -> str:
    path = home / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + name.encode())
    return str(path)


def by_name(*names: str) -> list[str]:
    return [word for name in names for word in ("--onu", f"{name}={SERIALS[name]}")]


def activated(cli: Run, *names: str) -> Ran:
    ran = cli("project", "activate", P, *by_name(*names), *ENGINEER, "--json")
    assert ran.code == 0, ran.out
    return ran


def states(cli: Run) -> dict[str, str]:
    return {each["splitter"][2]: each["state"] for each in cli("project", "status", P, "--json").json["splitters"]}


def flat(text: str) -> str:
    return " ".join(text.split())


def snapshots(lab: Lab) -> dict[str, Any]:
    return {name: olt.snapshot() for name, olt in lab.olts.items()}


def dialled(cli: Run, *names: str) -> None:
    for name in names:
        assert cli("project", "service-test", P, name, "--dial-ok", "--reach-ok", *ENGINEER).code == 0


def photographed(cli: Run, home: Path, *names: str) -> None:
    for number, name in enumerate(names):
        files = ("--position", photo(home, f"p{number}.png"), "--result", photo(home, f"r{number}.png"))
        assert cli("project", "evidence", P, name, *files, *ENGINEER).code == 0


# ---------------------------------------------------------------------- the whole flow


def test_a_project_goes_the_whole_way_by_commands_alone(cli: Run, home: Path, lab: Lab) -> None:
    before = snapshots(lab)
    rows = tuple(row for row in ROWS if row[9] != WEAK)
    words = ("--project", P, "--cvlan-file", ranges(home / "cvlan.csv"), *BUILDER)
    ran = cli("project", "import", sheet(home / "pos.xlsx", rows), *words, "--json")
    assert (ran.code, ran.json["stored"], len(ran.json["recorded"]["added"])) == (0, True, 2)
    assert cli("project", "status", P, "--json").json["stage"] == "engineering"

    ran = activated(cli, GOOD, ZTE)
    assert [(item["state"], item["exit_code"]) for item in ran.json["items"]] == [("activated", 0)] * 2
    assert snapshots(lab) != before
    ran = cli("project", "list", P, "--json")
    assert [tuple(row) for row in ran.json["rows"]] == [ROW_HEADERS] * 2
    assert list(ran.json["rows"][0].values()) == [
        "127.0.0.1", "0/1/0", GOOD, 3, ran.json["items"][0]["onu_name"],
        2000, 3001, SERIALS[GOOD], "激活成功", "未完成",
    ]  # fmt: skip

    ran = cli("project", "test", P, *ENGINEER, "--json")
    assert (ran.code, [item["line"] for item in ran.json["items"]]) == (0, ["pass", "pass"])
    assert all(item["powers"]["onu_rx_dbm"] > -20 for item in ran.json["items"])
    ran = cli(
        "project", "service-test", P, GOOD, "--dial-ok", "--down", "98.2", "--up", "19.7", "--account", "test01",
        "--corroborate", *ENGINEER, "--json",
    )  # fmt: skip
    assert (ran.code, ran.json["service_test"]["passed"]) == (0, True)
    assert ran.json["service_test"]["macs_learnt"] == ["00:e0:fc:12:34:56"]
    dialled(cli, ZTE)
    photographed(cli, home, GOOD, ZTE)
    assert [row["端口挂测状态"] for row in cli("project", "list", P, "--json").json["rows"]] == ["已完成", "已完成"]

    ran = cli("project", "revoke", P, "--select", ZTE, *ENGINEER, "--json")
    assert (ran.code, [item["exported"] for item in ran.json["items"]]) == (0, ["已撤销激活"])
    assert cli("project", "status", P, "--json").json["live"] == 1
    # the acceptance revokes what is still live, as the specification has it
    ran = cli("project", "accept", P, *ENGINEER, "--json")
    assert (ran.code, ran.json["stage"], ran.json["clean"]) == (0, "review", True)
    assert snapshots(lab) == before
    ran = cli("project", "review", P, "--pass", *REVIEWER, "--json")
    assert (ran.code, ran.json["decision"]["actor"]["name"]) == (0, "资管丙")
    report = home / "report.xlsx"
    report.write_bytes(b"report")
    ran = cli("project", "push", P, "--report", str(report), "--to", str(home / "out.jsonl"), *REVIEWER, "--json")
    assert (ran.code, ran.json["arrived"]) == (0, True)
    (line,) = (home / "out.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert (told["event_id"], told["payload"]["passed"]) == (ran.json["message"]["event_id"], 2)
    assert told["payload"]["report"]["bytes"] == 6
    ran = cli("project", "status", P, "--json")
    assert (ran.json["stage_label"], ran.json["hang_test"]["required"], ran.json["reasons"]) == ("入库", True, [])
    listed = cli("project", "list", "--json").json["projects"]
    assert [(each["project"]["id"], each["stage"], each["passed"]) for each in listed] == [(P, "pushed", 2)]
    names = [each["name"] for each in cli("project", "events", P, "--json").json["events"]]
    order = ["project.added", "activation.activated", "line.tested", "service.tested", "evidence.added",
             "activation.revoked", "decision.acceptance", "decision.review", "project.pushed"]  # fmt: skip
    assert [names.index(name) for name in order] == sorted(names.index(name) for name in order)


def test_measure_tests_and_revokes_at_once(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    before = snapshots(lab)
    ran = cli("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER, "--json")
    assert [(item["splitter"][2], item["line"], item["exit_code"]) for item in ran.json["items"]] == [
        (GOOD, "pass", 0), (WEAK, "fail", 3), (ZTE, "pass", 0),
    ]  # fmt: skip
    assert (ran.code, ran.json["items"][1]["fault"]) == (3, "site")
    assert snapshots(lab) == before
    shown = cli("project", "show", P, WEAK)
    assert "不达标" in shown.err
    assert "现场整改" in shown.err
    found = cli("project", "show", P, WEAK, "--json").json
    assert [each["verdict"]["outcome"] for each in found["rounds"]] == ["fail"]
    assert found["rounds"][0]["actor"]["name"] == "验收乙"


def test_a_failed_test_is_revoked_or_kept_for_a_re_test(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    before = snapshots(lab)
    activated(cli, WEAK)
    ran = cli("project", "test", P, "--keep-failed", "2", *ENGINEER, "--json")
    assert (ran.code, ran.json["items"][0]["state"]) == (3, "activated")
    ran = cli("project", "test", P, "--stage", "user_side", *ENGINEER, "--json")
    assert (ran.code, ran.json["items"][0]["round"]) == (0, 2)
    assert cli("project", "revoke", P, *ENGINEER).code == 0
    assert snapshots(lab) == before
    activated(cli, WEAK)
    ran = cli("project", "test", P, *ENGINEER, "--json")
    assert (ran.code, ran.json["items"][0]["state"], ran.json["items"][0]["round"]) == (3, "revoked", 3)
    assert snapshots(lab) == before


def test_a_re_test_that_fails_again_is_a_round_of_its_own(cli: Run, home: Path) -> None:
    imported(cli, home)
    activated(cli, WEAK)
    assert cli("project", "test", P, "--keep-failed", "2", *ENGINEER).code == 3
    ran = cli("project", "test", P, *ENGINEER, "--json")
    assert (ran.code, ran.json["items"][0]["round"]) == (3, 2)


# ---------------------------------------------------------------------- refusals


def test_an_acceptance_too_early_tells_every_reason(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    activated(cli, GOOD)
    cli("project", "test", P, *ENGINEER)
    before = snapshots(lab)
    ran = cli("project", "accept", P, *ENGINEER, "--json")
    assert (ran.code, ran.json["error"]["class"], ran.json["exit_code"]) == (8, "NotReady", 8)
    reasons = ran.json["error"]["reasons"]
    assert len(reasons) == 2 + 3 + 3
    assert f"{GOOD} on ma5683t 0/1/0: there is no service test" in reasons
    assert f"{WEAK} on ma5683t 0/1/0: the line has not been tested" in reasons
    shown = flat(cli("project", "accept", P, *ENGINEER).err)
    assert all(reason in shown for reason in reasons)
    assert snapshots(lab) == before
    assert cli("project", "push", P, *REVIEWER).code == 8


def test_the_second_review_is_another_persons(cli: Run, home: Path) -> None:
    row = ROWS[0]
    path = sheet(home / "one.xlsx", (row,))
    assert cli("project", "import", path, "--project", P, "--cvlan-file", ranges(home / "c.csv"), *BUILDER).code == 0
    activated(cli, GOOD)
    cli("project", "test", P, *ENGINEER)
    dialled(cli, GOOD)
    photographed(cli, home, GOOD)
    early = cli("project", "review", P, "--pass", *REVIEWER)
    assert early.code == 8
    assert cli("project", "accept", P, *ENGINEER).code == 0
    ran = cli("project", "review", P, "--pass", *ENGINEER, "--json")
    assert (ran.code, "another person" in ran.json["error"]["message"]) == (8, True)
    ran = cli("project", "review", P, "--reject", "data", "--select", GOOD, "--comment", "错端口", *REVIEWER, "--json")
    assert (ran.code, ran.json["stage"], ran.json["decision"]["fault"]) == (0, "engineering", "data")
    now = cli("project", "status", P)
    assert "资源修改" in now.err
    assert cli("project", "accept", P, *ENGINEER).code == 8


def test_the_report_is_written_in_every_format(cli: Run, home: Path) -> None:
    imported(cli, home)
    activated(cli, GOOD)
    cli("project", "test", P, *ENGINEER)
    photographed(cli, home, GOOD)
    names = ["r.xlsx", "r.html", "r.json", "r.csv", "r.zip"]
    ran = cli("project", "report", P, *(word for name in names for word in ("-o", name)), "--json")
    assert (ran.code, ran.json["files"]) == (0, names)
    assert GOOD in (home / "r.html").read_text("utf-8")
    assert "-20" in (home / "r.html").read_text("utf-8")
    manifest = verify_package(home / "r.zip")
    assert any(each.kind == "position" for each in manifest.files)
    for wrong, told in (("r.pdf", "--output: r.pdf names no format"), ("no/r.csv", "--output: there is no directory")):
        ran = cli("project", "report", P, "-o", wrong)
        assert (ran.code, told in flat(ran.err)) == (2, True)
    assert cli("project", "report", "NOT-THERE", "-o", "x.csv").code == 2


def test_what_was_put_right_is_tested_anew(cli: Run, home: Path) -> None:
    imported(cli, home)
    cli("project", "activate", P, *by_name(WEAK), "--measure", *ENGINEER)
    ran = cli("project", "rectified", P, "--select", WEAK, "--comment", "熔接点重做", *BUILDER, "--json")
    assert (ran.code, ran.json["rectified"]) == (0, [["ma5683t", "0/1/0", WEAK]])
    found = cli("project", "show", P, WEAK, "--json").json
    assert (len(found["rounds"]), found["status"]["line"], found["status"]["fault"]) == (1, None, None)
    assert cli("project", "rectified", P, *BUILDER).code == 2


def test_data_under_a_live_test_onu_are_not_changed(cli: Run, home: Path, olt: EmulatedOlt) -> None:
    imported(cli, home)
    activated(cli, GOOD)
    other = tuple((*row[:10], 5, row[11]) for row in ROWS)
    ran = cli("project", "import", sheet(home / "new.xlsx", other), "--project", P, *BUILDER, "--json")
    assert (ran.code, ran.json["error"]["class"]) == (8, "NotReady")
    assert "激活成功" in ran.json["error"]["reasons"][0]
    assert cli("project", "list", P, "--json").json["rows"][1]["分光器端口号"] == 1  # all of it or nothing
    assert cli("project", "revoke", P, *ENGINEER).code == 0
    assert cli("project", "import", str(home / "new.xlsx"), "--project", P, *BUILDER).code == 0
    assert cli("project", "list", P, "--json").json["rows"][1]["分光器端口号"] == 5


def test_a_test_onu_is_one_device_at_one_place(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    before = snapshots(lab)
    ran = cli("project", "activate", P, "--onu", SERIALS[GOOD], "--select", "ma5683t", *ENGINEER, "--json")
    assert (ran.code, [item["exit_code"] for item in ran.json["items"]]) == (8, [0, 8])
    assert ran.json["items"][1]["failure"]["error_class"] == "LeaseConflict"
    again = cli("project", "activate", P, *by_name(GOOD), *ENGINEER, "--json")
    assert (again.code, again.json["items"][0]["failure"]["error_class"]) == (8, "IllegalTransition")
    assert cli("project", "revoke", P, *ENGINEER).code == 0
    twice = cli("project", "revoke", P, "--select", GOOD, *ENGINEER, "--json")
    assert (twice.code, twice.json["items"][0]["already"]) == (0, True)
    never = cli("project", "revoke", P, "--select", ZTE, *ENGINEER, "--json")
    assert never.code == 8
    assert snapshots(lab) == before


def test_an_olt_that_is_away_stops_no_other(cli: Run, home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(cli, home)
    monkeypatch.setenv("PONPROBE_LAB_C320", "wrong")
    ran = cli("project", "activate", P, *by_name(GOOD, ZTE), "--measure", *ENGINEER, "--json")
    assert (ran.code, [item["exit_code"] for item in ran.json["items"]]) == (5, [0, 5])
    assert ran.json["items"][1]["failure"]["error_class"] == "AuthError"
    assert states(cli) == {GOOD: "revoked", WEAK: "not_activated", ZTE: "activation_failed"}
    monkeypatch.delenv("PONPROBE_LAB_C320")
    ran = cli("project", "activate", P, *by_name(GOOD, ZTE), *ENGINEER)
    # a secret that is missing is known before anything is sent
    assert (ran.code, "PONPROBE_LAB_C320" in ran.err) == (2, True)
    assert states(cli)[GOOD] == "revoked"


def test_residue_is_7_and_resume_ends_it(cli: Run, home: Path, lab: Lab, olt: EmulatedOlt) -> None:
    imported(cli, home)
    before = snapshots(lab)
    activated(cli, GOOD)

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "arrived" and line.startswith(("undo service-port", "ont delete")):
            raise ConnectionAbortedError

    olt.faults.on_command = on_command
    ran = cli("project", "revoke", P, *ENGINEER)
    assert ran.code == 7
    assert f"ponprobe project resume {P}" in flat(ran.err)
    (item,) = [each for each in cli("project", "list", P, "--json").json["items"] if each["splitter"] == GOOD]
    assert (item["flag"] is not None, cli("project", "accept", P, *ENGINEER).code) == (True, 7)
    olt.faults.on_command = None
    ran = cli("project", "resume", P, "--json")
    assert (ran.code, [each["state"] for each in ran.json["items"]]) == (0, ["revoked"])
    assert snapshots(lab) == before
    assert cli("project", "resume", "--json").json["items"] == []


# ---------------------------------------------------------------------- signals


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Send a signal to this process, and go on when the command has heard it: a device answers no sooner."""
    heard = threading.Event()

    def wait(futures: Any) -> None:
        heard.set()
        concurrent.futures.wait(futures)

    monkeypatch.setattr(team, "wait", wait)

    def send(number: int) -> None:
        os.kill(os.getpid(), number)
        assert heard.wait(20)

    return send


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["ont add", "service-port", "display ont optical-info", "undo service-port"])
def test_a_signal_takes_away_what_was_under_way(
    cli: Run, home: Path, lab: Lab, olt: EmulatedOlt, stop: Callable[[int], None], *, number: int, code: int, where: str
) -> None:
    imported(cli, home)
    before = snapshots(lab)
    sent: list[str] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith(where) and not sent:
            sent.append(line)
            stop(number)

    olt.faults.on_command = on_command
    ran = cli("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER, "--json")
    assert sent
    assert (ran.code, ran.json["exit_code"], ran.json["error"]["class"]) == (code, code, "Interrupted")
    assert snapshots(lab) == before
    if where in {"ont add", "service-port"}:
        # it stopped there: the second one of this OLT has not been begun
        assert len([line for line in olt.commands if line.startswith("ont add")]) == 1
    assert not {"activating", "activated", "revoking", "unknown", "revoke_failed"} & set(states(cli).values())
    assert [run.state for run in journal_at(str(home / "state/ponprobe/journal.sqlite3")).unfinished()] == []
    # nothing is in the way of doing it again
    olt.faults.on_command = None
    again = cli("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER, "--json")
    assert [item["line"] for item in again.json["items"]] == ["pass", "fail", "pass"]


def test_a_signal_leaves_what_was_activated_on_purpose(
    cli: Run, home: Path, olt: EmulatedOlt, stop: Callable[[int], None]
) -> None:
    imported(cli, home)

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith("ont add") and SERIALS[WEAK][4:] in line:
            stop(signal.SIGINT)

    olt.faults.on_command = on_command
    ran = cli("project", "activate", P, *by_name(GOOD, WEAK), *ENGINEER)
    assert ran.code == 130
    assert "what had been activated stays" in flat(ran.err)
    assert "stopping" in ran.err
    assert states(cli) == {GOOD: "activated", WEAK: "activation_failed", ZTE: "not_activated"}


def test_an_acceptance_that_is_stopped_can_be_asked_for_again(
    cli: Run, home: Path, lab: Lab, olt: EmulatedOlt, stop: Callable[[int], None]
) -> None:
    words = ("--project", P, "--cvlan-file", ranges(home / "c.csv"), *BUILDER)
    assert cli("project", "import", sheet(home / "one.xlsx", ROWS[:1]), *words).code == 0
    before = snapshots(lab)
    activated(cli, GOOD)
    cli("project", "test", P, *ENGINEER)
    dialled(cli, GOOD)
    photographed(cli, home, GOOD)
    sent: list[str] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith("undo service-port") and not sent:
            sent.append(line)
            stop(signal.SIGTERM)

    olt.faults.on_command = on_command
    ran = cli("project", "accept", P, *ENGINEER, "--json")
    assert (ran.code, ran.json["error"]["class"]) == (143, "Interrupted")
    # the confirmation stands, the removal is settled, and nobody has accepted yet
    assert (states(cli), cli("project", "status", P, "--json").json["stage"]) == ({GOOD: "revoked"}, "revoke")
    assert snapshots(lab) == before
    assert cli("project", "accept", P, *ENGINEER, "--json").json["stage"] == "review"


def test_a_terminal_sees_what_is_going_on(cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(cli, home)
    for name, value in {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    ran = cli("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER)
    assert "measuring 3 splitters: " in ran.err
    assert "3 registered" in ran.err
    assert "\x1b[3" not in ran.err


# ---------------------------------------------------------------------- dry run, repetition


def test_the_dry_run_shows_what_is_sent(cli: Run, home: Path, lab: Lab, olt: EmulatedOlt) -> None:
    def unmarked(lines: list[str]) -> list[str]:
        return [re.sub(r"PONPROBE_[0-9a-f]{8}", "PONPROBE_mark", line) for line in lines]

    imported(cli, home)
    before = snapshots(lab)
    dry = cli("project", "activate", P, *by_name(GOOD, ZTE), "--dry-run", "--json")
    assert (dry.code, [each["splitter"][2] for each in dry.json["items"]]) == (0, [GOOD, ZTE])
    assert (snapshots(lab), changes(olt), set(states(cli).values())) == (before, [], {"not_activated"})
    assert cli("project", "activate", P, *by_name(GOOD, ZTE), "--measure", *ENGINEER).code == 0
    planned = [each["line"] for each in dry.json["items"][0]["plan"]["lines"] if each["purpose"] in {"write", "undo"}]
    assert unmarked(changes(olt)) == unmarked(planned)
    assert "ont add 0 2 sn-auth" in cli("project", "activate", P, *by_name(GOOD), "--dry-run").err


def test_a_request_id_is_asked_once(cli: Run, home: Path, lab: Lab, olt: EmulatedOlt) -> None:
    first = imported(cli, home, "--request-id", "r0", "--json").json
    assert imported(cli, home, "--request-id", "r0", "--json").json["recorded"] == first["recorded"]
    words = ("project", "activate", P, *by_name(GOOD), *ENGINEER, "--json", "--request-id")
    ran = cli(*words, "r1")
    sent = len(olt.commands)
    again = cli(*words, "r1")
    assert (ran.code, again.code, again.json["items"]) == (0, 0, ran.json["items"])
    assert len(olt.commands) == sent
    other = cli("project", "activate", P, *by_name(WEAK), *ENGINEER, "--json", "--request-id", "r1")
    assert (other.code, other.json["error"]["class"]) == (8, "RequestConflict")
    test = ("project", "test", P, *ENGINEER, "--json", "--request-id", "r2")
    assert cli(*test).json["items"] == cli(*test).json["items"]
    service = ("project", "service-test", P, GOOD, "--dial-ok", "--reach-ok", *ENGINEER, "--request-id", "r3")
    assert cli(*service).code == 2
    at = ("--started-at", "2016-08-01T10:00+08:00")
    assert [cli(*service, *at).code for _ in range(2)] == [0, 0]
    added = ("project", "evidence", P, GOOD, "--result", photo(home, "a.png"), *ENGINEER, "--request-id", "r4")
    assert [cli(*added).code for _ in range(2)] == [0, 0]
    found = cli("project", "show", P, GOOD, "--json").json
    assert [len(found[name]) for name in ("rounds", "service_tests", "evidence")] == [1, 1, 1]
    other = cli("project", "evidence", P, GOOD, "--result", photo(home, "b.png"), *ENGINEER, "--request-id", "r4")
    assert other.code == 8
    last = [each["request_id"] for each in cli("project", "events", P, "--json").json["events"]]
    assert {"r0", "r1", "r2", "r3", "r4 1"} <= set(last)


# ---------------------------------------------------------------------- files


BAD = (
    ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/0", 2000, "20", "20", None, None, GOOD, 3, "1:8"),
    ("ma5683t", "127.0.0.1", "huawei_smartax", "abc", 2000, "20", "20", None, None, "坏口", 1, "1:8"),
    ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/2", 4095, "20", "20", None, None, "坏标签", 1, "1:8"),
    ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/3", None, "20", "20", None, None, "无标签", 99, "1:8"),
)


def test_a_bad_file_is_told_cell_by_cell_and_nothing_is_stored(cli: Run, home: Path) -> None:
    path, cvlans = sheet(home / "bad.xlsx", BAD), ranges(home / "c.csv", "3001-3002", "3002-3005", "5000")
    words = ("project", "import", path, "--project", P, "--cvlan-file", cvlans, *BUILDER)
    ran = cli(*words, "--json")
    assert (ran.code, ran.json["stored"]) == (2, False)
    places = [
        (each["file"], each["sheet"], each["row"], each["column"], each["value"]) for each in ran.json["problems"]
    ]
    assert ("bad.xlsx", "POS", 3, "D", "abc") in places
    assert ("bad.xlsx", "POS", 4, "E", "4095") in places
    assert [(file, row) for file, _, row, _, _ in places if file == "c.csv"] == [("c.csv", 4), ("c.csv", 3)]
    assert cli("project", "list", "--json").json["projects"] == []
    shown = flat(cli(*words).err)
    assert all(text in shown for text in ("bad.xlsx", "POS", "abc", "4095", "5000", "nothing was stored"))

    ran = cli(*words, "--partial", "--json")
    assert (ran.code, ran.json["stored"]) == (4, True)
    assert [key[2] for key in ran.json["recorded"]["added"]] == [GOOD]
    assert {each["row"] for each in ran.json["problems"] if each["file"] == "bad.xlsx"} == {3, 4, 5}
    assert ran.json["pools"][0]["ranges"] == [[3001, 3002]]
    assert list(states(cli)) == [GOOD]


def test_a_splitter_without_an_svlan_is_a_problem_of_its_row(cli: Run, home: Path) -> None:
    header = ("OLT名称", "OLT管理IP", "PON口", "分光器名称")
    path = sheet(home / "no.xlsx", (("ma5683t", "127.0.0.1", "0/1/0", GOOD),), header)
    ran = cli("project", "import", path, "--project", P, *BUILDER, "--json")
    assert (ran.code, len(ran.json["problems"])) == (2, 1)
    assert (ran.json["problems"][0]["row"], "no SVLAN" in ran.json["problems"][0]["message"]) == (2, True)
    imported(cli, home)
    assert cli("project", "import", path, "--project", P, *BUILDER).code != 2  # the port is known by now


def test_an_import_can_be_tried(cli: Run, home: Path) -> None:
    words = ("project", "import", sheet(home / "pos.xlsx"), "--project", P, "--dry-run", "--json")
    ran = cli(*words)
    assert (ran.code, ran.json["stored"], len(ran.json["recorded"]["added"])) == (0, False, 3)
    assert cli("project", "list", "--json").json["projects"] == []
    imported(cli, home)
    again = cli(*words).json["recorded"]
    assert (again["added"], again["changed"], again["unchanged"]) == ([], [], 3)


def test_columns_can_be_mapped(cli: Run, home: Path) -> None:
    header = tuple("位置" if name == "PON口" else "名字" if name == "分光器名称" else name for name in HEADER)
    path = sheet(home / "odd.xlsx", ROWS, header)
    words = ("project", "import", path, "--project", P, *BUILDER, "--json")
    none = cli(*words)
    assert (none.code, none.json["recorded"]["added"], "位置" in none.json["notes"][0]) == (0, [], True)
    ran = cli(*words, "--map", "位置=port", "--map", "J=splitter")
    assert (ran.code, len(ran.json["recorded"]["added"])) == (0, 3)
    ran = cli(*words, "--map", "位置=house", "--map", "C")
    assert (ran.code, "there is no field 'house'" in ran.json["error"]["message"]) == (2, True)
    assert "no COL=FIELD" in ran.json["error"]["message"]


def test_ranges_for_different_olts_are_drawn_from_there(cli: Run, home: Path) -> None:
    path = ranges(home / "c.csv", "ma5683t,4000-4001", "127.0.0.9,3001", "c320,3001-3005", header="OLT名称,CVLAN范围")
    words = ("project", "import", sheet(home / "pos.xlsx"), "--project", P, "--cvlan-file", path, *BUILDER, "--json")
    ran = cli(*words)
    assert ran.code == 2
    assert [(each["row"], each["value"]) for each in ran.json["problems"]] == [(3, "127.0.0.9")]
    ran = cli(*words, "--partial")
    assert [(each["olt"], each["ranges"]) for each in ran.json["pools"]] == [
        ("ma5683t", [[4000, 4001]]),
        ("c320", [[3001, 3005]]),
    ]
    ran = cli("project", "activate", P, *by_name(ZTE), "--measure", *ENGINEER, "--json")
    assert (ran.code, ran.json["items"][0]["vlans"]["cvlan"]) == (0, 3001)
    ran = cli("project", "activate", P, *by_name(ZTE), "--pool", "nobody's", *ENGINEER)
    assert (ran.code, "there is no CVLAN pool" in flat(ran.err)) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere.xlsx", "--project", P), "nowhere.xlsx"),
        (("pos.xlsx",), "--project: name the project"),
        (("pos.xlsx", "--project", "a b"), "--project"),
        (("pos.xlsx", "--project", P, "--no-hang-test"), "hang_test_reason"),
        (("pos.xlsx", "--project", P, "--time-zone", "Mars/Base"), "--time-zone"),
        (("pos.xlsx", "--project", P, "--scope", "city"), "--scope"),
        (("broken.xlsx", "--project", P), "broken"),
    ],
)
def test_an_import_that_cannot_be_meant_is_2(cli: Run, home: Path, words: tuple[str, ...], told: str) -> None:
    sheet(home / "pos.xlsx")
    (home / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    ran = cli("project", "import", *words, *BUILDER, "--json")
    assert (ran.code, ran.json["error"]["class"] in {"WrongInput", "ConfigError"}) == (2, True)
    assert told in f"{ran.json['error']['message']} {ran.json['error']['hint']}"


def test_a_project_that_is_not_tested_says_why(cli: Run, home: Path) -> None:
    why = ("--no-hang-test", "--reason", "零星地址")
    ran = cli("project", "import", sheet(home / "pos.xlsx"), "--project", P, *why, *BUILDER)
    assert ran.code == 0
    now = cli("project", "status", P, "--json").json
    assert (now["hang_test"]["required"], now["hang_test"]["reason"], now["to_test"]) == (False, "零星地址", 0)
    assert cli("project", "accept", P, *ENGINEER).code == 0


# ---------------------------------------------------------------------- who, which, where


def test_every_change_has_an_author(cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(cli, home)
    for words in (("activate", P, "--onu", SERIALS[GOOD]), ("test", P), ("revoke", P), ("accept", P), ("push", P)):
        ran = cli("project", *words)
        assert ran.code == 2
        assert all(text in flat(ran.err) for text in ("--actor:", "--role:"))
    monkeypatch.setenv("PONPROBE_ACTOR", "环境甲")
    monkeypatch.setenv("PONPROBE_ROLE", "city_inspector")
    assert cli("project", "activate", P, *by_name(GOOD), "--measure").code == 0
    found = cli("project", "show", P, GOOD, "--json").json
    assert found["rounds"][0]["actor"] == {"name": "环境甲", "role": "city_inspector"}
    assert cli("project", "test", P, "--role", "No Role").code == 2


def test_actor_role_store_and_evidence_may_stand_in_the_file(
    cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option goes over the environment, which goes over the file; ``config show`` says which it was."""
    lines = {"actor": "文件甲", "role": "builder", "store": "team/store.sqlite3", "evidence": "photos"}
    settings = "[settings]\n" + "".join(f'{name} = "{value}"\n' for name, value in lines.items())
    file = home / "ponprobe.toml"
    file.write_text(settings + file.read_text("utf-8"), "utf-8")
    words = ("--project", P, "--cvlan-file", ranges(home / "c.csv"))
    assert cli("project", "import", sheet(home / "pos.xlsx"), *words).code == 0
    assert (home / "team" / "store.sqlite3").exists()
    assert {each["actor"]["name"] for each in cli("project", "events", P, "--json").json["events"]} == {"文件甲"}
    photo_of = cli("project", "evidence", P, GOOD, "--result", photo(home, "a.png"), "--json").json
    assert Path(photo_of["folder"]).resolve() == (home / "photos").resolve()
    monkeypatch.setenv("PONPROBE_ACTOR", "环境乙")
    monkeypatch.setenv("PONPROBE_EVIDENCE", str(home / "elsewhere"))
    shown = cli("config", "show", "--json").json["settings"]
    assert shown["actor"] == {"value": "环境乙", "origin": "environment PONPROBE_ACTOR"}
    assert shown["evidence"]["origin"] == "environment PONPROBE_EVIDENCE"
    assert shown["role"]["value"] == "builder"
    assert shown["role"]["origin"].endswith("ponprobe.toml")
    assert shown["store"]["origin"].endswith("ponprobe.toml")
    cli("project", "rectified", P, "--select", GOOD)
    cli("project", "rectified", P, "--select", GOOD, "--actor", "选项丙")
    names = [each["actor"]["name"] for each in cli("project", "events", P, "--json").json["events"]]
    assert names[-2:] == ["环境乙", "选项丙"]
    monkeypatch.setenv("PONPROBE_ACTOR", "")
    monkeypatch.setenv("PONPROBE_STORE", "postgresql://probe:Canary-db@db/ponprobe")
    shown = cli("config", "show", "--json")
    assert shown.json["settings"]["actor"]["value"] is None
    assert "Canary-db" not in shown.out + cli("config", "show").err


def test_the_stream_of_a_project_command_has_one_end(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    before = snapshots(lab)
    words = ("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER, "--request-id", "r9")
    ran = cli(*words, "--events", "--transcript", "t.jsonl")
    names = [event["event"] for event in ran.events]
    assert [event["seq"] for event in ran.events] == list(range(1, len(names) + 1))
    assert (names.count("finished"), names[-1], names.count("connected")) == (1, "finished", 2)
    assert {"planned", "activated", "sample", "verdict", "revoked", "residue_checked"} <= set(names)
    assert {event["request_id"] for event in ran.events} == {"r9"}
    last = ran.events[-1]
    assert (ran.code, last["data"]["exit_code"], len(last["data"]["result"]["items"])) == (3, 3, 3)
    assert "ont add" in (home / "t.jsonl").read_text("utf-8")
    again = cli(*words, "--events")
    assert [event["event"] for event in again.events] == ["finished"]
    assert again.events[-1]["data"]["result"]["items"] == last["data"]["result"]["items"]
    refused = cli("project", "accept", P, *ENGINEER, "--events")
    assert (refused.code, refused.events[-1]["error"]["class"]) == (8, "NotReady")
    assert snapshots(lab) == before


@pytest.mark.parametrize("where", ["ont add", "display ont optical-info"])
def test_a_project_command_has_a_deadline(
    cli: Run, home: Path, lab: Lab, olt: EmulatedOlt, stop: Callable[[int], None], *, where: str
) -> None:
    imported(cli, home)
    before = snapshots(lab)
    sent: list[str] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith(where) and not sent:
            sent.append(line)
            stop(signal.SIGALRM)

    olt.faults.on_command = on_command
    words = ("project", "activate", P, *by_name(*SERIALS), "--measure", *ENGINEER, "--json")
    ran = cli(*words, "--timeout", "3600")
    assert sent
    assert (ran.code, ran.json["error"]["class"], ran.json["error"]["after_change"]) == (6, "TimedOut", "rolled_back")
    assert snapshots(lab) == before
    olt.faults.on_command = None
    assert [item["line"] for item in cli(*words).json["items"]] == ["pass", "fail", "pass"]


def test_a_revocation_can_be_looked_at(cli: Run, home: Path, olt: EmulatedOlt) -> None:
    imported(cli, home)
    activated(cli, GOOD, ZTE)
    sent = len(olt.commands)
    ran = cli("project", "revoke", P, "--dry-run", "--json")
    # which ONU-ID was free depends on the tests before: they share the OLTs
    assert (ran.code, [(run["olt"], run["onu"].partition(":")[0]) for run in ran.json["runs"]]) == (
        0, [("ma5683t", "0/1/0"), ("c320", "1/1/1")],
    )  # fmt: skip
    assert cli("project", "revoke", P, "--select", ZTE, "--dry-run", "--json").json["runs"][0]["undo"]
    assert cli("project", "revoke", P, "--expired", "--dry-run", "--json").json["runs"] == []
    assert len(olt.commands) == sent
    assert states(cli)[GOOD] == "activated"
    assert cli("project", "revoke", P, *ENGINEER).code == 0
    assert "nothing to take away" in cli("project", "revoke", P, "--dry-run").err


def test_a_project_that_does_not_exist_is_no_success(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    for words in (("revoke",), ("test",), ("activate", "--onu", SERIALS[GOOD]), ("accept",), ("resume",)):
        ran = cli("project", words[0], "XM-2106-001", *words[1:], *(() if words == ("resume",) else ENGINEER))
        assert (ran.code, "XM-2106-001" in ran.err) == (2, True), words


def test_what_a_failed_command_leaves_is_settled_by_resume(
    cli: Run, home: Path, lab: Lab, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal alone is not enough: the process has to learn of it, too."""
    imported(cli, home)
    before = snapshots(lab)

    def broken(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("oops")

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "arrived" and line.startswith(("undo service-port", "ont delete")):
            raise ConnectionAbortedError

    olt.faults.on_command = on_command
    store = ("--store", str(home / "state/ponprobe/journal.sqlite3"))
    with monkeypatch.context() as patch:
        patch.setattr("ponprobe.app.project_view.light_of", broken)
        ran = cli("project", "activate", P, *by_name(GOOD), "--measure", *ENGINEER, *store)
    assert ran.code == 7
    assert f"finish it with: ponprobe project resume {P} --store" in flat(ran.err)
    assert "ponprobe recover" not in flat(ran.err)
    olt.faults.on_command = None
    assert cli("project", "resume", P, *store).code == 0
    assert snapshots(lab) == before


def test_splitters_are_named_as_they_are_shown(cli: Run, home: Path) -> None:
    twin = ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/1", 2000, "20", "20", None, None, WEAK, 1, "1:8")
    sheet(home / "pos.xlsx", (*ROWS, twin))
    assert cli("project", "import", str(home / "pos.xlsx"), "--project", P, *BUILDER).code == 0

    def chosen(*texts: str) -> list[str]:
        words = [word for text in texts for word in ("--select", text)]
        rows = cli("project", "list", P, *words, "--json").json["rows"]
        return [f"{row['OLT PON口名称']} {row['分光器设备名称']}" for row in rows]

    assert chosen(GOOD) == [f"0/1/0 {GOOD}"]
    assert chosen(f"{WEAK} on ma5683t 0/1/1") == [f"0/1/1 {WEAK}"]
    assert chosen("ma5683t 0/1/0") == [f"0/1/0 {GOOD}", f"0/1/0 {WEAK}"]
    assert chosen("c320", GOOD) == [f"0/1/0 {GOOD}", f"1/1/1 {ZTE}"]
    ran = cli("project", "list", P, "--select", WEAK, "--select", "nobody", "--json")
    assert ran.code == 2
    assert "is the name of several" in ran.json["error"]["message"]
    assert "no splitter 'nobody'" in ran.json["error"]["message"]
    assert cli("project", "service-test", P, "ma5683t", "--dial-ok", *ENGINEER).code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--onu: name the test ONU"),
        (("--onu", "x"), "is not an ONU serial"),
        (("--onu", SERIALS[GOOD], "--onu", SERIALS[WEAK]), "as many --select"),
        (("--onu", f"{GOOD}={SERIALS[GOOD]}", "--onu", f"{GOOD}={SERIALS[WEAK]}"), "has a test ONU already"),
        (("--onu", f"nobody={SERIALS[GOOD]}", "--onu", f"{GOOD}=y"), "no splitter 'nobody'"),
        (("--onu", f"ma5683t={SERIALS[GOOD]}"), "'ma5683t' is 2 splitters, and one is meant"),
        (("--onu-password", "PlainSecret1"), "write env:NAME"),
        (("--onus", "plain.csv"), "write env:NAME"),
        (("--onus", "odd.csv"), "unknown columns 'colour'"),
        (("--onus", "gone.csv"), "cannot be read"),
        (("--onus", "good.csv", "--onu", SERIALS[GOOD]), "give one of the two"),
        (("--onu", SERIALS[GOOD], "--checkcode", "env:ONU_CHECKCODE"), "belongs to a LOID"),
        (("--onu", SERIALS[GOOD], "--hold", "0"), "--hold"),
    ],
)
def test_test_onus_that_cannot_be_meant_are_2(
    cli: Run, home: Path, olt: EmulatedOlt, words: tuple[str, ...], told: str
) -> None:
    imported(cli, home)
    (home / "plain.csv").write_text(f"splitter,loid\n{GOOD},PlainSecret1\n", "utf-8")
    (home / "odd.csv").write_text(f"splitter,colour\n{GOOD},red\n", "utf-8")
    (home / "good.csv").write_text(f"splitter,serial\n{GOOD},{SERIALS[GOOD]}\n", "utf-8")
    ran = cli("project", "activate", P, *words, *ENGINEER)
    assert (ran.code, olt.commands) == (2, [])
    assert told in flat(ran.err)
    assert "PlainSecret1" not in ran.err + ran.out


def test_test_onus_come_in_every_form(cli: Run, home: Path, lab: Lab) -> None:
    imported(cli, home)
    file = home / "onus.csv"
    file.write_text(
        f"splitter,olt,port,serial\n{GOOD},ma5683t,0/1/0,{SERIALS[GOOD]}\n{ZTE},,,{SERIALS[ZTE]}\n", "utf-8-sig"
    )
    forms = (
        ("--onus", str(file)),
        ("--select", GOOD, "--select", ZTE, "--onu", SERIALS[GOOD], "--onu", SERIALS[ZTE]),
    )
    for form in forms:
        ran = cli("project", "activate", P, *form, "--measure", *ENGINEER, "--json")
        assert (ran.code, [each["line"] for each in ran.json["items"]]) == (0, ["pass", "pass"])


def test_a_password_goes_to_the_device_and_nowhere_else(cli: Run, home: Path, olt: EmulatedOlt) -> None:
    row = ("ma5683t", "127.0.0.1", "huawei_smartax", "0/1/0", 2000, "20", "20", None, None, GOOD, 1, "1:8")
    assert cli(
        "project", "import", sheet(home / "p.xlsx", (row,)), "--project", P, "--cvlan-file",
        ranges(home / "c.csv"), *BUILDER,
    ).code == 0  # fmt: skip
    for form in (("--dry-run",), (), ("--json",), ("-vv",)):
        cli("project", "activate", P, "--onu-password", "env:ONU_PASSWORD", *ENGINEER, *form)
        cli("project", "list", P, "--json")
        cli("project", "events", P, "--json")
        cli("project", "revoke", P, *ENGINEER, *form[1:])
    assert any(CANARIES["ONU_PASSWORD"] in line for line in olt.commands)
    kept = b"".join(path.read_bytes() for path in (home / "state").rglob("*") if path.is_file())
    assert CANARIES["ONU_PASSWORD"].encode() not in kept


HOSTILE = "=1+1\x1b[31m红\n行\u202etxt" + "长" * 180


def test_hostile_names_do_no_harm(cli: Run, home: Path) -> None:
    path = home / "hostile.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerow((*ROWS[0][:9], HOSTILE, 1, "1:8"))
    assert cli("project", "import", str(path), "--project", P, "--name", "\x1b]0;名\x07", *BUILDER).code in {0, 2}
    (row,) = cli("project", "list", P, "--json").json["rows"]
    name = row["分光器设备名称"]
    assert name.startswith("=1+1")
    assert {"\x1b", "\u202e"} <= set(name)
    for words in (("list",), ("list", P), ("status", P), ("show", P, name), ("events", P), ("accept", P, *ENGINEER)):
        ran = cli("project", *words)
        assert not [char for char in ran.err if char in "\x1b\u202e\x07"]
    (cells,) = list(csv.DictReader(io.StringIO(cli("project", "list", P, "--csv").out)))
    assert cells["分光器设备名称"].startswith("'=1+1")


def test_the_store_is_where_the_journal_is_or_where_one_says(
    cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(cli, home)
    assert (home / "state/ponprobe/journal.sqlite3").exists()
    there = ("--store", str(home / "other" / "store.sqlite3"))
    assert cli("project", "list", *there, "--json").json["projects"] == []
    monkeypatch.setenv("PONPROBE_STORE", there[1])
    assert cli("project", "list", "--json").json["projects"] == []
    monkeypatch.delenv("PONPROBE_STORE")
    assert len(cli("project", "list", "--json").json["projects"]) == 1
    ran = cli("project", "list", "--store", "mysql://a@b/c", "--json")
    assert (ran.code, "not supported" in ran.json["error"]["message"]) == (2, True)
    assert cli("project", "status", "nothing").code == 2


# ---------------------------------------------------------------------- evidence, push, events, schema


def test_evidence_is_kept_byte_for_byte(cli: Run, home: Path) -> None:
    imported(cli, home)
    photographed(cli, home, GOOD)
    ran = cli("project", "evidence", P, GOOD, "--verify", "--json")
    assert (ran.code, [each["kind"] for each in ran.json["evidence"]]) == (0, ["position", "result"])
    folder = Path(ran.json["folder"])
    assert folder == home / "state/ponprobe/journal.sqlite3.evidence"
    original = folder / ran.json["evidence"][0]["stored_as"]
    assert original.read_bytes() == (home / "p0.png").read_bytes()
    original.write_bytes(b"other")
    ran = cli("project", "evidence", P, GOOD, "--verify", "--json")
    assert (ran.code, len(ran.json["damaged"])) == (5, 1)
    assert cli("project", "evidence", P, GOOD, "--result", str(home / "none.png"), *ENGINEER).code == 5
    before = len(cli("project", "evidence", P, GOOD, "--json").json["evidence"])
    assert cli("project", "evidence", P, GOOD, "--other", str(home / "p0.png"), *ENGINEER).code == 0
    assert len(cli("project", "evidence", P, GOOD, "--json").json["evidence"]) == before + 1


def test_a_failed_service_test_is_3(cli: Run, home: Path) -> None:
    imported(cli, home)
    never = cli("project", "service-test", P, GOOD, "--dial-ok", "--reach-ok", *ENGINEER)
    assert (never.code, "never been activated" in never.err) == (8, True)
    activated(cli, GOOD)
    slow = ("--dial-ok", "--down", "10", "--min-down", "50")
    ran = cli("project", "service-test", P, GOOD, *slow, *ENGINEER, "--json")
    assert (ran.code, ran.json["service_test"]["passed"]) == (3, False)
    ran = cli("project", "service-test", P, GOOD, "--dial-failed", "--error", "691", *ENGINEER)
    assert (ran.code, "不达标" in ran.err) == (3, True)
    wrong = cli("project", "service-test", P, GOOD, "--dial-ok", "--address", "x", "--up", "-1", *ENGINEER)
    assert (wrong.code, "--address" in wrong.err, "--up" in wrong.err) == (2, True, True)


def test_a_front_office_that_does_not_take_it_is_told_again(cli: Run, home: Path) -> None:
    words = ("--project", P, "--no-hang-test", "--reason", "零星地址", *BUILDER)
    cli("project", "import", sheet(home / "pos.xlsx"), *words)
    assert cli("project", "accept", P, *ENGINEER).code == 0
    assert cli("project", "review", P, "--pass", *REVIEWER).code == 0
    waits = cli("project", "push", P, *REVIEWER, "--json")
    assert (waits.code, waits.json["arrived"]) == (0, False)
    program = home / "take.py"
    program.write_text("import sys; print('busy', file=sys.stderr); sys.exit(int(sys.argv[1]))", "utf-8")
    ran = cli("project", "push", P, "--exec", f"{sys.executable} {program} 3", *REVIEWER, "--json")
    assert (ran.code, ran.json["arrived"], "busy" in ran.json["failed"][0]["reason"]) == (5, False, True)
    assert ran.json["message"]["event_id"] == waits.json["message"]["event_id"]
    assert cli("project", "status", P, "--json").json["stage"] == "review"
    soon = cli("project", "push", P, "--exec", f"{sys.executable} {program} 0", *REVIEWER)
    assert (soon.code, "not due yet" in flat(soon.err)) == (5, True)
    assert cli("project", "push", P, "--exec", "a", "--to", "b", *REVIEWER).code == 2


def test_events_can_be_followed(cli: Run, home: Path) -> None:
    imported(cli, home)
    everything = [each["id"] for each in cli("project", "events", "--json").json["events"]]
    first = cli("project", "events", "--limit", "2", "--json").json
    rest = cli("project", "events", "--after", first["last"], "--jsonl")
    assert [each["id"] for each in first["events"]] == everything[:2]
    assert [json.loads(line)["id"] for line in rest.out.splitlines()] == everything[2:]
    mine = cli("project", "events", P, "--json").json["events"]
    assert {each["project"] for each in mine} == {P}
    assert len(mine) < len(everything)
    assert cli("project", "events", "--after", "x").code == 2


def test_every_model_has_a_schema(command: Run) -> None:
    models = command("project", "schema", "--json").json["models"]
    assert {"Splitter", "LineRound", "ActivationItem", "Event", "BatchOutcome", "ProjectStatus"} <= set(models)
    for name, schema in models.items():
        assert schema["title"] == name
        assert json.loads(command("project", "schema", name).out) == schema
    assert command("project", "schema", "House").code == 2


# ---------------------------------------------------------------------- the parts


KEY = SplitterKey("ma5683t", "0/1/0", GOOD)
_S = ActivationState


def ended(state: ActivationState, kind: str | None = None, rollback: Any = "nothing_done", **more: Any) -> ItemOutcome:
    failure = None if kind is None else Failure(error_class=kind, message="x", rollback=rollback)
    return ItemOutcome(splitter=KEY, state=state, failure=failure, **more)


@pytest.mark.parametrize(
    ("item", "keeps", "code"),
    [
        (ended(_S.REVOKED, line="pass"), False, 0),
        (ended(_S.REVOKED, line="fail"), False, 3),
        (ended(_S.REVOKED, line="undetermined"), False, 4),
        (ended(_S.ACTIVATED), True, 0),
        (ended(_S.ACTIVATED), False, 7),
        (ended(_S.UNKNOWN), True, 7),
        (ended(_S.REVOKE_FAILED, "SessionLost", "unknown"), True, 7),
        (ended(_S.REVOKE_FAILED, "ResidueError", "residue", line="pass"), False, 7),
        (ended(_S.ACTIVATED, "ConnectError", "unknown"), False, 5),
        (ended(_S.ACTIVATION_FAILED, "SessionLost", "rolled_back"), True, 6),
        (ended(_S.ACTIVATION_FAILED, "ConnectError"), True, 5),
        (ended(_S.ACTIVATION_FAILED, "SecretMissing"), True, 5),
        (ended(_S.ACTIVATION_FAILED, "CvlanPoolExhausted"), True, 5),
        (ended(_S.ACTIVATION_FAILED, "NotInOurTree"), True, 5),
        *((ended(_S.ACTIVATION_FAILED, kind), True, 8) for kind in ("WrongPort", "VlanInUse", "RequestConflict")),
        (ended(_S.NOT_ACTIVATED, "ConfigError"), True, 8),
    ],
)
def test_every_end_has_its_code(item: ItemOutcome, keeps: bool, code: int) -> None:
    assert of_item(item, keeps=keeps) == code


def test_nothing_is_stopped_between_a_registration_and_its_owner(cli: Run, home: Path) -> None:
    """An ONU that has just been registered is nobody's to take away until ``activate`` has returned."""

    def event(name: Any) -> RunEvent:
        return RunEvent(ts=datetime.now(timezone.utc), run_id="r", seq=1, event=name, olt="ma5683t")

    crew = Crew(Desk(Output()), Room(), "trying")
    with crew.at_work(), crew.connect(OltRecord(name="ma5683t", host="127.0.0.1")) as olt:
        hear = olt.on_event
        assert hear is not None
        hear(event("command"))
        crew._stopped_by = Interrupted(signal.SIGINT)
        for name in ("activated", "online", "sample", "verdict", "revoked", "residue_checked"):
            hear(event(name))
        with pytest.raises(Interrupted):
            hear(event("command"))
        hear(event("command"))  # the clean-up is not stopped
        with pytest.raises(Interrupted):
            crew.connect(OltRecord(name="c320", host="127.0.0.1"))


def test_a_terminal_without_chinese_gets_codes(cli: Run, home: Path) -> None:
    imported(cli, home)
    cli("project", "activate", P, *by_name(GOOD, WEAK), "--measure", *ENGINEER)
    words: dict[tuple[str, ...], tuple[str, ...]] = {
        ("list",): ("engineering",),
        ("status", P): ("revoked", "fail", "to be tested yes", "site"),
        ("show", P, WEAK): ("revoked", "fail", "site"),
        ("accept", P, "--reject", "site", *ENGINEER): ("sent back: site", "engineering"),
    }
    for given, told in words.items():
        done = subprocess.run(
            [sys.executable, "-m", "ponprobe.app", "project", *given],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        names = done.stderr.replace("锦绣花园二期".encode("ascii", "backslashreplace").decode(), "")
        assert all(word in flat(names) for word in told), names
