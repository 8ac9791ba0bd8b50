"""What every vendor's SNMP readers share: columns as data, octets decoded, rows asked for as a whole.

A column knows how its value is written: scale, sign, the numbers that stand for "no reading", and what a device can
physically read. Everything gives ``(value, None)`` or ``(None, absence)``: a number that is none never gets out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Generic, Protocol, TypeAlias, TypeVar

from ponprobe.flow import Missing, Oid, SnmpFlow, SnmpGet, SnmpReply, SnmpValue, SnmpWalk, ask_snmp
from ponprobe.models.addressing import Serial
from ponprobe.models.optical import Absence, Dbm, Reading, read_at

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Found: TypeAlias = "tuple[T | None, Absence | None]"
"""A value, or the reason why there is none."""

INVALID = 2_147_483_647
"""The largest Integer32: both vendors' usual word for "no reading"."""

_MISSING = {
    Missing.NO_SUCH_OBJECT: Absence.UNSUPPORTED,
    Missing.NO_SUCH_INSTANCE: Absence.NOT_REPORTED,
    Missing.END_OF_VIEW: Absence.NOT_REPORTED,
    Missing.NULL: Absence.NOT_REPORTED,
}


def oid(text: str) -> Oid:
    """``1.3.6.1`` as a tuple, for tables of columns."""
    return tuple(int(arc) for arc in text.split("."))


class Readable(Protocol[T_co]):
    """A column of any kind."""

    @property
    def oid(self) -> Oid:
        """The column, without a row."""

    def read(self, value: SnmpValue) -> Found[T_co]:
        """Decode one value."""


class PowerReadable(Protocol):
    """A column in dBm."""

    @property
    def oid(self) -> Oid:
        """The column, without a row."""

    def read(self, value: SnmpValue) -> Found[float]:
        """Decode one value."""

    def power(self, value: SnmpValue) -> Found[Dbm]:
        """Decode one value as a power."""


@dataclass(frozen=True, slots=True)
class Column:
    """A number: ``raw * scale + offset`` in ``unit``.

    ``signed_bits`` is the width of a two's complement that the device sends without its sign (16: 65535 means -1).
    ``sentinels`` are raw values, as they were sent, that stand for no reading. A value outside ``low`` to ``high``,
    which are what the hardware can physically give, in ``unit``, is no reading either: ``out_of_range``.
    """

    oid: Oid
    name: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    signed_bits: int | None = None
    sentinels: Mapping[int, Absence] = field(default_factory=lambda: {INVALID: Absence.NOT_REPORTED}, hash=False)
    low: float = float("-inf")
    high: float = float("inf")

    def read(self, value: SnmpValue) -> Found[float]:
        """The number in ``unit``; ``garbled`` if the device sent something that is no integer."""
        if isinstance(value, Missing):
            return None, _MISSING[value]
        if not isinstance(value, int):
            return None, Absence.GARBLED
        if value in self.sentinels:
            return None, self.sentinels[value]
        raw = value
        if self.signed_bits is not None and raw >= 1 << (self.signed_bits - 1):
            raw -= 1 << self.signed_bits
        number = round(raw * self.scale + self.offset, 6)
        if not self.low <= number <= self.high:
            return None, Absence.OUT_OF_RANGE
        return number, None

    def power(self, value: SnmpValue) -> Found[Dbm]:
        """The same as a power; only for columns in dBm."""
        if self.unit != "dBm":
            raise TypeError(f"{self.name} is in {self.unit or 'no unit'}, not in dBm")
        number, absence = self.read(value)
        return (None if number is None else Dbm(number)), absence


@dataclass(frozen=True, slots=True)
class Words:
    """An enumeration. A number that the MIB does not name is ``unknown(N)``: never the nearest word."""

    oid: Oid
    name: str
    words: Mapping[int, str] = field(hash=False)
    sentinels: Mapping[int, Absence] = field(default_factory=lambda: {INVALID: Absence.NOT_REPORTED}, hash=False)

    def read(self, value: SnmpValue) -> Found[str]:
        """The word."""
        if isinstance(value, Missing):
            return None, _MISSING[value]
        if not isinstance(value, int):
            return None, Absence.GARBLED
        if value in self.words:
            return self.words[value], None
        if value in self.sentinels:
            return None, self.sentinels[value]
        return f"unknown({value})", None


@dataclass(frozen=True, slots=True)
class Octets(Generic[T]):
    """An OCTET STRING and how it is read; ``decode`` raises ``ValueError`` for octets that are nothing of the kind."""

    oid: Oid
    name: str
    decode: Callable[[bytes], T | None]

    def read(self, value: SnmpValue) -> Found[T]:
        """What the octets say; ``not_reported`` if they say nothing, ``garbled`` if they cannot be read."""
        if isinstance(value, Missing):
            return None, _MISSING[value]
        if not isinstance(value, bytes):
            return None, Absence.GARBLED
        try:
            found = self.decode(value)
        except ValueError:
            return None, Absence.GARBLED
        return found, (Absence.NOT_REPORTED if found is None else None)


# ---------------------------------------------------------------------------------------------------------- octets


def text_of(raw: bytes) -> str | None:
    r"""A name or description; octets that are no UTF-8 show as ``\xNN``. ``None`` for an empty one."""
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace").strip() or None


def serial_of(raw: bytes) -> Serial | None:
    """A serial: eight raw octets, whether or not they are printable; twelve or sixteen are its text.

    ``None`` for no octets and for zeros, which devices show while they do not know the serial.
    """
    if not raw.strip(b"\0"):
        return None
    if len(raw) == 8:
        return Serial(raw.hex())
    if len(raw) not in {12, 16}:
        raise ValueError(f"{len(raw)} octets are no serial")
    return Serial(raw.decode("ascii"))


