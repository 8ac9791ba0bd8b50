"""The addresses that show a service to be alive, and the names of profiles and types."""

from __future__ import annotations

import re

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import demand_totals, demand_whole, listed, unknown
from ponprobe.drivers.zte.parse._text import answered, onu_in, service_of
from ponprobe.models.device import MacEntry
from ponprobe.models.optical import Absence

_MACS = "zte_macs"
_PROFILES = "zte_profiles"


def macs(text: str | Answer) -> tuple[MacEntry, ...]:
    """Read ``show mac ...``; none learnt gives none, an answer that was cut or miscounts raises."""
    return listed(answered(text), "show mac", mac_rows)


def mac_rows(answer: Answer) -> tuple[tuple[MacEntry, ...], bool]:
    """Read the addresses as far as they go. The VLAN is the outer one; TITAN adds the service port to the vport."""
    if answer.empty:
        return (), True
    rows, stops = parsing.rows_of_cut(_MACS, answer.body)
    found = tuple(_mac(row) for row in rows if row["mac"])
    told = demand_totals(rows, len(found), "show mac", answer)
    if not (found or told or re.search(r"^\s*Mac\s+address", answer.body, re.MULTILINE | re.IGNORECASE)):
        raise unknown("show mac", answer)
    return found, not stops


def _mac(row: dict[str, str]) -> MacEntry:
    onu = onu_in(row["port"])
    vlan = parsing.whole(row["vlan"])
    return MacEntry(
        mac=parsing.mac_address(row["mac"]),
        vlan=vlan,
        onu=onu,
        port=onu.port if onu else None,
        service_port=service_of(row["port"])[1],
        kind=row["type"].lower(),
        absent={"vlan": Absence.NOT_REPORTED} if vlan is None else {},
    )


def names(text: str | Answer, what: str) -> frozenset[str]:
    """Read the names of ``show gpon profile tcont`` or ``show onu-type gpon``."""
    answer = answered(text)
    if answer.empty:
        return frozenset()
    found, stops = parsing.rows_of_cut(_PROFILES, answer.body)
    if not found:
        raise unknown(what, answer)
    demand_whole(answer, what, whole=not stops)
    return frozenset(row["name"] for row in found)
