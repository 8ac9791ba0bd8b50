"""What is asked for: subtree filters (RFC 6241, 6), built from short descriptions so that replies stay small.

``{"bbf-xponvani:v-ani": {"onu-id": "5"}}`` is an element with a content match in it, ``None`` a selection of all that
is below, a list the same element several times with other contents.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeAlias

from lxml import etree

from ponprobe.drivers.bbf.tree import Element, Names, serial_text
from ponprobe.models.addressing import Serial

Wanted: TypeAlias = "Mapping[str, Any]"

_VLAN = {"index": None, "dot1q-tag": {"vlan-id": None}}
TAGS = {
    "bbf-sub-interfaces:subif-lower-layer": None,
    "bbf-sub-interfaces:inline-frame-processing": {
        "ingress-rule": {
            "rule": {
                "name": None,
                "flexible-match": {
                    "bbf-sub-interface-tagging:match-criteria": {"untagged": None, "tag": _VLAN},
                },
                "ingress-rewrite": {"bbf-sub-interface-tagging:push-tag": _VLAN},
            }
        }
    },
}
"""The VLANs of sub-interfaces and what they stand on, without the rest of their rules: an OLT has thousands."""
OPTIONAL = (
    "bbf-xponvani-onu-authentication",
    "bbf-hardware",
    "bbf-hardware-transceivers-xpon",
    "bbf-l2-forwarding",
    "bbf-link-table",
    "bbf-sub-interfaces",
    "bbf-xpon-onu-state",
    "bbf-xpongemtcont",
)
"""Modules that a filter leaves out where a device does not list them; the others are demanded before."""
_PRESENT = {
    "detected-serial-number": None,
    "onu-presence-state": None,
    "onu-id": None,
    "v-ani-ref": None,
    "onu-detected-datetime": None,
}
PRESENCE = {
    "bbf-xpon:channel-termination": {
        "bbf-xpon-onu-state:onus-present-on-local-channel-termination": {"onu": _PRESENT},
    }
}
POWERS = {
    "tx-bias": None,
    "tx-power": None,
    "rx-power": None,
    "power-milliwatts": None,
    "power-dbm": None,
}
RSSI = {"bbf-hardware-transceivers-xpon:rssi-onu": None}
MODULE = {"bbf-hardware-transceivers:transceiver": {"diagnostics": {"temperature": None, "supply-voltage": None}}}
"""What the module reads that a link is in: its temperature is not the link's."""
COMPONENT = {"name": None, "class": None, "parent": None, "serial-num": None}
V_ANI = {
    "onu-id": None,
    "channel-partition": None,
    "preferred-channel-pair": None,
    "expected-serial-number": None,
}
"""An ONU without its password and LOID: nobody's secrets are read without need."""
SECRETS = {"expected-registration-id": None, "bbf-xponvani-onu-authentication:expected-loid": None}
TERMINATION = {"bbf-xpon:channel-termination": {"channel-pair-ref": None}, "bbf-hardware:hardware-component": None}


def rendered(names: Names, *trees: Wanted, without: Container[str] = ()) -> str:
    """The elements of a filter, one after the other; ``without`` those of modules that a device does not have.

    An unknown namespace in a filter is nothing to some servers and an error to others.
    """
    return "".join(
        etree.tostring(element, encoding="unicode") for tree in trees for element in _elements(names, tree, "", without)
    )


def _elements(names: Names, wanted: Wanted, module: str, without: Container[str]) -> Iterable[Element]:
    for name, content in wanted.items():
        before, _, local = name.rpartition(":")
        own = before or module
        if own in without:
            continue
        for each in content if isinstance(content, list) else [content]:
            namespace = names.namespace(own)
            element = etree.Element(f"{{{namespace}}}{local}", nsmap={None: namespace})
            if isinstance(each, str):
                element.text = each
            elif each is not None:
                element.extend(list(_elements(names, each, own, without)))
            yield element


def interfaces(*wanted: Wanted) -> Wanted:
    """Interfaces by what they hold; several are alternatives."""
    return {"ietf-interfaces:interfaces": {"interface": list(wanted)}}


def interface_states(*wanted: Wanted) -> Wanted:
    """The same for what they do."""
    return {"ietf-interfaces:interfaces-state": {"interface": list(wanted)}}


def components(*wanted: Wanted) -> Wanted:
    """Hardware components by what they hold."""
    return {"ietf-hardware:hardware": {"component": list(wanted)}}


def link(diagnostics: Wanted) -> Wanted:
    """A transceiver link's readings."""
    return {"bbf-hardware-transceivers:transceiver-link": {"diagnostics": diagnostics}}


def keyed(wanted: Wanted) -> Wanted:
    """The same filter with the names of list entries written out.

    A server may leave the key of an entry out of its reply where the filter does not name it (RFC 6241, 6.2.5); none
    that was seen does. Named, it comes back for every entry of the list, which is much on a big OLT.
    """
    (top, entries), *_ = wanted.items()
    (entry, contents), *_ = entries.items()
    return {top: {entry: [{"name": None, **each} for each in contents]}}


def ports() -> tuple[Wanted, ...]:
    """Channel terminations with the pairs and partitions that they serve, and their hardware."""
    refs = {"channel-group-ref": None, "channel-partition-ref": None, "channel-pair-type": None}
    pair = {"bbf-xpon:channel-pair": refs}
    partition = {"bbf-xpon:channel-partition": {"channel-group-ref": None, "authentication-method": None}}
    return (TERMINATION, pair, partition)


def by_serial(serial: Serial) -> list[Wanted]:
    """ONUs with this serial. A content match compares text, and devices write the hex digits large or small."""
    try:
        text = serial_text(serial)
    except ValueError:
        return []  # no device can hold it
    spellings = dict.fromkeys((text, text[:4] + text[4:].lower()))
    return [{"bbf-xponvani:v-ani": {**V_ANI, "expected-serial-number": each}} for each in spellings]


def on_partition(partition: str | None, pair: str | None) -> list[Wanted]:
    """ONUs of a channel partition, or of a channel pair where they name no partition."""
    found: list[Wanted] = []
    if partition is not None:
        found.append({"bbf-xponvani:v-ani": {**V_ANI, "channel-partition": partition}})
    if pair is not None:
        found.append({"bbf-xponvani:v-ani": {**V_ANI, "preferred-channel-pair": pair}})
    return found


def by_onu_id(onu_id: int) -> Wanted:
    """ONUs with this ID, on any port."""
    return {"bbf-xponvani:v-ani": {**V_ANI, "onu-id": str(onu_id)}}


def described(name: str, *, secrets: bool = False) -> Wanted:
    """One ONU by its name, with its description; with what it registers by only where that must be compared."""
    v_ani = {**V_ANI, **SECRETS} if secrets else V_ANI
    return {"name": name, "description": None, "enabled": None, "bbf-xponvani:v-ani": v_ani}


GEMS = {"gemports": {"gemport": {"name": None, "gemport-id": None, "interface": None}}}
GEMTCONT = {
    "traffic-descriptor-profiles": {"traffic-descriptor-profile": {"name": None}},
    "tconts": {"tcont": {"name": None, "alloc-id": None, "interface-reference": None}},
    **GEMS,
}
FORWARDERS = {
    "bbf-l2-forwarding:forwarding": {
        "forwarders": {
            "forwarder": {"name": None, "ports": {"port": {"name": None, "sub-interface": None}}},
        }
    }
}
