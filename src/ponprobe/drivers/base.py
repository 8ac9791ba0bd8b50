"""The driver contract: what a vendor must know, as pure flows.

Questions return ``Routes``: one fresh flow per way of asking, named ``cli`` or ``snmp``; a way the family does not have
is not in the mapping. Changes return one flow of ``Write``s and questions. A driver has no sleep, clock,
retry, logging of secrets or socket; an unknown reading is an absence with a reason; unknown text is a ``ParseError``;
it never catches ``TransportError``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ponprobe.dialect import CliDialect, SnmpDialect
from ponprobe.flow import DeviceFlow, Routes
from ponprobe.models.acceptance import ActivationOrder, Created, Ownership, Registration, Residue
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, Conflict, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.optical import OpticalReading
from ponprobe.models.parsed import Parsed
from ponprobe.models.service import ServicePort

API_VERSION = 1


class OltDriver(ABC):
    """What one family of OLTs knows. Stateless: every method may be called at any time, by any thread."""

    api_version: ClassVar[int] = API_VERSION
    platform: ClassVar[str]
    models: ClassVar[tuple[str, ...]]
    cli: CliDialect | None = None
    snmp: SnmpDialect | None = None
    """How the agent wants to be asked; ``None`` where no question has a way over SNMP."""
    order_needs: ClassVar[tuple[str, ...]] = ()
    """Fields of an ``ActivationOrder`` that other families leave out and this one cannot do without."""

    def netconf_driver(self, profile: NetconfProfile) -> OltDriver | None:
        """The family's own driver over NETCONF; ``None`` for the one that all share (``ponprobe.drivers.bbf``)."""
        del profile
        return None

    def adapted_to(self, facts: OltFacts) -> OltDriver:
        """Return the driver for this model and version; the same object where nothing differs."""
        del facts
        return self

    # ------------------------------------------------------------------ questions

    @abstractmethod
    def facts(self) -> Routes[OltFacts]:
        """Model, version, patch."""

    @abstractmethod
    def boards(self) -> Routes[tuple[Board, ...]]:
        """Every slot that holds a board."""

    @abstractmethod
    def pon_ports(self) -> Routes[tuple[PonPort, ...]]:
        """Every PON port that holds a registered ONU, in order; ports without one may be among them."""

    @abstractmethod
    def pon_port(self, port: PonPort) -> Routes[PonPortState]:
        """One PON port with its optics, OLT Tx among them."""

    @abstractmethod
    def discovered(self, port: PonPort | None = None) -> Routes[tuple[DiscoveredOnu, ...]]:
        """ONUs that nobody has registered, on one port or on the whole OLT."""

    @abstractmethod
    def onus(self, port: PonPort) -> Routes[tuple[OnuState, ...]]:
        """Every registered ONU of a port."""

    @abstractmethod
    def find(self, serial: Serial) -> Routes[OnuState | None]:
        """Where a serial is registered, anywhere on the OLT; ``None`` if nowhere."""

    @abstractmethod
    def onu_state(self, onu: OnuRef) -> Routes[OnuState | None]:
        """State, distance and last down cause of one ONU; ``None`` if there is none in that place."""

    @abstractmethod
    def optical(self, onu: OnuRef) -> Routes[OpticalReading]:
        """The four powers of one ONU."""

    @abstractmethod
    def optical_port(self, port: PonPort) -> Routes[tuple[OpticalReading, ...]]:
        """The four powers of every ONU of a port, in the fewest requests."""

    @abstractmethod
    def optical_board(self, frame: int, slot: int) -> Routes[tuple[OpticalReading, ...]]:
        """The four powers of every ONU of a board, in the fewest requests."""

    @abstractmethod
    def service_ports(self, where: PonPort | OnuRef) -> Routes[tuple[ServicePort, ...]]:
        """The configured services of a port or of one ONU."""

    @abstractmethod
    def macs(self, onu: OnuRef) -> Routes[tuple[MacEntry, ...]]:
        """The addresses learnt behind one ONU: the service is alive."""

    def conflicts(self, serial: Serial) -> Routes[tuple[Conflict, ...]]:
        """Who is in the way of an ONU that the OLT refused, by its own log; no route where there is no such log."""
        del serial
        return {}

    # ------------------------------------------------------------------ changes

    @abstractmethod
    def prepare(self, order: ActivationOrder, mark: str) -> DeviceFlow[Registration]:
        """Check everything an order needs and choose explicit IDs; reads only.

        Raises ``AlreadyExists`` (serial registered, and where), ``WrongPort`` (seen on another port), ``NotFound``
        (port, profile, GEM port, VLAN), ``VlanInUse``, ``PoolExhausted``.
        """

    @abstractmethod
    def register(self, registration: Registration) -> DeviceFlow[None]:
        """Create the ONU; one ``Write`` per thing that can be undone alone. Must not look at replies."""

    @abstractmethod
    def add_service(self, registration: Registration) -> DeviceFlow[None]:
        """Give the ONU its VLAN path; nothing for a shared or absent service. Must not look at replies."""

    @abstractmethod
    def read_back(self, registration: Registration) -> DeviceFlow[OnuState]:
        """Read what the device now holds and compare it with the registration; a difference raises ``Rejected``."""

    @abstractmethod
    def guard(self, owner: Ownership, created: tuple[Created, ...]) -> DeviceFlow[tuple[Created, ...]]:
        """Ask the device which of ``created`` stands there and is ours, in the order in which it can be removed.

        What is absent is not returned. Raises ``NotOurs`` if a stranger's ONU stands in the place. An ONU that others
        depend on (a service port that is not ours) is not returned, as the device would not delete it.
        """

    @abstractmethod
    def remove(self, owner: Ownership, present: tuple[Created, ...]) -> DeviceFlow[None]:
        """Take away what ``guard`` returned; one ``Write`` for each. Must not look at replies."""

    @abstractmethod
    def residue(self, owner: Ownership, created: tuple[Created, ...]) -> DeviceFlow[tuple[Residue, ...]]:
        """Look for anything that ``created`` names and for the serial anywhere on the OLT."""

    # ------------------------------------------------------------------ reading without a device

    @abstractmethod
    def parse(self, command: str | None, context: str | None, text: str) -> Parsed:
        """Read one raw answer; ``context`` is the view the command ran in. Raises ``ParseError``."""
