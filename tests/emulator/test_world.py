"""The plant behind the ports: powers, plugging, faults, states; no sockets."""

from __future__ import annotations

import json
import math
import statistics
from datetime import datetime, timedelta, timezone

import pytest

from ponprobe.emulator import Refused, builtin_scenario
from ponprobe.emulator.build import build_world
from ponprobe.emulator.plant import DOWN_NM, UP_NM, Ddm, PlantFault, fixed_bias
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort, Serial

PORT = PonPort.parse("0/1/0")
HEALTHY, WEAK, BENCH = "HWTC0B086EA9", "HWTC0B086EB0", "HWTC0B086E0F"


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock, monkeypatch) -> OltWorld:
    monkeypatch.setattr(
        "ponprobe.emulator.build.OltWorld",
        lambda **more: OltWorld(**more, clock=clock, now=lambda: datetime(2026, 1, 1, tzinfo=timezone.utc)),
    )
    return build_world(builtin_scenario("demo_huawei").olts[0], seed=7)


def test_powers_follow_from_launch_power_and_loss_per_wavelength(world):
    ont = world.onts[Serial(HEALTHY)]
    powers = world.powers(ont)
    glass, joints = 2 * 10.2 + 3 * 0.3, 2.1 + 0.4 + 0.05
    assert powers.onu_rx == pytest.approx(3.42 - glass - joints * 0.25)
    assert powers.olt_rx == pytest.approx(2.2 - glass - joints * 0.36)
    assert world.plants[PORT].loss_db("FAT-01-1", UP_NM) > world.plants[PORT].loss_db("FAT-01-1", DOWN_NM)
    assert powers.onu_rx > -20 > world.powers(world.onts[Serial(WEAK)]).onu_rx > -27


def test_readings_have_a_fixed_bias_and_little_noise(world):
    world.register(PORT, 2, serial=HEALTHY)
    ont, view = world.onts[Serial(HEALTHY)], world.view(PORT.onu(2))
    reads = [world.read_optics(view) for _ in range(200)]
    truth = world.powers(ont)
    assert statistics.mean(read.onu_rx for read in reads) == pytest.approx(truth.onu_rx + 0.1, abs=0.03)
    assert statistics.mean(read.olt_rx for read in reads) == pytest.approx(truth.olt_rx + 0.2, abs=0.03)
    assert max(abs(read.onu_tx - truth.onu_tx + 0.05) for read in reads) <= 0.16
    assert 0.03 < statistics.stdev(read.onu_tx for read in reads) < 0.07
    assert fixed_bias(1, "a", "rx") == fixed_bias(1, "a", "rx") != fixed_bias(2, "a", "rx")


def test_receivers_read_in_steps_of_a_tenth_of_a_microwatt():
    ddm = Ddm(1, noise_db=0.0)
    assert [ddm.in_steps(level, 0.0) for level in (-24.68, -25.4, -26.5)] == [-24.68, -25.37, -26.57]
    assert ddm.in_steps(-50.0, 0.0) == -40.0


def test_the_same_seed_gives_the_same_readings():
    def reads() -> list[float | None]:
        made = build_world(builtin_scenario("demo_huawei").olts[0], seed=7)
        return [made.read_launch(PORT) for _ in range(5)]

    assert reads() == reads()


def test_online_comes_later_and_config_later_still(world, clock):
    ont = world.onts[Serial(HEALTHY)]
    ont.online_after_s, ont.config_after_s = 30.0, 5.0
    ref = world.register(PORT, serial=HEALTHY, line_profile=20, service_profile=20)
    assert ref == PORT.onu(2)
    states = []
    for at in (29.0, 30.0, 35.0):
        clock.at = 1000.0 + at
        view = world.view(ref)
        states.append((view.run_state, view.configured, view.distance_m))
    assert states == [("offline", False, None), ("online", False, 2550), ("online", True, 2550)]


def test_pulled_out_and_plugged_in_elsewhere(world, clock):
    ref = world.register(PORT, serial=HEALTHY)
    clock.at += 1
    world.pull_out(HEALTHY, dying_gasp=True)
    assert world.view(ref).run_state == "offline"
    assert world.onus[ref].down_cause == "dying-gasp"
    world.plug_in(HEALTHY, "0/1/1", "FDT-02")
    clock.at += 1
    assert world.view(ref).run_state == "offline"
    assert Serial(HEALTHY) not in {ont.serial for ont in world.discovered()}
    world.plug_in(HEALTHY, "0/1/0", "FAT-01-1")
    clock.at += 1
    assert world.view(ref).run_state == "online"
    with pytest.raises(KeyError):
        world.plug_in(HEALTHY, "0/1/0", "no such splitter")


def test_autofind_comes_back_after_deletion_when_its_time_is_up(world, clock):
    ont = world.onts[Serial(HEALTHY)]
    ont.autofind_after_s = 10.0
    clock.at += 10
    assert ont in world.discovered()
    ref = world.register(PORT, serial=HEALTHY)
    assert ont not in world.discovered()
    world.delete(ref)
    assert ont not in world.discovered()
    clock.at += 10
    assert ont in world.discovered()


@pytest.mark.parametrize(
    ("kind", "loss", "lit"), [("dirty", 2.0, True), ("splice", 12.0, False), ("break", 0.0, False)]
)
def test_faults_dim_or_end_the_light(world, clock, kind, loss, lit):
    ref = world.register(PORT, serial=HEALTHY)
    clock.at += 1
    before = world.powers(world.onts[Serial(HEALTHY)])
    world.set_fault(PORT, "FAT-01-1", kind, loss)
    after = world.powers(world.onts[Serial(HEALTHY)])
    assert world.view(ref).online is lit
    if kind != "break":
        assert before.onu_rx - after.onu_rx == pytest.approx(loss)
    else:
        assert after.onu_rx == -math.inf
        assert world.onus[ref].down_cause == "LOSi/LOBi"
    world.clear_faults(PORT)
    clock.at += 1
    assert world.view(ref).online
    assert lit or world.up_at(world.view(ref)) > world.onus[ref].down_at - timedelta(seconds=2)


def test_a_bend_loses_more_downstream(world):
    bend = PlantFault("bend", 2.0)
    assert (bend.loss(DOWN_NM), bend.loss(UP_NM)) == (3.0, 2.0)


def test_feeder_break_takes_the_whole_port(world):
    world.set_fault("0/1/0", None, "break")
    assert not any(view.online for view in world.views(PORT))
    assert all(ont.port != PORT for ont in world.discovered())


def test_a_laser_that_is_off(world):
    world.plants[PORT].laser_on = False
    assert world.read_launch(PORT) is None
    assert not any(view.online for view in world.views(PORT))


def test_a_port_is_full_after_128(world):
    for number in range(125):
        world.register(PORT, serial=f"TEST{number:08X}")
    with pytest.raises(Refused) as refused:
        world.register(PORT, serial="TESTFFFFFFFF")
    assert refused.value.reason == "no_id_left"


def test_snapshot_is_json_and_moves_with_configuration_only(world, clock):
    before = world.snapshot()
    assert json.loads(json.dumps(before)) == before
    clock.at += 1000
    world.pull_out("48575443F2D53A10")
    assert world.snapshot() == before
    ref = world.register(PORT, serial=HEALTHY)
    world.set_native_vlan(ref, 1, 3001, 0)
    assert world.snapshot() != before
    world.delete(ref)
    assert world.snapshot() == before
    with pytest.raises(Refused):
        world.delete(ref)
