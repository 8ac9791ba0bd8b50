"""Optical powers: of one ONU, of every ONU of a port, of the ports of a board. Powers in dBm.

Labels and units as seen on MA5683T V800R015 and MA5800 (2021); EPON boards differ in the case of some letters.
"""

from __future__ import annotations

import re
from typing import Any

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.parse._text import answered, cleaned
from ponprobe.drivers.parsing import Answer, Field
from ponprobe.drivers.reading import aside, demand_whole, forget_zeros, listed, unknown
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.optical import Absence, OnuOptical, PortOptical

_TABLE = "huawei_smartax_onu_optics"
_NOT_ONLINE = re.compile(r"^Failure: .*ONT is (not online|offline)", re.IGNORECASE)
_POWERS = {
    "onu_rx_dbm": ("rx optical power(dbm)", "ont rx optical power(dbm)"),
    "onu_tx_dbm": ("tx optical power(dbm)", "ont tx optical power(dbm)"),
    "olt_rx_dbm": ("olt rx ont optical power(dbm)", "olt rx optical power(dbm)"),
}
_NUMBERS = {
    "temperature_c": ("temperature(c)",),
    "voltage_v": ("voltage(v)", "supply voltage(v)"),
    "bias_ma": ("laser bias current(ma)", "tx bias current(ma)", "bias current(ma)"),
}
_PRECISION = "optical power precision(dbm)"
_SOMETHING_OPTICAL = re.compile(r"\((dbm|ma|c|v)\)$")


# ---------------------------------------------------------------------- one ONU


def onu_optical(text: str | Answer, onu: OnuRef | None = None) -> OnuOptical:
    """Read ``display ont optical-info P ID``. What the page does not hold is absent with its reason.

    An ONU that is not online is no error: every power is absent as ``offline``.
    """
    answer = cleaned(text)
    if answer.refusal is not None and _NOT_ONLINE.match(answer.refusal.text):
        return OnuOptical(onu=onu, absent=dict.fromkeys(_POWERS, Absence.OFFLINE))
    parsing.refuse(answer)
    found, _ = optical_page(answer, onu)
    return found


def optical_page(answer: Answer, onu: OnuRef | None) -> tuple[OnuOptical, bool]:
    """Read the page as far as it goes; the second value tells whether all of it is there."""
    seen = parsing.first_of(parsing.fields(answer.body))
    if not any(_SOMETHING_OPTICAL.search(label) for label in seen):
        raise unknown("display ont optical-info", answer)
    whole = answer.complete and parsing.closed(answer.body)
    missing = Absence.NOT_REPORTED if whole else Absence.GARBLED
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    for name, labels in {**_POWERS, **_NUMBERS}.items():
        printed = next((seen[label] for label in labels if label in seen), None)
        value, absence = (None, missing) if printed is None else _read(name, printed)
        values[name] = value
        if absence is not None:
            absent[name] = absence
    if _PRECISION in seen:
        values["precision_db"] = parsing.ratio(seen[_PRECISION])[0]
    forget_zeros(values, absent, *_NUMBERS)
    return OnuOptical(onu=onu, onu_id=onu.onu_id if onu else None, absent=absent, **values), whole


def _read(name: str, printed: str) -> tuple[Any, Absence | None]:
    return parsing.power(printed) if name in _POWERS else aside(printed)


# ---------------------------------------------------------------------- every ONU of a port


def optical_table(text: str | Answer, port: PonPort | None = None) -> tuple[OnuOptical, ...]:
    """Read ``display ont optical-info P all``, one entry for each row; an answer that was cut raises."""
    answer = cleaned(text)
    if answer.empty or (answer.refusal is not None and answer.refusal.refused_class == "not_found"):
        return ()
    parsing.refuse(answer)
    found, whole = optical_rows(answer, port)
    demand_whole(answer, "display ont optical-info all", whole=whole)
    return found


def optical_rows(answer: Answer, port: PonPort | None) -> tuple[tuple[OnuOptical, ...], bool]:
    """Read the rows as far as they go; the second value tells whether the table goes to its end."""
    rows, stops = parsing.rows_of_cut(_TABLE, answer.body)
    return tuple(_row(row, port) for row in rows), not stops and parsing.closed(answer.body)


