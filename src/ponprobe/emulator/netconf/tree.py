"""Data trees over the model: read from XML, written to XML, edited, merged, compared."""

from __future__ import annotations

import re
from bisect import bisect_left, insort_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias

from lxml import etree

from ponprobe.emulator.netconf.errors import Denied, RpcError, failed, unknown_element, unknown_namespace
from ponprobe.emulator.netconf.model import MODEL
from ponprobe.emulator.netconf.modules import BASE, BY_NAMESPACE, MODULES, NAMESPACES
from ponprobe.emulator.netconf.values import BadValue, Type, read_type

Chosen: TypeAlias = "dict[int, Any] | Literal[True]"
"""What a filter takes of a node: all, or of its children (by ``id``) what it takes of each."""
OPERATION = f"{{{BASE}}}operation"
OPERATIONS = frozenset({"merge", "replace", "create", "delete", "remove", "none"})


@dataclass(eq=False)
class Schema:
    """One node of the model."""

    name: str
    module: str
    kind: str = "leaf"
    type: Type | None = None
    key: str = ""
    mandatory: bool = False
    config: bool = True
    presence: bool = False
    choice: tuple[str, str] | None = None
    order: int = 0
    parent: Schema | None = None
    children: dict[tuple[str, str], Schema] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """Its XML namespace."""
        return NAMESPACES[self.module]

    @property
    def tag(self) -> str:
        """Its name in lxml's form."""
        return f"{{{self.namespace}}}{self.name}"

    @property
    def repeats(self) -> bool:
        """Whether there can be several beside each other."""
        return self.kind in {"list", "leaf-list"}

    def child(self, name: str, module: str | None = None) -> Schema:
        """A child that the model has; of the same module unless told."""
        return self.children[NAMESPACES[module or self.module], name]

    def path(self) -> str:
        """The schema path as libyang writes it: with choices and cases, a module where it changes."""
        if self.parent is None:
            return ""
        steps = [*(self.choice or ()), self.name]
        mark = f"{self.module}:" if self.parent.module != self.module else ""
        return f"{self.parent.path()}/{mark}{'/'.join(steps)}"


@cache
def root_schema() -> Schema:
    """The model, read once."""
    top = Schema("", "", "container")
    stack: list[tuple[int, Schema]] = [(-2, top)]
    for number, line in enumerate(MODEL.strip("\n").split("\n")):
        indent = len(line) - len(line.lstrip())
        while stack[-1][0] >= indent:
            stack.pop()
        above = stack[-1][1]
        node = _read_line(line.split(), above, number)
        above.children[node.namespace, node.name] = node
        stack.append((indent, node))
    return top


def _read_line(words: list[str], above: Schema, number: int) -> Schema:
    module, _, name = words[0].rpartition(":")
    rest = [word for word in words[1:] if word not in {"!", "-", "presence", "*"} and not word.startswith("(")]
    flags = set(words[1:])
    choice = next((word.strip("()").split("/") for word in words if word.startswith("(")), None)
    node = Schema(
        name,
        module or above.module,
        mandatory="!" in flags,
        config=above.config and "-" not in flags,
        presence="presence" in flags,
        choice=(choice[0], choice[1]) if choice else None,
        order=number,
        parent=above,
    )
    if rest[0] in {"container", "list"}:
        node.kind, node.key = rest[0], rest[1] if len(rest) > 1 else ""
    else:
        node.kind, node.type = "leaf-list" if "*" in flags else "leaf", read_type(rest)
    return node


