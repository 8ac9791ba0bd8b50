"""What an order needs on a device, and the numbers that are free for it; decided from what was read, nothing asked.

Fields of an order that other families need and the models have no place for: ``line_profile``, ``service_profile`` and
``onu_type`` configure an ONU over OMCI, which here is the OLT's business, and ``gemport`` counts GEM ports inside such
a profile; they are ignored. What would change the service is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ponprobe.drivers import checks
from ponprobe.drivers.bbf import detection
from ponprobe.drivers.bbf.payloads import registration_id
from ponprobe.drivers.bbf.presence import Present
from ponprobe.drivers.bbf.running import Rule, Running, SubInterface, VAni
from ponprobe.drivers.bbf.tree import serial_text
from ponprobe.errors import ConfigError, NotFound, NotSupported, PoolExhausted, VlanInUse
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, OnuRef
from ponprobe.models.device import OnuState
from ponprobe.models.netconf import NetconfProfile, NetconfSupport
from ponprobe.models.service import ServicePort, VlanStack

QUESTION = "get-config: everything that a test ONU needs"
ONU_IDS = range(128)
"""128 ONUs are what one PON of any kind is built for; the models allow more."""
_POOLS = {"gpon": range(256, 4096)}
_OTHER_POOL = range(1024, 16384)
"""Alloc-IDs by TR-385: 256 to 4095 for G-PON, 1024 to 16383 for all others. The same numbers are taken for GEM ports:
they are valid there, too, and above every number that an OLT gives to the management channel of an ONU."""
_ETHERNET = "ethernetCsmacd"
_METHODS = {
    "serial-number": ("serial", "a serial"),
    "registration-id": ("password", "a password"),
    "loid": ("loid", "a LOID"),
}


def refuse_impossible(order: ActivationOrder, support: NetconfSupport | None) -> None:
    """Raise for what the models, or this OLT, have no place for; before anything is asked."""
    if order.technology == "epon" or order.auth.mac is not None:
        raise NotSupported("the Broadband Forum models have no EPON", hint="use the OLT's command line")
    if order.service_model == "shared":
        raise NotSupported(
            "a service that all ONUs of a port share is not known over NETCONF",
            hint="use service_model='per_onu' or 'none'",
        )
    if order.inbound_traffic is not None:
        raise NotSupported(
            "traffic tables have no place in the Broadband Forum models",
            hint="name a traffic descriptor profile (tcont_profile) that has the wanted rates",
        )
    if order.omci_style != "service":
        raise NotSupported("how an ONU is told its VLAN is not configured over NETCONF", hint="leave omci_style out")
    if order.native_vlan and order.eth_port != 1:
        raise NotSupported(
            f"Ethernet port {order.eth_port} of the ONU cannot be chosen: the OLT tags whatever comes untagged",
            hint="leave eth_port out",
        )
    if order.native_vlan and order.vlans is not None and order.user_vlan not in {None, order.vlans.cvlan}:
        raise ConfigError(
            f"user VLAN {order.user_vlan} is for a router ONU: over NETCONF a bridge's frames have no tag at all",
            hint="say native_vlan=False, or leave user_vlan out",
        )
    if order.auth.loid is not None and order.auth.loid.checkcode is not None:
        raise NotSupported("the models know a LOID but no checkcode", hint="register by LOID alone, or by serial")
    if order.auth.serial is not None:
        try:
            serial_text(order.auth.serial)
        except ValueError as exc:
            raise NotSupported(f"{exc}, which the models cannot say", hint="register it by password or LOID") from exc
    detection.demand(
        support,
        "registering an ONU",
        modules=("bbf-xpon", "bbf-xponvani", "bbf-xpon-onu-state"),
        features=("configurable-v-ani-onu-id",),
    )
    if order.auth.loid is not None:
        detection.demand(support, "registering by LOID", modules=("bbf-xponvani-onu-authentication",))
    if order.service_model != "none":
        detection.demand(
            support,
            "a service with two tags",
            modules=("bbf-xpongemtcont", "bbf-sub-interface-tagging", "bbf-l2-forwarding"),
            features=("tag-rewrites",),
        )


def refuse_known_onu(order: ActivationOrder, place: OnuRef | None, known: VAni) -> None:
    """Raise ``AlreadyExists`` that says where an ONU with the order's serial, password or LOID is."""
    text = known.description
    state = OnuState(onu=place, serial=known.serial, description=text if place else f"{known.name}: {text}")
    checks.refuse_known_serial(order, state, QUESTION)


