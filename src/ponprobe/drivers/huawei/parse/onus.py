"""ONUs: registered ones (table, summary, detail page) and those that nobody has registered."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.parse._text import answered, cleaned, fsp, mac_or_none, onu_or_none
from ponprobe.drivers.parsing import Answer, Field
from ponprobe.drivers.reading import demand_count, demand_whole, listed, serial_or_none, unknown
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.device import DiscoveredOnu, OnuState
from ponprobe.models.optical import Absence

_TABLE = "huawei_smartax_onus"
_SUMMARY = "huawei_smartax_onu_summary"
_NO_ONU = re.compile(r"^Failure: The (required )?ONTs? (does|do) not exist", re.IGNORECASE)


# ---------------------------------------------------------------------- tables


def onu_table(text: str | Answer, port: PonPort | None = None) -> tuple[OnuState, ...]:
    """Read every ONU of ``display ont info ... all``; other ports in the same answer are left out.

    An empty port gives an empty tuple. An answer that was cut, or whose total differs from its rows, raises.
    """
    answer = cleaned(text)
    if answer.empty or (answer.refusal is not None and _NO_ONU.match(answer.refusal.text)):
        return ()
    parsing.refuse(answer)
    found, whole = table_rows(answer)
    demand_whole(answer, "display ont info", whole=whole)
    return tuple(state for state in found if port is None or state.onu is None or state.onu.port == port)


def table_rows(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read a table of ONUs as far as it goes; the second value tells whether it goes to its end."""
    if re.search(r"^\s*ONT\s+Run\s+Last", answer.body, re.MULTILINE):
        return _summary(answer)
    rows, stops = parsing.rows_of_cut(_TABLE, answer.body)
    states: dict[OnuRef, dict[str, Any]] = {}
    texts: dict[OnuRef, str] = {}
    totals: dict[PonPort, int] = {}
    last: OnuRef | None = None
    counted: dict[PonPort, int] = {}
    for row in rows:
        if row["continued"]:
            if last is None:
                raise unknown("display ont info", answer)
            texts[last] += row["continued"]
            continue
        port = fsp(row)
        if row["total"]:
            totals[port] = totals.get(port, 0) + int(row["total"])
            continue
        onu = port.onu(int(row["ont_id"]))
        if row["identity"]:
            counted[port] = counted.get(port, 0) + 1
            states[onu] = _table_state(onu, row)
        else:
            texts[onu] = row["description"]
            last = onu
    whole = not stops and bool(states or totals) and set(counted) <= set(totals)
    for port, told in totals.items():
        if answer.complete or port in counted:
            demand_count(counted.get(port, 0), told, f"display ont info {port}", answer)
    if not states and not totals:
        raise unknown("display ont info", answer)
    return tuple(_described(state, texts, totals) for state in states.values()), whole


def _table_state(onu: OnuRef, row: dict[str, str]) -> dict[str, Any]:
    return {
        "onu": onu,
        "serial": serial_or_none(row["identity"]),
        "mac": mac_or_none(row["identity"]),
        "admin_state": row["control"].lower(),
        "run_state": row["run"].lower(),
        "config_state": row["config"].lower(),
        "match_state": row["match"].lower(),
    }


def _described(state: dict[str, Any], texts: dict[OnuRef, str], totals: dict[PonPort, int]) -> OnuState:
    onu: OnuRef = state["onu"]
    absent: dict[str, Absence] = {}
    description = parsing.word(texts.get(onu))
    if onu in texts:
        if description is None:
            absent["description"] = Absence.NOT_REPORTED
    elif onu.port not in totals:
        absent["description"] = Absence.GARBLED
    return OnuState(**state, description=description, absent=absent)


