"""What is asked of a ZTE OLT: one flow for each question of the contract.

Every question runs in ``#``, from where a refused change has been left. Where a version does not know the first form of
a question, or a port turns out to be EPON, the next form is asked: a refusal tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.zte import parse
from ponprobe.drivers.zte.grammar import Grammar
from ponprobe.errors import NotFound
from ponprobe.flow import Cli, CliReply, Flow, ask
from ponprobe.models.acceptance import MARK_PREFIX
from ponprobe.models.addressing import OnuRef, PonPort, Serial, Technology
from ponprobe.models.device import Board, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.optical import Absence, OnuOptical, OpticalReading, PortOptical, Reading, read_at
from ponprobe.models.service import ServicePort

EXEC = "enable"
NOT_THERE = {"unknown_command", "parameter_error", "ambiguous", "incomplete", "not_found"}
"""How a device refuses a question that it does not know, or about a port or an ONU that is not there."""


def question(line: str) -> Cli:
    """A question, to be asked outside every sub-mode."""
    return Cli(line, view=EXEC)


def does_not_know(answer: Answer) -> bool:
    """Whether the device does not know the question, or what it is about."""
    return answer.refusal is not None and answer.refusal.refused_class in NOT_THERE


class Questions:
    """The questions of one family at one version."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar

    # ------------------------------------------------------------------ the OLT

    def facts(self) -> Flow[OltFacts]:
        """``show card`` tells the family, and with it which question tells the version."""
        (card,) = yield from ask(question("show card"))
        answer = parse.cleaned(card.text)
        identity = self.grammar.identity
        family = parse.cards(answer).family
        if family != self.grammar.platform:
            identity = ("show software",) if family == "zte_titan" else ("show version-running", "show system-group")
        more = yield from ask(*map(question, identity))
        return parse.facts(answer, *(reply.text for reply in more))

    def boards(self) -> Flow[tuple[Board, ...]]:
        """Every card, of any kind."""
        (reply,) = yield from ask(question("show card"))
        return parse.cards(reply.text).boards

    # ------------------------------------------------------------------ ONUs

    def waiting(self) -> Flow[tuple[DiscoveredOnu, ...]]:
        """ONUs that wait, on the whole OLT, by the first form of the question that this patch level knows."""
        answers = []
        for line in self.grammar.waiting:
            (reply,) = yield from ask(question(line))
            answers.append(parse.cleaned(reply.text))
            if not does_not_know(answers[-1]):
                break
        if self.grammar.epon_waiting is not None:
            (reply,) = yield from ask(question(self.grammar.epon_waiting))
            answers.append(parse.cleaned(reply.text))
        told = [answer for answer in answers if not does_not_know(answer)] or answers[:1]
        return tuple(onu for answer in told for onu in parse.waiting(answer))

    def onus(self, port: PonPort) -> Flow[tuple[OnuState, ...]]:
        """States and identities of a port's ONUs: two tables, merged by place."""
        name = self.grammar.port(port)
        states, base = yield from ask(
            question(f"show gpon onu state {name}"), question(f"show gpon onu baseinfo {name}")
        )
        if self.grammar.epon and does_not_know(parse.cleaned(states.text)):
            return (yield from self._epon_onus(port))
        identities = {state.onu: state for state in parse.baseinfo(base.text)}
        found = []
        for state in parse.states(states.text):
            known = identities.pop(state.onu, None)
            found.append(_merged(state, known) if known is not None else state)
        # an ONU-ID that only the second table knows is used all the same
        return tuple(state for state in (*found, *identities.values()) if state.onu and state.onu.port == port)

    def _epon_onus(self, port: PonPort) -> Flow[tuple[OnuState, ...]]:
        name = self.grammar.port(port, "epon")
        states, config = yield from ask(question(f"show epon onu state {name}"), question(self._config(name)))
        found = {state.onu: state for state in parse.epon_states(states.text)}
        listed = []
        for entry in parse.port_onus(config.text, name):
            state = found.get(entry.onu) or OnuState(onu=entry.onu)
            listed.append(state.model_copy(update={"mac": state.mac or entry.mac, "onu_type": entry.onu_type}))
        return tuple(listed)

    def find(self, serial: Serial) -> Flow[OnuState | None]:
        """Where a serial is registered, with what stands there."""
        (reply,) = yield from ask(self.by_serial(serial))
        place = parse.by_serial(reply.text)
        if place is None:
            return None
        state = yield from self.onu_state(place)
        return state or OnuState(onu=place, serial=serial)

    @staticmethod
    def by_serial(serial: Serial) -> Cli:
        """The question where a serial is registered, on the whole OLT."""
        return question(f"show gpon onu by sn {serial}")

    def onu_state(self, onu: OnuRef) -> Flow[OnuState | None]:
        """One ONU's page. Where descriptions are covered, the mark is read from the ONU's configuration."""
        name = self.grammar.onu(onu)
        lines = [question(f"show gpon onu detail-info {name}")]
        if self.grammar.masks:
            lines.append(question(self._config(name)))
        replies = yield from ask(*lines)
        answer = parse.cleaned(replies[0].text)
        if does_not_know(answer):
            return (yield from self._not_on_gpon(onu, answer, replies[0]))
        state = parse.detail(answer)
        if state is None or state.description is not None or not self.grammar.masks:
            return state
        config = yield from self.config_of(name, replies[1])
        return state.model_copy(update={"description": shown_mark(config)})

    def _not_on_gpon(self, onu: OnuRef, refused: Answer, reply: CliReply) -> Flow[OnuState | None]:
        """The page was refused: there is no such ONU, or its port is EPON, or the question is wrong."""
        (table,) = yield from ask(question(f"show gpon onu state {self.grammar.port(onu.port)}"))
        answer = parse.cleaned(table.text)
        if self.grammar.epon and does_not_know(answer):
            return (yield from self._epon_state(onu))
        if any(state.onu == onu for state in parse.states(answer)):
            parsing.refuse(refused, reply.request)
        return None

    def _epon_state(self, onu: OnuRef) -> Flow[OnuState | None]:
        name = self.grammar.onu(onu, "epon")
        listed = yield from self._epon_onus(onu.port)
        state = next((state for state in listed if state.onu == onu), None)
        if state is None:
            return None
        (reply,) = yield from ask(question(self._config(name)))
        return state.model_copy(update={"description": parse.onu_config(reply.text, name).description})

    # ------------------------------------------------------------------ configurations

    def _config(self, name: str) -> str:
        return self.grammar.config.format(name=name)

    def config(self, name: str) -> Cli:
        """The question for the configuration of an interface."""
        return question(self._config(name))

    def config_of(self, name: str, reply: CliReply) -> Flow[parse.OnuConfig]:
        """Read an ONU's configuration, from the inside if this version does not know the question."""
        text = yield from self.config_text(name, reply)
        return parse.onu_config(text, name)

    def config_text(self, name: str, reply: CliReply) -> Flow[Answer]:
        """Return the answer that holds an interface's configuration; the first one, unless it was not understood."""
        answer = parse.cleaned(reply.text)
        if does_not_know(answer) and self.grammar.config_inside is not None:
            (inside,) = yield from ask(Cli(self.grammar.config_inside, view=f"config-if-{name}"))
            answer = parse.cleaned(inside.text)
        parsing.refuse(answer, reply.request)
        return answer

    def services(self, where: PonPort | OnuRef) -> Flow[tuple[ServicePort, ...]]:
        """The services of one ONU, or of every ONU of a port: one question each, as no table shows them."""
        if isinstance(where, OnuRef):
            return (yield from self.services_of((where,)))
        name = self.grammar.port(where)
        (reply,) = yield from ask(self.config(name))
        text = yield from self.config_text(name, reply)
        return (yield from self.services_of(tuple(entry.onu for entry in parse.port_onus(text, name))))

    def services_of(self, onus: Sequence[OnuRef]) -> Flow[tuple[ServicePort, ...]]:
        """The services of these ONUs. On TITAN they stand on the vports, one for each GEM port."""
        names = [self.grammar.onu(onu) for onu in onus]
        if not names:
            return ()
        replies = yield from ask(*map(self.config, names))
        configs = []
        for name, reply in zip(names, replies, strict=True):
            configs.append((yield from self.config_of(name, reply)))
        if self.grammar.vport is None:
            return tuple(service for config in configs for service in config.services)
        vports = [
            vport
            for onu, config in zip(onus, configs, strict=True)
            for number in config.gemports
            if (vport := self.grammar.vport_of(onu, number)) is not None
        ]
        found: list[ServicePort] = []
        for vport, reply in zip(vports, (yield from ask(*map(self.config, vports))), strict=True):
            found += parse.configured_services((yield from self.config_text(vport, reply)))
        return tuple(found)

    def macs(self, onu: OnuRef) -> Flow[tuple[MacEntry, ...]]:
        """The addresses behind one ONU; their VLAN is the outer one."""
        line = self.grammar.macs.format(onu=self.grammar.onu(onu), vport=self.grammar.vport_of(onu, 1))
        (reply,) = yield from ask(question(line))
        return parse.macs(reply.text)

    # ------------------------------------------------------------------ optics

    def ports(self) -> Flow[tuple[PonPort, ...]]:
        """The GPON ports that have ONUs: one question for the whole OLT tells which."""
        (reply,) = yield from ask(question("show gpon onu state"))
        ports = {state.onu.port for state in parse.states(reply.text) if state.onu is not None}
        return tuple(sorted(ports, key=lambda port: (port.frame, port.slot, port.port)))

    def pon_port(self, port: PonPort) -> Flow[PonPortState]:
        """A port's launch power and its module. The module's own figure counts only where the other is not told."""
        name = self.grammar.port(port)
        launch, module = yield from ask(
            question(f"show pon power olt-tx {name}"), question(self.grammar.module.format(port=name))
        )
        told = parse.cleaned(launch.text)
        optical = parse.module(module.text, port)
        found, source = (optical, module) if does_not_know(told) else (parse.port_tx(told, port), launch)
        return PonPortState(
            port=port, optical=optical.model_copy(update={"port": port}), olt_tx_dbm=_launched(found, source)
        )

    def attenuation(self, onu: OnuRef, technology: Technology = "gpon") -> Cli:
        """The question for all four powers of one ONU."""
        return question(f"show pon power attenuation {self.grammar.onu(onu, technology)}")

    def optical(self, onu: OnuRef) -> Flow[OpticalReading]:
        """All four powers of one ONU, with one question."""
        (reply,) = yield from ask(self.attenuation(onu))
        if self.grammar.epon and does_not_know(parse.cleaned(reply.text)):
            (again,) = yield from ask(self.attenuation(onu, "epon"))
            reply = reply if does_not_know(parse.cleaned(again.text)) else again
        return _reading(onu, reply)

    def optical_port(self, port: PonPort) -> Flow[tuple[OpticalReading, ...]]:
        """Every ONU of a port with four questions; where a version lacks one of them, ONU by ONU for the rest."""
        name = self.grammar.port(port)
        kinds = ("olt-tx", "olt-rx", "onu-rx", "onu-tx")
        replies = yield from ask(*(question(f"show pon power {kind} {name}") for kind in kinds))
        told = {
            kind: (answer, reply)
            for kind, reply in zip(kinds, replies, strict=True)
            if not does_not_know(answer := parse.cleaned(reply.text))
        }
        if "olt-rx" not in told:
            parsing.refuse(parse.cleaned(replies[1].text), replies[1].request)
        tables = {
            kind: ({row.onu: row for row in parse.powers(answer, kind)}, reply)
            for kind, (answer, reply) in told.items()
            if kind != "olt-tx"
        }
        onus = [onu for onu in tables["olt-rx"][0] if onu is not None]
        # OLT Tx is one figure for the whole port; ONU figures have to be asked for each
        missing = onus if len(tables) < len(kinds) - 1 else onus[:1] if "olt-tx" not in told else []
        single = dict(zip(missing, (yield from ask(*map(self.attenuation, missing))), strict=True))
        readings = {onu: _reading(onu, reply) for onu, reply in single.items()}
        launched = _launched(parse.port_tx(told["olt-tx"][0], port), told["olt-tx"][1]) if "olt-tx" in told else None
        if launched is None and readings:
            launched = readings[onus[0]].olt_tx_dbm
        return tuple(_row(onu, tables, launched, readings.get(onu)) for onu in onus)

    def optical_board(self, frame: int, slot: int) -> Flow[tuple[OpticalReading, ...]]:
        """Every port of a board that has ONUs: one question for the whole OLT tells which."""
        found: list[OpticalReading] = []
        for port in (yield from self.ports()):
            if (port.frame, port.slot) == (frame, slot):
                found += yield from self.optical_port(port)
        return tuple(found)

    # ------------------------------------------------------------------ of one order

    def known_port(self, port: PonPort, technology: Technology, reply: CliReply) -> Flow[Answer]:
        """Return a port's configuration, or raise ``NotFound`` that says what is wrong with the port."""
        name = self.grammar.port(port, technology)
        answer = parse.cleaned(reply.text)
        if not does_not_know(answer):
            return (yield from self.config_text(name, reply))
        (card,) = yield from ask(question("show card"))
        board = next((one for one in parse.cards(card.text).boards if one.slot == port.slot), None)
        if board is not None and board.status == "INSERVICE" and port.port in range(1, (board.ports or 0) + 1):
            return (yield from self.config_text(name, reply))
        why = f"no board in slot {port.slot}"
        if board is not None:
            why = f"board {board.board} in slot {port.slot} is {board.status} and has {board.ports} ports"
        raise NotFound(
            f"there is no PON port {name} on this OLT: {why}",
            command=reply.request.line,
            output=reply.text,
            refused="not_found",
            hint="check frame, slot and port in the resource data",
        )


