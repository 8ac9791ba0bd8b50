"""Reading a full table over SNMP: ratios to net-snmp's ``snmpbulkwalk`` within one run.

16,384 ONUs with four optical columns (65,536 variable bindings), GETBULK 50, served by an agent in a process of its own
whose answers are slices of memory, so that it is never what is measured. ponprobe decodes into records; what each
library costs alone ("raw") is measured beside it. The processor time is our own process's; that of ``snmpbulkwalk`` is
its process's.

    python -m benchmarks.snmp [runs]
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr

from ponprobe.dialect import SnmpDialect
from ponprobe.flow import Oid, SnmpWalk
from ponprobe.transports.snmp import SnmpSettings, open_snmp
from ponprobe.transports.snmp_session import SnmpSession

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "transports"))

from snmp_agent import OPTICS, Agent, integer, optics

COMMUNITY = "public"
COLUMNS = (1, 3, 4, 6)
REPETITIONS = 50
ROWS = 16 * 16 * 64


def serve() -> None:
    """The agent's process: print the port, answer until stdin ends."""
    # something lies behind the table, as in every real agent
    agent = Agent({**optics(columns=COLUMNS), (1, 3, 6, 1, 6, 1, 0): integer(1)}, COMMUNITY.encode(), remember=False)
    print(json.dumps(agent.port), flush=True)
    agent.serve()


class Lab:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.snmp", "--serve"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port: int = json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Optics(NamedTuple):
    """One ONU's record; powers in dBm."""

    frame: int
    slot: int
    port: int
    onu: int
    temperature_c: int
    tx_dbm: float
    rx_dbm: float
    olt_rx_dbm: float


@functools.cache
def place(interface: int) -> tuple[int, int, int]:
    """Frame, slot and port of an ifIndex."""
    return interface >> 19 & 0x3F, interface >> 13 & 0x3F, interface >> 8 & 0x1F


def records(session: SnmpSession) -> Iterator[Optics]:
    """Four columns into records, side by side, so that no table is ever held; rows that differ are an error here."""
    walks: list[Iterator[tuple[Oid, Any]]] = [session.iter_walk(SnmpWalk((*OPTICS, column))) for column in COLUMNS]
    for (index, temperature), (same1, tx), (same2, rx), (same3, olt_rx) in zip(*walks, strict=True):
        if not index == same1 == same2 == same3:
            raise AssertionError(f"the columns have different rows at {index}")
        yield Optics(*place(index[0]), index[1], temperature, tx / 100, rx / 100, (olt_rx - 10000) / 100)


def ours(port: int, backend: str) -> None:
    settings = SnmpSettings("127.0.0.1", port, community=SecretStr(COMMUNITY))
    dialect = SnmpDialect(max_repetitions=REPETITIONS)
    with open_snmp(settings, dialect, backend=backend) as session:  # type: ignore[arg-type]
        assert len(list(records(session))) == ROWS


def snmpbulkwalk(port: int) -> None:
    done = subprocess.run(
        ["snmpbulkwalk", "-v2c", "-c", COMMUNITY, "-m", "", "-On", "-Oq", f"-Cr{REPETITIONS}", f"127.0.0.1:{port}",
         ".".join(map(str, OPTICS))],
        check=True, stdout=subprocess.PIPE, env={**os.environ, "MIBS": ""},
    )  # fmt: skip
    assert done.stdout.count(b"\n") == ROWS * len(COLUMNS)


def raw_gufo(port: int) -> None:
    """gufo-snmp as its documentation shows it."""
    from gufo.snmp.sync import SnmpSession as Gufo  # noqa: PLC0415

    with Gufo("127.0.0.1", port, community=COMMUNITY, max_repetitions=REPETITIONS) as session:
        assert sum(1 for _ in session.getbulk(".".join(map(str, OPTICS)))) == ROWS * len(COLUMNS)


def raw_pysnmp(port: int) -> None:
    """pysnmp's own call in a loop, MIB look-up switched off, nothing decoded."""
    from pysnmp.hlapi.v3arch import asyncio as hlapi  # noqa: PLC0415

    async def walk() -> int:
        engine = hlapi.SnmpEngine()
        target = await hlapi.UdpTransportTarget.create(("127.0.0.1", port), timeout=3, retries=1)
        oid: Any = ".".join(map(str, OPTICS))
        count = 0
        while True:
            indication, status, _, bindings = await hlapi.bulk_cmd(
                engine, hlapi.CommunityData(COMMUNITY), target, hlapi.ContextData(), 0, REPETITIONS,
                hlapi.ObjectType(hlapi.ObjectIdentity(oid)), lookupMib=False,
            )  # fmt: skip
            assert not indication
            assert not status
            for name, _ in bindings:
                if tuple(name)[: len(OPTICS)] != OPTICS:
                    engine.close_dispatcher()
                    return count
                count += 1
            oid = bindings[-1][0]

    assert asyncio.run(walk()) == ROWS * len(COLUMNS)


class Cost(NamedTuple):
    wall_s: float
    cpu_s: float


def cost(job: Callable[[int], None], port: int) -> Cost:
    who = resource.RUSAGE_CHILDREN if job is snmpbulkwalk else resource.RUSAGE_SELF
    before, start = resource.getrusage(who), time.perf_counter()
    job(port)
    wall, after = time.perf_counter() - start, resource.getrusage(who)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def compare(lab: Lab, runs: int, jobs: dict[str, Callable[[int], None]], base: str) -> None:
    """Run all jobs in turns, so that the machine's moods hit all of them; print medians and ratios to ``base``."""
    for job in jobs.values():
        job(lab.port)  # imports and caches
    found: dict[str, list[Cost]] = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            found[name].append(cost(job, lab.port))
    for name, costs in found.items():
        wall = statistics.median(each.wall_s for each in costs)
        cpu = statistics.median(each.cpu_s for each in costs)
        ratio = statistics.median(mine.wall_s / other.wall_s for mine, other in zip(costs, found[base], strict=True))
        ratio_cpu = statistics.median(mine.cpu_s / other.cpu_s for mine, other in zip(costs, found[base], strict=True))
        print(
            f"SNMP, {ROWS * len(COLUMNS)} bindings, {name:32} {wall * 1e3:6.0f} ms (x{ratio:.2f} of {base}), "
            f"CPU {cpu * 1e3:6.0f} ms (x{ratio_cpu:.2f})"
        )


def main(runs: int) -> None:
    """Print the ratios; parts that are not installed are left out and named."""
    lab = Lab()
    try:
        with_net_snmp = shutil.which("snmpbulkwalk") is not None
        if not with_net_snmp:
            print("SNMP: net-snmp's snmpbulkwalk is not installed; ratios are to gufo-snmp alone")
        fast: dict[str, Callable[[int], None]] = {"snmpbulkwalk": snmpbulkwalk} if with_net_snmp else {}
        fast["gufo-snmp raw"] = raw_gufo
        fast["ponprobe by gufo-snmp, records"] = lambda port: ours(port, "gufo")
        compare(lab, runs, fast, next(iter(fast)))
        slow: dict[str, Callable[[int], None]] = {
            "pysnmp raw": raw_pysnmp,
            "ponprobe by pysnmp, records": lambda port: ours(port, "pysnmp"),
        }
        compare(lab, max(1, runs // 5), slow, "pysnmp raw")
    finally:
        lab.close()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
