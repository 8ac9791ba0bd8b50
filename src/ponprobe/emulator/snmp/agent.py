"""The SNMP agent: one UDP socket, one thread, one request after another, as an OLT's control board does it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.snmp import ber, usm
from ponprobe.emulator.snmp.ber import BadMessageError, Oid, Pdu, Reader, Value
from ponprobe.emulator.snmp.tree import Found
from ponprobe.emulator.snmp.usm import AUTH, REPORTABLE, Message, Security, SnmpUser

V2C, V3 = 1, 3
TOO_BIG, NO_ACCESS, AUTHORIZATION_ERROR = 1, 6, 16
HEADERS = 160
"""Room that a v3 message needs around its bindings."""
WINDOW_S = 150
"""How far a client's idea of the engine's time may be off (RFC 3414, 2.2.3)."""
KINDS = {ber.GET: "get", ber.GET_NEXT: "getnext", ber.GET_BULK: "getbulk", ber.SET: "set"}
STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_LEVEL, NOT_IN_TIME, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, CANNOT_DECRYPT = range(1, 7)


class Look(Protocol):
    """What one request may read."""

    def get(self, oid: Oid) -> Found:
        """The value of an OID, or why there is none."""

    def next(self, oid: Oid) -> Found | None:
        """The first value after it; ``None`` at the end."""


class Source(Protocol):
    """What an agent reads its answers from."""

    def reading(self, hidden: Iterable[str] = ()) -> AbstractContextManager[Look]:
        """Look at everything as it is at one moment, without the columns that are hidden."""


class Request(NamedTuple):
    """One request that was let in: ``get``, ``getnext``, ``getbulk`` or ``set``, and its OIDs, dotted."""

    version: str
    kind: str
    oids: tuple[str, ...]
    max_repetitions: int | None = None


@dataclass(frozen=True)
class Engine:
    """What an SNMPv3 engine says of itself, and how its agent treats GETBULK.

    ``silent_on_zero``: a GETBULK with max-repetitions 0 is never answered, as on a C300 V2.1.0. ``max_size``: the
    longest answer in bytes; the default is what fits an Ethernet frame, no device's own limit was found.
    """

    id: bytes
    boots: int = 1
    max_size: int = 1472
    silent_on_zero: bool = False


class Agent:
    """Answers on a free port of the host, v2c by ``community`` and v3 by ``users``; ``close`` ends it.

    Read-only: a SET is refused with noAccess. Another community, SNMPv1 and whatever is no message get no answer.
    """

    def __init__(
        self,
        host: str,
        source: Source,
        *,
        community: str,
        engine: Engine,
        users: Sequence[SnmpUser] = (),
        faults: Faults | None = None,
    ) -> None:
        self._source = source
        self._community = community.encode()
        self._users = {each.user.encode(): each for each in users}
        self._engine = engine
        self._faults = Faults() if faults is None else faults
        self._born = time.monotonic()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._reports = [0] * 7
        self._salt = 0
        self._noise = random.Random(engine.id)  # noqa: S311 - garbage, reproducible on purpose
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="snmp agent", daemon=True)
        self._thread.start()

    @property
    def requests(self) -> list[Request]:
        """Every request that was let in, in order, answered or not; without the engine discovery of v3."""
        with self._lock:
            return list(self._requests)

    def close(self) -> None:
        """Stop answering; returns when the thread has ended. May be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        # a datagram to itself wakes it; one that finds no room means that it is awake anyway
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", (self.host, self.port))
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(OSError):
                data, address = self._socket.recvfrom(65_535)
                if self._closing.is_set():
                    return
                for answer in self._answers(data):
                    self._socket.sendto(answer, address)

    def _answers(self, data: bytes) -> list[bytes]:
        """What is sent back for a datagram; nothing for whatever is no request."""
        try:
            reader = Reader(data).inside()
            version = reader.number()
            if version == V3:
                return self._secure(usm.read_message(data))
            community = reader.content(ber.OCTETS)
            if version != V2C or community != self._community:
                return []
            pdu = ber.read_pdu(reader)
        except (BadMessageError, OverflowError):
            return []
        answer = self._answer(pdu, "v2c", self._engine.max_size)
        if answer is None:
            return []
        head = ber.tlv(ber.INTEGER, ber.signed(V2C)) + ber.tlv(ber.OCTETS, community)
        return self._disturbed(ber.sequence(head, answer))

    # ------------------------------------------------------------------ SNMPv3

    def _time(self) -> int:
        return int(time.monotonic() - self._born)

    def _secure(self, message: Message) -> list[bytes]:
        """An SNMPv3 message, checked in the order of RFC 3414, 3.2; what fails is told by a report."""
        said, engine = message.security, self._engine
        user = self._users.get(said.user)
        if said.engine != engine.id:
            return self._report(message, UNKNOWN_ENGINE)
        if user is None:
            return self._report(message, UNKNOWN_USER)
        if message.flags & ~user.level & (usm.AUTH | usm.PRIV):
            return self._report(message, UNSUPPORTED_LEVEL)
        if message.flags & AUTH:
            if said.digest != usm.digest(user, engine.id, message.undigested):
                return self._report(message, WRONG_DIGEST)
            if said.boots != engine.boots or abs(said.time - self._time()) > WINDOW_S:
                return self._report(message, NOT_IN_TIME, user)
        try:
            plain = usm.crypt(user, said, message.scoped, decrypt=True) if message.encrypted else message.scoped
            scoped = Reader(plain).inside()
            context = (scoped.content(ber.OCTETS), scoped.content(ber.OCTETS))
            pdu = ber.read_pdu(scoped)
        except BadMessageError:
            return self._report(message, CANNOT_DECRYPT) if message.encrypted else []
        if message.flags & (usm.AUTH | usm.PRIV) != user.level:
            # the engine knows the user, but nothing may be read at a lower level than its own (RFC 3415)
            refused = ber.write_pdu(ber.RESPONSE, pdu.request_id, AUTHORIZATION_ERROR, 0, [b for _, b in pdu.bindings])
            return [self._wrapped(message, user, context, refused)]
        answer = self._answer(pdu, "v3", min(engine.max_size, message.max_size))
        return [] if answer is None else self._disturbed(self._wrapped(message, user, context, answer))

    def _wrapped(self, message: Message, user: SnmpUser | None, context: tuple[bytes, bytes], pdu: bytes) -> bytes:
        self._salt += 1
        flags = message.flags & ~REPORTABLE
        name = message.security.user
        security = Security(self._engine.id, self._engine.boots, self._time(), name, b"", self._salt.to_bytes(8, "big"))
        scoped = ber.sequence(*(ber.tlv(ber.OCTETS, part) for part in context), pdu)
        return usm.write_message(message.id, self._engine.max_size, flags, security, scoped=scoped, user=user)

    def _report(self, message: Message, what: int, user: SnmpUser | None = None) -> list[bytes]:
        """A report, if the client takes one; it is signed only where the client's clock is off."""
        if not message.flags & REPORTABLE:
            return []
        self._reports[what] += 1
        request_id = 0
        with contextlib.suppress(BadMessageError):
            if not message.encrypted:
                scoped = Reader(message.scoped).inside()
                scoped.enter()
                scoped.enter()
                request_id = ber.read_pdu(scoped).request_id
        counted = ber.binding((*STATS, what, 0), ber.integer(self._reports[what], ber.COUNTER32))
        pdu = ber.write_pdu(ber.REPORT, request_id, 0, 0, [counted])
        plain = message._replace(flags=AUTH if user is not None else 0)
        return [self._wrapped(plain, user, (self._engine.id, b""), pdu)]

    # ------------------------------------------------------------------ requests

    def _answer(self, pdu: Pdu, version: str, max_size: int) -> bytes | None:
        """The RESPONSE to a request; ``None`` where the agent keeps silent."""
        faults = self._faults
        if pdu.kind not in KINDS:
            return None
        dotted = tuple(".".join(map(str, oid)) for oid in pdu.oids)
        bulk = pdu.kind == ber.GET_BULK
        with self._lock:
            self._requests.append(Request(version, KINDS[pdu.kind], dotted, pdu.second if bulk else None))
            number = len(self._requests)
        if faults.snmp_drop_every and number % faults.snmp_drop_every == 0:
            return None
        if bulk and (faults.snmp_getnext_only or (pdu.second <= 0 and self._silent_on_zero)):
            return None
        if pdu.kind == ber.SET:
            return ber.write_pdu(ber.RESPONSE, pdu.request_id, NO_ACCESS, 1, [each for _, each in pdu.bindings])
        with self._source.reading(faults.snmp_no_such) as look:
            found = self._bulk(pdu, look, max_size - HEADERS) if bulk else self._single(pdu, look)
        slow = len({each.slow for each in found if each.slow is not None})
        if self._closing.wait(faults.snmp_delay_s + slow * faults.snmp_slow_columns_s):
            return None
        mangle = self._mangle_now()
        if mangle == "out_of_order":
            found = found[::-1] if len(found) > 1 else [each._replace(oid=pdu.oids[0]) for each in found]
        bindings = [ber.binding(each.oid, each.value) for each in found]
        if sum(map(len, bindings)) > max_size - HEADERS:
            return ber.write_pdu(ber.RESPONSE, pdu.request_id, TOO_BIG, 0, [])
        request_id = pdu.request_id ^ 1 if mangle == "wrong_id" else pdu.request_id
        return ber.write_pdu(ber.RESPONSE, request_id, 0, 0, bindings)

    @property
    def _silent_on_zero(self) -> bool:
        return self._engine.silent_on_zero or self._faults.snmp_max_repetitions is not None

    def _mangle_now(self) -> str | None:
        with self._lock:
            return self._faults.snmp_mangle if len(self._requests) % self._faults.snmp_mangle_every == 0 else None

    def _disturbed(self, answer: bytes) -> list[bytes]:
        match self._mangle_now():
            case "truncated":
                return [answer[: len(answer) // 2]]
            case "noise":
                return [self._noise.randbytes(self._noise.randrange(1, 200)), answer]
        return [answer]

    @staticmethod
    def _single(pdu: Pdu, look: Look) -> list[Found]:
        if pdu.kind == ber.GET:
            return [look.get(oid) for oid in pdu.oids]
        return [_after(look, oid) for oid in pdu.oids]

    def _bulk(self, pdu: Pdu, look: Look, room: int) -> list[Found]:
        """As many as fit; fewer than asked for is allowed (RFC 3416, 4.2.3)."""
        limit = self._faults.snmp_max_repetitions
        fixed = max(pdu.first, 0)
        found = [_after(look, oid) for oid in pdu.oids[:fixed]]
        room -= sum(len(ber.binding(each.oid, each.value)) for each in found)
        last = list(pdu.oids[fixed:])
        for _ in range(max(pdu.second if limit is None else min(pdu.second, limit), 0)):
            row = [_after(look, oid) for oid in last]
            room -= sum(len(ber.binding(each.oid, each.value)) for each in row)
            if not row or (room < 0 and found):
                break
            found += row
            last = [each.oid for each in row]
            if all(each.value is ber.END_OF_MIB for each in row):
                break
        return found


def _after(look: Look, oid: Oid) -> Found:
    found = look.next(oid)
    return Found(oid, END) if found is None else found


END: Value = ber.END_OF_MIB
