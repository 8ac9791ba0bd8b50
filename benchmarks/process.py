"""What the acceptance process costs for each splitter, from a hundred splitters to ten thousand.

No device is asked in the timed part: one splitter is measured on the emulated OLT first, and a runner gives that result
for every splitter, as a batch would. So what is timed is the process: reading the sheet, the store, the lists, the
rounds, the decisions. Each size runs in a process of its own, as a peak of memory never falls.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.batch import BatchItem, BatchResult
from ponprobe.models.engineering import Actor, EvidenceItem, Project, Splitter, SplitterKey
from ponprobe.models.judgement import ThresholdSet
from ponprobe.models.run import MeasureResult, RunEvent
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.store.database import Store
from ponprobe.store.journal import Journal
from ponprobe.store.leases import CvlanPool
from ponprobe.workflow.base import AcceptanceRules
from ponprobe.workflow.importing import read_engineering
from ponprobe.workflow.process import Workflow

if TYPE_CHECKING:
    from typing_extensions import Self

SIZES = (100, 1_000, 10_000)
CALLS = 40
"""How many splitters get what people bring one by one; the cost of a call must not depend on the project's size."""
MEMORY = Path("/dev/shm")
"""Where there is one, the store stands in memory: how long a disk takes to flush is the disk's, and never the same."""
PORTS_OF_OLT, SPLITTERS_OF_PORT = 16, 16
PROJECT = "BENCH"
BUILDER = Actor(name="builder", role="builder")
ENGINEER = Actor(name="engineer", role="acceptance_engineer")
REVIEWER = Actor(name="reviewer", role="resource_admin")


def measured(folder: Path) -> MeasureResult:
    """One splitter of the demonstration, measured over a real socket."""
    order = ActivationOrder(
        port=PonPort.parse("0/1/0"),
        auth=OnuAuth(serial=Serial("HWTC0B086EA9")),
        vlans=VlanStack(svlan=2000, cvlan=3001),
        line_profile=ProfileRef(id=20),
        service_profile=ProfileRef(id=20),
    )
    with emulator.serve("demo_huawei") as lab:
        device = lab.olts["ma5683t"]
        with connect(
            device.host,
            platform=device.platform,
            username=device.username,
            password=SecretStr(device.password),
            enable_password=SecretStr(device.enable_password),
            port=device.ssh_port,
            journal=str(folder / "one.sqlite3"),
            known_hosts=folder / "known_hosts",
            samples=3,
        ) as olt:
            return olt.measure(order)


