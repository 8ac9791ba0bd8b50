"""Serving a recorded walk: ``.snmprec`` lines, or what net-snmp's ``snmpwalk`` prints (``-On`` or ``iso.``)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.snmp import ber
from ponprobe.emulator.snmp.agent import Agent, Engine
from ponprobe.emulator.snmp.ber import NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Oid, Value, parse_oid
from ponprobe.emulator.snmp.tree import Found
from ponprobe.emulator.snmp.usm import SnmpUser

_RECORD = re.compile(r"^\.?([\d.]+)\|(\d+)(x?)\|(.*)$", re.DOTALL)
_PRINTED = re.compile(r"^(?:\.1|iso|1)((?:\.\d+)+) = (.*)$", re.DOTALL)
_TYPED = re.compile(r"^([A-Za-z][A-Za-z0-9 -]*): ?(.*)$", re.DOTALL)
_WORDS = {
    "INTEGER": ber.INTEGER,
    "STRING": ber.OCTETS,
    "Hex-STRING": ber.OCTETS,
    "BITS": ber.OCTETS,
    "OID": ber.OBJECT_ID,
    "IpAddress": ber.IP_ADDRESS,
    "Network Address": ber.IP_ADDRESS,
    "Counter32": ber.COUNTER32,
    "Gauge32": ber.GAUGE32,
    "Unsigned32": ber.GAUGE32,
    "Timeticks": ber.TIMETICKS,
    "Counter64": ber.COUNTER64,
}
_NUMBERS = {ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TIMETICKS, ber.COUNTER64}
MAX_SIZE = 65_000
"""A recording may hold a string that is longer than a frame."""


class WalkError(ValueError):
    """A line that is no part of a walk; the message has it."""


class Recording:
    """A walk as a source of answers. No column is known beyond the rows that it has."""

    def __init__(self, rows: Iterable[tuple[Oid, Value]]) -> None:
        known = dict(rows)
        self._oids = sorted(known)
        self._values = [known[oid] for oid in self._oids]

    def __len__(self) -> int:
        return len(self._oids)

    @contextmanager
    def reading(self, hidden: Iterable[str] = ()) -> Iterator[_Page]:
        """Look at the recording."""
        yield _Page(self._oids, self._values, [parse_oid(each) for each in hidden])


class _Page:
    def __init__(self, oids: Sequence[Oid], values: Sequence[Value], hidden: Sequence[Oid]) -> None:
        self._oids, self._values, self._hidden = oids, values, hidden

    def _gone(self, oid: Oid) -> bool:
        return any(oid[: len(each)] == each for each in self._hidden)

    def get(self, oid: Oid) -> Found:
        """The recorded value; a sibling makes the difference between no instance and no object."""
        at = bisect_left(self._oids, oid)
        if at < len(self._oids) and self._oids[at] == oid and not self._gone(oid):
            return Found(oid, self._values[at])
        near = [each for each in self._oids[max(at - 1, 0) : at + 1] if each[:-1] == oid[:-1] or oid == each[:-1]]
        return Found(oid, NO_SUCH_INSTANCE if near and not self._gone(oid) else NO_SUCH_OBJECT)

    def next(self, oid: Oid) -> Found | None:
        """The next recorded value."""
        for at in range(bisect_right(self._oids, oid), len(self._oids)):
            if not self._gone(self._oids[at]):
                return Found(self._oids[at], self._values[at])
        return None


def read_walk(text: str) -> Recording:
    """Read a walk; lines that begin with ``#`` and empty lines between rows are left out. Raises ``WalkError``."""
    return Recording(row for line in _joined(text) for row in _row(line))