def _summary(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    rows, stops = parsing.rows_of_cut(_SUMMARY, answer.body)
    port: PonPort | None = None
    told: dict[PonPort, int] = {}
    states: dict[OnuRef, dict[str, Any]] = {}
    detailed: set[OnuRef] = set()
    for row in rows:
        if row["total"]:
            port = fsp(row)
            told[port] = int(row["total"])
            continue
        if port is None:
            raise unknown("display ont info summary", answer)
        onu = port.onu(int(row["ont_id"]))
        if row["run"]:
            states[onu] = _summary_state(onu, row)
        elif onu in states:
            detailed.add(onu)
            _add_details(states[onu], row)
        else:
            raise ParseError(f"display ont info summary: ONU {onu} has no state", text=answer.body)
    whole = not stops and set(states) == detailed
    for place, count in told.items():
        if answer.complete and whole:
            demand_count(sum(onu.port == place for onu in states), count, f"display ont info summary {place}", answer)
    return tuple(OnuState(**state) for state in states.values()), whole


def _summary_state(onu: OnuRef, row: dict[str, str]) -> dict[str, Any]:
    cause = parsing.word(row["cause"])
    absent = {} if cause else {"last_down_cause": Absence.NOT_REPORTED}
    return {"onu": onu, "run_state": row["run"].lower(), "last_down_cause": cause, "absent": absent}


def _add_details(state: dict[str, Any], row: dict[str, str]) -> None:
    state["serial"], state["mac"] = serial_or_none(row["identity"]), mac_or_none(row["identity"])
    state["onu_type"], state["description"] = parsing.word(row["type"]), parsing.word(row["description"])
    rx, _, tx = row["powers"].rpartition("/") if "/" in row["powers"] else ("-", "", "-")
    values = {"onu_rx_dbm": parsing.power(rx), "onu_tx_dbm": parsing.power(tx)}
    distance, no_distance = parsing.number(row["distance"], "a distance in metres")
    state["distance_m"] = distance
    for name, (value, absence) in values.items():
        state[name] = value
        if absence is not None:
            state["absent"][name] = absence
    if no_distance is not None:
        state["absent"]["distance_m"] = no_distance
    for name in ("onu_type", "description"):
        if state[name] is None:
            state["absent"][name] = Absence.NOT_REPORTED


# ---------------------------------------------------------------------- detail page


_LABELS = {
    "control flag": "admin_state",
    "run state": "run_state",
    "config state": "config_state",
    "match state": "match_state",
    "authentic type": "auth_type",
    "ont type": "onu_type",
    "equipment-id": "onu_type",
    "description": "description",
    "last down cause": "last_down_cause",
}
_AS_PRINTED = {"description", "onu_type", "last_down_cause", "auth_type"}


def onu_detail(text: str | Answer) -> OnuState | None:
    """Read the page of one ONU; ``None`` if the device says that there is none in that place or with that identity."""
    answer = cleaned(text)
    if answer.empty or (answer.refusal is not None and _NO_ONU.match(answer.refusal.text)):
        return None
    parsing.refuse(answer)
    found, _ = detail_pages(answer)
    if len(found) != 1:
        raise ParseError(f"display ont info: {len(found)} ONUs where one was asked for", text=answer.body)
    seen = parsing.first_of(parsing.fields(answer.body))
    demand_whole(answer, "display ont info", whole={"run state", "description"} <= seen.keys() or not answer.cut)
    return found[0]


def detail_pages(answer: Answer) -> tuple[tuple[OnuState, ...], bool]:
    """Read the pages of one or more ONUs; the second value tells whether the last one goes to its end."""
    pages: list[list[Field]] = []
    for field in parsing.fields(answer.body):
        if field.label.casefold() == "f/s/p":
            pages.append([])
        if pages:
            pages[-1].append(field)
    if not pages:
        raise unknown("display ont info", answer)
    return tuple(_page(tuple(page), answer) for page in pages), answer.complete


def _page(page: tuple[Field, ...], answer: Answer) -> OnuState:
    seen = parsing.first_of(page)
    onu_id = parsing.whole(seen.get("ont-id", seen.get("ont id", "")))
    if onu_id is None or "run state" not in seen:
        raise unknown("display ont info", answer)
    state: dict[str, Any] = {}
    absent: dict[str, Absence] = {}
    for label, name in _LABELS.items():
        if label not in seen:
            continue
        value = parsing.word(seen[label])
        if value is None:
            absent.setdefault(name, Absence.NOT_REPORTED)
        elif state.get(name) is None:
            state[name] = value if name in _AS_PRINTED else value.lower()
            absent.pop(name, None)
    distance, no_distance = parsing.number(seen.get("ont distance(m)", "-"), "a distance in metres")
    if no_distance is not None and "ont distance(m)" in seen:
        absent["distance_m"] = no_distance
    identity = seen.get("sn", seen.get("ont sn", ""))
    mac = next((seen[label] for label in ("mac", "ont mac", "mac address") if label in seen), "")
    return OnuState(
        onu=onu_or_none(PonPort.parse(seen["f/s/p"]), onu_id),
        serial=serial_or_none(identity),
        mac=mac_or_none(mac),
        distance_m=distance,
        line_profile=parsing.word(seen.get("line profile name")) or parsing.word(seen.get("line profile id")),
        service_profile=parsing.word(seen.get("service profile name")) or parsing.word(seen.get("service profile id")),
        absent=absent,
        **state,
    )


# ---------------------------------------------------------------------- not registered


_COUNT = re.compile(r"^\s*The number of .*autofind ONTs? (?:is|are)\s*:?\s*(\d+)", re.MULTILINE | re.IGNORECASE)
_KNOWN_LINE = re.compile(
    r"\s*$|\s*-{10,}\s*$|\s*The number of .*autofind ONTs? |\s*(Command is being executed|It will take)|[^:]*:",
    re.IGNORECASE,
)


def autofind(text: str | Answer) -> tuple[DiscoveredOnu, ...]:
    """Read ``display ont autofind``; an answer that was cut, or whose count differs from its entries, raises."""
    return listed(answered(text), "display ont autofind", autofind_entries)


def autofind_entries(answer: Answer) -> tuple[tuple[DiscoveredOnu, ...], bool]:
    """Read the entries as far as they go; the second value tells whether the list goes to its end."""
    if answer.empty:
        return (), True
    for line in answer.lines:
        if not _KNOWN_LINE.match(line):
            raise ParseError(f"display ont autofind: unknown line {line!r}", text=answer.body)
    entries: list[dict[str, str]] = []
    for field in parsing.fields(answer.body):
        label = field.label.casefold()
        if label == "number" or (label == "f/s/p" and (not entries or "f/s/p" in entries[-1])):
            entries.append({})
        if not entries:
            raise unknown("display ont autofind", answer)
        entries[-1].setdefault(label, field.value)
    told = _COUNT.findall(answer.body)
    if not entries and not told:
        raise unknown("display ont autofind", answer)
    whole = bool(told) or parsing.closed(answer.body)
    if told and answer.complete:
        demand_count(len(entries), sum(map(int, told)), "display ont autofind", answer)
    return tuple(_discovered(entry, answer) for entry in entries), whole


def _discovered(entry: dict[str, str], answer: Answer) -> DiscoveredOnu:
    def of(*labels: str) -> str | None:
        return next((parsing.word(entry[label]) for label in labels if label in entry), None)

    if "f/s/p" not in entry:
        raise unknown("display ont autofind", answer)
    loid, password = of("loid"), of("password")
    found_at = of("ont autofind time", "autofind time")
    absent: dict[str, Absence] = {}
    if found_at is None:
        absent["found_at"] = Absence.NOT_REPORTED if answer.complete else Absence.GARBLED
    return DiscoveredOnu(
        port=PonPort.parse(entry["f/s/p"]),
        serial=serial_or_none(of("ont sn", "sn") or ""),
        mac=mac_or_none(of("ont mac", "mac") or ""),
        vendor_id=of("vendorid", "vendor-id", "vendor id"),
        model=of("ont equipmentid", "ont equipment id", "ontmodel", "ont model"),
        version=of("ont softwareversion", "ontsoftwareversion", "ont software version"),
        password=SecretStr(password) if password else None,
        loid=SecretStr(loid) if loid else None,
        found_at=found_at,
        absent=absent,
    )
