"""A NETCONF session whatever library is underneath: a thread for each connection, callers in turn, never half-read."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar
from xml.sax.saxutils import escape

from ponprobe.errors import ConnectError, DeviceError, NotSupported, PonprobeError, SessionLost, TransportTimeout
from ponprobe.flow import NetconfEdit, NetconfGet, NetconfReply
from ponprobe.redact import MASK
from ponprobe.transports.netconf import CLOSE, NetconfSettings, Step
from ponprobe.transports.netconf_dialogue import Answer, NetconfDialogue, xml_of
from ponprobe.transports.record import Transcript

T = TypeVar("T")
_log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often whoever waits looks whether the other thread is still there."""
_GOODBYE_S = 1.5
_JOIN_S = 6
_SHORTEST = 3
"""Shorter secrets are not covered by value (see ``redact``), and their digits would cover much else."""
_BASES = "urn:ietf:params:netconf:base:1."


@dataclass(slots=True)
class RawReply:
    """An answer as it came, and when (UTC)."""

    text: str
    at: datetime


def cover_of(leaves: Iterable[str]) -> Callable[[str], str]:
    """What covers the values of some leaves in XML, whatever their prefix, and in what was cut off in the middle."""
    names = "|".join(map(re.escape, leaves))
    if not names:
        return lambda text: text
    pattern = re.compile(rf"(<(?:[\w.-]+:)?(?:{names})(?:\s[^>]*)?>)[^<]+")
    return lambda text: pattern.sub(rf"\1{MASK}", text)


class Silence(Exception):
    """The device did not answer in time."""

    def __init__(self, waited_s: float) -> None:
        super().__init__(f"no answer for {waited_s:g} s")
        self.waited_s = waited_s


class Translate(Protocol):
    """Makes any exception of a library one of ours."""

    def __call__(
        self, exc: Exception, settings: NetconfSettings, doing: str, *, is_open: bool = False
    ) -> PonprobeError:
        """See ``netconf_ncclient.translate``."""


class Wire(Protocol):
    """One connection by some library. It is used by one thread; only ``hang_up`` may be called by others."""

    @property
    def is_alive(self) -> bool:
        """Whether it is connected, as far as is known."""

    @property
    def host_key(self) -> str | None:
        """The fingerprint of the server's key."""

    def connect(self) -> frozenset[str]:
        """Connect and log in; what the server's hello says."""

    def exchange(self, operation: str, patience_s: float) -> RawReply:
        """Send one request and wait for its answer. Raises ``Silence``, and whatever the library raises."""

    def hang_up(self) -> None:
        """End it at once."""

    def dispose(self) -> None:
        """Wait until nothing of it runs any more, for a few seconds at most."""


class _Job(Generic[T]):
    """Work for another thread, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done = threading.Event()
        self._result: T
        self._error: BaseException | None = None

    def do(self) -> None:
        try:
            self._result = self._work()
        except BaseException as exc:  # noqa: BLE001 - raised again where the work was ordered
            self._error = exc
        finally:
            self._done.set()

    def result(self, worker: threading.Thread) -> T:
        # with a limit a wait can be interrupted on every system
        while not self._done.wait(LOOK_S):
            if not worker.is_alive() and not self._done.is_set():
                raise EOFError("the connection is closed")
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # it refers to this frame by its traceback
        return self._result


class _Link:
    """One connection and the one thread that does everything on it."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire = wire
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"netconf {name}")
        self._thread.start()

    def open(self) -> frozenset[str]:
        """Connect and log in; what the server's hello says."""
        return self._do(self.wire.connect)

    def exchange(self, operation: str, patience_s: float) -> RawReply:
        """Send one request and wait for its answer."""
        return self._do(lambda: self.wire.exchange(operation, patience_s))

    def kill(self) -> None:
        """End it at once, from any thread; what is under way there fails soon, and nobody reads its result."""
        self.wire.hang_up()
        self._jobs.put(None)

    def end(self) -> None:
        """End it and wait until its threads are gone, for a few seconds at most."""
        self.kill()
        self._thread.join(_JOIN_S)

    def _do(self, work: Callable[[], T]) -> T:
        job = _Job(work)
        self._jobs.put(job)
        return job.result(self._thread)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.do()
        self.wire.dispose()


