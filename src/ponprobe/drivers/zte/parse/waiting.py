"""ONUs that the OLT sees and that nobody has registered. The index that some tables show is a proposal, no place."""

from __future__ import annotations

import re

from pydantic import SecretStr

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import listed, serial_or_none, unknown
from ponprobe.drivers.zte.parse._text import answered, headed_rows, port_in
from ponprobe.models.device import DiscoveredOnu

_WHAT = "show onu uncfg"
_COLUMNS = {
    "onuindex": "place",
    "oltindex": "place",
    "model": "model",
    "sn": "serial",
    "mac": "mac",
    "pw": "password",
    "password": "password",
    "loid": "loid",
    "state": "state",
}
_DOTTED_MAC = re.compile(r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_UNHEADED = {
    "onu": [("place", 0), ("serial", 25), ("state", 45)],
    "olt": [("place", 0), ("model", 20), ("serial", 41), ("password", 60)],
}
"""The two layouts that were seen without their heading, and where their columns start."""


def waiting(text: str | Answer) -> tuple[DiscoveredOnu, ...]:
    """Read ``show pon onu uncfg``, ``show gpon onu uncfg`` or ``show onu unauthentication``; a cut answer raises."""
    return listed(answered(text), _WHAT, waiting_rows)


def waiting_rows(answer: Answer) -> tuple[tuple[DiscoveredOnu, ...], bool]:
    """Read the entries as far as they go."""
    if answer.empty:
        return (), True
    if re.search(r"^\s*Onu Interface\s*:", answer.body, re.MULTILINE | re.IGNORECASE):
        return _blocks(answer), answer.complete
    rows = headed_rows(answer, _WHAT, _COLUMNS, _UNHEADED)
    return tuple(_entry(row, answer) for row in rows), answer.complete


def _word(text: str | None) -> str | None:
    found = parsing.word(text)
    return None if found is None or found.upper() == "N/A" else found


def _entry(row: dict[str, str], answer: Answer) -> DiscoveredOnu:
    port = port_in(row.get("place"))
    serial = serial_or_none(row.get("serial", ""))
    if port is None or (serial is None and _word(row.get("serial")) and len(row["serial"]) >= 12):
        raise unknown(_WHAT, answer)
    mac, password, loid = _word(row.get("mac")), _word(row.get("password")), _word(row.get("loid"))
    return DiscoveredOnu(
        port=port,
        serial=serial,
        mac=parsing.mac_address(mac) if mac and _DOTTED_MAC.fullmatch(mac) else None,
        model=_word(row.get("model")),
        password=SecretStr(password) if password else None,
        loid=SecretStr(loid) if loid else None,
    )


def _blocks(answer: Answer) -> tuple[DiscoveredOnu, ...]:
    """Read EPON's list: a block of lines for each ONU."""
    entries: list[dict[str, str]] = []
    for field in parsing.fields(answer.body):
        label = field.label.casefold()
        if label == "onu interface":
            entries.append({})
        if not entries:
            raise unknown("show onu unauthentication", answer)
        entries[-1].setdefault(label, field.value)
    found = []
    for entry in entries:
        port = port_in(entry["onu interface"])
        mac = _word(entry.get("mac address", entry.get("mac")))
        if port is None:
            raise unknown("show onu unauthentication", answer)
        found.append(
            DiscoveredOnu(port=port, mac=parsing.mac_address(mac) if mac else None, model=_word(entry.get("onu model")))
        )
    return tuple(found)
