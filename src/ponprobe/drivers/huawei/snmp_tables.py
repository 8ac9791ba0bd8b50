"""Huawei SmartAX over SNMP, as data: columns with their scales, enumerations and words for "no reading".

Each group says its evidence. *seen in a walk*: real values of a real device confirm column and scale. *MIB*: the
vendor's text says so, no public values do. *code only*: other people's programs read it so.

Names that start with ``hw`` are the MIB's; a column whose name there is not known for sure says what it holds.

Where programs disagree about a column, nothing but a physical range decides: a number outside it is no reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ponprobe.drivers.columns import (
    INVALID,
    Column,
    Found,
    Octets,
    PowerReadable,
    Readable,
    Words,
    mac_of,
    moment_text_of,
    oid,
    serial_of,
    text_of,
)
from ponprobe.drivers.huawei.snmp_index import EPON, GPON, XGPON
from ponprobe.errors import ParseError
from ponprobe.flow import Oid, SnmpValue
from ponprobe.models.addressing import Serial
from ponprobe.models.optical import Absence, Dbm

# ----------------------------------------------------------------------------------------------------------- tables

X = oid("1.3.6.1.4.1.2011.6.128.1.1.2")
"""HUAWEI-XPON-MIB, the tables of ports and ONTs."""

ABSENT = Absence.NOT_REPORTED
_NO_NUMBER = {INVALID: ABSENT, -1: ABSENT}
_NO_ONT_NUMBER = {INVALID: ABSENT, -1: ABSENT, 0: ABSENT}
"""ONT optics: a 0 or -1 comes where nothing could be read (a field note)."""
TX_RANGE, RX_RANGE = (-5.0, 10.0), (-45.0, 5.0)
"""What lasers launch and receivers can see, in dBm."""


def _power(table: int, column: int, name: str, span: tuple[float, float], *, above: float = 0.0) -> Column:
    """Hundredths of a dBm above ``above``."""
    empty = _NO_NUMBER if table in {23, 33} else _NO_ONT_NUMBER
    return Column((*X, table, 1, column), name, "dBm", 0.01, above, sentinels=empty, low=span[0], high=span[1])


def _number(
    table: int,
    column: int,
    name: str,
    unit: str,
    span: tuple[float, float],
    *,
    scale: float = 1.0,
    zero: bool = True,
) -> Column:
    empty = _NO_NUMBER if zero else _NO_ONT_NUMBER
    return Column((*X, table, 1, column), name, unit, scale, sentinels=empty, low=span[0], high=span[1])


def _text(table: int, column: int, name: str) -> Octets[str]:
    return Octets((*X, table, 1, column), name, text_of)


def _words(table: int, column: int, name: str, words: Mapping[int, str]) -> Words:
    return Words((*X, table, 1, column), name, words, _NO_NUMBER)


@dataclass(frozen=True, slots=True)
class Either:
    """One column that is written in one of two scales, and nobody knows which: the one that gives a possible power.

    The ranges of the two do not meet, so at most one fits.
    """

    ways: tuple[Column, Column]

    @property
    def oid(self) -> Oid:
        """The column, without a row."""
        return self.ways[0].oid

    def read(self, value: SnmpValue) -> Found[float]:
        """The number in the scale that fits."""
        number, absence = self.ways[0].read(value)
        return self.ways[1].read(value) if absence is Absence.OUT_OF_RANGE else (number, absence)

    def power(self, value: SnmpValue) -> Found[Dbm]:
        """The same as a power."""
        number, absence = self.read(value)
        return (None if number is None else Dbm(number)), absence


@dataclass(frozen=True, slots=True)
class Tables:
    """Where one technology keeps what is asked for; the keys are fields of the models.

    ``config`` and ``state`` the OLT knows by itself; ``slow`` and ``optics`` it fetches from the ONT.
    """

    technology: str
    config: Mapping[str, Readable[object]]
    state: Mapping[str, Readable[object]]
    run: Words
    distance: Column
    slow: Mapping[str, Readable[object]]
    olt_rx: Column
    onu_tx: PowerReadable
    onu_rx: PowerReadable
    temperature: Column
    bias: Column
    voltage: Column
    olt_tx: Column
    onu_count: Column
    serial: Octets[Serial] | None = None
    actual_serial: Octets[Serial] | None = None

    @property
    def optics(self) -> tuple[Readable[object], ...]:
        """Everything that an ONT's module tells, for one GET."""
        return self.olt_rx, self.onu_tx, self.onu_rx, self.temperature, self.voltage, self.bias


