"""What is sent: a test ONU as one transaction (TR-385 and TR-383), and its end.

Everything stands in seven list entries. ``create`` on each makes a clash refuse the whole transaction, so nothing is
ever merged into what others made; ``remove`` does not mind what is gone already. An identity's prefix is declared on
the leaf that uses it: servers and libraries lose it otherwise when nodes are moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from ponprobe.drivers.bbf.tree import Element, Names, serial_text
from ponprobe.models.acceptance import Registration
from ponprobe.models.addressing import OnuAuth
from ponprobe.models.netconf import NAMES, NetconfProfile
from ponprobe.models.service import VlanStack

_NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"


@dataclass(frozen=True, slots=True)
class Ours:
    """The names of what one run creates."""

    v_ani: str
    v_enet: str
    user: str
    network: str
    tcont: str
    gemport: str
    forwarder: str

    @classmethod
    def of(cls, profile: NetconfProfile, mark: str) -> Ours:
        """The names for a mark, by the profile's templates."""
        return cls(**{key: (profile.names.get(key) or text).format(mark=mark) for key, text in NAMES.items()})

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces, the lowest last: nothing below them refers to what is above."""
        return self.network, self.user, self.v_enet, self.v_ani


def registration_id(password: str) -> str:
    """A G.984 password as two hex digits for each octet."""
    return password.encode("ascii").hex()


def secrets_of(auth: OnuAuth) -> tuple[str, ...]:
    """The secrets of an order in every form in which a payload can show them."""
    hexed = (registration_id(auth.password.value.get_secret_value()),) if auth.password is not None else ()
    return auth.secrets + tuple(each for text in hexed for each in (text, text.upper()))


class Payloads:
    """Writes configurations for one device: its namespaces, its site's names and tag types."""

    def __init__(self, names: Names, profile: NetconfProfile) -> None:
        self._names = names
        self._profile = profile

    # ------------------------------------------------------------------ the whole

    def create(self, registration: Registration) -> str:
        """The seven entries of a test ONU; the v-ani alone where it gets no service."""
        ours = Ours.of(self._profile, registration.mark)
        order, resolved = registration.order, registration.resolved
        interfaces = [self._v_ani(registration, ours)]
        if order.service_model == "none" or order.vlans is None:
            return self._rendered(self._interfaces(interfaces))
        interfaces += [
            self._interface(ours.v_enet, "bbf-xpon-if-type:olt-v-enet", [self._v_enet(ours)]),
            self._interface(ours.user, "bbf-if-type:vlan-sub-interface", self._user_side(registration, ours)),
            self._interface(
                ours.network,
                "bbf-if-type:vlan-sub-interface",
                self._network_side(order.vlans, resolved["uplink"]),
            ),
        ]
        tcont = [("name", ours.tcont), ("alloc-id", resolved.get("alloc_id")), ("interface-reference", ours.v_ani)]
        tcont += [("traffic-descriptor-profile-ref", resolved["tcont_profile"])]
        gem = [("name", ours.gemport), ("gemport-id", resolved.get("gemport_id")), ("interface", ours.v_enet)]
        gem += [("traffic-class", "0"), ("tcont-ref", ours.tcont)]
        module = "bbf-xpongemtcont"
        return self._rendered(
            self._interfaces(interfaces),
            self._node(
                f"{module}:xpongemtcont",
                self._node(f"{module}:tconts", self._entry(f"{module}:tcont", "create", tcont)),
                self._node(f"{module}:gemports", self._entry(f"{module}:gemport", "create", gem)),
            ),
            self._forwarders(self._forwarder(ours)),
        )

    def remove(self, mark: str, operation: Literal["remove", "delete"] = "remove", *, bare: bool = False) -> str:
        """The end of everything that bears a mark; ``bare`` for a device without the modules of a service."""
        ours = Ours.of(self._profile, mark)
        module = "bbf-xpongemtcont"
        interfaces = [ours.v_ani] if bare else ours.interfaces
        gone = [self._entry("ietf-interfaces:interface", operation, [("name", each)]) for each in interfaces]
        if bare:
            return self._rendered(self._interfaces(gone))
        forwarder = self._entry("bbf-l2-forwarding:forwarder", operation, [("name", ours.forwarder)])
        gem = self._entry(f"{module}:gemport", operation, [("name", ours.gemport)])
        tcont = self._entry(f"{module}:tcont", operation, [("name", ours.tcont)])
        return self._rendered(
            self._forwarders(forwarder),
            self._node(
                f"{module}:xpongemtcont", self._node(f"{module}:gemports", gem), self._node(f"{module}:tconts", tcont)
            ),
            self._interfaces(gone),
        )

    # ------------------------------------------------------------------ parts

    def _v_ani(self, registration: Registration, ours: Ours) -> Element:
        auth, resolved = registration.order.auth, registration.resolved
        module, onu_auth = "bbf-xponvani", "bbf-xponvani-onu-authentication"
        v_ani = self._node(
            f"{module}:v-ani",
            self._leaf(f"{module}:onu-id", str(registration.onu.onu_id)),
            self._leaf(f"{module}:channel-partition", resolved["partition"]),
        )
        if auth.serial is not None:
            v_ani.append(self._leaf(f"{module}:expected-serial-number", serial_text(auth.serial)))
        if auth.password is not None:
            text = registration_id(auth.password.value.get_secret_value())
            v_ani.append(self._leaf(f"{module}:expected-registration-id", text))
        if auth.loid is not None:
            v_ani.append(self._leaf(f"{onu_auth}:expected-loid", auth.loid.value.get_secret_value()))
        v_ani.append(self._leaf(f"{module}:preferred-channel-pair", resolved["pair"]))
        return self._interface(
            ours.v_ani, "bbf-xpon-if-type:v-ani", [v_ani], description=registration.device_description
        )

    def _v_enet(self, ours: Ours) -> Element:
        return self._node("bbf-xponvani:olt-v-enet", self._leaf("bbf-xponvani:lower-layer-interface", ours.v_ani))

    def _user_side(self, registration: Registration, ours: Ours) -> list[Element]:
        """Towards the ONU: both tags are pushed upstream and popped downstream.

        A bridge's frames come without a tag; a router's bear the user VLAN, which is replaced and given back.
        """
        order = registration.order
        if order.vlans is None:
            raise ValueError("a service has VLANs")
        tagging = "bbf-sub-interface-tagging"
        rewrite = [self._tag("push-tag", index, *each) for index, each in enumerate(self._stack(order.vlans))]
        egress = [self._leaf(f"{tagging}:pop-tags", "2")]
        if order.native_vlan:
            name, match, pops = "untagged", self._leaf(f"{tagging}:untagged"), "0"
        else:
            user = order.user_vlan or order.vlans.cvlan
            name, match, pops = f"c{user}", self._tag("tag", 0, "c-vlan", user, match=True), "1"
            egress.append(self._tag("push-tag", 0, "c-vlan", user))
        module = "bbf-sub-interfaces"
        rule = self._rule(name, match)
        rule.append(self._node(f"{module}:ingress-rewrite", self._leaf(f"{tagging}:pop-tags", pops), *rewrite))
        return [
            self._lower(ours.v_enet),
            self._node(
                f"{module}:inline-frame-processing",
                self._node(f"{module}:ingress-rule", rule),
                self._node(f"{module}:egress-rewrite", *egress),
            ),
        ]

    def _network_side(self, vlans: VlanStack, uplink: str) -> list[Element]:
        """Towards the network: frames with both tags are ours."""
        tags = [self._tag("tag", index, *each, match=True) for index, each in enumerate(self._stack(vlans))]
        rule = self._rule(f"s{vlans.svlan}-c{vlans.cvlan}", *tags)
        module = "bbf-sub-interfaces"
        processing = self._node(f"{module}:inline-frame-processing", self._node(f"{module}:ingress-rule", rule))
        return [self._lower(uplink), processing]

    def _stack(self, vlans: VlanStack) -> tuple[tuple[str, int], tuple[str, int]]:
        return (self._profile.outer_tag, vlans.svlan), ("c-vlan", vlans.cvlan)

    def _rule(self, name: str, *criteria: Element) -> Element:
        module = "bbf-sub-interfaces"
        return self._node(
            f"{module}:rule",
            self._leaf(f"{module}:name", name),
            self._leaf(f"{module}:priority", "100"),
            self._node(f"{module}:flexible-match", self._node("bbf-sub-interface-tagging:match-criteria", *criteria)),
        )

    def _tag(self, kind: str, index: int, tag_type: str, vlan: int, *, match: bool = False) -> Element:
        module = "bbf-sub-interface-tagging"
        dot1q = self._node(
            f"{module}:dot1q-tag",
            self._identity(f"{module}:tag-type", f"bbf-dot1q-types:{tag_type}"),
            self._leaf(f"{module}:vlan-id", str(vlan)),
        )
        rest: Mapping[str, str | None] = {"pbit": "any", "dei": "any"} if match else dict.fromkeys(_WRITTEN)
        dot1q.extend([self._leaf(f"{module}:{name}", text) for name, text in rest.items()])
        return self._node(f"{module}:{kind}", self._leaf(f"{module}:index", str(index)), dot1q)

    def _lower(self, interface: str) -> Element:
        module = "bbf-sub-interfaces"
        return self._node(f"{module}:subif-lower-layer", self._leaf(f"{module}:interface", interface))

    def _forwarder(self, ours: Ours) -> Element:
        module = "bbf-l2-forwarding"
        ports = self._node(f"{module}:ports")
        for name, below in (("user", ours.user), ("network", ours.network)):
            leaves = (self._leaf(f"{module}:name", name), self._leaf(f"{module}:sub-interface", below))
            ports.append(self._node(f"{module}:port", *leaves))
        forwarder = self._entry(f"{module}:forwarder", "create", [("name", ours.forwarder)])
        forwarder.append(ports)
        return forwarder

    # ------------------------------------------------------------------ elements

    def _interface(self, name: str, kind: str, content: Iterable[Element], *, description: str = "") -> Element:
        module = "ietf-interfaces"
        text = [("name", name), ("description", description or None)]
        entry = self._entry(f"{module}:interface", "create", text)
        entry.append(self._identity(f"{module}:type", kind))
        entry.append(self._leaf(f"{module}:enabled", "true"))
        entry.extend(list(content))
        return entry

    def _entry(self, name: str, operation: str, leaves: Iterable[tuple[str, str | None]]) -> Element:
        module = name.partition(":")[0]
        entry = etree.Element(self._names.tag(name), nsmap={None: self._names.namespace(module), "nc": _NETCONF})
        entry.set(f"{{{_NETCONF}}}operation", operation)
        entry.extend([self._leaf(f"{module}:{leaf}", text) for leaf, text in leaves if text is not None])
        return entry

    def _interfaces(self, entries: Iterable[Element]) -> Element:
        return self._node("ietf-interfaces:interfaces", *entries)

    def _forwarders(self, forwarder: Element) -> Element:
        module = "bbf-l2-forwarding"
        return self._node(f"{module}:forwarding", self._node(f"{module}:forwarders", forwarder))

    def _node(self, name: str, *children: Element) -> Element:
        namespace = self._names.namespace(name.partition(":")[0])
        node = etree.Element(self._names.tag(name), nsmap={None: namespace})
        node.extend(children)
        return node

    def _leaf(self, name: str, text: str | None = None) -> Element:
        leaf = self._node(name)
        leaf.text = text
        return leaf

    def _identity(self, name: str, value: str) -> Element:
        module, _, local = value.partition(":")
        leaf = etree.Element(
            self._names.tag(name),
            nsmap={None: self._names.namespace(name.partition(":")[0]), module: self._names.namespace(module)},
        )
        leaf.text = f"{module}:{local}"
        return leaf

    @staticmethod
    def _rendered(*trees: Element) -> str:
        return "".join(etree.tostring(each, encoding="unicode") for each in trees)


_WRITTEN = ("write-pbit-0", "write-dei-0")
"""Both are in the model without any feature (only a chosen p-bit value is one)."""
