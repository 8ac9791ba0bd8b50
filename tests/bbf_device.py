"""A device that exists in memory only: its answers follow RFC 6241's subtree filters, its changes are transactions.

It knows XML and no models; written from the RFC, not from the driver. ``names`` off makes it leave list keys out of
replies that do not ask for them, as the RFC allows.
"""

from __future__ import annotations

from collections.abc import Generator
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from ponprobe.errors import AlreadyExists, NotFound
from ponprobe.flow import NetconfEdit, NetconfGet, NetconfReply, Write

T = TypeVar("T")
FIXTURES = Path(__file__).parent / "fixtures" / "bbf_xpon"
AT = datetime(2026, 11, 25, 4, 0, tzinfo=timezone.utc)
NC = "{urn:ietf:params:xml:ns:netconf:base:1.0}"
CAPABILITIES = frozenset(
    {
        "urn:ietf:params:netconf:base:1.0",
        "urn:ietf:params:netconf:base:1.1",
        "urn:ietf:params:netconf:capability:candidate:1.0",
        "urn:ietf:params:netconf:capability:confirmed-commit:1.1",
        "urn:ietf:params:netconf:capability:validate:1.1",
    }
)


def tree(path: str) -> etree._Element:
    return etree.parse(FIXTURES / path, etree.XMLParser(remove_blank_text=True, remove_comments=True)).getroot()


