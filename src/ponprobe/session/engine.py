"""The engine: carries a driver's requests to the device and the replies back.

It knows views, patience and order; no vendor, no socket. Questions may be asked again after a lost session, an answer
that an alarm damaged, or a busy device. A change is sent once; it is sent again only if the device itself answered that
it was busy and did nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, cast

import tenacity

from ponprobe.drivers.parsing import clean, may_refuse, refused_error
from ponprobe.errors import (
    DeviceError,
    NotSupported,
    ParseError,
    PonprobeError,
    ResourceBusy,
    SessionLost,
    TransportError,
)
from ponprobe.flow import Batch, Cli, CliReply, Flow, Reply, Routes, Write
from ponprobe.models.device import OltFacts
from ponprobe.models.optical import OpticalReading
from ponprobe.models.parsed import Refusal

if TYPE_CHECKING:
    from ponprobe.drivers.base import OltDriver
    from ponprobe.transports import CliTransport

T = TypeVar("T")
log = logging.getLogger(__name__)

_REFUSALS_ARE_SHORT = 4000
"""A refusal is a few lines, with an alarm block at most a few dozen; longer answers are not searched for one."""


class Changes(Protocol):
    """Where the engine says what became of each change; the journal of one run."""

    def sending(self, change: Write) -> int:
        """Return the number under which the change is on disk; it must be there before its first byte is sent."""

    def settle(self, number: int, state: Literal["done", "refused", "unknown"]) -> None:
        """``done``, ``refused`` or ``unknown`` (sent, but no answer that could be read)."""


@dataclass(slots=True)
class Conversation:
    """One session on one OLT, which several engines may share: the road, who has the word, and where we stand.

    ``view`` is the view that we entered; the prompt may show less (``(config-if)#`` in every interface).
    """

    transport: CliTransport
    lock: RLock = field(default_factory=RLock)
    view: str = ""


class Engine:
    """A driver in a conversation. Safe for threads: one flow at a time, questions never between two changes.

    ``on_line`` is told each line as it is sent, with its view.
    """

    def __init__(self, driver: OltDriver, conversation: Conversation, *, busy_wait_s: float = 60.0) -> None:
        if driver.cli is None:
            raise NotSupported(f"{driver.platform} has no command line")
        self.driver = driver
        self.conversation = conversation
        self.transport = conversation.transport
        self.lock = conversation.lock
        self.on_line: Callable[[str, str], None] | None = None
        self.dialect = driver.cli
        self._busy_wait_s = busy_wait_s
        self._facts: OltFacts | None = None

    @property
    def host(self) -> str:
        """The device's address, as messages show it."""
        return self.transport.host

    # ------------------------------------------------------------------ flows

    def answer(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> T:
        """Answer a question by the first route that works; partial optical readings of several routes are merged."""
        with self.lock, self._presentable():
            self._adapt()
            partial: T | None = None
            failed: TransportError | NotSupported | None = None
            for name in routes(self.driver):
                if name != "cli":
                    continue
                try:
                    found = self._drive(routes(self.driver)[name], None)
                except (TransportError, NotSupported) as exc:
                    failed = failed or exc
                    continue
                partial = found if partial is None else _merged(partial, found)
                if not isinstance(partial, OpticalReading) or partial.complete:
                    return partial
            if partial is not None:
                return partial
            raise failed or NotSupported(f"{self.driver.platform} has no way to tell {what}")

    def run(self, flow: Callable[[OltDriver], Flow[T]], changes: Changes | None = None) -> T:
        """Run a flow of the driver; its changes need a journal."""
        with self.lock, self._presentable():
            self._adapt()
            return self._drive(flow(self.driver), changes)

    def _drive(self, flow: Flow[T], changes: Changes | None) -> T:
        try:
            request = next(flow)
            while True:
                if isinstance(request, Batch):
                    request = flow.send(self._ask(request))
                else:
                    request = flow.send((self._change(request, changes),))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def facts(self) -> OltFacts:
        """Model and version, asked once: the driver speaks this firmware's words from then on."""
        with self.lock, self._presentable():
            return self._adapt()

    def _adapt(self) -> OltFacts:
        if self._facts is None:
            self._facts = self._drive(self.driver.facts()["cli"], None)
            self.driver = self.driver.adapted_to(self._facts)
            self.dialect = self.driver.cli or self.dialect
        return self._facts

    # ------------------------------------------------------------------ questions

    def _ask(self, batch: Batch) -> Reply:
        return tuple(self._question(line) for line in batch.lines)

    def _question(self, line: Cli) -> CliReply:
        """Ask; once more after a lost session or a damaged answer, and for a while when the device is busy."""
        reply: CliReply | None = None
        for attempt in self._patience():
            with attempt:
                try:
                    reply = self._line(line)
                except SessionLost:
                    log.info("%s: session lost, asking %s again", self.host, line)
                    reply = self._line(line)
                refusal, alarmed = self._refusal(reply)
                if alarmed and refusal is not None and refusal.refused_class == "unknown_command":
                    log.info("%s: an alarm damaged the answer to %s, asking again", self.host, line)
                    reply = self._line(line)
                    refusal, _ = self._refusal(reply)
                if refusal is not None and refusal.refused_class == "busy":
                    raise refused_error(refusal, reply.request, reply.text)
        assert reply is not None  # tenacity leaves the loop with an answer or an exception  # noqa: S101
        return reply

    def _patience(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ResourceBusy),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            stop=tenacity.stop_after_delay(self._busy_wait_s),
            reraise=True,
        )

    def _refusal(self, reply: CliReply) -> tuple[Refusal | None, bool]:
        """The refusal in an answer, if any, and whether an alarm stood in its middle."""
        if len(reply.text) >= _REFUSALS_ARE_SHORT or not may_refuse(reply.text, self.dialect):
            return None, False
        answer = clean(reply.text, self.dialect, reply.request.line)
        return answer.refusal, any(event.type == "alarm" for event in answer.events)

    # ------------------------------------------------------------------ changes

    def _change(self, change: Write, changes: Changes | None) -> CliReply:
        if changes is None:
            raise RuntimeError(f"{change.what!r} is a change and needs a journal")
        self._move_to(change.cli)
        number = changes.sending(change)
        try:
            for attempt in self._patience():
                with attempt:
                    reply = self._line(change.cli, confirms=change.confirms, reopen=False)
                    change.check(reply)
        except DeviceError:
            changes.settle(number, "refused")
            raise
        except BaseException:
            # sent, and nobody knows what became of it: a lost answer, unknown text, Ctrl-C
            changes.settle(number, "unknown")
            raise
        changes.settle(number, "done")
        return reply

    # ------------------------------------------------------------------ lines

    def _line(self, line: Cli, *, confirms: bool = False, reopen: bool = True) -> CliReply:
        if reopen:
            self._open()
        self._move_to(line)
        return self._send(line, confirms=confirms)

    def _send(self, line: Cli, *, confirms: bool = False) -> CliReply:
        if self.on_line is not None:
            self.on_line(str(line), self.conversation.view)
        reply = self.transport.ask(line, confirms=confirms)
        if reply.view is not None and reply.view != self.dialect.shown(self.conversation.view):
            self.conversation.view = reply.view
        return reply

    def _move_to(self, line: Cli) -> None:
        """Change to the view that a line must run in, checking each step by the prompt it leads to."""
        if not self.transport.is_open:
            self._open()
        if line.view is None or self.conversation.view == line.view:
            return
        try:
            moves = self.dialect.moves(self.conversation.view, line.view)
        except ValueError as exc:
            raise ParseError(f"{self.host}: {exc}", hint="log in again; nothing was sent") from exc
        for step, reached in moves:
            reply = self._send(Cli(step))
            if reply.view == self.dialect.shown(reached):
                self.conversation.view = reached
            else:
                refusal = clean(reply.text, self.dialect, step).refusal
                if refusal is not None:
                    raise refused_error(refusal, reply.request, reply.text)
                raise ParseError(
                    f"{self.host}: after {step!r} the prompt shows view {reply.view!r} instead of {reached!r}",
                    text=reply.text,
                    hint="nothing more was sent; look at the transcript",
                )

    def _open(self) -> None:
        if self.transport.is_open:
            return
        self.transport.open()
        self.conversation.view = self.transport.view or ""
        for setup in self.dialect.setup:
            reply = self._line(Cli(setup.line, view=setup.view), reopen=False)
            refusal = clean(reply.text, self.dialect, setup.line).refusal
            if refusal is None:
                continue
            log.debug("%s: %s was refused: %s", self.host, setup.line, refusal.text)
            if not setup.optional:
                raise refused_error(refusal, reply.request, reply.text)

    def close(self) -> None:
        """Log out and close; never raises."""
        with self.lock:
            self.transport.close()

    @contextmanager
    def _presentable(self) -> Iterator[None]:
        """Errors that reach a person name the device, which drivers do not know, and show no secret."""
        try:
            yield
        except PonprobeError as exc:
            if isinstance(exc, DeviceError):
                exc.host = exc.host or self.host
            exc.redact(self.transport.transcript.scrubber.scrub)
            raise


def _merged(one: T, other: T) -> T:
    if isinstance(one, OpticalReading) and isinstance(other, OpticalReading):
        return cast("T", one.merged_with(other))
    return one
