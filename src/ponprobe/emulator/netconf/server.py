"""An OLT's NETCONF server: its sessions over SSH, its datastores, its end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ponprobe.emulator.netconf.datastores import Datastores
from ponprobe.emulator.netconf.session import Device, Home, Session
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.state import State
from ponprobe.emulator.servers.sockets import Listener
from ponprobe.emulator.terminal import Closed, Wire


class Counting(Device, Protocol):
    """A device that counts its sessions."""

    def netconf_opened(self) -> None:
        """Count a session."""

    def netconf_closed(self) -> None:
        """Count it off."""


class NetconfServer:
    """The server of one OLT; ``close`` ends it."""

    def __init__(self, device: Counting, spec: NetconfSpec, about: dict[str, str]) -> None:
        self.spec = spec
        self.stores = Datastores(device.world, spec)
        self._device = device
        state = State(device.world, spec, self.stores.binding, about)
        self._home = Home(device, spec, self.stores, state, self._kill)
        self._lock = threading.Lock()
        self._sessions: dict[int, Session] = {}
        self._last = 0
        self._listener: Listener | None = None

    def serve(self, listen: Callable[[Callable[[Wire, str], None]], Listener]) -> None:
        """Start: ``listen`` opens the port and calls what it is given for each session."""
        self._listener = listen(self._talk)

    @property
    def port(self) -> int:
        """The TCP port."""
        return 0 if self._listener is None else self._listener.port

    def expire(self) -> bool:
        """Let the time of a pending confirmed commit be over now; false if none is pending."""
        return self.stores.expire()

    def snapshot(self) -> dict[str, Any]:
        """Everything configured over NETCONF, and what is pending."""
        return self.stores.snapshot()

    def _talk(self, wire: Wire, _user: str) -> None:
        with self._lock:
            self._last += 1
            session = Session(wire, self._last, self._home)
            self._sessions[session.number] = session
        self._device.netconf_opened()
        try:
            with contextlib.suppress(Closed):
                session.run()
                return
            wire.close()
        finally:
            with self._lock:
                del self._sessions[session.number]
            self.stores.end(session.number)
            self._device.netconf_closed()

    def _kill(self, number: int) -> bool:
        with self._lock:
            session = self._sessions.get(number)
        if session is None:
            return False
        self.stores.end(number)
        session.drop()
        return True

    def close(self) -> None:
        """Drop every session, stop listening and the timer of a commit."""
        if self._listener is not None:
            self._listener.close()
        self.stores.close()
