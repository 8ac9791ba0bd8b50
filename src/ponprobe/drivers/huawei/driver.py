"""Huawei SmartAX (MA5600T family, MA5800 family), GPON, over the command line.

Which command answers which question, and which lines make which change. Everything else is the dialect's (how the
device talks) or the parsers' (what its answers say). Commands and their costs follow real devices of V800R015 and
V100R018 to R022; the support matrix says what was seen where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ponprobe.dialect import CliDialect
from ponprobe.drivers import checks
from ponprobe.drivers.base import OltDriver
from ponprobe.drivers.huawei import parse
from ponprobe.drivers.huawei.dialect import MA5600T, MA5800
from ponprobe.drivers.huawei.snmp import HuaweiSnmp
from ponprobe.errors import (
    NotFound,
    NotOurs,
    NotSupported,
    Rejected,
)
from ponprobe.flow import Cli, CliReply, Flow, Routes, Write, ask, write
from ponprobe.models.acceptance import (
    ActivationOrder,
    Created,
    CreatedOnu,
    CreatedServicePort,
    Ownership,
    Registration,
    Residue,
)
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial
from ponprobe.models.device import Board, Conflict, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.optical import OnuOptical, OpticalReading, PortOptical, Reading, read_at
from ponprobe.models.parsed import Parsed
from ponprobe.models.service import ProfileRef, ServicePort

CONFIG = "config"
ONU_IDS = range(128)
"""GPON carries ONU-IDs 0 to 127 on a port (ITU-T G.984.3; Huawei ONT-ID 0 to 127)."""
SLOW_TABLE_S = 180.0
"""``optical-info P all`` asks every ONU by OMCI: seconds to tens of seconds on a full port."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The words in which versions differ."""

    traffic: str = "inbound traffic-table index {inbound} outbound traffic-table index {outbound}"


OLD_WORDS = Grammar(traffic="rx-cttr {outbound} tx-cttr {inbound}")
"""V800R007 to R015, in this order. The table's RX column shows what ``outbound`` set, so ``rx-cttr`` is outbound."""


def _board_view(port: PonPort) -> str:
    return f"config-if-gpon-{port.frame}/{port.slot}"


def _fsp(port: PonPort) -> str:
    """The form with blanks: slashes before an ONT ID are a parameter error on R015."""
    return f"{port.frame} {port.slot} {port.port}"


def _by(profile: ProfileRef | None) -> str:
    """``id 20`` or ``name X``; an order without its profiles does not come this far (``order_needs``)."""
    if profile is None:
        raise ValueError("an order for this family names its profiles")
    return str(profile)


def _profile_words(profile: ProfileRef | None, kind: str) -> str:
    return f"ont-{kind}-{_by(profile)}"


def _profile_question(profile: ProfileRef | None, kind: str) -> Cli:
    return Cli(f"display ont-{kind} gpon profile-{_by(profile)}", view=CONFIG)


def _auth_words(auth: OnuAuth) -> str:
    if auth.loid is not None:
        words = f"loid-auth {auth.loid.value.get_secret_value()}"
        if auth.loid.checkcode is not None:
            words += f" checkcode-auth {auth.loid.checkcode.get_secret_value()}"
        return f"{words} always-on"
    if auth.serial is None:
        return f"password-auth {auth.password.value.get_secret_value()} always-on" if auth.password else ""
    words = f"sn-auth {auth.serial.hex16}"
    return f"{words} password-auth {auth.password.value.get_secret_value()}" if auth.password else words


