"""The commands beside ``measure``, and how light the start is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ponprobe import __version__, config
from ponprobe.app import main, run
from ponprobe.emulator import EmulatedOlt, Lab

from .conftest import CANARIES, GOOD, PATH, Run, measure

HEAVY = ("netmiko", "paramiko", "sqlalchemy", "textfsm", "yaml", "ponprobe.emulator")


def in_a_process(*arguments: str, blocked: tuple[str, ...] = ()) -> tuple[int, str, str, set[str]]:
    """Run a command in a fresh interpreter; also returns the modules that it loaded."""
    script = (
        "import sys, json\n"
        f"for name in {blocked!r}: sys.modules[name] = None\n"
        "from ponprobe.app import run\n"
        f"code = run({list(arguments)!r})\n"
        "sys.stdout.flush()\n"
        "sys.stderr.write('\\n' + json.dumps([code, sorted(n for n, m in sys.modules.items() if m)]))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    err, _, last = process.stderr.rpartition("\n")
    code, modules = json.loads(last)
    return code, process.stdout, err, set(modules)


# ---------------------------------------------------------------------- the start


def test_the_version_needs_nothing() -> None:
    code, out, err, modules = in_a_process("--version")
    assert (code, out, err) == (0, f"ponprobe {__version__}\n", "")
    assert not {*HEAVY, "typer", "rich", "pydantic"} & modules


@pytest.mark.parametrize("arguments", [["--help"], ["measure", "--help"], ["measure", "--nonsense"]])
def test_help_is_light(arguments: list[str]) -> None:
    code, _, _, modules = in_a_process(*arguments)
    assert code == (0 if "--help" in arguments else 2)
    assert not {*HEAVY} & modules


def test_a_question_needs_no_database(lab: Lab, olt: EmulatedOlt, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", CANARIES["LAB_PASSWORD"])
    code, out, _, modules = in_a_process("facts", "lab", "--json", *road(olt))
    assert (code, json.loads(out)["facts"]["model"]) == (0, "MA5683T")
    assert not {"sqlalchemy", "ponprobe.emulator"} & modules


def test_without_the_extra_it_says_what_to_install() -> None:
    code, out, err, _ = in_a_process("measure", "--help", blocked=("typer",))
    assert (code, out) == (2, "")
    assert "pip install 'ponprobe[app]'" in err
    assert len(err.strip().splitlines()) == 1


def test_no_arguments_is_help(command: Run) -> None:
    ran = command()
    assert ran.code == 2
    assert "measure" in ran.out + ran.err


# ---------------------------------------------------------------------- the road to an OLT


def road(olt: EmulatedOlt, access: str = "ssh") -> list[str]:
    port = olt.ssh_port if access == "ssh" else olt.telnet_port
    return [
        "--host", olt.host, "--port", str(port), "--access", access, "--platform", "huawei_smartax",
        "--username", olt.username, "--password", "env:LAB_PASSWORD",
    ]  # fmt: skip


@pytest.mark.parametrize("access", ["ssh", "telnet"])
def test_no_inventory_is_needed(command: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch, access: str) -> None:
    monkeypatch.setenv("LAB_PASSWORD", CANARIES["LAB_PASSWORD"])
    before = olt.snapshot()
    kept = command("activate", "north", "0/1/0", "--serial", GOOD, *PATH, *road(olt, access), "--json")
    assert (kept.code, kept.json["olt"], kept.json["host"]) == (0, "north", olt.host)
    assert olt.snapshot() != before
    command_line = kept.json["revoke"].split()
    assert command_line[:3] == ["ponprobe", "revoke", "north"]
    done = command(*command_line[1:], "--json")
    assert (done.code, done.json["clean"], olt.snapshot() == before) == (0, True, True)


def test_the_host_alone_names_an_olt(command: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", CANARIES["LAB_PASSWORD"])
    ran = command("facts", olt.host, *road(olt)[2:], "--json")
    assert (ran.code, ran.json["olt"]) == (0, olt.host)


def test_options_go_over_the_inventory(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli("facts", "ma5683t", "--access", "telnet", "--port", str(olt.telnet_port), "--json")
    assert ran.code == 0
    over = cli("facts", "ma5683t", "--host", "localhost", "--json")
    assert (over.code, over.json["olt"], over.json["host"]) == (0, "ma5683t", "localhost")


# ---------------------------------------------------------------------- a test ONU that stays


def test_activate_keeps_recover_leaves_and_revoke_ends(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    kept = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH)
    assert kept.code == 0
    assert "0/1/0:2 is registered on ma5683t and stays there" in kept.err
    left_alone = cli("recover", "--json")
    (entry,) = left_alone.json["olts"]
    assert (left_alone.code, entry["recovered"]) == (0, [])
    assert olt.snapshot() != before
    run_id = entry["kept"][0]["run_id"]
    assert f"revoke ma5683t {run_id}" in " ".join(cli("recover", "ma5683t").err.split())
    assert "nothing to recover" in cli("recover", "ma5800").err
    for _ in range(2):
        done = cli("revoke", "ma5683t", run_id)
        assert (done.code, olt.snapshot() == before) == (0, True)
        assert "CLEAN" in done.err
    elsewhere = cli("revoke", "ma5800", run_id)
    assert (elsewhere.code, "belongs to ma5683t" in elsewhere.err) == (2, True)


def test_measure_can_keep(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    ran = cli(*measure(), "--keep")
    assert (ran.code, "KEPT" in ran.err) == (0, True)
    assert olt.snapshot() != before
    again = cli(*measure(), "--json")
    assert (again.code, again.json["error"]["class"]) == (8, "AlreadyExists")
    command_line = " ".join(ran.err.split()).partition("take it away with: ponprobe ")[2].split()[:3]
    assert (cli(*command_line).code, olt.snapshot() == before) == (0, True)


def test_recover_of_an_olt_that_nobody_knows_any_more_is_7(cli: Run, olt: EmulatedOlt, home: Path) -> None:
    def cut(_number: int, line: str, when: str) -> None:
        if line.startswith(("undo service-port", "ont delete")) and when == "arrived":
            raise ConnectionAbortedError

    os.environ["PONPROBE_REMOVAL_WAIT_S"] = "0.1"
    try:
        olt.faults.on_command = cut
        assert cli(*measure()).code == 7
    finally:
        del os.environ["PONPROBE_REMOVAL_WAIT_S"]
        olt.faults.on_command = None
    inventory = (home / "ponprobe.toml").read_text()
    (home / "ponprobe.toml").write_text("")
    lost = cli("recover", "--json")
    assert (lost.code, "no OLT" in lost.json["olts"][0]["recovered"][0]["error"]) == (7, True)
    (home / "ponprobe.toml").write_text(inventory)
    assert cli("recover").code == 0


# ---------------------------------------------------------------------- without an OLT


def test_the_demo_ends_as_it_must(command: Run, home: Path) -> None:
    ran = command("demo")
    assert (ran.code, ran.out) == (0, ""), ran.err
    for told in ("PASS 达标", "FAIL 不达标", "found on 0/1/1", "telnet", "snapshots before and after are identical"):
        assert told in ran.err, told
    assert not (home / "state").exists(), "the user's own journal and host keys are not touched"
    as_json = command("demo", "--json").json
    assert [case["outcome"] for case in as_json["cases"]] == ["pass", "fail", "wrong_port", "pass", "pass", "fail"]
    assert as_json["snapshots_identical"] is True


def test_emulate_gives_an_inventory_that_works(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", "emulate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    told = ""
    while "Ctrl-C" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    process.send_signal(signal.SIGINT)
    toml, rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "")
    (home / "ponprobe.toml").write_text(toml)
    olts = config.load(home / "ponprobe.toml").olts
    assert set(olts) == {"ma5683t", "ma5800"}
    assert olts["ma5800"].password.get_secret_value() == "env:PONPROBE_LAB_MA5800"
    assert "export PONPROBE_LAB_MA5800=" in told
    assert str(olts["ma5800"].port) in told


ANSWER = """MA5683T(config)#display ont info 0 1 0 all
  -----------------------------------------------------------------------------
  F/S/P   ONT         SN         Control     Run      Config   Match    Protect
          ID                     flag        state    state    state    side
  -----------------------------------------------------------------------------
  0/ 1/0    0  48575443F2D53A10  active      online   normal   match    no
  -----------------------------------------------------------------------------
  In port 0/ 1/0 , the total of ONTs are: 1, online: 1
  -----------------------------------------------------------------------------
