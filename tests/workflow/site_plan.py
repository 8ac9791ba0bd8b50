"""The example project: splitters of both vendors' emulated OLTs, with everything that can be wrong with them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ponprobe import emulator
from ponprobe.connect import connect, journal_at
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.engineering import (
    Actor,
    EvidenceItem,
    OltRecord,
    PonPortRecord,
    Project,
    ServiceTest,
    Splitter,
    SplitterKey,
)
from ponprobe.session.olt import Olt
from ponprobe.store.database import Store
from ponprobe.store.leases import CvlanPool
from ponprobe.workflow.process import Workflow

BUILDER = Actor(name="施工甲", role="builder")
ENGINEER = Actor(name="验收乙", role="acceptance_engineer")
REVIEWER = Actor(name="资管丙", role="resource_admin")
PROJECT = "XM-2016-001"
NOW = datetime(2016, 8, 1, 2, 0, tzinfo=timezone.utc)
PASSWORD_VARIABLE = "PONPROBE_TEST_PASSWORD"

GOOD = SplitterKey("ma5683t", "0/1/0", "锦绣花园 1 号楼/FAT-01-1")
WEAK = SplitterKey("ma5683t", "0/1/0", "FAT-01-2")
ELSEWHERE = SplitterKey("ma5683t", "0/1/0", "FAT-01-3")
"""Recorded here, but it hangs on 0/1/1."""
DARK = SplitterKey("ma5683t", "0/1/1", "FDT-02")
"""Nobody plugged the test ONU in."""
ZTE_GOOD = SplitterKey("c320", "1/1/1", "ODP-1-1")
ZTE_FAR = SplitterKey("c320", "1/1/3", "ODC-3")
SERIALS = {
    GOOD: "HWTC0B086EA9",
    WEAK: "HWTC0B086EB0",
    ELSEWHERE: "HWTC0B086EC1",
    DARK: "HWTC0BAD0001",
    ZTE_GOOD: "ZTEG0B000EA9",
    ZTE_FAR: "ZTEG0B000EE3",
}
ONUS = {key: OnuAuth(serial=Serial(serial)) for key, serial in SERIALS.items()}
OLTS = (
    OltRecord(name="ma5683t", host="127.0.0.1", platform="huawei_smartax"),
    OltRecord(name="c320", host="127.0.0.1", platform="zte_zxan"),
)
PORTS = (
    *(
        PonPortRecord(olt="ma5683t", port=PonPort.parse(port), svlan=2000, line_profile="20", service_profile="20")
        for port in ("0/1/0", "0/1/1", "0/1/2")
    ),
    *(
        PonPortRecord(olt="c320", port=PonPort.parse(port), svlan=2000, onu_type="TEST-1GE", tcont_profile="TEST-100M")
        for port in ("1/1/1", "1/1/2", "1/1/3")
    ),
)
# the line profile of the emulated Huawei OLT maps these two CVLANs only
POOL = CvlanPool(name="test", ranges=((3001, 3002),), scope="olt+port")


def splitter_of(key: SplitterKey, **more: Any) -> Splitter:
    facts = {"name": key.name, "olt": key.olt, "port": PonPort.parse(key.port), "ratio": 8, **more}
    return Splitter(project=PROJECT, **facts)


def photo(kind: str, number: int = 1) -> EvidenceItem:
    return EvidenceItem(
        kind=kind, sha256=f"{number:02x}" * 32, bytes=1000 + number, file_name=f"{kind}.jpg", media_type="image/jpeg"
    )


def dialled(**more: Any) -> ServiceTest:
    facts = {"dial_ok": True, "reach_ok": True, "speed_down_mbps": 98.2, "speed_up_mbps": 19.7, "started_at": NOW}
    return ServiceTest(**{**facts, "account": "test01@example", **more})


@dataclass
class Site:
    """The project's store and OLTs; ``workflow`` may be made again at any time."""

    place: str
    folder: Path
    lab: emulator.Lab
    stores: list[Store] = field(default_factory=list)

    @property
    def journal(self) -> str:
        return str(self.folder / "journal.sqlite3")

    def connect(self, record: OltRecord) -> Olt:
        return connect_here(self.folder, record)

    def workflow(self, **more: Any) -> Workflow:
        clock = {"clock": more.pop("clock")} if "clock" in more else {}
        self.stores.append(Store(self.place, **clock))
        return workflow_on(self.stores[-1], self.folder, **more)

    def snapshot(self) -> dict[str, Any]:
        return {name: olt.snapshot() for name, olt in self.lab.olts.items()}