class HuaweiSmartAX(OltDriver):
    """MA5600T, MA5603T, MA5608T, MA5680T, MA5683T, MA5800, MA5801, EA5800."""

    platform: ClassVar[str] = "huawei_smartax"
    order_needs: ClassVar[tuple[str, ...]] = ("line_profile", "service_profile")
    models: ClassVar[tuple[str, ...]] = (
        "MA5600T",
        "MA5603T",
        "MA5608T",
        "MA5680T",
        "MA5683T",
        "MA5800",
        "MA5801",
        "EA5800",
    )

    def __init__(
        self, cli: CliDialect = MA5600T, grammar: Grammar | None = None, agent: HuaweiSnmp | None = None
    ) -> None:
        self.cli: CliDialect = cli
        self.grammar = grammar or Grammar()
        self.agent = agent or HuaweiSnmp()
        self.snmp = self.agent.dialect

    def adapted_to(self, facts: OltFacts) -> HuaweiSmartAX:
        """MA5800 family by its version name; the old traffic words up to R015; the agent's manners by the model."""
        agent = self.agent.adapted_to(facts)
        version = (facts.version or "").upper()
        if "V100R" in version:
            return HuaweiSmartAX(MA5800, agent=agent)
        release = version.partition("V800R")[2][:3]
        old = release.isdigit() and int(release) <= 15
        return HuaweiSmartAX(MA5600T, OLD_WORDS if old else None, agent)

    # ------------------------------------------------------------------ questions

    def facts(self) -> Routes[OltFacts]:
        return {"cli": self._facts(), "snmp": self.agent.facts()}

    def _facts(self) -> Flow[OltFacts]:
        (reply,) = yield from ask(Cli("display version"))
        return parse.version(reply.text)

    def boards(self) -> Routes[tuple[Board, ...]]:
        return {"cli": self._boards(), "snmp": self.agent.boards()}

    def _boards(self) -> Flow[tuple[Board, ...]]:
        (reply,) = yield from ask(Cli("display board 0"))
        return tuple(board for board in parse.boards(reply.text) if board.board is not None)

    def pon_ports(self) -> Routes[tuple[PonPort, ...]]:
        return {"cli": self._pon_ports(), "snmp": self.agent.ports()}

    def _pon_ports(self) -> Flow[tuple[PonPort, ...]]:
        boards = yield from self._boards()
        pages = yield from ask(*(Cli(f"display board {board.frame}/{board.slot}") for board in boards))
        found = []
        for board, reply in zip(boards, pages, strict=True):
            page = parse.board(reply.text, board.frame, board.slot)
            found += [PonPort(frame=board.frame, slot=board.slot, port=number) for number in range(page.ports or 0)]
        return tuple(found)

    def pon_port(self, port: PonPort) -> Routes[PonPortState]:
        return {"cli": self._pon_port(port), "snmp": self.agent.pon_port(port)}

    def _pon_port(self, port: PonPort) -> Flow[PonPortState]:
        (reply,) = yield from ask(self._port_state(port))
        found = parse.port_state(reply.text, port)
        return PonPortState(port=port, optical=found, olt_tx_dbm=_olt_tx(found, reply))

    @staticmethod
    def _port_state(port: PonPort) -> Cli:
        return Cli(f"display port state {port.port}", view=_board_view(port))

    def discovered(self, port: PonPort | None = None) -> Routes[tuple[DiscoveredOnu, ...]]:
        return {"cli": self._discovered(port), "snmp": self.agent.discovered(port)}

    def _discovered(self, port: PonPort | None) -> Flow[tuple[DiscoveredOnu, ...]]:
        # the whole OLT in one answer; the forms with a port are refused on some versions
        (reply,) = yield from ask(Cli("display ont autofind all", view=CONFIG))
        return tuple(onu for onu in parse.autofind(reply.text) if port is None or onu.port == port)

    def onus(self, port: PonPort) -> Routes[tuple[OnuState, ...]]:
        return {"cli": self._onus(port), "snmp": self.agent.onus(port)}

    def _onus(self, port: PonPort) -> Flow[tuple[OnuState, ...]]:
        (reply,) = yield from ask(Cli(f"display ont info {_fsp(port)} all", view=CONFIG))
        return parse.onu_table(reply.text, port)

    def find(self, serial: Serial) -> Routes[OnuState | None]:
        return {"cli": self._find(serial), "snmp": self.agent.find(serial)}

    def _find(self, serial: Serial) -> Flow[OnuState | None]:
        (reply,) = yield from ask(Cli(f"display ont info by-sn {serial.hex16}", view=CONFIG))
        return parse.onu_detail(reply.text)

    def onu_state(self, onu: OnuRef) -> Routes[OnuState | None]:
        return {"cli": self._onu_state(onu), "snmp": self.agent.onu_state(onu)}

    def _onu_state(self, onu: OnuRef) -> Flow[OnuState | None]:
        (reply,) = yield from ask(self._detail(onu))
        return parse.onu_detail(reply.text)

    @staticmethod
    def _detail(onu: OnuRef) -> Cli:
        return Cli(f"display ont info {_fsp(onu.port)} {onu.onu_id}", view=CONFIG)

    @staticmethod
    def _services_of(where: PonPort | OnuRef) -> Cli:
        if isinstance(where, PonPort):
            return Cli(f"display service-port port {where}", view=CONFIG)
        return Cli(f"display service-port port {where.port} ont {where.onu_id}", view=CONFIG)

    def optical(self, onu: OnuRef) -> Routes[OpticalReading]:
        return {"cli": self._optical(onu), "snmp": self.agent.optical(onu)}

    def _optical(self, onu: OnuRef) -> Flow[OpticalReading]:
        view = _board_view(onu.port)
        mine, port = yield from ask(
            Cli(f"display ont optical-info {onu.port.port} {onu.onu_id}", view=view), self._port_state(onu.port)
        )
        return _reading(parse.onu_optical(mine.text, onu), mine, parse.port_state(port.text, onu.port), port, onu)

    def optical_port(self, port: PonPort) -> Routes[tuple[OpticalReading, ...]]:
        return {"cli": self._optical_port(port), "snmp": self.agent.optical_port(port)}

    def _optical_port(self, port: PonPort) -> Flow[tuple[OpticalReading, ...]]:
        table, state = yield from ask(self._optical_table(port), self._port_state(port))
        return _readings(table, port, parse.port_state(state.text, port), state)

    @staticmethod
    def _optical_table(port: PonPort) -> Cli:
        return Cli(f"display ont optical-info {port.port} all", view=_board_view(port), timeout_s=SLOW_TABLE_S)

    def optical_board(self, frame: int, slot: int) -> Routes[tuple[OpticalReading, ...]]:
        return {"cli": self._optical_board(frame, slot), "snmp": self.agent.optical_board(frame, slot)}

    def _optical_board(self, frame: int, slot: int) -> Flow[tuple[OpticalReading, ...]]:
        (states,) = yield from ask(Cli("display port state all", view=f"config-if-gpon-{frame}/{slot}"))
        ports = {state.port: state for state in parse.port_states(states.text) if state.port is not None}
        lit = [port for port, state in ports.items() if state.module_state != "offline"]
        tables = yield from ask(*(self._optical_table(port) for port in lit))
        found: list[OpticalReading] = []
        for port, table in zip(lit, tables, strict=True):
            found += _readings(table, port, ports[port], states)
        return tuple(found)

    def service_ports(self, where: PonPort | OnuRef) -> Routes[tuple[ServicePort, ...]]:
        return {"cli": self._service_ports(where), "snmp": self.agent.service_ports(where)}

    def _service_ports(self, where: PonPort | OnuRef) -> Flow[tuple[ServicePort, ...]]:
        (reply,) = yield from ask(self._services_of(where))
        return parse.service_ports(reply.text)

    def macs(self, onu: OnuRef) -> Routes[tuple[MacEntry, ...]]:
        return {"cli": self._macs(onu), "snmp": self.agent.macs(onu)}

    def _macs(self, onu: OnuRef) -> Flow[tuple[MacEntry, ...]]:
        (reply,) = yield from ask(Cli(f"display mac-address port {onu.port} ont {onu.onu_id}", view=CONFIG))
        return parse.macs(reply.text)

    def conflicts(self, serial: Serial) -> Routes[tuple[Conflict, ...]]:
        return {"snmp": self.agent.conflicts(serial)}

    # ------------------------------------------------------------------ changes

    def prepare(self, order: ActivationOrder, mark: str) -> Flow[Registration]:
        if order.technology != "gpon":
            raise NotSupported(
                f"registering on {order.port} by EPON: nobody has shown what a SmartAX answers there",
                hint="ponprobe parse reads what an EPON board prints",
            )
        port, serial = order.port, order.auth.serial
        wants_index = order.service_model == "per_onu"
        questions = {
            "onus": Cli(f"display ont info {_fsp(port)} all", view=CONFIG),
            "line": _profile_question(order.line_profile, "lineprofile"),
            "service": _profile_question(order.service_profile, "srvprofile"),
            "discovered": Cli("display ont autofind all", view=CONFIG),
        }
        if serial is not None:
            questions["serial"] = Cli(f"display ont info by-sn {serial.hex16}", view=CONFIG)
        if order.vlans is not None:
            questions["services"] = self._services_of(port)
            questions["vlan"] = Cli(f"display vlan {order.vlans.svlan}", view=CONFIG)
        if wants_index:
            questions["index"] = Cli("display service-port next-free-index", view=CONFIG)
        replies = dict(zip(questions, (yield from ask(*questions.values())), strict=True))

        used = parse.onu_table(replies["onus"].text, port)
        if serial is not None:
            known = parse.onu_detail(replies["serial"].text)
            checks.refuse_known_serial(order, known, "display ont info by-sn")
            checks.refuse_other_port(order, parse.autofind(replies["discovered"].text), "display ont autofind all")
        _check_profiles(order, replies["line"], replies["service"])
        if order.vlans is not None:
            _check_vlan(order, replies["vlan"], parse.service_ports(replies["services"].text))
        index = parse.next_free_index(replies["index"].text) if wants_index else None
        place = checks.free_place(order, (state.onu for state in used if state.onu is not None), ONU_IDS)
        return Registration(order=order, onu=place, mark=mark, service_index=index)

    def register(self, registration: Registration) -> Flow[None]:
        order, onu = registration.order, registration.onu
        view, port = _board_view(onu.port), onu.port.port
        created = CreatedOnu(owner=registration.ownership)
        profiles = (
            f"omci {_profile_words(order.line_profile, 'lineprofile')} "
            f"{_profile_words(order.service_profile, 'srvprofile')} desc {registration.device_description}"
        )
        verb = f"ont confirm {port} ontid" if order.confirm else f"ont add {port}"
        yield from write(
            Write(
                what=f"register test ONU {onu} ({order.auth})",
                request=Cli(
                    f"{verb} {onu.onu_id} {_auth_words(order.auth)} {profiles}",
                    view=view,
                    secrets=order.auth.secrets,
                ),
                check=_Added(onu),
                creates=created,
                undo=(Cli(f"ont delete {port} {onu.onu_id}", view=view),),
            )
        )
        if order.native_vlan and order.vlans is not None and order.service_model != "none":
            user_vlan = order.user_vlan or order.vlans.cvlan
            yield from write(
                Write(
                    what=f"put untagged traffic of {onu} eth {order.eth_port} into VLAN {user_vlan}",
                    request=Cli(
                        f"ont port native-vlan {port} {onu.onu_id} eth {order.eth_port} vlan {user_vlan} priority 0",
                        view=view,
                    ),
                    check=_accepted,
                    part_of=created,
                )
            )

    def add_service(self, registration: Registration) -> Flow[None]:
        order, onu, index = registration.order, registration.onu, registration.service_index
        if order.service_model != "per_onu" or order.vlans is None or index is None:
            return
        svlan, cvlan = order.vlans.svlan, order.vlans.cvlan
        line = (
            f"service-port {index} vlan {svlan} gpon {onu.port} ont {onu.onu_id} gemport {order.gemport} "
            f"multi-service user-vlan {order.user_vlan or cvlan} "
            f"tag-transform translate-and-add inner-vlan {cvlan} inner-priority 0"
        )
        if order.inbound_traffic is not None:
            words = self.grammar.traffic.format(inbound=order.inbound_traffic, outbound=order.outbound_traffic)
            line = f"{line} {words}"
        yield from write(
            Write(
                what=f"give {onu} service port {index} with {order.vlans}",
                request=Cli(line, view=CONFIG),
                check=_accepted,
                creates=CreatedServicePort(owner=registration.ownership, index=index, vlans=order.vlans),
                undo=(Cli(f"undo service-port {index}", view=CONFIG),),
            )
        )

    def read_back(self, registration: Registration) -> Flow[OnuState]:
        order, onu = registration.order, registration.onu
        questions = [self._detail(onu)]
        if order.service_model == "per_onu":
            questions.append(self._services_of(onu))
        replies = yield from ask(*questions)
        state = parse.onu_detail(replies[0].text)
        if state is None:
            raise _differs(replies[0], f"ONU {onu} was accepted but is not there")
        if not registration.ownership.matches(description=state.description, serial=state.serial):
            raise _differs(replies[0], f"ONU {onu} is {state.serial} {state.description!r}, not what was registered")
        if order.service_model == "per_onu" and order.vlans is not None:
            rows = parse.service_ports(replies[1].text)
            user_vlan = order.user_vlan or order.vlans.cvlan
            want = (registration.service_index, order.vlans.svlan, user_vlan, order.gemport)
            if want not in {(row.index, row.svlan, row.cvlan, row.gemport) for row in rows}:
                raise _differs(replies[1], f"service port {want[0]} of {onu} is not as requested ({order.vlans})")
        return state

    def guard(self, owner: Ownership, created: tuple[Created, ...]) -> Flow[tuple[Created, ...]]:
        onu = owner.onu
        detail, services = yield from ask(self._detail(onu), self._services_of(onu))
        state = parse.onu_detail(detail.text)
        if state is None:
            return ()
        if not owner.matches(description=state.description, serial=state.serial):
            raise NotOurs(
                f"ONU {onu} is {state.serial or 'an ONU'} with description {state.description!r}, not our {owner.mark}",
                hint="it was left untouched",
            )
        rows = {row.index for row in parse.service_ports(services.text)}
        ours = {item.index: item for item in created if isinstance(item, CreatedServicePort) and item.index in rows}
        present: tuple[Created, ...] = tuple(ours.values())
        # the OLT deletes an ONT only when no service port is left on it
        return present if rows - ours.keys() else (*present, CreatedOnu(owner=owner))

    def remove(self, owner: Ownership, present: tuple[Created, ...]) -> Flow[None]:
        onu = owner.onu
        for item in present:
            if isinstance(item, CreatedServicePort):
                line, check = Cli(f"undo service-port {item.index}", view=CONFIG), _accepted
            else:
                line, check = Cli(f"ont delete {onu.port.port} {onu.onu_id}", view=_board_view(onu.port)), _deleted
            yield from write(Write(what=f"remove {item}", request=line, check=check, removes=item))

    def residue(self, owner: Ownership, created: tuple[Created, ...]) -> Flow[tuple[Residue, ...]]:
        onu = owner.onu
        questions = [self._detail(onu), self._services_of(onu)]
        if owner.serial is not None:
            questions.append(Cli(f"display ont info by-sn {owner.serial.hex16}", view=CONFIG))
        replies = yield from ask(*questions)
        left: list[Residue] = []
        state = parse.onu_detail(replies[0].text)
        mine = state is not None and owner.matches(description=state.description, serial=state.serial)
        if state is not None:
            what = f"ONU {onu} ({state.serial or 'no serial'}, {state.description!r})"
            left.append(Residue(what=what, ours=mine, where=str(onu)))
        indexes = {item.index for item in created if isinstance(item, CreatedServicePort)}
        for row in parse.service_ports(replies[1].text):
            ours = mine and row.index in indexes
            left.append(Residue(what=f"service port {row.index}", ours=ours, where=str(onu)))
        if owner.serial is not None:
            elsewhere = parse.onu_detail(replies[2].text)
            if elsewhere is not None and elsewhere.onu != onu:
                ours = owner.matches(description=elsewhere.description, serial=elsewhere.serial)
                what = f"serial {owner.serial} registered with description {elsewhere.description!r}"
                left.append(Residue(what=what, ours=ours, where=str(elsewhere.onu)))
        return tuple(left)

    # ------------------------------------------------------------------ reading without a device

    def parse(self, command: str | None, context: str | None, text: str) -> Parsed:
        return parse.parse(command, context, text)


