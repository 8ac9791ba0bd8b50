"""ZTE's SNMP columns: which tree has what, under which number, in which unit, and which numbers are no reading.

Three trees: 1012 (zxGpon: ZXGPON-SERVICE-MIB, ZXGPON-ONTMGMT-MIB), 1015 (zxAn) and 1082 (zxAccessNode). A C300 or C320
answers parts of all three, differently in each build; the C600 family answers 1082 only. So each question has several
sources, best first, and the device says which of them it has.

Evidence: a public walk of a C320 V2.1.0 for the OLT's receiver (376 values, -18.416 to -36.989 dBm, and 82 times
-80000) and its modules (14 PON ports, 3.325 to 3.780 dBm, 36.75 °C, 17.85 mA, 1490 nm); MIB texts for phases and for
"not in service"; field notes that compare numbers with the command line for the ONU's optics (3314: -23.372 dBm, 16138:
+2.276 dBm, 65535: offline) and for the phases of 1082 (1343 of 1343).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ponprobe.drivers.columns import (
    INVALID,
    Column,
    Octets,
    Readable,
    Words,
    moment_text_of,
    oid,
    serial_of,
    text_of,
)
from ponprobe.drivers.zte.snmp_index import Place, Way
from ponprobe.flow import Oid
from ponprobe.models.optical import Absence

G, L, N = "1.3.6.1.4.1.3902.1012.3", "1.3.6.1.4.1.3902.1015", "1.3.6.1.4.1.3902.1082"
NEW_TREE: Oid = oid(N)


@dataclass(frozen=True, slots=True)
class Source:
    """One column that answers a question. ``tail`` follows the ONU-ID (its optical port, always 1)."""

    column: Readable[Any]
    way: Way
    tail: Oid = ()

    @property
    def new(self) -> bool:
        """Whether it is in the only tree that the C600 family has."""
        return self.column.oid[: len(NEW_TREE)] == NEW_TREE

    def at(self, place: Place, *parts: int) -> Oid:
        """The OID of one row: the port's number in this tree, the ONU-ID, the tail."""
        return (*self.column.oid, place.index(self.way), *parts, *self.tail)


Sources = tuple[Source, ...]

# ------------------------------------------------------------------------------------------------------- the OLT

SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME = (oid(f"1.3.6.1.2.1.1.{number}.0") for number in (1, 2, 3, 5))
IF_OPER = Words(oid("1.3.6.1.2.1.2.2.1.8"), "ifOperStatus", {1: "up", 2: "down", 3: "testing"})
_CARD_WORDS = (
    *("INSERVICE", "NOTINSERVICE", "HWONLINE", "HWOFFLINE", "CONFIGURING", "CONFIGFAILED", "TYPEMISMATCH"),
    *("DEACTIVED", "FAULTY", "INVALID", "NOPOWER", "UNAUTHORIZED"),
)
CARD_STATES = {**dict(enumerate(_CARD_WORDS, start=1)), 34: "POWERSAVING"}
"""zxAnCardOperStatus of both trees; 1015 has it up to 11."""


@dataclass(frozen=True, slots=True)
class Cards:
    """A table of cards: rows by rack, shelf and slot."""

    name: Octets[str]
    state: Words
    ports: Column
    software: Octets[str] | None = None

    @property
    def columns(self) -> tuple[Readable[Any], ...]:
        """What to walk."""
        found: tuple[Readable[Any], ...] = (self.name, self.state, self.ports)
        return found if self.software is None else (*found, self.software)


_CARDS_NEW, _CARDS_OLD = f"{N}.10.1.2.4.1", f"{L}.2.1.1.3.1"
CARDS_NEW = Cards(
    Octets(oid(f"{_CARDS_NEW}.4"), "zxAnCardActualType", text_of),
    Words(oid(f"{_CARDS_NEW}.5"), "zxAnCardOperStatus", CARD_STATES),
    Column(oid(f"{_CARDS_NEW}.7"), "zxAnCardPortNums"),
    Octets(oid(f"{_CARDS_NEW}.27"), "zxAnCardFirmwareVersion", text_of),
)
"""ZTE-AN-CHASSIS-MIB. The C320 walk has the software on its control card only."""
CARDS_OLD = Cards(
    Octets(oid(f"{_CARDS_OLD}.4"), "zxAnCardActType", text_of),
    Words(oid(f"{_CARDS_OLD}.5"), "zxAnCardOperStatus", CARD_STATES),
    Column(oid(f"{_CARDS_OLD}.7"), "zxAnCardPortNums"),
)
"""ZTE-AN-EQUIP-MIB. It has no versions."""