RUN = {1: "online", 2: "offline"}
CONFIG = {1: "initial", 2: "normal", 3: "failed", 4: "noresume", 5: "config"}
MATCH = {1: "match", 2: "mismatch"}
"""Code only."""
AUTH = {
    1: "SN-auth",
    2: "SN+password-auth",
    3: "password-auth always-on",
    4: "password-auth once-on",
    5: "LOID-auth",
    6: "LOID-auth",
    7: "LOID-auth",
    8: "LOID-auth",
    9: "SN-or-password-auth",
}
DOWN_CAUSE = {
    1: "LOS",
    2: "LOSi/LOBi",
    3: "LOFi",
    4: "SFi",
    5: "LOAi",
    6: "LOAMi",
    7: "deactivate failed",
    8: "deactivated",
    9: "reset",
    10: "re-register",
    11: "popup fail",
    13: "dying-gasp",
    15: "LOKi",
    18: "deactivated by ring",
    30: "optic off",
    31: "reset by command",
    32: "reset by button",
    33: "reset by software",
    34: "broadcast attack",
    35: "operator check",
    37: "rogue ONT",
}
REGISTER_RESULT = {
    1: "success",
    2: "fail",
    3: "sn conflict",
    4: "password conflict",
    5: "loid conflict",
    6: "password error",
    9: "unconfirmed",
    11: "loid error",
}

_SERIAL = Octets((*X, 43, 1, 3), "hwGponDeviceOntSn", serial_of)
GPON_TABLES = Tables(
    technology="gpon",
    config={
        "serial": _SERIAL,
        "description": _text(43, 9, "hwGponDeviceOntDespt"),
        "line_profile": _text(43, 7, "ONT line profile"),
        "service_profile": _text(43, 8, "ONT service profile"),
        "auth_type": _words(43, 2, "ONT authentication", AUTH),
    },
    state={
        "admin_state": _words(46, 1, "hwGponDeviceOntControlActive", {1: "active", 2: "deactivated"}),
        "run_state": _words(46, 15, "hwGponDeviceOntControlRunStatus", RUN),
        "config_state": _words(46, 16, "hwGponDeviceOntControlConfigStatus", CONFIG),
        "match_state": _words(46, 18, "hwGponDeviceOntControlMatchStatus", MATCH),
        "last_down_cause": _words(46, 24, "hwGponDeviceOntControlLastDownCause", DOWN_CAUSE),
    },
    run=_words(46, 15, "hwGponDeviceOntControlRunStatus", RUN),
    distance=_number(46, 20, "hwGponDeviceOntControlRanging", "m", (0, 100_000)),
    slow={"onu_type": _text(45, 4, "ONT equipment")},
    temperature=_number(51, 1, "hwGponOntOpticalDdmTemperature", "C", (-60, 130)),
    bias=_number(51, 2, "hwGponOntOpticalDdmBiasCurrent", "mA", (0, 200), zero=False),
    onu_tx=_power(51, 3, "hwGponOntOpticalDdmTxPower", TX_RANGE),
    onu_rx=_power(51, 4, "hwGponOntOpticalDdmRxPower", RX_RANGE),
    voltage=_number(51, 5, "hwGponOntOpticalDdmVoltage", "V", (1.5, 6.0), scale=0.001, zero=False),
    olt_rx=_power(51, 6, "hwGponOntOpticalDdmOltRxOntPower", RX_RANGE, above=-100.0),
    olt_tx=_power(23, 4, "hwGponOltOpticsDdmInfoTxPower", TX_RANGE),
    onu_count=_number(21, 16, "hwGponDeviceOltControlOntNum", "", (0, 1024)),
    serial=_SERIAL,
    actual_serial=Octets((*X, 46, 1, 30), "the serial that the ONT really has", serial_of),
)
"""GPON, and XGS-PON (MIB). Rows are ``ifIndex.ontId``.

Seen in a walk: 23 (OLT module: 0.01 dBm, 0.01 V, mA, C), 43, 46, 51 (ONT module: 0.01 dBm, mV, mA, C; what the OLT
receives is ``(v - 10000) / 100`` dBm), the ONT count. A field note: 46.1.30. MIB: the other enumerations.
"""


def _either(column: int, name: str, span: tuple[float, float]) -> Either:
    return Either((_power(104, column, name, span), _power(104, column, name, span, above=-100.0)))


