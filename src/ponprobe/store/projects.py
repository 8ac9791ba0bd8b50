"""Engineering data in the store: projects, OLTs, PON ports, splitters, with every revision kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from pydantic import AwareDatetime, TypeAdapter

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.engineering import (
    ActivationState,
    Actor,
    FaultKind,
    OltRecord,
    PonPortRecord,
    Project,
    Splitter,
    SplitterKey,
)
from ponprobe.store import schema
from ponprobe.store.database import Change, stamp
from ponprobe.store.refusals import NotReady

_PATH = ("name", "olt", "port", "splitter_port", "ratio", "stages", "last_stage", "ftth")
"""What a test depends on: after a change of one of these an earlier test says nothing about the splitter."""
_FEW = 200
"""So many splitters are looked up by their keys; for more, the project is read as a whole."""
LIVE_STATES = tuple(state.value for state in ActivationState if state.live)


class StoredSplitter(Value):
    """A splitter with its number and revision; tests and evidence up to the numbers ``..._void`` no longer count."""

    id: int
    splitter: Splitter
    revision: int
    rounds_void: int = 0
    services_void: int = 0
    evidence_void: int = 0
    fault: FaultKind | None = None
    deleted_at: AwareDatetime | None = None

    @property
    def key(self) -> SplitterKey:
        """What identifies the splitter."""
        return self.splitter.key

    @property
    def item(self) -> str:
        """The key as events keep it."""
        return json.dumps(list(self.key), ensure_ascii=False)


class SplitterRevision(Value):
    """A splitter as it was: who changed it, when, how (``added``, ``changed``, ``deleted``)."""

    revision: int
    change: str
    splitter: Splitter
    actor: Actor
    at: AwareDatetime


# ---------------------------------------------------------------------- projects


def find_project(connection: sa.Connection, project_id: str) -> Project:
    """Give a project; ``ConfigError`` if there is none of this id."""
    body = connection.scalar(sa.select(schema.projects.c.body).where(schema.projects.c.id == project_id))
    if body is None:
        raise ConfigError(f"there is no project {project_id!r} in the store", hint="list the projects, or create it")
    return Project.model_validate_json(body)


def all_projects(connection: sa.Connection) -> tuple[Project, ...]:
    """Give all projects, oldest first."""
    query = sa.select(schema.projects.c.body).order_by(schema.projects.c.created_at, schema.projects.c.id)
    return tuple(Project.model_validate_json(body) for body in connection.scalars(query))


def add_project(change: Change, project: Project) -> None:
    """Add a project; ``ConfigError`` if its id is taken."""
    taken = sa.select(schema.projects.c.id).where(schema.projects.c.id == project.id)
    if change.connection.scalar(taken) is not None:
        raise ConfigError(f"there is a project {project.id!r} already", hint="change it, or choose another id")
    change.insert(
        schema.projects,
        id=project.id,
        name=project.name,
        revision=1,
        created_at=stamp(project.created_at),
        body=project.model_dump_json(),
    )
    change.event("project.added", project.model_dump(mode="json"), project=project.id)


def change_project(change: Change, project: Project) -> None:
    """Put new data in the place of a project's; the old ones stay in its events."""
    find_project(change.connection, project.id)
    table = schema.projects
    change.connection.execute(
        table.update()
        .where(table.c.id == project.id)
        .values(name=project.name, revision=table.c.revision + 1, body=project.model_dump_json())
    )
    change.event("project.changed", project.model_dump(mode="json"), project=project.id)


# ---------------------------------------------------------------------- OLTs and PON ports


def all_olts(connection: sa.Connection) -> dict[str, OltRecord]:
    """Give every OLT by name."""
    bodies = connection.scalars(sa.select(schema.olts.c.body).order_by(schema.olts.c.name))
    return {record.name: record for record in map(OltRecord.model_validate_json, bodies)}


def ports_of(connection: sa.Connection, olts: Collection[str]) -> dict[tuple[str, str], PonPortRecord]:
    """Give the PON ports of some OLTs by their keys."""
    table = schema.pon_ports
    bodies = connection.scalars(
        sa.select(table.c.body).where(table.c.olt.in_(olts)).order_by(table.c.olt, table.c.port)
    )
    return {record.key: record for record in map(PonPortRecord.model_validate_json, bodies)}


def put_olt(change: Change, olt: OltRecord) -> bool:
    """Add an OLT or change its data; false if they are there already. Refused while a test ONU is live on it."""
    table = schema.olts
    on_it = schema.splitters.c.olt == olt.name
    return _put(change, table, olt, key={"name": olt.name}, columns={}, what=f"the OLT {olt.name}", on_it=on_it)


def put_port(change: Change, port: PonPortRecord) -> bool:
    """Add a PON port or change its data; false if they are there already. Refused while a test ONU is live on it."""
    if change.connection.scalar(sa.select(schema.olts.c.name).where(schema.olts.c.name == port.olt)) is None:
        raise ConfigError(f"PON port {port.port} is on OLT {port.olt!r}, which is not in the store", hint="add the OLT")
    key = {"olt": port.olt, "port": str(port.port)}
    on_it = sa.and_(schema.splitters.c.olt == port.olt, schema.splitters.c.port == str(port.port))
    what, columns = f"the PON port {port.olt} {port.port}", {"svlan": port.svlan}
    return _put(change, schema.pon_ports, port, key=key, columns=columns, what=what, on_it=on_it)


