"""ONUs: registered ones (state table, identities, detail page, search) and those that nobody has registered."""

from __future__ import annotations

import re
from typing import Any

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer, Field
from ponprobe.drivers.reading import demand_count, demand_totals, demand_whole, listed, serial_or_none, unknown
from ponprobe.drivers.zte.parse._text import answered, headed_rows, index, onu_in, shown
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef
from ponprobe.models.device import OnuState
from ponprobe.models.optical import Absence

_STATE = "zte_onu_state"
_BASEINFO = "zte_onu_baseinfo"
_INFORMATION = "zte_onu_information"
_NO_MAC = "00:00:00:00:00:00"


# ---------------------------------------------------------------------- states


def states(text: str | Answer) -> tuple[OnuState, ...]:
    """Read ``show gpon onu state``; no ONU gives an empty tuple, a table that was cut or miscounts raises."""
    return listed(answered(text), "show gpon onu state", state_rows)


def state_rows(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read the states as far as they go; the count of the trailer must agree where there is one."""
    if answer.empty:
        return (), True
    rows, stops = parsing.rows_of_cut(_STATE, answer.body)
    found = tuple(
        OnuState(onu=index(row["index"]), admin_state=row["admin"].lower(), run_state=row["phase"].lower())
        for row in rows
        if row["index"]
    )
    return found, _counted(rows, len(found), answer, "show gpon onu state") and not stops


def _counted(rows: list[dict[str, str]], found: int, answer: Answer, what: str) -> bool:
    """Compare rows with the trailer ``ONU Number: online/total``; several ports have several trailers."""
    told = demand_totals(rows, found, what, answer)
    if not found and not told and not re.search(r"O[Nn][Uu]\s?[Ii]n", answer.body):
        raise unknown(what, answer)
    return True


# ---------------------------------------------------------------------- identities


def baseinfo(text: str | Answer) -> tuple[OnuState, ...]:
    """Read ``show gpon onu baseinfo PORT``: types and serials."""
    return listed(answered(text), "show gpon onu baseinfo", baseinfo_rows)


def baseinfo_rows(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read identities as far as they go; a type or an identity that is longer than its column goes on below it."""
    if answer.empty:
        return (), True
    rows, stops = parsing.rows_of_cut(_BASEINFO, answer.body)
    entries: list[dict[str, str]] = []
    for row in rows:
        if row["index"]:
            entries.append(dict(row))
        elif row["more"]:
            if not entries:
                raise unknown("show gpon onu baseinfo", answer)
            _continue(entries[-1], row, answer)
    found = tuple(_base(entry) for entry in entries)
    return found, _counted(rows, len(found), answer, "show gpon onu baseinfo") and not stops


def _continue(entry: dict[str, str], row: dict[str, str], answer: Answer) -> None:
    """Add the rest of a type (its column starts at 20) or of an identity (at 40) to the row above."""
    words = row["more"].split()
    if len(words) == 2:
        entry["type"] += words[0]
        entry["auth"] += words[1]
    elif 12 <= len(row["indent"]) < 34:
        entry["type"] += words[0]
    elif re.fullmatch(r"SN:[0-9A-Za-z]{12,}", entry["auth"]) or not re.fullmatch(r"[!-~]{1,24}", words[0]):
        raise ParseError(f"show gpon onu baseinfo: unknown line {row['more']!r}", text=answer.body)
    else:
        entry["auth"] += words[0]


def _base(entry: dict[str, str]) -> OnuState:
    kinds = dict(re.findall(r"([A-Za-z]+):(\S*)", entry["auth"]))
    return OnuState(
        onu=index(entry["index"]),
        serial=serial_or_none(kinds.get("SN", "")),
        mac=_mac(kinds.get("MAC", "")),
        onu_type=entry["type"],
        auth_type=entry["mode"].lower(),
    )


def _mac(text: str) -> str | None:
    """Read a dotted MAC address; zeros stand for none."""
    bare = text.strip()
    found = parsing.mac_address(bare) if re.fullmatch(r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}", bare) else None
    return None if found == _NO_MAC else found


def information_rows(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read ``show pon onu information``: a table of a port, or the page of one ONU."""
    if answer.empty:
        return (), True
    if re.search(r"^\s*ONU interface\s*:", answer.body, re.MULTILINE | re.IGNORECASE):
        return (_information_page(answer),), answer.complete
    rows, stops = parsing.rows_of_cut(_INFORMATION, answer.body)
    if not rows and not re.search(r"O(nu|NU|lt|LT)\s?Index", answer.body):
        raise unknown("show pon onu information", answer)
    found = tuple(
        OnuState(
            onu=index(row["index"]),
            onu_type=row["type"],
            serial=serial_or_none(row["identity"]) if row["kind"] == "SN" else None,
            mac=_mac(row["identity"]) if row["kind"] == "MAC" else None,
            run_state=row["state"].lower(),
        )
        for row in rows
    )
    return found, not stops


def _information_page(answer: Answer) -> OnuState:
    seen = parsing.first_of(parsing.fields(answer.body))
    auth = re.match(r"(?P<kind>\w+)\((?P<value>[^()]*)\)", seen.get("auth information", ""))
    return OnuState(
        onu=onu_in(seen["onu interface"]),
        onu_type=shown(seen.get("onu type configured")),
        serial=serial_or_none(auth["value"]) if auth and auth["kind"] == "SN" else None,
        mac=_mac(auth["value"]) if auth and auth["kind"] == "MAC" else None,
    )


# ---------------------------------------------------------------------- one ONU


_LABELS = {
    "type": "onu_type",
    "admin state": "admin_state",
    "phase state": "run_state",
    "config state": "config_state",
    "authentication mode": "auth_type",
    "description": "description",
    "line profile": "line_profile",
    "service profile": "service_profile",
}
_LOWER = {"admin_state", "run_state", "config_state", "auth_type"}
_HISTORY = re.compile(
    r"^\s*\d+\s+\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d\s+(?P<off>\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d)"
    r"(?:\s+(?P<cause>\S.*?))?\s*$",
    re.MULTILINE,
)
_PAGE_LINE = re.compile(
    r"[^:]+:|\s*$|\s*[-=]{5,}\s*$|\s*Authpass Time\s|\s*\d+\s+\d{4}[-/]\d\d[-/]\d\d ", re.IGNORECASE
)


def detail(text: str | Answer) -> OnuState | None:
    """Read ``show gpon onu detail-info ONU``; ``None`` if the device has nothing to show."""
    answer = answered(text)
    if answer.empty:
        return None
    found, _ = detail_page(answer)
    demand_whole(answer, "show gpon onu detail-info", whole=found.run_state is not None)
    return found


def detail_page(answer: Answer) -> tuple[OnuState, bool]:
    """Read the page of one ONU. The state is the phase state; ``State: ready`` only says that it is configured."""
    for line in answer.lines:
        if not _PAGE_LINE.match(line):
            raise ParseError(f"show gpon onu detail-info: unknown line {line!r}", text=answer.body)
    page = _above_the_history(parsing.fields(answer.body))
    seen = parsing.first_of(page)
    onu = onu_in(seen.get("onu interface"))
    if onu is None or not ({"phase state", "type"} & seen.keys()):
        raise unknown("show gpon onu detail-info", answer)
    state: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    for label, name in _LABELS.items():
        if label not in seen:
            continue
        value = shown(seen[label])
        if value is None or value == "N/A":
            absent[name] = Absence.NOT_REPORTED
        else:
            state[name] = value.lower() if name in _LOWER else value
    distance, no_distance = parsing.number(seen.get("onu distance", "-"), "a distance in metres")
    if no_distance is not None and "onu distance" in seen:
        absent["distance_m"] = no_distance
    drops = [match["cause"] for match in _HISTORY.finditer(answer.body) if not match["off"].startswith("0000")]
    whole = answer.complete and {"phase state", "serial number"} <= seen.keys()
    found = OnuState(
        onu=onu,
        serial=serial_or_none(seen.get("serial number", "")),
        distance_m=distance,
        last_down_cause=drops[-1] if drops else None,
        absent=absent,
        **state,
    )
    return found, whole


def _above_the_history(page: tuple[Field, ...]) -> tuple[Field, ...]:
    """Leave out the times of the history, whose colons make fields of them."""
    return tuple(field for field in page if not re.match(r"\d", field.label))


def by_serial(text: str | Answer) -> OnuRef | None:
    """Read ``show gpon onu by sn``: where the serial is registered, or ``None``."""
    answer = answered(text)
    found = listed(answer, "show gpon onu by sn", searched)
    if len(found) > 1:
        raise ParseError(f"show gpon onu by sn: {len(found)} places for one serial", text=answer.body)
    return found[0] if found else None


def searched(answer: Answer) -> tuple[tuple[OnuRef, ...], bool]:
    """Read the result of a search: a heading, a rule, and a place for each hit."""
    if answer.empty:
        return (), True
    found = []
    heading = False
    for line in answer.lines:
        bare = line.strip()
        if re.fullmatch(r"Search\s?Result", bare, re.IGNORECASE):
            heading = True
        elif bare and (onu := onu_in(bare)) is not None and len(bare.split()) == 1:
            found.append(onu)
        elif bare and not re.fullmatch(r"-{5,}", bare):
            raise ParseError(f"show gpon onu by sn: unknown line {line!r}", text=answer.body)
    if not (heading or found):
        raise unknown("show gpon onu by sn", answer)
    return tuple(found), answer.complete


def equipment(answer: Answer, onu: OnuRef | None) -> tuple[OnuState, bool]:
    """Read ``show gpon remote-onu equip``: what the ONU says of itself; its model is not the registered type."""
    seen = parsing.first_of(parsing.fields(answer.body))
    if not {"sn", "vendor id"} & seen.keys():
        raise unknown("show gpon remote-onu equip", answer)
    return OnuState(onu=onu, serial=serial_or_none(seen.get("sn", ""))), answer.complete


# ---------------------------------------------------------------------- EPON


_EPON_COLUMNS = {
    "onuindex": "place",
    "onuinterface": "place",
    "onlinestatus": "state",
    "onlinestate": "state",
    "status": "state",
    "oamstatus": "oam",
    "regmac": "mac",
    "mac": "mac",
    "macaddress": "mac",
    "regstatus": "registered",
    "adminstate": "admin",
}
_EPON_UNHEADED = {"onu": (("place", 0), ("state", 19), ("oam", 32), ("mac", 45))}


def epon_states(text: str | Answer) -> tuple[OnuState, ...]:
    """Read ``show epon onu state``; the identity is the MAC, the state may be two words (``power off``)."""
    return listed(answered(text), "show epon onu state", epon_rows)


def epon_rows(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read EPON states as far as they go."""
    if answer.empty:
        return (), True
    rows = headed_rows(answer, "show epon onu state", _EPON_COLUMNS, _EPON_UNHEADED)
    found = tuple(
        OnuState(
            onu=onu_in(row["place"]),
            mac=_mac(row.get("mac", "")),
            run_state=row["state"].lower(),
            admin_state=row["admin"].lower() if "admin" in row else None,
        )
        for row in rows
    )
    total = re.search(r"^\s*ONU Number\s*:\s*\d+\s*/\s*(\d+)", answer.body, re.MULTILINE)
    if total and answer.complete:
        demand_count(len(found), int(total[1]), "show epon onu state", answer)
    return found, True


_EPON_LABELS = {
    "adminstate": "admin_state",
    "online state": "run_state",
    "onutype": "onu_type",
    "onu type": "onu_type",
}


def epon_detail(answer: Answer) -> tuple[OnuState, bool]:
    """Read ``show onu detail``, the page of one EPON ONU on older versions."""
    seen = parsing.first_of(parsing.fields(answer.body))
    onu = onu_in(seen.get("onu interface"))
    if onu is None:
        raise unknown("show onu detail", answer)
    state = {name: shown(seen[label]) for label, name in _EPON_LABELS.items() if label in seen}
    for name in ("admin_state", "run_state"):
        state[name] = (state.get(name) or "").lower() or None
    return OnuState(onu=onu, mac=_mac(seen.get("mac", seen.get("mac address", ""))), **state), answer.complete
