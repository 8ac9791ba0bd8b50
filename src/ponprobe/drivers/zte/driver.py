"""ZTE ZXAN (C300, C320) and TITAN (C600 family), over the command line.

What is asked is in ``questions``, the words of each family and version in ``grammar``, how the device talks in
``dialect``, what its answers say in ``parse``. Here: which lines make a test ONU, which take it away, and what proves
both. The support matrix says what was seen where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from ponprobe.dialect import CliDialect
from ponprobe.drivers import checks
from ponprobe.drivers.base import OltDriver
from ponprobe.drivers.zte import dialect, orders, parse
from ponprobe.drivers.zte.grammar import TITAN, V2, Grammar, Step, grammar_for
from ponprobe.drivers.zte.questions import Questions, question, shown_mark
from ponprobe.drivers.zte.snmp import ZteSnmp
from ponprobe.errors import NotOurs, Rejected
from ponprobe.flow import Cli, CliReply, Flow, Routes, Write, ask, write
from ponprobe.models.acceptance import (
    ActivationOrder,
    Created,
    CreatedOnu,
    Ownership,
    Registration,
    Residue,
)
from ponprobe.models.addressing import OnuRef, PonPort, Serial, Technology
from ponprobe.models.device import Board, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.optical import OpticalReading
from ponprobe.models.parsed import Parsed
from ponprobe.models.service import ServicePort

ONU_IDS = range(1, 129)
"""ONU-IDs of a PON port, 1 to 128."""
LONGEST_TEXT = 32
"""Descriptions are cut to so many characters; the mark stands first."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands in a place: the port's line for it, and the configuration of its interface."""

    entry: parse.ConfiguredOnu
    config: parse.OnuConfig

    def belongs_to(self, owner: Ownership) -> bool:
        """Whether it is ours: by our mark, or, while it has no text at all, by its identity."""
        return owner.matches(
            description=shown_mark(self.config),
            serial=self.entry.serial,
            mac=self.entry.mac,
            secret=self.entry.secret,
        )

    def may_belong_to(self, owner: Ownership) -> bool:
        """Whether nothing speaks against it: no text, and no identity that the device shows."""
        shown = (self.entry.serial, self.entry.mac, self.entry.secret)
        return owner.marked_later and shown_mark(self.config) is None and not any(shown)

    def __str__(self) -> str:
        identity = self.entry.serial or self.entry.mac or "no serial shown"
        return f"ONU {self.entry.onu} ({identity}, {shown_mark(self.config)!r})"


