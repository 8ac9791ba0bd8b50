"""The SNMP road of one OLT: carries a driver's questions to the agent; opened at the first one, never for a change."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ponprobe.errors import NotSupported, TransportError
from ponprobe.flow import Routes, SnmpFlow, SnmpGet, snmp_route

if TYPE_CHECKING:
    from ponprobe.dialect import SnmpDialect
    from ponprobe.drivers.base import OltDriver
    from ponprobe.transports.snmp import SnmpTransport

T = TypeVar("T")
log = logging.getLogger(__name__)

OpenAgent: TypeAlias = "Callable[[SnmpDialect], SnmpTransport]"

_DEAD_FOR_S = 60.0
"""How long an agent that could not be reached at all is left alone, so that not every question waits for it again."""


class Agent:
    """One agent. Safe for threads: questions to it run side by side, and beside those on the command line.

    The driver that asks here is adapted to what the agent itself says it is, not to what the command line said: two
    roads may lead to different software.
    """

    def __init__(self, driver: OltDriver, open_agent: OpenAgent) -> None:
        self._driver = driver
        self._open = open_agent
        self._lock = RLock()
        self._transport: SnmpTransport | None = None
        self._adapted: OltDriver | None = None
        self._dead: tuple[TransportError, float] | None = None
        self.on_request: Callable[[str], None] | None = None

    def answer(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> T:
        """Answer one question. Raises ``NotSupported`` if the driver has no way over SNMP for it."""
        if "snmp" not in routes(self._driver):
            raise NotSupported(f"{self._driver.platform} does not tell {what} over SNMP")
        driver, transport = self._ready()
        return self._drive(snmp_route(routes(driver)), transport)

    def _ready(self) -> tuple[OltDriver, SnmpTransport]:
        with self._lock:
            if self._dead is not None and time.monotonic() < self._dead[1]:
                raise self._dead[0].again()
            if self._adapted is None or self._transport is None:
                try:
                    self._adapted, self._transport = self._meet()
                except TransportError as exc:
                    self._dead = exc, time.monotonic() + _DEAD_FOR_S
                    raise
            return self._adapted, self._transport

    def _meet(self) -> tuple[OltDriver, SnmpTransport]:
        """Ask the agent what it is, and speak its way from then on."""
        if self._driver.snmp is None:
            raise NotSupported(f"{self._driver.platform} has no SNMP dialect")
        transport = self._open(self._driver.snmp)
        try:
            adapted = self._driver.adapted_to(self._drive(snmp_route(self._driver.facts()), transport))
            if adapted.snmp is not None and adapted.snmp != self._driver.snmp:
                transport.close()
                transport = self._open(adapted.snmp)
        except BaseException:
            transport.close()
            raise
        return adapted, transport

    def _drive(self, flow: SnmpFlow[T], transport: SnmpTransport) -> T:
        try:
            request = next(flow)
            while True:
                if self.on_request is not None:
                    self.on_request(str(request))
                reply = transport.get(request) if isinstance(request, SnmpGet) else transport.walk(request)
                request = flow.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def close(self) -> None:
        """Free the socket; never raises."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._transport = self._adapted = None
