"""Where each splitter's test ONU stands: its state, its run in the journal, and how long it is wanted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import AwareDatetime

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef
from ponprobe.models.engineering import ActivationState, Failure
from ponprobe.models.judgement import Verdict
from ponprobe.models.run import Removal
from ponprobe.models.service import VlanStack
from ponprobe.store import schema
from ponprobe.store.database import Change, stamp
from ponprobe.store.leases import release_cvlan, release_onu
from ponprobe.store.projects import StoredSplitter

Mode = Literal["activate", "measure"]
_PROVEN_GONE = {ActivationState.REVOKED, ActivationState.ACTIVATION_FAILED}
"""The states in which nothing of ours is on the device: leases end here and nowhere else."""


class Activation(Value):
    """The test ONU of one splitter, now.

    ``attempt`` counts the registrations, ``mode`` says whether the ONU is to stay for a field test (``activate``) or
    goes at once (``measure``); one that stays is wanted until ``hold_until``. ``auth`` has its secrets covered.
    ``onu`` and ``mark`` are the place and the mark that were planned, then those that stand there.
    ``done``: what ``request_id`` asked for was reached, whatever came later.
    ``draft`` is a verdict whose round is not closed yet, as its removal is still to be proven.
    """

    state: ActivationState = ActivationState.NOT_ACTIVATED
    attempt: int = 0
    mode: Mode = "measure"
    run_id: str | None = None
    onu_name: str | None = None
    onu: OnuRef | None = None
    mark: str | None = None
    vlans: VlanStack | None = None
    clashes: tuple[VlanStack, ...] = ()
    auth: str | None = None
    request_id: str | None = None
    done: bool = False
    hold_until: AwareDatetime | None = None
    failure: Failure | None = None
    removal: Removal | None = None
    draft: Verdict | None = None
    updated_at: AwareDatetime | None = None


_COLUMNS = ("state", "attempt", "run_id", "hold_until", "updated_at")


def activations_of(connection: sa.Connection, splitters: Collection[int] | None = None) -> dict[int, Activation]:
    """Give the activations by splitter; a splitter that never had one is not among them."""
    table = schema.activations
    if splitters is None:
        rows = connection.execute(sa.select(table)).mappings().all()
    else:
        rows = []
        numbers = list(splitters)
        # databases take some thousands of values in one question, not any number
        for first in range(0, len(numbers), 500):
            some = table.c.splitter.in_(numbers[first : first + 500])
            rows += connection.execute(sa.select(table).where(some)).mappings().all()
    return {row["splitter"]: _as_activation(row) for row in rows}


def in_states(connection: sa.Connection, states: Collection[ActivationState]) -> dict[int, Activation]:
    """Give the activations that are in one of some states."""
    table = schema.activations
    query = sa.select(table).where(table.c.state.in_([state.value for state in states])).order_by(table.c.splitter)
    return {row["splitter"]: _as_activation(row) for row in connection.execute(query).mappings()}


def move(change: Change, row: StoredSplitter, state: ActivationState, **updates: Any) -> Activation:
    """Bring a splitter's test ONU into another state. ``IllegalTransition`` if that cannot follow the present one.

    Where the new state means that nothing of ours is on the device, the CVLAN and the test ONU are given back in the
    same transaction.
    """
    old = activations_of(change.connection, [row.id]).get(row.id)
    before = old or Activation()
    before.state.to(state, what=f"the test ONU of {row.key}")
    new = before.model_copy(update={**updates, "state": state, "updated_at": change.at})
    write(change, row, new, known=old is not None)
    shown = new.model_dump(mode="json", include={"attempt", "mode", "run_id", "onu", "vlans", "auth", "failure"})
    change.event(
        f"activation.{state.value}",
        {"from": before.state.value, **{name: value for name, value in shown.items() if value is not None}},
        project=row.splitter.project,
        splitter=row.id,
        item=row.item,
    )
    if state in _PROVEN_GONE:
        release_cvlan(change, row)
        release_onu(change, row)
    return new


def amend(change: Change, row: StoredSplitter, name: str, data: dict[str, Any], **updates: Any) -> Activation:
    """Note more about a test ONU without moving it, under an event of its own."""
    old = activations_of(change.connection, [row.id])[row.id]
    new = old.model_copy(update={**updates, "updated_at": change.at})
    write(change, row, new, known=True)
    change.event(name, data, project=row.splitter.project, splitter=row.id, item=row.item)
    return new


def write(change: Change, row: StoredSplitter, new: Activation, *, known: bool) -> None:
    """Write an activation down as it is."""
    table = schema.activations
    values = {
        "state": new.state.value,
        "attempt": new.attempt,
        "run_id": new.run_id,
        "hold_until": None if new.hold_until is None else stamp(new.hold_until),
        "updated_at": stamp(change.at),
        "body": new.model_dump_json(exclude=set(_COLUMNS)),
    }
    if known:
        change.connection.execute(table.update().where(table.c.splitter == row.id).values(values))
    else:
        change.insert(table, splitter=row.id, **values)


def _as_activation(row: sa.RowMapping) -> Activation:
    body = Activation.model_validate_json(row["body"])
    hold, updated = row["hold_until"], row["updated_at"]
    return body.model_copy(
        update={
            "state": ActivationState(row["state"]),
            "attempt": row["attempt"],
            "run_id": row["run_id"],
            "hold_until": datetime.fromisoformat(hold) if hold else None,
            "updated_at": datetime.fromisoformat(updated),
        }
    )
