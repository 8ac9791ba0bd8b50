"""The examples run as they stand, and the documents' snippets are true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ponprobe import emulator
from ponprobe.config import Settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def lab() -> Iterator[emulator.Lab]:
    with emulator.serve("demo_huawei") as lab:
        yield lab


@pytest.fixture
def environment(lab: emulator.Lab, tmp_path: Path) -> dict[str, str]:
    olt = lab.olt
    file = tmp_path / "ponprobe.toml"
    file.write_text(
        f"""
        [settings]
        journal = "{tmp_path}/journal.sqlite3"
        known_hosts = "{tmp_path}/known_hosts"

        [olts.lab]
        host = "{olt.host}"
        port = {olt.ssh_port}
        platform = "huawei_smartax"
        username = "{olt.username}"
        password = "env:LAB_PASSWORD"
        """,
        "utf-8",
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PONPROBE_CONFIG": str(file), "LAB_PASSWORD": olt.password}


def test_measure(lab: emulator.Lab, environment: dict[str, str]) -> None:
    before = lab.olt.snapshot()
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "01_measure.py"), "lab", "0/1/0", "HWTC0B086EA9", "2000", "3001"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "device clean True" in done.stdout
    assert "达标" in done.stdout
    assert lab.olt.snapshot() == before


def test_diagnose(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "05_look_around.py"), "lab", "0/1/0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "waiting on 0/1/0: HWTC0B086EA9" in done.stdout
    assert "Error Systems Ltd" in done.stdout


def test_batch(lab: emulator.Lab, environment: dict[str, str], tmp_path: Path) -> None:
    before = lab.olt.snapshot()
    jobs = tmp_path / "jobs"
    jobs.write_text(
        "lab 0/1/0 HWTC0B086EA9 2000 3001 Riser 1, splitter 1\nlab 0/1/0 HWTC0B086EB0 2000 3001 分光器 2\n", "utf-8"
    )
    results = tmp_path / "results"
    done = subprocess.run(
        ["sh", str(EXAMPLES / "04_batch.sh"), str(jobs), str(results)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr + done.stdout
    assert done.stdout == "1: exit 0 (Riser 1, splitter 1)\n2: exit 3 (分光器 2)\n"
    outcomes = [json.loads((results / f"{n}.json").read_text("utf-8"))["verdict"]["outcome"] for n in (1, 2)]
    assert outcomes == ["pass", "fail"]
    assert lab.olt.snapshot() == before


def test_the_scenario_in_the_documents_can_be_served(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    (scenario,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "mine.yaml"
    file.write_text(scenario, "utf-8")
    with emulator.serve(file) as mine:
        assert [str(ont.serial) for ont in mine.olt.world.onts.values()] == ["HWTC0B086EA9"]


def test_every_setting_is_in_the_documents() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} -> {target}"
