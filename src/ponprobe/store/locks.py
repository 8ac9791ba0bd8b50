"""Locks that end with their holder, kill -9 included: one writer per OLT, one worker per request.

Beside a SQLite file the kernel holds them (file locks); on PostgreSQL the server does (advisory locks of a session),
so that they hold between machines, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from ponprobe.errors import LeaseConflict


class Locks(Protocol):
    """Named locks, each held by one process and thread at a time."""

    def hold(
        self, name: str, *, timeout_s: float = 0.0, busy: str | None = None
    ) -> AbstractContextManager[object, bool | None]:
        """Hold a lock while the context lasts; ``LeaseConflict`` that says ``busy`` after ``timeout_s`` seconds."""


def _conflict(name: str, busy: str | None, timeout_s: float) -> LeaseConflict:
    waited = f" (waited {timeout_s:g} s)" if timeout_s else ""
    return LeaseConflict(
        f"{busy or name + ' is held by another process'}{waited}", hint="let it finish, then try again"
    )


class FileLocks:
    """Lock files in a folder beside the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def hold(self, name: str, *, timeout_s: float = 0.0, busy: str | None = None) -> Iterator[None]:
        """See ``Locks``. The file stays: removing it would let two holders lock two files of one name."""
        file = self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"
        lock = FileLock(str(file), timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as exc:
            raise _conflict(name, busy, timeout_s) from exc
        try:
            yield
        finally:
            lock.release()


class AdvisoryLocks:
    """Locks of a PostgreSQL session of their own, which the server gives back when the session ends.

    A holder that loses its session loses the lock, too, and is not told: the leases and the journal still stand then.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def hold(self, name: str, *, timeout_s: float = 0.0, busy: str | None = None) -> Iterator[None]:
        """See ``Locks``. The connection is closed afterwards, not pooled: with it, whatever it holds is gone."""
        key = lock_key(name)
        with self._engine.connect() as connection:
            try:
                if timeout_s:
                    connection.execute(
                        sa.text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": f"{timeout_s:g}s"}
                    )
                    connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": key})
                    got = True
                else:
                    got = bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
            except sa.exc.OperationalError as exc:
                connection.invalidate()
                raise _conflict(name, busy, timeout_s) from exc
            if not got:
                raise _conflict(name, busy, timeout_s)
            try:
                yield
            finally:
                # the server notices some time later that a session has ended: the next holder may ask before that
                with suppress(sa.exc.SQLAlchemyError):
                    connection.scalar(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                connection.invalidate()


def lock_key(name: str) -> int:
    """Make the 64-bit number by which PostgreSQL knows a lock."""
    return int.from_bytes(hashlib.sha256(f"ponprobe {name}".encode()).digest()[:8], "big", signed=True)