# ---------------------------------------------------------------------- checks of replies to changes


def _accepted(reply: CliReply) -> None:
    """Silence or a success counter; a refusal raises. What counts is the read-back afterwards."""
    parse.write(reply.text, reply.request)


@dataclass(frozen=True, slots=True)
class _Added:
    """``ont add`` succeeded only if the counter says so and the ONT ID is the one that we chose."""

    onu: OnuRef

    def __call__(self, reply: CliReply) -> None:
        outcome = parse.ont_add(reply.text, reply.request)
        if outcome.onu is not None and not outcome.onu.endswith(f":{self.onu.onu_id}"):
            raise _differs(reply, f"the OLT registered ONT {outcome.onu} instead of {self.onu}")


def _deleted(reply: CliReply) -> None:
    parse.ont_delete(reply.text, reply.request)


def _differs(reply: CliReply, message: str) -> Rejected:
    return Rejected(message, command=str(reply.request), output=reply.text, hint="read the OLT before trying again")


# ---------------------------------------------------------------------- checks before anything is changed


def _check_profiles(order: ActivationOrder, line: CliReply, service: CliReply) -> None:
    profile = parse.line_profile(line.text)
    if profile is None:
        raise NotFound(f"line profile {order.line_profile} does not exist", command=line.request.line)
    if order.service_model == "per_onu" and order.gemport not in profile.gemports:
        raise NotFound(
            f"line profile {order.line_profile} has no GEM port {order.gemport}",
            command=line.request.line,
            hint=f"it has {', '.join(map(str, profile.gemports)) or 'none'}",
        )
    if parse.service_profile(service.text) is None:
        raise NotFound(f"service profile {order.service_profile} does not exist", command=service.request.line)


