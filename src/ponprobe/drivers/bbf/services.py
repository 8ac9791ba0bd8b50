"""The services of ONUs and the addresses behind them."""

from __future__ import annotations

from ponprobe.drivers.bbf import detection, filters, orders
from ponprobe.drivers.bbf.questions import Questions
from ponprobe.drivers.bbf.running import Running
from ponprobe.drivers.bbf.tree import read
from ponprobe.flow import NetconfFlow, NetconfGet, ask_netconf
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.device import MacEntry
from ponprobe.models.service import ServicePort


def service_ports(ask: Questions, where: PonPort | OnuRef) -> NetconfFlow[tuple[ServicePort, ...]]:
    """The services of a port's ONUs or of one, as sub-interfaces show them."""
    config = yield from _config(ask, where)
    port = where if isinstance(where, PonPort) else where.port
    ask.known_port(config, port)
    rows = [row for row, _ in orders.services(config, config.onus_of(port))]
    return tuple(row for row in rows if isinstance(where, PonPort) or row.onu == where)


def _config(ask: Questions, where: PonPort | OnuRef) -> NetconfFlow[Running]:
    """All sub-interfaces with what they stand on; of one ONU its own alone, three replies that are small."""
    detection.demand(ask.support, "telling services", modules=("bbf-sub-interface-tagging",))
    if isinstance(where, PonPort):
        found: Running = yield from ask.of_port(where)
        if not found.onus_of(where):
            return found
        whole = {"bbf-xponvani:olt-v-enet": None, **filters.TAGS}
        gems = {"bbf-xpongemtcont:xpongemtcont": filters.GEMS}
        sides = yield from ask.config(f"services of {where}", filters.interfaces(whole), gems, filters.FORWARDERS)
        found.v_enets, found.sub_interfaces = sides.v_enets, sides.sub_interfaces
        found.gems, found.forwarders = sides.gems, sides.forwarders
        return found
    first = yield from ask.config(f"ONU {where}", filters.interfaces(*filters.ports(), filters.by_onu_id(where.onu_id)))
    onus = first.onu_at(where)
    if not onus:
        return first
    on_it = [{"bbf-xponvani:olt-v-enet": {"lower-layer-interface": onu.name}} for onu in onus]
    ethernets = yield from ask.config(f"Ethernet of {where}", filters.interfaces(*on_it))
    first.v_enets = ethernets.v_enets
    if not first.v_enets:
        return first
    on_them = [{"bbf-sub-interfaces:subif-lower-layer": {"interface": name}} for name in first.v_enets]
    gem_of = [{"interface": name} for name in first.v_enets]
    sides = yield from ask.config(
        f"sub-interfaces of {where}",
        filters.interfaces(*on_them),
        {"bbf-xpongemtcont:xpongemtcont": {"gemports": {"gemport": gem_of}}},
        filters.FORWARDERS,
    )
    first.gems, first.forwarders = sides.gems, sides.forwarders
    wanted = {each for name in sides.sub_interfaces for each in _joined(sides, name)}
    if wanted:
        rules = yield from ask.config(
            f"tags of {where}", filters.interfaces(*({"name": name} for name in sorted(wanted)))
        )
        first.sub_interfaces = rules.sub_interfaces
    return first


def _joined(config: Running, sub_interface: str) -> set[str]:
    """A sub-interface and what its forwarder joins it with, if that is one other."""
    found = config.forwarder_of(sub_interface)
    ports = set(config.forwarders[found[0]].values()) if found is not None else set()
    return {sub_interface} | (ports if len(ports) == 2 else set())


def macs(ask: Questions, onu: OnuRef) -> NetconfFlow[tuple[MacEntry, ...]]:
    """Addresses that the forwarder of an ONU's sub-interface learnt there."""
    config = yield from _config(ask, onu)
    sides = [side.name for each in config.onu_at(onu) for side in config.user_ports_of(each.name)]
    places = {place for place in map(config.forwarder_of, sides) if place is not None}
    if not sides:
        return ()
    top = "bbf-l2-forwarding"
    tree = {
        f"{top}:forwarding-state": {
            "forwarding-databases": {
                "forwarding-database": {
                    "name": None,
                    "mac-addresses": {
                        "mac-address": [
                            *({"mac-address": None, "forwarder": name, "port": port} for name, port in sorted(places)),
                            *({"mac-address": None, "sub-interface": name} for name in sides),
                        ]
                    },
                }
            }
        }
    }
    reply = yield from ask_netconf(NetconfGet(f"addresses behind {onu}", ask.filter(tree)))
    path = f"{top}:forwarding-state/forwarding-databases/forwarding-database/mac-addresses/mac-address"
    found = {}
    for entry in ask.names.all(read(reply.data, "addresses"), path):
        mac = (ask.names.text(entry, f"{top}:mac-address") or "").lower()
        place = (ask.names.text(entry, f"{top}:forwarder") or "", ask.names.text(entry, f"{top}:port") or "")
        if mac and (place in places or ask.names.text(entry, f"{top}:sub-interface") in sides):
            found[mac] = MacEntry(mac=mac, onu=onu, port=onu.port)
    return tuple(found.values())
