"""Requests, replies and flows: how a driver asks without doing any I/O.

A flow is a generator that yields requests and is sent replies. One engine, the ``Olt`` session, talks. So a driver is
pure: it tests with text, prints as a plan, and can be cut off at any request.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar, cast

from ponprobe.models.acceptance import Created

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cli:
    """One command line and the view it must run in.

    ``view`` is a view name of the dialect (``config``, ``config-if-gpon-0/1``); ``None`` is whatever view is current.
    ``timeout_s`` replaces the transport's patience for slow answers. ``secrets`` are values in the line that no
    transcript, log or exception may show.
    """

    line: str
    view: str | None = None
    timeout_s: float | None = None
    secrets: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the line with its secrets covered; what plans, journals and messages show."""
        text = self.line
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    def __repr__(self) -> str:
        return f"Cli({str(self)!r}, view={self.view!r})"


@dataclass(frozen=True, slots=True)
class CliReply:
    """What the device answered: raw text with echo and prompt, the time of the answer (UTC), the view afterwards."""

    request: Cli
    text: str
    at: datetime
    view: str | None = None

    @property
    def source(self) -> str:
        """Route and command, as readings keep it."""
        return f"cli: {self.request}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Read-only lines that do not depend on each other's answers."""

    lines: tuple[Cli, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One change that can be undone alone.

    ``what`` says it to a person. ``request`` is what is sent: a command line, or a NETCONF transaction. ``creates`` is
    what will exist afterwards: the journal has it on disk, with ``undo`` (what takes it away again) before the first
    byte is sent. ``removes`` is what a removal takes away. ``check`` looks at the reply and raises ``DeviceError`` or
    ``ParseError``; it runs in the engine, so that the same flow prints as a plan (NETCONF refuses by itself and needs
    none). ``confirms`` lets the session answer one ``(y/n)`` with yes while this write runs.
    """

    what: str
    request: Cli | NetconfEdit
    check: Callable[[CliReply], None] | None = field(default=None, repr=False, compare=False)
    creates: Created | None = None
    part_of: Created | None = None
    """For a change that vanishes with an object that an earlier write of the same flow creates."""
    undo: tuple[Cli | NetconfEdit, ...] = ()
    removes: Created | None = None
    confirms: bool = False

    def __post_init__(self) -> None:
        if not (self.creates or self.part_of or self.removes):
            raise ValueError(f"{self.what!r}: a write names what it creates, belongs to or removes")
        if self.creates is not None and not self.undo:
            raise ValueError(f"{self.what!r}: a write that creates names its undo")
        if isinstance(self.request, Cli) and self.check is None:
            raise ValueError(f"{self.what!r}: a command line is checked by its answer")


Request: TypeAlias = Batch | Write
Reply: TypeAlias = "tuple[CliReply, ...]"
Flow: TypeAlias = Generator[Request, Reply, T]


def ask(*lines: Cli) -> Flow[Reply]:
    """Ask independent questions in one request; use as ``a, b = yield from ask(first, second)``."""
    replies = yield Batch(lines)
    return replies


def write(change: Write) -> Generator[Write, Any, None]:
    """Make one change; use as ``yield from write(change)``. Its answer is checked by the change itself."""
    yield change


def observed(flow: DeviceFlow[T], note: Callable[[Any, Any], None]) -> DeviceFlow[T]:
    """Pass a flow through and tell ``note`` each request with its reply (a tuple of them on the command line)."""
    return _observed(flow, note)


def _observed(flow: Generator[Any, Any, T], note: Callable[[Any, Any], None]) -> Generator[Any, Any, T]:
    reply: Any = None
    while True:
        try:
            request = next(flow) if reply is None else flow.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        reply = yield request
        note(request, reply)


def changes_of(flow: DeviceFlow[None]) -> tuple[Write, ...]:
    """Return the changes of a flow that does not look at replies, without making them."""
    blind: Generator[Any, Any, None] = flow
    found: list[Write] = []
    try:
        request = next(blind)
        while True:
            if isinstance(request, Write):
                found.append(request)
            request = blind.send(())
    except StopIteration:
        return tuple(found)


# ---------------------------------------------------------------------------------------------------------------- SNMP

Oid: TypeAlias = tuple[int, ...]


class Missing(Enum):
    """Why the device has no value under an OID. It is a value of its own, so that it can never be taken for 0 or ""."""

    NO_SUCH_OBJECT = "noSuchObject"
    """The device (or this firmware) does not know the column."""
    NO_SUCH_INSTANCE = "noSuchInstance"
    """The column exists, the row does not."""
    END_OF_VIEW = "endOfMibView"
    NULL = "null"
    """The device answered, without an error, that there is nothing."""


SnmpValue: TypeAlias = int | bytes | str | Oid | Missing
"""INTEGER, counters, gauges and TimeTicks are ``int``, OCTET STRING and Opaque are ``bytes`` (never decoded here), an
object identifier is a tuple, an IpAddress is its dotted ``str``."""


def dotted(oid: Oid) -> str:
    """``1.3.6.1``: how people and tools write an OID."""
    return ".".join(map(str, oid))


@dataclass(frozen=True, slots=True)
class SnmpGet:
    """Single values. The transport cuts many OIDs into requests of the size that the dialect allows.

    ``timeout_s`` replaces the dialect's patience for one answer (columns that the device fetches over OMCI are slow).
    """

    oids: tuple[Oid, ...]
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        if not self.oids:
            raise ValueError("a GET names at least one OID")
        for oid in self.oids:
            _check_oid(oid)

    def __str__(self) -> str:
        more = f" (+{len(self.oids) - 1})" if len(self.oids) > 1 else ""
        return f"get {dotted(self.oids[0])}{more}"


@dataclass(frozen=True, slots=True)
class SnmpWalk:
    """Every row of a column under ``index`` (a port's rows: the port's index), and nothing beside it.

    ``timeout_s`` as in :class:`SnmpGet`, for each answer, not for the whole walk.
    """

    column: Oid
    index: Oid = ()
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        _check_oid(self.column)
        _check_oid(self.prefix)

    @property
    def prefix(self) -> Oid:
        """What every row's OID starts with."""
        return self.column + self.index

    def __str__(self) -> str:
        return f"walk {dotted(self.prefix)}"


def _check_oid(oid: Oid) -> None:
    # the first two arcs share one octet; sub-identifiers are 32 bits without sign (ifIndex of PON ports needs all)
    if len(oid) < 2 or oid[0] > 2 or (oid[0] < 2 and oid[1] > 39) or not all(0 <= arc <= 0xFFFFFFFF for arc in oid):
        raise ValueError(f"{dotted(oid)!r} is not an object identifier")


SnmpRequest: TypeAlias = SnmpGet | SnmpWalk


@dataclass(frozen=True, slots=True)
class SnmpReply:
    """What the device answered: its values in its order, and the time of the last answer (UTC).

    The reply to a GET has every OID that was asked for (``Missing`` where the device has none); that to a walk has the
    rows that exist, and is complete: a walk that was cut short is an exception, never a shorter reply.
    """

    request: SnmpRequest
    values: Mapping[Oid, SnmpValue]
    at: datetime

    @property
    def source(self) -> str:
        """Route and request, as readings keep it."""
        return f"snmp: {self.request}"

    def rows(self) -> Iterator[tuple[Oid, SnmpValue]]:
        """The rows of a walk by their index: the part of the OID behind the column."""
        if not isinstance(self.request, SnmpWalk):
            raise TypeError("a GET has no rows")
        skip = len(self.request.column)
        return ((oid[skip:], value) for oid, value in self.values.items())


SnmpFlow: TypeAlias = Generator[SnmpRequest, SnmpReply, T]
"""A flow over SNMP: yields one request at a time. Reading only: there is no request that sets a value."""


def ask_snmp(request: SnmpRequest) -> SnmpFlow[SnmpReply]:
    """Ask one question; use as ``reply = yield from ask_snmp(request)``."""
    reply = yield request
    return reply


# ------------------------------------------------------------------------------------------------------------- NETCONF


@dataclass(frozen=True, slots=True)
class NetconfGet:
    """One question: a subtree filter, and ``what`` it asks for in a few words.

    ``filter`` is XML: the elements that stand in ``<filter type="subtree">``, each with its namespace. ``running`` asks
    for configuration (``<get-config>``), ``operational`` for state (``<get-data>``, else ``<get>``). ``timeout_s``
    replaces the transport's patience with a slow answer.
    """

    what: str
    filter: str
    datastore: Literal["running", "operational"] = "operational"
    timeout_s: float | None = None

    def __str__(self) -> str:
        return f"{'get-config' if self.datastore == 'running' else 'get-data'}: {self.what}"


@dataclass(frozen=True, slots=True)
class NetconfEdit:
    """One change as one transaction: all of it happens, or nothing.

    ``config`` is XML: the elements that stand in ``<config>``, with ``operation`` attributes. ``persist`` names the
    confirmed commit that carries it, so that another session can confirm it; ``None`` commits once and for all, as a
    removal must: a confirmed commit of it that lost its second half would bring back what was proven gone.
    ``revoke_after_s``: the commit is left unconfirmed, and the device takes everything back by itself after that many
    seconds; ``None`` confirms at once. ``ends`` is the ``persist`` of an earlier edit whose commit may still wait: this
    edit's commit ends the wait.
    """

    what: str
    config: str
    persist: str | None
    revoke_after_s: int | None = None
    ends: str | None = None
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.revoke_after_s is not None and self.persist is None:
            raise ValueError(f"{self.what!r}: a commit that waits has a name")

    def __str__(self) -> str:
        return f"edit-config: {self.what}"


@dataclass(frozen=True, slots=True)
class NetconfReply:
    """What the device answered: the XML of its ``<data>`` element ("" for a change), and the time (UTC).

    ``capabilities`` are those of its hello.
    """

    request: NetconfGet | NetconfEdit
    data: str
    at: datetime
    capabilities: frozenset[str] = frozenset()

    @property
    def source(self) -> str:
        """Route and request, as readings keep it."""
        return f"netconf: {self.request}"


NetconfFlow: TypeAlias = Generator[NetconfGet | Write, NetconfReply, T]
"""A flow over NETCONF: yields one request at a time, which is a question or a change."""


def ask_netconf(request: NetconfGet) -> NetconfFlow[NetconfReply]:
    """Ask one question; use as ``reply = yield from ask_netconf(request)``."""
    reply = yield request
    return reply


DeviceFlow: TypeAlias = "Flow[T] | NetconfFlow[T]"
"""A flow that may change something: over the command line, or over NETCONF."""

# -------------------------------------------------------------------------------------------------------------- routes

RouteName: TypeAlias = Literal["snmp", "netconf", "cli"]
Routes: TypeAlias = "Mapping[RouteName, Flow[T] | SnmpFlow[T] | NetconfFlow[T]]"
"""The ways to answer one question, by name; fresh generators at each call. Under ``cli`` stands a ``Flow``, under
``snmp`` an ``SnmpFlow``, under ``netconf`` a ``NetconfFlow``."""


def cli_route(routes: Routes[T]) -> Flow[T]:
    """The way over the command line. Raises ``KeyError`` if there is none."""
    return cast("Flow[T]", routes["cli"])


def snmp_route(routes: Routes[T]) -> SnmpFlow[T]:
    """The way over SNMP. Raises ``KeyError`` if there is none."""
    return cast("SnmpFlow[T]", routes["snmp"])


def netconf_route(routes: Routes[T]) -> NetconfFlow[T]:
    """The way over NETCONF. Raises ``KeyError`` if there is none."""
    return cast("NetconfFlow[T]", routes["netconf"])
