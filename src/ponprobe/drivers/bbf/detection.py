"""What an OLT can do over NETCONF, by its own word: hello for the protocol, the YANG library for the models.

A hello does not list modules of YANG 1.1 (RFC 7950, 5.6.4), so it proves nothing about the Broadband Forum's: the
library does, in its form of RFC 8525 or of RFC 7895. A device that has no library may still list all in its hello.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from ponprobe.drivers.bbf import filters
from ponprobe.drivers.bbf.hardware import Component, Hardware, hardware
from ponprobe.drivers.bbf.tree import Element, Names, leaf_text, read
from ponprobe.errors import NotSupported
from ponprobe.flow import NetconfFlow, NetconfGet, ask_netconf
from ponprobe.models.device import OltFacts
from ponprobe.models.netconf import NetconfProfile, NetconfSupport

_CAPABILITY = "urn:ietf:params:netconf:capability:"
PURPOSES = {
    "bbf-xpon": "PON ports",
    "bbf-xponvani": "ONUs",
    "bbf-xpongemtcont": "T-CONT and GEM port of a test ONU",
    "bbf-sub-interface-tagging": "the two tags of a test ONU's service",
    "bbf-l2-forwarding": "the way to the uplink",
    "ietf-hardware": "transceivers",
    "bbf-hardware-transceivers": "OLT Tx, ONU Rx and ONU Tx",
    "bbf-hardware-transceivers-xpon": "OLT Rx of each ONU",
    "bbf-xpon-onu-state": "which ONUs shine",
}
_ALSO_NEEDED = tuple(PURPOSES)[5:]
_OF_USE = (
    "ietf-interfaces",
    "ietf-system",
    "bbf-hardware",
    "bbf-sub-interfaces",
    "bbf-xpon-types",
    "bbf-link-table",
    "bbf-xponvani-onu-authentication",
)
_FEATURES = {
    "configurable-v-ani-onu-id": ("bbf-xponvani", "the ONU-ID of a test ONU is chosen by us"),
    "tag-rewrites": ("bbf-sub-interfaces", "the two tags of a test ONU's service"),
}
_FEATURES_OF_USE = (
    "configurable-alloc-id",
    "configurable-gemport-id",
    "optical-power-and-sensitivity-in-dbm",
    "interface-hardware-reference",
    "forwarding-databases",
    "interface-for-forwarding-database-port",
    "can-retrieve-loid-pre-auth",
)


def support_of(
    capabilities: Iterable[str], modules: dict[str, tuple[str, frozenset[str]]], profile: NetconfProfile
) -> NetconfSupport:
    """Hold what an OLT lists against what a test ONU needs; ``modules`` are revisions and features by name."""
    offered = set(capabilities)

    def has(name: str) -> bool:
        return any(each.partition("?")[0].startswith(f"{_CAPABILITY}{name}:") for each in offered)

    needed = tuple(dict.fromkeys((*profile.needs_modules, *_ALSO_NEEDED)))
    features = {each for _, listed in modules.values() for each in listed}
    missing = [_named("module", each, PURPOSES.get(each)) for each in needed if each not in modules]
    missing += [
        f"feature {name} of {module} ({why})"
        for name, (module, why) in _FEATURES.items()
        if module in modules and name not in features
    ]
    if not (has("candidate") or (has("writable-running") and has("rollback-on-error"))):
        missing.append("a way to change all or nothing (:candidate, or :writable-running with :rollback-on-error)")
    return NetconfSupport(
        profile=profile.name,
        versions=tuple(v for v in ("1.0", "1.1") if f"urn:ietf:params:netconf:base:{v}" in offered),
        candidate=has("candidate"),
        confirmed_commit=has("confirmed-commit"),
        validate_first=has("validate"),
        writable_running=has("writable-running"),
        rollback_on_error=has("rollback-on-error"),
        modules={each: modules[each][0] for each in (*needed, *_OF_USE) if each in modules},
        features=tuple(each for each in (*_FEATURES, *_FEATURES_OF_USE) if each in features),
        missing=tuple(missing),
    )


def _named(kind: str, name: str, why: str | None) -> str:
    return f"{kind} {name} ({why})" if why else f"{kind} {name}"


def library(data: Element, names: Names) -> dict[str, tuple[str, frozenset[str]]]:
    """Revision and features of every module that a YANG library says is implemented, in either form."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    top = "ietf-yang-library"
    for path in (f"{top}:yang-library/module-set/module", f"{top}:modules-state/module"):
        for module in names.all(data, path):
            name = names.text(module, f"{top}:name")
            if name is None or names.text(module, f"{top}:conformance-type") == "import":
                continue
            features = {leaf_text(each) for each in names.all(module, f"{top}:feature")}
            revision, before = found.get(name, ("", frozenset()))
            found[name] = (names.text(module, f"{top}:revision") or revision, before | features)
    return found


