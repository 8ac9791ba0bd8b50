"""Reads one SNMP 2c answer, strictly: the second opinion where the fast library's reading may hide something."""

from __future__ import annotations

from dataclasses import dataclass

from ponprobe.flow import Missing, Oid, SnmpValue

_RESPONSE = 0xA2
_MISSING = {
    0x05: Missing.NULL,
    0x80: Missing.NO_SUCH_OBJECT,
    0x81: Missing.NO_SUCH_INSTANCE,
    0x82: Missing.END_OF_VIEW,
}
_SIGNED, _OCTETS, _OID, _ADDRESS = 0x02, (0x04, 0x44), 0x06, 0x40
_UNSIGNED = {0x41: 32, 0x42: 32, 0x43: 32, 0x46: 64, 0x47: 32}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response PDU. ``index`` counts the bindings from 1 and says which one ``status`` is about."""

    request_id: int
    status: int
    index: int
    rows: list[tuple[Oid, SnmpValue]]


def read_answer(datagram: bytes) -> Answer:
    """Read a whole SNMP 2c message; raises ``ValueError`` for anything that is not a well-formed answer."""
    body = _only(datagram, 0x30)
    tag, version, rest = _take(body)
    if tag != _SIGNED or int.from_bytes(version, "big") != 1:
        raise ValueError("not SNMP 2c")
    tag, _, rest = _take(rest)
    if tag != 0x04:
        raise ValueError("no community")
    pdu = _only(rest, _RESPONSE)
    numbers = []
    for _ in range(3):
        tag, number, pdu = _take(pdu)
        if tag != _SIGNED or not number:
            raise ValueError("no integer where one belongs")
        numbers.append(int.from_bytes(number, "big", signed=True))
    bindings = _only(pdu, 0x30)
    rows = []
    while bindings:
        tag, pair, bindings = _take(bindings)
        if tag != 0x30:
            raise ValueError("no variable binding")
        tag, name, value = _take(pair)
        if tag != _OID:
            raise ValueError("a variable binding without a name")
        tag, content, rest = _take(value)
        if rest:
            raise ValueError("more than one value in a variable binding")
        rows.append((_oid(name), _value(tag, content)))
    return Answer(numbers[0], numbers[1], numbers[2], rows)


def _take(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what follows."""
    if len(data) < 2:
        raise ValueError("cut short")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
        if start == 2:
            raise ValueError("no definite length")
    if len(data) < start + size:
        raise ValueError("cut short")
    return data[0], data[start : start + size], data[start + size :]


def _only(data: bytes, tag: int) -> bytes:
    found, content, rest = _take(data)
    if found != tag:
        raise ValueError(f"tag {found:#04x} where {tag:#04x} belongs")
    if rest:
        raise ValueError("something follows the end")
    return content


def _oid(content: bytes) -> Oid:
    if not content or content[-1] & 0x80:
        raise ValueError("an object identifier that is cut short")
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def _value(tag: int, content: bytes) -> SnmpValue:
    if tag in _MISSING:
        return _MISSING[tag]
    if tag == _SIGNED and content:
        number = int.from_bytes(content, "big", signed=True)
        if -(1 << 31) <= number < 1 << 31:
            return number
    if tag in _UNSIGNED and content:
        # agents are known to send large counters without the leading zero octet: never negative
        number = int.from_bytes(content, "big")
        if number < 1 << _UNSIGNED[tag]:
            return number
    if tag in _OCTETS:
        return content
    if tag == _OID:
        return _oid(content)
    if tag == _ADDRESS and len(content) == 4:
        return ".".join(map(str, content))
    raise ValueError(f"a value with tag {tag:#04x} and {len(content)} octets")
