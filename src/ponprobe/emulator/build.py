"""From a scenario's OLT to its live world."""

from __future__ import annotations

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.plant import OPTICS, PlantFault, PortPlant, Splitter, fixed_bias
from ponprobe.emulator.provision import (
    Flow,
    GemPort,
    OmciService,
    OnuType,
    PortQinq,
    Tcont,
    TcontProfile,
    UniVlan,
    add_tcont,
    provided,
)
from ponprobe.emulator.records import Board, LineProfile, OnuEntry, Refused, Service, ServiceProfile, VlanEntry
from ponprobe.emulator.scenario import (
    OltSpec,
    OntSpec,
    OnuSpec,
    PortSpec,
    ProvisionSpec,
    ScenarioError,
    ServiceSpec,
)
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort


def build_faults(spec: OltSpec) -> Faults:
    """The misbehaviour that a scenario starts with."""
    return Faults(**spec.faults.model_dump())


def build_world(spec: OltSpec, seed: int) -> OltWorld:
    """Everything that a scenario says of one OLT; raises ``ScenarioError`` where it contradicts itself."""
    of = spec.model
    world = OltWorld(name=spec.hostname, seed=seed, zone_h=spec.zone_h, digits=of.digits, onu_ids=of.onu_ids)
    world.slots, world.service_index_from = spec.slots, spec.service_index_from
    world.boards = {slot: Board(slot, **board.model_dump()) for slot, board in spec.boards.items()}
    world.onu_types = {name: OnuType(name, **each.model_dump()) for name, each in spec.onu_types.items()}
    world.tcont_profiles = {name: TcontProfile(name, **each.model_dump()) for name, each in spec.tcont_profiles.items()}
    world.vlans = {n: VlanEntry(n, v.attribute, v.description, v.uplinks) for n, v in spec.vlans.items()}
    world.traffic_tables = set(spec.traffic_tables)
    for number, line in spec.line_profiles.items():
        gems = {index: (gem.tcont, gem.vlans) for index, gem in line.gems.items()}
        world.line_profiles[number] = LineProfile(number, line.name, dict(line.tconts), gems)
    for number, profile in spec.service_profiles.items():
        world.service_profiles[number] = ServiceProfile(number, profile.name, profile.eth, profile.pots)
    for slot, board in sorted(spec.boards.items()):
        for number in range(board.ports):
            port = PonPort(frame=of.frame, slot=slot, port=of.first_port + number)
            world.plants[port] = _plant(spec.ports.get(str(port), PortSpec()), seed, f"{spec.name} {port}")
            world.plants[port].technology = board.technology
    for name, port_spec in spec.ports.items():
        _populate(world, PonPort.parse(name), port_spec, spec)
    return world


def _plant(spec: PortSpec, seed: int, name: str) -> PortPlant:
    launch = OPTICS[spec.optics]["olt_tx_dbm"] if spec.olt_tx_dbm is None else spec.olt_tx_dbm
    return PortPlant(
        optics=spec.optics,
        olt_tx_dbm=launch,
        laser_on=spec.laser_on,
        tx_bias_db=fixed_bias(seed, name, "tx", 0.3) if spec.tx_bias_db is None else spec.tx_bias_db,
        rx_bias_db=fixed_bias(seed, name, "rx") if spec.rx_bias_db is None else spec.rx_bias_db,
        splitters={
            each.name: Splitter(
                each.name,
                each.ratio,
                each.km,
                each.connectors,
                each.fed_by,
                [PlantFault(fault.kind, fault.loss_db) for fault in each.faults],
            )
            for each in spec.splitters
        },
    )


def _plug(world: OltWorld, port: PonPort, ont: OntSpec, online_after_s: float) -> None:
    fields = ont.model_dump(exclude={"serial", "splitter"}, exclude_none=True)
    fields.setdefault("online_after_s", online_after_s)
    world.plug_in(ont.serial, port, ont.splitter, **fields)


def _service(spec: ServiceSpec, port: PonPort, onu_id: int | None) -> Service:
    values = {**spec.model_dump(), "user_vlan": str(spec.user_vlan)}
    return Service(port=port, onu_id=onu_id, **values)


def _populate(world: OltWorld, port: PonPort, spec: PortSpec, olt: OltSpec) -> None:
    try:
        for onu in spec.onus:
            _add_onu(world, port, onu)
        for service in spec.shared_services:
            world.add_service(_service(service, port, None))
        for rule in spec.smart_qinq:
            world.qinq.append(PortQinq(port, *rule.cvlans, svlan=rule.svlan, cos=rule.cos))
            world.qinq_ports.add(port)
    except Refused as refused:
        raise ScenarioError(f"{olt.name}, port {port}: contradicts itself ({refused.reason})") from refused
    for ont in spec.onts:
        _plug(world, port, ont, olt.online_after_s)


def _add_onu(world: OltWorld, port: PonPort, onu: OnuSpec) -> None:
    if onu.plugged is not None:
        _plug(world, port, onu.plugged_ont(), 0.0)
    ref = world.register(
        port,
        onu.id,
        serial=onu.serial,
        password=onu.password,
        loid=onu.loid,
        checkcode=onu.checkcode,
        line_profile=onu.line_profile,
        service_profile=onu.service_profile,
        description=onu.description,
        onu_type=onu.onu_type,
    )
    entry = world.onus[ref]
    entry.down_cause = onu.last_down_cause
    if entry.provision is not None:
        entry.provision.name = onu.name
    if onu.service is not None:
        _provide(world, entry, onu.service)
    if onu.native_vlan is not None:
        world.set_native_vlan(ref, 1, onu.native_vlan, 0)
    for service in onu.services:
        world.add_service(_service(service, port, onu.id))


def _provide(world: OltWorld, entry: OnuEntry, spec: ProvisionSpec) -> None:
    provision, technology = provided(entry), world.plants[entry.ref.port].technology
    if spec.tcont_profile is not None:
        add_tcont(world, entry, 1, Tcont(spec.tcont_profile))
        provision.add_gemport(1, GemPort(1))
        provision.add_service("1", OmciService(1, spec.cvlan))
    provision.add_flow(Flow(1, 1, spec.cvlan, spec.cvlan, spec.svlan), technology)
    provision.unis[spec.uni] = UniVlan("tag", spec.cvlan)