def from_hello(capabilities: Iterable[str]) -> dict[str, tuple[str, frozenset[str]]]:
    """The modules that a hello lists (YANG 1.0 only)."""
    found = {}
    for each in capabilities:
        query = parse_qs(urlsplit(each).query)
        if "module" in query:
            features = ",".join(query.get("features", [])).split(",")
            found[query["module"][0]] = (query.get("revision", [""])[0], frozenset(features) - {""})
    return found


def facts(names: Names, profile: NetconfProfile) -> NetconfFlow[OltFacts]:
    """Ask an OLT what it is and speaks: two questions, and one or two more where it has hardware to tell of."""
    module = {"name": None, "revision": None, "feature": None}
    top = "ietf-yang-library"
    tree = {f"{top}:yang-library": {"module-set": {"name": None, "module": module}}}
    reply = yield from ask_netconf(NetconfGet("YANG library", filters.rendered(names, tree)))
    modules = library(read(reply.data, "YANG library"), names)
    if not modules:
        tree = {f"{top}:modules-state": {"module": {**module, "conformance-type": None}}}
        reply = yield from ask_netconf(NetconfGet("YANG library, older form", filters.rendered(names, tree)))
        modules = library(read(reply.data, "YANG library"), names)
    found = support_of(reply.capabilities, {**from_hello(reply.capabilities), **modules}, profile)
    if not modules and not found.complete:
        empty = "its YANG library (RFC 8525 or RFC 7895) is empty, and what its hello lists is not enough"
        found = found.model_copy(update={"missing": (empty, *found.missing)})
    chassis, hostname = None, None
    if "ietf-hardware" in found.modules:
        system = {"ietf-system:system": {"hostname": None}} if "ietf-system" in modules else {}
        boxes, hostname = yield from boxes_of(names, more=system)
        chassis = chassis_of(boxes)
    return OltFacts(
        model=None if chassis is None else chassis.model,
        version=None if chassis is None else chassis.software,
        hostname=hostname,
        netconf=found,
    )


def boxes_of(names: Names, more: filters.Wanted) -> NetconfFlow[tuple[Hardware, str | None]]:
    """Chassis, boards and all else without readings: what was planned for, completed by what is there."""
    leaves = {**filters.COMPONENT, "parent-rel-pos": None, "model-name": None, "software-rev": None}
    wanted = filters.components(leaves)
    planned = yield from ask_netconf(
        NetconfGet("hardware as configured", filters.rendered(names, wanted, more), datastore="running")
    )
    there = filters.components({**leaves, "state": {"oper-state": None}})
    found = yield from ask_netconf(NetconfGet("hardware", filters.rendered(names, there)))
    configured = read(planned.data, "hardware as configured")
    boxes = hardware(configured, names, None)
    for name, box in hardware(read(found.data, "hardware"), names, None).components.items():
        boxes.components[name] = box.completed(boxes.components[name]) if name in boxes.components else box
    return boxes, names.text(configured, "ietf-system:system/hostname")


def chassis_of(boxes: Hardware) -> Component | None:
    """The OLT's own chassis: the one that its boards stand in, else the only one. ONUs have theirs, too."""
    for box in boxes.components.values():
        if box.kind == "board":
            for above in boxes.ancestors(box.name):
                if above.kind == "chassis":
                    return above
    all_of_them = [box for box in boxes.components.values() if box.kind == "chassis"]
    return all_of_them[0] if len(all_of_them) == 1 else None


def demand(
    support: NetconfSupport | None, what: str, *, modules: Iterable[str] = (), features: Iterable[str] = ()
) -> None:
    """Raise ``NotSupported`` that names what an OLT lacks for ``what``; an OLT that was not asked lacks nothing."""
    if support is None:
        return
    lacking = [f"module {each}" for each in modules if each not in support.modules]
    lacking += [f"feature {each}" for each in features if each not in support.features]
    if lacking:
        raise NotSupported(
            f"{what} over NETCONF needs {' and '.join(lacking)}, which this OLT does not list",
            hint="use its command line or SNMP, or name the namespaces of its own models in a profile",
        )
