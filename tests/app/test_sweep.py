"""``ponprobe sweep`` against emulated OLTs: rows, failures, signals, a kill in the middle, and what people see."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ponprobe.app.sweep import sweep as sweep_command
from ponprobe.emulator import EmulatedOlt, Lab
from ponprobe.tabular import COLUMNS

from .conftest import CANARIES, Ran, Run

OPTICS = "display ont optical-info"
PON = [word for port in ("0/0/0", "0/1/0", "0/1/1", "0/1/2", "0/1/5") for word in ("--pon", port)]


def registered(olt: EmulatedOlt) -> set[str]:
    return {str(view.entry.ref) for view in olt.world.views()}


def of(ran: Ran, event: str) -> list[dict[str, Any]]:
    return [line for line in ran.events if line["event"] == event]


def on_line(olt: EmulatedOlt, start: str, number: int, act: Callable[[int], None], moment: str = "executed") -> None:
    """Do something when the nth command that starts like this is at this moment of its life."""
    seen: list[str] = []

    def on_command(command: int, line: str, when: str) -> None:
        if when == moment and line.startswith(start):
            seen.append(line)
            if len(seen) == number:
                act(command)

    olt.faults.on_command = on_command


def test_every_onu_of_every_board_is_a_line(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    ran = cli("sweep", "ma5683t")
    assert ran.code == 0
    onus = of(ran, "onu")
    assert {line["onu"] for line in onus} == registered(olt)
    assert len({line["onu"].rpartition("/")[0] for line in onus}) > 1
    online = next(line for line in onus if line["onu"] == "0/1/0:0")
    assert (online["serial"], online["run_state"]) == ("HWTCF2D53A10", "online")
    powers = [online["optical"][name] for name in ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")]
    assert all(isinstance(power["value"], float) and power["source"].startswith("cli: ") for power in powers)
    tx, rx = powers[0]["value"], powers[3]["value"]
    assert online["loss"]["downstream_attenuation_db"] == pytest.approx(tx - rx)
    offline = next(line for line in onus if line["onu"] == "0/1/0:3")
    assert offline["run_state"] == "offline"
    assert offline["optical"]["onu_rx_dbm"]["value"] is None
    assert offline["optical"]["onu_rx_dbm"]["absence"]
    assert (offline["loss"]["downstream_attenuation_db"], offline["absent"]["distance_m"]) == (None, "not_read")
    last = ran.events[-1]
    assert (last["event"], last["onus"], last["ports_not_read"], last["exit_code"]) == ("finished", len(onus), 0, 0)
    assert last["ports_read"] == len(of(ran, "port_done"))
    assert f"{len(onus)} ONUs on {last['ports_read']} ports of 1 OLT" in ran.err
    assert olt.snapshot() == before


def test_distance_and_down_cause_come_on_wish(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli("sweep", "ma5683t", "--pon", "0/1/0", "--with-distance")
    found = {line["onu"]: line for line in of(ran, "onu")}
    assert found["0/1/0:0"]["distance_m"] > 2000
    assert found["0/1/0:3"]["last_down_cause"] == "dying-gasp"
    assert "distance_m" not in found["0/1/0:0"]["absent"]


def test_many_olts_at_once_by_both_roads(cli: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PONPROBE_ROUTES")
    ran = cli("sweep", *lab.olts, *lab.olts, "--quiet")
    assert (ran.code, ran.err) == (0, "")
    for name, olt in lab.olts.items():
        mine = [line for line in of(ran, "onu") if line["olt"] == name]
        assert [line["onu"] for line in mine] == sorted({line["onu"] for line in mine}, key=mine_order)
        assert {line["onu"] for line in mine} == registered(olt)
        assert {(line["optical"]["olt_tx_dbm"]["source"] or "").partition(":")[0] for line in mine} == {"snmp"}
        assert olt.sessions_open == 0
    assert not any(secret in ran.out for secret in CANARIES.values())


def mine_order(onu: str) -> tuple[int, ...]:
    return tuple(map(int, onu.replace(":", "/").split("/")))


def test_a_port_that_fails_is_told_and_the_rest_is_read(cli: Run, olt: EmulatedOlt) -> None:
    on_line(olt, f"{OPTICS} 1 all", 1, lambda number: setattr(olt.faults, "garbage_after", number), "arrived")
    ran = cli("sweep", "ma5683t", *PON)
    assert ran.code == 4
    (skipped,) = of(ran, "port_skipped")
    assert (skipped["port"], skipped["error_class"]) == ("0/1/1", "ParseError")
    assert skipped["error"]
    assert [line["port"] for line in of(ran, "port_done")] == ["0/0/0", "0/1/0", "0/1/2", "0/1/5"]
    assert not [line for line in of(ran, "onu") if line["onu"].startswith("0/1/1:")]
    assert (ran.events[-1]["ports_not_read"], ran.events[-1]["exit_code"]) == (1, 4)
    assert "1 port not read" in ran.err
    assert "0/1/1" in ran.err


def test_a_port_that_is_not_there_is_told_in_the_devices_words(cli: Run) -> None:
    ran = cli("sweep", "ma5683t", "--pon", "0/1/0", "--pon", "0/9/9")
    assert ran.code == 4
    assert [line["port"] for line in of(ran, "port_skipped")] == ["0/9/9"]


def test_a_lost_session_is_opened_again_and_costs_nothing(cli: Run, olt: EmulatedOlt) -> None:
    def hang_up(_number: int) -> None:
        raise ConnectionAbortedError

    on_line(olt, f"{OPTICS} 1 all", 1, hang_up)
    ran = cli("sweep", "ma5683t", *PON)
    assert (ran.code, ran.events[-1]["ports_read"]) == (0, 5)


def test_a_dead_olt_beside_a_living_one(cli: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONPROBE_LAB_MA5800", "wrong")
    ran = cli("sweep", "ma5683t", "ma5800", "--pon", "0/1/0", "--pon", "0/1/1")
    assert ran.code == 4
    assert [(line["olt"], line["port"], line["error_class"]) for line in of(ran, "port_skipped")] == [
        ("ma5800", "0/1/0", "AuthError"), ("ma5800", "0/1/1", "AuthError"),
    ]  # fmt: skip
    assert {line["olt"] for line in of(ran, "port_done")} == {"ma5683t"}
    assert "0/1/0 … 0/1/1 (2)" in ran.err
    assert "AuthError" in ran.err


def test_nothing_read_at_all_is_5_and_a_changed_key_8(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli("sweep", "ma5683t", "--port", "1")
    assert ran.code == 5
    (skipped,) = of(ran, "port_skipped")
    assert (skipped["port"], skipped["error_class"]) == (None, "ConnectError")
    olt.regenerate_host_key()
    ran = cli("sweep", "ma5683t")
    assert (ran.code, of(ran, "port_skipped")[0]["error_class"]) == (8, "HostKeyError")


def test_a_table(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli("sweep", "ma5683t", "--format", "csv")
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == list(COLUMNS)
    assert {f"{row['port']}:{row['onu_id']}" for row in rows} == registered(olt)
    assert float(next(row for row in rows if row["run_state"] == "online")["onu_rx_dbm"]) < 0


def test_a_table_of_nothing_has_its_header(cli: Run) -> None:
    ran = cli("sweep", "ma5683t", "--pon", "0/1/9", "--format", "csv")
    assert (ran.code, ran.out) == (0, ",".join(COLUMNS) + "\n")


def test_the_summary_is_the_one_object_beside_a_file(cli: Run, home: Path) -> None:
    ran = cli("sweep", "ma5683t", *PON, "--output", "rows.jsonl", "--json")
    assert (ran.json["schema"], ran.json["event"], ran.json["ports_read"], ran.json["not_read"]) == (
        1,
        "finished",
        5,
        [],
    )
    assert ran.err == ""
    assert json.loads((home / "rows.jsonl").read_text("utf-8").splitlines()[-1])["ports_read"] == 5


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_second_run_reads_only_what_is_missing(cli: Run, olt: EmulatedOlt, form: str) -> None:
    more = ["--format", form, "--output", "rows", "--resume"]
    on_line(olt, f"{OPTICS} 1 all", 1, lambda number: setattr(olt.faults, "garbage_after", number), "arrived")
    first = cli("sweep", "ma5683t", *PON, *more)
    assert first.code == 4
    again = "ponprobe sweep ma5683t " + " ".join([*PON, *(more[:2] if form == "csv" else []), *more[2:]])
    assert again in " ".join(first.err.split())
    olt.faults.on_command = olt.faults.garbage_after = None
    before = len(olt.commands)
    second = cli("sweep", "ma5683t", *PON, *more)
    assert second.code == 0
    assert "4 ports had been read before" in second.err
    assert [line for line in olt.commands[before:] if line.startswith(OPTICS)] == [f"{OPTICS} 1 all"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_whole_ports(cli: Run, olt: EmulatedOlt, home: Path, number: int, code: int) -> None:
    on_line(olt, OPTICS, 3, lambda _number: os.kill(os.getpid(), number))
    ran = cli("sweep", "ma5683t", *PON, "--output", "rows.jsonl")
    assert ran.code == code
    assert "nothing was changed" in ran.err
    lines = [json.loads(line) for line in (home / "rows.jsonl").read_text("utf-8").splitlines()]
    assert (lines[-1]["event"], lines[-1]["exit_code"], lines[-1]["error"]["class"]) == (
        "finished",
        code,
        "Interrupted",
    )
    assert lines[-2]["event"] in {"port_done", "olt_started"}
    assert olt.sessions_open == 0
    olt.faults.on_command = None
    assert cli("sweep", "ma5683t", *PON, "--output", "rows.jsonl", "--resume").code == 0


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(("place", "ports_before"), [(1, 0), (3, 9), (4, 10)])
def test_killed_and_continued_it_has_the_rows_of_an_undisturbed_sweep(
    cli: Run, olt: EmulatedOlt, home: Path, form: str, place: int, *, ports_before: int
) -> None:
    command = ["sweep", "ma5683t", "--format", form, "--resume", "--output"]
    assert cli(*command, "undisturbed").code == 0
    everything = [line for line in olt.commands if line.startswith(OPTICS)]
    marks = home / ("killed.ports.jsonl" if form == "csv" else "killed")

    def kill_it(_number: int) -> None:
        # the session is a few ports ahead of the file: kill it when the ports before this one are in
        until(lambda: marks.exists() and marks.read_bytes().count(b"port_done") >= ports_before)
        process.kill()

    on_line(olt, OPTICS, place, kill_it)
    process = subprocess.Popen([sys.executable, "-m", "ponprobe.app", *command, "killed"], stderr=subprocess.DEVNULL)
    assert process.wait(60) == -signal.SIGKILL
    olt.faults.on_command = None
    before = len(olt.commands)
    assert cli(*command, "killed").code == 0
    asked = [line for line in olt.commands[before:] if line.startswith(OPTICS)]
    assert asked == everything[place - 1 :]
    assert identities(home / "killed", form) == identities(home / "undisturbed", form)


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


def identities(path: Path, form: str) -> list[tuple[str, ...]]:
    """Who was read, in order: powers move a little between two readings."""
    with path.open(newline="", encoding="utf-8") as file:
        if form == "csv":
            return [(row["port"], row["onu_id"], row["serial"], row["run_state"]) for row in csv.DictReader(file)]
        lines = [json.loads(line) for line in file]
    return [(line["onu"], line["serial"], line["run_state"]) for line in lines if line["event"] == "onu"]


def test_a_reader_that_has_had_enough_is_no_failure(cli: Run, olt: EmulatedOlt) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", "sweep", "ma5683t"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--resume"], "--resume: needs --output"),
        (["--events"], "--events: a sweep's rows are JSON Lines"),
        (["--json"], "--json: needs --output"),
        (["--pon", "0-1-2"], "--pon: '0-1-2' is not a PON port"),
        (["--host", "192.0.2.1", "another"], "--host: is one address"),
        (["--parallel", "0"], "--parallel"),
        (["--output", "."], "--output: . is no file"),
        (["unknown"], "no OLT 'unknown' in the inventory"),
    ],
)
def test_what_cannot_be_meant_is_2_and_nothing_is_sent(cli: Run, olt: EmulatedOlt, words: list[str], told: str) -> None:
    ran = cli("sweep", "ma5683t", *words)
    assert (ran.code, olt.commands) == (2, [])
    assert told in " ".join(ran.err.split())
    # typer itself refuses what is no number, before the command begins; a file has no last line of nothing
    quiet = {"--parallel", "--output", "--json"} & set(words)
    assert [line.get("event") for line in ran.events if "event" in line] == ([] if quiet else ["finished"])


def test_a_missing_secret_is_known_before_anything_is_sent(cli: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PONPROBE_LAB_MA5800")
    ran = cli("sweep", *lab.olts)
    assert (ran.code, [line["event"] for line in ran.events]) == (2, ["finished"])
    assert (ran.events[0]["exit_code"], ran.events[0]["error"]["class"]) == (2, "SecretMissing")
    assert "PONPROBE_LAB_MA5800" in ran.err
    assert [olt.commands for olt in lab.olts.values()] == [[], []]


def test_the_bar_and_the_summary_on_a_terminal_of_ascii(
    cli: Run, monkeypatch: pytest.MonkeyPatch, olt: EmulatedOlt
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    ran = cli("sweep", "ma5683t", *PON, "--output", "rows.jsonl")
    assert "5/5 ports" in ran.err
    assert "\x1b[3" not in ran.err
    quiet = cli("sweep", "ma5683t", *PON, "--output", "more.jsonl", "--quiet")
    assert (quiet.err, quiet.out) == ("", "")


def test_the_help_says_its_codes(command: Run) -> None:
    ran = command("sweep", "--help")
    assert ran.code == 0
    assert "4: some ports not read" in " ".join(ran.out.split())
    assert sweep_command.__doc__
