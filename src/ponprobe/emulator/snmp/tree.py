"""What an agent can be asked: columns in the order of their OIDs, rows and values worked out when they are asked for.

A column is looked up by bisection, its rows are sorted once and kept until objects come or go, and one value is
computed for each binding that is sent: a GETNEXT costs the same in a small world and in a big one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from ponprobe.emulator.records import Ddms, OnuEntry, OnuView
from ponprobe.emulator.snmp.ber import NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Oid, Value, parse_oid
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import OnuRef, PonPort, Serial


class Moment:
    """One request: every ONU is looked at once, however many of its columns are asked for."""

    def __init__(self, world: OltWorld, onus: Onus) -> None:
        self.world = world
        self.onus = onus
        self._views: dict[OnuRef, OnuView] = {}
        self._optics: dict[OnuRef, Ddms | None] = {}
        self._online: dict[PonPort, bool] = {}

    def view(self, ref: OnuRef) -> OnuView:
        """A registered ONU now."""
        if ref not in self._views:
            self._views[ref] = self.world.view(ref)
        return self._views[ref]

    def optics(self, ref: OnuRef) -> Ddms | None:
        """What its diagnostics show, in dBm; ``None`` while it is offline."""
        if ref not in self._optics:
            view = self.view(ref)
            self._optics[ref] = self.world.read_optics(view) if view.online else None
        return self._optics[ref]

    def online(self, port: PonPort) -> bool:
        """Whether any ONU of a port is online."""
        if port not in self._online:
            self._online[port] = any(self.view(ref).online for ref in self.onus.of(port))
        return self._online[port]


class Onus:
    """The registered ONUs by port and by serial, sorted anew only after one came or went."""

    def __init__(self, world: OltWorld) -> None:
        self._world = world
        self._seen: list[OnuEntry] = []
        self._ports: dict[PonPort, list[OnuRef]] = {}
        self._serials: dict[Serial, OnuRef] = {}
        self._others: list[OnuRef] = []

    def _look(self) -> None:
        seen = list(self._world.onus.values())
        if seen == self._seen:
            return
        self._seen, self._ports, self._serials, self._others = seen, {}, {}, []
        for entry in sorted(seen, key=lambda each: each.ref.onu_id):
            self._ports.setdefault(entry.ref.port, []).append(entry.ref)
            if entry.serial is None:
                self._others.append(entry.ref)
            else:
                self._serials[entry.serial] = entry.ref

    def of(self, port: PonPort) -> list[OnuRef]:
        """The ONUs of a port, by ID."""
        self._look()
        return self._ports.get(port, [])

    def named(self, serial: Serial) -> OnuRef | None:
        """The ONU that is registered with this serial."""
        self._look()
        return self._serials.get(serial)

    @property
    def without_serial(self) -> list[OnuRef]:
        """The ONUs that are registered by password or LOID alone."""
        self._look()
        return self._others


class Rows(NamedTuple):
    """The rows of a table: their indexes in order, and what each is about."""

    indexes: list[Oid]
    about: dict[Oid, Any]


class Listing:
    """The rows of tables that share an index: ``keys`` says what there is, ``index`` where each stands."""

    def __init__(
        self,
        keys: Callable[[], list[Any]],
        index: Callable[[list[Any]], Iterable[tuple[Oid, Any]]],
    ) -> None:
        self._keys = keys
        self._index = index
        self._last: list[Any] | None = None
        self._rows = Rows([], {})

    def __call__(self) -> Rows:
        """The rows now."""
        keys = self._keys()
        if self._last != keys:
            about = dict(self._index(keys))
            self._last, self._rows = keys, Rows(sorted(about), about)
        return self._rows


Cell = Callable[[Moment, Any], "Value | None"]
"""A value of a row; ``None`` where there is none (no such instance)."""


class Column(NamedTuple):
    """One column. ``slow``: asked of the ONU itself. A column that is not ``walkable`` answers GET only."""

    prefix: Oid
    rows: Callable[[], Rows]
    cell: Cell
    slow: bool
    walkable: bool


class Found(NamedTuple):
    """A binding; ``slow`` names the row that had to be asked of an ONU."""

    oid: Oid
    value: Value
    slow: Oid | None = None


class Lookup:
    """One request's look at a tree; ``hidden`` are columns that this build does not have."""

    def __init__(self, columns: list[Column], moment: Any, hidden: Iterable[str] = ()) -> None:
        gone = [parse_oid(each) for each in hidden]
        self._columns = [c for c in columns if not any(c.prefix[: len(g)] == g for g in gone)] if gone else columns
        self._prefixes = [column.prefix for column in self._columns]
        self._moment = moment
        self._rows: dict[int, Rows] = {}

    def _rows_of(self, column: Column) -> Rows:
        """The rows of a column, found once for all columns that share them."""
        known = self._rows.get(id(column.rows))
        if known is None:
            known = self._rows[id(column.rows)] = column.rows()
        return known

    def get(self, oid: Oid) -> Found:
        """The value of an OID, or why there is none."""
        at = bisect_right(self._prefixes, oid) - 1
        column = self._columns[at] if at >= 0 else None
        if column is None or oid[: len(column.prefix)] != column.prefix:
            return Found(oid, NO_SUCH_OBJECT)
        index = oid[len(column.prefix) :]
        about = self._rows_of(column).about
        value = column.cell(self._moment, about[index]) if index in about else None
        return Found(oid, value or NO_SUCH_INSTANCE, index if column.slow and value else None)

    def next(self, oid: Oid) -> Found | None:
        """The first value after an OID; ``None`` at the end."""
        at = bisect_right(self._prefixes, oid) - 1
        rest: Oid | None = None
        if at >= 0 and oid[: len(self._prefixes[at])] == self._prefixes[at]:
            rest = oid[len(self._prefixes[at]) :]
        else:
            at += 1
        for column in islice(self._columns, at, None):
            if column.walkable:
                rows = self._rows_of(column)
                start = 0 if rest is None else bisect_right(rows.indexes, rest)
                for index in islice(rows.indexes, start, None):
                    value = column.cell(self._moment, rows.about[index])
                    if value is not None:
                        return Found(column.prefix + index, value, index if column.slow else None)
            rest = None
        return None


class Tree:
    """The columns of one OLT, over its world."""

    def __init__(self, world: OltWorld) -> None:
        self.world = world
        self.onus = Onus(world)
        self._columns: list[Column] = []

    def scalar(self, oid: str, cell: Callable[[Moment], Value | None]) -> None:
        """Add an object that has one instance, ``.0``."""
        self.table(oid.rpartition(".")[0], _single, {int(oid.rpartition(".")[2]): lambda moment, _: cell(moment)})

    def table(
        self,
        entry: str,
        rows: Callable[[], Rows],
        columns: Mapping[int, Cell],
        *,
        slow: bool = False,
        walkable: bool = True,
    ) -> None:
        """Add the columns of a table by their numbers under its entry."""
        base = parse_oid(entry)
        for number, cell in columns.items():
            added = Column((*base, number), rows, cell, slow, walkable)
            self._columns.insert(bisect_left([each.prefix for each in self._columns], added.prefix), added)

    @contextmanager
    def reading(self, hidden: Iterable[str] = ()) -> Iterator[Lookup]:
        """Look at everything as it is at one moment."""
        with self.world.lock:
            yield Lookup(self._columns, Moment(self.world, self.onus), hidden)


_ONE_ROW = Rows([(0,)], {(0,): None})


def _single() -> Rows:
    return _ONE_ROW
