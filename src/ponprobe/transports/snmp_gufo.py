"""SNMP by gufo-snmp (extra ``fast``): large tables at the speed of net-snmp. The only module that imports it.

gufo-snmp 0.13 is fast and forgetful. It never looks at the error-status of an answer, leaves bindings without a value
out, ends a walk in the same way for an end, for a refusal and for an empty answer, sends nothing twice, and takes an
integer coded in eight octets for one less than it is when it is negative. So its sockets are driven here, and whatever
an answer could hide is read again: a 2c datagram by ``snmp_message``, and with version 3, where only gufo holds the
keys, the same question is asked through pysnmp (the ``witness``).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from gufo.snmp import SnmpAuthError, SnmpDecodeError, SnmpEncodeError, SnmpError, user
from gufo.snmp.utils import format_sock_addr

from ponprobe.errors import (
    AuthError,
    ConnectError,
    NotSupported,
    ParseError,
    PonprobeError,
    SessionLost,
    TransportError,
)
from ponprobe.flow import Missing, Oid, SnmpValue, SnmpWalk, dotted
from ponprobe.transports.snmp_message import Answer, read_answer
from ponprobe.transports.snmp_session import Cursor, NoAnswer, Page, Refused, Row, Wire, page_of

if TYPE_CHECKING:
    from ponprobe.transports.snmp import SnmpSettings

try:
    # the parts under its iterators, which hide why they end; 0.13 has them under these names
    from gufo.snmp._fast import GetIter, SnmpV2cClientSocket, SnmpV3ClientSocket
except ImportError as _exc:  # pragma: no cover - another release
    raise NotSupported(
        "This release of gufo-snmp has other parts than 0.13", hint="install gufo-snmp 0.13, or use backend = 'pysnmp'"
    ) from _exc

_AUTH = {
    "md5": user.Md5Key,
    "sha1": user.Sha1Key,
    "sha224": user.Sha224Key,
    "sha256": user.Sha256Key,
    "sha384": user.Sha384Key,
    "sha512": user.Sha512Key,
}
_PRIV = {
    "des": user.DesKey,
    "aes128": user.Aes128Key,
    "aes192": user.Aes192Key,
    "aes256": user.Aes256Key,
    "aes192c": user.Aes192Key,
    "aes256c": user.Aes256Key,
}
_DATAGRAM = 65535
_AT_MOST = 100
_LONG_NEGATIVE = re.compile(rb"\x02\x08[\x80-\xff]", re.DOTALL)
"""What a negative integer in eight octets starts with; found by chance, it costs a second reading and no more."""
_FRESH_S = 100.0
"""RFC 3414, 2.2.3: an engine's time may be off by 150 s; asked again well before."""


class GufoWire:
    """One agent by gufo-snmp. ``witness`` makes the same connection by pysnmp; it is called when it is needed first."""

    name = "gufo"

    def __init__(self, settings: SnmpSettings, address: tuple[str, int], witness: Callable[[], Wire]) -> None:
        if settings.context:
            raise NotSupported(
                f"gufo-snmp cannot name an SNMP context ({settings.context!r})", hint="use backend = 'pysnmp'"
            )
        self._settings = settings
        self._address = address
        self._make_witness = witness
        self._witness: Wire | None = None
        self._idle: list[_Line] = []
        self._lock = Lock()
        self._closed = False

    def get(self, oids: tuple[Oid, ...], timeout_s: float) -> list[Row]:
        """One GET."""
        names = {dotted(oid): oid for oid in oids}
        with self._line() as line:
            heard = line.ask(
                lambda: line.gufo.send_get_many(list(names)), line.gufo.recv_get_many, timeout_s, is_small=True
            )
        if heard.answer is not None:  # 2c: small enough to be read again, always
            return _rows_of_get(heard, heard.answer, oids)
        if heard.refused:
            return self.witness().get(oids, timeout_s)
        found = heard.result or {}
        if not found.keys() <= names.keys():
            raise NoAnswer(garbled="it names other objects than were asked for")
        values = {oid: _value(found[name]) for name, oid in names.items() if name in found}
        if missing := tuple(oid for oid in oids if oid not in values):
            values.update(self.witness().get(missing, timeout_s))
        return [(oid, values[oid]) for oid in oids]

    def cursor(self, request: SnmpWalk, position: Oid | None = None) -> Cursor:
        """A place in a table."""
        if position is not None and position != request.prefix:
            return self.witness().cursor(request, position)  # gufo can only start at the start
        return _GufoCursor(self, request)

    def page(self, place: GetIter, repetitions: int, timeout_s: float) -> _Heard:
        """One GETBULK, or GETNEXT where ``repetitions`` is 0."""
        with self._line() as line:
            gufo = line.gufo
            if repetitions:
                return line.ask(lambda: gufo.send_get_bulk(place), lambda: gufo.recv_get_bulk(place), timeout_s)
            return line.ask(lambda: gufo.send_get_next(place), lambda: [gufo.recv_get_next(place)], timeout_s)

    def witness(self) -> Wire:
        """The same agent by pysnmp."""
        with self._lock:
            if self._closed:
                raise self._lost()
            if self._witness is None:
                self._witness = self._make_witness()
            return self._witness

    def close(self) -> None:
        """Close the sockets; those in use close when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            witness, self._witness = self._witness, None
        for line in idle:
            line.close()
        if witness is not None:
            witness.close()

    @contextlib.contextmanager
    def _line(self) -> Iterator[_Line]:
        line = self._take()
        is_whole = False
        try:
            yield line
            is_whole = True
        except NoAnswer:
            # with version 3 the device may have been exchanged for another: the next question finds out who is there
            is_whole = self._settings.version == "2c"
            raise
        except Refused:
            is_whole = True
            raise
        finally:
            self._give(line, is_whole=is_whole)

    def _take(self) -> _Line:
        """A socket that nobody else uses meanwhile: gufo's are for one thread at a time."""
        with self._lock:
            if self._closed:
                raise self._lost()
            if self._idle:
                return self._idle.pop()
        try:
            return _Line(self._settings, self._address)
        except Exception as exc:
            raise translate(exc, self._settings) from exc

    def _give(self, line: _Line, *, is_whole: bool) -> None:
        """Back with a socket; one whose last exchange broke off is not used again."""
        with self._lock:
            keep = is_whole and not self._closed
            if keep:
                self._idle.append(line)
        if not keep:
            line.close()

    def _lost(self) -> SessionLost:
        host = self._settings.host
        return SessionLost(f"The SNMP session to {host} is closed, nothing was asked", host=host, access="snmp")


