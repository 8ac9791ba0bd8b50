"""Optical powers: all four of one ONU, one of every ONU of a port, the port's own. Powers in dBm, ratios in dB."""

from __future__ import annotations

import re
from typing import Any

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import aside, demand_whole, forget_zeros, listed, unknown
from ponprobe.drivers.zte.parse._text import answered, index, port_in
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.optical import Absence, OnuOptical, PortOptical

_POWERS = "zte_onu_powers"
_PORT_TX = "zte_port_tx"
_NUMBERS = ("temperature_c", "voltage_v", "bias_ma")


# ---------------------------------------------------------------------- one ONU, all four


_CELL = r"no signal|[-+]?\d+(?:\.\d+)?\s?(?:\(dbm\))?|N/A|-{1,4}"
_RATIO = r"[-+]?\d+(?:\.\d+)?\s?(?:\(db\))?|N/A|-{1,4}"
_UP = re.compile(
    rf"^\s*up\s+Rx\s*:\s*(?P<olt_rx_dbm>{_CELL})\s+Tx\s*:\s*(?P<onu_tx_dbm>{_CELL})"
    rf"\s+(?P<upstream_attenuation_db>{_RATIO})\s*$",
    re.IGNORECASE,
)
_DOWN = re.compile(
    rf"^\s*down\s+Tx\s*:\s*(?P<olt_tx_dbm>{_CELL})\s+Rx\s*:\s*(?P<onu_rx_dbm>{_CELL})"
    rf"\s+(?P<downstream_attenuation_db>{_RATIO})\s*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*$|\s*OLT\s+ONU\s+Attenuation\s*$|\s*[-=]{5,}\s*$", re.IGNORECASE)
_ALL = (
    "olt_rx_dbm",
    "onu_tx_dbm",
    "upstream_attenuation_db",
    "olt_tx_dbm",
    "onu_rx_dbm",
    "downstream_attenuation_db",
)


def attenuation(text: str | Answer, onu: OnuRef | None = None) -> OnuOptical:
    """Read ``show pon power attenuation ONU``: four powers and what the device makes of them.

    The row ``up`` is OLT Rx and ONU Tx, ``down`` is OLT Tx and ONU Rx. OLT Tx is printed for an absent ONU, too. A row
    that is missing costs its values, as ``garbled``.
    """
    answer = answered(text)
    found, _ = attenuation_page(answer, onu)
    return found


def attenuation_page(answer: Answer, onu: OnuRef | None) -> tuple[OnuOptical, bool]:
    """Read the page as far as it goes; the second value tells whether both rows are there."""
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    for line in answer.lines:
        match = _UP.match(line) or _DOWN.match(line)
        if match is None:
            if not _BETWEEN.match(line):
                raise ParseError(f"show pon power attenuation: unknown line {line!r}", text=answer.body)
            continue
        for name, printed in match.groupdict().items():
            if name in values:
                raise ParseError(f"show pon power attenuation: {name} is there twice", text=answer.body)
            read = parsing.ratio if name.endswith("_db") else parsing.power
            values[name], reason = read(printed)
            if reason is not None:
                absent[name] = reason
    if not values:
        raise unknown("show pon power attenuation", answer)
    absent.update({name: Absence.GARBLED for name in _ALL if name not in values})
    found = OnuOptical(onu=onu, onu_id=onu.onu_id if onu else None, absent=absent, **values)
    return found, answer.complete and len(values) == len(_ALL)


_REMOTE = {
    "onu_rx_dbm": "rx optical level",
    "onu_tx_dbm": "tx optical level",
    "voltage_v": "power feed voltage",
    "bias_ma": "laser bias current",
    "temperature_c": "temperature",
}


def remote_page(answer: Answer, onu: OnuRef | None) -> tuple[OnuOptical, bool]:
    """Read ``show gpon remote-onu interface pon ONU``, which asks the ONU itself.

    For an ONU that is away the powers are ``N/A`` and the rest are zeros, which are no readings.
    """
    seen = parsing.first_of(parsing.fields(answer.body))
    if not {"rx optical level", "tx optical level"} & seen.keys():
        raise unknown("show gpon remote-onu interface pon", answer)
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    reason: Absence | None
    for name, label in _REMOTE.items():
        if label not in seen:
            values[name], reason = None, (Absence.NOT_REPORTED if answer.complete else Absence.GARBLED)
        else:
            values[name], reason = (parsing.power if name.endswith("_dbm") else aside)(seen[label])
        if reason is not None:
            absent[name] = reason
    forget_zeros(values, absent, *_NUMBERS)
    return OnuOptical(onu=onu, onu_id=onu.onu_id if onu else None, absent=absent, **values), answer.complete


