"""kill -9 at every command of a batch: ``recover`` must leave nothing of ours and everything of others.

The killed process is a real one that measures several splitters at once; the emulated OLT kills it when a command
arrives (before it is executed) or when it has been executed (before it is answered).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from batches import Many, many
from personalities import EXHAUSTIVE, PERSONALITIES
from points import kinds_of_points
from ponprobe import emulator
from ponprobe.models.acceptance import MARK_PREFIX

Phase = Literal["arrived", "executed"]
EXHAUSTED = [each for each in PERSONALITIES if each.id in {"ma5683t-ssh", "c320-ssh"}]
"""Killed at every command on the first, cut off at every command on the second; all of them now and then."""


class Zygote:
    """Starts processes that measure a batch, and tells how they ended."""

    def __init__(self, home: Path) -> None:
        self.output = home / "output"
        self.pid = 0
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("batch_zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, given: dict[str, Any]) -> int:
        request = {"argv": [json.dumps(given)], "env": {}, "output": str(self.output)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        word, pid = self._line()
        assert word == "started"
        self.pid = int(pid)
        word, _, status = self._line()
        assert word == "ended"
        return int(status)

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
    """One emulated OLT, a batch for it, and its recovery."""

    def __init__(self, zygote: Zygote, batch: Many, olt: emulator.EmulatedOlt, folder: Path) -> None:
        self.zygote, self.batch, self.olt, self.folder = zygote, batch, olt, folder
        self.before = olt.snapshot()
        self.live: list[int] = []
        """How many test ONUs were on the device at each kill."""

    @property
    def given(self) -> dict[str, Any]:
        return {
            "host": self.olt.host,
            "olt": {
                "platform": self.batch.personality.platform,
                "username": self.olt.username,
                "password": self.olt.password,
                "enable_password": self.olt.enable_password,
                "access": self.batch.personality.access,
                "port": self.batch.personality.port_of(self.olt),
                "journal": str(self.folder / "journal.sqlite3"),
                "known_hosts": str(self.folder / "known_hosts"),
                "samples": 2,
            },
            "orders": [order.model_dump(mode="json") for order in self.batch.orders],
            "keep": False,
        }

    def marked(self) -> int:
        world = self.olt.world
        with world.lock:
            texts = [f"{entry.description} {entry.shown_serial}" for entry in world.onus.values()]
        return sum(MARK_PREFIX in text or str(text.split()[-1])[4:6] == "0D" for text in texts)

    def kill_at(self, nth: int, phase: Phase) -> bool:
        """Measure the batch and kill it at its nth line; return whether there was such a line."""
        first = len(self.olt.commands)
        killed: list[int] = []

        def on_command(number: int, _line: str, at: str) -> None:
            if number - first == nth and at == phase and not killed:
                killed.append(self.zygote.pid)
                self.live.append(self.marked())
                os.kill(self.zygote.pid, signal.SIGKILL)
                raise ConnectionAbortedError

        self.olt.faults.on_command = on_command
        status = self.zygote.run(self.given)
        self.olt.faults.on_command = None
        assert status == (-signal.SIGKILL if killed else 0), self.zygote.output.read_text("utf-8", "replace")
        return bool(killed)

    def recover(self, what: str) -> None:
        """Finish what the killed process left, in this process, and hold it against the state before."""
        with self.batch.connected(self.olt, self.folder) as olt:
            recovered = olt.recover()
            assert all(each.clean for each in recovered), f"{what}: {recovered}"
            assert olt._open_journal().unfinished() == (), what
        assert self.olt.snapshot() == self.before, f"{what}, and recover left something"

    def kill_everywhere(self, phase: Phase, points: Iterable[int]) -> int:
        """Kill at each of these commands, as long as there are so many; return the last one."""
        last = 0
        for nth in points:
            if not self.kill_at(nth, phase):
                break
            self.recover(f"killed at command {nth} ({phase})")
            last = nth
        assert self.olt.snapshot() == self.before
        return last

    def kinds(self, phase: Phase) -> list[int]:
        """The commands at which a kill leaves something else behind than before."""
        with kinds_of_points(self.olt, self.folder / "journal.sqlite3") as kinds:
            assert self.zygote.run(self.given) == 0, self.zygote.output.read_text("utf-8", "replace")
        return kinds[phase]


@pytest.fixture
def site(request: pytest.FixtureRequest, zygote: Zygote, tmp_path: Path) -> Iterator[Site]:
    personality, count = request.param
    batch = many(personality, count)
    with emulator.serve(batch.scenario) as lab:
        yield Site(zygote, batch, lab.olt, tmp_path)


def _each(personalities: list[Any], count: int) -> Any:
    cases = [(each, count) for each in personalities]
    return pytest.mark.parametrize("site", cases, ids=[each.id for each in personalities], indirect=True)


@_each(list(PERSONALITIES), 3)
def test_a_killed_batch_is_recovered_now_and_then(site: Site) -> None:
    # a transaction of NETCONF is several requests, so a stride that meets each ONU on the command line would miss one
    stride = 19 if site.batch.personality.platform != "bbf_xpon" else 5
    assert site.kill_everywhere("executed", range(1, 1000, stride)) > 60
    assert {1, 3} <= set(site.live), "kills hit the registering and the waiting"


@pytest.mark.exhaustive
@pytest.mark.parametrize("phase", ["arrived", "executed"])
@_each(EXHAUSTED[:1], 2)
def test_a_killed_batch_is_recovered(site: Site, phase: Phase) -> None:
    every = EXHAUSTIVE or phase == "arrived"
    assert site.kill_everywhere(phase, range(1, 1000) if every else site.kinds(phase)) > 50
    assert set(site.live) == {0, 1, 2}
    there = sum(there > 0 for there in site.live)
    assert there > (30 if every else 6), "most of a batch has something on the device"


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
@_each(EXHAUSTED[1:], 2)
def test_a_session_that_is_cut_anywhere_leaves_nothing(site: Site, fault: str) -> None:
    """Not the process but its session ends, in turn before the odd and after the even commands: the batch goes on.

    A single run meets both at every command (the driver contract); a batch adds nothing to a line but its neighbours.
    """
    from ponprobe.session.batch import measure_batch  # noqa: PLC0415 - beside the killed processes

    failed = 0
    for nth in range(1 if fault == "cut_before" else 2, 1000, 2):
        armed = len(site.olt.commands) + nth
        setattr(site.olt.faults, fault, armed)
        with site.batch.connected(site.olt, site.folder) as olt:
            result = measure_batch(olt, site.batch.orders)
            assert result.clean, f"{fault} at command {nth}: {result.left}"
            assert olt._open_journal().unfinished() == (), f"{fault} at command {nth}"
        assert site.olt.snapshot() == site.before, f"{fault} at command {nth}"
        failed += result.failed
        assert result.failed <= 1, f"{fault} at command {nth}: one session is lost, one order at most is"
        if len(site.olt.commands) < armed:
            break
    assert failed > 1, "a change whose answer is lost must not be made again"