class Node:
    """One instance: a value for leaves, children for the others. ``operation`` only in the tree of an edit."""

    __slots__ = ("children", "operation", "schema", "value")

    def __init__(self, schema: Schema, value: str = "", operation: str | None = None) -> None:
        self.schema = schema
        self.value = value
        self.children: list[Node] = []
        self.operation = operation

    def __repr__(self) -> str:
        return f"Node({self.schema.name} {self.id!r})"

    @property
    def name(self) -> str:
        """Its name."""
        return self.schema.name

    @property
    def id(self) -> str:
        """What tells it from its like: the key of a list entry, the value in a leaf-list, else nothing."""
        if self.schema.kind == "list":
            return self.text(self.schema.key) or ""
        return self.value if self.schema.kind == "leaf-list" else ""

    def same(self, other: Node) -> bool:
        """Whether both stand for one thing."""
        return self.schema is other.schema and self.id == other.id

    def get(self, *names: str) -> Node | None:
        """The first node along names."""
        found: Node | None = self
        for name in names:
            found = next((each for each in found.children if each.name == name), None) if found is not None else None
        return found

    def all(self, *names: str) -> Iterator[Node]:
        """Every node along names."""
        if not names:
            yield self
            return
        for each in self.children:
            if each.name == names[0]:
                yield from each.all(*names[1:])

    def text(self, *names: str) -> str | None:
        """The value of a leaf along names, ``None`` if there is none."""
        found = self.get(*names)
        return None if found is None else found.value

    def match(self, other: Node) -> Node | None:
        """The child that stands for the same thing."""
        at = bisect_left(self.children, _place(other), key=_place)
        found = self.children[at] if at < len(self.children) else None
        return found if found is not None and found.same(other) else None

    def entry(self, name: str, key: str) -> Node | None:
        """A list entry by its key (lists are long: not by looking at each)."""
        wanted = Node(next(each for each in self.schema.children.values() if each.name == name))
        wanted.add(wanted.schema.key, key)
        return self.match(wanted)

    def copy(self) -> Node:
        """A copy of all below, without operations."""
        twin = Node(self.schema, self.value)
        twin.children = [each.copy() for each in self.children]
        return twin

    def add(self, name: str, value: str | None = None, module: str | None = None) -> Node:
        """Add a child; ``value`` for leaves and for the key of a list entry."""
        schema = self.schema.child(name, module)
        node = Node(schema, value if value is not None and schema.kind not in {"list", "container"} else "")
        if schema.kind == "list" and value is not None:
            node.add(schema.key, value)
        self.put(node)
        return node

    def within(self, name: str, module: str | None = None) -> Node:
        """The container of that name, made if it is not there."""
        schema = self.schema.child(name, module)
        return next((each for each in self.children if each.schema is schema), None) or self.add(name, module=module)

    def put(self, node: Node) -> None:
        """Place a child in the model's order, list entries by key; another case of its choice goes."""
        choice = node.schema.choice
        if choice is not None:
            self.children = [
                each
                for each in self.children
                if each.schema.choice is None or each.schema.choice[0] != choice[0] or each.schema.choice == choice
            ]
        insort_right(self.children, node, key=_place)

    def remove(self, node: Node) -> None:
        """Take a child away."""
        self.children = [each for each in self.children if each is not node]

    def prune(self) -> None:
        """Drop containers that hold nothing and mean nothing, from below."""
        for each in list(self.children):
            each.prune()
            if each.schema.kind == "container" and not each.schema.presence and not each.children:
                self.children.remove(each)

    def walk(self) -> Iterator[Node]:
        """It and all below."""
        yield self
        for each in self.children:
            yield from each.walk()

    def equals(self, other: Node) -> bool:
        """Whether both hold the same."""
        return (
            self.schema is other.schema
            and self.value == other.value
            and len(self.children) == len(other.children)
            and all(a.equals(b) for a, b in zip(self.children, other.children, strict=True))
        )


def _place(node: Node) -> tuple[int, int, str]:
    key = node.id
    return (node.schema.order, int(key) if key.isdigit() and len(key) < 9 else 0, key)


def empty_tree() -> Node:
    """A datastore with nothing in it."""
    return Node(root_schema())


# ---------------------------------------------------------------------------------------------------------------- XML


def write(node: Node, parent: etree._Element, *, chosen: Chosen = True) -> etree._Element:
    """Append a node to an element; ``chosen`` is ``True``, or what of its children to write (see ``filters``)."""
    of = node.schema
    declared: dict[str | None, str] = (
        {None: of.namespace} if parent.tag == "data" or _space(parent) != of.namespace else {}
    )
    value = node.value
    if of.type is not None and of.type.identity and ":" in value:
        module, _, name = value.partition(":")
        prefix = MODULES[module].prefix
        declared[prefix], value = NAMESPACES[module], f"{prefix}:{name}"
    element = etree.SubElement(parent, of.tag, nsmap=declared or None)
    if of.kind in {"leaf", "leaf-list"}:
        element.text = value or None
        return element
    for child in node.children:
        part = chosen if chosen is True else chosen.get(id(child))
        if part is not None:
            write(child, element, chosen=part)
    return element


def _space(element: etree._Element) -> str:
    return etree.QName(element).namespace or ""


def read(element: etree._Element) -> Node:
    """Read ``<config>``'s content with its operations; raises :class:`Denied` with every fault."""
    errors: list[RpcError] = []
    top = empty_tree()
    for child in _elements(element):
        _read_into(top, child, errors)
    if errors:
        raise Denied(*errors)
    return top


