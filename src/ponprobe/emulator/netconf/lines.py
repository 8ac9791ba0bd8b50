"""What a configuration says of ONUs, as plain values: each v-ani with its services; read from a tree, written to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ponprobe.emulator.netconf.infra import interface, spelled
from ponprobe.emulator.netconf.tree import Node
from ponprobe.models.addressing import PonPort

AUTH = "bbf-xponvani-onu-authentication"
TAGGING = "bbf-sub-interface-tagging"
VLAN_INTERFACE = "bbf-if-type:vlan-sub-interface"


@dataclass(frozen=True)
class Path:
    """One service: what the network sees, what the user sends (``None``: untagged), its traffic descriptor profile."""

    forwarder: str
    svlan: int
    cvlan: int | None
    user_vlan: int | None
    profile: str | None


@dataclass(frozen=True)
class Line:
    """One v-ani."""

    name: str
    port: PonPort | None
    onu_id: int | None
    serial: str | None
    password: str | None
    loid: str | None
    description: str
    paths: tuple[Path, ...] = ()
    method: str = "as-per-v-ani-expected"
    """What the channel partition asks an ONU for."""

    @property
    def identifies(self) -> bool:
        """Whether it says what its partition asks for; else no ONU can be taken for it."""
        by = {"serial-number": self.serial, "registration-id": self.password, "loid": self.loid}
        return any(by.values()) if self.method not in by else bool(by[self.method])

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it another ONU if it changes."""
        return (self.port, self.onu_id, self.serial, self.password, self.loid, self.method)


def read_lines(tree: Node) -> dict[str, Line]:
    """Every v-ani of a configuration, by name."""
    interfaces = {each.id: each for each in tree.all("interfaces", "interface")}
    where = _ports_by_partition(interfaces)
    paths = _paths(tree, interfaces)
    found: dict[str, Line] = {}
    for name, each in interfaces.items():
        of = each.get("v-ani")
        if of is None:
            continue
        onu_id, registration = of.text("onu-id"), of.text("expected-registration-id")
        found[name] = Line(
            name,
            where.get(of.text("channel-partition") or ""),
            int(onu_id) if onu_id is not None else None,
            of.text("expected-serial-number"),
            _unhex(registration) if registration else None,
            of.text("expected-loid"),
            each.text("description") or "",
            tuple(sorted(paths.get(name, ()), key=lambda path: path.forwarder)),
            _method(interfaces.get(of.text("channel-partition") or "")),
        )
    return found


def _method(partition: Node | None) -> str:
    found = partition.text("channel-partition", "authentication-method") if partition is not None else None
    return found or "serial-number"