class Zygote:
    """Starts workers and tells how they ended."""

    def __init__(self, process: subprocess.Popen[str], site: Site) -> None:
        self.pid = 0
        self._process = process
        self._site = site

    def run(self, call: str, die_at: tuple[int, str] | None = None, **keywords: Any) -> int:
        request = {
            "place": self._site.place,
            "folder": str(self._site.folder),
            "call": call,
            "keywords": keywords,
            "die_at": die_at,
        }
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

    @property
    def log(self) -> str:
        return (self._site.folder / "worker.log").read_text("utf-8", "replace")


def connect_here(folder: Path, record: OltRecord) -> Olt:
    return connect(
        record.name,
        config_file=folder / "ponprobe.toml",
        journal=str(folder / "journal.sqlite3"),
        known_hosts=folder / "known_hosts",
        online_timeout_s=0.3,
        samples=2,
        removal_wait_s=2,
        connect_timeout_s=5,
        reply_timeout_s=10,
    )


def workflow_on(store: Store, folder: Path, **more: Any) -> Workflow:
    return Workflow(
        store,
        connect=lambda record: connect_here(folder, record),
        journal=lambda: journal_at(str(folder / "journal.sqlite3")),
        **{"writer_wait_s": 20.0, **more},
    )


def scenario_of(names: tuple[str, ...] = ("ma5683t", "c320")) -> emulator.Scenario:
    """The OLTs of the example, with ONUs that range at once and quick logins."""
    scenario = emulator.builtin_scenario("demo_huawei")
    scenario.olts += emulator.builtin_scenario("demo_zte").olts
    scenario.olts = [spec for spec in scenario.olts if spec.name in names]
    for spec in scenario.olts:
        spec.online_after_s = 0.0
        spec.crypto = "modern"
    return scenario


@contextmanager
def open_site(place: str, folder: Path, set_variable: Callable[[str, str], None]) -> Iterator[Site]:
    with emulator.serve(scenario_of()) as lab:
        write_inventory(lab, folder, set_variable)
        site = Site(place, folder, lab)
        try:
            yield site
        finally:
            for store in site.stores:
                store.close()


def write_inventory(lab: emulator.Lab, folder: Path, set_variable: Callable[[str, str], None]) -> None:
    lines = []
    for name, olt in lab.olts.items():
        variable = f"{PASSWORD_VARIABLE}_{name.upper()}"
        set_variable(variable, olt.password)
        set_variable(f"{variable}_ENABLE", olt.enable_password)
        lines += [
            f"[olts.{name}]",
            f'host = "{olt.host}"',
            f"port = {olt.ssh_port}",
            f'platform = "{olt.platform}"',
            f'username = "{olt.username}"',
            f'password = "env:{variable}"',
            f'enable_password = "env:{variable}_ENABLE"',
            "",
        ]
    (folder / "ponprobe.toml").write_text("\n".join(lines), "utf-8")


def enter(workflow: Workflow, keys: tuple[SplitterKey, ...] = tuple(SERIALS)) -> None:
    """Enter the engineering data of the example."""
    workflow.create_project(
        Project(id=PROJECT, name="锦绣花园二期", builder="某施工单位", created_at=NOW), actor=BUILDER
    )
    workflow.put_pool(POOL, actor=REVIEWER)
    splitters = [splitter_of(key) for key in keys]
    workflow.record(PROJECT, olts=OLTS, pon_ports=PORTS, splitters=splitters, actor=BUILDER)
