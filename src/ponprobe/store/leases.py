"""CVLANs and test ONUs that are in use: each is held by one splitter, until its ONU is proven to be off the OLT.

A lease is a row with a unique key. It is taken by inserting, never by looking first, and only ``release`` ends it:
there is no expiry, as time does not take an ONU off a device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import sqlalchemy as sa
from pydantic import model_validator

from ponprobe.errors import ConfigError, LeaseConflict, PoolExhausted
from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuAuth, PonPort
from ponprobe.models.engineering import Splitter, SplitterKey
from ponprobe.models.service import Vlan, VlanStack
from ponprobe.store import schema
from ponprobe.store.database import Change, Store, stamp
from ponprobe.store.projects import StoredSplitter

Scope = Literal["olt+port", "olt+svlan", "olt"]
"""Where one CVLAN may be used once: per PON port and SVLAN, per SVLAN of an OLT, or per OLT."""
_SHOWN_HOLDERS = 10


class CvlanPool(Value):
    """CVLANs set aside for tests: inclusive ranges that do not overlap, and where each may be used once.

    ``olt`` (its name), ``port`` and ``svlan`` say what the pool is for; ``None`` is any.
    """

    name: str
    ranges: tuple[tuple[Vlan, Vlan], ...]
    scope: Scope = "olt+port"
    olt: str | None = None
    port: PonPort | None = None
    svlan: Vlan | None = None

    @model_validator(mode="after")
    def _in_order(self) -> CvlanPool:
        if not self.ranges:
            raise ValueError(f"pool {self.name!r} has no CVLAN")
        ordered = sorted(self.ranges)
        for first, last in ordered:
            if first > last:
                raise ValueError(f"range {first}-{last} of pool {self.name!r} runs backwards")
        for (_, last), (first, end) in pairwise(ordered):
            if first <= last:
                raise ValueError(f"range {first}-{end} of pool {self.name!r} overlaps what ends at {last}")
        return self

    def fits(self, olt: str, port: PonPort, svlan: int) -> int | None:
        """How closely the pool is meant for a place: how many conditions it meets; ``None``: it is for another."""
        pairs = ((self.olt, olt), (self.port, port), (self.svlan, svlan))
        if any(wanted is not None and wanted != given for wanted, given in pairs):
            return None
        return sum(wanted is not None for wanted, _ in pairs)

    def overlaps(self, other: CvlanPool) -> bool:
        """Whether both have a CVLAN in common."""
        return any(a <= d and c <= b for a, b in self.ranges for c, d in other.ranges)

    @property
    def size(self) -> int:
        """How many CVLANs it has."""
        return sum(last - first + 1 for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:  # type: ignore[override]
        """Every CVLAN, in order."""
        for first, last in sorted(self.ranges):
            yield from range(first, last + 1)

    def scope_of(self, olt: str, port: str, svlan: int) -> str:
        """Name the place in which a CVLAN of this pool may be used once."""
        parts: dict[Scope, list[object]] = {
            "olt+port": [olt, port, svlan],
            "olt+svlan": [olt, None, svlan],
            "olt": [olt, None, None],
        }
        return json.dumps(parts[self.scope], ensure_ascii=False)


class CvlanLease(Value):
    """One CVLAN in use, and by which splitter of which project."""

    pool: str
    vlans: VlanStack
    splitter: SplitterKey
    project: str


class CvlanPoolExhausted(PoolExhausted):
    """No CVLAN of a pool is free at a place. ``holders`` are the leases there; customers' CVLANs are counted beside."""

    def __init__(self, message: str, *, pool: str, size: int, holders: tuple[CvlanLease, ...], hint: str) -> None:
        super().__init__(message, hint=hint)
        self.pool = pool
        self.size = size
        self.holders = holders


# ---------------------------------------------------------------------- pools