EPON_TABLES = Tables(
    technology="epon",
    config={
        "mac": Octets((*X, 53, 1, 3), "ONT MAC", mac_of),
        "description": _text(53, 9, "ONT description"),
        "line_profile": _text(53, 7, "line profile"),
        "service_profile": _text(53, 8, "service profile"),
    },
    state={
        "run_state": _words(57, 15, "ONT run state", RUN),
        "last_down_cause": _words(57, 25, "ONT last down cause", {}),
    },
    run=_words(57, 15, "ONT run state", RUN),
    distance=_number(57, 19, "ONT distance", "m", (0, 100_000)),
    slow={},
    olt_rx=_power(104, 1, "what the OLT receives", RX_RANGE, above=-100.0),
    temperature=_number(104, 2, "ONT module temperature", "C", (-60, 130)),
    bias=_number(104, 3, "ONT module bias", "mA", (0, 200), zero=False),
    onu_tx=_either(4, "what the ONT launches", TX_RANGE),
    onu_rx=_either(5, "what the ONT receives", RX_RANGE),
    voltage=_number(104, 6, "ONT module voltage", "V", (1.5, 6.0), scale=0.001, zero=False),
    olt_tx=_power(33, 4, "what the OLT launches", TX_RANGE),
    onu_count=_number(31, 12, "ONT count", "", (0, 1024)),
)
"""EPON. No public walk: MIB for 104.1.1, code only for the rest. Nobody names the causes of EPON, so they keep their
numbers; nobody is sure of the scale of 104.1.4 and 104.1.5, so the possible one of two is taken."""

TABLES = {GPON: GPON_TABLES, XGPON: GPON_TABLES, EPON: EPON_TABLES}

PORT_STATE = _words(21, 10, "hwGponDeviceOltControlStatus", RUN)
"""MIB: 1 up, 2 down; in the words of the command line."""
MODULE_STATE = _words(21, 13, "state of the optical module", RUN)
"""MIB: 1 online, 2 offline."""
PORT_TEMPERATURE = _number(23, 1, "hwGponOltOpticsDdmInfo temperature", "C", (-60, 130))
PORT_VOLTAGE = _number(23, 2, "hwGponOltOpticsDdmInfo voltage", "V", (1.5, 6.0), scale=0.01)
PORT_BIAS = _number(23, 3, "hwGponOltOpticsDdmInfo bias", "mA", (0, 200))
"""Seen in a walk. A laser that is off draws nothing, so 0 mA is a reading here."""

# waiting ONTs; MIB. The last part of the index is a running number, not an ONT ID.
WAITING: Mapping[str, Readable[object]] = {
    "serial": Octets((*X, 48, 1, 2), "hwGponDeviceAutoFindOntInfoSn", serial_of),
    "password": _text(48, 3, "waiting ONT password"),
    "vendor_id": _text(48, 4, "waiting ONT vendor"),
    "version": _text(48, 5, "waiting ONT version"),
    "model": _text(48, 7, "waiting ONT equipment"),
    "found_at": Octets((*X, 48, 1, 8), "hwGponDeviceAutoFindOntInfoOntAutoFindTime", moment_text_of),
    "loid": _text(48, 9, "waiting ONT LOID"),
}
EPON_WAITING: Mapping[str, Readable[object]] = {
    "mac": Octets((*X, 58, 1, 2), "waiting ONT MAC", mac_of),
    "loid": _text(58, 9, "waiting ONT LOID"),
    "model": _text(58, 12, "waiting ONT model"),
}

# the log of registrations; MIB. Its index is not documented, so it is never taken apart.
LOG_SERIAL = Octets((*X, 52, 1, 2), "register log: serial", serial_of)
LOG_RESULT = _words(52, 3, "register log: result", REGISTER_RESULT)
LOG_TIME = Octets((*X, 52, 1, 4), "register log: time", moment_text_of)
LOG_IF_INDEX = Column(
    (*X, 52, 1, 5), "register log: interface of the rival", sentinels={**_NO_ONT_NUMBER, 0xFFFFFFFF: ABSENT}
)
LOG_ONT = _number(52, 6, "register log: ONT ID of the rival", "", (0, 127))

MAC_QUESTION = (*X, 130, 1, 8)
"""hwXponDynamicMacAddr: MIB and code only. The index is the question: ``ifIndex.1.0.3.ontId.47.0.0``."""


def macs_oid(index: int, onu_id: int) -> Oid:
    """Ask for the addresses behind one ONT."""
    return (*MAC_QUESTION, index, 1, 0, 3, onu_id, 47, 0, 0)


