"""``ponprobe batch``: many splitters from one file, checked as a whole, each with its own end."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ponprobe.app import team
from ponprobe.app.batch_work import code_of
from ponprobe.connect import journal_at
from ponprobe.emulator import EmulatedOlt, Lab
from ponprobe.models.batch import BatchItem

from .conftest import CANARIES, ELSEWHERE, GOOD, WEAK, Ran, Run, changes

FAR = "HWTC1C000EA9"
"""The test ONU that waits on the other OLT."""
PROFILES = ("--line-profile", "20", "--service-profile", "20")
HEADER = "OLT名称,PON口,分光器名称,分光器端口号,ONU SN,SVLAN,CVLAN"
ROWS = (
    f"ma5683t,0/1/0,翠竹苑3栋-POS-01,4,{GOOD},2000,3001",
    f"ma5683t,0/1/0,翠竹苑3栋-POS-02,4,{WEAK},2000,3001",
    f"ma5800,0/1/0,滨江花园1栋-POS-02,1,{FAR},2000,3001",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    """Less patience than with a device, and ONUs that range at once."""
    for name, value in {"ONLINE_TIMEOUT_S": "2", "SAMPLES": "2", "REMOVAL_WAIT_S": "1", "SESSION_WAIT_S": "5"}.items():
        monkeypatch.setenv(f"PONPROBE_{name}", value)
    for olt in lab.olts.values():
        for ont in olt.world.onts.values():
            ont.online_after_s = 0.0


@pytest.fixture
def file(home: Path) -> Callable[..., str]:
    def written(*rows: str, header: str = HEADER, name: str = "rows.csv") -> str:
        (home / name).write_text("\n".join((header, *rows)) + "\n", "utf-8")
        return name

    return written


File = Callable[..., str]


def snapshots(lab: Lab) -> dict[str, Any]:
    return {name: olt.snapshot() for name, olt in lab.olts.items()}


def commands(lab: Lab) -> int:
    return sum(len(olt.commands) for olt in lab.olts.values())


def codes(ran: Ran) -> list[int]:
    return [item["exit_code"] for item in ran.json["items"]]


def flat(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------------- the work


def test_every_row_has_its_own_end_and_the_worst_is_the_commands(cli: Run, lab: Lab, file: File) -> None:
    before = snapshots(lab)
    wrong = f"ma5683t,0/1/0,翠竹苑5栋-POS-01,1,{ELSEWHERE},2000,3003"
    ran = cli("batch", file(*ROWS, wrong), *PROFILES, "--json")
    assert (ran.code, codes(ran)) == (8, [0, 3, 0, 8])
    assert [item["outcome"] for item in ran.json["items"]] == ["pass", "fail", "pass", None]
    assert [(item["row"], item["olt"]) for item in ran.json["items"]] == [
        (2, "ma5683t"), (3, "ma5683t"), (4, "ma5800"), (5, "ma5683t"),
    ]  # fmt: skip
    assert ran.json["items"][0]["onu_rx_dbm"] > -20 > ran.json["items"][1]["onu_rx_dbm"]
    assert ran.json["items"][3]["error"]["class"] == "WrongPort"
    assert (ran.json["left"], ran.json["counts"]["failed"]) == ([], 1)
    assert snapshots(lab) == before
    assert all(olt.sessions_open == 0 for olt in lab.olts.values())
    shown = cli("batch", file(*ROWS), *PROFILES)
    assert (shown.code, shown.out) == (3, "")
    assert "CLEAN" in shown.err


def test_events_tell_each_row_once_and_end_with_finished(cli: Run, lab: Lab, file: File) -> None:
    ran = cli("batch", file(*ROWS), *PROFILES, "--events", "--request-id", "order-7")
    events = ran.events
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert ({event["schema"] for event in events}, {event["request_id"] for event in events}) == ({1}, {"order-7"})
    names = [event["event"] for event in events]
    assert (names.count("finished"), names[-1], names.count("connected")) == (1, "finished", 2)
    items = {event["data"]["row"]: event for event in events if event["event"] == "item"}
    assert {row: event["data"]["exit_code"] for row, event in items.items()} == {2: 0, 3: 3, 4: 0}
    assert items[3]["data"]["result"]["verdict"]["outcome"] == "fail"
    assert items[3]["data"]["result"]["removal"]["proof"]
    assert (items[4]["olt"], items[4]["item"]) == ("ma5800", "滨江花园1栋-POS-02")
    for row, event in items.items():
        proven = max(
            each["seq"] for each in events if each["event"] == "residue_checked" and each["run_id"] == event["run_id"]
        )
        assert proven < event["seq"], f"row {row} was told before it was proven clean"
    assert events[-1]["data"]["exit_code"] == ran.code == 3


def test_whole_results_go_to_a_file_for_its_owner_alone(cli: Run, home: Path, file: File) -> None:
    ran = cli("batch", file(*ROWS), *PROFILES, "--output", "out.jsonl", "--json")
    lines = [json.loads(line) for line in (home / "out.jsonl").read_text("utf-8").splitlines()]
    assert {line["row"]: line["result"]["clean"] if "clean" in line["result"] else line["clean"] for line in lines} == {
        2: True, 3: True, 4: True,
    }  # fmt: skip
    assert all(line["schema"] == 1 and line["result"]["readings"] for line in lines)
    assert (home / "out.jsonl").stat().st_mode & 0o077 == 0
    again = cli("batch", file(*ROWS), *PROFILES, "--output", "out.jsonl")
    assert (again.code, "out.jsonl is there" in flat(again.err)) == (2, True)
    assert ran.code == 3


def test_two_that_want_one_vlan_pair_on_one_port_follow_each_other(cli: Run, olt: EmulatedOlt, file: File) -> None:
    """One pair carries one service on a port: side by side, the second would be refused as in use."""
    live = most = 0

    def on_command(_number: int, line: str, when: str) -> None:
        nonlocal live, most
        if when == "executed" and line.startswith(("ont add", "ont delete")):
            live += 1 if line.startswith("ont add") else -1
            most = max(most, live)

    olt.faults.on_command = on_command
    assert codes(cli("batch", file(*ROWS[:2]), *PROFILES, "--json")) == [0, 3]
    assert most == 1
    other = ROWS[1].replace("3001", "3002")
    assert codes(cli("batch", file(ROWS[0], other), *PROFILES, "--json")) == [0, 3]
    assert most == 2


def test_the_plant_of_a_row_is_compared_with(cli: Run, home: Path, file: File) -> None:
    header = HEADER + ",各级分光比,距离(km)"
    row = f"ma5683t,0/1/0,翠竹苑3栋-POS-01,4,{GOOD},2000,3001,1:4+1:8,2.2"
    cli("batch", file(row, header=header), *PROFILES, "-o", "out.jsonl")
    (line,) = [json.loads(each) for each in (home / "out.jsonl").read_text("utf-8").splitlines()]
    assert {each["measured"]["direction"] for each in line["result"]["comparisons"]} == {"down", "up"}


def test_json_lines_and_stdin_and_xlsx_are_taken_too(
    cli: Run, home: Path, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"olt": "ma5683t", "port": "0/1/0", "serial": GOOD, "svlan": 2000, "cvlan": 3001, "line_profile": 20}
    (home / "rows.jsonl").write_text(json.dumps(asked) + "\n\n", "utf-8")
    ran = cli("batch", "rows.jsonl", *PROFILES, "--json")
    assert (ran.code, codes(ran), ran.json["items"][0]["row"]) == (0, [0], 1)

    class _Stdin:
        buffer = (home / "rows.jsonl").open("rb")

    with _Stdin.buffer:
        monkeypatch.setattr("sys.stdin", _Stdin)
        assert codes(cli("batch", "-", *PROFILES, "--json")) == [0]
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    for row in ROWS:
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row.split(",")])
    book.save(home / "rows.xlsx")
    book.close()
    assert codes(cli("batch", "rows.xlsx", *PROFILES, "--json")) == [0, 3, 0]


# ---------------------------------------------------------------------- before anything is sent


def test_every_bad_cell_is_named_before_anything_is_sent(cli: Run, lab: Lab, file: File) -> None:
    header = HEADER + ",LOID"
    bad = file(
        f"ma5683t,0/1/0,A,1,{GOOD},2000,4095,",
        "nobody,0/1,B,1,HWTC,2000,3001,",
        "ma5683t,0/1/0,C,1,,2000,3001,",
        f"ma5683t,0/1/0,D,1,{GOOD},2000,3001,",
        f"ma5683t,0/1/0,E,999,{GOOD},2000,3002,",
        "ma5683t,0/1/0,F,1,,2000,3003,CanaryPlainLoid",
        header=header,
    )
    ran = cli("batch", bad, "--line-profile", "20", "--json")
    places = {(each["row"], each["column"]): each["message"] for each in ran.json["problems"]}
    assert ran.code == 2
    assert {(2, "G"), (3, "A"), (3, "B"), (4, "E"), (6, "D"), (7, "H")} <= set(places), places
    assert any("service_profile" in text for (row, _), text in places.items() if row == 5)
    assert "0/1" in flat(cli("batch", bad, *PROFILES).err)
    assert "CanaryPlainLoid" not in ran.out + ran.err
    assert commands(lab) == 0


def test_a_test_onu_in_two_rows_needs_waves(cli: Run, lab: Lab, file: File) -> None:
    twice = file(ROWS[0], ROWS[1], f"ma5683t,0/1/0,翠竹苑3栋-POS-09,2,{GOOD},2000,3009")
    ran = cli("batch", twice, *PROFILES, "--json")
    assert (ran.code, ran.json["problems"][0]["row"], ran.json["problems"][0]["column"]) == (2, 4, "E")
    assert "2 waves" in ran.json["problems"][0]["hint"]
    assert commands(lab) == 0
    first = cli("batch", twice, *PROFILES, "--wave", "1", "--json")
    second = cli("batch", twice, *PROFILES, "--wave", "2", "--json")
    assert [[item["row"] for item in each.json["items"]] for each in (first, second)] == [[2, 3], [4]]
    assert cli("batch", twice, *PROFILES, "--wave", "3").code == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"olt": "ma5683t", "spliter": "x"}', "is not a known field"),
        ('{"olt": ', "is no JSON"),
        ("[1]", "is no JSON object"),
        ('{"olt": "ma5683t", "port": ["0/1/0"]}', "is no single value"),
        ('{"olt": "ma5683t", "port": "0/1/0", "service_model": "both"}', "is not a known word"),
        ('{"olt": "ma5683t", "port": "0/1/0", "serial": "HWTC0B086EA9", "svlan": 2000}', "needs both"),
        ("{}", "no rows to measure"),
    ],
)
def test_json_lines_are_strict(cli: Run, home: Path, lab: Lab, line: str, told: str) -> None:
    (home / "rows.jsonl").write_text(line + "\n", "utf-8")
    ran = cli("batch", "rows.jsonl", *PROFILES)
    assert (ran.code, told in flat(ran.err)) == (2, True), ran.err
    assert commands(lab) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("gone.csv",), "cannot be read"),
        (("gone.jsonl",), "cannot be read"),
        (("rows.csv", "--olt", "nobody"), "no OLT 'nobody'"),
        (("rows.csv", "--map", "C"), "no COL=FIELD"),
        (("rows.csv", "--sheet", "POS"), "there is no sheet 'POS'"),
        (("rows.csv", "--request-id", ""), "--request-id"),
        (("rows.csv", "--online-timeout", "0"), "--online-timeout"),
        (("rows.csv", "--timeout", "-1"), "--timeout"),
        (("rows.csv", "--stage", "roof"), "--stage"),
        (("rows.csv", "--output", "no/where.jsonl"), "--output"),
    ],
)
def test_what_cannot_be_meant_is_2(cli: Run, lab: Lab, file: File, words: tuple[str, ...], told: str) -> None:
    file(*ROWS)
    ran = cli("batch", *words, *PROFILES, "--events")
    assert (ran.code, told in flat(ran.err)) == (2, True), ran.err
    assert [event["event"] for event in ran.events] == ["finished"]
    assert (ran.events[0]["data"]["exit_code"], commands(lab)) == (2, 0)


def test_a_missing_secret_of_one_olt_stops_all_before_anything_is_sent(
    cli: Run, lab: Lab, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PONPROBE_LAB_MA5800")
    ran = cli("batch", file(*ROWS), *PROFILES, "--json")
    assert (ran.code, ran.json["error"]["class"], commands(lab)) == (2, "SecretMissing", 0)


def test_the_dry_run_shows_the_lines_of_every_row(cli: Run, lab: Lab, olt: EmulatedOlt, file: File) -> None:
    before = snapshots(lab)
    unmarked = re.compile(r"PONPROBE_[0-9a-f]{8}")
    ran = cli("batch", file(ROWS[0]), *PROFILES, "--dry-run", "--json")
    planned = [
        unmarked.sub("mark", each["line"])
        for each in ran.json["items"][0]["plan"]["lines"]
        if each["purpose"] in {"write", "undo"}
    ]
    assert (ran.code, snapshots(lab) == before, changes(olt)) == (0, True, [])
    assert cli("batch", file(ROWS[0]), *PROFILES).code == 0
    assert [unmarked.sub("mark", line) for line in changes(olt)] == planned
    wrong = f"ma5683t,0/1/0,翠竹苑5栋-POS-01,1,{ELSEWHERE},2000,3003"
    ran = cli("batch", file(ROWS[0], wrong), *PROFILES, "--dry-run", "--json")
    assert (ran.code, codes(ran)) == (8, [0, 8])


# ---------------------------------------------------------------------- what goes wrong


def test_an_olt_that_is_away_stops_no_other(cli: Run, lab: Lab, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshots(lab)
    monkeypatch.setenv("PONPROBE_LAB_MA5800", "wrong")
    ran = cli("batch", file(*ROWS), *PROFILES, "--json")
    assert (ran.code, codes(ran), ran.json["items"][2]["error"]["class"]) == (5, [0, 3, 5], "AuthError")
    assert snapshots(lab) == before


def test_residue_of_a_row_is_7_and_says_how_to_finish(cli: Run, lab: Lab, olt: EmulatedOlt, file: File) -> None:
    before = snapshots(lab)

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "arrived" and line.startswith(("undo service-port", "ont delete")):
            raise ConnectionAbortedError

    olt.faults.on_command = on_command
    ran = cli("batch", file(ROWS[0], ROWS[2]), *PROFILES, "--json")
    assert (ran.code, codes(ran)) == (7, [7, 0])
    assert ran.json["left"] == [{"run_id": ran.json["items"][0]["run_id"], "olt": "ma5683t"}]
    olt.faults.on_command = None
    assert cli("recover").code == 0
    assert snapshots(lab) == before


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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGALRM, 6)])
@pytest.mark.parametrize("where", ["ont add", "display ont optical-info", "undo service-port"])
def test_a_stop_takes_away_what_was_under_way_on_every_olt(
    cli: Run, lab: Lab, home: Path, file: File, stop: Callable[[int], None], *, number: int, code: int, where: str
) -> None:
    before = snapshots(lab)
    sent: list[str] = []

    def on_command(_number: int, line: str, when: str) -> None:
        if when == "executed" and line.startswith(where) and not sent:
            sent.append(line)
            stop(number)

    lab.olts["ma5683t"].faults.on_command = on_command
    more = ("--timeout", "3600") if number == signal.SIGALRM else ()
    side_by_side = (ROWS[0], ROWS[1].replace("3001", "3002"), ROWS[2])
    ran = cli("batch", file(*side_by_side), *PROFILES, "--json", *more)
    assert sent
    if where == "ont add":
        # it stopped there: the second one of this OLT has not been begun
        assert len([line for line in lab.olts["ma5683t"].commands if line.startswith("ont add")]) == 1
    assert (ran.code, ran.json["exit_code"], ran.json["left"]) == (code, code, [])
    assert ran.json["error"]["class"] == ("TimedOut" if number == signal.SIGALRM else "Interrupted")
    assert ran.json["counts"]["not_done"] >= 1
    assert snapshots(lab) == before
    assert journal_at(str(home / "state/ponprobe/journal.sqlite3")).unfinished() == ()


# ---------------------------------------------------------------------- asked again


def test_asked_again_it_answers_and_sends_nothing(cli: Run, lab: Lab, file: File) -> None:
    words = ("batch", file(*ROWS), *PROFILES, "--request-id", "night-1", "--json")
    first = cli(*words)
    sent = commands(lab)
    again = cli(*words)
    assert (first.code, again.code, again.json["items"]) == (3, 3, first.json["items"])
    assert (again.json["repeated"], commands(lab)) == (True, sent)
    other = cli("batch", file(ROWS[0]), *PROFILES, "--request-id", "night-1", "--json")
    assert (other.code, other.json["error"]["class"], other.json["error"]["retryable"]) == (8, "RequestConflict", False)
    assert other.json["request_id"] == "night-1"
    assert commands(lab) == sent
    shown = cli("batch", file(*ROWS), *PROFILES, "--request-id", "night-1")
    assert (shown.code, "nothing was sent" in shown.err, commands(lab)) == (3, True, sent)


def test_asked_again_it_goes_on_with_the_rows_that_have_no_answer(
    cli: Run, lab: Lab, olt: EmulatedOlt, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("batch", file(*ROWS), *PROFILES, "--request-id", "night-2", "--json")
    monkeypatch.setenv("PONPROBE_LAB_MA5800", "wrong")
    assert codes(cli(*words)) == [0, 3, 5]
    monkeypatch.setenv("PONPROBE_LAB_MA5800", CANARIES["LAB_PASSWORD"])
    sent = len(olt.commands)
    again = cli(*words)
    assert (again.code, codes(again)) == (3, [0, 3, 0])
    assert [item.get("repeated", False) for item in again.json["items"]] == [True, True, False]
    assert len(olt.commands) == sent


# ---------------------------------------------------------------------- the parts


def ended(**more: Any) -> BatchItem:
    order = {"port": "0/1/0", "auth": {"serial": GOOD}, "service_model": "none"}
    return BatchItem.model_validate({"index": 0, "order": order, "at": "2026-11-25T00:00:00Z", **more})


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (ended(error_class="WrongPort", error="x"), 8),
        (ended(error_class="ConfigError", error="x"), 8),
        (ended(error_class="ConnectError", error="x"), 5),
        (ended(error_class="ParseError", error="x", after_change="rolled_back"), 6),
        (ended(error_class="SessionLost", error="x", after_change="residue", run_id="r"), 7),
        (ended(error_class="OfAThirdParty", error="x"), 5),
        (ended(), 4),
    ],
)
def test_every_end_of_a_row_has_its_code(item: BatchItem, code: int) -> None:
    assert code_of(item) == code
