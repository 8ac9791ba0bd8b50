"""The questions, as flows: what is configured first, then what it does; small replies rather than few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import SecretStr

from ponprobe.drivers.bbf import detection, filters, optics
from ponprobe.drivers.bbf.hardware import hardware
from ponprobe.drivers.bbf.presence import Present, VAniState, present, run_state, v_ani_states
from ponprobe.drivers.bbf.running import Running, Termination, VAni, running, unnamed
from ponprobe.drivers.bbf.tree import Element, Names, read
from ponprobe.errors import NotFound
from ponprobe.flow import NetconfFlow, NetconfGet, NetconfReply, ask_netconf
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, DiscoveredOnu, OnuState, PonPortState
from ponprobe.models.netconf import NetconfProfile, NetconfSupport
from ponprobe.models.optical import OpticalReading

_TRANSCEIVERS = ("ietf-hardware", "bbf-hardware-transceivers")


class Questions:
    """Asks one kind of device. ``support`` is what it lists, ``None`` before it was asked."""

    def __init__(self, profile: NetconfProfile, support: NetconfSupport | None) -> None:
        self.profile = profile
        self.support = support
        self.names = Names(profile.namespaces)
        listed = filters.OPTIONAL if support is None else support.modules
        self._without = {each for each in filters.OPTIONAL if each not in listed}

    # ------------------------------------------------------------------ asking

    def _ask(
        self, what: str, *trees: filters.Wanted, datastore: Literal["running", "operational"] = "operational"
    ) -> NetconfFlow[tuple[Element, NetconfReply]]:
        """Ask; a second time with all names where the server leaves them out."""
        reply = yield from ask_netconf(NetconfGet(what, self.filter(*trees), datastore))
        data = read(reply.data, what)
        if unnamed(data, self.names):
            named = [filters.keyed(tree) if "interfaces" in next(iter(tree)) else tree for tree in trees]
            reply = yield from ask_netconf(NetconfGet(what, self.filter(*named), datastore))
            data = read(reply.data, what)
        return data, reply

    def filter(self, *trees: filters.Wanted) -> str:
        """A filter without what the device does not have."""
        return filters.rendered(self.names, *trees, without=self._without)

    def config(self, what: str, *trees: filters.Wanted) -> NetconfFlow[Running]:
        """Read configuration."""
        data, _ = yield from self._ask(what, *trees, datastore="running")
        return running(data, self.names, self.profile)

    def presence(self, terminations: Iterable[str] | None = None) -> NetconfFlow[list[Present]]:
        """The ONUs that shine, on some channel terminations or on the whole OLT."""
        detection.demand(self.support, "seeing which ONUs shine", modules=("bbf-xpon-onu-state",))
        wanted = (
            [filters.PRESENCE] if terminations is None else [_named(each, filters.PRESENCE) for each in terminations]
        )
        data, _ = yield from self._ask("ONUs present", filters.interface_states(*wanted))
        return present(data, self.names)

    def known_port(self, config: Running, port: PonPort) -> Termination:
        """The channel termination of a port; ``NotFound`` names those that there are."""
        found = config.termination_of(port)
        if found is None:
            there = ", ".join(str(each.port) for each in config.terminations.values() if each.port is not None)
            raise NotFound(
                f"no channel termination is port {port}",
                command="get-config: PON ports",
                refused="not_found",
                hint=f"there are {there}" if there else "the OLT has none that port_pattern finds a port in",
            )
        return found

    # ------------------------------------------------------------------ the OLT

    def boards(self) -> NetconfFlow[tuple[Board, ...]]:
        """Every component of class board, with the ports that sit on it."""
        detection.demand(self.support, "telling boards", modules=("ietf-hardware",))
        config = yield from self.config("PON ports", filters.interfaces(*filters.ports()))
        boxes, _ = yield from detection.boxes_of(self.names, more={})
        found = []
        for box in boxes.components.values():
            if box.kind != "board":
                continue
            ports = [
                each.port
                for each in config.terminations.values()
                if each.port is not None and box in boxes.ancestors(each.hardware)
            ]
            slot = ports[0].slot if ports else box.position
            if slot is not None:
                found.append(
                    Board(
                        frame=ports[0].frame if ports else 0,
                        slot=slot,
                        board=box.model or box.name,
                        status=box.status,
                        ports=len(ports) or None,
                        software=box.software,
                    )
                )
        return tuple(sorted(found, key=lambda board: (board.frame, board.slot)))

    def ports(self) -> NetconfFlow[tuple[PonPort, ...]]:
        """Every port that a channel termination is."""
        config = yield from self.config("PON ports", filters.interfaces(*filters.ports()))
        found = {each.port for each in config.terminations.values() if each.port is not None}
        return tuple(sorted(found, key=lambda port: (port.frame, port.slot, port.port)))

    def pon_port(self, port: PonPort) -> NetconfFlow[PonPortState]:
        """One port's own transceiver."""
        detection.demand(self.support, "reading transceivers", modules=_TRANSCEIVERS)
        config = yield from self.config("PON ports", filters.interfaces(*filters.ports()))
        termination = self.known_port(config, port)
        name = termination.hardware
        wanted = {**filters.COMPONENT, **filters.link(filters.POWERS)} if name is None else _link_of(name, rssi=False)
        answer = yield from self._powers(f"optics of port {port}", filters.components(wanted))
        link = optics.olt_link(answer, termination, [])
        if link is not None and link.parent is not None and link.temperature_c is None:
            module = {**filters.COMPONENT, "name": link.parent, **filters.MODULE}
            inside = yield from self._powers(f"module of port {port}", filters.components(module))
            answer.hardware.components.update(inside.hardware.components)
            answer.hardware.settle()
            link = answer.hardware.components[link.name]
        return optics.port_state(answer, port, link)

    # ------------------------------------------------------------------ ONUs

    def discovered(self, port: PonPort | None) -> NetconfFlow[tuple[DiscoveredOnu, ...]]:
        """What shines and is not configured. The configuration decides: what a presence list says of it may be old."""
        wanted = (*filters.ports(), {"bbf-xponvani:v-ani": filters.V_ANI})
        config = yield from self.config("PON ports and ONUs", filters.interfaces(*wanted))
        where = None if port is None else [self.known_port(config, port).name]
        return waiting(config, (yield from self.presence(where)), port)

    def of_port(self, port: PonPort) -> NetconfFlow[Running]:
        """The ports, and the ONUs of one: two small replies, however many ONUs the OLT has."""
        config = yield from self.config("PON ports", filters.interfaces(*filters.ports()))
        termination, partition = self.known_port(config, port), config.partition_of(port)
        onus = filters.on_partition(partition, termination.pair)
        if onus:
            found = yield from self.config(f"ONUs of {port}", filters.interfaces(*onus))
            config.v_anis.update(found.v_anis)
        return config

    def onus(self, port: PonPort) -> NetconfFlow[tuple[OnuState, ...]]:
        """Every configured ONU of a port, with what it does."""
        config = yield from self.of_port(port)
        onus = config.onus_of(port)
        if not onus:
            return ()
        states: tuple[OnuState, ...] = yield from self._states(config, onus)
        return states

    def find(self, serial: Serial) -> NetconfFlow[OnuState | None]:
        """Where a serial is configured."""
        # every serial is read: a content match compares text, and nobody says how a device spells hex digits
        wanted = (*filters.ports(), {"bbf-xponvani:v-ani": filters.V_ANI})
        config = yield from self.config(f"ONU {serial}", filters.interfaces(*wanted))
        found = [onu for onu in config.v_anis.values() if onu.serial == serial]
        if not found:
            return None
        states = yield from self._states(config, found[:1])
        return states[0]

    def onu_state(self, onu: OnuRef) -> NetconfFlow[OnuState | None]:
        """One configured ONU, with what it does."""
        wanted = (*filters.ports(), filters.by_onu_id(onu.onu_id))
        config = yield from self.config(f"ONU {onu}", filters.interfaces(*wanted))
        found = config.onu_at(onu)
        if not found:
            return None
        states = yield from self._states(config, found[:1])
        return states[0]

    def _states(self, config: Running, onus: list[VAni]) -> NetconfFlow[tuple[OnuState, ...]]:
        texts = yield from self.config(
            "descriptions", filters.interfaces(*(filters.described(onu.name) for onu in onus))
        )
        ports = {config.port_of(onu) for onu in onus}
        own = [each.name for each in config.terminations.values() if each.port in ports]
        seeing = self.support is None or "bbf-xpon-onu-state" in self.support.modules
        wanted: list[filters.Wanted] = [_named(each, filters.PRESENCE) for each in own] if seeing else []
        wanted += [_named(onu.name, {"bbf-xponvani:v-ani": None}) for onu in onus]
        data, _ = yield from self._ask("what ONUs do", filters.interface_states(*wanted))
        lists, states = present(data, self.names), v_ani_states(data, self.names)
        return tuple(
            _state(config, texts.v_anis.get(onu.name, onu), lists if seeing else None, states.get(onu.name))
            for onu in onus
        )

    # ------------------------------------------------------------------ optics

    def _powers(self, what: str, *trees: filters.Wanted) -> NetconfFlow[optics.Answer]:
        data, reply = yield from self._ask(what, *trees)
        return optics.Answer.of(reply, hardware(data, self.names, self.profile.power_unit))

    def optical(self, onu: OnuRef) -> NetconfFlow[OpticalReading]:
        """The four powers of one ONU; what the OLT does not show of the ONU is left to other roads."""
        detection.demand(self.support, "reading transceivers", modules=_TRANSCEIVERS)
        wanted = (*filters.ports(), filters.by_onu_id(onu.onu_id))
        config = yield from self._linked(f"ONU {onu}", *wanted)
        termination = self.known_port(config, onu.port)
        found = config.onu_at(onu)
        if not found:
            raise NotFound(f"there is no ONU {onu}", command="get-config: ONUs", refused="not_found")
        readings = yield from self._readings(config, [(termination, onu, found[0])], f"optical powers of {onu}")
        return readings[0]

    def optical_port(self, port: PonPort) -> NetconfFlow[tuple[OpticalReading, ...]]:
        """The four powers of every configured ONU of a port."""
        detection.demand(self.support, "reading transceivers", modules=_TRANSCEIVERS)
        config = yield from self.of_port(port)
        table = yield from self._links(f"links of {port}", config.onus_of(port))
        config.links, config.hardware = table.links, {**config.hardware, **table.hardware}
        readings: tuple[OpticalReading, ...] = yield from self._optical_of(
            config, f"port {port}", lambda each: each == port
        )
        return readings

    def optical_board(self, frame: int, slot: int) -> NetconfFlow[tuple[OpticalReading, ...]]:
        """The four powers of every configured ONU of a board."""
        detection.demand(self.support, "reading transceivers", modules=_TRANSCEIVERS)
        config = yield from self._linked("PON ports and ONUs", *filters.ports(), {"bbf-xponvani:v-ani": filters.V_ANI})
        readings: tuple[OpticalReading, ...] = yield from self._optical_of(
            config, f"board {frame}/{slot}", lambda each: (each.frame, each.slot) == (frame, slot)
        )
        return readings

    def _optical_of(
        self, config: Running, what: str, has: Callable[[PonPort], bool]
    ) -> NetconfFlow[tuple[OpticalReading, ...]]:
        rows = [
            (termination, place, onu)
            for termination in config.terminations.values()
            if termination.port is not None and has(termination.port)
            for onu in config.onus_of(termination.port)
            if (place := config.place_of(onu)) is not None
        ]
        if not rows:
            return ()
        readings: tuple[OpticalReading, ...] = yield from self._readings(config, rows, f"optical powers of {what}")
        return readings

    def _links(self, what: str, onus: list[VAni]) -> NetconfFlow[Running]:
        """The link table and the hardware of interfaces, where the OLT has one and there is an ONU to look for."""
        if not onus or "bbf-link-table" in self._without:
            return Running()
        found: Running = yield from self._linked(what, {"bbf-hardware:hardware-component": None})
        return found

    def _linked(self, what: str, *wanted: filters.Wanted) -> NetconfFlow[Running]:
        """Configuration with the link table, where the OLT has one."""
        table: filters.Wanted = {"bbf-link-table:link-table": None}
        found: Running = yield from self.config(what, filters.interfaces(*wanted), table)
        return found

    def _readings(
        self, config: Running, rows: list[tuple[Termination, OnuRef, VAni]], what: str
    ) -> NetconfFlow[tuple[OpticalReading, ...]]:
        """Read the links of some ports, and every other link as far as an ONU's must be looked for."""
        known = [optics.expected_component(self.profile, onu) for _, _, onu in rows]
        olt_links = {termination.hardware for termination, _, _ in rows}
        wanted: list[filters.Wanted] = [_link_of(name, rssi=True) for name in sorted(filter(None, olt_links))]
        if None in olt_links:
            wanted.append({**filters.COMPONENT, **filters.MODULE, **filters.link({**filters.POWERS, **filters.RSSI})})
        elif None in known:
            wanted.append({**filters.COMPONENT, **filters.MODULE, **filters.link(filters.POWERS)})
        else:
            wanted += [_link_of(name, rssi=False) for name in dict.fromkeys(filter(None, known))]
        answer = yield from self._powers(what, filters.components(*wanted))
        links = {
            termination.name: optics.olt_link(
                answer, termination, [onu for other, _, onu in rows if other is termination]
            )
            for termination, _, _ in rows
        }
        found = {place: optics.onu_link(answer, onu, config, self.profile) for _, place, onu in rows}
        if None in found.values() and "bbf-link-table" not in self._without:
            yield from self._add_live_links(config)
            found = {place: optics.onu_link(answer, onu, config, self.profile) for _, place, onu in rows}
        if all(link is None for link in found.values()) and self._may_be_alone(answer, config):
            lists = yield from self.presence()
            found = {place: optics.only_link(answer, onu, config, lists) for _, place, onu in rows}
        return tuple(
            optics.with_onu_side(answer, optics.olt_side(answer, place, onu, links[termination.name]), found[place])
            for termination, place, onu in rows
        )

    def _add_live_links(self, config: Running) -> NetconfFlow[None]:
        """Add what the OLT has linked by itself, for ONUs that it found: that is state, not configuration."""
        table: filters.Wanted = {"bbf-link-table:link-table": None}
        hardware_of = filters.interfaces({"bbf-hardware:hardware-component": None})
        data, _ = yield from self._ask("what the OLT has linked", hardware_of, table)
        live = running(data, self.names, self.profile)
        config.links.update(live.links)
        config.hardware.update(live.hardware)

    def _may_be_alone(self, answer: optics.Answer, config: Running) -> bool:
        """Whether one link of no port reads light: then whose it is may follow from there being one ONU."""
        if self.support is not None and "bbf-xpon-onu-state" not in self.support.modules:
            return False
        of_the_olt = {each.hardware for each in config.terminations.values()}
        links = [each for each in answer.hardware.components.values() if each.live and not each.rssi]
        return len([each for each in links if each.name not in of_the_olt]) == 1


