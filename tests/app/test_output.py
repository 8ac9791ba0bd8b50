"""What is written where: JSON that programs can rely on, screens that people can read, secrets nowhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from ponprobe.app.outcome import finite
from ponprobe.emulator import EmulatedOlt

from .conftest import CANARIES, GOOD, PATH, WEAK, Run, measure

MARK = re.compile(r"PONPROBE_[0-9a-f]{8}")


# ---------------------------------------------------------------------- programs


def test_the_result_has_a_stable_shape(cli: Run) -> None:
    ran = cli(*measure(), "--json", "--splitter", "翠竹苑3栋")
    assert set(ran.json) == {
        "schema", "run_id", "olt", "host", "facts", "order", "onu", "state", "readings", "verdict", "macs", "removal",
        "comparisons", "verification", "findings", "started_at", "finished_at", "online_after_s", "lines_sent",
        "explanation", "clean", "exit_code",
    }  # fmt: skip
    assert (ran.json["schema"], ran.json["olt"], ran.json["onu"]) == (1, "ma5683t", "0/1/0:2")
    assert ran.json["order"]["splitter"] == "翠竹苑3栋"
    assert {"outcome", "reading", "loss", "judgements", "threshold_set", "findings"} <= set(ran.json["verdict"])
    assert isinstance(ran.json["verdict"]["reading"]["onu_rx_dbm"]["value"], float)
    assert ran.json["removal"]["proof"]
    assert len(ran.out.splitlines()) == 1
    assert ran.err == ""


def test_an_error_has_a_stable_shape(cli: Run) -> None:
    ran = cli(*measure(), "--port", "1", "--json")
    assert set(ran.json) == {"schema", "error"}
    assert set(ran.json["error"]) == {"class", "message", "hint", "retryable", "after_change"}


def test_events_end_with_finished_and_are_numbered(cli: Run) -> None:
    ran = cli(*measure(), "--events", "--samples", "2")
    names = [event["event"] for event in ran.events]
    assert [event["seq"] for event in ran.events] == list(range(1, len(names) + 1))
    assert names[0] == "connected"
    told = [name for name in names if name != "command"]
    assert told == [
        "connected", "planned", "activated", "online", "sample", "sample", "verdict", "revoked", "residue_checked",
        "finished",
    ]  # fmt: skip
    last = ran.events[-1]
    assert set(last) == {"schema", "ts", "run_id", "seq", "event", "olt", "pon", "item", "data", "error"}
    assert (last["data"]["exit_code"], last["data"]["result"]["clean"], last["error"]) == (0, True, None)
    assert last["run_id"] == last["data"]["result"]["run_id"]


@pytest.mark.parametrize("more", [["--port", "1"], ["--stage", "roof"], ["--serial", "x"]])
def test_events_end_with_finished_on_error_too(cli: Run, more: list[str]) -> None:
    ran = cli(*measure(), *more, "--events")
    assert ran.code in {2, 5}
    assert ran.events[-1]["event"] == "finished"
    assert ran.events[-1]["data"]["exit_code"] == ran.code
    assert ran.events[-1]["error"]["message"]


def test_the_plan_is_what_is_sent(cli: Run, olt: EmulatedOlt) -> None:
    """Word by word, but for the mark that each run draws for itself and for how often the state is read."""

    def collapsed(lines: list[str]) -> list[str]:
        lines = [MARK.sub("PONPROBE_mark", line) for line in lines]
        return [line for before, line in zip(["", *lines], lines, strict=False) if line != before]

    before = olt.snapshot()
    arguments = measure(GOOD, "0/1/0", "--description", "POS-3_port-4")
    dry = cli(*arguments, "--dry-run", "--json")
    planned = cli("plan", *arguments[1:], "--json")
    assert (dry.code, planned.code) == (0, 0)
    assert olt.snapshot() == before
    plan = planned.json
    assert dry.json["lines"][0] == plan["lines"][0]
    first = len(olt.commands)
    assert cli(*arguments).code == 0
    sent = collapsed(olt.commands[first:])
    expected = collapsed([line["line"] for line in (*plan["reads_done"], *plan["lines"])])
    begin = sent.index(expected[0])
    assert sent[begin : begin + len(expected)] == expected
    # before it the log-in, after it the log-out: nothing that changes anything
    around = sent[:begin] + sent[begin + len(expected) :]
    assert not [line for line in around if line.startswith(("ont", "service-port", "save", "undo service"))]


@pytest.mark.parametrize(
    ("port", "auth"),
    [
        ("0/1/0", ["--serial", GOOD]),
        ("0/1/3", ["--onu-password", "env:ONU_PASSWORD"]),
        ("0/1/3", ["--loid", "env:ONU_LOID", "--checkcode", "env:ONU_CHECKCODE"]),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--events"]])
def test_secrets_appear_nowhere(
    cli: Run, olt: EmulatedOlt, home: Path, *, port: str, auth: list[str], form: list[str]
) -> None:
    order = ["ma5683t", port, *auth, *PATH]
    written = []
    for name, arguments in (
        ("measure.txt", ["measure", *order]),
        ("measure.jsonl", ["measure", *order]),
        ("plan.txt", ["plan", *order]),
        ("discover.txt", ["discover", "ma5683t"]),
    ):
        ran = cli(*arguments, "-vv", "--transcript", name, *form)
        assert ran.code in {0, 3, 4}, ran.err
        written += [ran.out, ran.err, (home / name).read_text("utf-8")]
    # an error in the middle of the line that holds the secret
    olt.faults.on_command = _cut_at_ont_add
    ran = cli("measure", *order, "-vv", "--transcript", "cut.txt", *form)
    assert ran.code == 6, ran.err
    written += [ran.out, ran.err, (home / "cut.txt").read_text("utf-8")]
    written += [str(path.read_bytes()) for path in (home / "state").rglob("*") if path.is_file()]
    for value in CANARIES.values():
        for text in (value, value.encode().hex(), value.encode().hex().upper()):
            assert not [text for each in written if text in each], f"{text} was written"
    assert "display ont info" in (home / "measure.txt").read_text("utf-8")


def _cut_at_ont_add(_number: int, line: str, when: str) -> None:
    if line.startswith("ont add") and when == "executed":
        raise ConnectionAbortedError


def test_the_transcript_is_for_its_owner_alone(cli: Run, home: Path) -> None:
    assert cli("facts", "ma5683t", "--transcript", "t.txt").code == 0
    assert (home / "t.txt").stat().st_mode & 0o077 == 0


# ---------------------------------------------------------------------- people


def test_the_first_screen_answers_the_questions(cli: Run) -> None:
    ran = cli(*measure(), "--splitter", "翠竹苑3栋-POS-01", "--splitter-port", "4")
    words = " ".join(ran.err.split())
    for told in (
        "PASS 达标",
        "ma5683t", "127.0.0.1", "MA5683T", "MA5600V800R015C00",
        "0/1/0", "splitter 翠竹苑3栋-POS-01", "port 4",
        "0/1/0:2", GOOD, "S2000/C3001", "km",
        "OLT Tx", "OLT Rx", "ONU Tx", "ONU Rx", "attenuation",
        '"-20DB"', "ONU Rx >= -20 dBm", "margin",
        "CLEAN", "removed ONU 0/1/0:2", "display ont info by-sn",
    ):  # fmt: skip
        assert told in words, told


def test_a_fail_says_what_to_do_next(cli: Run) -> None:
    ran = cli(*measure(WEAK))
    words = " ".join(ran.err.split())
    assert "missed by" in words
    assert "both directions lose alike" in words
    assert "then measure again" in words


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[red]x[/red]", "[red]x[/red]"),
        ("[link=http://x]y", "[link=http://x]y"),
        ("[/]", "[/]"),
        ("\x1b[2Jgone", "<U+001B>[2Jgone"),
        ("a\u202eb", "a<U+202E>b"),
        ("two\nlines", "two lines"),
        (":smiley:", ":smiley:"),
    ],
)
def test_foreign_text_is_printed_as_it_is_and_steers_nothing(cli: Run, name: str, shown: str) -> None:
    ran = cli(*measure(), "--splitter", name)
    assert ran.code == 0
    assert f"splitter {shown}" in ran.err
    assert "\x1b" not in ran.err


def test_foreign_text_in_errors_and_tables(cli: Run) -> None:
    ran = cli("facts", "[red]nobody[/red]\x1b[2J")
    assert "[red]nobody[/red]" in ran.err
    assert "\x1b" not in ran.err


def test_colours_only_where_they_are_wanted(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert colour.search(cli("boards", "ma5683t").err)
    assert not colour.search(cli("boards", "ma5683t", "--no-color").err)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(cli("boards", "ma5683t").err)


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120, 250])
def test_every_width_is_readable(cli: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in (measure(WEAK), ["optics", "ma5683t", "0/1/0"], ["onus", "ma5683t", "0/1/0"], ["config", "show"]):
        ran = cli(*arguments, *(["--splitter", "翠竹苑3栋-POS-02"] if arguments[0] == "measure" else []))
        assert ran.code in {0, 3}, ran.err
        assert max(cell_len(line) for line in ran.err.splitlines()) <= columns
    if columns >= 60:
        bars = [line.strip() for line in cli(*measure(WEAK)).err.splitlines() if "●" in line and "◆" in line]
        assert all(bar.index("●") < bar.index("◆") for bar in bars)
        down = bars[0]
        assert down.index("┃") < down.index("◆"), "a failing line ends beyond the limit"


def test_a_terminal_without_unicode_gets_ascii(cli: Run) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "ponprobe.app", *measure(), "--splitter", "翠竹苑"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii:backslashreplace"},
    )
    assert process.returncode == 0
    text = process.stderr.decode("ascii")
    assert "PASS" in text
    assert "o====" in text
    assert "\\u7fe0" in text, "the splitter's name is still told"


def test_a_json_reader_without_unicode_gets_ascii(cli: Run) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "ponprobe.app", *measure(), "--splitter", "翠竹苑", "--json"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(process.stdout.decode("ascii"))["order"]["splitter"] == "翠竹苑"


def test_json_has_no_nan() -> None:
    dirty: dict[str, Any] = {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": (float("-inf"),)}}
    assert finite(dirty) == {"a": None, "b": [None, 1.5], "c": {"d": [None]}}
