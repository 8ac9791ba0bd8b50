"""What a report is made of: the stored facts of one project as one frozen value.

Five thousand splitters with all their rounds would fill the memory as objects, so each splitter's facts are kept as
compressed JSON and opened when they are looked at: ``ReportData.opened()`` goes through them one by one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import AwareDatetime, GetCoreSchemaHandler
from pydantic_core import core_schema

from ponprobe._version import __version__
from ponprobe.models._base import Value
from ponprobe.models.engineering import (
    ActivationItem,
    Actor,
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
from ponprobe.models.plant import PlantComparison, SiblingTable
from ponprobe.store.activations import Activation
from ponprobe.workflow.base import AcceptanceRules
from ponprobe.workflow.status import SplitterStatus


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
    testers: tuple[Actor, ...] = ()
    tested_from: AwareDatetime | None = None
    tested_to: AwareDatetime | None = None
    """From when to when lines and services were tested, over all rounds."""
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


def fault_of(report: SplitterReport) -> FaultKind | None:
    """The fault that sends a splitter back, as the process or its newest round has it."""
    return report.status.fault or (report.round.fault if report.round is not None else None)
