"""The engine: carries a driver's requests to the device and the replies back.

It knows views, patience and order; no vendor, no socket. Questions may be asked again after a lost session, an answer
that an alarm damaged, or a busy device. A change is sent once; it is sent again only if the device itself answered that
it was busy and did nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from ponprobe.drivers.parsing import clean, may_refuse, refused_error
from ponprobe.errors import (
    ConfigError,
    DeviceError,
    NotSupported,
    ParseError,
    PonprobeError,
    SessionLost,
    TransportError,
)
from ponprobe.flow import (
    Batch,
    Cli,
    CliReply,
    DeviceFlow,
    NetconfEdit,
    NetconfGet,
    NetconfReply,
    Reply,
    RouteName,
    Routes,
    Write,
    cli_route,
)
from ponprobe.models.device import OltFacts
from ponprobe.models.parsed import Refusal
from ponprobe.session.lockout import Lockout
from ponprobe.session.merging import merged, settled
from ponprobe.session.patience import while_busy

if TYPE_CHECKING:
    from ponprobe.dialect import CliDialect
    from ponprobe.drivers.base import OltDriver
    from ponprobe.session.agent import Agent
    from ponprobe.session.netconf import NetconfRoad
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
    lockout: Lockout = field(default_factory=Lockout)


class Engine:
    """A driver in a conversation. Safe for threads: one flow at a time, questions never between two changes.

    ``agent`` and ``netconf`` are other roads of the same OLT, the agent for questions only; ``routes`` is the order in
    which questions take them. Changes go by one road: NETCONF where that is asked for, else the command line.
    ``on_line`` is told each line as it is sent, with its view (``snmp`` or ``netconf`` for requests on these roads).
    """

    def __init__(
        self,
        driver: OltDriver,
        conversation: Conversation,
        *,
        agent: Agent | None = None,
        netconf: NetconfRoad | None = None,
        routes: Sequence[RouteName] = ("cli",),
        busy_wait_s: float = 60.0,
    ) -> None:
        if driver.cli is None and netconf is None:
            raise NotSupported(f"{driver.platform} has no command line")
        self.driver = driver
        self.conversation = conversation
        self.transport = conversation.transport
        self.lock = conversation.lock
        self.agent = agent
        self.netconf = netconf
        there = {"snmp": agent is not None, "netconf": netconf is not None, "cli": driver.cli is not None}
        self.routes = tuple(name for name in routes if there[name])
        if not self.routes:
            # without a road no question would be asked, and nothing would look like "there is none"
            names = " or ".join(name.upper() for name in routes)
            raise ConfigError(
                f"questions to {conversation.transport.host} go by {names} alone, and {names} is not configured for it",
                hint="add [olts.NAME.snmp] or [olts.NAME.netconf], or put cli into routes",
            )
        self.on_line: Callable[[str, str], None] | None = None
        if agent is not None:
            agent.on_request = self._asked_the_agent
        if netconf is not None:
            netconf.on_request = self._asked_by_netconf
        self._busy_wait_s = busy_wait_s
        self._facts: OltFacts | None = None

    @property
    def host(self) -> str:
        """The device's address, as messages show it."""
        return self.transport.host

    @property
    def dialect(self) -> CliDialect:
        """How the command line talks; ``NotSupported`` where there is none."""
        if self.driver.cli is None:
            raise NotSupported(f"{self.driver.platform} has no command line")
        return self.driver.cli

    @property
    def changer(self) -> OltDriver:
        """The driver whose flows change the device, on the road that changes take."""
        return self.driver if self.changes_by is None else self.changes_by.driver

    @property
    def changes_by(self) -> NetconfRoad | None:
        """The NETCONF road, if changes take it; ``None`` where they take the command line."""
        return self.netconf if self.netconf is not None and self.netconf.changes else None

    @property
    def own_road(self) -> RouteName:
        """The name of the road that changes take."""
        return "cli" if self.changes_by is None else "netconf"

    @property
    def device(self) -> str:
        """What the OLT calls itself on the road that changes take; two OLTs may hide behind one address."""
        return (self.transport.hostname or "") if self.changes_by is None else self.changes_by.device

    def _asked_the_agent(self, request: str) -> None:
        if self.on_line is not None:
            self.on_line(request, "snmp")

    def _asked_by_netconf(self, request: str) -> None:
        if self.on_line is not None:
            self.on_line(request, "netconf")

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
        if name == "netconf":
            if self.netconf is None:
                raise NotSupported(f"NETCONF is not configured for {self.host}", hint="add [olts.NAME.netconf]")
            return self.netconf.answer(routes, what)
        with self.lock:
            if "cli" not in routes(self.driver):
                raise NotSupported(f"{self.driver.platform} does not tell {what} on the command line")
            self._adapt()
            return self._drive(cli_route(routes(self.driver)), None)

    def run(self, flow: Callable[[OltDriver], DeviceFlow[T]], changes: Changes | None = None) -> T:
        """Run a flow of the driver on the road that changes take; its changes need a journal."""
        road = self.changes_by
        with self.lock, nullcontext() if road is None else road.lock, self._presentable():
            self._adapt() if road is None else road.facts()
            return self._drive(flow(self.changer), changes)

    def look(self, routes: Callable[[OltDriver], Routes[T]]) -> T:
        """Answer a question on the road that changes take: what was changed there shows there first."""
        return self.run(lambda driver: cast("DeviceFlow[T]", routes(driver)[self.own_road]))

    def _drive(self, flow: DeviceFlow[T], changes: Changes | None) -> T:
        # each kind of flow yields its own requests, and is sent the reply that belongs to them
        talk: Generator[Any, Any, T] = flow
        reply: Any = None
        try:
            request = next(talk)
            while True:
                reply = self._carry(request, changes)
                request = talk.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        except DeviceError as exc:
            # a parser knows what was answered, only we know to which line
            replies: Reply = reply if isinstance(reply, tuple) else ()
            refused = next((each for each in replies if self._refusal(each)[0] is not None), None)
            if refused is not None:
                exc.name_command(str(refused.request))
            raise
        finally:
            talk.close()

    def _carry(self, request: Batch | NetconfGet | Write, changes: Changes | None) -> Reply | NetconfReply:
        if isinstance(request, Batch):
            return self._ask(request)
        if isinstance(request, NetconfGet):
            return self._road().ask(request)
        reply = self._change(request, changes)
        return (reply,) if isinstance(reply, CliReply) else reply

    def _road(self) -> NetconfRoad:
        if self.netconf is None:
            raise NotSupported(f"NETCONF is not configured for {self.host}", hint="add [olts.NAME.netconf]")
        return self.netconf

    def facts(self) -> OltFacts:
        """Model and version, asked once: the driver speaks this firmware's words from then on."""
        with self.lock, self._presentable():
            return self._adapt() if self.changes_by is None else self.changes_by.facts()

    def _adapt(self) -> OltFacts:
        if self._facts is None:
            self._facts = self._drive(cli_route(self.driver.facts()), None)
            self.driver = self.driver.adapted_to(self._facts)
        return self._facts

    # ------------------------------------------------------------------ questions

    def _ask(self, batch: Batch) -> Reply:
        return tuple(self._question(line) for line in batch.lines)

    def _question(self, line: Cli) -> CliReply:
        """Ask; once more after a lost session or a damaged answer, and for a while when the device is busy."""
        reply: CliReply | None = None
        for attempt in while_busy(self._busy_wait_s):
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

    def _refusal(self, reply: CliReply) -> tuple[Refusal | None, bool]:
        """The refusal in an answer, if any, and whether an alarm stood in its middle."""
        if len(reply.text) >= _REFUSALS_ARE_SHORT or not may_refuse(reply.text, self.dialect):
            return None, False
        answer = clean(reply.text, self.dialect, reply.request.line)
        return answer.refusal, any(event.type == "alarm" for event in answer.events)

    # ------------------------------------------------------------------ changes

    def _change(self, change: Write, changes: Changes | None) -> CliReply | NetconfReply:
        if changes is None:
            raise RuntimeError(f"{change.what!r} is a change and needs a journal")
        if isinstance(change.request, Cli):
            self._move_to(change.request)
        else:
            self._road().ready()
        number = changes.sending(change)
        try:
            for attempt in while_busy(self._busy_wait_s):
                with attempt:
                    reply = self._send_change(change, change.request)
        except DeviceError:
            changes.settle(number, "refused")
            raise
        except BaseException:
            # sent, and nobody knows what became of it: a lost answer, unknown text, Ctrl-C
            changes.settle(number, "unknown")
            raise
        changes.settle(number, "done")
        return reply

    def _send_change(self, change: Write, request: Cli | NetconfEdit) -> CliReply | NetconfReply:
        if isinstance(request, NetconfEdit):
            return self._road().change(request)
        reply = self._line(request, confirms=change.confirms, reopen=False)
        if change.check is not None:
            change.check(reply)
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
        self.conversation.lockout.enter(self.transport.open)
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
