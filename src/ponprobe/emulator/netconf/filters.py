"""Filters: the subtree filter of RFC 6241 section 6, and XPath.

A filter chooses: ``True`` for a node with all below it, or a dictionary of the chosen children by ``id``. List keys are
always among them, as servers that are built on XPath give them.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from ponprobe.emulator.netconf.errors import Denied, RpcError, missing_element
from ponprobe.emulator.netconf.tree import Chosen, Node, write


def choose(tree: Node, wanted: etree._Element | None) -> Chosen:
    """What a ``<filter>`` (or NMDA's ``<subtree-filter>``, ``<xpath-filter>``) takes of a tree; all without one."""
    if wanted is None:
        return True
    kind = etree.QName(wanted).localname
    if kind == "xpath-filter" or wanted.get("type") == "xpath":
        expression = wanted.get("select") if kind == "filter" else wanted.text
        if not expression:
            raise Denied(missing_element("select"))
        return _by_xpath(tree, expression.strip(), wanted)
    if wanted.get("type", "subtree") != "subtree":
        raise Denied(
            RpcError(
                "protocol",
                "bad-attribute",
                "An attribute value is not correct.",
                info=(("bad-attribute", "type"), ("bad-element", "filter")),
            )
        )
    found: dict[int, Any] = {}
    for part in _elements(wanted):
        for node in tree.children:
            if _names(part, node):
                _join(found, node, _take(node, part))
    return found


def _elements(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _names(part: etree._Element, node: Node) -> bool:
    name = etree.QName(part)
    return name.localname == node.name and name.namespace in {None, "", node.schema.namespace}


def _is_match(part: etree._Element) -> bool:
    return len(_elements(part)) == 0 and bool((part.text or "").strip())


def _take(node: Node, part: etree._Element) -> Chosen | None:
    parts = _elements(part)
    if not parts:
        text = (part.text or "").strip()
        return True if not text or _same_value(node, part, text) else None
    matches = [each for each in parts if _is_match(each)]
    if not all(_holds(node, each) for each in matches):
        return None
    if len(matches) == len(parts):
        return True
    found: dict[int, Any] = {}
    for each in matches:
        for child in node.children:
            if _names(each, child):
                found[id(child)] = True
    chosen = False
    for each in parts:
        if each in matches:
            continue
        for child in node.children:
            if _names(each, child) and (taken := _take(child, each)) is not None:
                _join(found, child, taken)
                chosen = True
    if not chosen:
        return None
    _with_key(node, found)
    return found


def _holds(node: Node, match: etree._Element) -> bool:
    text = (match.text or "").strip()
    return any(_names(match, child) and _same_value(child, match, text) for child in node.children)


def _same_value(node: Node, part: etree._Element, text: str) -> bool:
    """Compare as values, not as text: an identity may come with any prefix."""
    if node.schema.type is None:
        return False
    if node.schema.type.identity:
        try:
            return node.schema.type.read(text, part.nsmap) == node.value
        except ValueError:
            return False
    return text == node.value


def _with_key(node: Node, found: dict[int, Any]) -> None:
    if node.schema.kind == "list":
        found.update({id(child): True for child in node.children if child.name == node.schema.key})


def _join(found: dict[int, Any], node: Node, taken: Chosen | None) -> None:
    """Add what one part of the filter takes to what others took."""
    before = found.get(id(node))
    if taken is None or before is True:
        return
    if before is None or taken is True:
        found[id(node)] = taken
        return
    _merge(before, taken)


def _merge(into: dict[int, Any], more: dict[int, Any]) -> None:
    for key, value in more.items():
        before = into.get(key)
        if before is None or value is True:
            into[key] = value
        elif before is not True:
            _merge(before, value)


def _by_xpath(tree: Node, expression: str, wanted: etree._Element) -> Chosen:
    data = etree.Element("data")
    steps: dict[etree._Element, list[Node]] = {}
    for node in tree.children:
        _pair(node, write(node, data), [], steps)
    prefixes = {prefix: uri for prefix, uri in wanted.nsmap.items() if prefix}
    try:
        results = data.getroottree().xpath(f"/data{expression}", namespaces=prefixes)
    except etree.XPathError as wrong:
        raise Denied(RpcError("protocol", "invalid-value", f"Invalid XPath expression: {wrong}")) from wrong
    found: dict[int, Any] = {}
    for element in results if isinstance(results, list) else []:
        if element not in steps:
            continue
        level = found
        *above, last = steps[element]
        for node in above:
            level = level.setdefault(id(node), {})
            if not isinstance(level, dict):
                break
            _with_key(node, level)
        else:
            level[id(last)] = True
    return found


def _pair(node: Node, element: etree._Element, above: list[Node], steps: dict[etree._Element, list[Node]]) -> None:
    steps[element] = [*above, node]
    for child, below in zip(node.children, element, strict=True):
        _pair(child, below, steps[element], steps)


def data_element(tree: Node, chosen: Chosen, tag: str, namespace: str) -> etree._Element:
    """``<data>`` with what was chosen."""
    data = etree.Element(f"{{{namespace}}}{tag}", nsmap={None: namespace})
    for node in tree.children:
        part: Chosen | None = True if chosen is True else chosen.get(id(node))
        if part is not None:
            write(node, data, chosen=part)
    return data
