"""The event stream: everything that changed, in order, and what is to be told to other systems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from ponprobe.models.engineering import Actor, Event, SplitterKey
from ponprobe.store.database import Store
from ponprobe.store.schema import events


def event_number(event_id: str) -> int:
    """Give the place of an event in the order of all; ``ValueError`` for a text that is no event id."""
    number, _, rest = event_id.partition("-")
    if not (number.isdigit() and rest):
        raise ValueError(f"{event_id!r} is not an event id")
    return int(number)


def read_events(
    store: Store,
    *,
    after: str | None = None,
    project: str | None = None,
    splitter: int | None = None,
    limit: int | None = None,
) -> Iterator[Event]:
    """Give events in their order, those behind the event ``after`` only, a page at a time."""
    last = 0 if after is None else event_number(after)
    left = limit
    while left is None or left > 0:
        page = 500 if left is None else min(left, 500)
        query = sa.select(events).where(events.c.id > last).order_by(events.c.id).limit(page)
        if project is not None:
            query = query.where(events.c.project == project)
        if splitter is not None:
            query = query.where(events.c.splitter == splitter)
        with store.read() as connection:
            rows = connection.execute(query).mappings().all()
        yield from map(as_event, rows)
        if len(rows) < page:
            return
        last = rows[-1]["id"]
        left = None if left is None else left - page


def event_of(connection: sa.Connection, number: int) -> Event:
    """Give one event by its place."""
    return as_event(connection.execute(sa.select(events).where(events.c.id == number)).mappings().one())


def as_event(row: sa.RowMapping) -> Event:
    """Make an event of its row. Its id tells its place and is the same for everybody, for ever."""
    return Event(
        id=f"{row['id']:012d}-{row['uid']}",
        at=datetime.fromisoformat(row["at"]),
        actor=Actor(name=row["actor_name"], role=row["actor_role"]),
        request_id=row["request_id"],
        project=row["project"],
        splitter=SplitterKey(*json.loads(row["item"])) if row["item"] else None,
        name=row["name"],
        data=json.loads(row["data"]),
    )
