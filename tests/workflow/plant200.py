"""Two hundred splitters on four OLTs of both vendors: the plan, the emulated plant, and the processes that play them.

``python plant200.py lab SEED`` is the four OLTs, ``python plant200.py work`` forks a worker of the process for each
line that it reads. Both are told what to do by JSON lines; the worker can be killed without touching the plant.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from site_plan import ENGINEER, PROJECT, workflow_on

from ponprobe import emulator
from ponprobe.emulator.scenario import GemSpec, OnuSpec, PortSpec, ServiceSpec, SplitterSpec
from ponprobe.emulator.servers import sockets
from ponprobe.emulator.servers.ssh import serve_ssh
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.engineering import OltRecord, PonPortRecord, Splitter, SplitterKey
from ponprobe.store.database import Store
from ponprobe.store.leases import CvlanPool
from ponprobe.workflow.outcomes import BatchOutcome

OLTS = {"ma5683t": "0/1/{}", "ma5800": "0/1/{}", "c320": "1/1/{}", "c600": "1/3/{}"}
PORTS, ON_PORT = 5, 10
TWO_HUNDRED = len(OLTS) * PORTS * ON_PORT
PLANTED = {"wrong_port": 8, "wrong_ratio": 8, "misrecorded": 6, "weak": 8, "no_light": 8}
"""How many splitters have which fault. ``wrong_ratio``: built otherwise than recorded, and too weak by it;
``misrecorded``: the record has another ratio than what was built, which is good."""
FEEDER, RATIO, OTHER_RATIO = 16, 4, 16
WEAK_DB, STILL_WEAK_DB = 7.0, 5.0
# as many as there are test ONUs on a port at once: one that leaked would be missed at once
POOL = CvlanPool(name="test", ranges=((3001, 3000 + ON_PORT),), scope="olt+port")


@dataclass(frozen=True)
class Planned:
    """One splitter: its first record, where it truly hangs, what is wrong with it, and the test ONU that goes there."""

    record: Splitter
    truth: Splitter
    fault: str | None
    wave: int
    serial: Serial


def port_of(olt: str, index: int) -> PonPort:
    """The n-th PON port that is used, from 0; ZTE counts its ports from 1."""
    return PonPort.parse(OLTS[olt].format(index + olt.startswith("c")))


def plan(seed: int) -> dict[str, Planned]:
    """Everything by splitter name; the same seed gives the same plan."""
    draw = random.Random(f"plan {seed}")
    places = [(olt, port, place) for olt in OLTS for port in range(PORTS) for place in range(ON_PORT)]
    spoilt = draw.sample(range(TWO_HUNDRED), sum(PLANTED.values()))
    kinds = dict(zip(spoilt, [kind for kind, count in PLANTED.items() for _ in range(count)], strict=True))
    found = {}
    for number, (olt, port, place) in enumerate(places):
        fault, km = kinds.get(number), round(draw.uniform(0.3, 2.0), 3)
        built = OTHER_RATIO if fault == "wrong_ratio" else RATIO
        noted = OTHER_RATIO if fault == "misrecorded" else RATIO
        hangs_on = (port + 1) % PORTS if fault == "wrong_port" else port
        facts = {"project": PROJECT, "name": f"锦绣花园 {number + 1} 号楼/FAT-{number + 1:03}", "olt": olt}
        facts |= {"distance_km": km, "splitter_port": draw.randint(1, RATIO)}
        record = Splitter(**facts, port=port_of(olt, port), ratio=noted, stages=(FEEDER, noted))
        truth = Splitter(**facts, port=port_of(olt, hangs_on), ratio=built, stages=(FEEDER, built))
        vendor = "ZTEG" if olt.startswith("c") else "HWTC"
        # ten test ONUs for each OLT, which people carry from port to port
        serial = Serial(f"{vendor}{0x200000 + list(OLTS).index(olt) * 0x100 + place:08X}")
        found[record.name] = Planned(record, truth, fault, port, serial)
    return found


def olt_records() -> list[OltRecord]:
    platforms = {"c320": "zte_zxan", "c600": "zte_titan"}
    return [OltRecord(name=olt, host="127.0.0.1", platform=platforms.get(olt, "huawei_smartax")) for olt in OLTS]


def port_records() -> list[PonPortRecord]:
    huawei = {"line_profile": "20", "service_profile": "20"}
    zte = {"onu_type": "TEST-1GE", "tcont_profile": "TEST-100M"}
    return [
        PonPortRecord(olt=olt, port=port_of(olt, index), svlan=2000, **(zte if olt.startswith("c") else huawei))
        for olt in OLTS
        for index in range(PORTS)
    ]


# ---------------------------------------------------------------------- the plant


def scenario_of(seed: int) -> emulator.Scenario:
    """The demonstrations' OLTs with our trees behind them, and two customers on each port."""
    scenario = emulator.builtin_scenario("demo_huawei")
    scenario.olts += emulator.builtin_scenario("demo_zte").olts
    scenario.seed = seed
    scenario.olts = [spec for spec in scenario.olts if spec.name in OLTS]
    planned = list(plan(seed).values())
    for spec in scenario.olts:
        spec.online_after_s = 0.05
        spec.crypto = "modern"  # a hundred logins with old RSA keys would be most of the work
        if spec.line_profiles:
            spec.line_profiles[20].gems[1] = GemSpec(tcont=1, vlans=tuple(POOL))
        spec.ports = {str(port_of(spec.name, index)): _port(spec.name, index, planned) for index in range(PORTS)}
    return scenario