class _GufoCursor:
    """A place in a table. ``rest`` finishes the walk by pysnmp, once gufo's own place cannot be trusted any more."""

    def __init__(self, wire: GufoWire, request: SnmpWalk) -> None:
        self._wire = wire
        self._request = request
        self._text = dotted(request.prefix)
        self._skip = len(request.column)
        self._position = request.prefix
        self._known = ""
        self._base: Oid = ()
        self._repetitions = -1
        self._place: GetIter | None = None
        self._rest: Cursor | None = None

    def page(self, repetitions: int, timeout_s: float) -> Page:
        """Ask for what follows."""
        if self._rest is not None:
            return self._rest.page(repetitions, timeout_s)
        if self._repetitions != repetitions:
            if self._position != self._request.prefix:
                return self._by_witness(repetitions, timeout_s)
            self._place = GetIter(self._text, repetitions or None)
            self._repetitions = repetitions
        assert self._place is not None  # made above, at the first page  # noqa: S101
        heard = self._wire.page(self._place, repetitions, timeout_s)
        page = self._plain(heard)
        if page is None:
            if heard.answer is None:
                return self._by_witness(repetitions, timeout_s)
            page = self._read_again(heard, heard.answer)
        if page.rows:
            self._position = self._request.column + page.rows[-1][0]
        return page

    def _read_again(self, heard: _Heard, answer: Answer) -> Page:
        if answer.status:
            raise Refused(answer.status, self._position if answer.index else None)
        page = page_of(answer.rows, self._request, self._position)
        last = self._request.column + page.rows[-1][0] if page.rows else self._position
        stopped = not heard.result
        if stopped and not all(isinstance(value, Missing) for _, value in page.rows):
            raise NoAnswer  # not the datagram that gufo stopped at, but one to an earlier question
        if not page.end and (stopped or heard.result[-1] is None or heard.result[-1][0] != dotted(last)):
            self._rest = self._wire.witness().cursor(self._request, last)
        return page

    def _by_witness(self, repetitions: int, timeout_s: float) -> Page:
        self._rest = self._wire.witness().cursor(self._request, self._position)
        return self._rest.page(repetitions, timeout_s)

    def _plain(self, heard: _Heard) -> Page | None:
        """The page as gufo read it; ``None`` if it could hide something."""
        found = heard.result
        if heard.refused or heard.is_doubtful or not found:
            return None
        end = found[-1] is None
        if end:
            if heard.answer is not None:
                return None
            found.pop()
        known, base = self._known, self._base
        rows: list[Row] = []
        for name, value in found:
            # neighbours differ in their last number: the rest of a name is read once for all of them
            head, _, last = name.rpartition(".")
            if head != known:
                if not name.startswith(self._text + "."):
                    return None
                known, base = head, tuple(map(int, head.split(".")))[self._skip :]
            kind = type(value)
            if kind is not int and kind is not bytes:
                value = _value(value)  # noqa: PLW2901 - the rare kinds
            rows.append(((*base, int(last)), value))
        self._known, self._base = known, base
        return Page(rows, end=end, has_holes=False)


