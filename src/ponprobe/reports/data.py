"""Where the facts of a report come from: the store, in one look, and what follows from them. Nothing else reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.components import PonSystem
from ponprobe.models.engineering import (
    ActivationItem,
    Actor,
    EvidenceItem,
    LineRound,
    OltRecord,
    ServiceTest,
    Splitter,
    SplitterKey,
)
from ponprobe.models.judgement import ThresholdSet
from ponprobe.models.plant import PlantComparison, PlantRecord, SplitterReading
from ponprobe.optics.comparison import compare, judged_losses
from ponprobe.optics.siblings import sibling_tables
from ponprobe.reports.facts import Counted, PackedSplitter, ReportData, SplitterReport
from ponprobe.store import schema
from ponprobe.store.activations import Activation, activations_of
from ponprobe.store.projects import StoredSplitter, all_olts, ports_of, splitters_of
from ponprobe.store.results import decisions_of
from ponprobe.workflow.process import Workflow
from ponprobe.workflow.status import SplitterStatus, project_status

__all__ = ["Counted", "PackedSplitter", "ReportData", "SplitterReport", "report_data", "with_comparisons"]

M = TypeVar("M", bound=Value)
_SOME = 200
"""Splitters whose facts are in memory at a time while the data are gathered."""
_OTHERS = 2
"""How many other layouts a report offers as an explanation of a measured loss."""
_SYSTEMS: Mapping[str, PonSystem] = {"gpon": "gpon", "epon": "epon"}


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
        self.names: dict[str, dict[str, None]] = {"policies": {}, "test_onus": {}, "certificates": {}}
        self.testers: dict[Actor, None] = {}
        self.times: list[datetime] = []
        """The first and the last test."""
        self.readings: list[SplitterReading] = []

    def add(self, report: SplitterReport) -> None:
        """Take the next splitter."""
        self.lines.append(PackedSplitter(report))
        tested, verdict = report.round, report.verdict
        self.failed += report.total is False
        tests: list[tuple[Actor | None, datetime]] = [(each.actor, each.at) for each in report.rounds]
        tests += [(each.actor, each.started_at) for each in report.service_tests]
        self.testers.update(dict.fromkeys(actor for actor, _ in tests if actor is not None))
        times = [*self.times, *(at for _, at in tests)]
        self.times = [min(times), max(times)] if times else []
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
            "testers": tuple(self.testers),
            "tested_from": self.times[0] if self.times else None,
            "tested_to": self.times[-1] if self.times else None,
            **{name: tuple(each) for name, each in self.names.items()},
        }


def _all_or_none(readings: Sequence[SplitterReading]) -> Iterator[SplitterReading]:
    """Splitters of one PON are compared with their expected losses only if all of them have one."""
    lacking = {(each.olt, each.port) for each in readings if each.expected_db is None}
    for each in readings:
        yield each.model_copy(update={"expected_db": None}) if (each.olt, each.port) in lacking else each
