"""What an emulated OLT's world is made of, whatever the vendor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ponprobe.models.addressing import OnuRef, PonPort, Serial

if TYPE_CHECKING:
    from ponprobe.emulator.provision import Provision

Technology = Literal["gpon", "epon"]
AuthKind = Literal["sn", "sn+password", "password", "loid", "loid+checkcode", "mac"]
Reason = Literal[
    "serial_exists",
    "id_exists",
    "no_id_left",
    "no_onu",
    "no_port",
    "no_line_profile",
    "no_service_profile",
    "has_services",
    "no_vlan",
    "no_gem",
    "no_traffic_table",
    "service_exists",
    "index_exists",
    "no_service",
    "not_discovered",
    "auth_exists",
    "no_onu_type",
    "no_tcont_profile",
    "too_much_bandwidth",
    "record_exists",
    "no_flow",
    "flow_conflict",
    "no_uni",
    "onu_unavailable",
]


class Refused(Exception):  # the vendor's command grammar turns it into that vendor's words
    """A change that the state does not allow; ``index`` where another object is in the way."""

    def __init__(self, reason: Reason, index: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.index = index


@dataclass
class Board:
    """One slot; ``ports`` is 0 for a board without PON ports."""

    slot: int
    name: str
    status: str = "Normal"
    ports: int = 0
    technology: Technology = "gpon"
    real_name: str | None = None
    """The exact board, where displays print both."""
    uplinks: int = 0


def mac_serial(mac: str) -> Serial:
    """The identity of an EPON ONU, which is its MAC address (any spelling), in the form that GPON ONUs have."""
    digits = "".join(char for char in mac if char.isalnum())
    return Serial(f"0000{digits}")


def serial_mac(serial: Serial) -> str:
    """The MAC address in such an identity: ``543e.6496.f469``."""
    digits = serial.text[-12:].lower()
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"


@dataclass
class Ont:
    """A real ONU that somebody plugs in. Biases in dB; ``online_after_s`` from registration to Run state online."""

    serial: Serial
    port: PonPort
    splitter: str
    drop_km: float = 0.05
    password: str | None = None
    loid: str | None = None
    checkcode: str | None = None
    model: str = "HG8546M"
    version: str = "10C7.A"
    software: str = "V5R019C10S125"
    tx_dbm: float = 2.2
    rx_bias_db: float = 0.0
    tx_bias_db: float = 0.0
    router: bool = False
    macs: tuple[str, ...] = ()
    online_after_s: float = 0.2
    config_after_s: float = 0.0
    autofind_after_s: float = 0.0
    ddm: Literal["normal", "absent"] = "normal"
    plugged_at: float = 0.0
    lit_at: float = 0.0
    """Since when it has light: when it was plugged in, or when the fibre was repaired."""
    idle_since: float = 0.0
    """Since when it is plugged in and nobody's: the later of being plugged in and being deleted."""
    found_at: datetime | None = None


@dataclass
class OnuEntry:
    """A registered ONU. ``learnt`` is the serial seen behind a password or a LOID."""

    ref: OnuRef
    auth: AuthKind
    serial: Serial | None = None
    password: str | None = None
    loid: str | None = None
    checkcode: str | None = None
    mode: str = "always-on"
    line_profile: int = 0
    service_profile: int = 0
    description: str = ""
    native_vlans: dict[int, tuple[int, int]] = field(default_factory=dict)
    registered_at: float = 0.0
    learnt: Serial | None = None
    down_cause: str | None = None
    down_at: datetime | None = None
    up_at: datetime | None = None
    provision: Provision | None = None

    @property
    def shown_serial(self) -> Serial | None:
        """The serial that displays print."""
        return self.serial or self.learnt


@dataclass
class Service:
    """A service port. ``onu_id`` is ``None`` for one that all ONUs of the port share."""

    index: int
    vlan: int
    port: PonPort
    onu_id: int | None
    gem: int | None
    user_vlan: str
    transform: str = "translate"
    inner_vlan: int | None = None
    inner_priority: int | None = None
    inbound: int | None = None
    outbound: int | None = None


@dataclass
class LineProfile:
    """A line profile: for each GEM index its T-CONT and the VLANs mapped to it."""

    id: int
    name: str
    tconts: dict[int, int] = field(default_factory=lambda: {0: 1})
    gems: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)


@dataclass
class ServiceProfile:
    """A service profile: ports of the ONU; ``None`` is adaptive."""

    id: int
    name: str
    eth: int | None = 4
    pots: int | None = 0


@dataclass
class VlanEntry:
    """A VLAN of the OLT."""

    id: int
    attribute: str = "common"
    description: str = ""
    uplinks: int = 1


@dataclass(frozen=True)
class OnuView:
    """How a registered ONU is right now."""

    entry: OnuEntry
    ont: Ont | None
    online: bool
    configured: bool
    distance_m: int | None

    @property
    def run_state(self) -> str:
        """``online`` or ``offline``."""
        return "online" if self.online else "offline"


@dataclass(frozen=True)
class Ddms:
    """What diagnostics show for one online ONU, in dBm; ``None`` is not reported."""

    onu_rx: float | None
    onu_tx: float | None
    olt_rx: float | None
