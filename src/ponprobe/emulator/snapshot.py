"""What is configured on an OLT, as plain values that two moments can be compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ponprobe.emulator.world import OltWorld


def snapshot(world: OltWorld) -> dict[str, Any]:
    """ONUs by port, service ports, VLANs, profiles, traffic tables, the number of saves; the caller holds the lock."""
    ports: dict[str, dict[str, Any]] = {str(port): {} for port in world.plants}
    for view in world.views():
        entry = view.entry
        ports[str(entry.ref.port)][str(entry.ref.onu_id)] = {
            "auth": entry.auth,
            "serial": str(entry.serial) if entry.serial else None,
            "password": entry.password,
            "loid": entry.loid,
            "checkcode": entry.checkcode,
            "mode": entry.mode,
            "line_profile": entry.line_profile,
            "service_profile": entry.service_profile,
            "description": entry.description,
            "native_vlans": {str(eth): list(vlan) for eth, vlan in sorted(entry.native_vlans.items())},
            **({"provision": entry.provision.as_values()} if entry.provision is not None else {}),
        }
    return {
        "onus": ports,
        "service_ports": {
            str(index): {**vars(service), "port": str(service.port)}
            for index, service in sorted(world.services.items())
        },
        "vlans": {str(number): {**vars(vlan)} for number, vlan in sorted(world.vlans.items())},
        "line_profiles": {
            str(number): {
                "name": profile.name,
                "tconts": {str(key): value for key, value in sorted(profile.tconts.items())},
                "gems": {str(key): [gem[0], list(gem[1])] for key, gem in sorted(profile.gems.items())},
            }
            for number, profile in sorted(world.line_profiles.items())
        },
        "service_profiles": {
            str(number): {**vars(profile)} for number, profile in sorted(world.service_profiles.items())
        },
        "traffic_tables": sorted(world.traffic_tables),
        "port_qinq": [{**vars(rule), "port": str(rule.port)} for rule in world.qinq],
        "port_qinq_on": sorted(map(str, world.qinq_ports)),
        "saves": world.saves,
    }