def put_pool(change: Change, pool: CvlanPool) -> None:
    """Add a pool or change it.

    ``LeaseConflict`` if its rule of use would change while CVLANs of it are in use; ``ConfigError`` if it shares CVLANs
    with a pool of another rule: one would give away what the other has given.
    """
    known = pools(change.connection)
    old = known.pop(pool.name, None)
    rival = next((each for each in known.values() if each.scope != pool.scope and each.overlaps(pool)), None)
    if rival is not None:
        raise ConfigError(
            f"pools {pool.name!r} ({pool.scope}) and {rival.name!r} ({rival.scope}) have CVLANs in common",
            hint="count both by the same scope, or take the common CVLANs out of one",
        )
    table, ranges = schema.cvlan_pools, schema.cvlan_ranges
    if old is not None and old.scope != pool.scope:
        used = held(change.connection, schema.leases.c.pool == pool.name)
        if used:
            raise LeaseConflict(
                f"pool {pool.name!r} is counted by {old.scope} and {len(used)} of its CVLANs are in use",
                hint=f"revoke those first: {_named(used)}",
            )
    port = None if pool.port is None else str(pool.port)
    columns = {"scope": pool.scope, "olt": pool.olt, "port": port, "svlan": pool.svlan}
    if old is None:
        change.insert(table, name=pool.name, revision=1, **columns)
    else:
        where = table.c.name == pool.name
        change.connection.execute(table.update().where(where).values(**columns, revision=table.c.revision + 1))
        change.connection.execute(ranges.delete().where(ranges.c.pool == pool.name))
    for first, last in sorted(pool.ranges):
        change.insert(ranges, pool=pool.name, first=first, last=last)
    change.event("pool.changed" if old else "pool.added", pool.model_dump(mode="json"))


def pools(connection: sa.Connection) -> dict[str, CvlanPool]:
    """Give every pool by name."""
    table, ranges = schema.cvlan_pools, schema.cvlan_ranges
    found: dict[str, list[tuple[int, int]]] = {}
    for row in connection.execute(sa.select(ranges).order_by(ranges.c.first)).mappings():
        found.setdefault(row["pool"], []).append((row["first"], row["last"]))
    return {
        row["name"]: CvlanPool(
            name=row["name"],
            scope=row["scope"],
            ranges=tuple(found[row["name"]]),
            olt=row["olt"],
            port=row["port"] and PonPort.parse(row["port"]),
            svlan=row["svlan"],
        )
        for row in connection.execute(sa.select(table).order_by(table.c.name)).mappings()
    }


def choose_pool(known: Mapping[str, CvlanPool], name: str | None, splitter: Splitter, svlan: int) -> CvlanPool:
    """Give the pool of a name, or the one that is meant most closely for a splitter's place.

    Raises ``ConfigError`` if there is none, or if several are meant for it equally closely.
    """
    where = f"{splitter.olt} {splitter.port} S{svlan}"
    if name is not None:
        if name not in known:
            raise ConfigError(f"there is no CVLAN pool {name!r}; the store has {', '.join(known) or 'none'}")
        return known[name]
    fitting = [(pool.fits(splitter.olt, splitter.port, svlan), pool) for pool in known.values()]
    best = max((how for how, _ in fitting if how is not None), default=None)
    found = [pool for how, pool in fitting if how is not None and how == best]
    if len(found) != 1:
        several = f"several CVLAN pools are for {where}: {', '.join(pool.name for pool in found)}"
        raise ConfigError(
            several if found else f"no CVLAN pool is for {where}; the store has {', '.join(known) or 'none'}",
            hint="name a pool" if found else "import the test CVLAN ranges, or name a pool",
        )
    return found[0]


# ---------------------------------------------------------------------- CVLANs


def lease_cvlan(
    change: Change, pool: CvlanPool, row: StoredSplitter, svlan: int, *, avoid: Collection[int] = ()
) -> VlanStack:
    """Take the lowest free CVLAN for a splitter's test, none in ``avoid`` (what customers have on the device).

    Raises ``CvlanPoolExhausted``, and ``LeaseConflict`` if the splitter holds one already.
    """
    where = pool.scope_of(row.splitter.olt, str(row.splitter.port), svlan)
    table = schema.leases
    if change.connection.scalar(sa.select(table.c.cvlan).where(table.c.splitter == row.id)) is not None:
        raise LeaseConflict(
            f"{row.key} holds a CVLAN already", hint="its test ONU must be proven gone first: revoke it"
        )
    taken = set(change.connection.scalars(sa.select(table.c.cvlan).where(table.c.scope == where)))
    for cvlan in pool:
        if cvlan in taken or cvlan in avoid:
            continue
        values = {
            "splitter": row.id,
            "pool": pool.name,
            "scope": where,
            "svlan": svlan,
            "cvlan": cvlan,
            "taken_at": stamp(change.at),
        }
        # the constraint decides, whatever was seen above
        if _insert_unless_taken(change.connection, table, values, ["scope", "cvlan"]):
            vlans = VlanStack(svlan=svlan, cvlan=cvlan)
            change.event(
                "lease.taken",
                {"pool": pool.name, **vlans.model_dump()},
                project=row.splitter.project,
                splitter=row.id,
                item=row.item,
            )
            return vlans
    holders = held(change.connection, table.c.scope == where)
    customers = sum(1 for cvlan in pool if cvlan in avoid)
    raise CvlanPoolExhausted(
        f"pool {pool.name!r} has {pool.size} CVLANs and none is free for {row.splitter.olt} {row.splitter.port} "
        f"S{svlan}: {len(holders)} held by {_named(holders) or 'nobody'}; {customers} in use on the device",
        pool=pool.name,
        size=pool.size,
        holders=holders,
        hint="revoke a test that is no longer needed, or widen the pool",
    )