def _module(numbers: tuple[int, int], what: str, unit: str, scale: float, limits: tuple[float, float]) -> Sources:
    """A figure of the module under its numbers in 1082 and in 1015."""
    low, high = limits
    new, old = (
        Column(oid(f"{root}.{number}"), f"optical module {what}", unit, scale, low=low, high=high)
        for root, number in zip((f"{N}.30.40.2.4.1", f"{L}.3.1.13.1"), numbers, strict=True)
    )
    # 1082 goes by its own number; builds whose IF-MIB counts otherwise may go by that
    return (Source(new, "new"), Source(new, "if"), Source(old, "if"))


MODULE: Mapping[str, Sources] = {
    "olt_tx_dbm": _module((3, 4), "Tx", "dBm", 0.001, (-5, 10)),
    "temperature_c": _module((8, 12), "temperature", "°C", 0.001, (-60, 150)),
    "voltage_v": _module((6, 10), "voltage", "V", 0.001, (0, 10)),
    "bias_ma": _module((5, 9), "bias", "mA", 0.001, (0, 500)),
    "wavelength_nm": _module((7, 11), "wavelength", "nm", 1, (1000, 2000)),
}
"""A PON port's module: zxAnOpticalIfTxPwrCurrValue (unit of the MIB: 0.001 dBm) and its neighbours; 2147483647 is an
empty cage. Under 1015 the launch power is in thousandths, too (four programs)."""

# -------------------------------------------------------------------------------------------------- registered ONUs

_PHASES = ("logging", "los", "syncmib", "working", "dyinggasp", "authfailed", "offline")
WORKING = "working"
PHASES_OLD = dict(enumerate(_PHASES))
"""zxGponOntPhaseState: from 0 (MIB)."""
PHASES_NEW = dict(enumerate(_PHASES, start=1))
"""Under 1082: the same from 1. Taking one for the other makes every working ONU one that has died."""
_REASONS = (
    *("unknown", "LOS", "LOSi", "LOFi", "SFi", "LOAi", "LOAMi", "auth-fail", "power-off/dying-gasp"),
    *("deactivated", "deactivation-failed", "reboot", "shutdown"),
)
REASONS = {code: f"{code} {word}" for code, word in enumerate(_REASONS, start=1)}
"""Why an ONU was last lost. The code is kept before the word, as one operator's table gives other words."""
_MODES = ("sn", "pw", "sn+pw", "regid", "regid+802.1x", "regid+mutual", "hexpw", "sn+hexpw", "loid", "loid+pw")
MODES = dict(enumerate(_MODES, start=1))
_SWITCH = {1: "enable", 2: "disable"}
_NO_METRES = {0: Absence.OFFLINE, -1: Absence.NOT_REPORTED, INVALID: Absence.NOT_REPORTED}

REGISTERED_OLD, REGISTERED_NEW = f"{G}.28.1.1", f"{N}.500.10.2.3.3.1"
STATE_OLD, STATE_NEW = f"{G}.28.2.1", f"{N}.500.10.2.3.8.1"

