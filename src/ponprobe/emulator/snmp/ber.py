"""The few BER forms that SNMP uses (RFC 3416, X.690), both ways; an OID is a tuple of numbers."""

from __future__ import annotations

from typing import NamedTuple

Oid = tuple[int, ...]

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIMETICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
GET, GET_NEXT, RESPONSE, SET, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8


class BadMessageError(ValueError):
    """Bytes that are no message of ours."""


class Value(NamedTuple):
    """A value ready to be sent: its type and its encoded content."""

    tag: int
    content: bytes


NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = Value(0x80, b""), Value(0x81, b""), Value(0x82, b"")
NOTHING = Value(NULL, b"")


def signed(number: int) -> bytes:
    """The shortest two's complement."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def integer(number: int, tag: int = INTEGER) -> Value:
    """An INTEGER, or another type that is written like one."""
    return Value(tag, signed(number))


def integer32(number: int) -> Value:
    """An INTEGER of 32 bits: a number beyond 2^31 becomes negative, as a device sends its ifIndex."""
    return integer((number + 2**31) % 2**32 - 2**31)


def octets(data: bytes) -> Value:
    """An OCTET STRING."""
    return Value(OCTETS, data)


def text(words: str) -> Value:
    """An OCTET STRING of text."""
    return Value(OCTETS, words.encode())


def object_id(oid: Oid) -> Value:
    """An OBJECT IDENTIFIER."""
    return Value(OBJECT_ID, arcs(oid))


def parse_oid(dotted: str) -> Oid:
    """Read ``1.3.6.1``, with or without a first dot; ``ValueError`` for anything else."""
    return tuple(int(part) for part in dotted.strip().removeprefix(".").split("."))


def arcs(oid: Oid) -> bytes:
    """The content of an OID; a part beyond 2^31 (Huawei's interface numbers) takes five bytes."""
    out = bytearray()
    # the first two share one number; an OID of fewer is not to be sent, but may be asked for
    first, second = (*oid, 0, 0)[:2]
    for arc in (first * 40 + second, *oid[2:]):
        if arc < 0x80:
            out.append(arc)
            continue
        parts = [arc & 0x7F]
        while arc := arc >> 7:
            parts.append(arc & 0x7F | 0x80)
        out += bytes(reversed(parts))
    return bytes(out)


def tlv(tag: int, content: bytes) -> bytes:
    """One element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of encoded elements."""
    return tlv(SEQUENCE, b"".join(parts))


def binding(oid: Oid, value: Value) -> bytes:
    """One variable binding."""
    return sequence(tlv(OBJECT_ID, arcs(oid)), tlv(*value))


class Reader:
    """Takes elements out of bytes, front to back; positions are those of the whole message."""

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = start
        self.end = len(data) if end is None else end

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < self.end

    def enter(self, *tags: int) -> tuple[int, int, int]:
        """Step over an element of one of these types (any): its tag, and where its content begins and ends."""
        if self.at + 2 > self.end:
            raise BadMessageError("too short")
        tag, size = self.data[self.at], self.data[self.at + 1]
        start = self.at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(self.data[self.at + 2 : start], "big")
        if start + size > self.end or (tags and tag not in tags):
            raise BadMessageError(f"element {tag:#x} of {size} bytes")
        self.at = start + size
        return tag, start, self.at

    def inside(self, *tags: int) -> Reader:
        """A reader of what is in the next element."""
        _, start, end = self.enter(*(tags or (SEQUENCE,)))
        return Reader(self.data, start, end)

    def content(self, *tags: int) -> bytes:
        """The content of the next element."""
        _, start, end = self.enter(*tags)
        return self.data[start:end]

    def number(self) -> int:
        """The next element, an INTEGER."""
        return int.from_bytes(self.content(INTEGER), "big", signed=True)

    def oid(self) -> Oid:
        """The next element, an OBJECT IDENTIFIER."""
        content = self.content(OBJECT_ID)
        if not content:
            return ()
        out: list[int] = []
        arc = 0
        for byte in content:
            arc = arc << 7 | byte & 0x7F
            if not byte & 0x80:
                out.append(arc)
                arc = 0
        first = min(out[0] // 40, 2) if out else 0
        return (first, out[0] - 40 * first, *out[1:]) if out else ()


class Pdu(NamedTuple):
    """A request: for GETBULK ``first`` and ``second`` are non-repeaters and max-repetitions."""

    kind: int
    request_id: int
    first: int
    second: int
    bindings: tuple[tuple[Oid, bytes], ...]
    """Each OID with its whole binding as it came."""

    @property
    def oids(self) -> tuple[Oid, ...]:
        """What is asked for."""
        return tuple(oid for oid, _ in self.bindings)


def read_pdu(outer: Reader) -> Pdu:
    """The PDU that comes next."""
    kind, start, end = outer.enter()
    reader = Reader(outer.data, start, end)
    request_id, first, second = reader.number(), reader.number(), reader.number()
    listed = reader.inside()
    found = []
    while listed.more:
        _, begins, ends = listed.enter(SEQUENCE)
        found.append((Reader(outer.data, begins, ends).oid(), sequence(outer.data[begins:ends])))
    return Pdu(kind, request_id, first, second, tuple(found))


def write_pdu(kind: int, request_id: int, status: int, index: int, bindings: list[bytes]) -> bytes:
    """A RESPONSE or a REPORT; bindings are encoded already."""
    head = b"".join(tlv(INTEGER, signed(number)) for number in (request_id, status, index))
    return tlv(kind, head + sequence(*bindings))
