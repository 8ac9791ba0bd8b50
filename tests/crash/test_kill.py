"""kill -9 at every command: ``ponprobe recover`` must leave nothing of ours and everything of others.

The measured process is a real ``ponprobe measure``; the emulated OLT kills it when a command arrives (before it is
executed) or when it has been executed (before it is answered).
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from personalities import EXHAUSTIVE, PERSONALITIES
from points import kinds_of_points
from ponprobe import emulator

Phase = Literal["arrived", "executed"]
PASSWORD_VARIABLE = "PONPROBE_TEST_PASSWORD"
ENABLE_VARIABLE = "PONPROBE_TEST_ENABLE"


class Zygote:
    """Starts ``ponprobe`` commands, tells their process id and how they ended."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pid = 0
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, argv: list[str], environment: dict[str, str]) -> None:
        request = {"argv": argv, "env": environment, "output": str(self.home / "output")}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        word, pid = self._line()
        assert word == "started"
        self.pid = int(pid)

    def ended(self) -> int:
        word, pid, status = self._line()
        assert (word, int(pid)) == ("ended", self.pid)
        return int(status)

    def run(self, argv: list[str], environment: dict[str, str]) -> int:
        self.start(argv, environment)
        return self.ended()

    @property
    def output(self) -> str:
        return (self.home / "output").read_text("utf-8", "replace")

    def _line(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the zygote is gone"
        return line.split()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    zygote = Zygote(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.close()


class Site:
    """One emulated OLT, and the commands that measure on it and recover it."""

    def __init__(self, zygote: Zygote, personality: Any, olt: emulator.EmulatedOlt, folder: Path) -> None:
        self.zygote = zygote
        self.olt = olt
        self.journal = folder / "journal.sqlite3"
        self.environment = {
            PASSWORD_VARIABLE: olt.password,
            "PONPROBE_JOURNAL": str(self.journal),
            "PONPROBE_KNOWN_HOSTS": str(folder / "known_hosts"),
            "PONPROBE_SAMPLES": "2",
            ENABLE_VARIABLE: olt.enable_password,
        }
        self.to_olt = [
            *("--host", olt.host, "--port", str(personality.port_of(olt)), "--access", personality.access),
            *("--platform", personality.platform, "--username", olt.username),
            *("--password", f"env:{PASSWORD_VARIABLE}", "--enable-password", f"env:{ENABLE_VARIABLE}"),
        ]
        self.measure = ["measure", personality.olt, *personality.order_options, *self.to_olt]
        self.recover = ["recover", personality.olt, *self.to_olt]

    def kill_at(self, argv: list[str], nth: int, phase: Phase) -> bool:
        """Run a command and kill it at its nth line; return whether there was such a line."""
        first = len(self.olt.commands)
        killed: list[int] = []

        def on_command(number: int, _line: str, at: str) -> None:
            if number - first == nth and at == phase and not killed:
                killed.append(self.zygote.pid)
                os.kill(self.zygote.pid, signal.SIGKILL)
                raise ConnectionAbortedError

        self.olt.faults.on_command = on_command
        status = self.zygote.run(argv, self.environment)
        self.olt.faults.on_command = None
        if killed:
            assert status == -signal.SIGKILL
        else:
            assert status in {0, 3}, self.zygote.output
        return bool(killed)

    def points(self, personality: Any, phase: Phase) -> Iterable[int]:
        """At which commands a measurement is killed: at all (the sweep ends after the last one), or at each kind."""
        if _every(personality, phase):
            return range(1, 500)
        with kinds_of_points(self.olt, self.journal) as kinds:
            assert self.zygote.run(self.measure, self.environment) in {0, 3}, self.zygote.output
        return kinds[phase]

    def unfinished_runs(self) -> int:
        with sqlite3.connect(self.journal) as connection:
            (count,) = connection.execute("select count(*) from runs where state <> 'clean'").fetchone()
        connection.close()
        return int(count)


def _every(personality: Any, phase: Phase) -> bool:
    # when a line was executed that changed nothing, all is as it was when it arrived
    return EXHAUSTIVE or (personality.every_command and phase == "arrived")


@pytest.fixture
def site(personality: Any, zygote: Zygote, tmp_path: Path) -> Iterator[Site]:
    with emulator.serve(personality.lab) as lab:
        yield Site(zygote, personality, lab.olts[personality.olt], tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("phase", ["arrived", "executed"])
def test_a_killed_measurement_is_recovered(site: Site, personality: Any, phase: Phase) -> None:
    """Killed whenever a line arrives; and when one was executed, wherever that leaves something else behind."""
    before = site.olt.snapshot()
    changed = killed = 0
    for nth in site.points(personality, phase):
        if not site.kill_at(site.measure, nth, phase):
            break
        killed += 1
        changed += site.olt.snapshot() != before
        assert site.zygote.run(site.recover, site.environment) == 0, f"killed at command {nth}: {site.zygote.output}"
        assert site.olt.snapshot() == before, f"killed at command {nth}, and recover left something"
        assert site.unfinished_runs() == 0, f"killed at command {nth}"
    every = _every(personality, phase)
    assert killed > (30 if every else 4), "a measurement has more commands, and more kinds of points, than that"
    assert changed > (5 if every else 1), "most of a run has something on the device; the kills must have hit it"


@pytest.mark.exhaustive
def test_a_recovery_that_is_killed_itself_is_recovered(site: Site) -> None:
    before = site.olt.snapshot()
    assert site.zygote.run(site.measure, site.environment) in {0, 3}, site.zygote.output
    everything_is_there = 1 + next(n for n, line in enumerate(site.olt.commands) if "optic" in line or "power" in line)
    for nth in range(1, 500):
        assert site.kill_at(site.measure, everything_is_there, "executed")
        assert site.olt.snapshot() != before
        hit = site.kill_at(site.recover, nth, "executed")
        if hit:
            assert site.zygote.run(site.recover, site.environment) == 0, site.zygote.output
        assert site.olt.snapshot() == before, f"recover was killed at command {nth}"
        assert site.unfinished_runs() == 0
        if not hit:
            break
    assert nth > 10


@pytest.mark.exhaustive
@pytest.mark.parametrize("phase", ["arrived", "executed"])
def test_an_olt_that_is_left_alone_takes_the_test_onu_away_by_itself(
    zygote: Zygote, tmp_path: Path, phase: Phase
) -> None:
    """With ``revoke_after_s``, a process that is killed anywhere needs nobody: the commit lapses."""
    personality = next(each for each in PERSONALITIES if each.platform == "bbf_xpon")
    with emulator.serve(personality.lab) as lab:
        site = Site(zygote, personality, lab.olts[personality.olt], tmp_path)
        inventory = tmp_path / "ponprobe.toml"
        inventory.write_text(
            f"[olts.{personality.olt}]\nhost = '{lab.olt.host}'\nplatform = 'bbf_xpon'\n"
            f"username = '{lab.olt.username}'\npassword = 'env:{PASSWORD_VARIABLE}'\n"
            f"[olts.{personality.olt}.netconf]\nport = {lab.olt.netconf_port}\nrevoke_after_s = 600\n",
            encoding="utf-8",
        )
        site.environment["PONPROBE_CONFIG"] = str(inventory)
        before, waited = site.olt.snapshot(), 0
        for nth in range(1, 500):
            if not site.kill_at(site.measure, nth, phase):
                break
            _until(lambda: site.olt.sessions_open == 0)
            waited += site.olt.netconf.expire()
            assert site.olt.snapshot() == before, f"killed at command {nth}: the OLT did not take it back by itself"
        assert nth > 25, "a measurement has more requests than that"
        assert waited > 5, "most of a run has something on the device that the OLT took away"
        assert site.zygote.run(site.recover, site.environment) == 0, site.zygote.output
        assert site.unfinished_runs() == 0, "and whoever looks later proves it"


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline, "the OLT still has a session of a process that is dead"
        time.sleep(0.005)