ONU: Mapping[str, Sources] = {
    "serial": (
        Source(Octets(oid(f"{REGISTERED_OLD}.5"), "zxGponOntDevMgmtProvisionSn", serial_of), "old"),
        Source(Octets(oid(f"{REGISTERED_NEW}.6"), "ONU serial (1082)", serial_of), "new"),
    ),
    "run_state": (
        Source(Words(oid(f"{STATE_OLD}.4"), "zxGponOntPhaseState", PHASES_OLD), "old"),
        Source(Words(oid(f"{STATE_NEW}.4"), "ONU phase (1082)", PHASES_NEW), "new"),
    ),
    "admin_state": (
        Source(Words(oid(f"{STATE_OLD}.1"), "ONU admin state (1012)", _SWITCH), "old"),
        Source(Words(oid(f"{STATE_NEW}.1"), "ONU admin state (1082)", _SWITCH), "new"),
    ),
    "last_down_cause": (
        Source(Words(oid(f"{STATE_OLD}.7"), "ONU last down cause (1012)", REASONS), "old"),
        Source(Words(oid(f"{STATE_NEW}.7"), "ONU last down cause (1082)", REASONS), "new"),
    ),
    "onu_type": (
        Source(Octets(oid(f"{REGISTERED_OLD}.1"), "zxGponOntDevMgmtTypeName", text_of), "old"),
        Source(Octets(oid(f"{REGISTERED_NEW}.1"), "zxAnGponOnuMgmtTypeName", text_of), "new"),
    ),
    "description": (
        Source(Octets(oid(f"{REGISTERED_OLD}.3"), "ONU description (1012)", text_of), "old"),
        Source(Octets(oid(f"{REGISTERED_NEW}.3"), "ONU description (1082)", text_of), "new"),
    ),
    "auth_type": (
        Source(Words(oid(f"{REGISTERED_OLD}.12"), "ONU registration mode (1012)", MODES), "old"),
        Source(Words(oid(f"{REGISTERED_NEW}.5"), "zxAnGponOnuMgmtRegMode", MODES), "new"),
    ),
    "distance_m": (
        Source(Column(oid(f"{G}.11.4.1.2"), "distance", "m", sentinels=_NO_METRES, low=0, high=100_000), "old"),
        Source(
            Column(oid(f"{N}.500.10.2.3.10.1.2"), "distance", "m", sentinels=_NO_METRES, low=0, high=100_000), "new"
        ),
    ),
}
"""Rows by port and ONU-ID. A name that begins with zx is the MIB's; of the other columns the number is known and the
name is not. Metres: 125 rows of a
C320 walk, 0 to 3793, where 0 is an ONU that is offline."""
IDENTITY = ("serial", "run_state", "onu_type", "auth_type")
"""An ONU is registered if one of these has a row."""

# ------------------------------------------------------------------------------------------------------------ optics

_NO_OLT_RX = {
    -80_000: Absence.NO_SIGNAL,
    65_535_000: Absence.OFFLINE,
    -1_000: Absence.NOT_REPORTED,
    INVALID: Absence.NOT_REPORTED,
}
OLT_RX: Sources = (
    Source(
        Column(oid(f"{L}.1010.11.2.1.2"), "OLT Rx of an ONU (1015)", "dBm", 0.001, 0, None, _NO_OLT_RX, -45, 5), "old"
    ),
    Source(
        Column(oid(f"{N}.500.1.2.4.2.1.2"), "zxAnPonRxOpticalPower", "dBm", 0.001, 0, None, _NO_OLT_RX, -45, 5), "new"
    ),
)
"""What the OLT receives from one ONU, thousandths of a dBm: -80000 no signal, 65535000 not in service, -1000 none."""

_NO_ONU_POWER = {
    # memory that nobody has filled; -30.000 dBm is below what an ONU's receiver can tell
    0: Absence.OUT_OF_RANGE,
    -1: Absence.NOT_REPORTED,
    0x8000: Absence.NOT_REPORTED,
    65_534: Absence.NOT_REPORTED,
    65_535: Absence.NOT_REPORTED,
    INVALID: Absence.NOT_REPORTED,
}


def _fine(table: str, number: int, what: str, low: float, high: float) -> Column:
    return Column(oid(f"{table}.{number}"), what, "dBm", 0.002, -30.0, 16, _NO_ONU_POWER, low, high)


_OLD_OPTICS, _NEW_OPTICS = f"{G}.50.12.1.1", f"{N}.500.20.2.2.2.1"
ONU_RX: Sources = (
    Source(_fine(_OLD_OPTICS, 10, "ONU Rx", -45, 5), "old", (1,)),
    Source(_fine(_NEW_OPTICS, 10, "ONU Rx", -45, 5), "new", (1,)),
)
"""What the ONU receives: ``s16(raw) * 0.002 - 30`` dBm (unit of the MIB: 0.002 dBµW). Read from the ONU (OMCI)."""
ONU_TX: Sources = (
    Source(_fine(_NEW_OPTICS, 14, "ONU Tx", -5, 10), "new", (1,)),
    Source(_fine(_OLD_OPTICS, 14, "ONU Tx", -5, 10), "old", (1,)),
)
"""What the ONU sends, by the same formula. Some C3xx builds have it under 1082 only."""

