"""What the server says it has: capabilities in its hello, YANG modules in its library."""

from __future__ import annotations

from lxml import etree

from ponprobe.emulator.netconf.modules import BASE, MODULES, Module
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.tree import Node

CAPABILITY = "urn:ietf:params:netconf:capability:"
CONTENT_ID = "1"


def capabilities(spec: NetconfSpec) -> list[str]:
    """The capabilities of the server's hello. Modules of YANG 1.1 stay out of it (RFC 7950 5.6.4)."""
    found = [f"urn:ietf:params:netconf:base:{version}" for version in sorted(spec.versions)]
    switched = (
        (spec.writable_running, "writable-running:1.0"),
        (spec.candidate, "candidate:1.0"),
        (spec.candidate and spec.confirmed_commit, "confirmed-commit:1.1"),
        (spec.rollback_on_error, "rollback-on-error:1.0"),
        (spec.validation, "validate:1.1"),
        (spec.xpath, "xpath:1.0"),
    )
    found += [CAPABILITY + name for on, name in switched if on]
    if "yang-library" in spec.library:
        found.append(f"{CAPABILITY}yang-library:1.1?revision=2019-01-04&content-id={CONTENT_ID}")
    elif spec.library:
        found.append(f"{CAPABILITY}yang-library:1.0?revision=2016-06-21&module-set-id={CONTENT_ID}")
    found += [
        f"{each.namespace}?module={each.name}&revision={each.revision}" for each in modules(spec) if not each.since_1_1
    ]
    return found


def hello(spec: NetconfSpec, session: int) -> bytes:
    """The server's hello."""
    top = etree.Element(f"{{{BASE}}}hello", nsmap={None: BASE})
    listed = etree.SubElement(top, f"{{{BASE}}}capabilities")
    for each in capabilities(spec):
        etree.SubElement(listed, f"{{{BASE}}}capability").text = each
    etree.SubElement(top, f"{{{BASE}}}session-id").text = str(session)
    return etree.tostring(top, xml_declaration=True, encoding="UTF-8")


def modules(spec: NetconfSpec) -> list[Module]:
    """The modules that this OLT lists."""
    gone = spec.without_modules | (set() if spec.get_data else {"ietf-netconf-nmda"})
    return [each for name, each in MODULES.items() if name not in gone]


def features(module: Module, spec: NetconfSpec) -> list[str]:
    """The features of one that it lists; left out by their name, alone or as ``module:feature``."""
    return [
        name
        for name in module.features
        if name not in spec.without_features and f"{module.name}:{name}" not in spec.without_features
    ]


def add_library(tree: Node, spec: NetconfSpec) -> None:
    """The library in the forms of the scenario: RFC 8525, RFC 7895, both or none."""
    if "yang-library" in spec.library:
        found = tree.within("yang-library", "ietf-yang-library")
        together = found.add("module-set", "complete")
        for each in modules(spec):
            _describe(together.add("module" if each.implemented else "import-only-module", each.name), each, spec)
        found.add("schema", "complete").add("module-set", "complete")
        found.add("content-id", CONTENT_ID)
    if "modules-state" in spec.library:
        found = tree.within("modules-state", "ietf-yang-library")
        found.add("module-set-id", CONTENT_ID)
        for each in modules(spec):
            entry = found.add("module", each.name)
            _describe(entry, each, spec)
            entry.add("conformance-type", "implement" if each.implemented else "import")


def _describe(entry: Node, module: Module, spec: NetconfSpec) -> None:
    entry.add("revision", module.revision)
    entry.add("namespace", module.namespace)
    for feature in features(module, spec) if module.implemented else ():
        entry.add("feature", feature)