class Device:
    """``running`` is what is configured, ``state`` what the device tells beside."""

    def __init__(self, *, names: bool = True) -> None:
        self.running = tree("infra.xml")
        self.state = tree("state.xml")
        self.library = tree("library.xml")
        self.names = names
        self.capabilities = CAPABILITIES
        self.asked: list[NetconfGet] = []
        self.edits: list[NetconfEdit] = []
        self.replies: list[str] = []

    # ------------------------------------------------------------------ flows

    def drive(self, flow: Generator[Any, Any, T]) -> T:
        """Run a flow to its end; requests are written down."""
        reply = None
        try:
            while True:
                request = next(flow) if reply is None else flow.send(reply)
                reply = self.edit(request) if isinstance(request, Write) else self.get(request)
        except StopIteration as end:
            result: T = end.value
            return result

    def answer(self, routes: Any) -> Any:
        """Answer a question over NETCONF."""
        return self.drive(routes["netconf"])

    def get(self, request: NetconfGet) -> NetconfReply:
        self.asked.append(request)
        wanted = etree.fromstring(f"<filter>{request.filter}</filter>")
        sources = [self.running] if request.datastore == "running" else [self.state, self.library]
        data = etree.Element(f"{NC}data")
        for source in sources:
            for top in source:
                found = self._merged([self._filtered(top, each) for each in wanted if each.tag == top.tag])
                if found is not None:
                    data.append(found)
        text = etree.tostring(data, encoding="unicode")
        self.replies.append(text)
        return NetconfReply(request, text, AT, self.capabilities)

    # ------------------------------------------------------------------ RFC 6241, 6: subtree filters

    def _filtered(self, node: Any, wanted: Any) -> Any:
        """The part of a node that a filter node selects, or ``None``."""
        matches = [each for each in wanted if len(each) == 0 and (each.text or "").strip()]
        selects = [each for each in wanted if len(each) == 0 and not (each.text or "").strip()]
        inside = [each for each in wanted if len(each)]
        for match in matches:
            if not any(child.tag == match.tag and (child.text or "").strip() == match.text.strip() for child in node):
                return None
        if not selects and not inside:
            return deepcopy(node)
        found = etree.Element(node.tag, nsmap=node.nsmap)
        for child in node:
            if any(child.tag == each.tag for each in (*matches, *selects)):
                found.append(deepcopy(child))
                continue
            part = self._merged([self._filtered(child, each) for each in inside if each.tag == child.tag])
            if part is not None:
                found.append(part)
        if not len(found):
            return None
        key = next((child for child in node if etree.QName(child).localname == "name"), None)
        if self.names and key is not None and found.find(key.tag) is None:
            found.insert(0, deepcopy(key))
        return found

    def _merged(self, parts: list[Any]) -> Any:
        found = None
        for part in parts:
            if part is None:
                continue
            found = part if found is None else self._united(found, part)
        return found

    def _united(self, one: Any, other: Any) -> Any:
        for child in other:
            same = next((each for each in one if _key(each) == _key(child)), None)
            if same is None:
                one.append(child)
            elif len(child):
                self._united(same, child)
        return one

    # ------------------------------------------------------------------ changes

    def edit(self, change: Write) -> NetconfReply:
        assert isinstance(change.request, NetconfEdit)
        self.edits.append(change.request)
        self.apply(change.request.config)
        return NetconfReply(change.request, "", AT, self.capabilities)

    def apply(self, config: str) -> None:
        """All of it, or nothing."""
        candidate = deepcopy(self.running)
        for top in etree.fromstring(f"<config>{config}</config>", etree.XMLParser(remove_blank_text=True)):
            self._change(candidate, top)
        self.running = candidate

    def _change(self, parent: Any, node: Any) -> None:
        operation = node.attrib.pop(f"{NC}operation", None)
        same = next((each for each in parent if _key(each) == _key(node)), None)
        if operation is None:
            if same is None:
                same = etree.SubElement(parent, node.tag, nsmap=node.nsmap)
                same.text = node.text
            for child in list(node):
                self._change(same, child)
        elif operation == "create":
            if same is not None:
                raise AlreadyExists(f"Node {etree.QName(node).localname!r} to be created already exists.")
            parent.append(node)
        elif same is not None:
            parent.remove(same)
        elif operation == "delete":
            raise NotFound(f"Node {etree.QName(node).localname!r} to be deleted does not exist.")

    def snapshot(self) -> bytes:
        """Everything configured; containers that are empty do not count."""
        copy = deepcopy(self.running)
        for each in reversed(list(copy.iter())):
            lists = {"forwarders", "forwarding", "tconts", "gemports"}
            if not len(each) and etree.QName(each).localname in lists:
                each.getparent().remove(each)
        return etree.tostring(copy, method="c14n2", strip_text=True)

    # ------------------------------------------------------------------ hands of others

    def interface(self, name: str) -> Any:
        """The configured interface of this name."""
        return next(
            each
            for each in self.running.iter("{urn:ietf:params:xml:ns:yang:ietf-interfaces}interface")
            if each[0].text == name
        )

    def add_v_ani(self, name: str, *, onu_id: int, serial: str, port: int = 0, description: str = "stranger") -> None:
        """Somebody else configures an ONU."""
        self.apply(
            f'''<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface
            xmlns:nc="{NC[1:-1]}" nc:operation="create"><name>{name}</name><description>{description}</description>
            <type xmlns:q="urn:bbf:yang:bbf-xpon-if-type">q:v-ani</type><v-ani xmlns="urn:bbf:yang:bbf-xponvani">
            <onu-id>{onu_id}</onu-id><channel-partition>CPART.0-1-{port}</channel-partition>
            <expected-serial-number>{serial}</expected-serial-number>
            <preferred-channel-pair>CPAIR.0-1-{port}</preferred-channel-pair></v-ani></interface></interfaces>'''
        )

    def replace_in_state(self, old: str, new: str) -> None:
        """The device tells something else from now on."""
        text = etree.tostring(self.state, encoding="unicode")
        assert old in text
        self.state = etree.fromstring(text.replace(old, new))

    def replace_in_running(self, old: str, new: str) -> None:
        """The device is configured in another way."""
        text = etree.tostring(self.running, encoding="unicode")
        assert old in text
        self.running = etree.fromstring(text.replace(old, new))


def _key(node: Any) -> tuple[str, ...]:
    keys = ("name", "index", "detected-serial-number", "mac-address", "from-interface")
    found = next((child.text for child in node if etree.QName(child).localname in keys), None)
    return (node.tag, (found or "").strip(), "" if len(node) or found else (node.text or "").strip())
