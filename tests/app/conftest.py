"""The command against real emulated OLTs: in-process, but with everything that a shell would see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ponprobe.app import run
from ponprobe.app.emulate import inventory
from ponprobe.emulator import EmulatedOlt, Lab, Scenario, serve

GOOD, WEAK, ELSEWHERE, FOREIGN = "HWTC0B086EA9", "HWTC0B086EB0", "HWTC0B086EC1", "HWTC0B086ED2"
PATH = ["--svlan", "2000", "--cvlan", "3001", "--line-profile", "20", "--service-profile", "20"]
CHANGES = re.compile(r"^(ont (add|confirm|delete|port)|service-port|undo service-port|save)\b")
CANARIES = {
    "LAB_PASSWORD": "Canary-OLT-77",
    "LAB_COMMUNITY": "Canary-Snmp-88",
    "ONU_PASSWORD": "CanaryPw9",
    "ONU_LOID": "CanaryLoid5570",
    "ONU_CHECKCODE": "CanaryChk",
}


@dataclass
class Ran:
    """What a shell sees of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The demo scenario with secrets that must appear nowhere."""
    scenario = Scenario.load("demo_huawei")
    for olt in scenario.olts:
        olt.password = CANARIES["LAB_PASSWORD"]
        olt.snmp.community = CANARIES["LAB_COMMUNITY"]
        for port in olt.ports.values():
            for ont in port.onts:
                if ont.password is not None:
                    ont.password = CANARIES["ONU_PASSWORD"]
                if ont.loid is not None:
                    ont.loid, ont.checkcode = CANARIES["ONU_LOID"], CANARIES["ONU_CHECKCODE"]
    return scenario


@pytest.fixture
def lab(scenario: Scenario) -> Iterator[Lab]:
    with serve(scenario) as lab:
        yield lab


@pytest.fixture
def olt(lab: Lab) -> EmulatedOlt:
    return lab.olts["ma5683t"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of their own: no configuration, no journal, no colours, a wide terminal."""
    for name in ("XDG_CONFIG_HOME", "NO_COLOR", "FORCE_COLOR", "PONPROBE_CONFIG", "TERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line without an inventory."""

    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return ran


@pytest.fixture
def cli(command: Run, lab: Lab, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of a user whose inventory has the lab's OLTs."""
    (home / "ponprobe.toml").write_text(inventory(lab), "utf-8")
    for name in lab.olts:
        monkeypatch.setenv(f"PONPROBE_LAB_{name.upper()}", CANARIES["LAB_PASSWORD"])
        monkeypatch.setenv(f"PONPROBE_LAB_{name.upper()}_COMMUNITY", CANARIES["LAB_COMMUNITY"])
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    # these suites disturb the command line and look at what it was sent; test_snmp.py is about the other road
    monkeypatch.setenv("PONPROBE_ROUTES", "cli")
    return command


def measure(serial: str = GOOD, port: str = "0/1/0", *more: str, olt: str = "ma5683t") -> list[str]:
    return ["measure", olt, port, "--serial", serial, *PATH, *more]


def changes(olt: EmulatedOlt) -> list[str]:
    return [line for line in olt.commands if CHANGES.match(line)]
