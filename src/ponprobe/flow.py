"""Requests, replies and flows: how a driver asks without doing any I/O.

A flow is a generator that yields requests and is sent replies. One engine, the ``Olt`` session, talks. So a driver is
pure: it tests with text, prints as a plan, and can be cut off at any request.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, TypeVar

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

    ``what`` says it to a person. ``creates`` is what will exist afterwards: the journal has it on disk, with ``undo``
    (the lines that take it away again) before the first byte is sent. ``removes`` is what a removal takes away.
    ``check`` looks at the reply and raises ``DeviceError`` or ``ParseError``; it runs in the engine, so that the same
    flow prints as a plan. ``confirms`` lets the session answer one ``(y/n)`` with yes while this write runs.
    """

    what: str
    cli: Cli
    check: Callable[[CliReply], None] = field(repr=False, compare=False)
    creates: Created | None = None
    part_of: Created | None = None
    """For a change that vanishes with an object that an earlier write of the same flow creates."""
    undo: tuple[Cli, ...] = ()
    removes: Created | None = None
    confirms: bool = False

    def __post_init__(self) -> None:
        if not (self.creates or self.part_of or self.removes):
            raise ValueError(f"{self.what!r}: a write names what it creates, belongs to or removes")
        if self.creates is not None and not self.undo:
            raise ValueError(f"{self.what!r}: a write that creates names its undo")


Request: TypeAlias = Batch | Write
Reply: TypeAlias = "tuple[CliReply, ...]"
Flow: TypeAlias = Generator[Request, Reply, T]
Routes: TypeAlias = Mapping[str, Flow[T]]
"""The ways to answer one question, by route name (``cli``, ``snmp``, ``netconf``); fresh generators at each call."""


def ask(*lines: Cli) -> Flow[Reply]:
    """Ask independent questions in one request; use as ``a, b = yield from ask(first, second)``."""
    replies = yield Batch(lines)
    return replies


def write(change: Write) -> Flow[None]:
    """Make one change; use as ``yield from write(change)``. Its answer is checked by the change itself."""
    yield change


def changes_of(flow: Flow[None]) -> tuple[Write, ...]:
    """Return the changes of a flow that does not look at replies, without making them."""
    found: list[Write] = []
    try:
        request = next(flow)
        while True:
            if isinstance(request, Write):
                found.append(request)
            request = flow.send(())
    except StopIteration:
        return tuple(found)