def _unhex(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("latin-1")
    except ValueError:
        return text


def _ports_by_partition(interfaces: dict[str, Node]) -> dict[str, PonPort]:
    """A channel termination's name says the port; its pair leads to the partition."""
    found: dict[str, PonPort] = {}
    for name, each in interfaces.items():
        of = each.get("channel-termination")
        pair = interfaces.get(of.text("channel-pair-ref") or "") if of is not None else None
        partition = pair.text("channel-pair", "channel-partition-ref") if pair is not None else None
        words = name.rpartition(".")[2].split("-")
        if partition is not None and len(words) == 3 and all(word.isdigit() for word in words):
            frame, slot, port = map(int, words)
            found[partition] = PonPort(frame=frame, slot=slot, port=port)
    return found


def _paths(tree: Node, interfaces: dict[str, Node]) -> dict[str, list[Path]]:
    """The services by v-ani: forwarders that join a user's sub-interface with one that is no user's."""
    enets = {
        name: lower
        for name, each in interfaces.items()
        if (lower := each.text("olt-v-enet", "lower-layer-interface")) is not None
    }
    profiles = {
        each.id: each.text("traffic-descriptor-profile-ref") for each in tree.all("xpongemtcont", "tconts", "tcont")
    }
    gems = {
        each.text("interface"): profiles.get(each.text("tcont-ref") or "")
        for each in tree.all("xpongemtcont", "gemports", "gemport")
    }
    found: dict[str, list[Path]] = {}
    for forwarder in tree.all("forwarding", "forwarders", "forwarder"):
        names = [port.text("sub-interface") or "" for port in forwarder.all("ports", "port")]
        below = {name: interfaces[name].text("subif-lower-layer", "interface") for name in names if name in interfaces}
        users = [name for name, lower in below.items() if lower in enets]
        if len(users) == len(below):
            continue
        for name in users:
            enet = below[name] or ""
            if enet in gems and (tags := _tags(interfaces[name])) is not None:
                found.setdefault(enets[enet], []).append(Path(forwarder.id, *tags, gems[enet]))
    return found


def _tags(user: Node) -> tuple[int, int | None, int | None] | None:
    """What is pushed onto a user's frames, and what they had: (outer, inner, the user's own)."""
    for rule in user.all("inline-frame-processing", "ingress-rule", "rule"):
        matched = [
            int(vlan)
            for tag in rule.all("flexible-match", "match-criteria", "tag")
            if (vlan := tag.text("dot1q-tag", "vlan-id") or "").isdigit()
        ]
        popped = int(rule.text("ingress-rewrite", "pop-tags") or 0)
        pushed = [
            int(tag.text("dot1q-tag", "vlan-id") or 0)
            for tag in sorted(rule.all("ingress-rewrite", "push-tag"), key=lambda tag: tag.id)
        ]
        tags = pushed + matched[popped:]
        if tags:
            return tags[0], tags[1] if len(tags) > 1 else None, matched[0] if matched else None
    return None


# ------------------------------------------------------------------------------------------------------------ writing


def write_line(tree: Node, line: Line, uplink: str) -> None:
    """Add an ONU that came in another way (the command line, the scenario) as NETCONF would have made it."""
    if line.port is None or line.onu_id is None:
        raise ValueError(f"{line.name} is on no port")
    interfaces, short = tree.within("interfaces", "ietf-interfaces"), line.name.removeprefix("VANI.")
    v_ani = interface(interfaces, line.name, "bbf-xpon-if-type:v-ani", enabled=True)
    if line.description:
        v_ani.add("description", line.description)
    of = v_ani.within("v-ani", "bbf-xponvani")
    of.add("onu-id", str(line.onu_id))
    of.add("channel-partition", f"CPART.{spelled(line.port)}")
    if line.serial is not None:
        of.add("expected-serial-number", line.serial)
    if line.password is not None:
        of.add("expected-registration-id", line.password.encode("latin-1").hex())
    if line.loid is not None:
        of.add("expected-loid", line.loid, AUTH)
    of.add("preferred-channel-pair", f"CPAIR.{spelled(line.port)}")
    enet = interface(interfaces, f"VENET.{short}", "bbf-xpon-if-type:olt-v-enet", enabled=True)
    enet.within("olt-v-enet", "bbf-xponvani").add("lower-layer-interface", line.name)
    for number, path in enumerate(line.paths):
        _write_path(tree, line, path, number, enet=enet.id, uplink=uplink)


def write_path(tree: Node, line: Line, path: Path, number: int, uplink: str) -> None:
    """Add the ``number``-th service of a v-ani that is there."""
    interfaces = tree.within("interfaces", "ietf-interfaces")
    enet = next(
        (each.id for each in interfaces.children if each.text("olt-v-enet", "lower-layer-interface") == line.name), ""
    )
    if enet:
        _write_path(tree, line, path, number, enet=enet, uplink=uplink)


def _write_path(tree: Node, line: Line, path: Path, number: int, *, enet: str, uplink: str) -> None:
    interfaces = tree.within("interfaces", "ietf-interfaces")
    suffix = path.forwarder.removeprefix("FWD.")
    user = _sub_interface(interfaces, f"USER.{suffix}", enet)
    rule = _rule(user, "untagged" if path.user_vlan is None else f"c{path.user_vlan}")
    rewrite = rule.within("ingress-rewrite")
    rewrite.add("pop-tags", "0" if path.user_vlan is None else "1", TAGGING)
    tags = [path.svlan] + ([path.cvlan] if path.cvlan is not None else [])
    for index, vlan in enumerate(tags):
        push = rewrite.add("push-tag", str(index), TAGGING).within("dot1q-tag")
        _tag(push, index, len(tags), vlan)
        push.add("write-pbit-0", "")
        push.add("write-dei-0", "")
    criteria = rule.within("flexible-match").within("match-criteria", TAGGING)
    if path.user_vlan is None:
        criteria.add("untagged", "")
    else:
        _tag(criteria.add("tag", "0").within("dot1q-tag"), 0, 1, path.user_vlan)
    back = user.within("inline-frame-processing", "bbf-sub-interfaces").within("egress-rewrite")
    back.add("pop-tags", str(len(tags)), TAGGING)
    net = _sub_interface(interfaces, f"NET.{suffix}", uplink)
    criteria = _rule(net, "-".join(f"{letter}{vlan}" for letter, vlan in zip("sc", tags, strict=False)))
    match = criteria.within("flexible-match").within("match-criteria", TAGGING)
    for index, vlan in enumerate(tags):
        _tag(match.add("tag", str(index)).within("dot1q-tag"), index, len(tags), vlan)
    above = tree.within("xpongemtcont", "bbf-xpongemtcont")
    tcont = above.within("tconts").add("tcont", f"TCONT.{suffix}")
    # T-CONTs and GEM ports of ONUs that NETCONF did not make have free numbers: 8 for each ONU from 1024 on
    place = str(1024 + 8 * (line.onu_id or 0) + number % 8)
    tcont.add("alloc-id", place)
    tcont.add("interface-reference", line.name)
    if path.profile is not None:
        tcont.add("traffic-descriptor-profile-ref", path.profile)
    gem = above.within("gemports").add("gemport", f"GEM.{suffix}")
    gem.add("gemport-id", place)
    gem.add("interface", enet)
    gem.add("traffic-class", "0")
    gem.add("tcont-ref", f"TCONT.{suffix}")
    ports = tree.within("forwarding", "bbf-l2-forwarding").within("forwarders").add("forwarder", path.forwarder)
    for name, sub_interface in (("user", f"USER.{suffix}"), ("network", f"NET.{suffix}")):
        ports.within("ports").add("port", name).add("sub-interface", sub_interface)


def _sub_interface(interfaces: Node, name: str, lower: str) -> Node:
    made = interface(interfaces, name, VLAN_INTERFACE, enabled=True)
    made.within("subif-lower-layer", "bbf-sub-interfaces").add("interface", lower)
    return made


def _rule(sub_interface: Node, name: str) -> Node:
    processing = sub_interface.within("inline-frame-processing", "bbf-sub-interfaces")
    rule = processing.within("ingress-rule").add("rule", name)
    rule.add("priority", "100")
    return rule


def _tag(tag: Node, index: int, of: int, vlan: int) -> None:
    """An outer tag of two is an S-tag, any other a C-tag."""
    tag.add("tag-type", f"bbf-dot1q-types:{'s' if index == 0 and of == 2 else 'c'}-vlan")
    tag.add("vlan-id", str(vlan))


# ----------------------------------------------------------------------------------------------------------- removing


def remove_line(tree: Node, name: str) -> None:
    """Take a v-ani and all that hangs on it out of a configuration."""
    interfaces = tree.get("interfaces")
    if interfaces is None:
        return
    enets = {each.id for each in interfaces.children if each.text("olt-v-enet", "lower-layer-interface") == name}
    users = {each.id for each in interfaces.children if each.text("subif-lower-layer", "interface") in enets}
    gone = {name} | enets | users
    for forwarder in _entries(tree, "forwarding", "forwarders", "forwarder"):
        joined = {port.text("sub-interface") or "" for port in forwarder.all("ports", "port")}
        if joined & users:
            # what it joined on the network side had no other purpose, unless another customer uses it too
            gone |= joined
            _drop(tree, forwarder, "forwarding", "forwarders")
    kept = {
        port.text("sub-interface")
        for forwarder in _entries(tree, "forwarding", "forwarders", "forwarder")
        for port in forwarder.all("ports", "port")
    }
    for gem in _entries(tree, "xpongemtcont", "gemports", "gemport"):
        if gem.text("interface") in enets:
            _drop(tree, gem, "xpongemtcont", "gemports")
    for tcont in _entries(tree, "xpongemtcont", "tconts", "tcont"):
        if tcont.text("interface-reference") == name:
            _drop(tree, tcont, "xpongemtcont", "tconts")
    for each in list(interfaces.children):
        if each.id in gone - kept:
            interfaces.remove(each)
    tree.prune()


def remove_path(tree: Node, forwarder_name: str) -> None:
    """Take one service out of a configuration: its forwarder and the sub-interfaces that this joined."""
    interfaces = tree.get("interfaces")
    for forwarder in _entries(tree, "forwarding", "forwarders", "forwarder"):
        if forwarder.id == forwarder_name and interfaces is not None:
            joined = {port.text("sub-interface") for port in forwarder.all("ports", "port")}
            _drop(tree, forwarder, "forwarding", "forwarders")
            for each in list(interfaces.children):
                if each.id in joined and each.get("subif-lower-layer") is not None:
                    interfaces.remove(each)
            suffix = forwarder_name.removeprefix("FWD.")
            for kind, above in (("gemport", f"GEM.{suffix}"), ("tcont", f"TCONT.{suffix}")):
                for each in _entries(tree, "xpongemtcont", f"{kind}s", kind):
                    if each.id == above:
                        _drop(tree, each, "xpongemtcont", f"{kind}s")
    tree.prune()


def _entries(tree: Node, *names: str) -> Iterator[Node]:
    return iter(list(tree.all(*names)))


def _drop(tree: Node, node: Node, *above: str) -> None:
    holder = tree.get(*above)
    if holder is not None:
        holder.remove(node)
