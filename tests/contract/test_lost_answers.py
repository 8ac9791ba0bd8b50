"""A change that was made and whose answer is lost: it is never made again, and the run takes everything back by itself.

The sweeps of the contract end with ``recover``, which would put right what a run forgot to; here nobody recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import config, emulator
from ponprobe.connect import connect
from ponprobe.errors import PonprobeError
from ponprobe.session.olt import Olt


@pytest.fixture
def device(personality: Any) -> Iterator[emulator.EmulatedOlt]:
    with emulator.serve(personality.lab) as lab:
        yield lab.olt


@pytest.fixture
def opened(personality: Any, device: emulator.EmulatedOlt, tmp_path: Path) -> Callable[[], Olt]:
    netconf_port = personality.netconf_port_of(device)

    def open_it() -> Olt:
        return connect(
            device.host,
            platform=personality.platform,
            username=device.username,
            password=SecretStr(device.password),
            enable_password=SecretStr(device.enable_password),
            access=personality.access,
            port=personality.port_of(device),
            netconf=None if netconf_port is None else config.NetconfEntry(port=netconf_port, changes=True),
            journal=str(tmp_path / "journal.sqlite3"),
            known_hosts=tmp_path / "known_hosts",
            online_timeout_s=30,
            samples=1,
        )

    return open_it


def changing(device: emulator.EmulatedOlt, run: Callable[[], object]) -> list[int]:
    """The numbers, from 1, of the commands of a run that change the device."""
    first, numbers = len(device.commands), list[int]()
    before: list[Any] = [None]

    def watch(number: int, _line: str, moment: str) -> None:
        now = device.snapshot()
        if moment == "executed" and now != before[0]:
            numbers.append(number - first)
        before[0] = now

    device.faults.on_command = watch
    run()
    device.faults.on_command = None
    return numbers


def test_a_lost_change_is_not_made_again_and_the_run_takes_it_back(
    personality: Any, device: emulator.EmulatedOlt, opened: Callable[[], Olt]
) -> None:
    def measure() -> None:
        with opened() as olt:
            assert olt.measure(personality.order).clean

    before = device.snapshot()
    numbers = changing(device, measure)
    reading = next(n for n, line in enumerate(device.commands, 1) if personality.read_words in line and n > numbers[0])
    assert numbers[0] < reading < numbers[-1], "there are changes on both sides of the reading"
    for nth in numbers:
        lost = device.faults.cut_after = len(device.commands) + nth
        error: PonprobeError | None = None
        try:
            measure()
        except PonprobeError as exc:
            error = exc
        line, later = device.commands[lost - 1], device.commands[lost:]
        # a candidate dies with its session, and whether a commit is still due is read first: both may come again
        if not line.startswith(("edit-config candidate ", "commit")):
            assert line not in later, f"{line!r} was made again"
        assert device.snapshot() == before, f"change {nth} ({line!r}) was not taken back"
        if error is None:
            assert nth > reading, f"change {nth} was lost, and the run went on as if it had been answered"
        else:
            assert error.after_change == "rolled_back", f"change {nth}: {error}"
    with opened() as olt:
        assert olt.recover() == (), "there is nothing left to recover"
