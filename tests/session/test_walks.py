"""Walks of real OLTs, served on loopback and read by a session that has SNMP and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from ponprobe import config
from ponprobe.connect import connect
from ponprobe.emulator.snmp import serve_walk
from ponprobe.errors import NotSupported
from ponprobe.models.addressing import PonPort
from ponprobe.models.optical import Absence
from ponprobe.models.sweep import PortSkipped, SweepRecord
from ponprobe.session.olt import Olt


@contextmanager
def session(walk: Path, platform: str) -> Iterator[Olt]:
    agent = serve_walk(walk, community="walk")
    try:
        how = config.SnmpEntry(community=SecretStr("walk"), port=agent.port, timeout_s=5)
        with connect("127.0.0.1", platform=platform, snmp=how) as olt:
            yield olt
    finally:
        agent.close()


def test_a_c320_has_376_powers_and_82_absences(shared: Path) -> None:
    with session(shared / "walks" / "librenms_2022_zxa10_c320v2.snmprec", "zte_zxan") as olt:
        ports = olt.pon_ports()
        readings = [reading for port in ports for reading in olt.optical_port(port)]
        launched = [olt.pon_port(port).olt_tx_dbm for port in ports]
    powers = [reading.olt_rx_dbm for reading in readings]
    values = [power.value.value for power in powers if power.value is not None]
    assert (len(values), len(powers) - len(values)) == (376, 82)
    assert (min(values), max(values)) == (-36.989, -18.416)
    assert all(power.value is not None or power.absence is Absence.NO_SIGNAL for power in powers)
    lit = [power.value.value for power in launched if power.value is not None]
    assert len(lit) == 14
    assert (min(lit), max(lit)) == (3.325, 3.780)


def test_an_ma5603t_launches_on_32_ports_and_does_not_show_its_onus(shared: Path) -> None:
    with session(shared / "walks" / "librenms_smartax.snmprec", "huawei_smartax") as olt:
        ports = olt.pon_ports()
        launched = [olt.pon_port(port).olt_tx_dbm.value for port in ports]
        assert olt.facts().model == "MA5603T"
        with pytest.raises(NotSupported, match=r"shows no ONU on 0/0/15, but counts 11"):
            olt.optical_port(PonPort.parse("0/0/15"))
        assert olt.optical_port(PonPort.parse("0/0/0")) == ()
    values = [power.value for power in launched if power is not None]
    assert len(values) == 32
    assert (min(values), max(values)) == (6.93, 7.36)


def test_a_sweep_takes_the_powers_of_an_olt_that_shows_no_list_of_onus(shared: Path) -> None:
    with session(shared / "walks" / "librenms_2022_zxa10_c320v2.snmprec", "zte_zxan") as olt:
        items = list(olt.sweep())
    found = [item for item in items if isinstance(item, SweepRecord)]
    assert len(found) == 458
    assert sum(item.optical.olt_rx_dbm.value is not None for item in found) == 376
    assert [item for item in items if isinstance(item, PortSkipped)] == []
