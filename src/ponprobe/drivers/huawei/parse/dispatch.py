"""Which reader reads the answer to which command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ponprobe.drivers.huawei.parse import chassis, onus, optics, services, writes
from ponprobe.drivers.huawei.parse._text import board_of, cleaned, place_of, unknown
from ponprobe.drivers.parsing import Answer
from ponprobe.models._base import Value
from ponprobe.models.parsed import Kind, Parsed, Refusal, WriteOutcome

Records: TypeAlias = "tuple[tuple[Value, ...], bool]"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command without surplus blanks and filters, and the contexts that may name its board."""

    line: str
    contexts: tuple[str | None, ...]


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


_READERS: tuple[tuple[str, Kind, Callable[[Answer, Asked], Records]], ...] = (
    (r"display version$", "facts", _facts),
    (r"display board\b", "boards", _boards),
    (r"display ont autofind\b", "discovered", _discovered),
    (r"display ont info\b", "onus", _onus),
    (r"display ont optical-info\b", "onu_optical", _onu_optical),
    (r"display port state\b", "port_optical", _port_optical),
    (r"display service-port(?! next)", "service_ports", _service_ports),
    (r"display (mac-address|location|ont-learned-mac)\b", "macs", _macs),
    (r"display ont-(line|srv)profile\b(?! current)", "profiles", _profiles),
    (r"display (current-configuration|saved-configuration)\b", "config", _config),
)
_MOVES = re.compile(
    r"(enable|disable|config|quit|q|return|diagnose|scroll|undo smart|undo interactive|infoswitch|mmi-mode|"
    r"screen-length|interface|idle-timeout|btv|cls)\b"
)
_CHANGES = re.compile(
    r"(ont (add|confirm|cancel|delete|modify|port|activate|deactivate|ipconfig|reset|re-register)|"
    r"service-port|undo|vlan|port vlan|traffic table|dba-profile|tcont|gem|commit|save)\b"
)


def parse(command: str | None, context: str | None, text: str) -> Parsed:
    """Read one raw answer; a refusal is part of the result, an unreadable text raises ``ParseError``."""
    line = _plain(command)
    answer = cleaned(text, command or None)
    kind, reader = _reader(line, answer)
    if answer.refusal is not None and not _says_none(line, answer.refusal):
        outcome = (WriteOutcome(outcome="refused", text=answer.refusal.text),) if kind == "write" else ()
        return Parsed(kind=kind, records=outcome, refused=answer.refusal, events=answer.events)
    if answer.refusal is not None:
        return Parsed(kind=kind, events=answer.events)
    if reader is not None and not answer.body.strip() and not answer.empty:
        return Parsed(kind="session", events=answer.events, incomplete=True)
    if reader is not None:
        records, whole = reader(answer, Asked(line, (context, answer.view)))
        incomplete = not (whole and answer.complete)
        return Parsed(kind=kind, records=records, events=answer.events, incomplete=incomplete)
    if kind == "write":
        return _written(line, answer, board_of(context, answer.view))
    return Parsed(kind="session", events=answer.events)


def _plain(command: str | None) -> str:
    words = re.sub(r"\|.*$", "", command or "").split()
    return " ".join(words).lower()


def _reader(line: str, answer: Answer) -> tuple[Kind, Callable[[Answer, Asked], Records] | None]:
    if line.startswith("display board") and re.match(r"[\s-]*F/S/P\s+ONT\s", answer.body):
        return "onus", _onus  # the end of a board's page: the ONTs of its ports
    for pattern, kind, reader in _READERS:
        if re.match(pattern, line):
            return kind, reader
    if not line or line.startswith("display") or _MOVES.match(line):
        return "session", None
    return "write", None


def _says_none(line: str, refusal: Refusal) -> bool:
    """Whether a refusal to list means that the list is empty: no ONT on the port."""
    listing = re.match(r"display ont (info|optical-info)\b.*\b(all|summary)\b", line)
    return bool(listing) and bool(re.match(r"Failure: The ONTs? (does|do) not exist", refusal.text, re.IGNORECASE))


def _written(line: str, answer: Answer, board: tuple[int, int] | None) -> Parsed:
    outcome = writes.outcome_of(answer, board)
    if outcome is None:
        if _CHANGES.match(line):
            raise unknown(line, answer)
        return Parsed(kind="session", events=answer.events)
    refused = Refusal(refused_class="other", text=outcome.text) if outcome.outcome == "refused" else None
    return Parsed(kind="write", records=(outcome,), refused=refused, events=answer.events)