def held(connection: sa.Connection, where: sa.ColumnElement[bool] | None = None) -> tuple[CvlanLease, ...]:
    """Give the CVLANs in use."""
    table, splitters = schema.leases, schema.splitters
    query = (
        sa.select(table, splitters.c.olt, splitters.c.port, splitters.c.name, splitters.c.project)
        .join(splitters, splitters.c.id == table.c.splitter)
        .order_by(table.c.scope, table.c.cvlan)
    )
    return tuple(
        CvlanLease(
            pool=row["pool"],
            vlans=VlanStack(svlan=row["svlan"], cvlan=row["cvlan"]),
            splitter=SplitterKey(row["olt"], row["port"], row["name"]),
            project=row["project"],
        )
        for row in connection.execute(query if where is None else query.where(where)).mappings()
    )


def release_cvlan(change: Change, row: StoredSplitter) -> None:
    """Give a splitter's CVLAN back: its ONU is proven gone, or it never got there."""
    table = schema.leases
    found = change.connection.execute(sa.select(table).where(table.c.splitter == row.id)).mappings().first()
    if found is None:
        return
    change.connection.execute(table.delete().where(table.c.splitter == row.id))
    change.event(
        "lease.released",
        {"pool": found["pool"], "svlan": found["svlan"], "cvlan": found["cvlan"]},
        project=row.splitter.project,
        splitter=row.id,
        item=row.item,
    )


# ---------------------------------------------------------------------- test ONUs


def identity_of(store: Store, auth: OnuAuth) -> str:
    """Name a test ONU without telling a secret: by serial or MAC, else by a slow, salted digest of what it knows."""
    if auth.serial is not None:
        return f"serial {auth.serial}"
    if auth.mac is not None:
        return f"mac {auth.mac}"
    secret = json.dumps(auth.secrets)
    digest = hashlib.scrypt(secret.encode(), salt=store.salt.encode(), n=2**13, r=8, p=1, dklen=16).hex()
    return f"secret {digest}"


def lease_onu(change: Change, identity: str, row: StoredSplitter) -> None:
    """Take a test ONU for a splitter. ``LeaseConflict`` if it is registered for another one: it is one device."""
    table = schema.onu_leases
    values = {"identity": identity, "splitter": row.id, "taken_at": stamp(change.at)}
    if _insert_unless_taken(change.connection, table, values, ["identity"]):
        return
    splitters = schema.splitters
    query = (
        sa.select(splitters.c.olt, splitters.c.port, splitters.c.name)
        .join(table, table.c.splitter == splitters.c.id)
        .where(table.c.identity == identity)
    )
    holder = change.connection.execute(query).first()
    where = SplitterKey(*holder) if holder else "another splitter"
    shown = identity if not identity.startswith("secret") else "this test ONU"
    raise LeaseConflict(f"{shown} is registered for {where}: one device, one place", hint="revoke it there first")


def release_onu(change: Change, row: StoredSplitter) -> None:
    """Give a splitter's test ONU back."""
    change.connection.execute(schema.onu_leases.delete().where(schema.onu_leases.c.splitter == row.id))


def onus_held(connection: sa.Connection) -> dict[str, int]:
    """Give the test ONUs in use, and by which splitter (its number)."""
    table = schema.onu_leases
    rows = connection.execute(sa.select(table.c.identity, table.c.splitter)).mappings()
    return {row["identity"]: row["splitter"] for row in rows}


def _insert_unless_taken(
    connection: sa.Connection, table: sa.Table, values: dict[str, object], unique: Sequence[str]
) -> bool:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - one of two
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    statement = insert(table).values(values).on_conflict_do_nothing(index_elements=list(unique))
    # SQLAlchemy forgets the count of an insert unless it is asked to keep it
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def _named(holders: Sequence[CvlanLease]) -> str:
    shown = ", ".join(f"{each.splitter} ({each.vlans})" for each in holders[:_SHOWN_HOLDERS])
    more = len(holders) - _SHOWN_HOLDERS
    return shown + (f" and {more} more" if more > 0 else "")
