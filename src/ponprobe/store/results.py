"""What the tests brought: line rounds, service tests, evidence, decisions. Rows are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from ponprobe.models._base import Value
from ponprobe.models.engineering import Actor, Decision, EvidenceItem, FaultKind, LineRound, ServiceTest
from ponprobe.store import schema
from ponprobe.store.database import Change, stamp
from ponprobe.store.projects import StoredSplitter, set_fault

_OVERTAKES = (
    "project.changed",
    "splitter.added",
    "splitter.changed",
    "splitter.deleted",
    "splitter.rectified",
    "splitter.sent_back",
    "line.tested",
    "service.tested",
)
NOT_MEASURED = "not_measured"
"""The outcome of a round that ended before there was a reading."""


class LatestTests(Value):
    """The newest results of a splitter that count, without their bodies. ``photos`` are the kinds of evidence."""

    rounds: int = 0
    line: str | None = None
    line_round: int | None = None
    services: int = 0
    service: bool | None = None
    evidence: frozenset[str] = frozenset()


def add_round(change: Change, row: StoredSplitter, result: LineRound) -> LineRound:
    """Add a line round under the next number and return it. Its fault, or that it has none, becomes the splitter's."""
    table = schema.line_rounds
    newest = change.connection.scalar(sa.select(sa.func.max(table.c.round)).where(table.c.splitter == row.id)) or 0
    numbered = result.model_copy(update={"round": int(newest) + 1, "splitter": row.key})
    outcome = NOT_MEASURED if numbered.verdict is None else str(numbered.verdict.outcome)
    change.insert(
        table,
        splitter=row.id,
        round=numbered.round,
        outcome=outcome,
        actor_name=numbered.actor.name,
        run_id=numbered.run_id,
        at=stamp(numbered.at),
        body=numbered.model_dump_json(),
    )
    set_fault(change, row, numbered.fault)
    fault = None if numbered.fault is None else numbered.fault.value
    data = {"round": numbered.round, "outcome": outcome, "fault": fault, "run_id": numbered.run_id}
    change.event("line.tested", data, project=row.splitter.project, splitter=row.id, item=row.item)
    return numbered


def rounds_of(connection: sa.Connection, splitter: int) -> tuple[LineRound, ...]:
    """Give every round of a splitter, first to last."""
    table = schema.line_rounds
    bodies = connection.scalars(sa.select(table.c.body).where(table.c.splitter == splitter).order_by(table.c.round))
    return tuple(map(LineRound.model_validate_json, bodies))


def add_service_test(change: Change, row: StoredSplitter, result: ServiceTest) -> int:
    """Add a service test and return its number."""
    table = schema.service_tests
    newest = change.connection.scalar(sa.select(sa.func.max(table.c.number)).where(table.c.splitter == row.id)) or 0
    number = int(newest) + 1
    change.insert(
        table,
        splitter=row.id,
        number=number,
        passed=result.passed,
        actor_name=(result.actor or change.actor).name,
        at=stamp(change.at),
        body=result.model_dump_json(),
    )
    data = {"number": number, "passed": result.passed, "provider": result.provider}
    change.event("service.tested", data, project=row.splitter.project, splitter=row.id, item=row.item)
    return number


def service_tests_of(connection: sa.Connection, splitter: int) -> tuple[ServiceTest, ...]:
    """Give every service test of a splitter, first to last."""
    table = schema.service_tests
    bodies = connection.scalars(sa.select(table.c.body).where(table.c.splitter == splitter).order_by(table.c.number))
    return tuple(map(ServiceTest.model_validate_json, bodies))


def add_evidence(change: Change, row: StoredSplitter, item: EvidenceItem) -> bool:
    """Add a piece of evidence; false if the same file is there already as the same kind, and nothing is added."""
    table = schema.evidence
    same = sa.and_(table.c.splitter == row.id, table.c.sha256 == item.sha256, table.c.kind == item.kind)
    # a photo that was handed in for an earlier build may be handed in again: then it counts from now on
    if change.connection.scalar(sa.select(table.c.id).where(same, table.c.id > row.evidence_void)) is not None:
        change.idle = True
        return False
    change.insert(
        table,
        splitter=row.id,
        kind=item.kind,
        sha256=item.sha256,
        at=stamp(change.at),
        body=item.model_dump_json(),
    )
    data = {"kind": item.kind, "sha256": item.sha256, "bytes": item.bytes, "file_name": item.file_name}
    change.event("evidence.added", data, project=row.splitter.project, splitter=row.id, item=row.item)
    return True


def evidence_of(connection: sa.Connection, splitter: int) -> tuple[EvidenceItem, ...]:
    """Give every piece of evidence of a splitter, in the order in which it came."""
    table = schema.evidence
    bodies = connection.scalars(sa.select(table.c.body).where(table.c.splitter == splitter).order_by(table.c.id))
    return tuple(map(EvidenceItem.model_validate_json, bodies))