_NO_SENSOR = {
    65_535: Absence.NOT_REPORTED,
    0x8000: Absence.NOT_REPORTED,
    -1: Absence.NOT_REPORTED,
    INVALID: Absence.NOT_REPORTED,
}


_SENSORS = (
    ("voltage_v", 17, "V", 0.02, None, (0, 10)),
    ("bias_ma", 18, "mA", 0.002, None, (0, 500)),
    ("temperature_c", 19, "°C", 1 / 256, 16, (-60, 150)),
)
VITALS: Mapping[str, Sources] = {
    name: (
        Source(
            Column(oid(f"{_NEW_OPTICS}.{number}"), f"ONU {name}", unit, scale, 0, bits, _NO_SENSOR, *limits),
            "new",
            (1,),
        ),
    )
    for name, number, unit, scale, bits, limits in _SENSORS
}
"""The ONU's own sensors: 20 mV, 2 µA and 1/256 °C. On old C3xx the temperature may never be answered, and with it goes
the whole GET, so only the C600 family is asked."""

# ------------------------------------------------------------------------------------------------- who waits, services


@dataclass(frozen=True, slots=True)
class Waiting:
    """A table of ONUs that nobody registered: rows by port and a running number."""

    way: Way
    serial: Octets[Any]
    more: Mapping[str, Octets[Any]]

    @property
    def source(self) -> Source:
        """The column whose rows are the table's."""
        return Source(self.serial, self.way)


def _waiting(table: str, way: Way, serial: int, **more: int) -> Waiting:
    def octets(name: str, number: int) -> Octets[Any]:
        return Octets(oid(f"{table}.{number}"), name, moment_text_of if name == "found_at" else text_of)

    return Waiting(
        way,
        Octets(oid(f"{table}.{serial}"), "serial", serial_of),
        {name: octets(name, number) for name, number in more.items()},
    )


WAITING_OLD = _waiting(f"{G}.13.3.1", "old", 2, password=5, found_at=7, model=10, version=11)
"""C300 and C320."""
WAITING_V21 = _waiting(f"{N}.500.10.2.2.5.1", "new", 2, model=7, version=8)
"""V2.1 of C300 and C320, but not in every build."""
WAITING_NEW = _waiting(f"{N}.500.2.2.11.2.1", "new", 2, password=3, found_at=12, model=8, version=10)
"""PON-SERVICE-MIB of the C600 family."""

_SERVICES = f"{N}.110.5.2.2.1"
SERVICE_MODE = Words(oid(f"{_SERVICES}.4"), "service port mode", {1: "untag", 4: "vlan", 5: "tls"})
SERVICE_VPORT = Column(oid(f"{_SERVICES}.5"), "service port vport", low=1, high=255)
SERVICE_USER = Column(oid(f"{_SERVICES}.8"), "service port user VLAN", low=1, high=4094)
SERVICE_CVLAN = Column(oid(f"{_SERVICES}.18"), "service port C-VLAN", low=1, high=4094)
SERVICE_SVLAN = Column(oid(f"{_SERVICES}.19"), "service port S-VLAN", low=1, high=4094)
"""0 is no outer tag."""
SERVICE_STATE = Words(oid(f"{_SERVICES}.50"), "RowStatus", {1: "active", 2: "notInService", 3: "notReady"})
SERVICES = (SERVICE_SVLAN, SERVICE_CVLAN, SERVICE_USER, SERVICE_MODE, SERVICE_VPORT, SERVICE_STATE)

MACS_BY_PORT = oid(f"{N}.40.10.2.1.2.1.50.1")
"""V2.x of C300 and C320: rows by port, bridge port of the ONU, VLAN, MAC."""
MACS_BY_VLAN = oid(f"{N}.40.10.2.1.5.1.1")
"""C600 family: rows by VLAN, port, vport of the ONU, 1, MAC."""
