"""A sweep of each emulated OLT over real sockets, by each road."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from personalities import PERSONALITIES
from ponprobe import config, emulator
from ponprobe.connect import connect
from ponprobe.models.sweep import PortDone, SweepRecord, Tally
from ponprobe.session.olt import Olt
from ponprobe.session.sweep import sweep, sweep_many


@pytest.fixture(params=[each for each in PERSONALITIES if each.snmp], ids=lambda personality: personality.id)
def personality(request: pytest.FixtureRequest) -> Any:
    """Each emulated OLT in turn that has both roads."""
    return request.param


@pytest.fixture
def emulated(personality: Any) -> Iterator[emulator.EmulatedOlt]:
    with emulator.serve(personality.lab) as lab:
        yield lab.olt


def spec_of(personality: Any) -> Any:
    (spec,) = personality.lab.olts
    return spec


def reached(olt: emulator.EmulatedOlt, access: Any, folder: Path, **more: Any) -> Olt:
    snmp = {"community": SecretStr(olt.snmp_community), "port": olt.snmp_port}
    return connect(
        olt.host,
        platform=olt.platform,
        username=olt.username,
        password=SecretStr(olt.password),
        enable_password=SecretStr(olt.enable_password),
        access=access,
        port=olt.ssh_port if access == "ssh" else olt.telnet_port,
        snmp=config.SnmpEntry.model_validate(snmp),
        known_hosts=folder / "known_hosts",
        **more,
    )


@pytest.mark.parametrize("road", ["snmp", "cli"])
def test_every_onu_is_there_once_with_what_the_plant_gives(
    personality: Any, emulated: emulator.EmulatedOlt, tmp_path: Path, road: str
) -> None:
    before = emulated.snapshot()
    # no driver lists a ZTE OLT's EPON ports
    gpon = {slot for slot, board in spec_of(personality).boards.items() if board.technology == "gpon"}
    plant = {view.entry.ref: view for view in emulated.world.views() if view.entry.ref.port.slot in gpon}
    tally = Tally()
    with reached(emulated, personality.access, tmp_path, routes=(road,)) as olt:
        items = list(tally.watching(sweep(olt)))
    found = [item for item in items if isinstance(item, SweepRecord)]
    assert (tally.skipped, tally.ports_read) == ([], tally.ports_expected)
    assert sorted(map(str, plant)) == sorted(str(item.onu) for item in found)
    assert {item.onu.port for item in found} == {
        item.port for item in items if isinstance(item, PortDone) and item.onus
    }
    for item in found:
        online = plant[item.onu].online
        assert item.optical.complete == online, item
        assert (item.loss.downstream_attenuation_db is not None) == online
        assert item.serial == plant[item.onu].entry.serial or item.serial is None
        for power in item.optical.powers.values():
            assert power.value is None or (power.source or "").startswith(f"{road}: ")
        assert online or item.optical.onu_rx_dbm.absence is not None
    assert any(plant[item.onu].online for item in found)
    assert not all(plant[item.onu].online for item in found)
    assert emulated.snapshot() == before


def test_real_sessions_are_left_when_the_stream_is_closed(tmp_path: Path) -> None:
    with emulator.serve("demo_huawei") as lab:
        olts = [reached(each, "ssh", tmp_path, routes="cli") for each in lab.olts.values()]
        stream = sweep_many(olts, parallel=2)
        seen: set[str] = set()
        for item in stream:
            seen |= {item.olt} if isinstance(item, PortDone) else set()
            if seen:
                break
        stream.close()  # type: ignore[attr-defined]
        assert [each.sessions_open for each in lab.olts.values()] == [0, 0]
        tally = Tally()
        list(tally.watching(sweep_many(reached(each, "ssh", tmp_path, routes="cli") for each in lab.olts.values())))
        assert tally.onus == sum(len(list(each.world.views())) for each in lab.olts.values())
        assert [each.sessions_open for each in lab.olts.values()] == [0, 0]