def latest_tests(connection: sa.Connection, project: str) -> dict[int, LatestTests]:
    """Give for every splitter of a project what its newest tests say, with a fixed number of questions."""
    found: dict[int, dict[str, object]] = {}
    splitters, rounds, services = schema.splitters, schema.line_rounds, schema.service_tests
    of_project = sa.and_(splitters.c.project == project, splitters.c.deleted_at.is_(None))
    query = sa.select(rounds.c.splitter, rounds.c.round, rounds.c.outcome, splitters.c.rounds_void)
    ordered = query.join(splitters, splitters.c.id == rounds.c.splitter).where(of_project).order_by(rounds.c.round)
    for splitter, number, outcome, void in connection.execute(ordered):
        entry = found.setdefault(splitter, {})
        entry["rounds"] = number
        if number > void:
            entry.update(line=outcome, line_round=number)
    query = sa.select(services.c.splitter, services.c.number, services.c.passed, splitters.c.services_void)
    ordered = query.join(splitters, splitters.c.id == services.c.splitter).where(of_project).order_by(services.c.number)
    for splitter, number, passed, void in connection.execute(ordered):
        entry = found.setdefault(splitter, {})
        entry["services"] = number
        if number > void:
            entry["service"] = bool(passed)
    pieces = schema.evidence
    joined = sa.select(pieces.c.splitter, pieces.c.kind).join(splitters, splitters.c.id == pieces.c.splitter)
    kinds: dict[int, set[str]] = {}
    for splitter, kind in connection.execute(joined.where(of_project, pieces.c.id > splitters.c.evidence_void)):
        kinds.setdefault(splitter, set()).add(kind)
    for splitter, some in kinds.items():
        found.setdefault(splitter, {})["evidence"] = frozenset(some)
    return {splitter: LatestTests.model_validate(entry) for splitter, entry in found.items()}


def testers_of(connection: sa.Connection, project: str) -> frozenset[str]:
    """Give the names of everybody who made a test of a project."""
    names: set[str] = set()
    for table in (schema.line_rounds, schema.service_tests):
        query = sa.select(table.c.actor_name).distinct()
        joined = query.join(schema.splitters, schema.splitters.c.id == table.c.splitter)
        names |= set(connection.scalars(joined.where(schema.splitters.c.project == project)))
    return frozenset(names)


def add_decision(
    change: Change, project: str, decision: Decision, *, kind: str | None = None, rows: Collection[StoredSplitter] = ()
) -> None:
    """Add a decision on a project. ``kind`` is finer than the decision's own where the process needs it."""
    name = kind or decision.kind
    data = {**decision.model_dump(mode="json", exclude={"actor", "at"}), "kind": name}
    if rows:
        data["splitters"] = [list(row.key) for row in rows]
    event = change.event(f"decision.{name}", data, project=project)
    change.insert(
        schema.decisions,
        project=project,
        event=event,
        kind=name,
        accepted=decision.accepted,
        at=stamp(decision.at),
        body=decision.model_dump_json(),
    )


def decisions_of(connection: sa.Connection, project: str) -> tuple[tuple[str, Decision], ...]:
    """Give every decision on a project with its finer kind, first to last."""
    table = schema.decisions
    rows = connection.execute(
        sa.select(table.c.kind, table.c.body).where(table.c.project == project).order_by(table.c.id)
    )
    return tuple((kind, Decision.model_validate_json(body)) for kind, body in rows)


class Standing(Value):
    """The newest decision on a project, its event's number, and whether its subject has changed since."""

    kind: str
    decision: Decision
    event: int
    overtaken: bool


def standing_decision(connection: sa.Connection, project: str) -> Standing | None:
    """Give the newest decision on a project. What changes plant, records or results afterwards overtakes it."""
    table, events = schema.decisions, schema.events
    query = sa.select(table).where(table.c.project == project).order_by(table.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    since = sa.select(events.c.id).where(
        events.c.project == project, events.c.id > row["event"], events.c.name.in_(_OVERTAKES)
    )
    return Standing(
        kind=row["kind"],
        decision=Decision.model_validate_json(row["body"]),
        event=row["event"],
        overtaken=connection.scalar(since.limit(1)) is not None,
    )


def note_fault(
    change: Change, row: StoredSplitter, fault: FaultKind | None, *, actor: Actor, comment: str | None, name: str
) -> None:
    """Send a splitter back to engineering data, or say that it has been put right."""
    # what was put right on site is another line: tests of the old one count no more
    set_fault(change, row, fault, void=fault is None)
    data = {"fault": None if fault is None else fault.value, "comment": comment, "by": actor.name}
    change.event(name, json.loads(json.dumps(data)), project=row.splitter.project, splitter=row.id, item=row.item)
