"""The example of a whole project runs as it stands, and the commands of its document exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from ponprobe import emulator
from ponprobe.app import cli

pytest.importorskip("openpyxl")
pytest.importorskip("alembic")

ROOT = Path(__file__).resolve().parents[2]
DATA = "OLT名称,OLT管理IP,PON口,SVLAN,线路模板,业务模板,分光器名称\nma5683t,127.0.0.1,0/1/0,2000,20,20,FAT-01-1\n"


def test_a_project(tmp_path: Path) -> None:
    (tmp_path / "pos.csv").write_text(DATA, "utf-8")
    (tmp_path / "cvlan.csv").write_text("CVLAN范围\n3001-3002\n", "utf-8")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n photo")
    with emulator.serve("demo_huawei") as lab:
        olt = lab.olts["ma5683t"]
        before = olt.snapshot()
        (tmp_path / "ponprobe.toml").write_text(
            f"""
            [settings]
            journal = "{tmp_path}/journal.sqlite3"
            known_hosts = "{tmp_path}/known_hosts"

            [olts.ma5683t]
            host = "{olt.host}"
            port = {olt.ssh_port}
            platform = "huawei_smartax"
            username = "{olt.username}"
            password = "env:LAB_PASSWORD"
            """,
            "utf-8",
        )
        done = subprocess.run(
            [
                sys.executable, str(ROOT / "examples" / "02_accept.py"), "store.sqlite3", "XM-1", "pos.csv",
                "cvlan.csv", "photo.png", "FAT-01-1=HWTC0B086EA9",
            ],
            env={**os.environ, "PONPROBE_CONFIG": "ponprobe.toml", "LAB_PASSWORD": olt.password},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "'激活状态': '激活成功'" in done.stdout
        assert "入库: 1 of 1 passed, clean True" in done.stdout
        assert olt.snapshot() == before


def test_every_command_of_the_document_is_one() -> None:
    """Names and options: a document must not speak of what is not there."""
    text = (ROOT / "docs" / "projects.md").read_text("utf-8")
    group = typer.main.get_command(cli.app).commands["project"].commands  # type: ignore[attr-defined]
    lines = [
        line.partition("#")[0]
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("ponprobe project ")
    ]
    assert len(lines) >= 12
    for line in lines:
        name, *words = shlex.split(line)[2:]
        known = {option for each in group[name].params for option in (*each.opts, *each.secondary_opts)}
        assert [word for word in words if word.startswith("-") and word not in known] == [], line
    assert {name for name in group if f"`{name}`" not in text and f"project {name}" not in text} == set()
