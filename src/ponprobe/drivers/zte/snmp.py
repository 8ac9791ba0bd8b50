"""What is asked of a ZTE OLT over SNMP, reading only: one flow for each question of the contract.

Which tree a build has is asked, column by column, with one GET; "no such object" is a column that it does not have,
"no such instance" a row that is not there. Walks stay inside one PON port. What the OLT fetches from its ONUs (OMCI) is
asked with GETs, a few ONUs at a time, and only of ONUs that work: a walk over them dies midway on a full OLT.

EPON ports answer under numbers on which the public programs do not agree; they are ``NotSupported`` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from ponprobe.dialect import SnmpDialect
from ponprobe.drivers.columns import Row, get_rows, walk_rows
from ponprobe.drivers.zte import snmp_columns as table
from ponprobe.drivers.zte.snmp_cells import Cell, best, existing, telling, walked
from ponprobe.drivers.zte.snmp_columns import MODULE, ONU, Source, Sources, Waiting
from ponprobe.drivers.zte.snmp_index import (
    Place,
    all_places,
    bridge_place,
    locate,
    service_index,
)
from ponprobe.drivers.zte.snmp_models import board_of, mac_entry, not_asked, product_of, service_of, state_of, works
from ponprobe.errors import NotFound, NotSupported, ParseError
from ponprobe.flow import Missing, Oid, SnmpFlow, SnmpGet, SnmpReply, SnmpWalk, ask_snmp, dotted
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.optical import Absence, OpticalReading, PortOptical, Reading
from ponprobe.models.service import ServicePort

ZTE_SNMP = SnmpDialect(
    name="zte",
    # C300 V2.1 never answers a GETBULK for 0 rows; programs ask it for 5 to 20 at a time
    max_repetitions=10,
    get_chunk=8,
    timeout_s=5.0,
    slow_timeout_s=15.0,
    retries=1,
    # five at once is what these agents stand
    max_concurrent=4,
)
"""How ZTE agents want to be asked."""

_ANYBODY = 1
"""The ONU-ID of a question that only asks whether a column exists."""
_SLOW_ONUS = 4
"""ONUs in one GET of columns that come over OMCI; two powers of each."""


class ZteSnmp:
    """The questions to one ZTE OLT. ``titan``: the C600 family, which has the tree 1082 and no other."""

    def __init__(self, *, titan: bool = False, dialect: SnmpDialect = ZTE_SNMP) -> None:
        self.titan = titan
        self.dialect = dialect

    # ------------------------------------------------------------------ the OLT

    def facts(self) -> SnmpFlow[OltFacts]:
        """Model, version and family from sysDescr and sysObjectID.

        V1.2 calls itself ``ZX Version V4.``, which is neither model nor version: there the version stays unknown.
        """
        asked = (table.SYS_DESCR, table.SYS_OBJECT_ID, table.SYS_UPTIME, table.SYS_NAME)
        reply = yield from ask_snmp(SnmpGet(asked))
        descr, object_id, uptime, name = (reply.values.get(each, Missing.NO_SUCH_INSTANCE) for each in asked)
        text = descr.decode("utf-8", "replace") if isinstance(descr, bytes) else ""
        model, family = product_of(object_id)
        named = re.match(r"(C\d\w*) Version (V[\w.]*\w)", text)
        if model is None and named is None:
            raise ParseError(
                f"this is no ZTE OLT that ponprobe knows: sysObjectID {object_id!r}", template="system", text=text
            )
        return OltFacts(
            model=named[1] if named else model,
            version=named[2] if named else None,
            hostname=name.decode("utf-8", "replace") or None if isinstance(name, bytes) else None,
            uptime=str(timedelta(seconds=uptime // 100)) if isinstance(uptime, int) else None,
            family=family,
        )

    def boards(self) -> SnmpFlow[tuple[Board, ...]]:
        """Every card, with its state and ports and, under 1082, its software."""
        for cards in (table.CARDS_NEW,) if self.titan else (table.CARDS_NEW, table.CARDS_OLD):
            rows = yield from walk_rows(cards.columns)
            if rows:
                return tuple(board_of(row, cards) for row in rows.values())
        raise NotSupported("this build shows no table of cards over SNMP")

    def ports(self) -> SnmpFlow[tuple[PonPort, ...]]:
        """Every GPON port that the OLT names; EPON ports are not read over SNMP."""
        return tuple(place.port for place in (yield from all_places()) if place.technology == "gpon")

    def pon_port(self, port: PonPort) -> SnmpFlow[PonPortState]:
        """A port's module: launch power and sensors; and whether the port is up (ifOperStatus)."""
        place = yield from locate(port)
        state = Source(table.IF_OPER, "if")
        asked = {**{name: self._module(name, place) for name in MODULE}, "port_state": (state,)}
        reply = yield from self._get((source, place, ()) for sources in asked.values() for source in sources)
        launched = best(asked["olt_tx_dbm"], place, (), reply).reading()
        found = {name: best(sources, place, (), reply) for name, sources in asked.items() if name != "olt_tx_dbm"}
        optical = PortOptical(
            port=port,
            olt_tx_dbm=launched.value,
            absent={
                **{name: cell.absence for name, cell in found.items() if cell.absence is not None},
                **({"olt_tx_dbm": launched.absence} if launched.absence is not None else {}),
            },
            **{name: cell.value for name, cell in found.items()},
        )
        return PonPortState(port=port, optical=optical, olt_tx_dbm=launched)

    def _module(self, name: str, place: Place) -> Sources:
        own = table.Source(MODULE[name][0].column, "new").at(place)
        return tuple(
            source
            for position, source in enumerate(self._sources(MODULE[name]))
            if position == 0 or source.at(place) != own
        )

    # ------------------------------------------------------------------ ONUs

    def discovered(self, port: PonPort | None = None) -> SnmpFlow[tuple[DiscoveredOnu, ...]]:
        """GPON ONUs that wait, port by port."""
        if port is not None:
            places: tuple[Place, ...] = ((yield from self._gpon(port)),)
        else:
            places = tuple(place for place in (yield from all_places()) if place.technology == "gpon")
        if not places:
            return ()
        tables = (table.WAITING_NEW,) if self.titan else (table.WAITING_OLD, table.WAITING_V21, table.WAITING_NEW)
        known = yield from self._known([[each.source for each in tables]], places[0])
        if not known[0]:
            raise NotSupported("this build shows no waiting ONUs over SNMP")
        found: list[DiscoveredOnu] = []
        for place in places:
            for each in tables:
                if each.source in known[0]:
                    waiting = yield from self._waiting(each, place)
                    found += waiting
                    if waiting:
                        break
        return tuple(found)

    def _waiting(self, kind: Waiting, place: Place) -> SnmpFlow[list[DiscoveredOnu]]:
        rows = yield from walk_rows((kind.serial,), (place.index(kind.way),))
        more = yield from get_rows(tuple(rows), tuple(kind.more.values()), rows_per_get=2)
        found = []
        for index, row in rows.items():
            serial, absence = row.read(kind.serial)
            if serial is None:
                raise ParseError(f"waiting ONU {dotted(index)} on {place.port}: its serial is {absence}")
            told = {name: more[index].value(column) for name, column in kind.more.items()}
            password = told.pop("password", None)
            found.append(
                DiscoveredOnu(
                    port=place.port, serial=serial, password=SecretStr(password) if password else None, **told
                )
            )
        return found

    def onus(self, port: PonPort) -> SnmpFlow[tuple[OnuState, ...]]:
        """Every registered ONU of a port: a column after the other, from the trees that have it."""
        place = yield from self._gpon(port)
        names = (*table.IDENTITY, *(name for name in ONU if name not in table.IDENTITY))
        known = dict(zip(names, (yield from self._known([ONU[name] for name in names], place)), strict=True))
        if not any(known[name] for name in table.IDENTITY):
            raise NotSupported("this build shows no list of ONUs over SNMP")
        found: dict[OnuRef, dict[str, Any]] = {}
        supported = {name for name in names if known[name]}
        for name in names:
            for ref, cell in (yield from self._column(known[name], place)).items():
                if name in table.IDENTITY or ref in found:
                    found.setdefault(ref, {})[name] = cell
        return tuple(state_of(ref, found[ref], supported) for ref in sorted(found, key=lambda ref: ref.onu_id))

    def find(self, serial: Serial) -> SnmpFlow[OnuState | None]:
        """Where a serial is registered, on any GPON port: port by port until it is found."""
        known: Sources | None = None
        for place in (yield from all_places()):
            if place.technology != "gpon":
                continue
            if known is None:
                (known,) = yield from self._known([ONU["serial"]], place)
                if not known:
                    raise NotSupported("this build shows no serials over SNMP")
            for ref, cell in (yield from self._column(known, place)).items():
                if cell.value == serial:
                    state = yield from self._state_at(place, ref)
                    return state or OnuState(onu=ref, serial=serial)
        return None

    def onu_state(self, onu: OnuRef) -> SnmpFlow[OnuState | None]:
        """One ONU, with one GET; ``None`` if none is registered in that place."""
        place = yield from self._gpon(onu.port)
        return (yield from self._state_at(place, onu))

    def _state_at(self, place: Place, onu: OnuRef) -> SnmpFlow[OnuState | None]:
        asked = {name: self._sources(ONU[name]) for name in ONU}
        reply = yield from self._get((source, place, (onu.onu_id,)) for all_ in asked.values() for source in all_)
        cells = {name: best(sources, place, (onu.onu_id,), reply) for name, sources in asked.items()}
        if all(cells[name].absence is Absence.UNSUPPORTED for name in table.IDENTITY):
            raise NotSupported("this build shows no ONUs over SNMP")
        if not any(cells[name].there for name in table.IDENTITY):
            return None
        return state_of(onu, cells, set(cells))

    # ------------------------------------------------------------------ optics

    def optical(self, onu: OnuRef) -> SnmpFlow[OpticalReading]:
        """The four powers of one ONU: one GET to the OLT, one that the ONU answers if it works."""
        place = yield from self._gpon(onu.port)
        phases, received, launch = self._of_the_olt(place)
        one = (onu.onu_id,)
        reply = yield from self._get(
            [(source, place, one) for source in (*phases, *received)] + [(source, place, ()) for source in launch]
        )
        phase, olt_rx = best(phases, place, one, reply), best(received, place, one, reply)
        rows = [cell for cell in (phase, olt_rx) if cell.absence is not Absence.UNSUPPORTED]
        if rows and not any(cell.there for cell in rows):
            raise NotFound(f"there is no ONU {onu} on this OLT", command=str(reply.request), refused="not_found")
        powers = {
            "olt_tx_dbm": best(launch, place, (), reply).reading(),
            "olt_rx_dbm": olt_rx.reading(),
        }
        if not works(phase, olt_rx):
            return OpticalReading(onu=onu, **powers, **not_asked(phase, olt_rx))
        own = {"onu_rx_dbm": self._sources(table.ONU_RX), "onu_tx_dbm": self._sources(table.ONU_TX)}
        vitals = {name: self._sources(table.VITALS[name]) for name in (table.VITALS if self.titan else ())}
        all_ = [source for sources in (*own.values(), *vitals.values()) for source in sources]
        reply = yield from self._get(((source, place, one) for source in all_), self.dialect.slow_timeout_s)
        powers.update({name: best(sources, place, one, reply).reading() for name, sources in own.items()})
        told = {name: best(sources, place, one, reply).value for name, sources in vitals.items()}
        return OpticalReading(onu=onu, **powers, **told)

    def _of_the_olt(self, place: Place) -> tuple[Sources, Sources, Sources]:
        return self._sources(ONU["run_state"]), self._sources(table.OLT_RX), self._module("olt_tx_dbm", place)

    def optical_port(self, port: PonPort) -> SnmpFlow[tuple[OpticalReading, ...]]:
        """Every ONU of a port: two walks for the OLT's side, GETs of some ONUs each for the ONUs that work."""
        return (yield from self._optical_at((yield from self._gpon(port))))

    def optical_board(self, frame: int, slot: int) -> SnmpFlow[tuple[OpticalReading, ...]]:
        """Every ONU of a board, port by port."""
        found: list[OpticalReading] = []
        for place in (yield from all_places()):
            if (place.port.frame, place.port.slot, place.technology) == (frame, slot, "gpon"):
                found += yield from self._optical_at(place)
        return tuple(found)

    def _optical_at(self, place: Place) -> SnmpFlow[tuple[OpticalReading, ...]]:
        phases, received, launch = self._of_the_olt(place)
        reply = yield from self._get(
            [(source, place, (_ANYBODY,)) for source in (*phases, *received)] + [(each, place, ()) for each in launch]
        )
        olt_tx = best(launch, place, (), reply).reading()
        phases, received = (existing(each, place, (_ANYBODY,), reply) for each in (phases, received))
        if not phases and not received:
            yield from self._demand_elsewhere(place)
            return ()
        states = yield from self._column(phases, place)
        heard = yield from self._column(received, place)
        onus = sorted({*states, *heard}, key=lambda ref: ref.onu_id)
        if not onus:
            return ()
        no_row = Absence.NOT_REPORTED if received else Absence.UNSUPPORTED
        unheard = Cell(None, no_row, Missing.NO_SUCH_INSTANCE, reply.source, reply.at)
        no_phase = Absence.NOT_REPORTED if phases else Absence.UNSUPPORTED
        unphased = Cell(None, no_phase, Missing.NO_SUCH_INSTANCE, reply.source, reply.at)
        sides = {ref: (states.get(ref, unphased), heard.get(ref, unheard)) for ref in onus}
        own = yield from self._own_powers(place, [ref for ref, side in sides.items() if works(*side)])
        return tuple(
            OpticalReading(
                onu=ref, olt_tx_dbm=olt_tx, olt_rx_dbm=olt_rx.reading(), **own.get(ref, not_asked(phase, olt_rx))
            )
            for ref, (phase, olt_rx) in sides.items()
        )

    def _demand_elsewhere(self, place: Place) -> SnmpFlow[None]:
        """A port of which nothing is known is empty if the tables have rows of other ports; else they do not exist.

        Some agents say "no such object" of a port without rows.
        """
        phases, received, _ = self._of_the_olt(place)
        for source in (*received, *phases):
            if (yield from ask_snmp(SnmpWalk(source.column.oid))).values:
                return
        raise NotSupported("this build shows neither the states of ONUs nor what it receives from them over SNMP")

    def _own_powers(self, place: Place, onus: Sequence[OnuRef]) -> SnmpFlow[dict[OnuRef, dict[str, Reading]]]:
        """What the ONUs say. The first one shows which tree has which power; the others are asked there."""
        asked = {"onu_rx_dbm": self._sources(table.ONU_RX), "onu_tx_dbm": self._sources(table.ONU_TX)}
        found: dict[OnuRef, dict[str, Reading]] = {}
        parts = [onus[:1], *(onus[start : start + _SLOW_ONUS] for start in range(1, len(onus), _SLOW_ONUS))]
        for part in parts:
            questions = [(each, place, (ref.onu_id,)) for ref in part for all_ in asked.values() for each in all_]
            if not questions:
                break
            reply = yield from self._get(questions, self.dialect.slow_timeout_s)
            for ref in part:
                cells = {name: best(sources, place, (ref.onu_id,), reply) for name, sources in asked.items()}
                found[ref] = {name: cell.reading() for name, cell in cells.items()}
            if part is parts[0]:
                one = (part[0].onu_id,)
                asked = {name: telling(sources, place, one, reply) for name, sources in asked.items()}
        return found

    # ------------------------------------------------------------------ services

    def service_ports(self, where: PonPort | OnuRef) -> SnmpFlow[tuple[ServicePort, ...]]:
        """The service ports of a port or an ONU (ZTE-AN-SERVICEPORT under 1082). SNMP does not tell their indexes.

        1015 has a table of them, too, under ONU numbers that no public source proves: not supported.
        """
        port = where.port if isinstance(where, OnuRef) else where
        place = yield from self._gpon(port)
        rows = yield from self._service_rows(place)
        found = (service_of(place, row) for row in rows.values())
        return tuple(each for each in found if not isinstance(where, OnuRef) or each.onu == where)

    def _service_rows(self, place: Place) -> SnmpFlow[dict[Oid, Row]]:
        probe = (*table.SERVICE_SVLAN.oid, place.index("new"), service_index(_ANYBODY, 1))
        reply = yield from ask_snmp(SnmpGet((probe,)))
        if reply.values.get(probe) is Missing.NO_SUCH_OBJECT:
            raise NotSupported("this build does not show service ports under 1082 over SNMP")
        return (yield from walk_rows(table.SERVICES, (place.index("new"),)))

    def macs(self, onu: OnuRef) -> SnmpFlow[tuple[MacEntry, ...]]:
        """The addresses learnt behind one ONU. Where the table begins with the VLAN, only the ONU's own are asked."""
        place = yield from self._gpon(onu.port)
        new = place.index("new")
        columns = (table.MACS_BY_VLAN,) if self.titan else (table.MACS_BY_PORT, table.MACS_BY_VLAN)
        reply = yield from ask_snmp(SnmpGet(tuple((*column, new, 1) for column in columns)))
        known = [column for column in columns if reply.values.get((*column, new, 1)) is not Missing.NO_SUCH_OBJECT]
        if not known:
            raise NotSupported("this build does not show learnt addresses under 1082 over SNMP")
        if known[0] == table.MACS_BY_PORT:
            reply = yield from ask_snmp(SnmpWalk(table.MACS_BY_PORT, (new,)))
            return tuple(
                mac_entry(onu, index[2], index[3:])
                for index, _ in reply.rows()
                if len(index) == 9 and (bridge_place(index[1]) or (None,))[0] == onu.onu_id
            )
        return (yield from self._macs_by_vlan(place, onu))

    def _macs_by_vlan(self, place: Place, onu: OnuRef) -> SnmpFlow[tuple[MacEntry, ...]]:
        services = [service_of(place, row) for row in (yield from self._service_rows(place)).values()]
        asked = {
            (vlan, service.vport): None
            for service in services
            if service.onu == onu and service.vport is not None
            for vlan in (service.svlan, service.inner_vlan)
            if vlan is not None
        }
        found = []
        for vlan, vport in asked:
            under = (vlan, place.index("new"), service_index(onu.onu_id, vport))
            reply = yield from ask_snmp(SnmpWalk(table.MACS_BY_VLAN, under))
            found += [mac_entry(onu, vlan, index[4:]) for index, _ in reply.rows()]
        return tuple(found)

    # ------------------------------------------------------------------ asking

    def _sources(self, sources: Sources) -> Sources:
        return tuple(source for source in sources if source.new or not self.titan)

    def _gpon(self, port: PonPort) -> SnmpFlow[Place]:
        place = yield from locate(port)
        if place.technology != "gpon":
            raise NotSupported(f"{port} is an EPON port: ZTE's EPON tables are not read over SNMP")
        return place

    @staticmethod
    def _get(
        questions: Iterable[tuple[Source, Place, tuple[int, ...]]], timeout_s: float | None = None
    ) -> SnmpFlow[SnmpReply]:
        wanted = dict.fromkeys(source.at(place, *parts) for source, place, parts in questions)
        return (yield from ask_snmp(SnmpGet(tuple(wanted), timeout_s)))

    def _known(self, all_: Sequence[Sequence[Source]], place: Place) -> SnmpFlow[list[Sources]]:
        """Of each question, the sources that this build has: one GET for all of them."""
        left = [self._sources(tuple(sources)) for sources in all_]
        reply = yield from self._get((source, place, (_ANYBODY,)) for sources in left for source in sources)
        return [existing(sources, place, (_ANYBODY,), reply) for sources in left]

    @staticmethod
    def _column(sources: Sources, place: Place) -> SnmpFlow[dict[OnuRef, Cell]]:
        """A port's rows from the first source that has any."""
        for source in sources:
            reply = yield from ask_snmp(SnmpWalk(source.column.oid, (place.index(source.way),)))
            if found := walked(source, place, reply):
                return found
        return {}