def _row(line: str) -> list[tuple[Oid, Value]]:
    """One row; none for an OID of which the walk says that it does not exist."""
    try:
        if record := _RECORD.match(line):
            oid, tag, coded, content = record.groups()
            return [(parse_oid(oid), _value(int(tag), content, coded=bool(coded)))]
        if printed := _PRINTED.match(line):
            value = _printed(printed[2])
            return [] if value is None else [(parse_oid(f"1{printed[1]}"), value)]
    except (ValueError, OverflowError) as exc:
        if isinstance(exc, WalkError):
            raise
        raise WalkError(f"{exc}: {line[:80]!r}") from exc
    raise WalkError(f"no row of a walk: {line[:80]!r}")


def _goes_on(row: str, line: str) -> bool:
    """Whether a printed row has no end yet: its quotation is open, or it has octets and so has the line."""
    if _RECORD.match(row):
        return False
    _, _, value = row.partition(" = ")
    if value.startswith('STRING: "'):
        return re.fullmatch(r'STRING: "(?:[^"\\]|\\.)*"', value, re.DOTALL) is None
    return value.startswith("Hex-STRING:") and re.fullmatch(r"[0-9A-Fa-f ]+", line) is not None


def _joined(text: str) -> Iterator[str]:
    """Rows; a string or hexadecimal octets that go on in the next line are put back together."""
    row: str | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        if _RECORD.match(line) or _PRINTED.match(line):
            if row is not None:
                yield row
            row = line
        elif row is not None and _goes_on(row, line):
            row += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            raise WalkError(f"no row of a walk: {line[:80]!r}")
    if row is not None:
        yield row


def _value(tag: int, content: str, *, coded: bool = False) -> Value:
    if tag in _NUMBERS:
        return ber.integer(int(content), tag)
    if tag == ber.OBJECT_ID:
        return ber.object_id(parse_oid(content))
    if tag == ber.IP_ADDRESS and not coded:
        return Value(tag, bytes(int(part) for part in content.split(".")))
    return Value(tag, bytes.fromhex(content) if coded else content.encode())


def _printed(words: str) -> Value | None:
    """A value as ``snmpwalk`` prints it; ``None`` for what says that there is none."""
    if words.startswith(("No Such", "No more")):
        return None
    if words in {'""', "NULL"}:
        return ber.octets(b"") if words == '""' else ber.NOTHING
    typed = _TYPED.match(words)
    if typed is None or typed[1] not in _WORDS:
        raise WalkError(f"no type is known of {words[:60]!r}")
    tag, content = _WORDS[typed[1]], typed[2]
    if tag in _NUMBERS:
        # an enumeration in words, ticks in brackets, a unit behind the number
        number = re.search(r"\((-?\d+)\)|(-?\d+)", content)
        return _value(tag, (number[1] or number[2]) if number else content)
    if typed[1] in {"Hex-STRING", "BITS"}:
        return Value(tag, bytes.fromhex("".join(re.findall(r"\b[0-9A-Fa-f]{2}\b", content))))
    if tag == ber.OBJECT_ID:
        return _value(tag, content.replace("iso", "1"))
    if typed[1] == "Network Address":
        return Value(tag, bytes.fromhex(content.replace(":", "")))
    if tag == ber.OCTETS and content.startswith('"') and content.endswith('"') and len(content) > 1:
        content = content[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return _value(tag, content)


def serve_walk(
    source: str | Path,
    *,
    community: str = "public",
    host: str = "127.0.0.1",
    users: Sequence[SnmpUser] = (),
    faults: Faults | None = None,
) -> Agent:
    """Serve a walk, a file's path or its text (which has more than one line), on a free port of ``host``.

    The agent's ``port`` says where; ``close`` it, or use ``contextlib.closing``. Raises ``WalkError``, and ``OSError``
    for a file that cannot be read.
    """
    text = source if isinstance(source, str) and "\n" in source else Path(source).read_text(encoding="utf-8")
    engine = Engine(id=b"\x80\x00\x00\x00\x05walk", max_size=MAX_SIZE)
    return Agent(host, read_walk(text), community=community, engine=engine, users=users, faults=faults)
