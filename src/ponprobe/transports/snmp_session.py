"""What makes SNMP questions safe, whatever library sends them: order, completeness, retries, sizes, clear errors.

A library (a ``Wire``) makes one exchange at a time and invents nothing; everything that a table needs to be trusted is
here, once, for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from operator import lt
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Protocol, TypeVar

from ponprobe.dialect import SnmpDialect
from ponprobe.errors import (
    AuthError,
    ConnectError,
    DeviceError,
    NotFound,
    ParseError,
    PonprobeError,
    Rejected,
    ResourceBusy,
    SessionLost,
    TransportTimeout,
)
from ponprobe.flow import Missing, Oid, SnmpGet, SnmpReply, SnmpRequest, SnmpValue, SnmpWalk, dotted
from ponprobe.transports.record import Transcript

if TYPE_CHECKING:
    from ponprobe.transports.snmp import SnmpSettings

T = TypeVar("T")
Row = tuple[Oid, SnmpValue]


# ---------------------------------------------------------------------------------------------------- what a wire does


class NoAnswer(Exception):
    """One attempt brought nothing of use. ``garbled`` says what came instead, ``refused`` that nobody is there."""

    def __init__(self, *, garbled: str = "", refused: str = "") -> None:
        super().__init__(garbled or refused or "no answer")
        self.garbled = garbled
        self.refused = refused


class Refused(Exception):
    """The agent answered with an error-status (RFC 3416), about ``oid`` if it said so."""

    def __init__(self, status: int, oid: Oid | None = None) -> None:
        super().__init__(f"error-status {status}")
        self.status = status
        self.oid = oid


class OutOfOrder(Exception):
    """A row came after one that it cannot follow; whole OIDs."""

    def __init__(self, earlier: Oid, later: Oid) -> None:
        super().__init__("rows out of order")
        self.earlier = earlier
        self.later = later


@dataclass(frozen=True, slots=True)
class Page:
    """One answer inside a walk: its rows by their index behind the column.

    ``end``: proven to be the last. ``has_holes``: some rows may be ``Missing`` values.
    """

    rows: list[Row]
    end: bool
    has_holes: bool = True


def page_of(rows: list[Row], request: SnmpWalk, position: Oid) -> Page:
    """The part of an answer that belongs to the table, by index.

    What shows its end must lie behind it, or it proves nothing: then ``OutOfOrder`` is raised.
    """
    prefix, skip = request.prefix, len(request.column)
    inside: list[Row] = []
    for oid, value in rows:
        if value is Missing.END_OF_VIEW:
            return Page(inside, end=True)
        if oid[: len(prefix)] != prefix:
            if oid <= position:
                raise OutOfOrder(position, oid)
            return Page(inside, end=True)
        inside.append((oid[skip:], value))
        position = oid
    return Page(inside, end=False)


class Cursor(Protocol):
    """A place in a table."""

    def page(self, repetitions: int, timeout_s: float) -> Page:
        """Ask for what follows, by GETBULK, or by GETNEXT where ``repetitions`` is 0; move only if there was an answer.

        Raises ``NoAnswer``, ``Refused``, ``OutOfOrder`` and ours.
        """


class Wire(Protocol):
    """A library that makes single exchanges: one request, one answer, no retries. Safe for threads."""

    @property
    def name(self) -> str:
        """The library."""

    def get(self, oids: tuple[Oid, ...], timeout_s: float) -> list[Row]:
        """One GET; a row for each OID in its order. Raises ``NoAnswer``, ``Refused`` and ours."""

    def cursor(self, request: SnmpWalk, position: Oid | None = None) -> Cursor:
        """A place before (or, with ``position``, a whole OID, inside) the rows that are asked for."""

    def close(self) -> None:
        """Free everything; never raises."""


# ------------------------------------------------------------------------------------------------------------- session


_TOO_BIG = 1
_STATUS: tuple[tuple[str, type[DeviceError | AuthError]], ...] = (
    ("noError", Rejected),
    ("tooBig", Rejected),
    ("noSuchName", NotFound),
    ("badValue", Rejected),
    ("readOnly", Rejected),
    ("genErr", Rejected),
    ("noAccess", AuthError),
    ("wrongType", Rejected),
    ("wrongLength", Rejected),
    ("wrongEncoding", Rejected),
    ("wrongValue", Rejected),
    ("noCreation", Rejected),
    ("inconsistentValue", Rejected),
    ("resourceUnavailable", ResourceBusy),
    ("commitFailed", Rejected),
    ("undoFailed", Rejected),
    ("authorizationError", AuthError),
    ("notWritable", Rejected),
    ("inconsistentName", Rejected),
)
"""RFC 3416, 3: every error-status an agent can answer with, and what it is for us."""


class SnmpSession:
    """Questions to one agent over one library; see :class:`~ponprobe.transports.snmp.SnmpTransport`.

    Make it with :func:`~ponprobe.transports.snmp.open_snmp`. Use it as a context manager or close it.
    """

    def __init__(self, settings: SnmpSettings, dialect: SnmpDialect, wire: Wire, transcript: Transcript) -> None:
        self.host = settings.host
        self.transcript = transcript
        self._settings = settings
        self._dialect = dialect
        self._wire = wire
        self._slots = Semaphore(dialect.max_concurrent)
        self._repetitions = dialect.max_repetitions
        self._lock = Lock()
        self._closed = False
        transcript.scrubber.add(*settings.secrets)

    def __enter__(self) -> SnmpSession:  # noqa: PYI034 - Self is not in Python 3.10's typing
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def backend(self) -> str:
        """The library underneath: ``pysnmp`` or ``gufo``."""
        return self._wire.name

    def get(self, request: SnmpGet) -> SnmpReply:
        """Ask for single values, in as many requests as the dialect's ``get_chunk`` needs.

        Raises ``TransportTimeout``, ``ConnectError``, ``AuthError``, ``SessionLost`` (closed), ``DeviceError`` (the
        agent refuses), ``ParseError`` (its answer cannot be read or belongs to another question).
        """
        oids = tuple(dict.fromkeys(request.oids))
        size = self._dialect.get_chunk
        values: dict[Oid, SnmpValue] = {}
        for start in range(0, len(oids), size):
            values.update(self._get(oids[start : start + size], request))
        return SnmpReply(request, values, datetime.now(timezone.utc))

    def walk(self, request: SnmpWalk) -> SnmpReply:
        """Ask for all rows under the request's prefix. Raises what :meth:`get` raises; never returns a part of them."""
        column = request.column
        values = {column + index: value for index, value in self.iter_walk(request)}
        return SnmpReply(request, values, datetime.now(timezone.utc))

    def iter_walk(self, request: SnmpWalk) -> Iterator[Row]:
        """Yield the rows as they come, by their index (the part of the OID behind the column).

        Only one answer is held at a time. The table is complete only if the iterator ends by itself. Raises what
        :meth:`get` raises.
        """
        timeout_s = request.timeout_s or self._dialect.timeout_s
        cursor = self._wire.cursor(request)
        last = request.index
        while True:
            page = self._next_page(cursor, request, last, timeout_s)
            last = self._checked(page, request, last)
            # a row without a value tells nothing; its place counts for the order all the same
            yield from [row for row in page.rows if type(row[1]) is not Missing] if page.has_holes else page.rows
            if page.end:
                return

    def close(self) -> None:
        """Free sockets and threads. Never raises; may be called twice."""
        self._closed = True
        self._wire.close()

    # ------------------------------------------------------------------ exchanges

    def _get(self, oids: tuple[Oid, ...], request: SnmpGet) -> list[Row]:
        timeout_s = request.timeout_s or self._dialect.timeout_s
        try:
            return self._exchange(
                f"get {' '.join(map(dotted, oids))}",
                timeout_s,
                lambda: self._wire.get(oids, timeout_s),
                lambda rows: f"{len(rows)} values",
            )
        except Refused as exc:
            if exc.status == _TOO_BIG and len(oids) > 1:
                middle = len(oids) // 2
                return self._get(oids[:middle], request) + self._get(oids[middle:], request)
            raise self._refusal(exc, request) from exc

    def _checked(self, page: Page, request: SnmpWalk, last: Oid) -> Oid:
        """The index of the last row, if all follow each other and ``last``."""
        if not page.rows:
            if page.end:
                return last
            after = dotted(request.column + last)
            raise self._unknown(request, f"after {after} it answered without an error and without a row")
        indexes = [row[0] for row in page.rows]
        before = [last, *indexes[:-1]]
        if not all(map(lt, before, indexes)):
            earlier, later = next(pair for pair in zip(before, indexes, strict=True) if pair[0] >= pair[1])
            raise self._disorder(request, request.column + earlier, request.column + later)
        return indexes[-1]

    def _next_page(self, cursor: Cursor, request: SnmpWalk, last: Oid, timeout_s: float) -> Page:
        while True:
            repetitions = self._repetitions if self._dialect.use_bulk else 0
            what = f"getbulk x{repetitions}" if repetitions else "getnext"
            try:
                return self._exchange(
                    f"{what} {dotted(request.column + last)}",
                    timeout_s,
                    lambda count=repetitions: cursor.page(count, timeout_s),  # type: ignore[misc]
                    lambda page: f"{len(page.rows)} rows{', the end' if page.end else ''}",
                )
            except Refused as exc:
                if exc.status == _TOO_BIG and repetitions > 1:
                    # learnt for the whole session: the next table has rows of much the same size
                    self._repetitions = min(self._repetitions, repetitions // 2)
                    continue
                raise self._refusal(exc, request) from exc
            except OutOfOrder as exc:
                raise self._disorder(request, exc.earlier, exc.later) from exc

    def _exchange(self, what: str, timeout_s: float, ask: Callable[[], T], told: Callable[[T], str]) -> T:
        attempts = 1 + self._dialect.retries
        failed = NoAnswer()
        for attempt in range(attempts):
            if self._closed:
                raise SessionLost(
                    f"The SNMP session to {self.host} is closed, nothing was asked", host=self.host, access="snmp"
                )
            start = time.monotonic()
            try:
                with self._slots:
                    result = ask()
            except NoAnswer as exc:
                failed = exc
                self._note(what, f"{exc} (attempt {attempt + 1} of {attempts})", start)
            except (Refused, OutOfOrder, PonprobeError) as exc:
                self._note(what, str(exc), start)
                raise
            else:
                self._note(what, told(result), start)
                return result
        raise self._silence(what, failed, timeout_s, attempts) from failed

    def _note(self, what: str, came: str, start: float) -> None:
        taken_ms = (time.monotonic() - start) * 1000
        with self._lock:
            self.transcript.add("sent", f"{what} -> {came} ({taken_ms:.1f} ms)")

    # ------------------------------------------------------------------ errors

    def _silence(self, what: str, failed: NoAnswer, timeout_s: float, attempts: int) -> PonprobeError:
        what = what if len(what) <= 120 else what[:117] + "..."
        where = f"{self.host}:{self._settings.port}"
        if failed.garbled:
            return ParseError(
                f"{where} answered {what!r}, but its answer cannot be read: {failed.garbled}",
                hint=f"{attempts} attempts brought nothing better; is this an SNMP agent, is the path clean?",
            )
        if failed.refused:
            return ConnectError(
                f"Asking {where} ({self._settings.who}) failed: {failed.refused}",
                host=self.host,
                access="snmp",
                hint="nothing listens on that UDP port; is SNMP switched on, are address and port right?",
            )
        hint = (
            "an agent does not answer a wrong community at all, so this is how one looks; else check address, filters, "
            "access lists, and give slow columns more time"
            if self._settings.version == "2c"
            else "check address, filters and access lists; a wrong privacy key can look like this, too"
        )
        return TransportTimeout(
            f"{where} did not answer {what!r} ({self._settings.who}) within {timeout_s:g} s, asked {attempts} times",
            host=self.host,
            access="snmp",
            hint=hint,
        )

    def _refusal(self, refused: Refused, request: SnmpRequest) -> PonprobeError:
        known = 0 < refused.status < len(_STATUS)
        name, kind = _STATUS[refused.status] if known else (f"error-status {refused.status}", Rejected)
        about = f" about {dotted(refused.oid)}" if refused.oid else ""
        message = f"{request} was refused: {name}{about}"
        if issubclass(kind, AuthError):
            return AuthError(
                f"{self.host}: {message}",
                host=self.host,
                access="snmp",
                hint=f"the view of this {'community' if self._settings.version == '2c' else 'user'} leaves it out",
            )
        hint = None
        if isinstance(request, SnmpWalk) and self._dialect.use_bulk and kind is Rejected and name != "tooBig":
            hint = "some agents cannot do GETBULK on some tables; the dialect's use_bulk = False asks row by row"
        return kind(message, host=self.host, command=str(request), output=name, hint=hint)

    def _disorder(self, request: SnmpRequest, earlier: Oid, later: Oid) -> ParseError:
        return self._unknown(
            request,
            f"its rows are out of order: {dotted(later)} came after {dotted(earlier)}",
            hint="the agent is faulty; ask for a smaller part, or use another way (cli)",
        )

    def _unknown(self, request: SnmpRequest, what: str, *, hint: str | None = None) -> ParseError:
        return ParseError(f"{self.host}, {request}: {what}", hint=hint or "the table is not complete; nothing was kept")