def namesake(auth: OnuAuth, onus: Iterable[VAni]) -> VAni | None:
    """The ONU that registers by what an order registers by: the serial, else the secret."""
    if auth.serial is not None:
        return next((onu for onu in onus if onu.serial == auth.serial), None)
    if auth.password is not None:
        ours = registration_id(auth.password.value.get_secret_value())
        return next((onu for onu in onus if (onu.registration_id or "").lower() == ours), None)
    loid = "" if auth.loid is None else auth.loid.value.get_secret_value()
    return next((onu for onu in onus if onu.loid == loid), None)


def refuse_method(order: ActivationOrder, config: Running, partition: str) -> None:
    """Raise ``NotSupported`` if the port admits ONUs by something that the order does not have."""
    known = config.partitions.get(partition)
    method = "serial-number" if known is None else known.method
    if method == "as-per-v-ani-expected":
        return
    wanted = _METHODS.get(method)
    if wanted is None or getattr(order.auth, wanted[0]) is None:
        raise NotSupported(
            f"channel partition {partition} of {order.port} admits ONUs by {method}, and the order has {order.auth}",
            hint=f"register the test ONU by {wanted[1]}" if wanted else "have the partition's method changed",
        )


# ---------------------------------------------------------------------- what must exist


def traffic_profile(order: ActivationOrder, config: Running) -> str:
    """The traffic descriptor profile: the order's, else the only one."""
    if order.tcont_profile is not None:
        if order.tcont_profile not in config.profiles:
            raise NotFound(
                f"traffic descriptor profile {order.tcont_profile} does not exist",
                command=QUESTION,
                refused="not_found",
                hint=_there_are(config.profiles),
            )
        return order.tcont_profile
    if len(config.profiles) != 1:
        raise ConfigError(
            "the order names no traffic descriptor profile, and the OLT does not have exactly one",
            hint=f"name one (tcont_profile, --tcont-profile): {_there_are(config.profiles)}",
        )
    return config.profiles[0]


def uplink(profile: NetconfProfile, config: Running) -> str:
    """The interface towards the network: the profile's, else the only Ethernet interface."""
    if profile.uplink is not None:
        if profile.uplink not in config.types:
            raise NotFound(
                f"uplink {profile.uplink} does not exist",
                command=QUESTION,
                refused="not_found",
                hint="name an interface that the OLT has (uplink under [olts.NAME.netconf])",
            )
        return profile.uplink
    ethernet = sorted(name for name, kind in config.types.items() if (kind or "").rpartition("}")[2] == _ETHERNET)
    if len(ethernet) != 1:
        raise ConfigError(
            "which interface leads to the network is not known: the OLT does not have exactly one Ethernet interface",
            hint=f"name it (uplink under [olts.NAME.netconf]): {_there_are(ethernet)}",
        )
    return ethernet[0]


def _there_are(names: Sequence[str]) -> str:
    return f"there are {', '.join(sorted(names))}" if names else "there are none"


# ---------------------------------------------------------------------- services


def services(config: Running, onus: Iterable[VAni]) -> Iterator[tuple[ServicePort, str]]:
    """The services of ONUs, each with the name of its sub-interface.

    The two tags stand where the device pushes them: at the ONU's side, or at the network's side of its forwarder.
    """
    for onu in onus:
        place = config.place_of(onu)
        gems = [gem.gemport_id for gem in config.gems.values() if gem.interface in config.v_enets_of(onu.name)]
        for side in config.user_ports_of(onu.name):
            for rule in side.rules:
                yield _service(config, side, rule, place, gems[0] if len(gems) == 1 else None), side.name


def _service(config: Running, side: SubInterface, rule: Rule, place: OnuRef | None, gem: int | None) -> ServicePort:
    user = _vlan(rule.matched[0]) if len(rule.matched) == 1 else None
    stack = rule.pushed
    if len(stack) < 2:
        other = _network_side(config, side.name)
        stack = next((each.matched for each in (other.rules if other else ()) if len(each.matched) == 2), stack)
    outer, inner = (_vlan(stack[0]), _vlan(stack[1])) if len(stack) >= 2 else (_vlan(stack[0]) if stack else None, None)
    return ServicePort(
        svlan=outer,
        cvlan=inner if user is None else user,
        inner_vlan=inner,
        port=None if place is None else place.port,
        onu=place,
        gemport=gem,
        flow_type="untagged" if rule.untagged else "vlan" if user is not None else None,
    )