def _row(row: dict[str, str], port: PonPort | None) -> OnuOptical:
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    columns = {
        "onu_rx_dbm": "onu_rx",
        "onu_tx_dbm": "onu_tx",
        "olt_rx_dbm": "olt_rx",
        "temperature_c": "temperature",
        "voltage_v": "voltage",
        "bias_ma": "bias",
        "distance_m": "distance",
    }
    for name, column in columns.items():
        value, absence = _read(name, row[column])
        values[name] = value
        if absence is not None:
            absent[name] = absence
    forget_zeros(values, absent, *_NUMBERS)
    onu_id = int(row["ont_id"])
    return OnuOptical(onu=port.onu(onu_id) if port else None, onu_id=onu_id, absent=absent, **values)


# ---------------------------------------------------------------------- ports


_PORT_NUMBERS = {
    "temperature_c": ("temperature(c)",),
    "voltage_v": ("supply voltage(v)", "voltage(v)"),
    "bias_ma": ("tx bias current(ma)", "laser bias current(ma)"),
    "wavelength_nm": ("wave length(nm)", "wavelength(nm)"),
}
_OLT_TX = ("tx power(dbm)", "tx optical power(dbm)")
_PORT_LABEL = re.compile(r"^\s*F/S/P\b", re.IGNORECASE | re.MULTILINE)


def port_state(text: str | Answer, port: PonPort) -> PortOptical:
    """Read one port of ``display port state P`` or of ``display port state all``."""
    found = port_states(text)
    mine = [state for state in found if state.port == port]
    if len(mine) != 1:
        raise ParseError(f"display port state: port {port} is there {len(mine)} times", text=str(text))
    return mine[0]


def port_states(text: str | Answer) -> tuple[PortOptical, ...]:
    """Read every port of ``display port state``; an answer that was cut raises."""
    return listed(answered(text), "display port state", port_pages)


def port_pages(answer: Answer) -> tuple[tuple[PortOptical, ...], bool]:
    """Read the ports as far as they go; the second value tells whether the answer goes to its end."""
    starts = [match.start() for match in _PORT_LABEL.finditer(answer.body)]
    if not starts:
        raise unknown("display port state", answer)
    whole = answer.complete and parsing.closed(answer.body)
    found = []
    for start, end in zip(starts, [*starts[1:], len(answer.body)], strict=True):
        found.append(_port(answer.body[start:end], answer, whole=whole or end != len(answer.body)))
    return tuple(found), whole


def _port(page: str, answer: Answer, *, whole: bool) -> PortOptical:
    seen = parsing.first_of(tuple(field for line in page.split("\n") for field in _pair(line)))
    module = parsing.word(seen.get("optical module status"))
    if module is None and whole:
        raise unknown("display port state", answer)
    missing = Absence.NOT_REPORTED if whole else Absence.GARBLED
    if (module or "").lower() == "offline":
        missing = Absence.OFFLINE
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    value: Any
    absence: Absence | None
    for name, labels in {"olt_tx_dbm": _OLT_TX, **_PORT_NUMBERS}.items():
        printed = next((seen[label] for label in labels if label in seen), None)
        if printed is None:
            value, absence = None, missing
        elif name == "olt_tx_dbm":
            value, absence = parsing.power(printed)
        else:
            value, absence = aside(printed)
        if value is None and missing is Absence.OFFLINE:
            absence = missing
        values[name] = value
        if absence is not None:
            absent[name] = absence
    return PortOptical(
        port=PonPort.parse(seen["f/s/p"]),
        module_state=(module or "").lower() or None,
        laser_state=_lower(seen.get("laser state")),
        port_state=_lower(seen.get("port state")),
        absent=absent,
        **values,
    )


def _pair(line: str) -> tuple[Field, ...]:
    """Split a line of either form: two columns (usual), or with a colon."""
    found = parsing.columns(line)
    if found and not found[0].value.startswith(":") and not found[0].label.endswith(":"):
        return found
    return parsing.fields(line)


def _lower(text: str | None) -> str | None:
    found = parsing.word(text)
    return found.lower() if found else None