def _elements(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _read_into(above: Node, element: etree._Element, errors: list[RpcError]) -> None:
    try:
        node = _read_one(above.schema, element)
    except Denied as denied:
        errors += denied.errors
        return
    for child in _elements(element) if node.schema.type is None else ():
        _read_into(node, child, errors)
    if node.schema.kind == "list" and not node.id:
        if not any(etree.QName(child).localname == node.schema.key for child in _elements(element)):
            errors.append(
                failed(f'List instance is missing its key "{node.schema.key}". (path "{node.schema.path()}")')
            )
        return
    twin = above.match(node)
    if twin is None or node.schema.kind == "leaf-list":
        above.put(node)
    elif node.schema.kind == "container" and node.operation is None:
        for each in node.children:
            twin.put(each)
    else:
        errors.append(failed(f'Duplicate instance of "{node.name}". (path "{node.schema.path()}")'))


def _read_one(above: Schema, element: etree._Element) -> Node:
    """One element without its children; raises :class:`Denied`."""
    name, operation = etree.QName(element), element.get(OPERATION)
    schema = above.children.get((name.namespace or "", name.localname))
    if schema is None:
        known = name.namespace in BY_NAMESPACE
        raise Denied(
            unknown_element(name.localname) if known else unknown_namespace(name.localname, name.namespace or "")
        )
    if not schema.config:
        raise Denied(failed(f'Unexpected data state node "{schema.name}" found. (path "{schema.path()}")'))
    if operation is not None and operation not in OPERATIONS:
        info = (("bad-attribute", "operation"), ("bad-element", schema.name))
        raise Denied(RpcError("protocol", "bad-attribute", "An attribute value is not correct.", info=info))
    if schema.type is None:
        return Node(schema, operation=operation)
    inside = _elements(element)
    if inside:
        raise Denied(unknown_element(etree.QName(inside[0]).localname))
    text = element.text or ""
    if schema.type.name not in {"string", "ascii64", "text", "serial"}:
        text = text.strip()
    if operation in {"delete", "remove"} and not text:
        return Node(schema, operation=operation)
    try:
        return Node(schema, schema.type.read(text, element.nsmap), operation)
    except BadValue as wrong:
        raise Denied(failed(f'{wrong} (path "{schema.path()}")')) from wrong


def path_of(steps: list[Node]) -> str:
    """A data path as libyang prints it: keys as predicates, a module where it changes."""
    text, module = "", ""
    for node in steps:
        mark = f"{node.schema.module}:" if node.schema.module != module else ""
        module = node.schema.module
        where = f"[{node.schema.key}='{node.id}']" if node.schema.kind == "list" else ""
        text += f"/{mark}{node.name}{where}"
    return text


def error_path(steps: list[Node]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A data path as it stands in ``<error-path>``: every step with its module's prefix; and these prefixes."""
    text, prefixes = "", {}
    for node in steps:
        prefix = MODULES[node.schema.module].prefix
        prefixes[prefix] = node.schema.module
        where = f"[{prefix}:{node.schema.key}='{node.id}']" if node.schema.kind == "list" else ""
        text += f"/{prefix}:{node.name}{where}"
    return text, tuple(prefixes.items())


# --------------------------------------------------------------------------------------------------------------- edits


def edit(target: Node, change: Node, default: str) -> None:
    """Apply an edit to a datastore's tree; raises :class:`Denied` with every clash, and the tree is then half done."""
    errors: list[RpcError] = []
    _edit_children(target, change, default, errors)
    if errors:
        raise Denied(*errors)
    target.prune()


def _edit_children(target: Node, change: Node, inherited: str, errors: list[RpcError]) -> None:
    for each in change.children:
        if change.schema.kind == "list" and each.name == change.schema.key:
            continue
        _edit_one(target, each, each.operation or inherited, errors)


def _edit_one(target: Node, change: Node, operation: str, errors: list[RpcError]) -> None:
    found, schema = target.match(change), change.schema
    if found is not None and schema.kind == "leaf" and operation in {"delete", "remove"}:
        found = found if change.value in {"", found.value} else None
    plain_container = schema.kind == "container" and not schema.presence
    match operation:
        case "delete" | "remove":
            if found is not None:
                target.remove(found)
            elif operation == "delete":
                errors.append(_clash("data-missing", f'Node "{schema.name}" to be deleted does not exist.'))
        case "create" if found is not None and not plain_container:
            errors.append(_clash("data-exists", f'Node "{schema.name}" to be created already exists.'))
            _edit_children(found, change, operation, errors)
        case "replace" if found is not None:
            target.remove(found)
            _edit_one(target, change, "merge", errors)
        case "none" if found is None and not plain_container:
            errors.append(_clash("data-missing", f'Node "{schema.name}" does not exist.'))
        case _:
            if found is None:
                found = Node(schema, change.value)
                if schema.kind == "list":
                    found.add(schema.key, change.id)
                target.put(found)
            elif schema.kind == "leaf":
                found.value = change.value
            _edit_children(found, change, operation, errors)


def _clash(tag: str, message: str) -> RpcError:
    return RpcError("protocol", tag, message)


def merge(target: Node, source: Node) -> None:
    """Put everything of one tree into another; values of the source win."""
    for each in source.children:
        found = target.match(each)
        if found is None:
            target.put(each.copy())
        elif each.schema.kind == "leaf":
            found.value = each.value
        else:
            merge(found, each)


def state_only(node: Node) -> Node | None:
    """What of a tree is state: list keys stay, entries and containers without state go."""
    if not node.schema.config:
        return node.copy()
    kept = Node(node.schema)
    found = False
    for each in node.children:
        part = state_only(each)
        if part is not None:
            kept.put(part)
            found = True
    if not found:
        return None
    if node.schema.kind == "list":
        kept.add(node.schema.key, node.id)
    return kept


def flat_text(node: Node) -> str:
    """A list entry in one line, for people and for comparing."""
    if node.schema.kind in {"leaf", "leaf-list"}:
        return f"{node.name}={node.value}" if node.value else node.name
    return f"{node.name}({' '.join(flat_text(each) for each in node.children)})"


def one_line(element: etree._Element) -> str:
    """An element's content as XML in one line."""
    texts = (etree.tostring(child, encoding="unicode", with_tail=False) for child in element)
    return re.sub(r">\s+<", "><", " ".join("".join(texts).split()))