def shown_mark(config: parse.OnuConfig) -> str | None:
    """The description, or the name of a GEM port that carries a mark of ours where descriptions are covered."""
    names = [name for name in config.gemports.values() if name and name.startswith(f"{MARK_PREFIX}_")]
    return config.description or (names[0] if names else None)


def _merged(state: OnuState, known: OnuState) -> OnuState:
    more = {name: getattr(known, name) for name in ("serial", "mac", "onu_type", "auth_type")}
    return state.model_copy(update=more)


def _launched(port: PortOptical, reply: CliReply) -> Reading:
    return read_at(port.olt_tx_dbm, port.absent.get("olt_tx_dbm"), source=reply.source, at=reply.at)


def _power(found: OnuOptical, name: str, reply: CliReply) -> Reading:
    return read_at(getattr(found, name), found.absent.get(name), source=reply.source, at=reply.at)


def _reading(onu: OnuRef, reply: CliReply) -> OpticalReading:
    found = parse.attenuation(reply.text, onu)
    return OpticalReading(
        onu=onu,
        device_downstream_attenuation_db=found.downstream_attenuation_db,
        device_upstream_attenuation_db=found.upstream_attenuation_db,
        **{name: _power(found, name, reply) for name in ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")},
    )


_Table = tuple[Mapping[OnuRef | None, OnuOptical], CliReply]
_KIND_OF: dict[str, str] = {"olt_rx_dbm": "olt-rx", "onu_rx_dbm": "onu-rx", "onu_tx_dbm": "onu-tx"}


def _row(
    onu: OnuRef, tables: Mapping[str, _Table], launched: Reading | None, single: OpticalReading | None
) -> OpticalReading:
    """Put one ONU's reading together from the tables of its port; what they lack comes from its own answer."""
    powers: dict[str, Reading] = {"olt_tx_dbm": launched} if launched is not None else {}
    for name, kind in _KIND_OF.items():
        if kind in tables and onu in tables[kind][0]:
            powers[name] = _power(tables[kind][0][onu], name, tables[kind][1])
        elif kind in tables:
            powers[name] = Reading(absence=Absence.NOT_REPORTED, source=tables[kind][1].source, at=tables[kind][1].at)
    found = OpticalReading(onu=onu, **powers)
    return found if single is None else found.merged_with(single)
