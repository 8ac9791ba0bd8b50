"""YANG modules that the emulated server has, as data: namespaces, prefixes, revisions, features.

Taken from the public modules: the Broadband Forum's TR-385 Issue 3 and TR-383 Amendment 9 (BroadbandForum/yang on
GitHub), RFC 7317, RFC 8343, RFC 8348, IANA. The prefixes are those that the modules give themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"


@dataclass(frozen=True)
class Module:
    """One module; ``implemented`` is false for one that only lends types. ``since_1_1``: YANG 1.1, never in a hello."""

    name: str
    namespace: str
    prefix: str
    revision: str
    features: tuple[str, ...] = ()
    implemented: bool = True
    since_1_1: bool = True


def _bbf(name: str, prefix: str, revision: str, *features: str, implemented: bool = True) -> Module:
    return Module(name, f"urn:bbf:yang:{name}", prefix, revision, features, implemented)


def _ietf(name: str, prefix: str, revision: str, *features: str, implemented: bool = True, old: bool = False) -> Module:
    return Module(name, f"urn:ietf:params:xml:ns:yang:{name}", prefix, revision, features, implemented, not old)


MODULES: dict[str, Module] = {
    each.name: each
    for each in (
        _ietf("ietf-inet-types", "inet", "2013-07-15", implemented=False, old=True),
        _ietf("ietf-yang-types", "yang", "2013-07-15", implemented=False, old=True),
        _ietf("ietf-yang-library", "yanglib", "2019-01-04"),
        _ietf("ietf-netconf-nmda", "ncds", "2019-01-07", "origin", "with-defaults"),
        _ietf("ietf-datastores", "ds", "2018-02-14"),
        _ietf("iana-if-type", "ianaift", "2023-01-26", old=True),
        _ietf("iana-hardware", "ianahw", "2018-03-13"),
        _ietf("ietf-interfaces", "if", "2018-02-20"),
        _ietf("ietf-system", "sys", "2014-08-06"),
        _ietf("ietf-hardware", "hw", "2018-03-13", "hardware-state"),
        _bbf("bbf-yang-types", "bbf-yang", "2024-11-11"),
        _bbf("bbf-if-type", "bbfift", "2023-12-15"),
        _bbf("bbf-xpon-types", "bbf-xpon-types", "2024-04-23"),
        _bbf("bbf-xpon-if-type", "bbf-xponift", "2024-04-23"),
        _bbf("bbf-hardware-types", "bbf-hwt", "2023-12-15"),
        _bbf("bbf-dot1q-types", "bbf-dot1qt", "2024-11-11"),
        _bbf("bbf-frame-processing-types", "bbf-fpt", "2023-03-07"),
        _bbf("bbf-sub-interfaces", "bbf-subif", "2023-12-15", "tag-rewrites"),
        _bbf("bbf-sub-interface-tagging", "bbf-subif-tag", "2023-12-15", "write-pbit-value-in-vlan-tag"),
        _bbf("bbf-xpon", "bbf-xpon", "2024-04-23", "pon-pools"),
        _bbf("bbf-xponvani", "bbf-xponvani", "2024-04-23", "configurable-v-ani-onu-id"),
        _bbf("bbf-xponani", "bbf-xponani", "2024-04-23"),
        _bbf("bbf-xpongemtcont", "bbf-xpongemtcont", "2024-04-23", "configurable-alloc-id", "configurable-gemport-id"),
        _bbf("bbf-xpon-onu-types", "bbf-xpon-onu-types", "2024-04-23"),
        _bbf("bbf-xpon-onu-state", "bbf-xpon-onu-s", "2024-04-23"),
        _bbf("bbf-hardware", "bbf-hw", "2022-03-01", "interface-hardware-management", "interface-hardware-reference"),
        _bbf("bbf-hardware-transceivers", "bbf-hw-xcvr", "2025-07-02", "optical-power-and-sensitivity-in-dbm"),
        _bbf("bbf-hardware-transceivers-xpon", "bbf-hw-xcvr-xpon", "2024-04-23"),
        _bbf("bbf-l2-forwarding", "bbf-l2-fwd", "2025-07-02", "forwarding-databases", "mac-learning"),
        _bbf("bbf-link-table", "bbf-lt", "2020-10-13"),
        _bbf("bbf-xpon-onu-authentication", "bbf-xpon-onu-auth", "2024-04-23", "can-retrieve-loid-pre-auth"),
        _bbf("bbf-xponvani-onu-authentication", "bbf-xponvani-onu-auth", "2023-06-21"),
    )
}
BY_NAMESPACE = {each.namespace: each for each in MODULES.values()}
NAMESPACES = {each.name: each.namespace for each in MODULES.values()}

IDENTITIES: dict[str, tuple[str, ...]] = {
    "iana-if-type": ("ethernetCsmacd", "l2vlan", "other"),
    "bbf-if-type": ("sub-interface", "vlan-sub-interface", "l2-termination"),
    "bbf-xpon-if-type": (
        *("channel-group", "channel-partition", "channel-pair", "channel-termination"),
        *("ani", "v-ani", "onu-v-enet", "olt-v-enet", "onu-v-vrefpoint"),
    ),
    "iana-hardware": (
        *("unknown", "chassis", "backplane", "container", "power-supply", "fan", "sensor", "module", "port"),
        *("stack", "cpu", "energy-object", "battery", "storage-drive"),
    ),
    "bbf-hardware-types": ("slot", "cage", "board", "transceiver", "transceiver-link", "rj45", "xpon-nt"),
    "bbf-dot1q-types": ("c-vlan", "s-vlan"),
    "bbf-xpon-types": (
        *("ngpon2-twdm", "ngpon2-ptp", "xgs", "xgpon", "gpon", "fiftyg-tdm", "twentyfivegs"),
        *("inside-olt", "outside-olt"),
    ),
    "bbf-xpon-onu-types": (
        "onu-present",
        "onu-present-and-on-intended-channel-termination",
        "onu-present-and-in-wavelength-discovery",
        "onu-present-and-no-v-ani-known-and-o5-failed",
        "onu-present-and-no-v-ani-known-and-o5-failed-undefined",
        "onu-present-and-v-ani-known-and-o5-failed",
        "onu-present-and-v-ani-known-and-o5-failed-undefined",
        "onu-present-and-no-v-ani-known-and-unclaimed",
        "onu-not-present",
        "onu-not-present-with-v-ani",
        "onu-not-present-without-v-ani",
    ),
}
"""The identities that values of the nodes in the model below can have."""
