"""From ZTE's SNMP rows to what the driver tells: cards, ONUs, service ports, addresses."""

from __future__ import annotations

from collections.abc import Mapping

from ponprobe.drivers.columns import Row, oid
from ponprobe.drivers.zte import snmp_columns as table
from ponprobe.drivers.zte.snmp_cells import Cell
from ponprobe.drivers.zte.snmp_columns import PHASES_OLD, WORKING
from ponprobe.drivers.zte.snmp_index import Place, mac_text, service_place
from ponprobe.errors import ParseError
from ponprobe.flow import Oid, SnmpValue, dotted
from ponprobe.models.addressing import OnuRef
from ponprobe.models.device import Board, MacEntry, OnuState
from ponprobe.models.optical import Absence, Reading
from ponprobe.models.service import ServicePort

_NEW_PRODUCTS, _OLD_PRODUCTS = oid(f"{table.N}.1001"), oid(table.L)


def product_of(object_id: SnmpValue) -> tuple[str | None, str | None]:
    """Model and family: ``3902.1082.1001.320.2.1`` is a C320, ``3902.1015.300.3.1`` a C300 with V1.2."""
    if not isinstance(object_id, tuple):
        return None, None
    for products in (_NEW_PRODUCTS, _OLD_PRODUCTS):
        if object_id[: len(products)] == products and len(object_id) > len(products):
            number = object_id[len(products)]
            family = "zte_titan" if 600 <= number < 700 else "zte_zxan" if 200 <= number < 400 else None
            return (f"C{number}", family) if family else (None, None)
    return None, None


def board_of(row: Row, cards: table.Cards) -> Board:
    """One card."""
    if len(row.index) != 3:
        raise ParseError(f"card {dotted(row.index)}: not rack, shelf and slot")
    _, shelf, slot = row.index
    ports = row.whole(cards.ports)
    return Board(
        frame=shelf,
        slot=slot,
        board=row.value(cards.name),
        status=row.value(cards.state),
        ports=ports,
        software=row.value(cards.software) if cards.software is not None else None,
        absent={} if ports is not None else {"ports": Absence.NOT_REPORTED},
    )


def state_of(onu: OnuRef, cells: Mapping[str, Cell], supported: set[str]) -> OnuState:
    """Put an ONU together; an absence is told for what it would be judged by."""
    absent: dict[str, Absence] = {}
    for name in ("serial", "run_state", "distance_m", "last_down_cause"):
        absence = cells[name].absence if name in cells else Absence.NOT_REPORTED
        if absence is not None:
            absent[name] = absence if name in supported else Absence.UNSUPPORTED
    return OnuState(onu=onu, absent=absent, **{name: cell.value for name, cell in cells.items()})


def works(phase: Cell, olt_rx: Cell) -> bool:
    """Whether an ONU can answer: it works, or (where no tree tells its phase) the OLT receives it."""
    return bool(phase.value == WORKING) if phase.there else olt_rx.value is not None


def not_asked(phase: Cell, olt_rx: Cell) -> dict[str, Reading]:
    """The ONU's own powers where nobody asks it: offline if the device says so, else simply not read."""
    says_so = phase.value in PHASES_OLD.values()
    told = phase if phase.there else olt_rx
    absent = Reading(absence=Absence.OFFLINE if says_so else Absence.NOT_READ, source=told.source, at=told.at)
    return {"onu_rx_dbm": absent, "onu_tx_dbm": absent}


def service_of(place: Place, row: Row) -> ServicePort:
    """One service port; the ONU and its vport are in the row's number."""
    whose = service_place(row.index[1]) if len(row.index) == 2 else None
    if whose is None:
        raise ParseError(f"service port {dotted(row.index)} on {place.port}: its number is no ONU's")
    onu_id, vport = whose
    user, inner, svlan = (
        row.whole(column) for column in (table.SERVICE_USER, table.SERVICE_CVLAN, table.SERVICE_SVLAN)
    )
    # one VLAN for another without an outer tag: which of the two is the inner one is nobody's to say
    translated = svlan is None and None not in (user, inner) and user != inner
    return ServicePort(
        svlan=svlan,
        cvlan=None if translated else user,
        inner_vlan=inner if inner is not None else user,
        port=place.port,
        onu=place.port.onu(onu_id),
        vport=row.whole(table.SERVICE_VPORT) or vport,
        state=row.value(table.SERVICE_STATE),
        flow_type=row.value(table.SERVICE_MODE),
        tag_transform=f"{user} to {inner}" if translated else None,
        absent={"cvlan": Absence.UNSUPPORTED} if translated else {},
    )


def mac_entry(onu: OnuRef, vlan: int, octets: Oid) -> MacEntry:
    """One address that is a part of an index."""
    mac = mac_text(octets)
    if mac is None:
        raise ParseError(f"an address learnt behind {onu}: {dotted(octets)} is no MAC address")
    return MacEntry(mac=mac, vlan=vlan, onu=onu, port=onu.port)
