"""A report of 5,000 splitters: the xlsx against openpyxl's write-only mode for the same cells, memory of each format.

Both write in the same process, in turn, and the cells are made beforehand for openpyxl: ours also opens the facts and
works the cells out. Memory is the peak of a fresh process that does nothing but make the data and write one format.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl

from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.engineering import (
    ActivationItem,
    ActivationState,
    Actor,
    EvidenceItem,
    HangTest,
    LineRound,
    OltRecord,
    Project,
    ServiceTest,
    Splitter,
    Stage,
    TestState,
)
from ponprobe.models.optical import Db, Dbm, OpticalReading, Reading
from ponprobe.models.run import Removal
from ponprobe.models.service import VlanStack
from ponprobe.reports import (
    TABLES,
    ReportData,
    SplitterReport,
    rows,
    write_csv,
    write_html,
    write_json,
    write_xlsx,
)
from ponprobe.reports.data import Gathering, with_comparisons
from ponprobe.store.activations import Activation
from ponprobe.workflow.base import AcceptanceRules
from ponprobe.workflow.status import SplitterStatus

SPLITTERS = 5000
LIMIT_MB = 300
LEVELS = 40
NOW = datetime(2016, 8, 1, 2, 0, tzinfo=timezone.utc)
OLT = OltRecord(name="ma5683t", host="192.0.2.10", platform="huawei_smartax")
ENGINEER = Actor(name="验收乙", role="acceptance_engineer")
FORMATS: dict[str, Callable[..., None]] = {
    "xlsx": write_xlsx,
    "html": write_html,
    "json": write_json,
    "csv": write_csv,
}


def _reading(value: float, precision: float) -> Reading:
    source = "cli: display ont optical-info 0 7"
    return Reading(value=Dbm(value), source=source, at=NOW, precision_db=Db(precision))


def _round(splitter: Splitter, level: float, number: int) -> LineRound:
    readings = tuple(
        OpticalReading(
            onu=splitter.port.onu(7),
            olt_tx_dbm=_reading(3.44, 3.0),
            olt_rx_dbm=_reading(level - 1.2, 3.0),
            onu_tx_dbm=_reading(2.17, 3.0),
            onu_rx_dbm=_reading(level - sample / 100, 3.0),
        )
        for sample in range(3)
    )
    return LineRound(
        splitter=splitter.key,
        round=number,
        splitter_port=1,
        onu=splitter.port.onu(7),
        onu_name="PT-0001",
        serial=Serial("HWTC0B086EA9"),
        vlans=VlanStack(svlan=2000, cvlan=3001),
        readings=readings,
        verdict=judge(readings, CONSTRUCTION, judged_at=NOW),
        run_id=f"r{number:04d}",
        actor=ENGINEER,
        at=NOW,
    )


def _template(level: float, *, twice: bool) -> SplitterReport:
    splitter = Splitter(
        project="XM-2016-001", name="t", olt=OLT.name, port=PonPort.parse("0/1/0"), stages=(4, 8), distance_km=3.0
    )
    rounds = tuple(_round(splitter, level, number) for number in range(1, 3 if twice else 2))
    verdict = rounds[-1].verdict
    assert verdict is not None
    dialled = ServiceTest.model_validate(
        {
            "dial_ok": True,
            "reach_ok": True,
            "speed_down_mbps": 98.2,
            "started_at": NOW,
            "account": "test01",
            "passed": True,
        }
    )
    photos = tuple(
        EvidenceItem(kind=kind, sha256=digit * 64, bytes=2_000_000, file_name=f"{kind}.jpg", media_type="image/jpeg")
        for kind, digit in (("position", "a"), ("result", "b"))
    )
    state = ActivationState.REVOKED
    proof = (("display ont info by-sn HWTC0B086EA9", "The required ONT does not exist"),)
    removal = Removal(onu=splitter.port.onu(7), removed=("ONU 0/1/0:7",), proof=proof, at=NOW)
    return with_comparisons(
        SplitterReport(
            number=1,
            splitter=splitter,
            olt=OLT,
            item=ActivationItem.of(splitter, OLT, onu_name="PT-0001", state=state, test_state=TestState.DONE),
            status=SplitterStatus(
                splitter=splitter.key,
                to_be_tested=True,
                state=state,
                exported=state.exported,
                test_state=TestState.DONE,
                line=str(verdict.outcome),
                service=True,
                rounds=len(rounds),
            ),
            activation=Activation(state=state, attempt=1, onu_name="PT-0001", removal=removal),
            rounds=rounds,
            service_tests=(dialled,),
            evidence=photos,
        )
    )


def made(count: int) -> ReportData:
    """A project of ``count`` splitters, eight a PON; readings repeat, names and places do not."""
    templates = [_template(-14.0 - step * 0.3, twice=step % 5 == 0) for step in range(LEVELS)]
    gathering = Gathering()
    for number in range(1, count + 1):
        old = templates[number % LEVELS]
        port = PonPort(frame=0, slot=number // 128 + 1, port=number // 8 % 16)
        splitter = old.splitter.model_copy(update={"name": f"小区{number // 64:03d}/FAT-{number:05d}", "port": port})
        more: dict[str, Any] = {
            "number": number,
            "splitter": splitter,
            "item": old.item.model_copy(update={"splitter": splitter.name, "port": port}),
            "status": old.status.model_copy(update={"splitter": splitter.key}),
            "rounds": tuple(each.model_copy(update={"splitter": splitter.key}) for each in old.rounds),
        }
        gathering.add(old.model_copy(update=more))
    return ReportData(
        project=Project(id="XM-2016-001", name="锦绣花园二期", created_at=NOW),
        stage=Stage.FIELD_TEST,
        hang_test=HangTest(required=True, derived=True),
        rules=AcceptanceRules(),
        generated_at=NOW + timedelta(hours=1),
        to_test=count,
        tested=count,
        passed=count - gathering.failed,
        **gathering.found(),
    )


def same_cells(data: ReportData) -> dict[str, list[list[Any]]]:
    """The cells of every table as openpyxl takes them."""

    def naive(table: Any) -> Iterator[list[Any]]:
        yield list(table.headers(data, "zh"))
        for row in rows(data, table):
            yield [cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row]

    return {table.title.zh: list(naive(table)) for table in TABLES}


def by_openpyxl(sheets: dict[str, list[list[Any]]], path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    for title, table in sheets.items():
        sheet = book.create_sheet(title)
        for row in table:
            sheet.append(row)
    book.save(path)


def _cpu_s(work: Callable[[], object]) -> float:
    """Seconds of processor time: what other processes do meanwhile is not in it."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main(runs: int = 3) -> None:
    for name in FORMATS:
        seen = in_a_process(name, SPLITTERS)
        print(
            f"report of {SPLITTERS} splitters as {name}: {seen['cpu_s']:.1f} s, peak memory {seen['peak_mb']:.0f} MB "
            f"(at most {LIMIT_MB}), {seen['data_mb']:.0f} MB of it with the data alone, file {seen['file_mb']:.1f} MB"
        )
    data = made(SPLITTERS)
    sheets = same_cells(data)
    count = sum(len(row) for table in sheets.values() for row in table)
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(max(1, runs // 5)):
            ours = _cpu_s(lambda: write_xlsx(data, Path(folder, "ours.xlsx")))
            pairs.append((ours, _cpu_s(lambda: by_openpyxl(sheets, Path(folder, "theirs.xlsx")))))
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(
        f"report of {SPLITTERS} splitters, {count} cells: write_xlsx {mine:.2f} s, openpyxl's write-only mode with the "
        f"cells given {theirs:.2f} s (x{ratio:.2f}, at most 2), processor time"
    )


def in_a_process(name: str, count: int) -> dict[str, float]:
    """Write one format in a process of its own; its time, and its peak with the data alone and at the end."""
    command = [sys.executable, "-m", "benchmarks.reports", name, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _peak_mb() -> float:
    # Linux keeps the parent's figure in ru_maxrss; VmHWM is this program's own
    status = Path("/proc/self/status")
    if status.exists():
        own = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(own.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(name: str, count: int) -> None:
    data = made(count)
    before = _peak_mb()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"report.{name}")
        seconds = _cpu_s(lambda: FORMATS[name](data, path))
        size = path.stat().st_size / 1e6
    print(json.dumps({"cpu_s": seconds, "data_mb": before, "peak_mb": _peak_mb(), "file_mb": size}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _alone(sys.argv[1], int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