class Session:
    """One NETCONF session; see :class:`~ponprobe.transports.netconf.NetconfTransport`.

    All that is done on a connection is done by one thread that belongs to it; callers take turns. After
    ``TransportError``, an answer that cannot be understood, or an interruption (Ctrl-C) the session is closed, so that
    no answer is ever taken for that of another request: ``open`` it again.
    """

    def __init__(
        self, settings: NetconfSettings, transcript: Transcript, *, wire: Callable[[], Wire], translate: Translate
    ) -> None:
        self.host = settings.host
        self.requests_sent = 0
        self.capabilities: frozenset[str] = frozenset()
        self.host_key: str | None = None
        self.on_request: Callable[[str], None] | None = None
        self.transcript = transcript
        self.transcript.scrubber.add(settings.password.get_secret_value())
        self._settings = settings
        self._cover = cover_of(settings.secret_leaves)
        self._wire = wire
        self._translate = translate
        self._turn = threading.RLock()
        self._link: _Link | None = None
        self._dialogue: NetconfDialogue | None = None
        self._confirmed: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether something may be asked now."""
        link = self._link
        return link is not None and link.wire.is_alive

    def open(self) -> None:
        """Connect, check the host key, log in, exchange hellos.

        Raises ``ConnectError``, ``HostKeyError``, ``AuthError`` (tried once only), ``TransportTimeout``.
        """
        with self._turn:
            if self.is_open:
                raise RuntimeError(f"the NETCONF session to {self.host} is open already")
            self._drop()
            self._link = link = _Link(self._wire(), self.host)
            try:
                self.capabilities = link.open()
                self.host_key = link.wire.host_key
                self._check_hello()
            except BaseException as exc:
                self._drop()
                if isinstance(exc, Exception):
                    raise self._translate(exc, self._settings, "opening a NETCONF session on") from exc
                raise
            self._dialogue = NetconfDialogue(self._ask, self.capabilities, host=self.host, confirmed=self._confirmed)

    def _check_hello(self) -> None:
        if not any(uri.startswith(_BASES) for uri in self.capabilities):
            raise ConnectError(
                f"{self.host}:{self._settings.port} says hello without base:1.0 or base:1.1",
                host=self.host,
                access="netconf",
                hint="is it a NETCONF server?",
            )

    def get(self, request: NetconfGet) -> NetconfReply:
        """Ask one question.

        Raises ``DeviceError`` (the session goes on), ``TransportTimeout``, ``SessionLost``, ``ParseError`` (it does
        not).
        """
        with self._turn:
            data, at = self._in_step(lambda dialogue: dialogue.get(request), str(request))
            return NetconfReply(request, data, at, self.capabilities)

    def edit(self, request: NetconfEdit) -> NetconfReply:
        """Make one change as one transaction.

        Raises ``NotSupported`` (nothing was sent), ``DeviceError`` (nothing was changed), and where nobody knows
        ``TransportTimeout``, ``SessionLost`` or ``ParseError``: read back, never send it again.
        """
        self._hide(*request.secrets)
        with self._turn:
            at = self._in_step(lambda dialogue: dialogue.edit(request), str(request))
            return NetconfReply(request, "", at, self.capabilities)

    def close(self) -> None:
        """Say goodbye, if nothing is under way, and hang up. Never raises; takes a few seconds at most."""
        try:
            if self._turn.acquire(timeout=_GOODBYE_S):
                try:
                    if self._link is not None and self.is_open:
                        self._link.exchange(CLOSE.rpc, _GOODBYE_S)
                finally:
                    self._drop()
                    self._turn.release()
        except Exception as exc:  # noqa: BLE001 - a farewell that fails changes nothing: the connection ends anyway
            _log.debug("closing the NETCONF session to %s failed: %s", self.host, type(exc).__name__)
        finally:
            self._drop()

    def _in_step(self, work: Callable[[NetconfDialogue], T], what: str) -> T:
        if self._dialogue is None or not self.is_open:
            self._drop()
            raise SessionLost(
                f"The NETCONF session to {self.host} is not open, {what!r} was not sent",
                host=self.host,
                access="netconf",
                hint="open it again",
            )
        try:
            return work(self._dialogue)
        except BaseException as exc:
            if not isinstance(exc, (DeviceError, NotSupported)):
                self._drop()
            if isinstance(exc, PonprobeError):
                # a server repeats what it refuses
                exc.redact(lambda text: self._cover(self.transcript.scrubber.scrub(text)))
            raise

    def _ask(self, step: Step, timeout_s: float | None) -> Answer:
        link = self._link
        if link is None or not link.wire.is_alive:
            raise SessionLost(
                f"The NETCONF session to {self.host} has ended, {step.text!r} was not sent",
                host=self.host,
                access="netconf",
                hint="open it again",
            )
        if self.on_request is not None:
            self.on_request(step.text)
        self.requests_sent += 1
        try:
            reply = link.exchange(step.rpc, timeout_s or self._settings.reply_timeout_s)
            return Answer(xml_of(reply.text), reply.at)
        except BaseException as exc:
            link.kill()
            if isinstance(exc, Silence):
                raise TransportTimeout(
                    f"{self.host} did not answer {step.text!r} within {exc.waited_s:.3g} s",
                    host=self.host,
                    access="netconf",
                    hint="the session was closed; look whether it took effect before sending it again",
                ) from None
            if isinstance(exc, Exception):
                raise self._translate(exc, self._settings, f"{step.text!r} on", is_open=True) from exc
            raise

    def _hide(self, *secrets: str) -> None:
        """Cover secrets as they stand in XML: escaped, and a registration-id as hexadecimal digits."""
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                coded = secret.encode().hex()
                self.transcript.scrubber.add(secret, escape(secret), coded, coded.upper())

    def _drop(self) -> None:
        link, self._link, self._dialogue = self._link, None, None
        if link is not None:
            link.end()