MA5683T(config)#
"""
PARSE = ["parse", "--platform", "huawei_smartax", "--command", "display ont info 0 1 0 all"]


def test_parse_reads_a_file(command: Run, home: Path) -> None:
    (home / "answer.txt").write_text(ANSWER)
    ran = command(*PARSE, "answer.txt")
    assert (ran.code, ran.json["kind"]) == (0, "onus")
    assert ran.json["records"][0]["serial"] == "HWTCF2D53A10"
    missing = command(*PARSE, "nowhere.txt")
    assert (missing.code, "nowhere.txt" in missing.err) == (2, True)
    assert command("parse", "--platform", "abacus", "answer.txt").code == 2


def test_parse_reads_stdin_and_streams(home: Path) -> None:
    once = subprocess.run(
        [sys.executable, "-m", "ponprobe.app", *PARSE, "-"], input=ANSWER, capture_output=True, text=True, check=True
    )
    assert json.loads(once.stdout)["kind"] == "onus"
    asked = {"id": 7, "platform": "huawei_smartax", "command": PARSE[-1], "context": None, "text": ANSWER}
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", "parse", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number in (7, 8):
        process.stdin.write(json.dumps({**asked, "id": number}) + "\n")
        process.stdin.flush()
        # each answer comes before the next question: flushed
        answer = json.loads(process.stdout.readline())
        assert (answer["id"], answer["error"], answer["records"][0]["onu"]) == (number, None, "0/1/0:0")
    process.stdin.close()
    assert process.stdout.read() == ""
    process.stdout.close()
    assert process.wait(timeout=30) == 0


def test_config_show_names_origins_and_no_password(cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONPROBE_SAMPLES", "5")
    monkeypatch.setenv("PONPROBE_JOURNAL", "postgresql://probe:Canary-db@db/ponprobe")
    ran = cli("config", "show", "--json")
    assert ran.code == 0
    assert ran.json["settings"]["samples"] == {"value": 5, "origin": "environment PONPROBE_SAMPLES"}
    assert ran.json["settings"]["host_keys"]["origin"] == "default"
    assert ran.json["olts"][0]["password"] == "env:PONPROBE_LAB_MA5683T"
    shown = cli("config", "show")
    assert "PONPROBE_SAMPLES" in shown.err
    for text in (ran.out, ran.err, shown.err):
        assert "Canary" not in text


def test_a_reader_that_has_had_enough_is_no_error(home: Path) -> None:
    (home / "answer.txt").write_text(ANSWER)
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", *PARSE, "answer.txt"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


def test_events_that_nobody_reads_do_not_stop_a_run(cli: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    process = subprocess.Popen(
        [sys.executable, "-m", "ponprobe.app", *measure(), "--events"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err, olt.snapshot() == before) == (0, b"", True)


def test_run_is_what_main_exits_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ponprobe", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert run(["--version"]) == 0
