"""The store of the acceptance process: SQLite by default, PostgreSQL by URL; each change is one transaction.

Changes are taken one after another, on SQLite by its write lock, on PostgreSQL by an advisory lock of the transaction.
So no change acts on what another one is about to alter, and events become visible in the order of their ids: a reader
that remembers the last id misses none. Transactions are short and never wait for a device.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ponprobe.errors import ConfigError, MissingExtra
from ponprobe.models.engineering import Actor
from ponprobe.store import schema
from ponprobe.store.locks import AdvisoryLocks, FileLocks, Locks, lock_key
from ponprobe.store.migrate import HEAD, upgrade, version
from ponprobe.store.refusals import StoreError

if TYPE_CHECKING:
    from typing_extensions import Self

_WRITERS = "writers of the store"
_PATIENCE_S = 30.0
"""How long a change waits for the ones before it; each takes milliseconds."""
SALT = "digest_salt"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime) -> str:
    """Write a time as the store keeps it: UTC, always of one length, so that text order is time order."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


class Change:
    """One transaction that changes the store. ``at`` is its time; each change says what it did with ``event``."""

    def __init__(self, connection: sa.Connection, actor: Actor, request_id: str | None, at: datetime) -> None:
        self.connection = connection
        self.actor = actor
        self.request_id = request_id
        self.at = at
        self.events: list[int] = []
        self.idle = False
        """Set by whoever found that there is nothing to change."""

    def event(
        self,
        name: str,
        data: dict[str, Any] | None = None,
        *,
        project: str | None = None,
        splitter: int | None = None,
        item: str | None = None,
    ) -> int:
        """Append an event and return its number. ``item`` is the splitter's key at this time, as JSON."""
        return self.insert(
            schema.events,
            uid=secrets.token_hex(16),
            at=stamp(self.at),
            actor_name=self.actor.name,
            actor_role=self.actor.role,
            request_id=self.request_id,
            project=project,
            splitter=splitter,
            item=item,
            name=name,
            data=json.dumps(data or {}, ensure_ascii=False, allow_nan=False),
        )

    def insert(self, table: sa.Table, **values: Any) -> int:
        """Insert a row and return its number where the table numbers its rows, else 0."""
        result = self.connection.execute(table.insert().values(**values))
        number = result.inserted_primary_key[0] if result.inserted_primary_key else 0
        if table is schema.events:
            self.events.append(int(number))
        return int(number) if isinstance(number, int) else 0


class Store:
    """The store at a path (SQLite) or a SQLAlchemy URL. Safe for threads and for several processes.

    Opening it creates the tables or brings them up to date. Raises ``ConfigError`` where it cannot be opened or where a
    newer ponprobe has changed it. ``clock`` tells the time of every change.
    """

    def __init__(self, place: str | Path, *, clock: Clock = utc_now) -> None:
        text = str(place)
        self.url = sa.engine.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
        self.clock = clock
        backend = self.url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise ConfigError(
                f"a store on {backend} is not supported", hint="give a path (SQLite) or a postgresql:// URL"
            )
        self._postgres = backend == "postgresql"
        self._engine = self._postgres_engine() if self._postgres else self._sqlite_engine()
        try:
            self.locks: Locks = AdvisoryLocks(self._engine) if self._postgres else FileLocks(self._lock_folder)
            # a new SQLite file cannot be brought into WAL mode by two at a time
            with nullcontext() if self._postgres else self.locks.hold("opening", timeout_s=_PATIENCE_S):
                self._open()
        except BaseException as exc:
            self._engine.dispose()
            if not isinstance(exc, (OSError, sa.exc.SQLAlchemyError)):
                raise
            raise ConfigError(
                f"the store {self.url.render_as_string(hide_password=True)} cannot be opened: {exc}",
                hint="check the path or URL, its permissions, and that the server runs",
            ) from exc
        self._salt = ""
        # the database keeps processes apart; threads that queue here wake at once instead of asking it again and again
        self._turn = RLock()

    def __repr__(self) -> str:
        return f"Store({self.url.render_as_string(hide_password=True)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    # ------------------------------------------------------------------ transactions

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Read a consistent picture; ``StoreError`` if the database fails."""
        with self._translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def change(self, actor: Actor, request_id: str | None = None) -> Iterator[Change]:
        """Change the store in one transaction, after every change before it; all of it is kept or nothing.

        A change without an event is a mistake of the caller and is not kept. ``StoreError`` if the database fails.
        """
        with self._turn, self._translated(), self._writing.begin() as connection:
            if self._postgres:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(_WRITERS)})
            change = Change(connection, actor, request_id, self.clock())
            yield change
            if not (change.events or change.idle):
                raise AssertionError("a change of the store was not recorded as an event")

    @property
    def salt(self) -> str:
        """What the digests of this store's secrets are salted with."""
        if not self._salt:
            with self.read() as connection:
                found = connection.scalar(sa.select(schema.facts.c.value).where(schema.facts.c.name == SALT))
            self._salt = str(found)
        return self._salt

    # ------------------------------------------------------------------ opening

    def _sqlite_engine(self) -> sa.Engine:
        if not self.url.database or self.url.database == ":memory:":
            raise ConfigError("a store in memory would lose what stands on the devices", hint="give it a file")
        path = Path(self.url.database).expanduser()
        self._lock_folder = path.with_name(path.name + ".locks")
        # as many connections as there are threads: one that waits for a connection while it holds a lock helps nobody
        engine = sa.create_engine(self.url.set(database=str(path)), max_overflow=-1)
        sa.event.listen(engine, "connect", _durable)
        sa.event.listen(engine, "begin", _begin)
        self._reading, self._writing = engine, engine.execution_options(ponprobe_writes=True)
        return engine

    def _postgres_engine(self) -> sa.Engine:
        try:
            engine = sa.create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                # text and numbers may come from anywhere; the server's defaults must not decide how safe a commit is
                connect_args={
                    "options": f"-c lock_timeout={int(_PATIENCE_S)}s -c synchronous_commit=on -c timezone=UTC"
                },
                pool_pre_ping=True,
                max_overflow=-1,
            )
        except ImportError as exc:
            raise MissingExtra("a store on PostgreSQL", "postgres") from exc
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ")
        self._writing = engine.execution_options(isolation_level="READ COMMITTED")
        return engine

    def _open(self) -> None:
        with self._reading.begin() as connection:
            if version(connection) == HEAD:
                return
        with self._writing.begin() as connection:
            if self._postgres:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(_WRITERS)})
            upgrade(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as exc:
            raise StoreError(
                f"the store {self.url.render_as_string(hide_password=True)} did not answer: {exc.orig}",
                hint="nothing of this change was kept; try again when the database is well",
            ) from exc
        except sa.exc.SQLAlchemyError as exc:
            raise StoreError(f"the store refused a change: {getattr(exc, 'orig', None) or exc}") from exc


def _durable(connection: Any, _record: object) -> None:
    """Let SQLAlchemy's ``begin`` decide about transactions, and nothing that was said to be kept be lost."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(_PATIENCE_S * 1000)}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    """Take the write lock before anything is read: a reader that turns into a writer later would be refused."""
    writes = connection.get_execution_options().get("ponprobe_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