def _check_vlan(order: ActivationOrder, vlan: CliReply, services: tuple[ServicePort, ...]) -> None:
    if order.vlans is None:
        return
    if not parse.vlan_exists(vlan.text):
        raise NotFound(
            f"SVLAN {order.vlans.svlan} does not exist on this OLT",
            command=vlan.request.line,
            hint="check the SVLAN in the resource data of this PON port",
        )
    shared = [row for row in services if row.onu is None]
    if order.service_model == "shared" and not any(row.svlan == order.vlans.svlan for row in shared):
        raise NotFound(
            f"{order.port} has no shared service port with SVLAN {order.vlans.svlan}",
            command=f"display service-port port {order.port}",
            hint="order a service port of its own (service_model='per_onu')",
        )
    checks.refuse_carried_vlans(order, services, f"display service-port port {order.port}")


# ---------------------------------------------------------------------- readings


def _olt_tx(port: PortOptical, reply: CliReply) -> Reading:
    return read_at(port.olt_tx_dbm, port.absent.get("olt_tx_dbm"), source=reply.source, at=reply.at)


def _reading(mine: OnuOptical, answer: CliReply, port: PortOptical, state: CliReply, onu: OnuRef) -> OpticalReading:
    powers = {
        name: read_at(
            getattr(mine, name),
            mine.absent.get(name),
            source=answer.source,
            at=answer.at,
            precision_db=mine.precision_db if name.startswith("onu_") else None,
        )
        for name in ("olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")
    }
    return OpticalReading(
        onu=onu,
        olt_tx_dbm=_olt_tx(port, state),
        temperature_c=mine.temperature_c,
        voltage_v=mine.voltage_v,
        bias_ma=mine.bias_ma,
        device_downstream_attenuation_db=mine.downstream_attenuation_db,
        device_upstream_attenuation_db=mine.upstream_attenuation_db,
        **powers,
    )


def _readings(table: CliReply, port: PonPort, state: PortOptical, answer: CliReply) -> tuple[OpticalReading, ...]:
    rows = parse.optical_table(table.text, port)
    return tuple(_reading(row, table, state, answer, row.onu) for row in rows if row.onu is not None)