# ---------------------------------------------------------------------- one power of every ONU of a port


QUANTITIES = {"olt-rx": "olt_rx_dbm", "onu-rx": "onu_rx_dbm", "onu-tx": "onu_tx_dbm"}
"""Which power each question ``show pon power ...`` of a port gives."""


def powers(text: str | Answer, question: str) -> tuple[OnuOptical, ...]:
    """Read ``show pon power olt-rx|onu-rx|onu-tx PORT``; a port without ONUs gives none, a cut table raises."""
    return listed(answered(text), f"show pon power {question}", lambda answer: power_rows(answer, question))


def power_rows(answer: Answer, question: str) -> tuple[tuple[OnuOptical, ...], bool]:
    """Read the rows as far as they go."""
    if answer.empty:
        return (), True
    name = QUANTITIES[question]
    rows, stops = parsing.rows_of_cut(_POWERS, answer.body)
    if not rows and not re.search(r"\bpower\s*$", answer.body, re.MULTILINE):
        raise unknown(f"show pon power {question}", answer)
    found = []
    for row in rows:
        value, reason = parsing.power(row["power"])
        onu = index(row["index"])
        absent = {} if reason is None else {name: reason}
        found.append(OnuOptical.model_validate({"onu": onu, "onu_id": onu.onu_id, name: value, "absent": absent}))
    return tuple(found), not stops


# ---------------------------------------------------------------------- the port's own


def port_tx(text: str | Answer, port: PonPort) -> PortOptical:
    """Read ``show pon power olt-tx PORT``: the first channel that the answer names is the one of GPON."""
    found = listed(answered(text), "show pon power olt-tx", lambda answer: port_tx_rows(answer, port))
    if not found:
        return PortOptical(port=port, absent={"olt_tx_dbm": Absence.NOT_REPORTED})
    return found[0]


def port_tx_rows(answer: Answer, port: PonPort | None) -> tuple[tuple[PortOptical, ...], bool]:
    """Read one entry for each channel."""
    if answer.empty:
        return (), True
    rows, stops = parsing.rows_of_cut(_PORT_TX, answer.body)
    if not rows and not re.search(r"Tx\s+power", answer.body, re.IGNORECASE):
        raise unknown("show pon power olt-tx", answer)
    found = []
    for row in rows:
        value, reason = parsing.power(row["power"])
        found.append(PortOptical(port=port, olt_tx_dbm=value, absent={"olt_tx_dbm": reason} if reason else {}))
    return tuple(found), not stops


_PAIR = re.compile(
    r"(?P<label>[A-Za-z][\w/+-]*(?: [\w/+-]+)*?)\s*:\s*(?P<value>.*?)(?=\s{2,}[A-Za-z][\w/+-]*\s*:|\s*$)"
)
_LIMITS = re.compile(r"\s*\[[^\]]*\]\s*$")
_MODULE = {
    "olt_tx_dbm": "txpower",
    "temperature_c": "temperature",
    "voltage_v": "supply-vol",
    "bias_ma": "txbias-current",
    "wavelength_nm": "wavelength",
}


def module(text: str | Answer, port: PonPort | None = None) -> PortOptical:
    """Read ``show [interface] optical-module-info``: the module's own diagnostics.

    Limits in brackets behind a value, and the fields ``TxPower-Upper`` and ``-Lower``, are no readings. A receive power
    is not to be had on a PON port: it belongs to each ONU.
    """
    answer = answered(text)
    found, whole = module_page(answer, port)
    demand_whole(answer, "show optical-module-info", whole=whole)
    return found


def module_page(answer: Answer, port: PonPort | None) -> tuple[PortOptical, bool]:
    """Read the page; two fields may stand on one line."""
    seen: dict[str, str] = {}
    for line in answer.lines:
        for pair in _PAIR.finditer(line):
            seen.setdefault(pair["label"].casefold(), _LIMITS.sub("", pair["value"]))
    if not {"txpower", "optical module state", "vendor-name"} & seen.keys():
        raise unknown("show optical-module-info", answer)
    state = (seen.get("optical module state") or "").lower() or None
    missing = Absence.OFFLINE if state == "offline" else Absence.NOT_REPORTED if answer.complete else Absence.GARBLED
    values: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    reason: Absence | None
    for name, label in _MODULE.items():
        if label not in seen:
            values[name], reason = None, missing
        else:
            values[name], reason = (parsing.power if name == "olt_tx_dbm" else aside)(seen[label])
        if reason is not None:
            absent[name] = reason
    named = port_in(seen.get("optical module position"), seen.get("optical module information"))
    return PortOptical(port=named or port, module_state=state, absent=absent, **values), answer.complete