class SilentOlt:
    """What a batch needs of an ``Olt`` when no device is asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_event: Callable[[RunEvent], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def service_ports(self, _: PonPort) -> tuple[()]:
        return ()


class Replayer:
    """Gives one true result for every order, with the events of a run, as ``measure_batch`` does."""

    def __init__(self, result: MeasureResult) -> None:
        self._result = result
        self._runs = 0

    def __call__(
        self,
        olt: Any,
        orders: Iterable[ActivationOrder],
        *,
        thresholds: ThresholdSet | None = None,
        samples: int | None = None,
        online_timeout_s: float | None = None,
        on_item: Callable[[BatchItem], None] | None = None,
        plant_of: Callable[[ActivationOrder], Any] | None = None,
    ) -> BatchResult:
        started, count = datetime.now(timezone.utc), 0
        verdict = self._result.verdict
        assert verdict is not None
        assert on_item is not None
        for index, order in enumerate(orders):
            self._runs += 1
            count += 1
            run_id, onu = f"{olt.name}{self._runs:012}", order.port.onu(index % 64)
            for name, data in (
                ("planned", {"onu": str(onu), "mark": f"ponprobe {run_id}"}),
                ("activated", {"onu": str(onu)}),
                ("verdict", verdict.model_dump(mode="json")),
            ):
                facts = {"run_id": run_id, "olt": olt.name, "pon": order.port, "item": order.splitter}
                olt.on_event(RunEvent(ts=started, seq=1, event=name, data=data, **facts))  # type: ignore[arg-type]
            about = {"order": order, "run_id": run_id, "onu": onu}
            result = self._result.model_copy(update=about)
            on_item(BatchItem(index=index, result=result, removal=self._result.removal, at=started, **about))
        return BatchResult(
            batch_id="replayed",
            olt=olt.name,
            host="127.0.0.1",
            orders=count,
            measured=count,
            failed=0,
            lines_sent=0,
            started_at=started,
            finished_at=datetime.now(timezone.utc),
        )


_COLUMNS = (
    "OLT名称",
    "OLT设备管理IP",
    "OLT平台",
    "OLT PON口名称",
    "SVLAN",
    "线路模板",
    "业务模板",
    "分光器设备名称",
    "分光器端口号",
    "分光比",
    "各级分光比",
)


def sheet(count: int) -> bytes:
    """Engineering data as a resource system exports them."""
    rows = [",".join(_COLUMNS)]
    for number in range(count):
        port, _ = divmod(number, SPLITTERS_OF_PORT)
        olt, port = divmod(port, PORTS_OF_OLT)
        place = f"OLT-{olt:03},10.0.{olt // 250}.{olt % 250 + 1},huawei_smartax,0/1/{port},2000,20,20"
        rows.append(f"{place},锦绣花园 {number} 号楼/FAT-{number:05},1,1:8,1:8+1:8")
    return "\n".join(rows).encode()


def serial_of(splitter: Splitter) -> OnuAuth:
    return OnuAuth(serial=Serial(f"HWTC{int(splitter.name[-5:]) + 0x100000:08X}"))


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, count: int) -> Iterator[None]:
        gc.collect()
        start = time.perf_counter()
        yield
        self.taken[name] = (time.perf_counter() - start) / count


def photo(kind: str, number: int) -> EvidenceItem:
    sha256 = f"{number:064x}"
    return EvidenceItem.model_validate(
        {"kind": kind, "sha256": sha256, "bytes": 1, "file_name": "p.jpg", "media_type": "image/jpeg"}
    )


def one_size(count: int) -> dict[str, Any]:
    """Bring a project of ``count`` splitters through the process: seconds for each splitter (or call) by step."""
    clock = Clock()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        result = measured(folder)
        journal = Journal(str(folder / "journal.sqlite3"))
        with Store(folder / "store.sqlite3") as store:
            workflow = Workflow(
                store,
                connect=lambda record: SilentOlt(record.name),  # type: ignore[arg-type,return-value]
                journal=lambda: journal,
                runner=Replayer(result),
                rules=AcceptanceRules(service_test=False, evidence=()),
            )
            before = peak_mb()
            through(workflow, count, clock, result)
            size = sum(each.stat().st_size for each in folder.glob("store.sqlite3*")) / 1024
        journal.close()
    return {"count": count, "taken": clock.taken, "grown_mb": peak_mb() - before, "store_kb": size}


def through(workflow: Workflow, count: int, clock: Clock, result: MeasureResult) -> None:
    now = datetime.now(timezone.utc)
    workflow.create_project(Project(id=PROJECT, name="bench", created_at=now), actor=BUILDER)
    ranges = ((3001, 3000 + SPLITTERS_OF_PORT),)
    workflow.put_pool(CvlanPool(name="test", ranges=ranges, scope="olt+port"), actor=REVIEWER)
    data = sheet(count)
    with clock.step("read the sheet", count):
        imported = read_engineering(data, project=PROJECT)
    with clock.step("import", count):
        recorded = workflow.import_engineering(PROJECT, imported, actor=BUILDER)
    assert len(recorded.added) == count
    with clock.step("activation list", count):
        assert len(workflow.activation_list(PROJECT, onus=serial_of)) == count
    named = [each.key for each in workflow.splitters(PROJECT)]
    with clock.step("activation list of those named", count):
        assert len(workflow.activation_list(PROJECT, named, onus=serial_of)) == count
    with clock.step("dispatch, a round each", count):
        assert workflow.dispatch(PROJECT, onus=serial_of, actor=ENGINEER).ok
    with clock.step("status", count):
        status = workflow.status(PROJECT)
    assert {each.line for each in status.splitters} == {"pass"}
    keys: list[SplitterKey] = [each.splitter for each in status.splitters][:: max(1, count // CALLS)][:CALLS]
    with clock.step("a round by hand, a call", len(keys)):
        for key in keys:
            workflow.enter_round(PROJECT, key, result.readings, actor=ENGINEER)
    with clock.step("a photo, a call", len(keys)):
        for number, key in enumerate(keys):
            workflow.add_evidence(PROJECT, key, photo("position", number), actor=ENGINEER)
    with clock.step("rounds of a splitter, a call", len(keys)):
        for key in keys:
            assert len(workflow.rounds(PROJECT, key)) == 2
    with clock.step("accept", count):
        workflow.accept(PROJECT, actor=ENGINEER)
    with clock.step("review, push and deliver", count):
        workflow.review(PROJECT, accepted=True, actor=REVIEWER)
        workflow.push(PROJECT, actor=REVIEWER)
        assert workflow.deliver(lambda _: None).delivered
    with clock.step("events", count):
        assert sum(1 for _ in workflow.events(project=PROJECT)) > 6 * count


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(count: int) -> dict[str, Any]:
    argv = [sys.executable, "-m", "benchmarks.process", "one", str(count)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(runs: int, sizes: tuple[int, ...] = SIZES) -> None:
    """Print the cost for each splitter by step and size, and how much dearer a splitter of the largest project is.

    The smaller sizes run once for every five of ``runs``, and their median counts; the largest runs once.
    """
    repeats = {count: 1 if count == sizes[-1] else max(1, runs // 5) for count in sizes}
    by_size = {count: [apart(count) for _ in range(times)] for count, times in repeats.items()}
    for step in by_size[sizes[0]][0]["taken"]:
        costs = {count: statistics.median(each["taken"][step] for each in some) for count, some in by_size.items()}
        shown = ", ".join(f"{cost * 1e3:.3f} ms of {count}" for count, cost in costs.items())
        print(f"process, {step}: {shown} (x{costs[sizes[-1]] / costs[sizes[-2]]:.2f} from {sizes[-2]} to {sizes[-1]})")
    whole = {
        count: statistics.median(sum(s for name, s in each["taken"].items() if "call" not in name) for each in some)
        for count, some in by_size.items()
    }
    last, before = (by_size[count][0] for count in (sizes[-1], sizes[-2]))
    print(
        f"process, everything: {1 / whole[sizes[-1]]:.0f} splitters a second of {sizes[-1]}, x"
        f"{whole[sizes[-1]] / whole[sizes[-2]]:.2f} the cost of one of {sizes[-2]}; memory grows by "
        f"{(last['grown_mb'] - before['grown_mb']) * 1024 / (sizes[-1] - sizes[-2]):.1f} kB a splitter "
        f"({last['grown_mb']:.0f} MB), the store by {last['store_kb'] / sizes[-1]:.1f} kB"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one_size(int(sys.argv[2]))))
        sys.stdout.flush()
        os._exit(0)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
