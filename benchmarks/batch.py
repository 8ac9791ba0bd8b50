"""A batch of splitters on one OLT against the same splitters one after another, in the same run.

The emulated OLT is in a process of its own. Two numbers are simulated, and printed: how long the device takes for each
command, and how long an ONU ranges (from its registration until it is online). The field says "tens of seconds" for the
second; the longer it is, the more a batch gains, so a short time is the careful choice here.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.emulator.scenario import OntSpec
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.session.batch import measure_batch
from ponprobe.session.olt import Olt

SPLITTERS = 16
COMMAND_S = 0.005
RANGING_S = 3.0
SIZES = (4, 8, 16, 32, 64)
SAMPLES = 3
_OLTS = {"huawei": ("demo_huawei", "ma5683t", ("0/1/0", "0/1/1", "0/1/2", "0/0/0"))}
_OLTS["zte"] = ("demo_zte", "c320", ("1/1/1", "1/1/2", "1/1/3"))


def serial_of(vendor: str, index: int) -> Serial:
    return Serial(f"{'HWTC' if vendor == 'huawei' else 'ZTEG'}0D{index:06X}")


def scenario_of(vendor: str, count: int, ranging_s: float) -> emulator.Scenario:
    """The demonstration's OLT with ``count`` more test ONUs, in turn on its ports."""
    name, olt, ports = _OLTS[vendor]
    scenario = emulator.builtin_scenario(name)
    scenario.olts = [spec for spec in scenario.olts if spec.name == olt]
    (spec,) = scenario.olts
    for index in range(count):
        port = spec.ports[ports[index % len(ports)]]
        port.onts.append(
            OntSpec(
                serial=serial_of(vendor, index),
                splitter=port.splitters[-1].name if vendor == "zte" else port.splitters[0].name,
                online_after_s=ranging_s,
                macs=(f"00e0-fcdd-{index:04x}",),
            )
        )
    return scenario


def orders_of(vendor: str, count: int) -> list[ActivationOrder]:
    ports = _OLTS[vendor][2]
    family: dict[str, Any] = {"line_profile": ProfileRef(id=20), "service_profile": ProfileRef(id=20)}
    if vendor == "zte":
        family = {"onu_type": "TEST-1GE", "tcont_profile": "TEST-100M"}
    return [
        ActivationOrder(
            port=PonPort.parse(ports[index % len(ports)]),
            auth=OnuAuth(serial=serial_of(vendor, index)),
            vlans=VlanStack(svlan=2000, cvlan=3001 + index),
            splitter=f"splitter {index + 1}",
            **family,
        )
        for index in range(count)
    ]


class Lab:
    """The emulated OLT's process."""

    def __init__(self, vendor: str, count: int, ranging_s: float) -> None:
        argv = [sys.executable, "-m", "benchmarks.batch", "lab", vendor, str(count), str(ranging_s), str(COMMAND_S)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address: dict[str, Any] = json.loads(self._process.stdout.readline())

    def connected(self, folder: Path) -> Olt:
        secrets = {name: SecretStr(self.address[name]) for name in ("password", "enable_password")}
        given = {**self.address, **secrets}
        return connect(
            given.pop("host"),
            **given,
            journal=str(folder / "journal.sqlite3"),
            known_hosts=folder / "known_hosts",
            samples=SAMPLES,
        )

    def close(self) -> None:
        self._process.communicate()


def serve(vendor: str, count: int, ranging_s: float, command_s: float) -> None:
    """Be the emulated OLT until stdin ends."""
    with emulator.serve(scenario_of(vendor, count, ranging_s)) as lab:
        olt = lab.olt
        olt.faults.delay_s = command_s
        user = {"username": olt.username, "password": olt.password, "enable_password": olt.enable_password}
        print(json.dumps({"host": olt.host, "port": olt.ssh_port, "platform": olt.platform, **user}), flush=True)
        sys.stdin.read()


def one_after_another(olt: Olt, orders: Sequence[ActivationOrder]) -> float:
    start = time.perf_counter()
    for order in orders:
        assert olt.measure(order).clean
    return time.perf_counter() - start


def all_at_once(olt: Olt, orders: Sequence[ActivationOrder]) -> tuple[float, int]:
    start = time.perf_counter()
    result = measure_batch(olt, orders)
    assert result.clean
    assert result.measured == len(orders)
    return time.perf_counter() - start, result.lines_sent


def compare(vendor: str, folder: Path, runs: int) -> None:
    orders, lab = orders_of(vendor, SPLITTERS), Lab(vendor, SPLITTERS, RANGING_S)
    try:
        with lab.connected(folder) as olt:
            olt.facts()
            pairs = []
            for _ in range(runs):
                batch, _lines = all_at_once(olt, orders)
                pairs.append((one_after_another(olt, orders), batch))
    finally:
        lab.close()
    single, batched = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(
        f"{vendor}, {SPLITTERS} splitters, {COMMAND_S * 1e3:g} ms a command, ONUs range {RANGING_S:g} s, {SAMPLES} "
        f"samples: one after another {single:.1f} s, batch {batched:.2f} s: {ratio:.1f} times faster"
    )


def growth(vendor: str, folder: Path) -> None:
    """What a splitter costs in batches of growing size, without the ranging: it must not grow."""
    lab = Lab(vendor, SIZES[-1], 0.0)
    told = []
    try:
        with lab.connected(folder) as olt:
            olt.facts()
            for size in SIZES:
                seconds, lines = all_at_once(olt, orders_of(vendor, size))
                told.append(f"{size}: {lines / size:.1f} lines, {seconds / size * 1e3:.0f} ms")
    finally:
        lab.close()
    print(f"{vendor}, cost per splitter by the size of the batch, without ranging: {'; '.join(told)}")


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for vendor in _OLTS:
            compare(vendor, Path(folder), max(1, runs // 8))  # one pair takes a minute
            growth(vendor, Path(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["lab"]:
        serve(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
