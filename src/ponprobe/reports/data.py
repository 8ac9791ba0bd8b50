"""What a report is made of: the stored facts of one project as one frozen value. Nothing else reads the store.

Five thousand splitters with all their rounds would fill the memory as objects, so each splitter's facts are kept as
compressed JSON and opened when they are looked at: ``ReportData.opened()`` goes through them one by one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from pydantic import AwareDatetime, GetCoreSchemaHandler
from pydantic_core import core_schema

from ponprobe._version import __version__
from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.components import PonSystem
from ponprobe.models.engineering import (
    ActivationItem,
    Decision,
    EvidenceItem,
    FaultKind,
    HangTest,
    LineRound,
    OltRecord,
    Project,
    ServiceTest,
    Splitter,
    SplitterKey,
    Stage,
)
from ponprobe.models.judgement import ThresholdSet, Verdict
from ponprobe.models.plant import PlantComparison, PlantRecord, SiblingTable, SplitterReading
from ponprobe.optics.comparison import compare, judged_losses
from ponprobe.optics.siblings import sibling_tables
from ponprobe.store import schema
from ponprobe.store.activations import Activation, activations_of
from ponprobe.store.projects import StoredSplitter, all_olts, ports_of, splitters_of
from ponprobe.store.results import decisions_of
from ponprobe.workflow.base import AcceptanceRules
from ponprobe.workflow.process import Workflow
from ponprobe.workflow.status import SplitterStatus, project_status

M = TypeVar("M", bound=Value)
_SOME = 200
"""Splitters whose facts are in memory at a time while the data are gathered."""
_OTHERS = 2
"""How many other layouts a report offers as an explanation of a measured loss."""
_SYSTEMS: Mapping[str, PonSystem] = {"gpon": "gpon", "epon": "epon"}


class Counted(Value):
    """Up to which number a splitter's tests were made on an earlier build: kept and shown, and not counted."""

    rounds_void: int = 0
    services_void: int = 0
    evidence_void: int = 0
    """How many pieces of evidence, the oldest first, belong to an earlier build."""


class SplitterReport(Value):
    """Everything that is recorded of one splitter.

    ``item`` are the ten fields of the activation list, its secrets covered. ``rounds``, ``service_tests`` and
    ``evidence`` are complete, oldest first. ``comparisons`` hold the measured losses against the plant as recorded, one
    for each direction; ``not_compared`` says why there are none.
    """

    number: int
    splitter: Splitter
    olt: OltRecord
    optical_class: str | None = None
    item: ActivationItem
    status: SplitterStatus
    activation: Activation = Activation()
    counted: Counted = Counted()
    rounds: tuple[LineRound, ...] = ()
    service_tests: tuple[ServiceTest, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    comparisons: tuple[PlantComparison, ...] = ()
    not_compared: str | None = None

    @property
    def key(self) -> SplitterKey:
        """What identifies the splitter."""
        return self.splitter.key

    @property
    def round(self) -> LineRound | None:
        """The newest line round that counts."""
        counting = [each for each in self.rounds if each.round > self.counted.rounds_void]
        return counting[-1] if counting else None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of that round, if it came to one."""
        return None if self.round is None else self.round.verdict

    @property
    def service(self) -> ServiceTest | None:
        """The newest service test that counts."""
        counting = self.service_tests[self.counted.services_void :]
        return counting[-1] if counting else None

    @property
    def current_evidence(self) -> tuple[EvidenceItem, ...]:
        """The evidence that counts."""
        return self.evidence[self.counted.evidence_void :]

    @property
    def total(self) -> bool | None:
        """Whether line and service passed; ``None`` while neither failed and one has no result."""
        line = None if self.verdict is None or self.status.line == "undetermined" else self.verdict.passed
        service = None if self.service is None else self.service.passed
        if False in {line, service}:
            return False
        return True if line and service else None

    @property
    def clean(self) -> bool:
        """Whether no test ONU of ours is on the OLT, or may be."""
        return not self.status.state.live


class PackedSplitter:
    """One splitter's facts as compressed JSON. ``open()`` gives them; equal if the facts are."""

    __slots__ = ("_data",)

    def __init__(self, report: SplitterReport) -> None:
        self._data = zlib.compress(report.model_dump_json().encode(), 1)

    def open(self) -> SplitterReport:
        """The facts."""
        return SplitterReport.model_validate_json(zlib.decompress(self._data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedSplitter) and other._data == self._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"PackedSplitter({len(self._data)} bytes)"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        facts = handler.generate_schema(SplitterReport)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls, facts),
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda packed: packed.open(), return_schema=facts, when_used="json"
            ),
        )


