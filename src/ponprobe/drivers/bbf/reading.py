"""A stored reply as records: what ``ponprobe parse`` shows of a file."""

from __future__ import annotations

from lxml import etree

from ponprobe.drivers.bbf import detection, presence
from ponprobe.drivers.bbf.hardware import Component, hardware
from ponprobe.drivers.bbf.questions import waiting
from ponprobe.drivers.bbf.running import Running, Termination, port_in, running
from ponprobe.drivers.bbf.tree import Element, Names, read, refusals
from ponprobe.errors import ParseError
from ponprobe.models._base import Value
from ponprobe.models.device import OltFacts, OnuState
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.optical import Absence, OnuOptical, PortOptical
from ponprobe.models.parsed import Kind, Parsed, Refusal, RefusedClass

_CLASSES: dict[str, RefusedClass] = {
    "data-exists": "already_exists",
    "data-missing": "not_found",
    "lock-denied": "busy",
    "in-use": "busy",
    "resource-denied": "busy",
    "access-denied": "permission",
    "unknown-element": "unknown_command",
    "unknown-namespace": "unknown_command",
    "operation-not-supported": "unknown_command",
    "invalid-value": "parameter_error",
    "bad-element": "parameter_error",
    "missing-element": "incomplete",
}


def parse(text: str, profile: NetconfProfile) -> Parsed:
    """Read one reply: its first known tree, its errors, or that it was done. ``ParseError`` for anything else."""
    names = Names(profile.namespaces)
    data = read(text, "a stored reply")
    errors = refusals(data)
    if errors:
        tag, message = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        refused = Refusal(refused_class=_CLASSES.get(tag, "other"), text=f"{tag}: {message}{more}", word=tag)
        return Parsed(kind="write", refused=refused)
    kinds: tuple[tuple[str, Kind], ...] = (
        ("ietf-yang-library:yang-library", "facts"),
        ("ietf-yang-library:modules-state", "facts"),
        ("ietf-interfaces:interfaces", "onus"),
        ("ietf-interfaces:interfaces-state", "discovered"),
        ("ietf-hardware:hardware", "port_optical"),
    )
    for path, kind in kinds:
        if names.one(data, path) is not None:
            return _records(kind, data, names, profile)
    if any(etree.QName(each).localname == "ok" for each in data):
        return Parsed(kind="write")
    what = etree.QName(data[0]).localname if len(data) else "nothing"
    raise ParseError(f"a NETCONF reply with {what} in it is not known", text=text[:2000])


def _records(kind: Kind, data: Element, names: Names, profile: NetconfProfile) -> Parsed:
    if kind == "facts":
        found = detection.support_of((), detection.library(data, names), profile)
        return Parsed(kind=kind, records=(OltFacts(netconf=found),))
    if kind == "onus":
        config = running(data, names, profile)
        states = (
            OnuState(onu=config.place_of(onu), serial=onu.serial, description=onu.description)
            for onu in config.v_anis.values()
        )
        return Parsed(kind=kind, records=tuple(states))
    if kind == "discovered":
        lists = presence.present(data, names)
        places = {each.termination: Termination(each.termination, port_in(each.termination, profile)) for each in lists}
        alone = [each for each in lists if each.unknown]  # without the configuration, the list's own word counts
        return Parsed(kind=kind, records=waiting(Running(terminations=places), alone, None))
    links = [each for each in hardware(data, names, profile.power_unit).components.values() if each.is_link]
    if any(each.rssi for each in links):
        return Parsed(kind=kind, records=tuple(record for each in links for record in _port_rows(each)))
    return Parsed(kind="onu_optical", records=tuple(_onu_row(each) for each in links))


def _port_rows(link: Component) -> tuple[Value, ...]:
    if not link.rssi:
        return (_onu_row(link),)
    power = link.transmit
    absence = Absence.NOT_REPORTED if power is None else power.absence
    port = PortOptical(
        olt_tx_dbm=None if power is None else power.value,
        bias_ma=link.bias_ma,
        temperature_c=link.temperature_c,
        voltage_v=link.voltage_v,
        absent={} if absence is None else {"olt_tx_dbm": absence},
    )
    rows = (
        OnuOptical(
            olt_rx_dbm=row.power.value,
            absent={} if row.power.absence is None else {"olt_rx_dbm": row.power.absence},
        )
        for row in link.rssi
    )
    return (port, *rows)


def _onu_row(link: Component) -> OnuOptical:
    powers = {"onu_tx_dbm": link.transmit, "onu_rx_dbm": link.receive}
    absent = {name: (Absence.NOT_REPORTED if each is None else each.absence) for name, each in powers.items()}
    return OnuOptical(
        onu_tx_dbm=None if link.transmit is None else link.transmit.value,
        onu_rx_dbm=None if link.receive is None else link.receive.value,
        bias_ma=link.bias_ma,
        temperature_c=link.temperature_c,
        voltage_v=link.voltage_v,
        absent={name: reason for name, reason in absent.items() if reason is not None},
    )
