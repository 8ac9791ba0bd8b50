"""The built-in check of a configuration: mandatory nodes, references, and what the models say must hold."""

from __future__ import annotations

from collections.abc import Iterator

from ponprobe.emulator.netconf.errors import RpcError, failed
from ponprobe.emulator.netconf.tree import Node, error_path, path_of

CASES = {
    "channel-group": "bbf-xpon-if-type:channel-group",
    "channel-partition": "bbf-xpon-if-type:channel-partition",
    "channel-pair": "bbf-xpon-if-type:channel-pair",
    "channel-termination": "bbf-xpon-if-type:channel-termination",
    "ani": "bbf-xpon-if-type:ani",
    "v-ani": "bbf-xpon-if-type:v-ani",
    "olt-v-enet": "bbf-xpon-if-type:olt-v-enet",
    "subif-lower-layer": "bbf-if-type:vlan-sub-interface",
    "inline-frame-processing": "bbf-if-type:vlan-sub-interface",
}
"""Which type an interface must have to have this container."""
PREFERRED_PAIR = (
    "Must reference a channel pair which belongs to the same channel partition. The preferred channel pair cannot be "
    "the same as the protection channel pair"
)
PROTECTION_PAIR = (
    "Must reference a channel pair and the channel pair should belong to same channel partition. The protection "
    "channel pair cannot be the same as the preferred channel pair."
)
PAIR_PARTITION = (
    "Must reference a channel partition associated with the same channel group this pair is associated with."
)
FORWARDER_PORT = (
    "The type of the interface being referenced is not a 'vlan-sub-interface', nor a 'l2-termination',  nor is it "
    "derived from one of them."
)
BANDWIDTH = (
    "The maximum bandwidth must be greater than or equal to the sum of the configured fixed and assured bandwidth."
)
Steps = list[Node]


def check(tree: Node) -> list[RpcError]:
    """Everything that is wrong with a configuration."""
    return _Check(tree).errors


class _Check:
    def __init__(self, tree: Node) -> None:
        self._interfaces = {each.id: each for each in tree.all("interfaces", "interface")}
        self._targets = {
            "interface": set(self._interfaces),
            "component": {each.id for each in tree.all("hardware", "component")},
            "tcont": {each.id for each in tree.all("xpongemtcont", "tconts", "tcont")},
            "profile": {
                each.id
                for each in tree.all("xpongemtcont", "traffic-descriptor-profiles", "traffic-descriptor-profile")
            },
        }
        self.errors: list[RpcError] = []
        for top in tree.children:
            self._node([top])

    def _node(self, steps: Steps) -> None:
        node = steps[-1]
        kind = node.schema.type
        if kind is not None and kind.target is not None:
            self._reference(steps, kind.target)
        if node.schema.kind in {"leaf", "leaf-list"}:
            return
        for schema in node.schema.children.values():
            if schema.mandatory and schema.config and not any(each.schema is schema for each in node.children):
                self.errors.append(
                    failed(f'Mandatory node "{schema.name}" instance does not exist. (path "{path_of(steps)}")')
                )
        for each in node.children:
            self._node([*steps, each])
        self.errors += [failed(f'{message} (path "{path_of(path)}")') for path, message in self._rules(steps)]

    def _reference(self, steps: Steps, target: str) -> None:
        value = steps[-1].value
        if value not in self._targets[target]:
            path, modules = error_path(steps)
            message = f'Required leafref target with value "{value}" missing.'
            self.errors.append(RpcError("protocol", "data-missing", message, "instance-required", path, modules))

    def _type(self, name: str | None) -> str | None:
        found = self._interfaces.get(name or "")
        return None if found is None else found.text("type")

    def _rules(self, steps: Steps) -> Iterator[tuple[Steps, str]]:
        node = steps[-1]
        match node.name:
            case "interface" if node.schema.kind == "list":
                yield from self._interface(steps, node)
            case "v-ani":
                yield from self._v_ani(steps, node)
            case "olt-v-enet":
                yield from self._typed(
                    *(steps, "lower-layer-interface", "bbf-xpon-if-type:v-ani"),
                    "The referenced interface is not of type or derived from type 'bbf-xponift:v-ani'.",
                )
            case "channel-pair":
                pair = node.get("channel-partition-ref")
                partition = self._interfaces.get(pair.value) if pair is not None else None
                if pair is not None and (
                    partition is None
                    or partition.text("channel-partition", "channel-group-ref") != node.text("channel-group-ref")
                ):
                    yield [*steps, pair], PAIR_PARTITION
            case "tcont":
                yield from self._typed(
                    *(steps, "interface-reference", "bbf-xpon-if-type:v-ani", "Must reference an interface of type "),
                    more="'v-ani' or 'ani'.",
                )
            case "traffic-descriptor-profile":
                maximum, least = node.get("maximum-bandwidth"), ("fixed-bandwidth", "assured-bandwidth")
                if maximum is not None and int(maximum.value) < sum(int(node.text(each) or 0) for each in least):
                    yield [*steps, maximum], BANDWIDTH
            case "port" if node.schema.module == "bbf-l2-forwarding":
                yield from self._typed(steps, "sub-interface", "bbf-if-type:vlan-sub-interface", FORWARDER_PORT)
            case "push-tag" | "tag":
                yield from self._tag(steps, node)

    def _typed(self, steps: Steps, leaf: str, wanted: str, message: str, more: str = "") -> Iterator[tuple[Steps, str]]:
        found = steps[-1].get(leaf)
        if found is not None and self._type(found.value) != wanted:
            yield [*steps, found], message + more

    def _interface(self, steps: Steps, node: Node) -> Iterator[tuple[Steps, str]]:
        kind = node.text("type")
        for each in node.children:
            wanted = CASES.get(each.name)
            if wanted is not None and kind is not None and kind != wanted:
                yield [*steps, each], f"When condition \"derived-from-or-self(if:type, '{wanted}')\" not satisfied."

    def _v_ani(self, steps: Steps, node: Node) -> Iterator[tuple[Steps, str]]:
        partition = node.text("channel-partition")
        yield from self._typed(
            steps, "channel-partition", "bbf-xpon-if-type:channel-partition", "Must reference a channel partition."
        )
        preferred, protection = node.get("preferred-channel-pair"), node.get("protection-channel-pair")
        for pair, message in ((preferred, PREFERRED_PAIR), (protection, PROTECTION_PAIR)):
            if pair is None:
                continue
            interface = self._interfaces.get(pair.value)
            there = interface.text("channel-pair", "channel-partition-ref") if interface is not None else None
            both = pair is preferred and protection is not None and protection.value == pair.value
            if there is None or there != partition or both:
                yield [*steps, pair], message

    def _tag(self, steps: Steps, node: Node) -> Iterator[tuple[Steps, str]]:
        index = node.get("index")
        if (
            index is not None
            and index.value != "0"
            and all(each.name != node.name or each.id != "0" for each in steps[-2].children)
        ):
            verb = "pushed" if node.name == "push-tag" else "matched on"
            also = "specified" if verb == "pushed" else "matching on an outer tag"
            text = f"An inner tag can only be {verb} if an outer tag is also {also}."
            if verb == "matched on":
                text = "An inner tag can only be matched on when also matching on an outer tag."
            yield [*steps, index], text
        for choice in ("pbit", "dei") if node.name == "push-tag" else ():
            tag = node.get("dot1q-tag")
            if tag is not None and not any((each.schema.choice or ("",))[0] == choice for each in tag.children):
                yield [*steps, tag], f'Mandatory choice "{choice}" data do not exist.'
