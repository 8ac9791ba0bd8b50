"""A NETCONF client for the tests: bytes in, bytes out, both framings, in awkward pieces; nothing of ours in it."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import paramiko
from lxml import etree

from ponprobe.emulator import EmulatedOlt, Scenario

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
HW = "urn:ietf:params:xml:ns:yang:ietf-hardware"
GET_DATA = (
    f'<get-data xmlns="{NMDA}"><datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational'
    "</datastore><subtree-filter>{}</subtree-filter></get-data>"
)
LIMIT_S = 20.0


class Gone(Exception):
    """The server closed the connection."""


class Raw:
    """One session. ``versions`` is what our hello offers."""

    def __init__(self, olt: EmulatedOlt, *versions: str) -> None:
        self.transport = paramiko.Transport((olt.host, olt.netconf_port))
        self.transport.connect(username=olt.username, password=olt.password)
        self.channel = self.transport.open_session()
        self.channel.settimeout(LIMIT_S)
        self.channel.invoke_subsystem("netconf")
        self.buffer = b""
        self.chunked = False
        self._sizes = itertools.cycle((1, 7, 4096, 3, 64))
        self._ids = itertools.count(1)
        self.hello = etree.fromstring(self._until(b"]]>]]>"))
        offered = versions or ("1.0", "1.1")
        lines = "".join(f"<capability>urn:ietf:params:netconf:base:{version}</capability>" for version in offered)
        self.send_raw(f'<hello xmlns="{NC}"><capabilities>{lines}</capabilities></hello>]]>]]>'.encode())
        self.chunked = "1.1" in offered and "urn:ietf:params:netconf:base:1.1" in self.capabilities

    @property
    def capabilities(self) -> list[str]:
        return [each.text or "" for each in self.hello.iter(f"{{{NC}}}capability")]

    @property
    def number(self) -> int:
        return int(self.hello.findtext(f"{{{NC}}}session-id"))

    def send_raw(self, data: bytes) -> None:
        self.channel.sendall(data)

    def _more(self) -> None:
        data = self.channel.recv(next(self._sizes))
        if not data:
            raise Gone
        self.buffer += data

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._more()
        text, _, self.buffer = self.buffer.partition(end)
        return text

    def _need(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        text, self.buffer = self.buffer[:count], self.buffer[count:]
        return text

    def read(self) -> bytes:
        if not self.chunked:
            return self._until(b"]]>]]>")
        parts = []
        while True:
            assert self._need(2) == b"\n#"
            size = self._until(b"\n")
            if size == b"#":
                return b"".join(parts)
            parts.append(self._need(int(size)))

    def send(self, text: str) -> None:
        """A message, in two chunks that meet inside a character if there is one of several bytes."""
        data = text.encode()
        if not self.chunked:
            self.send_raw(data + b"]]>]]>")
            return
        at = next((number for number, byte in enumerate(data) if byte > 0x80), len(data) // 2) + 1
        chunks = b"".join(b"\n#%d\n%s" % (len(part), part) for part in (data[:at], data[at:]) if part)
        self.send_raw(chunks + b"\n##\n")

    def rpc(self, operation: str) -> etree._Element:
        """Ask; the reply. The message-id must be ours."""
        number = f"m-{next(self._ids)}"
        self.send(f'<rpc xmlns="{NC}" message-id="{number}">{operation}</rpc>')
        reply = etree.fromstring(self.read())
        assert reply.tag == f"{{{NC}}}rpc-reply"
        assert reply.get("message-id") == number
        return reply

    def ok(self, operation: str) -> None:
        reply = self.rpc(operation)
        assert reply.find(f"{{{NC}}}ok") is not None, etree.tostring(reply, encoding="unicode")

    def errors(self, operation: str) -> list[dict[str, Any]]:
        found = errors_of(self.rpc(operation))
        assert found, f"accepted: {operation}"
        return found

    def refused(self, operation: str) -> str:
        """The tag of a single error."""
        (error,) = self.errors(operation)
        return str(error["tag"])

    def data(self, operation: str) -> etree._Element:
        reply = self.rpc(operation)
        found = next((each for each in reply if etree.QName(each).localname == "data"), None)
        assert found is not None, etree.tostring(reply, encoding="unicode")
        return found

    def get(self, subtree: str) -> etree._Element:
        return self.data(f'<get><filter type="subtree">{subtree}</filter></get>')

    def get_config(self, subtree: str = "", store: str = "running") -> etree._Element:
        wanted = f'<filter type="subtree">{subtree}</filter>' if subtree else ""
        return self.data(f"<get-config><source><{store}/></source>{wanted}</get-config>")

    def edit(self, config: str, store: str = "candidate", more: str = "") -> str:
        """The text of an edit-config."""
        return f"<edit-config><target><{store}/></target>{more}<config>{inner(config)}</config></edit-config>"

    def close(self) -> None:
        self.transport.close()
        self.transport.join(LIMIT_S)

    def at_end(self) -> bool:
        """Whether the server closes."""
        try:
            while True:
                self._more()
        except Gone:
            return True


def inner(config: str) -> str:
    """A payload without its ``<config>``."""
    if not config.lstrip().startswith("<config"):
        return config
    parser = etree.XMLParser(remove_comments=True, remove_blank_text=True)
    return "".join(etree.tostring(each, encoding="unicode") for each in etree.fromstring(config.encode(), parser))


def errors_of(reply: etree._Element) -> list[dict[str, Any]]:
    found = []
    for error in reply.iter(f"{{{NC}}}rpc-error"):
        text = {etree.QName(each).localname.removeprefix("error-"): (each.text or "") for each in error}
        info = error.find(f"{{{NC}}}error-info")
        text["info"] = {etree.QName(each).localname: each.text for each in info} if info is not None else {}
        found.append(text)
    return found


def shape(element: etree._Element, *, without: tuple[str, ...] = (), masked: tuple[str, ...] = ()) -> Any:
    """Names, namespaces and values of a tree, to compare: identities as namespace and name, ``masked`` leaves empty."""
    name = etree.QName(element)
    children = [shape(each, without=without, masked=masked) for each in element if kept(each, without)]
    if children:
        return (name.text, children)
    text = (element.text or "").strip()
    prefix, _, rest = text.partition(":")
    if rest and prefix in element.nsmap:
        text = f"{{{element.nsmap[prefix]}}}{rest}"
    return (name.text, "" if name.localname in masked else text)


def kept(element: etree._Element, without: tuple[str, ...]) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).localname not in without


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition of the server's own threads."""
    end = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def names(data: etree._Element) -> list[str]:
    """The names of all list entries that have one."""
    return [each.text or "" for each in data.iter() if isinstance(each.tag, str) and re.search(r"\}name$", each.tag)]