def _named(name: str, content: filters.Wanted) -> filters.Wanted:
    return {"name": name, **content}


def _link_of(name: str, *, rssi: bool) -> filters.Wanted:
    readings = {**filters.POWERS, **filters.RSSI} if rssi else filters.POWERS
    return {**filters.COMPONENT, "name": name, **filters.link(readings)}


def waiting(config: Running, lists: list[Present], port: PonPort | None) -> tuple[DiscoveredOnu, ...]:
    """The ONUs of presence lists that are not configured."""
    serials = {onu.serial: onu for onu in config.v_anis.values() if onu.serial is not None}
    found = []
    for each in lists:
        termination = config.terminations.get(each.termination)
        here = None if termination is None else termination.port
        if not each.shines or here is None or (port is not None and here != port):
            continue
        known = serials.get(each.serial) if each.serial is not None else None
        if known is not None and (config.port_of(known) == here or not each.unknown):
            continue
        if known is None and each.v_ani in config.v_anis and config.v_anis[each.v_ani].serial is None:
            continue  # it registered by password or LOID
        found.append(
            DiscoveredOnu(
                port=here,
                serial=each.serial,
                vendor_id=None if each.serial is None else each.serial.vendor_id,
                password=_password(each.registration_id),
                found_at=each.since,
            )
        )
    return tuple(found)


