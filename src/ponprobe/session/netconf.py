"""The NETCONF road of one OLT: questions, and where it is asked for, changes as transactions.

The driver here is the one that all vendors share, unless a vendor brings its own: whatever an OLT is on the command
line, over NETCONF it speaks the Broadband Forum's models or nothing that we know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from ponprobe.errors import NotSupported, PonprobeError, SessionLost
from ponprobe.flow import NetconfEdit, NetconfFlow, NetconfGet, NetconfReply, Routes, Write, netconf_route
from ponprobe.models.netconf import NetconfSupport
from ponprobe.session.lockout import Lockout
from ponprobe.session.patience import while_busy

if TYPE_CHECKING:
    from ponprobe.drivers.base import OltDriver
    from ponprobe.models.device import OltFacts
    from ponprobe.transports.netconf import NetconfTransport

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class NetconfConversation:
    """One session with one OLT as one user, which several ``Olt``s may share: the road, and who has the word."""

    transport: NetconfTransport
    lock: RLock = field(default_factory=RLock)
    lockout: Lockout = field(default_factory=Lockout)


class NetconfRoad:
    """A driver in a NETCONF session. Safe for threads: one flow at a time, questions never between two changes.

    ``changes`` says that test ONUs are registered on this road, not only looked at. ``on_request`` is told each request
    as it is sent.
    """

    def __init__(
        self, driver: OltDriver, conversation: NetconfConversation, *, changes: bool, busy_wait_s: float
    ) -> None:
        self.driver = driver
        self.changes = changes
        self.conversation = conversation
        self.lock = conversation.lock
        self.on_request: Callable[[str], None] | None = None
        self._busy_wait_s = busy_wait_s
        self._facts: OltFacts | None = None

    @property
    def transport(self) -> NetconfTransport:
        """The session underneath."""
        return self.conversation.transport

    @property
    def device(self) -> str:
        """What tells this OLT from another at the same address: its own name, else its SSH host key."""
        name = None if self._facts is None else self._facts.hostname
        return name or self.transport.host_key or ""

    def facts(self) -> OltFacts:
        """What the OLT is and speaks, asked once: the driver knows from then on what it can rely on."""
        with self.lock:
            if self._facts is None:
                self._facts = self._drive(netconf_route(self.driver.facts()))
                self.driver = self.driver.adapted_to(self._facts)
            return self._facts

    def support(self) -> NetconfSupport:
        """What the OLT speaks of NETCONF; never raises: that it could not be asked is missing, too."""
        try:
            found = self.facts().netconf
        except PonprobeError as exc:
            return NetconfSupport(profile="", missing=(str(exc),))
        return found or NetconfSupport(profile="", missing=("the driver does not tell",))

    def answer(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> T:
        """Answer one question. Raises ``NotSupported`` if there is no way over NETCONF for it."""
        with self.lock:
            self.facts()
            found = routes(self.driver)
            if "netconf" not in found:
                raise NotSupported(f"the Broadband Forum models do not tell {what}")
            return self._drive(netconf_route(found))

    def _drive(self, flow: NetconfFlow[T]) -> T:
        try:
            request = next(flow)
            while True:
                if isinstance(request, Write):
                    raise TypeError(f"{request.what!r} is a change, not a question")
                request = flow.send(self.ask(request))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    # ------------------------------------------------------------------ requests

    def ask(self, request: NetconfGet) -> NetconfReply:
        """Ask; once more after a lost session, and for a while when the device is busy."""
        with self.lock:
            for attempt in while_busy(self._busy_wait_s):
                with attempt:
                    try:
                        return self._open().get(request)
                    except SessionLost:
                        log.info("%s: session lost, asking %s again", self.transport.host, request)
                        return self._open().get(request)
        raise AssertionError("the loop ends with an answer or an exception")

    def ready(self) -> None:
        """Open the session, so that a change is not announced on a road that is closed."""
        self._open()

    def change(self, edit: NetconfEdit) -> NetconfReply:
        """Make one change, once: what a lost answer has done is read back, never sent again."""
        return self._open().edit(edit)

    def _open(self) -> NetconfTransport:
        transport = self.transport
        transport.on_request = self.on_request
        if not transport.is_open:
            self.conversation.lockout.enter(transport.open)
        return transport

    def close(self) -> None:
        """Close the session; never raises."""
        with self.lock:
            self.transport.close()