def mac_of(raw: bytes) -> str | None:
    """A MAC address of six octets, or written out, as ``aa:bb:cc:dd:ee:ff``; ``None`` for no octets and for zeros."""
    if not raw.strip(b"\0"):
        return None
    digits = raw.hex() if len(raw) == 6 else re.sub(r"[-.: ]", "", raw.decode("ascii")).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError(f"{len(raw)} octets are no MAC address")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def moment_of(raw: bytes) -> datetime | None:
    """A DateAndTime (RFC 2579): eight octets of local time, or eleven with the zone; ``None`` for none and for zeros.

    A time without a zone stays without one: nobody knows the device's.
    """
    if not raw.strip(b"\0"):
        return None
    if len(raw) not in {8, 11}:
        raise ValueError(f"{len(raw)} octets are no DateAndTime")
    zone = None
    if len(raw) == 11:
        ahead = {0x2B: 1, 0x2D: -1}.get(raw[8])
        if ahead is None or raw[10] > 59:
            raise ValueError("a DateAndTime with a wrong zone")
        zone = timezone(ahead * timedelta(hours=raw[9], minutes=raw[10]))
    year, (month, day, hour, minute, second, tenth) = int.from_bytes(raw[:2], "big"), raw[2:8]
    return datetime(year, month, day, hour, minute, min(second, 59), tenth * 100_000, tzinfo=zone)


def moment_text_of(raw: bytes) -> str | None:
    """A DateAndTime as models keep it: ``2026-03-01 08:00:00+08:00``."""
    found = moment_of(raw)
    return None if found is None else found.isoformat(" ", "seconds")


# ------------------------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one or many tables as a reply gave it. ``source`` and ``at`` are the reply's.

    ``origins`` has them for each column where the columns came in several replies.
    """

    index: Oid
    values: Mapping[Oid, SnmpValue]
    source: str
    at: datetime
    origins: Mapping[Oid, SnmpReply] = field(default_factory=dict)

    def raw(self, column: Readable[object]) -> SnmpValue:
        """What the device sent; a row that a walk does not have is ``noSuchInstance``."""
        return self.values.get(column.oid + self.index, Missing.NO_SUCH_INSTANCE)

    def has(self, *columns: Readable[object]) -> bool:
        """Whether the row exists: one of the columns has a value."""
        return any(not isinstance(self.raw(column), Missing) for column in columns)

    def read(self, column: Readable[T]) -> Found[T]:
        """The value or its absence."""
        return column.read(self.raw(column))

    def value(self, column: Readable[T]) -> T | None:
        """The value, where nobody wants to know why there is none."""
        return self.read(column)[0]

    def whole(self, column: Column) -> int | None:
        """An integer without scale: a VLAN, a count."""
        found = self.value(column)
        return None if found is None else int(found)

    def reading(self, column: PowerReadable) -> Reading:
        """A power with its source and time; a number out of range keeps what the device sent."""
        value, absence = column.power(self.raw(column))
        printed = f"raw value {self.raw(column)!r}" if absence is Absence.OUT_OF_RANGE else None
        origin = self.origins.get(column.oid, self)
        return read_at(value, absence, source=origin.source, at=origin.at, printed=printed)

    def absences(self, fields: Mapping[str, Readable[object]]) -> dict[str, Absence]:
        """Why the named fields have no value; those that have one are left out."""
        found = ((name, self.read(column)[1]) for name, column in fields.items())
        return {name: absence for name, absence in found if absence is not None}


def get_row(index: Oid, columns: Sequence[Readable[object]], timeout_s: float | None = None) -> SnmpFlow[Row]:
    """Ask for many columns of one row in one GET; use as ``row = yield from get_row(index, columns)``."""
    reply = yield from ask_snmp(SnmpGet(tuple(column.oid + index for column in columns), timeout_s))
    return row_of(reply, index)


def get_rows(
    indexes: Sequence[Oid], columns: Sequence[Readable[object]], *, rows_per_get: int, timeout_s: float | None = None
) -> SnmpFlow[dict[Oid, Row]]:
    """Ask for many columns of many rows, some rows in each request; no request at all for no rows."""
    found: dict[Oid, Row] = {}
    for start in range(0, len(indexes), rows_per_get):
        part = indexes[start : start + rows_per_get]
        reply = yield from ask_snmp(
            SnmpGet(tuple(column.oid + index for index in part for column in columns), timeout_s)
        )
        found.update((index, row_of(reply, index)) for index in part)
    return found


def walk_rows(
    columns: Sequence[Readable[object]], index: Oid = (), timeout_s: float | None = None
) -> SnmpFlow[dict[Oid, Row]]:
    """Walk columns under ``index``, one after the other, and put the rows together by their whole index.

    A row that comes or goes between two of the walks lacks some columns: ``noSuchInstance``, as in a GET.
    """
    values: dict[Oid, dict[Oid, SnmpValue]] = {}
    replies: dict[Oid, SnmpReply] = {}
    for column in columns:
        reply = yield from ask_snmp(SnmpWalk(column.oid, index, timeout_s))
        replies[column.oid] = reply
        for row, value in reply.rows():
            values.setdefault(row, {})[column.oid + row] = value
    if not replies:
        return {}
    first = replies[columns[0].oid]
    return {row: Row(row, cells, first.source, first.at, replies) for row, cells in values.items()}


def row_of(reply: SnmpReply, index: Oid) -> Row:
    """One row of a reply."""
    return Row(index, reply.values, reply.source, reply.at)