def _rows_of_get(heard: _Heard, answer: Answer, oids: tuple[Oid, ...]) -> list[Row]:
    if answer.status:
        raise Refused(answer.status, oids[answer.index - 1] if 0 < answer.index <= len(oids) else None)
    if tuple(row[0] for row in answer.rows) != oids:
        raise NoAnswer(garbled="it names other objects than were asked for")
    if {dotted(oid) for oid, value in answer.rows if not isinstance(value, Missing)} != set(heard.result or ()):
        raise NoAnswer  # not the datagram that gufo read, but one to an earlier question
    return answer.rows


def _value(value: Any) -> SnmpValue:
    kind = type(value)
    if kind is int or kind is bytes:
        return value  # type: ignore[no-any-return]
    if kind is str:
        arcs = tuple(map(int, value.split(".")))
        # gufo writes addresses and identifiers alike; nobody's identifiers have four arcs
        return value if len(arcs) == 4 and max(arcs) < 256 else arcs
    if value is None:
        return Missing.NULL
    raise NoAnswer(garbled=f"a value of the type {kind.__name__}")


# ---------------------------------------------------------------------------------------------------------- one socket


@dataclass(frozen=True, slots=True)
class _Heard:
    """What gufo made of an answer (``None``: a walk's stop), and the answer itself where it had to be read again.

    ``is_doubtful``: something in it needs the second reading. ``refused``: version 3, and something was reported.
    """

    result: Any = None
    answer: Answer | None = None
    is_doubtful: bool = False
    refused: bool = False