def _port(olt: str, index: int, planned: Sequence[Planned]) -> PortSpec:
    port = port_of(olt, index)
    here = [each for each in planned if (each.truth.olt, each.truth.port) == (olt, port)]
    faults = {"weak": [{"kind": "splice", "loss_db": WEAK_DB}], "no_light": [{"kind": "break"}]}
    tree = [SplitterSpec(name=f"ODF-{index}", ratio=FEEDER, km=1.0, connectors=2)]
    tree += [
        SplitterSpec(
            name=each.truth.name,
            ratio=each.truth.ratio or RATIO,
            km=each.truth.distance_km or 0.0,
            connectors=1,
            fed_by=f"ODF-{index}",
            faults=faults.get(each.fault or "", []),
        )
        for each in here
    ]
    return PortSpec(optics="C+", splitters=tree, onus=[_customer(olt, index, number) for number in (1, 2)])


def _customer(olt: str, index: int, number: int) -> OnuSpec:
    place, cvlan = index * 10 + number, 1000 + index * 10 + number
    facts: dict[str, Any] = {"id": number, "plugged": {"splitter": f"ODF-{index}", "drop_km": 1.0 + number / 10}}
    if olt.startswith("c"):
        service = {"tcont_profile": "UP-50M", "cvlan": cvlan, "svlan": 800}
        return OnuSpec(**facts, serial=f"ZTEGC1{place:06X}", onu_type="ZTE-F660", name=f"C_{place}", service=service)
    service_port = ServiceSpec(
        index=5000 + place, vlan=800, user_vlan=cvlan, transform="translate-and-add", inner_vlan=cvlan
    )
    facts |= {"line_profile": 10, "service_profile": 3, "native_vlan": cvlan, "services": [service_port]}
    return OnuSpec(**facts, serial=f"HWTCC1{place:06X}", description=f"C_{place}")


