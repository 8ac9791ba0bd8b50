"""What a shell offers after a Tab, asked as shells ask, and how light that is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ponprobe.emulator import EmulatedOlt, Lab

from .conftest import GOOD, PATH, Run
from .test_project import P, imported, sheet  # noqa: F401 - engineering data as the process has them

HEAVY = {"netmiko", "paramiko", "sqlalchemy", "textfsm", "yaml", "pysnmp", "ponprobe.emulator", "ponprobe.connect"}
Offer = Callable[..., list[str]]


def completed(shell: str, line: str, **more: str) -> tuple[list[str], set[str]]:
    """Ask as a shell does; also returns the modules that were loaded."""
    words = line.split(" ")
    environment = {**os.environ, **more, "_PONPROBE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    environment |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    script = (
        "import sys\nfrom ponprobe.app import main\nsys.argv = ['ponprobe']\n"
        "try:\n    main()\nfinally:\n    sys.stdout.flush()\n    sys.stderr.write(' '.join(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else [], set(done.stderr.split())


@pytest.fixture
def offer(cli: Run) -> Offer:
    def offered(line: str) -> list[str]:
        return completed("bash", line)[0]

    return offered


def test_commands_are_offered(offer: Offer) -> None:
    assert {"measure", "batch", "recover", "project"} <= set(offer("ponprobe "))
    assert offer("ponprobe rec") == ["recover"]
    assert {"import", "activate", "accept"} <= set(offer("ponprobe project "))
    assert "--request-id" in offer("ponprobe measure --req")


def test_names_of_the_inventory_are_offered_and_no_device_is_asked(offer: Offer, lab: Lab) -> None:
    assert offer("ponprobe measure ") == ["ma5683t", "ma5800"]
    assert offer("ponprobe facts ma58") == ["ma5800"]
    assert offer("ponprobe sweep ma5683t ma") == ["ma5683t", "ma5800"]
    assert offer("ponprobe recover ") == ["ma5683t", "ma5800"]
    assert all(olt.commands == [] for olt in lab.olts.values())


def test_the_inventory_is_that_of_the_command_line(offer: Offer, home: Path) -> None:
    entry = 'host = "192.0.2.1"\nplatform = "huawei_smartax"\nusername = "u"\npassword = "ask:"\n'
    (home / "other.toml").write_text(f"[olts.elsewhere]\n{entry}[olts.'bad; rm']\n{entry}", "utf-8")
    assert offer("ponprobe measure --config other.toml ") == ["elsewhere"], "a name that a shell would read is not one"
    (home / "ponprobe.toml").write_text("broken = [", "utf-8")
    assert offer("ponprobe measure ") == []


def test_words_with_a_meaning_are_offered(offer: Offer) -> None:
    assert {"construction", "user_side"} <= set(offer("ponprobe measure ma5683t 0/1/0 --stage "))
    assert "gpon_c_plus" in offer("ponprobe measure ma5683t 0/1/0 --class gpon_c")
    assert set(offer("ponprobe facts x --platform zte")) == {"zte_titan", "zte_zxan"}
    assert "demo_huawei" in offer("ponprobe emulate ")
    assert offer("ponprobe measure x 0/1/0 --access t") == ["telnet"]


def test_runs_that_may_be_left_are_offered(cli: Run, offer: Offer, olt: EmulatedOlt) -> None:
    run_id = cli("activate", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--json").json["run_id"]
    assert offer("ponprobe revoke ma5683t ") == [run_id]
    assert offer("ponprobe revoke ma5800 ") == []
    assert cli("revoke", "ma5683t", run_id).code == 0
    assert offer("ponprobe revoke ma5683t ") == []


def test_projects_and_their_splitters_are_offered(cli: Run, offer: Offer, home: Path) -> None:
    pytest.importorskip("openpyxl")
    assert offer("ponprobe project status ") == []
    imported(cli, home)
    assert offer("ponprobe project status ") == [P]
    # a name with a blank would be two words on the line
    assert offer(f"ponprobe project activate {P} --select ") == ["FAT-01-2", "ODP-1-1"]
    assert offer(f"ponprobe project show {P} OD") == ["ODP-1-1"]
    assert offer("ponprobe project show nothing ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_is_answered(cli: Run, shell: str) -> None:
    found, _ = completed(shell, "ponprobe rev")
    assert any("revoke" in line for line in found), found
    script = subprocess.run(
        [sys.executable, "-m", "ponprobe.app"],
        env={**os.environ, "_PONPROBE_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (script.returncode, f"complete_{shell}" in script.stdout) == (0, True), script.stderr


@pytest.mark.parametrize(
    "line", ["ponprobe ", "ponprobe measure ", "ponprobe revoke ma5683t ", "ponprobe project show P "]
)
def test_a_tab_is_light(cli: Run, line: str) -> None:
    assert sorted(HEAVY & completed("bash", line)[1]) == []


def test_bash_itself_completes(cli: Run, home: Path) -> None:
    """The script that users install, in the shell that they install it for."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    (home / "bin").mkdir()
    wrapper = home / "bin" / "ponprobe"
    wrapper.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c 'from ponprobe.app import main; main()' \"$@\"\n")
    wrapper.chmod(0o755)
    script = (
        "source <(ponprobe --show-completion bash 2>/dev/null || _PONPROBE_COMPLETE=source_bash ponprobe)\n"
        "COMP_WORDS=(ponprobe measure ma5) COMP_CWORD=2\n"
        "$(complete -p ponprobe | sed 's/.*-F \\([^ ]*\\) .*/\\1/') ponprobe\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["ma5683t", "ma5800"], done.stderr


def test_the_help_says_how_to_install_it(command: Run) -> None:
    ran = command("--help")
    assert "--install-completion" in ran.out
    assert "--show-completion" in ran.out