class ZteOlt(OltDriver):
    """What both families share, which is nearly everything; a family is its grammar and its dialect."""

    order_needs: ClassVar[tuple[str, ...]] = ("onu_type", "tcont_profile")
    family: ClassVar[tuple[CliDialect, Grammar]]

    def __init__(self, cli: CliDialect | None = None, grammar: Grammar | None = None) -> None:
        own_dialect, own_grammar = self.family
        self.cli: CliDialect = cli or own_dialect
        self.grammar = grammar or own_grammar
        self.ask = Questions(self.grammar)
        self.agent = ZteSnmp(titan=self.grammar.platform == "zte_titan")
        self.snmp = self.agent.dialect

    def adapted_to(self, facts: OltFacts) -> ZteOlt:
        """The driver of the family that ``show card`` showed, whatever it was called in the inventory."""
        grammar = grammar_for(facts.family or self.grammar.platform, facts.version)
        kind = ZteTitan if grammar.platform == ZteTitan.platform else ZteZxan
        return kind(grammar=grammar)

    # ------------------------------------------------------------------ questions

    def facts(self) -> Routes[OltFacts]:
        return {"cli": self.ask.facts(), "snmp": self.agent.facts()}

    def boards(self) -> Routes[tuple[Board, ...]]:
        return {"cli": self.ask.boards(), "snmp": self.agent.boards()}

    def pon_ports(self) -> Routes[tuple[PonPort, ...]]:
        return {"cli": self.ask.ports(), "snmp": self.agent.ports()}

    def pon_port(self, port: PonPort) -> Routes[PonPortState]:
        return {"cli": self.ask.pon_port(port), "snmp": self.agent.pon_port(port)}

    def discovered(self, port: PonPort | None = None) -> Routes[tuple[DiscoveredOnu, ...]]:
        return {"cli": self._discovered(port), "snmp": self.agent.discovered(port)}

    def _discovered(self, port: PonPort | None) -> Flow[tuple[DiscoveredOnu, ...]]:
        found = yield from self.ask.waiting()
        return tuple(onu for onu in found if port is None or onu.port == port)

    def onus(self, port: PonPort) -> Routes[tuple[OnuState, ...]]:
        return {"cli": self.ask.onus(port), "snmp": self.agent.onus(port)}

    def find(self, serial: Serial) -> Routes[OnuState | None]:
        return {"cli": self.ask.find(serial), "snmp": self.agent.find(serial)}

    def onu_state(self, onu: OnuRef) -> Routes[OnuState | None]:
        return {"cli": self.ask.onu_state(onu), "snmp": self.agent.onu_state(onu)}

    def optical(self, onu: OnuRef) -> Routes[OpticalReading]:
        return {"cli": self.ask.optical(onu), "snmp": self.agent.optical(onu)}

    def optical_port(self, port: PonPort) -> Routes[tuple[OpticalReading, ...]]:
        return {"cli": self.ask.optical_port(port), "snmp": self.agent.optical_port(port)}

    def optical_board(self, frame: int, slot: int) -> Routes[tuple[OpticalReading, ...]]:
        return {"cli": self.ask.optical_board(frame, slot), "snmp": self.agent.optical_board(frame, slot)}

    def service_ports(self, where: PonPort | OnuRef) -> Routes[tuple[ServicePort, ...]]:
        return {"cli": self.ask.services(where), "snmp": self.agent.service_ports(where)}

    def macs(self, onu: OnuRef) -> Routes[tuple[MacEntry, ...]]:
        return {"cli": self.ask.macs(onu), "snmp": self.agent.macs(onu)}

    # ------------------------------------------------------------------ before a change

    def prepare(self, order: ActivationOrder, mark: str) -> Flow[Registration]:
        orders.refuse_what_nobody_has_seen(order, self.grammar)
        grammar, technology = self.grammar, order.technology
        port = grammar.port(order.port, technology)
        asked = {"port": self.ask.config(port), "types": question(f"show onu-type {technology}")}
        if technology == "gpon":
            asked["tconts"] = question("show gpon profile tcont")
        if order.auth.serial is not None:
            asked["serial"] = self.ask.by_serial(order.auth.serial)
        if order.service_model == "shared" and grammar.smart_qinq is not None:
            asked["shared"] = question(grammar.smart_qinq)
        replies = dict(zip(asked, (yield from ask(*asked.values())), strict=True))

        config = yield from self.ask.known_port(order.port, technology, replies["port"])
        used = parse.port_onus(config, port)
        checks.refuse_known_serial(order, orders.namesake(order.auth, used), asked["port"].line)
        orders.demand_name(order.onu_type, replies["types"], "ONU type")
        if "tconts" in replies:
            orders.demand_name(order.tcont_profile, replies["tconts"], "T-CONT profile")
        if "shared" in replies:
            orders.demand_shared(order, replies["shared"])
        yield from self._refuse_other_places(order, replies.get("serial"))
        if order.service_model == "per_onu":
            services = yield from self.ask.services_of(tuple(entry.onu for entry in used))
            checks.refuse_carried_vlans(order, services, grammar.config.format(name="..."))
        place = checks.free_place(order, (entry.onu for entry in used), ONU_IDS)
        return Registration(order=order, onu=place, mark=mark, marked_later=True)

    def _refuse_other_places(self, order: ActivationOrder, reply: CliReply | None) -> Flow[None]:
        place = parse.by_serial(reply.text) if reply is not None else None
        if reply is not None and place is not None:
            known = (yield from self.ask.onu_state(place)) or OnuState(onu=place, serial=order.auth.serial)
            checks.refuse_known_serial(order, known, reply.request.line)
        waiting = yield from self.ask.waiting()
        checks.refuse_other_port(order, waiting, self.grammar.waiting[0])

    # ------------------------------------------------------------------ changes

    def register(self, registration: Registration) -> Flow[None]:
        order, onu = registration.order, registration.onu
        created, technology = CreatedOnu(owner=registration.ownership), registration.order.technology
        view = f"config-if-{self.grammar.port(onu.port, technology)}"
        undo = (Cli(f"no onu {onu.onu_id}", view=view),)
        # the device takes the mark in a line of its own; the object is journalled with the line that completes it, and
        # as both are on disk before the first byte is sent, a session that ends between them leaves nothing unknown
        yield from write(
            Write(
                what=f"register test ONU {onu} ({order.auth})",
                request=Cli(
                    f"onu {onu.onu_id} type {order.onu_type} {orders.auth_words(order.auth)}",
                    view=view,
                    secrets=order.auth.secrets,
                ),
                check=_confirmed,
                part_of=created,
                undo=undo,
            )
        )
        interface = f"config-if-{self.grammar.onu(onu, technology)}"
        text = registration.device_description[:LONGEST_TEXT]
        yield from write(
            Write(
                what=f"mark test ONU {onu} with {registration.mark}",
                request=Cli(f"{'property ' if technology == 'epon' else ''}description {text}", view=interface),
                check=_accepted,
                creates=created,
                undo=undo,
            )
        )
        if technology == "epon":
            enable = Cli("admin enable", view=interface)
            yield from write(Write(what=f"enable test ONU {onu}", request=enable, check=_accepted, part_of=created))

    def add_service(self, registration: Registration) -> Flow[None]:
        """Give the ONU its path. Under a shared SVLAN the ONU still needs its own CVLAN; the port adds the rest."""
        created = CreatedOnu(owner=registration.ownership)
        for step, values in self._chain(registration):
            yield from write(
                Write(
                    what=step.what.format(**values),
                    request=Cli(step.line.format(**values), view=self._view(step, registration)),
                    check=_accepted,
                    part_of=created,
                )
            )

    def _chain(self, registration: Registration) -> Iterator[tuple[Step, dict[str, object]]]:
        """The lines that an order needs, in the order in which the device takes them, and what stands in them."""
        order = registration.order
        if order.service_model == "none" or order.vlans is None:
            return
        outer = f" svlan {order.vlans.svlan}" if order.service_model == "per_onu" else ""
        values: dict[str, object] = {
            "onu": registration.onu,
            "profile": order.tcont_profile,
            "gem": order.gemport,
            "mark": registration.mark,
            "user": order.user_vlan or order.vlans.cvlan,
            "inner": order.vlans.cvlan,
            "outer": outer,
            "vlans": order.vlans,
            "eth": order.eth_port,
        }
        style = self.grammar.service if order.omci_style == "service" else self.grammar.flow
        for step in (*self.grammar.path, *style):
            if step.when == "always" or (step.when == "bridge") == order.native_vlan:
                yield step, values

    def _view(self, step: Step, registration: Registration) -> str:
        onu = self.grammar.onu(registration.onu)
        if step.place == "omci":
            return f"pon-onu-mng-{onu}"
        if step.place == "vport":
            return f"config-if-{self.grammar.vport_of(registration.onu, registration.order.gemport)}"
        return f"config-if-{onu}"

    # ------------------------------------------------------------------ what stands there

    def _look(
        self, onu: OnuRef, technology: Technology, *more: Cli
    ) -> Flow[tuple[_Standing | None, tuple[CliReply, ...]]]:
        """Read a place: the port's configuration says whether an ONU is there and who it is, its own what it holds."""
        port, name = self.grammar.port(onu.port, technology), self.grammar.onu(onu, technology)
        replies = yield from ask(self.ask.config(port), self.ask.config(name), *more)
        text = yield from self.ask.config_text(port, replies[0])
        entry = next((entry for entry in parse.port_onus(text, port) if entry.onu == onu), None)
        if entry is None:
            return None, replies[2:]
        config = yield from self.ask.config_of(name, replies[1])
        return _Standing(entry, config), replies[2:]

    def read_back(self, registration: Registration) -> Flow[OnuState]:
        order, onu = registration.order, registration.onu
        name, technology = self.grammar.onu(onu, order.technology), order.technology
        more: dict[str, Cli] = {}
        if technology == "gpon":
            more["page"] = question(f"show gpon onu detail-info {name}")
        if order.service_model != "none":
            if self.grammar.omci_config is not None:
                more["omci"] = question(self.grammar.omci_config.format(onu=name))
            vport = self.grammar.vport_of(onu, order.gemport)
            if vport is not None:
                more["vport"] = self.ask.config(vport)
        standing, rest = yield from self._look(onu, technology, *more.values())
        replies = dict(zip(more, rest, strict=True))
        if standing is None:
            raise _differs(name, f"ONU {onu} was accepted but is not there")
        if not standing.belongs_to(registration.ownership):
            raise _differs(name, f"{standing} is not what was registered")
        if standing.entry.onu_type != order.onu_type:
            raise _differs(name, f"ONU {onu} is of type {standing.entry.onu_type}, not {order.onu_type}")
        if order.service_model != "none":
            yield from self._compare(registration, standing.config, replies)
        state = parse.detail(replies["page"].text) if "page" in replies else None
        state = state or OnuState(onu=onu, serial=standing.entry.serial, mac=standing.entry.mac)
        return state.model_copy(update={"description": shown_mark(standing.config)})

    def _compare(self, registration: Registration, config: parse.OnuConfig, replies: dict[str, CliReply]) -> Flow[None]:
        """Hold what the device has against the order: T-CONT, GEM port, VLANs, and what the ONU is told."""
        order, onu = registration.order, registration.onu
        name = self.grammar.onu(onu)
        if config.tconts.get(1) != order.tcont_profile or order.gemport not in config.gemports:
            raise _differs(name, f"T-CONT 1 or GEM port {order.gemport} of {onu} is not as requested")
        found = config.services
        if "vport" in replies:
            vport = str(self.grammar.vport_of(onu, order.gemport))
            found = parse.configured_services((yield from self.ask.config_text(vport, replies["vport"])))
        if order.vlans is not None:
            svlan = order.vlans.svlan if order.service_model == "per_onu" else None
            user = order.user_vlan or order.vlans.cvlan
            want = ServicePort(index=1, svlan=svlan, cvlan=user, inner_vlan=order.vlans.cvlan)
            if _flow_of(want) not in map(_flow_of, found):
                raise _differs(name, f"service port 1 of {onu} is not as requested ({order.vlans})")
        if "omci" in replies:
            lines = {line.lower() for line in parse.omci_lines(replies["omci"].text, name)}
            wanted = [step.line.format(**values) for step, values in self._chain(registration) if step.place == "omci"]
            missing = [line for line in wanted if not _told(line.lower(), lines)]
            if missing:
                raise _differs(name, f"ONU {onu} is not told {missing[0]!r}")

    def guard(self, owner: Ownership, created: tuple[Created, ...]) -> Flow[tuple[Created, ...]]:
        del created  # one object carries everything: what stands in its place decides
        standing, _ = yield from self._look(owner.onu, owner.technology)
        if standing is None:
            return ()
        if not standing.belongs_to(owner):
            why = " (it has no text, and who it is cannot be read)" if standing.may_belong_to(owner) else ""
            raise NotOurs(f"{standing} is not our {owner.mark}{why}", hint="it was left untouched")
        return (CreatedOnu(owner=owner),)

    def remove(self, owner: Ownership, present: tuple[Created, ...]) -> Flow[None]:
        view = f"config-if-{self.grammar.port(owner.onu.port, owner.technology)}"
        for item in present:
            # everything on the ONU goes with it: its interface, its service ports, what it was told
            line = Cli(f"no onu {owner.onu.onu_id}", view=view)
            yield from write(Write(what=f"remove {item}", request=line, check=_confirmed, removes=item))

    def residue(self, owner: Ownership, created: tuple[Created, ...]) -> Flow[tuple[Residue, ...]]:
        del created
        more = () if owner.serial is None else (self.ask.by_serial(owner.serial),)
        standing, replies = yield from self._look(owner.onu, owner.technology, *more)
        left: list[Residue] = []
        if standing is not None:
            suspicious = standing.may_belong_to(owner)
            what = f"{standing}, which may be ours" if suspicious else str(standing)
            left.append(Residue(what=what, ours=suspicious or standing.belongs_to(owner), where=str(owner.onu)))
        for reply in replies:
            place = parse.by_serial(reply.text)
            if place is not None and place != owner.onu:
                state = yield from self.ask.onu_state(place)
                text = state.description if state is not None else None
                what = f"serial {owner.serial} registered with description {text!r}"
                left.append(Residue(what=what, ours=bool(text) and _is_marked(owner, text), where=str(place)))
        return tuple(left)

    # ------------------------------------------------------------------ reading without a device

    def parse(self, command: str | None, context: str | None, text: str) -> Parsed:
        return parse.parse(command, context, text)