def _password(registration_id: str | None) -> SecretStr | None:
    try:
        text = bytes.fromhex(registration_id or "").rstrip(b"\0").decode("ascii")
    except ValueError:
        return None
    return SecretStr(text) if text else None


def _state(config: Running, onu: VAni, lists: list[Present] | None, state: VAniState | None) -> OnuState:
    """An ONU's state: what its v-ani says, else what the presence lists of its port say of its serial or name."""
    entry = None
    for each in lists or ():
        if (each.serial is not None and each.serial == onu.serial) or (onu.serial is None and each.v_ani == onu.name):
            entry = each
    word = run_state(entry.state) if entry is not None else None
    if state is not None and state.state is not None:
        word = run_state(state.state)
    elif word is None and state is not None and state.here:
        word = "present"
    elif word is None and lists is not None:
        word = "offline"
    detected = entry.serial if entry is not None else None if state is None else state.serial
    return OnuState(
        onu=config.place_of(onu) or _assigned(config, onu, state),
        serial=onu.serial or detected,
        run_state=word,
        admin_state="enabled" if onu.enabled else "disabled",
        auth_type="serial" if onu.serial is not None else None,
        description=onu.description,
        distance_m=None if state is None else state.distance_m,
    )


def _assigned(config: Running, onu: VAni, state: VAniState | None) -> OnuRef | None:
    """The place of an ONU whose ID the OLT chose."""
    port = config.port_of(onu)
    return None if port is None or state is None or state.onu_id is None else port.onu(state.onu_id)
