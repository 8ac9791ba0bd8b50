"""Which reader reads the answer to which command."""

from __future__ import annotations

import re

from ponprobe.drivers.huawei.parse import chassis, onus, optics, services, writes
from ponprobe.drivers.huawei.parse._text import board_of, cleaned, place_of
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import Asked, Language, Reader, Records
from ponprobe.models.parsed import Refusal


def _facts(answer: Answer, _: Asked) -> Records:
    return (chassis.version(answer),), True


def _boards(answer: Answer, asked: Asked) -> Records:
    numbers = [int(number) for number in re.findall(r"\d+", asked.line)]
    if len(numbers) >= 2:
        return (chassis.board_page(answer, numbers[0], numbers[1]),), True
    return chassis.slots(answer, numbers[0] if numbers else 0)


def _discovered(answer: Answer, _: Asked) -> Records:
    return onus.autofind_entries(answer)


def _onus(answer: Answer, _: Asked) -> Records:
    if answer.empty:
        return (), True
    if re.search(r"^\s*(Run state|ONT-ID)\s*:", answer.body, re.MULTILINE | re.IGNORECASE):
        return onus.detail_pages(answer)
    return onus.table_rows(answer)


def _onu_optical(answer: Answer, asked: Asked) -> Records:
    port, onu_id = place_of(asked.line, *asked.contexts)
    if re.search(r"^\s*ONT\s+Rx power", answer.body, re.MULTILINE):
        return optics.optical_rows(answer, port)
    onu = port.onu(onu_id) if port is not None and onu_id is not None else None
    found, whole = optics.optical_page(answer, onu)
    return (found if onu or onu_id is None else found.model_copy(update={"onu_id": onu_id}),), whole


def _port_optical(answer: Answer, _: Asked) -> Records:
    return optics.port_pages(answer)


def _service_ports(answer: Answer, _: Asked) -> Records:
    return services.flows(answer)


def _macs(answer: Answer, _: Asked) -> Records:
    return services.mac_rows(answer)


def _profiles(answer: Answer, asked: Asked) -> Records:
    if re.search(r"\ball\b", asked.line):
        return services.profile_list(answer)
    return (services.profile_page(answer, asked.line),), answer.complete


def _config(answer: Answer, _: Asked) -> Records:
    return services.configured(answer), answer.complete


_ONTS = Reader(re.compile(r"display ont info\b"), "onus", _onus)
_READERS = (
    Reader(re.compile(r"display version$"), "facts", _facts),
    Reader(re.compile(r"display board\b"), "boards", _boards),
    Reader(re.compile(r"display ont autofind\b"), "discovered", _discovered),
    _ONTS,
    Reader(re.compile(r"display ont optical-info\b"), "onu_optical", _onu_optical),
    Reader(re.compile(r"display port state\b"), "port_optical", _port_optical),
    Reader(re.compile(r"display service-port(?! next)"), "service_ports", _service_ports),
    Reader(re.compile(r"display (mac-address|location|ont-learned-mac)\b"), "macs", _macs),
    Reader(re.compile(r"display ont-(line|srv)profile\b(?! current)"), "profiles", _profiles),
    Reader(re.compile(r"display (current-configuration|saved-configuration)\b"), "config", _config),
)
_MOVES = re.compile(
    r"(enable|disable|config|quit|q|return|diagnose|scroll|undo smart|undo interactive|infoswitch|mmi-mode|"
    r"screen-length|interface|idle-timeout|btv|cls)\b"
)
_CHANGES = re.compile(
    r"(ont (add|confirm|cancel|delete|modify|port|activate|deactivate|ipconfig|reset|re-register)|"
    r"service-port|undo|vlan|port vlan|traffic table|dba-profile|tcont|gem|commit|save)\b"
)


def _recognise(answer: Answer) -> Reader | None:
    """The end of a board's page lists the ONTs of its ports."""
    return _ONTS if re.match(r"[\s-]*F/S/P\s+ONT\s", answer.body) else None


def _says_none(line: str, refusal: Refusal) -> bool:
    """Whether a refusal to list means that the list is empty: no ONT on the port."""
    listing = re.match(r"display ont (info|optical-info)\b.*\b(all|summary)\b", line)
    return bool(listing) and bool(re.match(r"Failure: The ONTs? (does|do) not exist", refusal.text, re.IGNORECASE))


parse = Language(
    asks="display",
    readers=_READERS,
    moves=_MOVES,
    changes=_CHANGES,
    clean=cleaned,
    outcome=lambda answer, asked: writes.outcome_of(answer, board_of(*asked.contexts)),
    recognise=_recognise,
    says_none=_says_none,
).parse