class Plant:
    """The lab's process, from the inside: four OLTs, their roads, and a trap that springs at a line."""

    def __init__(self, lab: emulator.Lab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._counted = self._at = self._pid = 0
        self._moment, self._road = "arrived", ""
        self._hit = False
        self._closing: list[threading.Thread] = []
        for name, olt in lab.olts.items():
            olt.faults.on_command = self._watch(name)

    def _watch(self, name: str) -> Any:
        def on_command(_number: int, _line: str, moment: str) -> None:
            with self._lock:
                if moment == self._moment and self._road in {"", name}:
                    self._counted += 1
                sprung = 0 < self._at <= self._counted and not self._hit and moment == self._moment
                self._hit |= sprung
                cut = self._road and self._hit and name == self._road
            if sprung and self._road:
                # the listener waits for its sessions, of which this is one
                self._closing.append(threading.Thread(target=self.close_road, args=(name,)))
                self._closing[-1].start()
            elif sprung:
                os.kill(self._pid, signal.SIGKILL)
            if cut or (sprung and not self._road):
                raise ConnectionAbortedError

        return on_command

    def arm(self, at: int, moment: str, pid: int = 0, road: str = "") -> None:
        """Kill a process, or close a road, when that line of all OLTs (of that one) arrives or was executed."""
        with self._lock:
            self._counted, self._at, self._moment, self._pid, self._road, self._hit = 0, at, moment, pid, road, False

    def disarm(self) -> dict[str, Any]:
        with self._lock:
            hit, self._at, self._road, counted = self._hit, 0, "", self._counted
        while self._closing:
            self._closing.pop().join()
        return {"hit": hit, "lines": counted}

    def close_road(self, name: str) -> None:
        self._lab.olts[name]._ssh.close()

    def open_road(self, name: str) -> None:
        olt = self._lab.olts[name]
        listening = socket.create_server((olt.host, olt.ssh_port))
        with mock.patch.object(sockets.socket, "create_server", return_value=listening):
            olt._ssh = serve_ssh(olt.host, olt._ssh_settings)

    def plug(self, ways: Sequence[Sequence[str]]) -> None:
        for olt, serial, port, splitter in ways:
            self._lab.olts[olt].world.plug_in(serial, port, splitter, online_after_s=0.05)

    def repair(self, olt: str, port: str, splitter: str, ratio: int, loss_db: float = 0.0) -> None:
        """Put a splitter right on site, or only better."""
        world = self._lab.olts[olt].world
        with world.lock:
            part = world.plants[PonPort.parse(port)].splitters[splitter]
            part.faults.clear()
            part.ratio = ratio
        if loss_db:
            world.set_fault(port, splitter, "splice", loss_db)

    def snapshot(self) -> dict[str, Any]:
        return {name: olt.snapshot() for name, olt in self._lab.olts.items()}

    def addresses(self) -> dict[str, dict[str, Any]]:
        names = ("host", "ssh_port", "platform", "username", "password", "enable_password")
        return {name: {each: getattr(olt, each) for each in names} for name, olt in self._lab.olts.items()}


def serve(seed: int) -> None:
    with emulator.serve(scenario_of(seed)) as lab:
        plant = Plant(lab)
        for line in sys.stdin:
            call, given = json.loads(line)
            answer = getattr(plant, call)(**given)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


# ---------------------------------------------------------------------- the worker


def work(request: dict[str, Any]) -> None:
    """Do what is asked in this process, or die on the way."""
    from zygote_process import die_at_commit  # noqa: PLC0415 - the worker alone imports it

    sys.stdin.readline()  # whoever wants to kill this process has its number now
    folder = Path(request["folder"])
    with (folder / "worker.log").open("a") as log:
        os.dup2(log.fileno(), 2)
    store = Store(request["place"])
    if request["die_at"] is not None:
        die_at_commit(store, *request["die_at"])
    workflow, given = workflow_on(store, folder, samples=1), dict(request["given"])
    if "keys" in given:
        given["keys"] = [SplitterKey(*key) for key in given["keys"]]
    if "keep_failed" in given:
        given["keep_failed"] = timedelta(seconds=given["keep_failed"])
    if request["call"] == "dispatch":
        serials = {name: each.serial for name, each in plan(request["seed"]).items()}
        given["onus"] = lambda splitter: OnuAuth(serial=serials[splitter.name])
    answer = getattr(workflow, request["call"])(PROJECT, actor=ENGINEER, **given)
    Path(request["answer"]).write_text(answer.model_dump_json(), "utf-8")


def fork_workers() -> None:
    sys.path.append(str(Path(__file__).parents[1]))  # for what several suites share
    import zygote_process  # noqa: PLC0415, F401 - imported once, for all workers

    from preloaded import preload  # noqa: PLC0415

    preload()
    sys.stdout.write("0\n")
    sys.stdout.flush()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(json.loads(line))
                status = 0
            finally:
                # os._exit would swallow what is being raised
                if status:
                    traceback.print_exc()
                    sys.stderr.flush()
                os._exit(status)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


# ---------------------------------------------------------------------- from outside


class Peer:
    """A process of this file that is told what to do line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"a process of the test is gone ({self._process.poll()})"
        return json.loads(line)


class Lab(Peer):
    """The four OLTs, as the test sees them."""

    def ask(self, call: str, **given: Any) -> Any:
        self.say([call, given])
        return self.hear()

    @contextmanager
    def trap(self, **how: Any) -> Iterator[dict[str, Any]]:
        """Arm it for what is done inside; says afterwards whether it was sprung."""
        self.ask("arm", **how)
        told: dict[str, Any] = {}
        yield told
        told.update(self.ask("disarm"))


class Workers(Peer):
    """Starts workers and tells how they ended."""

    def __init__(self, process: subprocess.Popen[str], place: str, folder: Path, seed: int) -> None:
        super().__init__(process)
        self.hear()
        self._base = {"place": place, "folder": str(folder), "seed": seed, "answer": str(folder / "answer.json")}
        self._log, self._answer = folder / "worker.log", folder / "answer.json"

    def run(self, call: str, *, lab: Lab | None = None, trap: dict[str, Any] | None = None, **given: Any) -> Any:
        """Let a worker call something: its answer as JSON, or ``None`` if it was killed on the way.

        ``trap`` is a line of the OLTs (``at``, ``moment``), or a commit of the store (``commit``: number and moment).
        """
        self._answer.unlink(missing_ok=True)
        die_at = None if trap is None else trap.get("commit")
        at_line = trap if die_at is None else None
        self.say({**self._base, "call": call, "given": given, "die_at": die_at})
        pid = self.hear()
        if at_line is not None and lab is not None:
            lab.ask("arm", pid=pid, **at_line)
        self.say("go")
        status = self.hear()
        hit = lab.ask("disarm")["hit"] if at_line is not None and lab is not None else status == -signal.SIGKILL
        assert status == (-signal.SIGKILL if hit else 0), f"{call} ended with {status}: {self.log}"
        return None if hit else json.loads(self._answer.read_text("utf-8"))

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")[-4000:] if self._log.exists() else ""


def outcome(answer: Any) -> BatchOutcome:
    return BatchOutcome.model_validate_json(json.dumps(answer))


def in_turns(keys: Sequence[SplitterKey], planned: dict[str, Planned]) -> list[list[SplitterKey]]:
    """Keys in waves in which no test ONU is needed twice."""
    turns: list[list[SplitterKey]] = []
    used: list[set[Serial]] = []
    for key in keys:
        serial = planned[key.name].serial
        free = next((number for number, some in enumerate(used) if serial not in some), len(used))
        if free == len(used):
            turns.append([])
            used.append(set())
        turns[free].append(key)
        used[free].add(serial)
    return turns


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1] == "lab" else fork_workers()