class _Line:
    """One of gufo's sockets, without blocking: waiting, deadlines and what to do with strangers' datagrams are ours."""

    def __init__(self, settings: SnmpSettings, address: tuple[str, int]) -> None:
        self._settings = settings
        where = format_sock_addr(*address)
        self._is_v3 = settings.version == "3"
        self._fresh_until = 0.0
        self._keyed = False
        if settings.community is not None:
            self.gufo: Any = SnmpV2cClientSocket(where, settings.community.get_secret_value(), 0, 0, 1 << 20, 0)
        else:
            self.gufo = SnmpV3ClientSocket(where, b"", "", 0, b"", 0, b"", 0, 0, 1 << 20, 0)
        # the same socket once more, to look at what lies in it
        self._peep = socket.socket(fileno=os.dup(self.gufo.get_fd()))
        self._poll = select.poll()
        self._poll.register(self._peep.fileno(), select.POLLIN)

    def close(self) -> None:
        self._peep.close()
        self.gufo = None

    def ask(
        self, send: Callable[[], None], receive: Callable[[], Any], timeout_s: float, *, is_small: bool = False
    ) -> _Heard:
        """Send once and wait for the answer. ``is_small``: read every answer again, not only those in doubt."""
        if not self._is_v3:
            return self._exchange(send, receive, timeout_s, is_small=is_small)
        try:
            if time.monotonic() > self._fresh_until:
                self._synchronise(timeout_s)
            heard = self._exchange(send, receive, timeout_s, is_small=is_small)
        except SnmpAuthError:
            # the device has restarted, perhaps; if not, the witness will hear why
            self._fresh_until = 0.0
            return _Heard(refused=True)
        self._fresh_until = time.monotonic() + _FRESH_S
        return heard

    def _synchronise(self, timeout_s: float) -> None:
        """Ask for the engine's identity, make keys for it, and ask for its time."""
        settings, gufo = self._settings, self.gufo
        if not self._keyed:
            self._exchange(gufo.send_refresh, gufo.recv_refresh, timeout_s, is_small=False)
            who = _user(settings)
            gufo.set_keys(who.name, who.get_auth_alg(), who.get_auth_key(), who.get_priv_alg(), who.get_priv_key())
            self._keyed = True
        if settings.auth_protocol != "none":
            self._exchange(gufo.send_refresh, gufo.recv_refresh, timeout_s, is_small=False)

    def _exchange(  # noqa: PLR0912 - one branch for each thing that gufo can say
        self, send: Callable[[], None], receive: Callable[[], Any], timeout_s: float, *, is_small: bool
    ) -> _Heard:
        deadline = time.monotonic() + timeout_s
        garbled = ""
        self._drain()
        try:
            send()
        except Exception as exc:
            raise translate(exc, self._settings) from exc
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._poll.poll(max(1, int(left_s * 1000))):
                raise NoAnswer(garbled=garbled)
            datagram = self._peek()
            try:
                result = receive()
            except StopAsyncIteration:
                result = None
            except BlockingIOError:
                continue  # a stranger's, or an answer to an earlier attempt
            except SnmpAuthError:
                if self._is_v3:
                    raise
                result = None  # with 2c an error-status, the only one that gufo tells
            except (SnmpDecodeError, RuntimeError) as exc:  # the latter around the former
                garbled = f"{len(datagram) or 'some'} octets that are no SNMP message ({exc})"
                continue
            except TimeoutError as exc:  # gufo's name for a refused connection
                raise NoAnswer(refused=str(exc)) from exc
            except BaseException as exc:
                if isinstance(exc, Exception):
                    raise translate(exc, self._settings) from exc
                if type(exc).__name__ != "PanicException":  # Rust's assertions, on octets that nobody foresaw
                    raise
                garbled = f"{len(datagram) or 'some'} octets that are no SNMP message ({exc})"
                continue
            if self._is_v3:
                return _Heard(result)
            try:
                return _second_reading(result, datagram, is_small=is_small)
            except ValueError as exc:
                garbled = f"{len(datagram)} octets that are no SNMP message ({exc})"

    def _peek(self) -> bytes:
        if self._is_v3:
            return b""
        try:
            return self._peep.recv(_DATAGRAM, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError as exc:  # that of the last sending: nobody listens there, or there is no way
            raise NoAnswer(refused=exc.strerror or str(exc)) from exc

    def _drain(self) -> None:
        """Throw away what came too late for earlier attempts, so that the next datagram seen is the one read."""
        for _ in range(_AT_MOST):
            if not self._poll.poll(0):
                return
            # the error of an earlier attempt (nobody listened) goes in the same way
            with contextlib.suppress(OSError):
                self._peep.recv(1, socket.MSG_DONTWAIT)


def _second_reading(result: Any, datagram: bytes, *, is_small: bool) -> _Heard:
    """Look behind gufo's result where it could hide something. Raises ``ValueError`` for a broken datagram."""
    is_end = result is None or (isinstance(result, list) and (not result or result[-1] is None))
    is_doubtful = is_end or _LONG_NEGATIVE.search(datagram) is not None or _status_follows(datagram)
    if not (is_small or is_doubtful):
        return _Heard(result)
    return _Heard(result, read_answer(datagram), is_doubtful=is_doubtful or is_small)


_HEAD = re.compile(rb"\xa2.{1,4}?\x02[\x01-\x05].{1,5}?\x02\x01\x00\x02\x01\x00\x30", re.DOTALL)
"""A response PDU without an error, between its tag and its bindings."""


def _status_follows(datagram: bytes) -> bool:
    return _HEAD.search(datagram, 0, 300) is None


def _user(settings: SnmpSettings) -> user.User:
    auth = priv = None
    if settings.auth_key is not None:
        auth = _AUTH[settings.auth_protocol](settings.auth_key.get_secret_value().encode())
    if settings.priv_key is not None:
        priv = _PRIV[settings.priv_protocol](settings.priv_key.get_secret_value().encode())
    is_cisco = settings.priv_protocol.endswith("c")
    expansion = user.KeyExpansion.Cisco if is_cisco else user.KeyExpansion.Blumenthal
    return user.User(str(settings.user), auth_key=auth, priv_key=priv, key_expansion=expansion)


# -------------------------------------------------------------------------------------------------------------- errors

_Ours: TypeAlias = "type[TransportError | ParseError | NotSupported]"

_ERRORS: tuple[tuple[type[BaseException], _Ours, str | None], ...] = (
    # first match wins: special before general
    (SnmpAuthError, AuthError, "check user, protocols and keys"),
    (SnmpDecodeError, ParseError, None),
    (SnmpEncodeError, ParseError, "the question does not fit into one datagram; the dialect's get_chunk is smaller"),
    (SnmpError, ParseError, None),
    (NotImplementedError, NotSupported, "use backend = 'pysnmp'"),
    (ConnectionError, ConnectError, "nothing listens on that UDP port; is SNMP switched on?"),
    (OSError, ConnectError, "check address, route and filters"),
    (Exception, TransportError, None),
)


def translate(exc: Exception, settings: SnmpSettings) -> PonprobeError:
    """Any exception of gufo-snmp or the sockets as one of ours; ours are returned as they are."""
    if isinstance(exc, PonprobeError):
        return exc
    text = " ".join(str(exc).split())
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    where = f"{settings.host}:{settings.port}"
    message = f"Asking {where} ({settings.who}) by gufo-snmp failed: {type(exc).__name__}: {text}"
    for kind, ours, hint in _ERRORS:
        if isinstance(exc, kind):
            if issubclass(ours, TransportError):
                return ours(message, host=settings.host, access="snmp", hint=hint)
            return ours(message, hint=hint)
    raise AssertionError("the table ends with Exception")  # pragma: no cover