def _put(
    change: Change,
    table: sa.Table,
    record: OltRecord | PonPortRecord,
    *,
    key: dict[str, str],
    columns: dict[str, int],
    what: str,
    on_it: sa.ColumnElement[bool],
) -> bool:
    place = sa.and_(*(table.c[name] == value for name, value in key.items()))
    body, kind = record.model_dump_json(), "olt" if isinstance(record, OltRecord) else "pon_port"
    old = change.connection.scalar(sa.select(table.c.body).where(place))
    if old == body:
        return False
    if old is None:
        change.insert(table, **key, **columns, revision=1, body=body)
        change.event(f"{kind}.added", record.model_dump(mode="json"))
        return True
    live = _live(change.connection, on_it)
    if live:
        raise NotReady(f"{what} cannot be changed while a test ONU is live", reasons=live, hint="revoke first")
    change.connection.execute(table.update().where(place).values(**columns, revision=table.c.revision + 1, body=body))
    change.event(f"{kind}.changed", record.model_dump(mode="json"))
    return True


def _live(connection: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[str, ...]:
    """Say for each splitter that has a test ONU of ours, or may have, in which state it is."""
    query = (
        sa.select(schema.splitters.c.olt, schema.splitters.c.port, schema.splitters.c.name, schema.activations.c.state)
        .join(schema.activations, schema.activations.c.splitter == schema.splitters.c.id)
        .where(which, schema.activations.c.state.in_(LIVE_STATES))
    )
    return tuple(
        f"{SplitterKey(olt, port, name)} is {ActivationState(state).label} ({state})"
        for olt, port, name, state in connection.execute(query)
    )


# ---------------------------------------------------------------------- splitters


def splitters_of(
    connection: sa.Connection, project: str, keys: Iterable[SplitterKey] | None = None, *, deleted: bool = False
) -> tuple[StoredSplitter, ...]:
    """Give the splitters of a project, or those with ``keys``, in the order in which they were added.

    Raises ``ConfigError`` that names the keys that the project does not have.
    """
    table = schema.splitters
    query = sa.select(table).where(table.c.project == project).order_by(table.c.id)
    if not deleted:
        query = query.where(table.c.deleted_at.is_(None))
    wanted = None if keys is None else dict.fromkeys(SplitterKey(*key) for key in keys)
    if wanted is not None and len(wanted) == 1:
        # SQLite takes its index for equal values, and reads the whole project for a list of one
        ((olt, port, name),) = wanted
        query = query.where(table.c.olt == olt, table.c.port == port, table.c.name == name)
    elif wanted is not None and len(wanted) <= _FEW:
        # a few splitters of ten thousand are not worth reading them all
        query = query.where(sa.tuple_(table.c.olt, table.c.port, table.c.name).in_([tuple(key) for key in wanted]))
    found = tuple(map(_as_splitter, connection.execute(query).mappings()))
    if wanted is None:
        return found
    known = {each.key for each in found}
    unknown = [key for key in wanted if key not in known]
    if unknown:
        raise ConfigError(
            f"project {project} has no splitter {', '.join(map(str, unknown[:5]))}"
            + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""),
            hint="a splitter is named by its OLT, PON port and name as in the engineering data",
        )
    return tuple(each for each in found if each.key in wanted)


def splitter_by_id(connection: sa.Connection, number: int) -> StoredSplitter:
    """Give the splitter with a number, deleted or not."""
    row = connection.execute(sa.select(schema.splitters).where(schema.splitters.c.id == number)).mappings().one()
    return _as_splitter(row)


def add_splitter(change: Change, splitter: Splitter) -> StoredSplitter:
    """Add a splitter; its project and PON port must be there. ``ConfigError`` if the key is taken."""
    _require_port(change.connection, splitter)
    _require_free(change.connection, splitter, None)
    number = change.insert(
        schema.splitters,
        project=splitter.project,
        olt=splitter.olt,
        port=str(splitter.port),
        name=splitter.name,
        revision=1,
        rounds_void=0,
        services_void=0,
        evidence_void=0,
        body=splitter.model_dump_json(),
    )
    added = StoredSplitter(id=number, splitter=splitter, revision=1)
    _remember(change, added, "added")
    return added


def change_splitter(change: Change, old: StoredSplitter, new: Splitter) -> StoredSplitter:
    """Put new data in the place of a splitter's; an open ``data`` fault ends with it.

    Refused with ``NotReady`` while a test ONU is live on it. If the path changes, the tests made so far stay in the
    history and no longer count.
    """
    require_not_live(change.connection, old)
    if new.project != old.splitter.project:
        raise ConfigError(f"{old.key} stays in project {old.splitter.project}", hint="delete it here and add it there")
    _require_port(change.connection, new)
    _require_free(change.connection, new, old.id)
    table, moved = schema.splitters, any(getattr(new, name) != getattr(old.splitter, name) for name in _PATH)
    values = {
        "olt": new.olt,
        "port": str(new.port),
        "name": new.name,
        "revision": old.revision + 1,
        "fault": None if old.fault is FaultKind.DATA else old.fault,
        "body": new.model_dump_json(),
        **(voided(change.connection, old.id) if moved else {}),
    }
    change.connection.execute(table.update().where(table.c.id == old.id).values(**values))
    changed = splitter_by_id(change.connection, old.id)
    _remember(change, changed, "changed")
    return changed