class ReportData(Value):
    """One project as it stood at ``generated_at``: what every format is written from.

    ``bands`` counts the confidence bands of the lines that were judged. ``threshold_sets`` and ``policies`` are those
    that the verdicts were made with. Goes to JSON and back unchanged (``model_dump_json``, ``model_validate_json``).
    """

    schema_version: Literal[1] = 1
    project: Project
    stage: Stage
    hang_test: HangTest
    rules: AcceptanceRules
    generated_at: AwareDatetime
    tool_version: str = __version__
    to_test: int = 0
    tested: int = 0
    passed: int = 0
    failed: int = 0
    live: int = 0
    bands: tuple[tuple[str, int], ...] = ()
    decisions: tuple[Decision, ...] = ()
    threshold_sets: tuple[ThresholdSet, ...] = ()
    policies: tuple[str, ...] = ()
    testers: tuple[str, ...] = ()
    test_onus: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    """Calibration certificates of the test ONUs that readings were corrected by; none: not calibrated."""
    siblings: tuple[SiblingTable, ...] = ()
    lines: tuple[PackedSplitter, ...] = ()

    @property
    def report_id(self) -> str:
        """Names this report: project and time."""
        return f"{self.project.id}-{self.generated_at:%Y%m%dT%H%M%SZ}"

    @property
    def clean(self) -> bool:
        """Whether no test ONU of the project is on an OLT, or may be."""
        return self.live == 0

    @property
    def digest(self) -> str:
        """``sha256:`` of all facts: the same facts have the same digest in every process."""
        found = hashlib.sha256(self.model_dump_json(exclude={"lines"}).encode())
        for line in self.opened():
            found.update(line.model_dump_json().encode())
        return f"sha256:{found.hexdigest()}"

    def opened(self) -> Iterator[SplitterReport]:
        """Every splitter in the order of the engineering data, one at a time."""
        return (line.open() for line in self.lines)

    def __repr_args__(self) -> Any:
        yield from (("project", self.project.id), ("stage", str(self.stage)), ("lines", len(self.lines)))


def report_data(workflow: Workflow, project: str) -> ReportData:
    """Gather what is stored of a project, in one consistent look at the store; no device is asked.

    Raises ``ConfigError`` if there is no such project.
    """
    store = workflow.store
    with store.read() as connection:
        status = project_status(connection, project, workflow.rules)
        rows = splitters_of(connection, project)
        olts = all_olts(connection)
        ports = ports_of(connection, sorted({row.splitter.olt for row in rows}))
        decisions = tuple(each for kind, each in decisions_of(connection, project) if kind != "confirmation")
        gathering = Gathering()
        by_key = {each.splitter: each for each in status.splitters}
        for first in range(0, len(rows), _SOME):
            some = rows[first : first + _SOME]
            facts = _facts_of(connection, some)
            items = {SplitterKey(*each[0]): each[1] for each in _items(workflow, some, olts, facts, by_key)}
            for offset, row in enumerate(some):
                port = ports.get((row.splitter.olt, str(row.splitter.port)))
                gathering.add(
                    with_comparisons(
                        SplitterReport(
                            number=first + offset + 1,
                            splitter=row.splitter,
                            olt=olts[row.splitter.olt],
                            optical_class=None if port is None else port.optical_class,
                            item=items[row.key],
                            status=by_key[row.key],
                            **facts[row.id],
                        )
                    )
                )
    return ReportData(
        project=status.project,
        stage=status.stage,
        hang_test=status.hang_test,
        rules=workflow.rules,
        generated_at=store.clock(),
        to_test=status.to_test,
        tested=status.tested,
        passed=status.passed,
        live=status.live,
        decisions=decisions,
        **gathering.found(),
    )


