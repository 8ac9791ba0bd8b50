"""What a device tells of itself: facts, boards, ONU states, discovered ONUs, MAC addresses."""

from __future__ import annotations

from pydantic import AwareDatetime, Field, SecretStr

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.netconf import NetconfSupport
from ponprobe.models.optical import Absence, Dbm, PortOptical, Reading


class OltFacts(Value):
    """What the OLT says it is."""

    model: str | None = None
    version: str | None = None
    patch: str | None = None
    hostname: str | None = None
    uptime: str | None = None
    family: str | None = None
    """The platform that the OLT turns out to be, where one vendor has several and the model does not tell."""
    netconf: NetconfSupport | None = None
    """What the OLT can do over NETCONF, where it was asked by that road."""


class Board(Value):
    """One slot of the chassis; ``board`` is ``None`` for an empty slot."""

    slot: int
    board: str | None = None
    status: str | None = None
    ports: int | None = None
    software: str | None = None
    frame: int = 0
    absent: dict[str, Absence] = Field(default_factory=dict)


class OnuState(Value):
    """One registered ONU, from a table or a detail page; a field that the page does not have is ``None``.

    ``run_state`` and the other states are the device's words in lower case; ``distance_m`` in metres; powers in dBm.
    ``mac`` identifies an EPON ONU, which has no serial. ``absent`` says why a field that the page has is empty.
    """

    onu: OnuRef | None = None
    serial: Serial | None = None
    mac: str | None = None
    run_state: str | None = None
    config_state: str | None = None
    match_state: str | None = None
    admin_state: str | None = None
    auth_type: str | None = None
    onu_type: str | None = None
    description: str | None = None
    distance_m: float | None = None
    last_down_cause: str | None = None
    onu_rx_dbm: Dbm | None = None
    onu_tx_dbm: Dbm | None = None
    line_profile: str | None = None
    service_profile: str | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)

    @property
    def online(self) -> bool:
        """Whether the device says that the ONU is online (ZTE: working)."""
        return self.run_state in {"online", "working"}


class DiscoveredOnu(Value):
    """An ONU that the OLT sees and that nobody has registered. ``password`` and ``loid`` are secrets."""

    port: PonPort | None = None
    serial: Serial | None = None
    mac: str | None = None
    vendor_id: str | None = None
    model: str | None = None
    version: str | None = None
    password: SecretStr | None = None
    loid: SecretStr | None = None
    found_at: str | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


class Conflict(Value):
    """One line of the OLT's register log: an ONU that was refused, and the registered one that is in its way.

    The log has old lines, too: ``logged_at`` is the device's own time. ``source`` and ``at`` say how and when it was
    read.
    """

    serial: Serial
    registered_at: OnuRef
    result: str | None = None
    logged_at: str | None = None
    source: str | None = None
    at: AwareDatetime | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


class MacEntry(Value):
    """A MAC address learnt by the OLT (service alive) or by an ONU; ``mac`` is ``aa:bb:cc:dd:ee:ff``."""

    mac: str
    vlan: int | None = None
    onu: OnuRef | None = None
    port: PonPort | None = None
    service_port: int | None = None
    gemport: int | None = None
    kind: str | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


class PonPortState(Value):
    """A PON port with its optics; ``olt_tx_dbm`` is the reading that downstream attenuation starts from."""

    port: PonPort
    optical: PortOptical
    olt_tx_dbm: Reading
