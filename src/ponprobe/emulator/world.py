"""The live state of one emulated OLT, whatever its vendor: boards, plant, ONUs, what is configured.

States follow from time when they are asked for; nothing runs in the background. Every public method holds the OLT's one
lock, so sessions and a test may use it at once: that is why it is one class, and long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from ponprobe.emulator.plant import DOWN_NM, UP_NM, Ddm, FaultKind, PlantFault, PortPlant, Powers, fixed_bias
from ponprobe.emulator.provision import OnuType, PortQinq, TcontProfile, new_provision
from ponprobe.emulator.records import (
    AuthKind,
    Board,
    Ddms,
    LineProfile,
    Ont,
    OnuEntry,
    OnuView,
    Refused,
    Service,
    ServiceProfile,
    VlanEntry,
)
from ponprobe.emulator.snapshot import snapshot
from ponprobe.models.addressing import OnuRef, PonPort, Serial

ONU_RX_LOWEST_DBM, ONU_RX_NONE_DBM = -29.5, -40.0
"""Below the first an ONU does not range, below the second there is no light at all."""


class OltWorld:
    """One OLT and the plant behind it."""

    def __init__(
        self,
        *,
        name: str,
        seed: int,
        zone_h: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] | None = None,
        digits: int = 2,
        onu_ids: range = range(128),
    ) -> None:
        self.name = name
        self.seed = seed
        self.lock = threading.RLock()
        self.boards: dict[int, Board] = {}
        self.slots = 0
        self.plants: dict[PonPort, PortPlant] = {}
        self.onts: dict[Serial, Ont] = {}
        self.onus: dict[OnuRef, OnuEntry] = {}
        self.services: dict[int, Service] = {}
        self.vlans: dict[int, VlanEntry] = {}
        self.line_profiles: dict[int, LineProfile] = {}
        self.service_profiles: dict[int, ServiceProfile] = {}
        self.traffic_tables: set[int] = set()
        self.onu_types: dict[str, OnuType] = {}
        """Where there are any, an ONU is registered with a type and provisioned piece by piece; else with profiles."""
        self.tcont_profiles: dict[str, TcontProfile] = {}
        self.qinq: list[PortQinq] = []
        self.qinq_ports: set[PonPort] = set()
        self.onu_ids = onu_ids
        self.service_index_from = 0
        self.saves = 0
        self._clock = clock
        self._zone = timezone(timedelta(hours=zone_h))
        self._now = now or (lambda: datetime.now(self._zone))
        self._born = clock()
        self._ddm = Ddm(seed, digits=digits)

    # ------------------------------------------------------------------ what people do

    def plug_in(self, serial: Serial | str, at: PonPort | str, splitter: str, **more: Any) -> Ont:
        """Plug an ONU into a splitter; again elsewhere moves it. ``more``: fields of :class:`Ont`.

        Raises ``KeyError`` for an unknown port or splitter.
        """
        with self.lock:
            serial, port = Serial(serial), PonPort.parse(at)
            self.plants[port].chain(splitter)
            for what in ("rx_bias_db", "tx_bias_db"):
                more.setdefault(what, fixed_bias(self.seed, str(serial), what))
            if serial in self.onts:
                self.pull_out(serial)
            ont = Ont(serial, port, splitter, **more)
            ont.plugged_at = ont.lit_at = ont.idle_since = self._clock()
            self.onts[serial] = ont
            self._learn(ont)
            return ont

    def pull_out(self, serial: Serial | str, *, dying_gasp: bool = False) -> None:
        """Take an ONU away, or its power. ``KeyError`` if it is not plugged in."""
        with self.lock:
            ont = self.onts[Serial(serial)]
            with self._noting_losses("dying-gasp" if dying_gasp else "LOSi/LOBi"):
                del self.onts[ont.serial]

    @contextmanager
    def _noting_losses(self, cause: str) -> Iterator[None]:
        """Note time and cause for every registered ONU that is online before and not after."""
        before = [(view.entry, self.up_at(view)) for view in self.views() if view.online]
        yield
        for entry, up_at in before:
            if not self.view(entry.ref).online:
                entry.up_at, entry.down_at, entry.down_cause = up_at, self._now(), cause

    def set_fault(
        self, port: PonPort | str, splitter: str | None = None, kind: FaultKind = "dirty", loss_db: float = 0.0
    ) -> None:
        """Damage the fibre before a splitter, or the feeder of the whole port (no splitter)."""
        with self.lock, self._noting_losses("LOSi/LOBi"):
            plant = self.plants[PonPort.parse(port)]
            faults = plant.feeder_faults if splitter is None else plant.splitters[splitter].faults
            faults.append(PlantFault(kind, loss_db))

    def clear_faults(self, port: PonPort | str) -> None:
        """Repair everything behind a port."""
        with self.lock:
            plant = self.plants[PonPort.parse(port)]
            dark = [ont for ont in self.onts.values() if ont.port == PonPort.parse(port) and not self._has_light(ont)]
            plant.feeder_faults.clear()
            for splitter in plant.splitters.values():
                splitter.faults.clear()
            for ont in dark:
                ont.lit_at = ont.idle_since = self._clock()

    # ------------------------------------------------------------------ what is so now

    def wall(self, at: float | None = None) -> datetime:
        """The OLT's own time, with its zone, now or at a moment of the clock."""
        now = self._now()
        return now if at is None else now - timedelta(seconds=self._clock() - at)

    @property
    def uptime_s(self) -> float:
        """Seconds since the OLT started; it had run for some days when it was built."""
        return self._clock() - self._born + 5_086_382

    def powers(self, ont: Ont) -> Powers:
        """The four true powers of the link of a plugged ONU."""
        plant = self.plants[ont.port]
        down = plant.loss_db(ont.splitter, DOWN_NM, drop_km=ont.drop_km)
        up = plant.loss_db(ont.splitter, UP_NM, drop_km=ont.drop_km)
        launched = plant.olt_tx_dbm if plant.laser_on else float("-inf")
        return Powers(olt_tx=launched, onu_rx=launched - down, onu_tx=ont.tx_dbm, olt_rx=ont.tx_dbm - up)

    def shines(self, ont: Ont) -> bool:
        """Whether a plugged ONU and its port hear each other."""
        with self.lock:
            return self._has_light(ont)

    def _has_light(self, ont: Ont) -> bool:
        powers = self.powers(ont)
        return powers.onu_rx > ONU_RX_LOWEST_DBM and powers.olt_rx > self.plants[ont.port].sensitivity_dbm - 1.5

    def _is_for(self, entry: OnuEntry, ont: Ont) -> bool:
        if ont.port != entry.ref.port:
            return False
        match entry.auth:
            case "sn" | "mac":
                return ont.serial == entry.serial
            case "sn+password":
                return ont.serial == entry.serial and ont.password == entry.password
            case "password":
                return ont.password is not None and ont.password == entry.password
            case "loid":
                return ont.loid is not None and ont.loid == entry.loid
            case _:
                return ont.loid is not None and (ont.loid, ont.checkcode) == (entry.loid, entry.checkcode)

    def _learn(self, ont: Ont) -> None:
        for entry in self.onus.values():
            if entry.serial is None and self._is_for(entry, ont):
                entry.learnt = ont.serial

    def view(self, ref: OnuRef) -> OnuView:
        """One registered ONU now; ``Refused`` if there is none."""
        with self.lock:
            entry = self.onus.get(ref)
            if entry is None:
                raise Refused("no_onu")
            if entry.serial is not None:
                ont = self.onts.get(entry.serial)
                ont = ont if ont is not None and self._is_for(entry, ont) else None
            else:
                ont = next((ont for ont in self.onts.values() if self._is_for(entry, ont)), None)
            if ont is None or not self._has_light(ont):
                return OnuView(entry, ont, online=False, configured=False, distance_m=None)
            since = self._clock() - max(entry.registered_at, ont.lit_at)
            online = since >= ont.online_after_s
            distance = self.plants[ont.port].length_m(ont.splitter, drop_km=ont.drop_km)
            return OnuView(
                entry,
                ont,
                online=online,
                configured=online and since >= ont.online_after_s + ont.config_after_s,
                distance_m=distance if online else None,
            )

    def views(self, port: PonPort | None = None) -> list[OnuView]:
        """The registered ONUs of a port (of all), in order."""
        with self.lock:
            refs = sorted(self.onus, key=lambda ref: (ref.port.frame, ref.port.slot, ref.port.port, ref.onu_id))
            return [self.view(ref) for ref in refs if port is None or ref.port == port]

    def find(self, serial: Serial) -> OnuView | None:
        """The registered ONU with this serial, given or learnt."""
        with self.lock:
            return next((self.view(ref) for ref, entry in self.onus.items() if entry.shown_serial == serial), None)

    def up_at(self, view: OnuView) -> datetime | None:
        """When the ONU last came up."""
        if view.online and view.ont is not None:
            return self.wall(max(view.entry.registered_at, view.ont.lit_at) + view.ont.online_after_s)
        return view.entry.up_at

    def discovered(self) -> list[Ont]:
        """The ONUs that shine, that nobody registered here or elsewhere, in port order."""
        with self.lock:
            known = {entry.shown_serial for entry in self.onus.values()}
            by_secret = [entry for entry in self.onus.values() if entry.serial is None]
            found = []
            for ont in self.onts.values():
                waits = self._clock() - ont.idle_since < ont.autofind_after_s
                taken = ont.serial in known or any(self._is_for(entry, ont) for entry in by_secret)
                if not waits and not taken and self._has_light(ont):
                    ont.found_at = ont.found_at or self.wall(ont.idle_since + ont.autofind_after_s)
                    found.append(ont)
            return sorted(found, key=lambda ont: (ont.port.frame, ont.port.slot, ont.port.port, ont.plugged_at))

    def read_optics(self, view: OnuView) -> Ddms:
        """What diagnostics show for an online ONU, read anew each time."""
        with self.lock:
            ont = view.ont
            if ont is None or ont.ddm == "absent":
                return Ddms(None, None, None)
            powers, plant = self.powers(ont), self.plants[ont.port]
            return Ddms(
                onu_rx=self._ddm.in_steps(powers.onu_rx, ont.rx_bias_db),
                onu_tx=self._ddm.rounded(powers.onu_tx, ont.tx_bias_db),
                olt_rx=self._ddm.rounded(powers.olt_rx, plant.rx_bias_db),
            )

    def read_launch(self, port: PonPort) -> float | None:
        """What the port's own diagnostics show of its launch power, in dBm; ``None`` with the laser off."""
        with self.lock:
            plant = self.plants[port]
            return self._ddm.rounded(plant.olt_tx_dbm, plant.tx_bias_db) if plant.laser_on else None

    def services_of(self, port: PonPort | None = None, onu_id: int | None = None) -> list[Service]:
        """Service ports, by index: all, of a port, or of one ONU (without shared ones)."""
        with self.lock:
            return [
                service
                for _, service in sorted(self.services.items())
                if (port is None or service.port == port) and (onu_id is None or service.onu_id == onu_id)
            ]

    def is_up(self, service: Service) -> bool:
        """Whether an ONU behind a service port is online."""
        with self.lock:
            if service.onu_id is None:
                return any(view.online for view in self.views(service.port))
            ref = service.port.onu(service.onu_id)
            return ref in self.onus and self.view(ref).online

    def learnt_macs(self, service: Service) -> Iterator[tuple[OnuView, str]]:
        """MAC addresses seen through a service port: its ONU is configured and its native VLAN (or a router) fits."""
        for view in self.views(service.port):
            if service.onu_id not in {None, view.entry.ref.onu_id} or not view.configured or view.ont is None:
                continue
            natives = {str(vlan) for vlan, _ in view.entry.native_vlans.values()}
            if view.ont.router or service.user_vlan in natives or service.onu_id is None:
                for mac in view.ont.macs:
                    yield view, mac

    # ------------------------------------------------------------------ what is configured

    def free_onu_id(self, port: PonPort) -> int:
        """The smallest ONU-ID not in use."""
        used = {ref.onu_id for ref in self.onus if ref.port == port}
        free = next((number for number in self.onu_ids if number not in used), None)
        if free is None:
            raise Refused("no_id_left")
        return free

    def free_service_index(self) -> int:
        """The smallest service-port index not in use."""
        index = self.service_index_from
        while index in self.services:
            index += 1
        return index

    def register(
        self,
        port: PonPort | str,
        onu_id: int | None = None,
        *,
        serial: Serial | str | None = None,
        password: str | None = None,
        loid: str | None = None,
        checkcode: str | None = None,
        mode: str = "always-on",
        line_profile: int = 0,
        service_profile: int = 0,
        description: str = "",
        onu_type: str | None = None,
    ) -> OnuRef:
        """Register an ONU, as a command does or a stranger by hand; raises ``Refused``.

        An OLT with ONU types does not look at profiles; without ``onu_type`` it takes the first that fits.
        """
        with self.lock:
            port = PonPort.parse(port)
            if port not in self.plants:
                raise Refused("no_port")
            known = Serial(serial) if serial is not None else None
            if known is not None and self.find(known) is not None:
                raise Refused("serial_exists")
            for entry in self.onus.values():
                same_password = known is None and password is not None and entry.password == password
                if (loid is not None and entry.loid == loid) or (same_password and entry.serial is None):
                    raise Refused("auth_exists")
            ref = port.onu(self.free_onu_id(port) if onu_id is None else onu_id)
            if ref in self.onus:
                raise Refused("id_exists")
            provision = new_provision(self.onu_types, self.plants[port].technology, onu_type)
            if provision is None and line_profile not in self.line_profiles:
                raise Refused("no_line_profile")
            if provision is None and service_profile not in self.service_profiles:
                raise Refused("no_service_profile")
            auth: AuthKind = "loid" if loid is not None else "password"
            if self.plants[port].technology == "epon":
                auth = "mac"
            elif known is not None:
                auth = "sn" if password is None else "sn+password"
            elif checkcode is not None:
                auth = "loid+checkcode"
            entry = OnuEntry(
                ref=ref,
                auth=auth,
                serial=known,
                password=password,
                loid=loid,
                checkcode=checkcode,
                mode=mode,
                line_profile=line_profile,
                service_profile=service_profile,
                description=description,
                registered_at=self._clock(),
                provision=provision,
            )
            self.onus[ref] = entry
            if entry.serial is None:
                for ont in self.onts.values():
                    self._learn(ont)
            return ref

    def confirm(self, port: PonPort, onu_id: int | None, **how: Any) -> OnuRef:
        """Register an ONU out of the autofind list of its port; raises ``Refused``."""
        with self.lock:
            wanted = {name: value for name, value in how.items() if name in {"serial", "password", "loid"} and value}
            for ont in self.discovered():
                if ont.port == port and all(str(getattr(ont, name)) == str(value) for name, value in wanted.items()):
                    return self.register(port, onu_id, **how)
            if how.get("serial") is not None and self.find(Serial(how["serial"])) is not None:
                raise Refused("serial_exists")
            raise Refused("not_discovered")

    def delete(self, ref: OnuRef) -> None:
        """Remove a registered ONU; refused while a service port is on it."""
        with self.lock:
            if ref not in self.onus:
                raise Refused("no_onu")
            if self.services_of(ref.port, ref.onu_id):
                raise Refused("has_services")
            gone = self.onus.pop(ref)
            for ont in self.onts.values():
                if self._is_for(gone, ont) or ont.serial == gone.shown_serial:
                    ont.idle_since, ont.found_at = self._clock(), None

    def set_native_vlan(self, ref: OnuRef, eth: int, vlan: int, priority: int) -> None:
        """Put untagged traffic of an ONU's Ethernet port into a VLAN."""
        with self.lock:
            if ref not in self.onus:
                raise Refused("no_onu")
            self.onus[ref].native_vlans[eth] = (vlan, priority)

    def add_service(self, service: Service) -> None:
        """Create a service port; raises ``Refused``."""
        with self.lock:
            if service.index in self.services:
                raise Refused("index_exists", service.index)
            if service.port not in self.plants:
                raise Refused("no_port")
            if service.vlan not in self.vlans:
                raise Refused("no_vlan")
            if service.onu_id is not None:
                entry = self.onus.get(service.port.onu(service.onu_id))
                if entry is None:
                    raise Refused("no_onu")
                if service.gem is not None and service.gem not in self.line_profiles[entry.line_profile].gems:
                    raise Refused("no_gem")
            for table in (service.inbound, service.outbound):
                if table is not None and table not in self.traffic_tables:
                    raise Refused("no_traffic_table")
            for other in self.services_of(service.port):
                same_flow = (other.onu_id, other.gem) == (service.onu_id, service.gem)
                same_tags = (other.vlan, other.inner_vlan) == (service.vlan, service.inner_vlan)
                if (same_flow and other.user_vlan == service.user_vlan) or (same_tags and other.inner_vlan is not None):
                    raise Refused("service_exists", other.index)
            self.services[service.index] = service

    def remove_service(self, index: int) -> None:
        """Delete a service port; raises ``Refused``."""
        with self.lock:
            if self.services.pop(index, None) is None:
                raise Refused("no_service")

    def snapshot(self) -> dict[str, Any]:
        """Everything configurable, as plain JSON values, in a fixed order; nothing that changes by itself."""
        with self.lock:
            return snapshot(self)