SMALL = """
olts:
  - name: small
    personality: ma5800_r022
    hostname: SMALL
    online_after_s: 0.0
    boards: {1: {name: H901GPHF, ports: 1}}
    vlans: {2001: {}, 2002: {}}
    line_profiles: {10: {name: L, gems: {1: {vlans: [100]}}}}
    service_profiles: {10: {name: S}}
    netconf: {onu_hardware: plain}
    ports:
      0/1/0:
        splitters: [{name: A, ratio: 32, km: 1.4}]
        onts:
          - {serial: HWTC1A2B3C4D, splitter: A, macs: [00e0-fc12-3456]}
          - {serial: ZTEG00112233, splitter: A, password: "1234567890", loid: NJ-JN-TEST-0001}
"""
"""One port with two ONUs that nobody has registered: what the recorded exchanges with a real server begin with."""


def small(**netconf: Any) -> Scenario:
    """That scenario with other settings of its NETCONF server."""
    scenario = Scenario.parse(SMALL)
    spec = scenario.olts[0].netconf
    scenario.olts[0].netconf = type(spec).model_validate({**spec.model_dump(), **netconf})
    return scenario


def onu(name: str = "T", serial: str = "HWTC1A2B3C4D", onu_id: int = 9, svlan: int = 2001, cvlan: int = 101) -> str:
    """A test ONU as one edit; of the shape of the Broadband Forum's models, with every node created."""
    return f"""<config xmlns="{NC}" xmlns:nc="{NC}">
  <interfaces xmlns="{IF}">
    <interface nc:operation="create"><name>VANI.{name}</name>
      <type xmlns:t="urn:bbf:yang:bbf-xpon-if-type">t:v-ani</type>
      <v-ani xmlns="urn:bbf:yang:bbf-xponvani"><onu-id>{onu_id}</onu-id>
        <channel-partition>CPART.0-1-0</channel-partition>
        <expected-serial-number>{serial}</expected-serial-number>
        <preferred-channel-pair>CPAIR.0-1-0</preferred-channel-pair></v-ani></interface>
    <interface nc:operation="create"><name>VENET.{name}</name>
      <type xmlns:t="urn:bbf:yang:bbf-xpon-if-type">t:olt-v-enet</type>
      <olt-v-enet xmlns="urn:bbf:yang:bbf-xponvani"><lower-layer-interface>VANI.{name}</lower-layer-interface>
      </olt-v-enet></interface>
    <interface nc:operation="create"><name>USER.{name}</name>
      <type xmlns:t="urn:bbf:yang:bbf-if-type">t:vlan-sub-interface</type>
      <subif-lower-layer xmlns="urn:bbf:yang:bbf-sub-interfaces"><interface>VENET.{name}</interface>
      </subif-lower-layer>
      <inline-frame-processing xmlns="urn:bbf:yang:bbf-sub-interfaces">
        <ingress-rule><rule><name>r</name><priority>100</priority>
          <flexible-match><match-criteria xmlns="urn:bbf:yang:bbf-sub-interface-tagging"><untagged/></match-criteria>
          </flexible-match>
          <ingress-rewrite>{_push(0, "s", svlan)}{_push(1, "c", cvlan)}</ingress-rewrite></rule></ingress-rule>
        <egress-rewrite><pop-tags xmlns="urn:bbf:yang:bbf-sub-interface-tagging">2</pop-tags></egress-rewrite>
      </inline-frame-processing></interface>
    <interface nc:operation="create"><name>NET.{name}</name>
      <type xmlns:t="urn:bbf:yang:bbf-if-type">t:vlan-sub-interface</type>
      <subif-lower-layer xmlns="urn:bbf:yang:bbf-sub-interfaces"><interface>UPLINK.0-9-0</interface>
      </subif-lower-layer></interface>
  </interfaces>
  <xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont">
    <tconts><tcont nc:operation="create"><name>TCONT.{name}</name><alloc-id>{1100 + onu_id}</alloc-id>
      <interface-reference>VANI.{name}</interface-reference>
      <traffic-descriptor-profile-ref>TDP-TEST-1G</traffic-descriptor-profile-ref></tcont></tconts>
    <gemports><gemport nc:operation="create"><name>GEM.{name}</name><gemport-id>{1100 + onu_id}</gemport-id>
      <interface>VENET.{name}</interface><traffic-class>0</traffic-class><tcont-ref>TCONT.{name}</tcont-ref>
    </gemport></gemports>
  </xpongemtcont>
  <forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders><forwarder nc:operation="create">
    <name>FWD.{name}</name><ports>
      <port><name>user</name><sub-interface>USER.{name}</sub-interface></port>
      <port><name>network</name><sub-interface>NET.{name}</sub-interface></port></ports>
  </forwarder></forwarders></forwarding></config>"""


