"""VLANs, service ports, profiles, and the MAC addresses that show a service to be alive."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.parse._text import answered, cleaned, fsp
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import demand_totals, listed, unknown
from ponprobe.models.addressing import PonPort
from ponprobe.models.device import MacEntry
from ponprobe.models.optical import Absence
from ponprobe.models.service import Profile, ServicePort

_FLOWS = "huawei_smartax_service_ports"
_MACS = "huawei_smartax_macs"
_PROFILES = "huawei_smartax_profiles"
_PON = re.compile(r"(x?g|e|xgs-?|10g-?)?pon", re.IGNORECASE)


# ---------------------------------------------------------------------- service ports


def service_ports(text: str | Answer) -> tuple[ServicePort, ...]:
    """Read ``display service-port``, table or single page; an answer that was cut or miscounts raises."""
    return listed(answered(text), "display service-port", flows)


def flows(answer: Answer) -> tuple[tuple[ServicePort, ...], bool]:
    """Read the flows as far as they go; the second value tells whether the answer goes to its end."""
    if answer.empty:
        return (), True
    if re.search(r"^\s*Flow type\s*:", answer.body, re.MULTILINE | re.IGNORECASE):
        return (_single(answer),), answer.complete
    rows, stops = parsing.rows_of_cut(_FLOWS, answer.body)
    found = tuple(_flow(row) for row in rows if row["index"])
    told = demand_totals(rows, len(found), "display service-port", answer)
    if not found and not told:
        raise unknown("display service-port", answer)
    return found, not stops and told


def _flow(row: dict[str, str]) -> ServicePort:
    onu_id, gem = parsing.whole(row["vpi"]), parsing.whole(row["vci"])
    pon = bool(_PON.fullmatch(row["type"]))
    port = fsp(row) if pon else None
    absent: dict[str, Absence] = {}
    if not pon or onu_id is None:
        absent["onu"] = Absence.NOT_REPORTED
    if not pon or gem is None:
        absent["gemport"] = Absence.NOT_REPORTED
    cvlan = parsing.whole(row["flow_para"]) if row["flow_type"].lower() == "vlan" else None
    if cvlan is None and parsing.word(row["flow_para"]) is None:
        absent["cvlan"] = Absence.NOT_REPORTED
    return ServicePort(
        index=int(row["index"]),
        svlan=parsing.whole(row["svlan"]),
        cvlan=cvlan,
        port=port,
        onu=port.onu(onu_id) if port is not None and onu_id is not None else None,
        gemport=gem if pon else None,
        state=row["state"].lower(),
        flow_type=row["flow_type"].lower(),
        absent=absent,
    )


def _single(answer: Answer) -> ServicePort:
    """Read the page of one service port; labels as seen on MA5683T V800R015."""
    seen = parsing.first_of(parsing.fields(answer.body))
    index = parsing.whole(seen.get("index", seen.get("service-port index", "")))
    if index is None or "flow para" not in seen:
        raise unknown("display service-port", answer)
    pon = bool(_PON.fullmatch(seen.get("port type", "gpon").strip()))
    port = PonPort.parse(seen["f/s/p"]) if pon and "f/s/p" in seen else None
    onu_id = parsing.whole(seen.get("ont id", seen.get("ont-id", "")))
    flow_type = seen["flow type"].lower()
    return ServicePort(
        index=index,
        svlan=parsing.whole(seen.get("vlan id", "")),
        cvlan=parsing.whole(seen["flow para"]) if flow_type == "vlan" else None,
        port=port,
        onu=port.onu(onu_id) if port is not None and onu_id is not None else None,
        gemport=parsing.whole(seen.get("gem port index", seen.get("gem index", seen.get("gem port id", "")))),
        state=(parsing.word(seen.get("state")) or "").lower() or None,
        tag_transform=parsing.word(seen.get("tag transform", seen.get("tag transforms", seen.get("tag-transform")))),
        flow_type=flow_type,
    )


_CONFIGURED = re.compile(
    r"^\s*service-port\s+(?:(?P<index>\d+)\s+)?vlan\s+(?P<svlan>\d+)\s+(?P<type>gpon|epon)\s+(?P<port>[\d/]+)\s+"
    r"ont\s+(?P<onu>\d+|all)(?:\s+gemport\s+(?P<gem>\d+))?(?P<rest>.*)$",
    re.MULTILINE,
)


def configured(answer: Answer) -> tuple[ServicePort, ...]:
    """Find the service ports in a running configuration; a line that is wrapped goes on with one of its keywords."""
    keywords = (
        "gemport|multi-service|user-vlan|tag-transform|inner-vlan|inner-priority|inbound|outbound|rx-cttr|tx-cttr"
    )
    body = re.sub(rf"\n\s*(?=\d|(?:{keywords})\b)", " ", answer.body)
    return tuple(_configured(_CONFIGURED.finditer(body)))


def _configured(matches: Iterable[re.Match[str]]) -> Iterable[ServicePort]:
    for match in matches:
        port = PonPort.parse(match["port"])
        user = re.search(r"user-vlan\s+(\d+)", match["rest"])
        transform = re.search(r"tag-transform\s+(\S+)", match["rest"])
        yield ServicePort(
            index=int(match["index"]) if match["index"] else None,
            svlan=int(match["svlan"]),
            cvlan=int(user[1]) if user else None,
            port=port,
            onu=None if match["onu"] == "all" else port.onu(int(match["onu"])),
            gemport=int(match["gem"]) if match["gem"] else None,
            tag_transform=transform[1] if transform else None,
        )


_FREE = re.compile(r"^\s*Next valid free service virtual port ID\s*:\s*(\d+)\s*$", re.MULTILINE | re.IGNORECASE)


def next_free_index(text: str | Answer) -> int:
    """Read the smallest free service-port index from ``display service-port next-free-index``."""
    answer = answered(text)
    match = _FREE.search(answer.body)
    if match is None:
        raise unknown("display service-port next-free-index", answer)
    return int(match[1])


# ---------------------------------------------------------------------- MAC addresses


def macs(text: str | Answer) -> tuple[MacEntry, ...]:
    """Read ``display mac-address`` or ``display location``; an answer that was cut or miscounts raises."""
    return listed(answered(text), "display mac-address", mac_rows)


def mac_rows(answer: Answer) -> tuple[tuple[MacEntry, ...], bool]:
    """Read the addresses as far as they go; the second value tells whether the table goes to its end."""
    if answer.empty:
        return (), True
    rows, stops = parsing.rows_of_cut(_MACS, answer.body)
    found = tuple(_mac(row) for row in rows if row["mac"])
    told = demand_totals(rows, len(found), "display mac-address", answer)
    if not found and not told:
        raise unknown("display mac-address", answer)
    ruled = re.search(r"^\s*-{10,}\s*$", answer.body.rpartition(found[-1].mac if found else "")[2], re.MULTILINE)
    return found, not stops and (told or ruled is not None)


def _mac(row: dict[str, str]) -> MacEntry:
    absent: dict[str, Absence] = {}
    learnt_by_onu = bool(row["ont_id"])
    onu_id = int(row["ont_id"]) if learnt_by_onu else parsing.whole(row["vpi"])
    pon = learnt_by_onu or bool(_PON.fullmatch(row["type"]))
    onu = fsp(row).onu(onu_id) if pon and onu_id is not None else None
    vlan, flow, gem = parsing.whole(row["vlan"]), parsing.whole(row["flow"]), parsing.whole(row["vci"])
    for name, value, column in (
        ("vlan", vlan, "vlan"),
        ("onu", onu, "vpi"),
        ("service_port", flow, "flow"),
        ("gemport", gem, "vci"),
    ):
        if value is None and row[column]:
            absent[name] = Absence.NOT_REPORTED
    port_of_onu = f"{row['eth_type']} {row['eth_id']}".strip().lower()
    return MacEntry(
        mac=parsing.mac_address(row["mac"]),
        vlan=vlan,
        onu=onu,
        port=fsp(row) if pon else None,
        service_port=flow,
        gemport=gem if pon else None,
        kind=port_of_onu or row["mac_type"].lower(),
        absent=absent,
    )


# ---------------------------------------------------------------------- VLANs and profiles


def vlan_exists(text: str | Answer) -> bool:
    """Whether ``display vlan N`` shows the VLAN; ``False`` if the device says that it does not exist."""
    answer = cleaned(text)
    if answer.refusal is not None and answer.refusal.refused_class == "not_found":
        return False
    parsing.refuse(answer)
    if re.search(r"^\s*VLAN ID\s*:\s*\d+\s*$", answer.body, re.MULTILINE | re.IGNORECASE):
        return True
    raise unknown("display vlan", answer)


def line_profile(text: str | Answer) -> Profile | None:
    """Read ``display ont-lineprofile ...`` of one profile, with its GEM indexes; ``None`` if it does not exist."""
    return _profile(text, "display ont-lineprofile")


def service_profile(text: str | Answer) -> Profile | None:
    """Read ``display ont-srvprofile ...`` of one profile; ``None`` if it does not exist."""
    return _profile(text, "display ont-srvprofile")


def _profile(text: str | Answer, what: str) -> Profile | None:
    answer = cleaned(text)
    if answer.refusal is not None and answer.refusal.refused_class == "not_found":
        return None
    parsing.refuse(answer)
    return profile_page(answer, what)


def profile_page(answer: Answer, what: str) -> Profile:
    """Read the page of one profile; its GEM indexes are the numbers that ``service-port`` takes as gemport."""
    seen = parsing.first_of(parsing.fields(answer.body))
    number = parsing.whole(seen.get("profile-id", seen.get("profile id", "")))
    if number is None:
        raise unknown(what, answer)
    gems = re.findall(r"<\s*Gem Index\s+(\d+)\s*>", answer.body, re.IGNORECASE)
    tconts = re.findall(r"<\s*T-CONT\s+(\d+)\s*>", answer.body, re.IGNORECASE)
    return Profile(
        id=number,
        name=parsing.word(seen.get("profile-name", seen.get("profile name"))),
        gemports=tuple(sorted({int(gem) for gem in gems})),
        tconts=tuple(sorted({int(tcont) for tcont in tconts})),
        bindings=parsing.whole(seen.get("binding times", "")),
    )


def profile_list(answer: Answer) -> tuple[tuple[Profile, ...], bool]:
    """Read ``display ont-lineprofile gpon all`` or the service profiles; miscounting raises."""
    rows, stops = parsing.rows_of_cut(_PROFILES, answer.body)
    found = tuple(
        Profile(id=int(row["id"]), name=row["name"], bindings=int(row["bindings"])) for row in rows if row["id"]
    )
    told = demand_totals(rows, len(found), "display profiles", answer)
    return found, not stops and told