def mac_records(value: bytes) -> tuple[tuple[int | None, str], ...]:
    """VLAN and address of each record of ten octets: port type, port, VLAN (two), MAC (six)."""
    if len(value) % 10:
        raise ParseError(f"hwXponDynamicMacAddr: {len(value)} octets are no records of ten", text=value.hex())
    found: list[tuple[int | None, str]] = []
    for start in range(0, len(value), 10):
        vlan, mac = int.from_bytes(value[start + 2 : start + 4], "big"), mac_of(value[start + 4 : start + 10])
        if mac is not None:
            found.append((vlan if 1 <= vlan <= 4094 else None, mac))
    return tuple(found)


# service flows, HUAWEI-ETHERLIKE-EXT-MIB hwExtSrvFlowTable, index = flow; MIB, and .2 to .8 read on a real device.
_FLOWS = oid("1.3.6.1.4.1.2011.5.14.5.2.1")
_NO_VLAN = {**_NO_NUMBER, 0xFFFF: ABSENT, 0xFFFE: ABSENT}


def _flow(column: int, name: str, high: int, empty: Mapping[int, Absence] | None = None, low: int = 0) -> Column:
    return Column((*_FLOWS, column), name, sentinels=_NO_NUMBER if empty is None else empty, low=low, high=high)


FLOW_FRAME = _flow(2, "hwExtSrvFlowPara1", 63)
FLOW_SLOT = _flow(3, "hwExtSrvFlowPara2", 63)
FLOW_PORT = _flow(4, "hwExtSrvFlowPara3", 255)
FLOW_ONT = _flow(5, "hwExtSrvFlowPara4", 127)
FLOW_GEM = _flow(6, "hwExtSrvFlowPara5", 4095)
FLOW_KIND = Words((*_FLOWS, 7), "hwExtSrvFlowParaType", {4: "gpon", 6: "epon"})
FLOW_SVLAN = _flow(8, "hwExtSrvFlowVlanid", 4094, _NO_VLAN, 1)
FLOW_SERVICE = Words((*_FLOWS, 11), "hwExtSrvFlowMultiServiceType", {1: "vlan", 255: "single"})
FLOW_USER_VLAN = _flow(12, "hwExtSrvFlowMultiServiceUserPara", 4094, _NO_VLAN, 1)
FLOW_UNTAGGED = 0xFFFF
FLOW_STATE = Words((*_FLOWS, 14), "hwExtSrvFlow operational state", {1: "up", 2: "down"})
FLOW_TRANSFORM = Words(
    (*_FLOWS, 18),
    "hwExtSrvFlowTagTransform",
    {0: "add", 1: "transparent", 2: "translate", 3: "translate-and-add", 4: "add-double", 5: "translate-double"},
)
FLOW_INNER = _flow(25, "hwExtSrvFlow inner VLAN", 4094, _NO_VLAN, 1)
DOUBLE_TAGGED = frozenset({"translate-and-add", "add-double", "translate-double"})
"""The transformations that have an inner VLAN; for others the column says nothing."""
FLOW_COLUMNS: tuple[Readable[object], ...] = (
    FLOW_FRAME,
    FLOW_ONT,
    FLOW_GEM,
    FLOW_KIND,
    FLOW_SVLAN,
    FLOW_SERVICE,
    FLOW_USER_VLAN,
    FLOW_STATE,
    FLOW_TRANSFORM,
    FLOW_INNER,
)

# the OLT itself
SYS_OBJECT_ID, SYS_UPTIME = oid("1.3.6.1.2.1.1.2.0"), oid("1.3.6.1.2.1.1.3.0")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
VERSION, OLD_VERSION = oid("1.3.6.1.4.1.2011.6.3.1.999.0"), oid("1.3.6.1.4.1.2011.6.3.1.3.0")
"""999: seen in a walk (``MA5603V800R018C10B085``); 3: code only, asked for where there is no 999."""
BOARD_NAME = Octets(oid("1.3.6.1.4.1.2011.6.3.3.2.1.21"), "hwSlotTypeName", text_of)
BOARD_STATE = Words(
    oid("1.3.6.1.4.1.2011.6.3.3.2.1.8"),
    "hwSlotOperStatus",
    {
        1: "uninstall",
        2: "normal",
        3: "fault",
        4: "forbidden",
        5: "discovery",
        6: "config",
        7: "offline",
        8: "abnormal",
    },
)
"""Index ``frame.slot``: seen in a walk (every board normal); the other words: MIB."""
