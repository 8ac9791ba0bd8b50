"""An SNMP v2c agent on a real UDP socket, for tests and benchmarks: it can be wrong in every way that we must survive.

Written from RFC 3416 and X.690 alone; it shares no code with the transports or their libraries. All variable bindings
are encoded once and lie in one piece of memory, so that an answer to GETBULK is a slice of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

Oid = tuple[int, ...]

GET, GET_NEXT, RESPONSE, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA8
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
NULL = b"\x05\x00"


# ------------------------------------------------------------------------------------------------------------ encoding


def length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    body = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + length(len(body)) + body


def integer(value: int, tag: int = 0x02) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def address(value: str) -> bytes:
    return tlv(0x40, bytes(int(part) for part in value.split(".")))


def arc(number: int) -> bytes:
    out = bytes([number & 0x7F])
    while number := number >> 7:
        out = bytes([0x80 | number & 0x7F]) + out
    return out


def oid(value: Oid) -> bytes:
    return tlv(0x06, b"".join(map(arc, (value[0] * 40 + value[1], *value[2:]))))


def binding(name: Oid, value: bytes) -> bytes:
    return tlv(0x30, oid(name) + value)


def message(
    community: bytes,
    request_id: int,
    bindings: bytes,
    *,
    status: int = 0,
    index: int = 0,
    kind: int = RESPONSE,
    version: int = 1,
) -> bytes:
    pdu = tlv(kind, integer(request_id) + integer(status) + integer(index) + tlv(0x30, bindings))
    return tlv(0x30, integer(version) + octets(community) + pdu)


# ------------------------------------------------------------------------------------------------------------ decoding


def read(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Tag, body and the place after it."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def read_all(data: bytes) -> list[bytes]:
    at, bodies = 0, []
    while at < len(data):
        _, body, at = read(data, at)
        bodies.append(body)
    return bodies


def read_oid(body: bytes) -> Oid:
    arcs, value = [], 0
    for byte in body:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - first * 40, *arcs[1:])


@dataclass(frozen=True)
class Request:
    """What a client asked. ``repetitions`` is that of GETBULK, else 0."""

    kind: int
    community: bytes
    request_id: int
    oids: tuple[Oid, ...]
    repetitions: int = 0

    @classmethod
    def read(cls, datagram: bytes) -> Request:
        _, body, _ = read(datagram)
        _, _, at = read(body)
        _, community, at = read(body, at)
        kind, pdu, _ = read(body, at)
        request_id, _, repetitions, bindings = read_all(pdu)
        return cls(
            kind,
            community,
            int.from_bytes(request_id, "big", signed=True),
            tuple(read_oid(read_all(each)[0]) for each in read_all(bindings)),
            int.from_bytes(repetitions, "big", signed=True) if kind == GET_BULK else 0,
        )


# --------------------------------------------------------------------------------------------------------------- agent

Misbehaviour = Callable[["Agent", Request, bytes], "Iterable[bytes]"]
"""Gets a request and its honest answer; gives the datagrams to send instead."""


@dataclass
class Agent:
    """One agent. ``rows`` are encoded values by OID. ``misbehave`` may replace any answer.

    ``requests`` is everything that was asked. ``stash`` is for a misbehaviour to keep something in.
    """

    rows: Mapping[Oid, bytes]
    community: bytes = b"public"
    misbehave: Misbehaviour | None = None
    requests: list[Request] = field(default_factory=list)
    stash: list[bytes] = field(default_factory=list)
    remember: bool = True

    def __post_init__(self) -> None:
        self.names = sorted(self.rows)
        encoded = [binding(name, self.rows[name]) for name in self.names]
        self._blob = b"".join(encoded)
        self._offsets = [0, *accumulate(map(len, encoded))]
        self._places = {name: place for place, name in enumerate(self.names)}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.host, self.port = self._socket.getsockname()

    def after(self, name: Oid) -> int:
        """The place of the first row behind ``name``."""
        place = self._places.get(name)
        return place + 1 if place is not None else bisect_right(self.names, name)

    def honest(self, request: Request) -> bytes:
        if request.kind == GET:
            bindings = b"".join(binding(name, self._value(name)) for name in request.oids)
        else:
            count = 1 if request.kind == GET_NEXT else request.repetitions
            bindings = b"".join(self._following(name, count) for name in request.oids)
        return message(request.community, request.request_id, bindings)

    def _value(self, name: Oid) -> bytes:
        if name in self.rows:
            return self.rows[name]
        place = self.after(name)
        near = self.names[place : place + 1] + self.names[max(place - 1, 0) : place]
        return NO_SUCH_INSTANCE if any(other[:-1] == name[:-1] for other in near) else NO_SUCH_OBJECT

    def _following(self, name: Oid, count: int) -> bytes:
        first = self.after(name)
        last = min(first + count, len(self.names))
        end = binding(self.names[-1] if first < last else name, END_OF_VIEW) * (count - (last - first))
        return self._blob[self._offsets[first] : self._offsets[last]] + end

    def serve(self) -> None:
        """Answer until the socket is shut."""
        while True:
            try:
                datagram, peer = self._socket.recvfrom(65535)
            except OSError:
                return
            if not datagram:
                return
            request = Request.read(datagram)
            if self.remember:
                self.requests.append(request)
            if request.community != self.community:
                continue
            answer = self.honest(request)
            datagrams = [answer] if self.misbehave is None else self.misbehave(self, request, answer)
            for each in datagrams:
                self._socket.sendto(each, peer)

    def stop(self) -> None:
        """Wake the server with an empty datagram, which ends it."""
        with contextlib.suppress(OSError):
            self._socket.sendto(b"", (self.host, self.port))

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def serving(rows: Mapping[Oid, bytes], misbehave: Misbehaviour | None = None, **more: object) -> Iterator[Agent]:
    agent = Agent(rows, misbehave=misbehave, **more)  # type: ignore[arg-type]
    problems: list[BaseException] = []

    def run() -> None:
        try:
            agent.serve()
        except BaseException as exc:  # noqa: BLE001 - raised in the test's thread below
            problems.append(exc)

    thread = threading.Thread(target=run, name="snmp-agent")
    thread.start()
    try:
        yield agent
    finally:
        agent.stop()
        thread.join()
        agent.close()
    if problems:
        raise problems[0]


# ---------------------------------------------------------------------------------------------------------- test table

OPTICS: Oid = (1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 2, 51, 1)


def optics(
    boards: int = 16, ports: int = 16, onus: int = 64, columns: tuple[int, ...] = (1, 3, 4, 6)
) -> dict[Oid, bytes]:
    """A table of four optical columns with a value that tells its place, negative ones too."""
    rows: dict[Oid, bytes] = {}
    for column in columns:
        for board in range(boards):
            for port in range(ports):
                interface = 0xFA000000 | board << 13 | port << 8
                for onu in range(onus):
                    rows[(*OPTICS, column, interface, onu)] = integer(reading(column, board, port, onu))
    return rows


def reading(column: int, board: int, port: int, onu: int) -> int:
    return (column * 1000 + board * 64 + port * 4 + onu % 4) * (-1 if column == 4 else 1)
