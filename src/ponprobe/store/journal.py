"""The journal: every change is on disk, with its undo, before its first byte goes to a device.

A run is one test ONU's life on one OLT. A write's state says how far it came::

    intended -> done | refused | unknown        (``unknown``: sent, but the answer was lost)
    done | unknown -> undone

A run is ``open`` until a removal has been proven on the device; ``kept`` is open on purpose. ``Journal.recover``-able
runs are those that are open and whose process is gone: a live process holds the run's file lock, which the kernel
releases even after kill -9.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from filelock import FileLock, Timeout
from pydantic import AwareDatetime, Field, TypeAdapter

from ponprobe.errors import ConfigError, LeaseConflict
from ponprobe.flow import Write
from ponprobe.models._base import Value
from ponprobe.models.acceptance import Created, Ownership

log = logging.getLogger(__name__)

WriteState = Literal["intended", "done", "refused", "unknown", "undone"]
RunState = Literal["open", "kept", "clean", "residue"]

_TABLES = 0x706F6E6A  # the advisory lock under which the tables are made: any number that is ours

_metadata = sa.MetaData()
_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("olt", sa.String(255), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("device", sa.String(255), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("order_text", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("opened_at", sa.String(40), nullable=False),
    sa.Column("closed_at", sa.String(40)),
    sa.Column("note", sa.Text),
    sa.Index("runs_by_olt", "olt", "state"),
)
_writes = sa.Table(
    "writes",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("undo", sa.Text, nullable=False),
    sa.Column("creates", sa.Text),
    sa.Column("removes", sa.Text),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("writes_by_run", "run_id"),
)
_created: TypeAdapter[Created] = TypeAdapter(Created)


class JournalWrite(Value):
    """One change as the journal has it; ``line`` and ``undo`` have their secrets covered."""

    id: int
    what: str
    line: str
    undo: tuple[str, ...] = ()
    creates: Created | None = None
    removes: Created | None = None
    state: WriteState
    at: AwareDatetime


class JournalRun(Value):
    """One run as the journal has it; ``device`` is what the OLT calls itself in its prompt."""

    run_id: str
    olt: str
    host: str
    device: str
    owner: Ownership
    order: dict[str, Any] = Field(default_factory=dict)
    state: RunState
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    note: str | None = None
    writes: tuple[JournalWrite, ...] = ()

    @property
    def created(self) -> tuple[Created, ...]:
        """What may stand on the device: everything intended that was neither refused nor undone."""
        return tuple(w.creates for w in self.writes if w.creates is not None and w.state not in {"refused", "undone"})


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


class Journal:
    """The journal at a path (SQLite) or a SQLAlchemy URL. Safe for threads and for several processes."""

    def __init__(self, place: str | Path) -> None:
        text = str(place)
        self.url = sa.engine.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        locks = (
            Path(self.url.database or "journal")
            if self.url.get_backend_name() == "sqlite"
            else Path.home() / ".ponprobe"
        )
        self._locks = locks.with_name(locks.name + ".locks")
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            self._engine = sa.create_engine(self.url)
            if self.url.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _durable)
            self._create()
        except (OSError, Timeout, sa.exc.SQLAlchemyError) as exc:
            raise ConfigError(
                f"the journal {self.url.render_as_string(hide_password=True)} cannot be opened: {exc}",
                hint="without a journal nothing is changed on a device; name another place with PONPROBE_JOURNAL",
            ) from exc

    def _create(self) -> None:
        """Make the tables, one process or thread at a time: looking for them and making them are two steps."""
        if self.url.get_backend_name() == "sqlite":
            with FileLock(str(self._locks / "tables.lock"), timeout=60):
                _metadata.create_all(self._engine)
            return
        with self._engine.begin() as connection:
            if self.url.get_backend_name() == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TABLES)))
            _metadata.create_all(connection)

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    # ------------------------------------------------------------------ runs

    def open_run(
        self,
        run_id: str,
        *,
        olt: str,
        host: str,
        device: str,
        owner: Ownership,
        order: dict[str, Any],
        changes: Sequence[Write],
    ) -> dict[str, int]:
        """Put a run and all its intended changes on disk, in one transaction, before the first byte is sent.

        From here on ``recover`` knows of it. Returns the number of each change by what it says.
        """
        run = {
            "run_id": run_id,
            "olt": olt,
            "host": host,
            "device": device,
            "owner": owner.model_dump_json(),
            "order_text": json.dumps(order, ensure_ascii=False),
            "state": "open",
            "opened_at": _now(),
        }
        with self._engine.begin() as connection:
            connection.execute(_runs.insert().values(run))
            return {change.what: _insert(connection, run_id, change) for change in changes}

    def settle(
        self,
        run_id: str,
        writes: Mapping[int, WriteState],
        *,
        undone: Sequence[Created] = (),
        state: RunState | None = None,
        note: str | None = None,
    ) -> None:
        """Record in one transaction how changes ended, what is proven gone, and how the run ends.

        ``state``: ``clean`` after proof, ``residue`` if something is left, ``kept`` to leave it live; ``None`` leaves
        the run as it is. What is not recorded counts as intended, which is what ``recover`` must assume anyway.
        """
        now = _now()
        of_run = _writes.c.run_id == run_id
        with self._engine.begin() as connection:
            for number, ended in writes.items():
                connection.execute(_writes.update().where(_writes.c.id == number).values(state=ended, at=now))
            for item in undone:
                gone = sa.and_(of_run, _writes.c.creates == _dump(item))
                connection.execute(_writes.update().where(gone).values(state="undone", at=now))
            if state is not None:
                closed_at = None if state in {"open", "kept"} else now
                ended_run = _runs.update().where(_runs.c.run_id == run_id)
                connection.execute(ended_run.values(state=state, note=note, closed_at=closed_at))

    def run(self, run_id: str) -> JournalRun:
        """One run with its writes; ``ConfigError`` if there is none of this id."""
        found = self._select(_runs.c.run_id == run_id)
        if not found:
            raise ConfigError(f"no run {run_id!r} in the journal", hint="ponprobe recover lists the open ones")
        return found[0]

    def unfinished(self, olt: str | None = None) -> tuple[JournalRun, ...]:
        """Runs that are not proven clean: ``open``, ``kept`` and ``residue``.

        The last one first, which is the order to take them away in: where a run was killed between the two halves of a
        NETCONF commit, the device refuses everybody else's changes until that run is ended.
        """
        where = _runs.c.state.in_(["open", "kept", "residue"])
        return self._select(where if olt is None else sa.and_(where, _runs.c.olt == olt))[::-1]

    def _select(self, where: sa.ColumnElement[bool]) -> tuple[JournalRun, ...]:
        with self._engine.connect() as connection:
            runs = connection.execute(sa.select(_runs).where(where).order_by(_runs.c.opened_at)).mappings().all()
            ids = [row["run_id"] for row in runs]
            lines = (
                connection.execute(sa.select(_writes).where(_writes.c.run_id.in_(ids)).order_by(_writes.c.id))
                .mappings()
                .all()
            )
        return tuple(
            JournalRun(
                run_id=row["run_id"],
                olt=row["olt"],
                host=row["host"],
                device=row["device"],
                owner=Ownership.model_validate_json(row["owner"]),
                order=json.loads(row["order_text"]),
                state=row["state"],
                opened_at=datetime.fromisoformat(row["opened_at"]),
                closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
                note=row["note"],
                writes=tuple(_as_write(line) for line in lines if line["run_id"] == row["run_id"]),
            )
            for row in runs
        )

    # ------------------------------------------------------------------ writes

    def intend(self, run_id: str, changes: Sequence[Write]) -> dict[str, int]:
        """Put more changes of a run on disk before they are sent; returns the number of each by what it says."""
        with self._engine.begin() as connection:
            return {change.what: _insert(connection, run_id, change) for change in changes}

    # ------------------------------------------------------------------ locks

    def hold_run(self, run_id: str) -> FileLock:
        """Lock a run for as long as this process works on it; ``LeaseConflict`` if another process does."""
        lock = FileLock(str(self._locks / f"run-{run_id}.lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout as exc:
            raise LeaseConflict(
                f"run {run_id} is being worked on by another process", hint="let it finish, or end that process"
            ) from exc
        return lock

    def release_run(self, run_id: str, lock: FileLock) -> None:
        """Give a run's lock back; its file goes, too, as run ids are never used again."""
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        log.debug("released run %s", run_id)

    @contextmanager
    def one_writer(self, olt: str, timeout_s: float) -> Iterator[None]:
        """Let one process at a time choose IDs and register on an OLT; wait up to ``timeout_s``."""
        name = hashlib.sha256(olt.encode()).hexdigest()[:16]
        lock = FileLock(str(self._locks / f"olt-{name}.lock"), timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as exc:
            raise LeaseConflict(
                f"{olt}: another ponprobe process has been registering for {timeout_s:g} s", hint="try again later"
            ) from exc
        try:
            yield
        finally:
            lock.release()


def _durable(connection: Any, _record: object) -> None:
    """Intent must be on disk, not in a cache, when the first byte is sent."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _insert(connection: sa.Connection, run_id: str, change: Write) -> int:
    result = connection.execute(
        _writes.insert().values(
            run_id=run_id,
            what=change.what,
            line=str(change.request),
            undo=json.dumps([str(line) for line in change.undo]),
            creates=_dump(change.creates),
            removes=_dump(change.removes),
            state="intended",
            at=_now(),
        )
    )
    (number,) = result.inserted_primary_key or (0,)
    return int(number)


def _dump(item: Created | None) -> str | None:
    return None if item is None else item.model_dump_json()


def _as_write(line: Any) -> JournalWrite:
    return JournalWrite(
        id=line["id"],
        what=line["what"],
        line=line["line"],
        undo=tuple(json.loads(line["undo"])),
        creates=_created.validate_json(line["creates"]) if line["creates"] else None,
        removes=_created.validate_json(line["removes"]) if line["removes"] else None,
        state=line["state"],
        at=datetime.fromisoformat(line["at"]),
    )
