"""Asking twice: the same request id with the same body gets the stored answer, with another body it is a conflict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from ponprobe.errors import LeaseConflict
from ponprobe.models.engineering import Actor
from ponprobe.store.database import Change, Store, stamp
from ponprobe.store.refusals import RequestConflict
from ponprobe.store.schema import requests

T = TypeVar("T")


def body_digest(store: Store, name: str, body: Any) -> str:
    """Make a digest of what is asked for. It is salted: what it was made of must not be guessed from it."""
    text = json.dumps([name, body], ensure_ascii=False, sort_keys=True, allow_nan=False)
    return hashlib.sha256(f"{store.salt} {text}".encode()).hexdigest()


def once(
    store: Store,
    actor: Actor,
    request_id: str | None,
    *,
    name: str,
    body: Any,
    answer: TypeAdapter[T],
    work: Callable[[Change], T],
) -> T:
    """Do some work in one transaction; under a request id only once, and then give the first answer again.

    A refusal is not an answer: what was refused may be asked again under the same id. Raises ``RequestConflict`` if
    the id was used for something else.
    """
    if request_id is None:
        with store.change(actor) as change:
            return work(change)
    digest = body_digest(store, name, body)
    with store.read() as connection:
        known = _stored(connection, request_id, digest)
    if known is not None:
        return answer.validate_json(known)
    with store.change(actor, request_id) as change:
        known = _stored(change.connection, request_id, digest)
        if known is not None:
            change.idle = True  # another process was faster
            return answer.validate_json(known)
        result = work(change)
        now = stamp(change.at)
        text = answer.dump_json(result).decode()
        change.insert(requests, id=request_id, name=name, digest=digest, answer=text, started_at=now, finished_at=now)
        return result


@contextmanager
def running(
    store: Store, actor: Actor, request_id: str | None, *, name: str, body: Any, answer: TypeAdapter[T]
) -> Iterator[Running[T]]:
    """Hold a request that takes its time over several transactions and devices.

    ``Running.answer`` is the stored answer if it was given before; else do the work and call ``Running.finish``. A
    request whose process died is taken up again by whoever asks next: the work must go on from what is recorded.
    Raises ``RequestConflict`` while it is still running, and if the id was used for something else.
    """
    if request_id is None:
        yield Running(store, actor, None, answer, None)
        return
    digest = body_digest(store, name, body)
    with store.read() as connection:
        known = _stored(connection, request_id, digest)
    if known is not None:
        yield Running(store, actor, request_id, answer, answer.validate_json(known))
        return
    try:
        lock = store.locks.hold(f"request {request_id}")
        lock.__enter__()
    except LeaseConflict as exc:
        raise RequestConflict(
            f"request {request_id!r} ({name}) is still running", hint="ask again with the same id when it has ended"
        ) from exc
    try:
        with store.change(actor, request_id) as change:
            known = _stored(change.connection, request_id, digest)
            row = change.connection.execute(sa.select(requests.c.id).where(requests.c.id == request_id)).first()
            if row is None:
                now = stamp(change.at)
                change.insert(requests, id=request_id, name=name, digest=digest, started_at=now)
            change.event("request.started" if row is None else "request.taken_up", {"name": name})
        yield Running(store, actor, request_id, answer, None if known is None else answer.validate_json(known))
    finally:
        lock.__exit__(None, None, None)


class Running(Generic[T]):
    """A request that is being worked on; ``answer`` is the stored one where there is one."""

    def __init__(
        self, store: Store, actor: Actor, request_id: str | None, adapter: TypeAdapter[T], answer: T | None
    ) -> None:
        self.answer = answer
        self._store = store
        self._actor = actor
        self._request_id = request_id
        self._adapter = adapter

    def finish(self, answer: T) -> T:
        """Keep the answer for whoever asks again."""
        self.answer = answer
        if self._request_id is None:
            return answer
        with self._store.change(self._actor, self._request_id) as change:
            change.connection.execute(
                requests.update()
                .where(requests.c.id == self._request_id)
                .values(answer=self._adapter.dump_json(answer).decode(), finished_at=stamp(change.at))
            )
            change.event("request.finished")
        return answer


def _stored(connection: sa.Connection, request_id: str, digest: str) -> str | None:
    row = connection.execute(sa.select(requests).where(requests.c.id == request_id)).mappings().first()
    if row is None:
        return None
    if row["digest"] != digest:
        raise RequestConflict(
            f"request id {request_id!r} was used before, for another {row['name']}",
            hint="a request id belongs to one request: make a new one",
        )
    found: str | None = row["answer"]
    return found
