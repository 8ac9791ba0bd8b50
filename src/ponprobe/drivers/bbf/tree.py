"""XML of a NETCONF reply: read safely, walked by module names, identities resolved by their namespace.

Prefixes mean what the document says and nothing else, so no text of a prefix is ever compared. Namespaces follow from
module names (TR-383 and TR-385: ``urn:bbf:yang:<module>``, RFC 3688 for IETF and IANA); a profile may replace them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from lxml import etree

from ponprobe.errors import ParseError
from ponprobe.models.addressing import Serial

Element: TypeAlias = etree._Element  # noqa: SLF001 - the only name that lxml has for the type
_NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
_FIRST = 2000
"""So many characters of an answer that cannot be read are kept in the error."""


def namespace_of(module: str) -> str:
    """The namespace that a module has if nobody says otherwise."""
    return f"urn:bbf:yang:{module}" if module.startswith("bbf-") else f"urn:ietf:params:xml:ns:yang:{module}"


@dataclass(frozen=True)
class Names:
    """Names as a device spells them: ``replaced`` are namespaces by module, from the profile."""

    replaced: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _steps(self) -> dict[str, tuple[str, ...]]:
        return {}

    def namespace(self, module: str) -> str:
        """The namespace of a module."""
        return self.replaced.get(module) or namespace_of(module)

    def tag(self, name: str) -> str:
        """``module:local`` as lxml wants it."""
        module, _, local = name.partition(":")
        return f"{{{self.namespace(module)}}}{local}"

    def steps(self, path: str) -> tuple[str, ...]:
        """``module:outer/inner/other:leaf`` as tags; a step without a module is of the module before it."""
        known = self._steps.get(path)
        if known is None:
            module, found = "", []
            for step in path.split("/"):
                before, _, local = step.rpartition(":")
                module = before or module
                found.append(self.tag(f"{module}:{local}"))
            known = self._steps[path] = tuple(found)
        return known

    def all(self, top: Element, path: str) -> Iterator[Element]:
        """Every element at a path below ``top``."""
        return self._below(top, self.steps(path))

    def _below(self, top: Element, steps: tuple[str, ...]) -> Iterator[Element]:
        for each in top.iterchildren(steps[0]):
            if len(steps) == 1:
                yield each
            else:
                yield from self._below(each, steps[1:])

    def one(self, top: Element, path: str) -> Element | None:
        """The first element at a path, or ``None``."""
        return next(self.all(top, path), None)

    def text(self, top: Element, path: str) -> str | None:
        """The text of a leaf without blanks around it; ``None`` if there is no such leaf or nothing in it."""
        found = self.one(top, path)
        return None if found is None else leaf_text(found) or None

    def number(self, top: Element, path: str) -> int | None:
        """A whole number, ``None`` where there is no such leaf; anything else in it is a ``ParseError``."""
        text = self.text(top, path)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError as exc:
            raise ParseError(f"{path}: {text!r} is no whole number", template=path, text=shown(top)) from exc

    def identity(self, top: Element, path: str) -> str | None:
        """An identityref as ``namespace`` and name: ``{urn:bbf:yang:bbf-xpon-types}gpon``; ``None`` without a leaf."""
        found = self.one(top, path)
        text = "" if found is None else leaf_text(found)
        if found is None or not text:
            return None
        prefix, _, local = text.rpartition(":")
        namespace = found.nsmap.get(prefix or None)
        if namespace is None:
            raise ParseError(f"{path}: nobody says what the prefix in {text!r} means", template=path, text=shown(top))
        return f"{{{namespace}}}{local}"


def read(text: str, what: str) -> Element:
    """Return the ``data`` of a reply: of ``<rpc-reply>``, of ``<data>``, or made of one tree that stands alone.

    Text that is no XML, a document type and everything that comes with it (entities, outside files) is a
    ``ParseError``: no NETCONF server sends one (RFC 6241, 3).
    """
    if not text.strip():
        return etree.Element("data")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ParseError(f"{what}: the answer has a document type, which NETCONF forbids", text=text[:_FIRST])
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise ParseError(f"{what}: the answer is no XML: {exc}", text=text[:_FIRST], hint="ask again") from exc
    local = etree.QName(root).localname
    if local == "rpc-reply":
        found = next((each for each in root if etree.QName(each).localname == "data"), None)
        return root if found is None else found
    if local == "data":
        return root
    alone = etree.Element("data")
    alone.append(root)
    return alone


def refusals(data: Element) -> list[tuple[str, str]]:
    """The errors in a reply that has no data: their tag and message."""
    return [
        (each.findtext(f"{{{_NETCONF}}}error-tag", ""), each.findtext(f"{{{_NETCONF}}}error-message", "").strip())
        for each in data.iter(f"{{{_NETCONF}}}rpc-error")
    ]


def leaf_text(leaf: Element) -> str:
    """The text of a leaf, without blanks around it."""
    return (leaf.text or "").strip()


def shown(top: Element) -> str:
    """An element as text, for an error."""
    return etree.tostring(top, encoding="unicode")[:_FIRST]


def serial_of(text: str | None) -> Serial | None:
    """A serial as the models write it (four printable characters and eight hex digits), or ``None`` if it is none."""
    if text is None:
        return None
    try:
        return Serial(text)
    except ValueError:
        pass
    try:
        return Serial(text[:4].encode("ascii").hex() + text[4:])
    except (ValueError, UnicodeEncodeError):
        return None


def serial_text(serial: Serial) -> str:
    """A serial as the models write it. Raises ``ValueError`` where its vendor bytes cannot be written so."""
    if len(serial.text) == 12:
        return serial.text
    vendor = bytes.fromhex(serial.text[:8])
    if not all(0x20 <= byte <= 0x7E for byte in vendor):
        raise ValueError(f"serial {serial}: its vendor code {serial.text[:8]} is no text")
    return vendor.decode("ascii") + serial.text[8:]