def _push(index: int, kind: str, vlan: int) -> str:
    return (
        f'<push-tag xmlns="urn:bbf:yang:bbf-sub-interface-tagging"><index>{index}</index><dot1q-tag>'
        f'<tag-type xmlns:d="urn:bbf:yang:bbf-dot1q-types">d:{kind}-vlan</tag-type><vlan-id>{vlan}</vlan-id>'
        "<write-pbit-0/><write-dei-0/></dot1q-tag></push-tag>"
    )


def no_onu(name: str = "T", operation: str = "delete") -> str:
    """What takes it away."""
    interfaces = "".join(
        f'<interface nc:operation="{operation}"><name>{kind}.{name}</name></interface>'
        for kind in ("VANI", "VENET", "USER", "NET")
    )
    return f"""<config xmlns="{NC}" xmlns:nc="{NC}"><interfaces xmlns="{IF}">{interfaces}</interfaces>
  <xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont">
    <tconts><tcont nc:operation="{operation}"><name>TCONT.{name}</name></tcont></tconts>
    <gemports><gemport nc:operation="{operation}"><name>GEM.{name}</name></gemport></gemports></xpongemtcont>
  <forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders>
    <forwarder nc:operation="{operation}"><name>FWD.{name}</name></forwarder></forwarders></forwarding></config>"""