def _items(
    workflow: Workflow,
    rows: Sequence[StoredSplitter],
    olts: Mapping[str, OltRecord],
    facts: Mapping[int, Mapping[str, Any]],
    statuses: Mapping[SplitterKey, SplitterStatus],
) -> Iterator[tuple[SplitterKey, ActivationItem]]:
    """The ten fields, as ``Workflow.activation_list`` gives them, for every splitter, tested or not."""
    for row in rows:
        now: Activation = facts[row.id]["activation"]
        item = ActivationItem.of(
            row.splitter,
            olts[row.splitter.olt],
            onu_name=now.onu_name or workflow.naming(row.splitter, now.attempt + 1),
            vlans=now.vlans,
            state=now.state,
            test_state=statuses[row.key].test_state,
        )
        yield row.key, item if now.auth is None else item.model_copy(update={"password": now.auth})


def _facts_of(connection: sa.Connection, rows: Sequence[StoredSplitter]) -> dict[int, dict[str, Any]]:
    """The results of some splitters with four questions."""
    numbers = [row.id for row in rows]
    states = activations_of(connection, numbers)
    rounds = _bodies(connection, schema.line_rounds, schema.line_rounds.c.round, numbers)
    services = _bodies(connection, schema.service_tests, schema.service_tests.c.number, numbers)
    pieces = _bodies(connection, schema.evidence, schema.evidence.c.id, numbers)
    return {
        row.id: {
            "activation": states.get(row.id, Activation()),
            "rounds": _read(LineRound, rounds.get(row.id, ())),
            "service_tests": _read(ServiceTest, services.get(row.id, ())),
            "evidence": _read(EvidenceItem, pieces.get(row.id, ())),
            "counted": Counted(
                rounds_void=row.rounds_void,
                services_void=sum(number <= row.services_void for number, _ in services.get(row.id, ())),
                evidence_void=sum(number <= row.evidence_void for number, _ in pieces.get(row.id, ())),
            ),
        }
        for row in rows
    }


def _bodies(
    connection: sa.Connection, table: sa.Table, number: sa.Column[Any], splitters: Sequence[int]
) -> dict[int, list[tuple[int, str]]]:
    query = sa.select(table.c.splitter, number, table.c.body).where(table.c.splitter.in_(splitters)).order_by(number)
    found: dict[int, list[tuple[int, str]]] = {}
    for splitter, which, body in connection.execute(query):
        found.setdefault(splitter, []).append((which, body))
    return found


def _read(model: type[M], bodies: Iterable[tuple[int, str]]) -> tuple[M, ...]:
    return tuple(model.model_validate_json(body) for _, body in bodies)


# -- what follows from the facts --------------------------------------------------------------------------------------


def plant_record(splitter: Splitter, system: PonSystem) -> PlantRecord | str:
    """The way from the OLT to the splitter as it is recorded, or which records are missing for it."""
    lacking = [
        name for name, value in (("stages", splitter.stages), ("distance_km", splitter.distance_km)) if value is None
    ]
    if lacking or splitter.stages is None:
        return ", ".join(lacking)
    return PlantRecord(
        stages=splitter.stages, record_km=splitter.distance_km, connectors=splitter.connectors, system=system
    )