def _network_side(config: Running, user_side: str) -> SubInterface | None:
    found = config.forwarder_of(user_side)
    if found is None:
        return None
    others = [below for below in config.forwarders[found[0]].values() if below != user_side]
    return config.sub_interfaces.get(others[0]) if len(others) == 1 else None


def _vlan(text: str) -> int | None:
    return int(text) if text.isdigit() and 1 <= int(text) <= 4094 else None


def refuse_carried_vlans(order: ActivationOrder, config: Running, towards: str) -> None:
    """Raise ``VlanInUse`` if another ONU of the port, or anything on the uplink, carries the order's VLANs."""
    if order.vlans is None or order.service_model == "none":
        return
    for row, name in services(config, config.onus_of(order.port)):
        if (row.svlan, row.inner_vlan or row.cvlan) == (order.vlans.svlan, order.vlans.cvlan):
            raise _in_use(order.vlans, str(order.port), f"{name} of ONU {row.onu}")
    for side in config.sub_interfaces.values():
        if side.lower == towards and any(_covers(rule, order.vlans) for rule in side.rules):
            raise _in_use(order.vlans, towards, side.name)


def _in_use(vlans: VlanStack, where: str, who: str) -> VlanInUse:
    return VlanInUse(
        f"{vlans} on {where} is carried by service port {who}",
        command=QUESTION,
        refused="conflict",
        hint="take another CVLAN from the test range",
    )


def _covers(rule: Rule, vlans: VlanStack) -> bool:
    return len(rule.matched) == 2 and all(map(_holds, rule.matched, (vlans.svlan, vlans.cvlan)))


def _holds(text: str, vlan: int) -> bool:
    """Whether ``101``, ``100-110,200`` or ``any`` holds a VLAN."""
    if text == "any":
        return True
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and (high or low).isdigit() and int(low) <= vlan <= int(high or low):
            return True
    return False


# ---------------------------------------------------------------------- free numbers


def free_place(order: ActivationOrder, config: Running, partition: str, lists: Iterable[Present]) -> OnuRef:
    """The smallest ONU-ID that nobody of the port's channel group has, configured or shining."""
    group = config.group_of(partition)
    configured = {
        onu.onu_id
        for onu in config.v_anis.values()
        if onu.partition == partition or (group is not None and config.group_of(onu.partition) == group)
    }
    ours = {
        name
        for name, termination in config.terminations.items()
        if termination.port == order.port or (group and _group_at(config, termination.pair) == group)
    }
    shining = {each.onu_id for each in lists if each.termination in ours}
    taken = [order.port.onu(number) for number in chain(configured, shining) if number is not None]
    return checks.free_place(order, taken, ONU_IDS)


def _group_at(config: Running, pair: str | None) -> str | None:
    known = config.pairs.get(pair or "")
    return None if known is None else known.group


def free_numbers(order: ActivationOrder, config: Running, partition: str) -> tuple[int, int]:
    """An Alloc-ID and a GEM port ID that nobody has in the port's channel group, nor anybody who knows where."""
    group = config.group_of(partition)
    termination = config.termination_of(order.port)
    pair = config.pairs.get((termination.pair or "") if termination is not None else "")
    pool = _POOLS.get(pair.technology or "" if pair is not None else "", _OTHER_POOL)

    def elsewhere(v_ani: str | None) -> bool:
        onu = config.v_anis.get(v_ani or "")
        other = None if onu is None else config.group_of(onu.partition)
        return other is not None and group is not None and other != group

    allocs = {each.alloc_id for each in config.tconts.values() if not elsewhere(each.interface)}
    gems = {each.gemport_id for each in config.gems.values() if not elsewhere(config.v_enets.get(each.interface or ""))}
    return _first(pool, allocs, "Alloc-IDs", order), _first(pool, gems, "GEM port IDs", order)


def _first(pool: range, taken: set[int | None], what: str, order: ActivationOrder) -> int:
    for number in pool:
        if number not in taken:
            return number
    raise PoolExhausted(f"all {len(pool)} {what} of {order.port} are in use", hint="remove stale ONUs first")