def delete_splitter(change: Change, old: StoredSplitter) -> None:
    """Take a splitter out of its project; history and tests stay. Refused while a test ONU is live on it."""
    require_not_live(change.connection, old)
    gone = old.model_copy(update={"revision": old.revision + 1, "deleted_at": change.at})
    where = schema.splitters.c.id == old.id
    change.connection.execute(
        schema.splitters.update().where(where).values(deleted_at=stamp(change.at), revision=gone.revision)
    )
    _remember(change, gone, "deleted")


def voided(connection: sa.Connection, number: int) -> dict[str, int]:
    """Give what must be written so that no test so far counts any more."""
    newest = {
        "rounds_void": schema.line_rounds.c.round,
        "services_void": schema.service_tests.c.number,
        "evidence_void": schema.evidence.c.id,
    }
    return {
        name: int(connection.scalar(sa.select(sa.func.max(column)).where(column.table.c.splitter == number)) or 0)
        for name, column in newest.items()
    }


def set_fault(change: Change, row: StoredSplitter, fault: FaultKind | None, *, void: bool = False) -> None:
    """Say that a splitter is back in engineering data for a reason, or (``None``) that it no longer is."""
    more = voided(change.connection, row.id) if void else {}
    where = schema.splitters.c.id == row.id
    change.connection.execute(
        schema.splitters.update().where(where).values(fault=None if fault is None else fault.value, **more)
    )


def history_of(connection: sa.Connection, number: int) -> tuple[SplitterRevision, ...]:
    """Give every revision of a splitter, oldest first."""
    table, events = schema.splitter_history, schema.events
    query = (
        sa.select(table, events.c.actor_name, events.c.actor_role, events.c.at)
        .join(events, events.c.id == table.c.event)
        .where(table.c.splitter == number)
        .order_by(table.c.revision)
    )
    return tuple(
        SplitterRevision(
            revision=row["revision"],
            change=row["change"],
            splitter=Splitter.model_validate_json(row["body"]),
            actor=Actor(name=row["actor_name"], role=row["actor_role"]),
            at=datetime.fromisoformat(row["at"]),
        )
        for row in connection.execute(query).mappings()
    )


def require_not_live(connection: sa.Connection, row: StoredSplitter) -> None:
    """Raise ``NotReady`` while a test ONU of ours stands at a splitter, or may."""
    live = _live(connection, schema.splitters.c.id == row.id)
    if live:
        raise NotReady("the record cannot be changed while a test ONU is live", reasons=live, hint="revoke first")


def _require_port(connection: sa.Connection, splitter: Splitter) -> None:
    find_project(connection, splitter.project)
    table = schema.pon_ports
    where = sa.and_(table.c.olt == splitter.olt, table.c.port == str(splitter.port))
    if connection.scalar(sa.select(table.c.svlan).where(where)) is None:
        raise ConfigError(
            f"splitter {splitter.name!r} hangs on PON port {splitter.olt} {splitter.port}, which is not in the store",
            hint="add the PON port with its SVLAN first",
        )


def _require_free(connection: sa.Connection, splitter: Splitter, besides: int | None) -> None:
    table = schema.splitters
    where = sa.and_(
        table.c.olt == splitter.olt,
        table.c.port == str(splitter.port),
        table.c.name == splitter.name,
        table.c.deleted_at.is_(None),
    )
    row = connection.execute(sa.select(table.c.id, table.c.project).where(where)).first()
    if row is not None and row.id != besides:
        raise ConfigError(f"{splitter.key} is there already, in project {row.project}", hint="change that one")


def _remember(change: Change, row: StoredSplitter, what: str) -> None:
    data = row.splitter.model_dump(mode="json")
    event = change.event(f"splitter.{what}", data, project=row.splitter.project, splitter=row.id, item=row.item)
    change.insert(
        schema.splitter_history,
        splitter=row.id,
        revision=row.revision,
        event=event,
        change=what,
        body=row.splitter.model_dump_json(),
    )


def _as_splitter(row: sa.RowMapping) -> StoredSplitter:
    return StoredSplitter(
        id=row["id"],
        splitter=Splitter.model_validate_json(row["body"]),
        revision=row["revision"],
        rounds_void=row["rounds_void"],
        services_void=row["services_void"],
        evidence_void=row["evidence_void"],
        fault=row["fault"],
        deleted_at=None if row["deleted_at"] is None else datetime.fromisoformat(row["deleted_at"]),
    )


KEYS: TypeAdapter[tuple[SplitterKey, ...]] = TypeAdapter(tuple[SplitterKey, ...])
