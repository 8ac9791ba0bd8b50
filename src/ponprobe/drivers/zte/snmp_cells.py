"""One value out of several possible columns: which source has it, what it says, where and when it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ponprobe.drivers.columns import Column
from ponprobe.drivers.zte.snmp_columns import Source, Sources
from ponprobe.drivers.zte.snmp_index import Place, rows_by_onu
from ponprobe.flow import Missing, Oid, SnmpReply, SnmpValue, dotted
from ponprobe.models.addressing import OnuRef
from ponprobe.models.optical import Absence, Reading, read_at


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: decoded, or why there is none; what was sent; where and when."""

    value: Any
    absence: Absence | None
    raw: SnmpValue = field(repr=False)
    source: str
    at: datetime

    @classmethod
    def of(cls, source: Source, raw: SnmpValue, where: str, at: datetime) -> Cell:
        """Decode what was sent; a column in dBm gives powers."""
        column = source.column
        if isinstance(column, Column) and column.unit == "dBm":
            power, absence = column.power(raw)
            return cls(power, absence, raw, where, at)
        value, absence = column.read(raw)
        return cls(value, absence, raw, where, at)

    @property
    def rank(self) -> int:
        """0 for a value, more for what says less: no reading, no row, no column."""
        if self.absence is None:
            return 0
        if self.raw is Missing.NO_SUCH_OBJECT:
            return 3
        return 2 if isinstance(self.raw, Missing) else 1

    @property
    def there(self) -> bool:
        """Whether the row exists."""
        return not isinstance(self.raw, Missing)

    def reading(self) -> Reading:
        """A power with its source and time; a number out of range keeps what the device sent."""
        printed = f"raw value {self.raw!r}" if self.absence is Absence.OUT_OF_RANGE else None
        return read_at(self.value, self.absence, source=self.source, at=self.at, printed=printed)


def _cells(sources: Sources, place: Place, parts: tuple[int, ...], reply: SnmpReply) -> Iterator[tuple[Source, Cell]]:
    for source in sources:
        where = source.at(place, *parts)
        raw = reply.values.get(where, Missing.NO_SUCH_INSTANCE)
        yield source, Cell.of(source, raw, f"snmp: get {dotted(where)}", reply.at)


def best(sources: Sources, place: Place, parts: tuple[int, ...], reply: SnmpReply) -> Cell:
    """The first source with a value; else the one that says most about why there is none."""
    return min((cell for _, cell in _cells(sources, place, parts, reply)), key=lambda cell: cell.rank)


def telling(sources: Sources, place: Place, parts: tuple[int, ...], reply: SnmpReply) -> Sources:
    """The one source to go on with, as ``best`` chooses it."""
    return (min(_cells(sources, place, parts, reply), key=lambda each: each[1].rank)[0],)


def existing(sources: Sources, place: Place, parts: tuple[int, ...], reply: SnmpReply) -> Sources:
    """The sources that this build has, with or without the row that was asked for."""
    cells = _cells(sources, place, parts, reply)
    return tuple(source for source, cell in cells if cell.raw is not Missing.NO_SUCH_OBJECT)


def walked(source: Source, place: Place, reply: SnmpReply) -> dict[OnuRef, Cell]:
    """The ONUs in a walk of one column below a port."""
    values: dict[Oid, SnmpValue] = dict(reply.rows())
    return {
        ref: Cell.of(source, values[index], reply.source, reply.at)
        for ref, index in rows_by_onu(place.port, values, source.tail)
    }
