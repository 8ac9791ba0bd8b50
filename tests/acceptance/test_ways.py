"""Every way to order a test that the support matrix claims: done end to end, with nothing left and nothing touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.service import ProfileRef, VlanStack

HUAWEI: dict[str, dict[str, Any]] = {
    "confirmed": {"confirm": True},
    "traffic tables": {"inbound_traffic": 10, "outbound_traffic": 11},
    "router": {"native_vlan": False},
    "optics only": {"service_model": "none", "vlans": None},
    "profiles by name": {
        "line_profile": ProfileRef(name="TEST-LINE"),
        "service_profile": ProfileRef(name="TEST-BRIDGE"),
    },
}
ZTE: dict[str, dict[str, Any]] = {
    "flow lines": {"omci_style": "flow"},
    "router": {"native_vlan": False},
    "optics only": {"service_model": "none", "vlans": None},
}
NETCONF: dict[str, dict[str, Any]] = {
    "router": {"native_vlan": False},
    "router with a VLAN of its own": {"native_vlan": False, "user_vlan": 41},
    "optics only": {"service_model": "none", "vlans": None},
    "a named traffic profile": {"tcont_profile": "TDP-TEST-1G"},
}
WAYS = {"huawei_smartax": HUAWEI, "bbf_xpon": NETCONF}
SHARED = {"ma5683t": ("0/1/3", 2000), "ma5800": ("0/2/0", 2000), "c300": ("1/2/4", 2001), "c320": ("1/1/3", 2001)}


def ways_of(personality: Any) -> dict[str, dict[str, Any]]:
    ways = dict(WAYS.get(personality.platform, ZTE))
    if personality.platform == "zte_titan":
        del ways["flow lines"]
    if personality.olt in SHARED:
        port, svlan = SHARED[personality.olt]
        serial = Serial(personality.serial[:-3] + "EE3")
        ways["shared by the port"] = {
            "port": PonPort.parse(port),
            "auth": OnuAuth(serial=serial),
            "vlans": VlanStack(svlan=svlan, cvlan=3001),
            "service_model": "shared",
        }
    return ways


def test_every_way_measures_and_leaves_nothing(personality: Any, tmp_path: Path) -> None:
    with emulator.serve(personality.lab) as lab:
        olt = lab.olt
        before = olt.snapshot()
        with connect(
            olt.host,
            platform=personality.platform,
            username=olt.username,
            password=SecretStr(olt.password),
            enable_password=SecretStr(olt.enable_password),
            access=personality.access,
            port=personality.port_of(olt),
            journal=str(tmp_path / "journal.sqlite3"),
            known_hosts=tmp_path / "known_hosts",
            samples=1,
        ) as session:
            for name, changes in ways_of(personality).items():
                first = len(olt.commands)
                result = session.measure(personality.order.model_copy(update=changes))
                assert result.clean, name
                assert result.verdict is not None
                assert result.verdict.reading.complete, name
                assert olt.snapshot() == before, name
                sent = "\n".join(olt.commands[first:])
                if name == "confirmed":
                    assert "ont confirm" in sent
                if name == "traffic tables":
                    assert "cttr" in sent or "traffic-table" in sent
                if name == "shared by the port":
                    assert "undo service-port" not in sent
                    assert "no vlan-smart-qinq" not in sent
