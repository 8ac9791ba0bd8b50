"""What a NETCONF manager finds configured before any ONU: boards, optics, channel terminations, uplink, profiles."""

from __future__ import annotations

from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.tree import Node, empty_tree
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort

GPON = "bbf-xpon-types:gpon"


def spelled(port: PonPort) -> str:
    """``0-1-0``: a port as names here have it."""
    return f"{port.frame}-{port.slot}-{port.port}"


def ports(world: OltWorld) -> list[PonPort]:
    """The ports that the models can describe: GPON, in order."""
    found = [port for port, plant in world.plants.items() if plant.technology == "gpon"]
    return sorted(found, key=lambda port: (port.frame, port.slot, port.port))


def build_infra(world: OltWorld, spec: NetconfSpec) -> Node:
    """The configuration of an OLT without ONUs."""
    tree = empty_tree()
    tree.within("system", "ietf-system").add("hostname", world.name)
    hardware = tree.within("hardware", "ietf-hardware")
    interfaces = tree.within("interfaces", "ietf-interfaces")
    boards: set[str] = set()
    for port in ports(world):
        chassis, board = f"chassis-{port.frame}", f"board-{port.frame}-{port.slot}"
        if chassis not in boards:
            _component(hardware, chassis, "iana-hardware:chassis")
            boards.add(chassis)
        if board not in boards:
            _component(hardware, board, "bbf-hardware-types:board", chassis, port.slot)
            boards.add(board)
        _add_optics(hardware, port, board)
        _add_port(interfaces, port, spec)
    uplink = interface(interfaces, spec.uplink, "iana-if-type:ethernetCsmacd")
    if spec.description and spec.filler:
        uplink.add("description", spec.description.format(port="uplink"))
    for number in range(spec.filler):
        idle = interface(interfaces, f"IDLE.{number:05}", "iana-if-type:ethernetCsmacd")
        if spec.description:
            idle.add("description", spec.description.format(port=number))
    _add_profiles(tree, world, spec)
    return tree


def interface(interfaces: Node, name: str, kind: str, *, enabled: bool = False) -> Node:
    """Add an interface."""
    added = interfaces.add("interface", name)
    added.add("type", kind)
    if enabled:
        added.add("enabled", "true")
    return added


def _component(hardware: Node, name: str, kind: str, parent: str | None = None, place: int = 0) -> None:
    component = hardware.add("component", name)
    component.add("class", kind)
    if parent is not None:
        component.add("parent", parent)
        component.add("parent-rel-pos", str(place))


def _add_optics(hardware: Node, port: PonPort, board: str) -> None:
    at = spelled(port)
    _component(hardware, f"cage-{at}", "bbf-hardware-types:cage", board, port.port)
    _component(hardware, f"sfp-{at}", "bbf-hardware-types:transceiver", f"cage-{at}")
    _component(hardware, f"ponlink-{at}", "bbf-hardware-types:transceiver-link", f"sfp-{at}")


def _add_port(interfaces: Node, port: PonPort, spec: NetconfSpec) -> None:
    at = spelled(port)
    group = interface(interfaces, f"CG.{at}", "bbf-xpon-if-type:channel-group").within("channel-group", "bbf-xpon")
    pool = group.within("pon-pools").add("pon-pool", "pool1")
    pool.add("channel-termination-ref", f"CT.{at}")
    part = interface(interfaces, f"CPART.{at}", "bbf-xpon-if-type:channel-partition")
    partition = part.within("channel-partition", "bbf-xpon")
    partition.add("channel-group-ref", f"CG.{at}")
    partition.add("authentication-method", spec.authentication_at.get(str(port), spec.authentication))
    pair = interface(interfaces, f"CPAIR.{at}", "bbf-xpon-if-type:channel-pair").within("channel-pair", "bbf-xpon")
    pair.add("channel-group-ref", f"CG.{at}")
    pair.add("channel-partition-ref", f"CPART.{at}")
    pair.add("channel-pair-type", GPON)
    termination = interface(interfaces, f"CT.{at}", "bbf-xpon-if-type:channel-termination", enabled=True)
    if spec.description:
        termination.add("description", spec.description.format(port=port))
    termination.within("hardware-component", "bbf-hardware").add("port-layer-if", f"ponlink-{at}")
    of = termination.within("channel-termination", "bbf-xpon")
    of.add("channel-pair-ref", f"CPAIR.{at}")
    of.add("channel-termination-type", GPON)
    of.add("location", "bbf-xpon-types:inside-olt")


def _add_profiles(tree: Node, world: OltWorld, spec: NetconfSpec) -> None:
    """The scenario's own, and on an OLT with T-CONT profiles (in kbit/s) these as well."""
    found = {name: (each.fixed, each.assured, each.maximum) for name, each in spec.traffic_profiles.items()}
    for name, each in world.tcont_profiles.items():
        found.setdefault(name, (each.fixed * 1000, each.assured * 1000, each.maximum * 1000))
    above = tree.within("xpongemtcont", "bbf-xpongemtcont").within("traffic-descriptor-profiles")
    for name, values in found.items():
        profile = above.add("traffic-descriptor-profile", name)
        for leaf, value in zip(("fixed", "assured", "maximum"), values, strict=True):
            profile.add(f"{leaf}-bandwidth", str(value))
    tree.prune()