class ZteZxan(ZteOlt):
    """C200, C220, C300, C320 with ZXAN software."""

    platform: ClassVar[str] = "zte_zxan"
    models: ClassVar[tuple[str, ...]] = ("C200", "C220", "C300", "C320")
    family: ClassVar[tuple[CliDialect, Grammar]] = (dialect.ZXAN, V2)


class ZteTitan(ZteOlt):
    """C600, C610, C620, C650, and a C300 that carries TITAN software."""

    platform: ClassVar[str] = "zte_titan"
    models: ClassVar[tuple[str, ...]] = ("C600", "C610", "C620", "C650")
    family: ClassVar[tuple[CliDialect, Grammar]] = (dialect.TITAN, TITAN)


# ---------------------------------------------------------------------- words and checks


def _accepted(reply: CliReply) -> None:
    """Silence; a refusal raises and names the command. What counts is the read-back afterwards."""
    parse.accepted(reply.text, reply.request)


def _confirmed(reply: CliReply) -> None:
    """``onu`` and ``no onu`` succeeded only if they say so."""
    parse.confirmed(reply.text, reply.request)


def _differs(name: str, message: str) -> Rejected:
    return Rejected(message, command=f"reading back {name}", hint="read the OLT before trying again")


def _flow_of(row: ServicePort) -> tuple[int | None, ...]:
    # a VLAN that becomes another one without an outer tag is shown without saying which is whose
    user = None if row.svlan is None and row.cvlan != row.inner_vlan else row.cvlan
    return row.index, row.svlan, user, row.inner_vlan


def _told(wanted: str, lines: Iterable[str]) -> bool:
    """Whether an ONU holds a line; the device may show it without words that only repeat what is usual."""
    words = wanted.split()
    return any(_in_order(line.split(), words) and line.split()[-1] == words[-1] for line in lines)


def _in_order(shown: list[str], words: list[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in shown)


def _is_marked(owner: Ownership, text: str | None) -> bool:
    return (text or "").startswith(owner.mark)