def with_comparisons(report: SplitterReport) -> SplitterReport:
    """The same splitter with its measured losses held against the plant as recorded, or the reason why not."""
    verdict = report.verdict
    if verdict is None:
        return report.model_copy(update={"not_compared": "no_reading"})
    record = plant_record(report.splitter, _SYSTEMS[report.olt.technology])
    if isinstance(record, str):
        return report.model_copy(update={"not_compared": f"not_recorded: {record}"})
    try:
        losses = judged_losses(verdict)
        found = tuple(_trimmed(compare(record, loss)) for loss in losses)
    except (ConfigError, ValueError) as exc:
        # a ratio that no table knows, say: there is no expectation then, and the report says why
        return report.model_copy(update={"not_compared": f"not_computable: {exc}"})
    return report.model_copy(update={"comparisons": found, "not_compared": None if found else "no_reading"})


def _trimmed(comparison: PlantComparison) -> PlantComparison:
    """The record if it fits; else the best other layouts, and how much loss there is too much of."""
    fitting = [each for each in comparison.explanations if each.fits] or list(comparison.explanations[:1])
    others = [each for each in fitting if each.kind not in {"extra_loss", "less_loss"}]
    kept = others[:_OTHERS] + [each for each in fitting if each not in others][:1]
    return comparison.model_copy(update={"explanations": tuple(kept)})


class Gathering:
    """What is counted over all splitters, one by one."""

    def __init__(self) -> None:
        self.lines: list[PackedSplitter] = []
        self.bands: Counter[str] = Counter()
        self.failed = 0
        self.sets: dict[str, ThresholdSet] = {}
        self.names: dict[str, dict[str, None]] = {"policies": {}, "testers": {}, "test_onus": {}, "certificates": {}}
        self.readings: list[SplitterReading] = []

    def add(self, report: SplitterReport) -> None:
        """Take the next splitter."""
        self.lines.append(PackedSplitter(report))
        tested, verdict = report.round, report.verdict
        self.failed += report.total is False
        for each in report.rounds:
            self.names["testers"][str(each.actor)] = None
        if tested is None or verdict is None:
            return
        self.bands[str(verdict.band)] += 1
        self.sets.setdefault(verdict.threshold_set.model_dump_json(), verdict.threshold_set)
        self.names["policies"][str(verdict.policy)] = None
        if verdict.options.calibration is not None:
            self.names["certificates"][verdict.options.calibration.certificate] = None
        power = verdict.reading.onu_rx_dbm
        if tested.serial is not None:
            self.names["test_onus"][str(tested.serial)] = None
            if power.value is not None:
                expected = [each.expected.mean_db for each in report.comparisons if each.expected.direction == "down"]
                self.readings.append(
                    SplitterReading(
                        splitter=report.splitter.name,
                        port=report.splitter.port,
                        test_onu=tested.serial,
                        onu_rx_dbm=power.value,
                        expected_db=expected[0] if expected else None,
                        at=tested.at,
                        olt=report.splitter.olt,
                    )
                )

    def found(self) -> dict[str, Any]:
        """The fields of ``ReportData`` that follow from the splitters."""
        return {
            "lines": tuple(self.lines),
            "bands": tuple(sorted(self.bands.items())),
            "failed": self.failed,
            "threshold_sets": tuple(self.sets.values()),
            "siblings": sibling_tables(_all_or_none(self.readings)),
            **{name: tuple(each) for name, each in self.names.items()},
        }


def _all_or_none(readings: Sequence[SplitterReading]) -> Iterator[SplitterReading]:
    """Splitters of one PON are compared with their expected losses only if all of them have one."""
    lacking = {(each.olt, each.port) for each in readings if each.expected_db is None}
    for each in readings:
        yield each.model_copy(update={"expected_db": None}) if (each.olt, each.port) in lacking else each


def fault_of(report: SplitterReport) -> FaultKind | None:
    """The fault that sends a splitter back, as the process or its newest round has it."""
    return report.status.fault or (report.round.fault if report.round is not None else None)
