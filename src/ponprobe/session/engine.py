"""The engine: carries a driver's requests to the device and the replies back.

It knows views, patience and order; no vendor, no socket. Questions may be asked again after a lost session, an answer
that an alarm damaged, or a busy device. A change is sent once; it is sent again only if the device itself answered that
it was busy and did nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, cast

import tenacity

from ponprobe.drivers.parsing import clean, may_refuse, refused_error
from ponprobe.errors import (
    AuthError,
    ConfigError,
    DeviceError,
    NotSupported,
    ParseError,
    PonprobeError,
    ResourceBusy,
    SessionLost,
    TransportError,
)
from ponprobe.flow import Batch, Cli, CliReply, Flow, Reply, RouteName, Routes, Write, cli_route
from ponprobe.models.device import OltFacts
from ponprobe.models.parsed import Refusal
from ponprobe.session.merging import merged, settled

if TYPE_CHECKING:
    from ponprobe.drivers.base import OltDriver
    from ponprobe.session.agent import Agent
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
    locked: tuple[AuthError, float] | None = None
    """The last refused login, and until when nobody tries again: devices lock a user out after a few."""


_LOCKED_FOR_S = 60.0


class Engine:
    """A driver in a conversation. Safe for threads: one flow at a time, questions never between two changes.

    ``agent`` is the other road of the same OLT, for questions only; ``routes`` the order in which roads are taken.
    ``on_line`` is told each line as it is sent, with its view (``snmp`` for a request to the agent).
    """

    def __init__(
        self,
        driver: OltDriver,
        conversation: Conversation,
        *,
        agent: Agent | None = None,
        routes: Sequence[RouteName] = ("cli",),
        busy_wait_s: float = 60.0,
    ) -> None:
        if driver.cli is None:
            raise NotSupported(f"{driver.platform} has no command line")
        self.driver = driver
        self.conversation = conversation
        self.transport = conversation.transport
        self.lock = conversation.lock
        self.agent = agent
        self.routes = tuple(name for name in routes if name != "snmp" or agent is not None)
        if not self.routes:
            # without a road no question would be asked, and nothing would look like "there is none"
            raise ConfigError(
                f"questions to {conversation.transport.host} go by SNMP alone, and SNMP is not configured for it",
                hint="add [olts.NAME.snmp], or put cli into routes",
            )
        self.on_line: Callable[[str, str], None] | None = None
        if agent is not None:
            agent.on_request = self._asked_the_agent
        self.dialect = driver.cli
        self._busy_wait_s = busy_wait_s
        self._facts: OltFacts | None = None

    @property
    def host(self) -> str:
        """The device's address, as messages show it."""
        return self.transport.host

    def _asked_the_agent(self, request: str) -> None:
        if self.on_line is not None:
            self.on_line(request, "snmp")

    # ------------------------------------------------------------------ flows

    def answer(self, routes: Callable[[OltDriver], Routes[T]], what: str, *, by: Sequence[RouteName] = ()) -> T:
        """Answer a question by the first route that can; what one route leaves open is asked of the next.

        ``by`` replaces the user's order of preference. A question that no route answers raises what the device itself
        said, if it said anything.
        """
        found: T | None = None
        failures: list[PonprobeError] = []
        with self._presentable():
            for name in by or self.routes:
                try:
                    answer = self._answer_by(name, routes, what)
                except (TransportError, DeviceError, NotSupported, ParseError) as exc:
                    failures.append(exc)
                    level = logging.DEBUG if isinstance(exc, NotSupported) else logging.WARNING
                    log.log(level, "%s: %s did not answer by %s: %s", self.host, what, name, exc)
                    continue
                found = answer if found is None else merged(found, answer)
                if settled(found):
                    return found
            if failures and found is None:
                raise _telling(failures)
        return cast("T", found)

    def _answer_by(self, name: RouteName, routes: Callable[[OltDriver], Routes[T]], what: str) -> T:
        if name == "snmp":
            if self.agent is None:
                raise NotSupported(f"SNMP is not configured for {self.host}", hint="add [olts.NAME.snmp]")
            return self.agent.answer(routes, what)
        with self.lock:
            if "cli" not in routes(self.driver):
                raise NotSupported(f"{self.driver.platform} does not tell {what} on the command line")
            self._adapt()
            return self._drive(cli_route(routes(self.driver)), None)

    def run(self, flow: Callable[[OltDriver], Flow[T]], changes: Changes | None = None) -> T:
        """Run a flow of the driver; its changes need a journal."""
        with self.lock, self._presentable():
            self._adapt()
            return self._drive(flow(self.driver), changes)

    def _drive(self, flow: Flow[T], changes: Changes | None) -> T:
        replies: Reply = ()
        try:
            request = next(flow)
            while True:
                replies = self._ask(request) if isinstance(request, Batch) else (self._change(request, changes),)
                request = flow.send(replies)
        except StopIteration as end:
            result: T = end.value
            return result
        except DeviceError as exc:
            # a parser knows what was answered, only we know to which line
            refused = next((reply for reply in replies if self._refusal(reply)[0] is not None), None)
            if refused is not None:
                exc.name_command(str(refused.request))
            raise
        finally:
            flow.close()

    def facts(self) -> OltFacts:
        """Model and version, asked once: the driver speaks this firmware's words from then on."""
        with self.lock, self._presentable():
            return self._adapt()

    def _adapt(self) -> OltFacts:
        if self._facts is None:
            self._facts = self._drive(cli_route(self.driver.facts()), None)
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
        locked = self.conversation.locked
        if locked is not None and time.monotonic() < locked[1]:
            raise locked[0].again()
        try:
            self.transport.open()
        except AuthError as exc:
            self.conversation.locked = exc, time.monotonic() + _LOCKED_FOR_S
            raise
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


def _telling(failures: Sequence[PonprobeError]) -> PonprobeError:
    """Of what kept several roads from answering, what tells most: the device's own words, else what went wrong."""
    for kinds in ((DeviceError,), (TransportError, ParseError)):
        for failure in failures:
            if isinstance(failure, kinds):
                return failure
    return failures[0]
