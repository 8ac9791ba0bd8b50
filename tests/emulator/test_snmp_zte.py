"""ZTE's tables: which tree answers what on which build, five ways to count ports, and the words for "no reading"."""

from __future__ import annotations

import re

import pytest

from ponprobe.emulator.snmp.zte_index import epon_onu, gpon_onu, legacy, modern, service_port, zero_based
from ponprobe.models.addressing import OnuRef, PonPort, Serial

G, L, N = "1.3.6.1.4.1.3902.1012.3", "1.3.6.1.4.1.3902.1015", "1.3.6.1.4.1.3902.1082"
INVALID, NO_READING, NO_SIGNAL, NOT_IN_SERVICE = 2_147_483_647, 65_535, -80_000, 65_535_000
NO_INSTANCE, NO_OBJECT = "no such instance", "no such object"
NOISE_DB = 0.31
NAMES = "1.3.6.1.2.1.31.1.1.1.1"
P = PonPort.parse
ONLINE, OFFLINE = "1/2/1:1", "1/2/1:4"
"""Of the C300."""


def test_numbers_are_those_of_real_devices():
    assert [legacy(P(port)) for port in ("1/1/1", "1/1/8", "1/2/1", "1/3/1")] == [
        268501248,
        268503040,
        268566784,
        268632320,
    ]
    assert [modern(P(port)) for port in ("1/1/1", "1/2/1", "1/3/1", "1/5/16", "1/4/3")] == [
        285278465,
        285278721,
        285278977,
        285279504,
        285279235,
    ]
    assert [zero_based(P(port), c300=False) for port in ("1/1/1", "1/4/3", "1/2/2")] == [
        268435456,
        268632576,
        268501248,
    ]
    # a C300 counts from slot 2 and leaves its control boards out
    assert [zero_based(P(f"1/{slot}/1"), c300=True) >> 16 & 0xFF for slot in (2, 9, 12, 22)] == [0, 7, 8, 18]
    ref = OnuRef.parse("1/7/13:24")
    assert [service_port(ref, vport) for vport in (1, 2, 3, 4)] == [
        (285280013, number) for number in (404226304, 404226560, 404226816, 404227072)
    ]
    assert epon_onu(OnuRef.parse("1/5/1:1"), 8) == 3 << 28 | 5 << 19 | 1 << 8
    assert epon_onu(OnuRef.parse("1/5/2:1"), 16) == 9 << 28 | 5 << 20 | 1 << 16 | 1 << 8
    assert gpon_onu(OnuRef.parse("1/2/1:1"), 8) == 4 << 28
    assert gpon_onu(OnuRef.parse("1/3/2:3"), 16) == 10 << 28 | 1 << 20 | 1 << 16 | 2 << 8


def test_only_the_name_tells_how_interfaces_are_counted(demo_zte, snmp):
    names = {name: snmp(olt).column(NAMES) for name, olt in demo_zte.olts.items()}
    assert names["c300"]["268435456"] == b"gpon_1/2/1"
    assert names["c300"][str(zero_based(P("1/5/1"), c300=True))] == b"epon_1/5/1"
    assert b"xgei_1/21/1" in names["c300"].values()
    assert (names["c320"]["285278465"], names["c320"]["285278721"]) == (b"gpon_1/1/1", b"gpon_1/2/1")
    assert names["c600"]["285278977"] == b"gpon_olt-1/3/1"
    assert b"xgei-1/10/1" in names["c600"].values()
    # the same number is another port in another tree
    assert snmp(demo_zte.olts["c300"]).get(f"{G}.13.1.1.1.{legacy(P('1/2/1'))}") == [b"gpon_1/2/1"]
    assert names["c300"][str(legacy(P("1/1/1")))] == b"gpon_1/3/2"


TREES = {
    # column: whether C300 V1.2, C320 V2.1, C600 have it
    f"{G}.28.1.1.5": (True, True, False),
    f"{G}.28.2.1.4": (True, True, False),
    f"{G}.50.11.2.1.3": (True, True, False),
    f"{G}.11.4.1.2": (True, True, False),
    f"{G}.50.12.1.1.10": (True, True, False),
    f"{G}.50.12.1.1.14": (True, False, False),
    f"{G}.13.1.1.13": (True, True, False),
    f"{G}.13.3.1.2": (True, True, False),
    f"{L}.1010.11.2.1.2": (True, False, False),
    f"{L}.3.1.13.1.4": (True, False, False),
    f"{L}.8.1.1.1.5": (True, False, False),
    f"{L}.6.1.3.1.5.1": (True, False, False),
    f"{L}.2.1.1.3.1.4": (True, False, False),
    f"{N}.10.1.2.4.1.4": (False, True, True),
    f"{N}.30.40.2.4.1.3": (False, True, True),
    f"{N}.500.10.2.3.3.1.6": (False, True, True),
    f"{N}.500.10.2.3.8.1.4": (False, True, True),
    f"{N}.500.10.2.3.10.1.2": (False, True, True),
    f"{N}.500.20.2.1.2.1.7": (False, True, True),
    f"{N}.500.20.2.2.2.1.10": (False, True, True),
    f"{N}.500.20.2.2.2.1.14": (False, True, True),
    f"{N}.500.1.2.4.2.1.2": (False, True, True),
    f"{N}.500.10.2.2.5.1.2": (False, True, False),
    f"{N}.500.2.2.11.2.1.2": (False, False, True),
    f"{N}.110.5.2.2.1.8": (False, True, True),
    f"{N}.40.10.2.1.2.1.50.1": (False, True, False),
    f"{N}.40.10.2.1.5.1.1": (False, False, True),
    f"{N}.40.50.2.1.2.1.2": (False, True, True),
}


@pytest.mark.parametrize(("at", "name"), list(enumerate(("c300", "c320", "c600"))), ids=str)
def test_each_build_answers_its_part_of_the_trees(demo_zte, snmp, at, name):
    client = snmp(demo_zte.olts[name])
    for column, has in TREES.items():
        assert client.get(f"{column}.1.1") == [NO_INSTANCE if has[at] else NO_OBJECT], column
        assert bool(client.walk(column)) is has[at], column


def s16(raw: int) -> float:
    """Steps of 0.002 dB above -30 dBm, in two's complement."""
    return (raw - 65_536 if raw > 32_767 else raw) * 0.002 - 30


CASES = {
    "c300": (
        "1/2/1",
        f"{L}.1010.11.2.1.2.{{a}}.1",
        f"{G}.50.12.1.1.14.{{a}}.1.1",
        f"{G}.50.12.1.1.10.{{a}}.1.1",
        f"{L}.3.1.13.1.4.{{i}}",
    ),
    "c320": (
        "1/1/1",
        f"{N}.500.1.2.4.2.1.2.{{b}}.1",
        f"{N}.500.20.2.2.2.1.14.{{b}}.1.1",
        f"{G}.50.12.1.1.10.{{a}}.1.1",
        f"{N}.30.40.2.4.1.3.{{i}}",
    ),
    "c600": (
        "1/3/1",
        f"{N}.500.1.2.4.2.1.2.{{b}}.1",
        f"{N}.500.20.2.2.2.1.14.{{b}}.1.1",
        f"{N}.500.20.2.2.2.1.10.{{b}}.1.1",
        f"{N}.30.40.2.4.1.3.{{i}}",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_powers_are_those_of_the_command_line(demo_zte, snmp, telnet, name):
    olt, (port, *oids) = demo_zte.olts[name], CASES[name]
    where = {"a": legacy(P(port)), "b": modern(P(port))}
    where["i"] = zero_based(P(port), c300=True) if name == "c300" else modern(P(port))
    olt_rx, onu_tx, onu_rx, olt_tx = snmp(olt).get(*(oid.format(**where) for oid in oids))
    onu = olt.personality.onu(P(port).onu(1))
    shown = telnet(olt).privileged().do(f"show pon power attenuation {onu}")
    up, down = (
        re.findall(r"(-?\d+\.\d+)\(dbm\)", line) for line in re.findall(r"^ (?:up|down) .*", shown, re.MULTILINE)
    )
    assert [olt_rx / 1000, s16(onu_tx)] == pytest.approx([float(value) for value in up], abs=NOISE_DB)
    assert [olt_tx / 1000, s16(onu_rx)] == pytest.approx([float(value) for value in down], abs=NOISE_DB)
    assert s16(onu_rx) < -10 < 0 < s16(onu_tx)


def test_what_else_an_onu_reads(demo_zte, snmp, telnet):
    olt = demo_zte.olts["c600"]
    at = f"{modern(P('1/3/1'))}.1.1"
    volt, bias, warm = snmp(olt).get(*(f"{N}.500.20.2.2.2.1.{n}.{at}" for n in (17, 18, 19)))
    assert [volt * 0.02, bias * 0.002] == pytest.approx([3.28, 11.462])
    assert warm / 256 == pytest.approx(46.113, abs=1 / 256)
    assert volt == 164


@pytest.mark.parametrize(("name", "ref"), [("c300", OFFLINE), ("c320", "1/1/2:3"), ("c600", "1/3/2:2")])
def test_no_readings_of_an_offline_onu(demo_zte, snmp, name, ref):
    client, ref = snmp(demo_zte.olts[name]), OnuRef.parse(ref)
    base = f"{G}.50.12.1.1" if name == "c300" else f"{N}.500.20.2.2.2.1"
    index = legacy(ref.port) if name == "c300" else modern(ref.port)
    own = client.get(*(f"{base}.{n}.{index}.{ref.onu_id}.1" for n in (10, 14, 17, 18, 19)))
    assert own == [NO_READING] * 4 + [0x8000]
    receiver = f"{L}.1010.11.2.1.2" if name == "c300" else f"{N}.500.1.2.4.2.1.2"
    assert client.get(f"{receiver}.{index}.{ref.onu_id}") == [NO_SIGNAL]
    distance = f"{G}.11.4.1.2" if name == "c300" else f"{N}.500.10.2.3.10.1.2"
    assert client.get(f"{distance}.{index}.{ref.onu_id}") == [0]
    equipment = f"{G}.50.11.2.1.3" if name == "c300" else f"{N}.500.20.2.1.2.1.3"
    assert client.get(f"{equipment}.{index}.{ref.onu_id}") == [NO_INSTANCE]
    ports = f"{G}.50.14.1.1" if name == "c300" else f"{N}.500.20.2.3.2.1"
    assert client.get(f"{ports}.5.{index}.{ref.onu_id}.1", f"{ports}.6.{index}.{ref.onu_id}.1") == [NO_READING] * 2


def test_a_laser_that_is_off_and_diagnostics_that_are_not_there(zte_lab, snmp):
    olt = zte_lab.olts["c600"]
    client, port = snmp(olt), modern(P("1/3/1"))
    olt.world.onts[Serial("FHTT6A9B7700")].ddm = "absent"
    assert client.get(f"{N}.500.20.2.2.2.1.10.{port}.1.1", f"{N}.500.20.2.2.2.1.19.{port}.1.1") == [NO_READING, 0x8000]
    assert client.get(f"{N}.500.10.2.3.8.1.4.{port}.1", f"{N}.500.1.2.4.2.1.2.{port}.1") == [4, NO_SIGNAL]
    olt.world.plants[P("1/3/1")].laser_on = False
    assert client.get(f"{N}.500.1.2.4.2.1.2.{port}.1", f"{N}.30.40.2.4.1.3.{port}") == [NOT_IN_SERVICE, INVALID]


def test_light_below_30_dbm_wraps_around(zte_lab, snmp, monkeypatch):
    olt = zte_lab.olts["c600"]
    weak = olt.world.read_optics(olt.world.view(OnuRef.parse("1/3/1:1")))
    monkeypatch.setattr(type(olt.world), "read_optics", lambda *_: type(weak)(-31.0, 2.0, -20.0))
    (raw,) = snmp(olt).get(f"{N}.500.20.2.2.2.1.10.{modern(P('1/3/1'))}.1.1")
    assert raw == 65_036
    assert s16(raw) == pytest.approx(-31.0)


def test_phases_differ_by_one_between_the_trees(zte_lab, snmp):
    olt = zte_lab.olts["c320"]
    client, a, b = snmp(olt), legacy(P("1/1/1")), modern(P("1/1/1"))

    def phases(onu: int) -> list[int]:
        return client.get(f"{G}.28.2.1.4.{a}.{onu}", f"{N}.500.10.2.3.8.1.4.{b}.{onu}")

    assert phases(1) == [3, 4]
    assert client.get(f"{G}.28.2.1.4.{legacy(P('1/1/2'))}.3") == [4]  # a dying gasp
    assert client.get(f"{G}.28.2.1.4.{legacy(P('1/1/2'))}.1") == [6]  # never seen
    olt.world.pull_out("FHTT05FFE238")
    assert phases(1) == [1, 2]
    assert client.get(f"{G}.28.2.1.7.{a}.1", f"{N}.500.10.2.3.8.1.7.{b}.1") == [2, 2]
    assert client.get(f"{G}.28.2.1.7.{legacy(P('1/1/2'))}.3", f"{G}.28.2.1.7.{legacy(P('1/1/2'))}.1") == [9, 1]
    off = client.get(f"{G}.28.2.1.6.{a}.1", f"{N}.500.10.2.3.8.1.6.{b}.1")
    assert off[0] == off[1]
    assert int.from_bytes(off[0][:2], "big") == olt.world.wall().year
    assert len(off[0]) == 8
    olt.world.plug_in("FHTT05FFE238", "1/1/1", "ODP-1-1", online_after_s=0.0, config_after_s=3600.0)
    assert phases(1) == [2, 3]


def test_registered_onus(demo_zte, snmp):
    old = snmp(demo_zte.olts["c300"])
    at = f"{legacy(P('1/2/1'))}.1"
    assert old.get(*(f"{G}.28.1.1.{n}.{at}" for n in (1, 2, 3, 5, 7, 9, 10, 12, 17))) == [
        b"ZTE-F660",
        b"%Error Systems",
        b"Enter Username: here",
        b"ZTEG\xc1\x00\x00\x01",
        b"",
        1,
        1,
        1,
        1,
    ]
    new = snmp(demo_zte.olts["c600"])
    at = f"{modern(P('1/3/1'))}.1"
    # names are masked on its command line, not here
    assert new.get(*(f"{N}.500.10.2.3.3.1.{n}.{at}" for n in (1, 2, 3, 5, 6, 18, 50))) == [
        b"ZTE-F660",
        b"%Error 140303: Ltd",
        b"8$$Budi Santoso$$",
        1,
        b"FHTT\x6a\x9b\x77\x00",
        b"1,FHTT6A9B7700",
        1,
    ]
    assert len(old.column(f"{G}.28.1.1.5")) == 5  # none of them EPON
    assert old.get(f"{G}.50.11.2.1.1.{legacy(P('1/2/1'))}.1", f"{G}.50.11.2.1.9.{legacy(P('1/2/1'))}.1") == [
        b"ZTEG",
        b"F660",
    ]
    assert new.column(f"{N}.500.20.2.1.2.1.7.{modern(P('1/3/2'))}") == {"1": 2, "2": 2}
    assert new.get(f"{N}.500.20.2.1.2.1.7.{at}", f"{N}.500.20.2.1.2.1.8.{at}") == [1, b"PU-X910"]


def test_onus_without_a_serial(zte_lab, snmp):
    olt = zte_lab.olts["c320"]
    olt.world.register("1/1/3", 1, password="12345678")
    olt.world.register("1/1/3", 2, loid="5570111433", checkcode="4321")
    olt.world.register("1/1/3", 3, loid="nobody")
    client, b = snmp(olt), modern(P("1/1/3"))
    assert client.column(f"{N}.500.10.2.3.3.1.5.{b}") == {"1": 2, "2": 10, "3": 9}
    assert client.column(f"{N}.500.10.2.3.3.1.6.{b}") == {
        "1": b"ZTEG\x0b\x00\x0e\xf4",
        "2": b"ZTEG\x0b\x00\x0e\xf5",
        "3": b"",
    }
    assert client.get(f"{N}.500.10.2.3.3.1.18.{b}.3", f"{G}.28.1.1.7.{legacy(P('1/1/3'))}.1") == [b"9,", b"12345678"]


WAITING = {
    "c300": (f"{G}.13.3.1", legacy, 2, 5, 7, 10),
    "c320": (f"{N}.500.10.2.2.5.1", modern, 2, None, None, 7),
    "c600": (f"{N}.500.2.2.11.2.1", modern, 2, 3, 12, 8),
}


@pytest.mark.parametrize("name", WAITING)
def test_waiting_onus(demo_zte, snmp, telnet, name):
    olt = demo_zte.olts[name]
    base, place, serial, password, found, model = WAITING[name]
    client = snmp(olt)
    rows = client.column(f"{base}.{serial}")
    wanted = [ont for ont in olt.world.discovered() if olt.world.plants[ont.port].technology == "gpon"]
    assert sorted(value.hex().upper() for value in rows.values()) == sorted(ont.serial.hex16 for ont in wanted)
    assert {index.split(".")[0] for index in rows} == {str(place(ont.port)) for ont in wanted}
    first = f"{place(wanted[0].port)}.1"
    assert client.get(f"{base}.{model}.{first}") == [wanted[0].model.encode()]
    if password and found:
        assert any(client.column(f"{base}.{password}").values())
        assert len(client.get(f"{base}.{found}.{first}")[0]) == 8
    assert client.walk(f"{base}.{serial}.{place(P('1/3/16'))}") == {}


def test_service_ports_and_what_was_learnt(demo_zte, snmp):
    c300, c320, c600 = (snmp(demo_zte.olts[name]) for name in ("c300", "c320", "c600"))
    onu = gpon_onu(OnuRef.parse("1/2/1:1"), 8)
    assert c300.get(*(f"{L}.8.1.1.1.{n}.{onu}.1" for n in (4, 5, 9, 10, 22, 100))) == [4, 1001, 1001, 800, 1, 1]
    mac = "156.116.26.63.136.193"
    assert c300.get(f"{L}.6.1.3.1.5.1.{onu}.800.{mac}") == [1]
    assert len(c300.walk(f"{L}.6.1.3.1.5.1")) == 3  # one of them behind an EPON ONU
    port, vport = service_port(OnuRef.parse("1/1/1:1"), 1)
    at = f"{port}.{vport}"
    assert c320.get(*(f"{N}.110.5.2.2.1.{n}.{at}" for n in (1, 4, 5, 8, 18, 19, 50))) == [b"", 4, 1, 1001, 1001, 800, 1]
    bridge = f"{modern(P('1/1/1'))}.{0x10 << 24 | 1 << 16 | 1 << 8}"
    assert c320.column(f"{N}.40.10.2.1.2.1.50.1.{bridge}") == {"800.156.116.26.63.152.193": 3}
    port, vport = service_port(OnuRef.parse("1/3/1:1"), 1)
    assert c600.column(f"{N}.40.10.2.1.5.1.1.800.{port}.{vport}.1") == {
        "156.116.26.63.168.193": bytes.fromhex("9c741a3fa8c1")
    }
    assert c600.get(f"{N}.110.5.2.2.1.19.{port}.{vport}") == [800]
    assert c600.walk(f"{N}.110.5.2.2.1.8.{modern(P('1/3/9'))}") == {}


def test_a_service_port_without_an_outer_tag_and_a_second_one(zte_lab, snmp):
    from ponprobe.emulator.provision import Flow, provided  # noqa: PLC0415 - of this test alone

    olt = zte_lab.olts["c600"]
    flows = provided(olt.world.onus[OnuRef.parse("1/3/1:1")]).flows
    flows[2] = Flow(2, 1, 3001, 3001)
    client = snmp(olt)
    port, vport = service_port(OnuRef.parse("1/3/1:1"), 1)
    assert client.column(f"{N}.110.5.2.2.1.19.{port}")[str(vport + 1)] == 0
    olt.world.pull_out("FHTT6A9B7700")
    assert client.walk(f"{N}.40.10.2.1.5.1.1.800.{port}") == {} or vport != 1
    assert not any(f".{vport}." in oid for oid in client.walk(f"{N}.40.10.2.1.5.1.1"))


def test_ports_of_onus(demo_zte, snmp):
    client = snmp(demo_zte.olts["c320"])
    at = f"{modern(P('1/1/1'))}.1"
    assert client.column(f"{N}.500.20.2.3.2.1.6.{at}") == {"1": 1, "2": 2, "3": 2, "4": 2}
    assert client.column(f"{N}.500.20.2.3.2.1.5.{at}") == dict.fromkeys("1234", 1)
    assert client.column(f"{G}.50.14.1.1.6.{legacy(P('1/1/1'))}.2") == {"1": 1}


def test_boards_modules_ports_and_vlans(demo_zte, snmp):
    c300, c320, c600 = (snmp(demo_zte.olts[name]) for name in ("c300", "c320", "c600"))
    assert c300.column(f"{L}.2.1.1.3.1.4")["1.1.2"] == b"GTGOE"
    assert c320.column(f"{N}.10.1.2.4.1.4") == {"1.1.1": b"GTGOG", "1.1.2": b"GTGHG", "1.1.3": b"SMXA"}
    assert c600.column(f"{N}.10.1.2.4.1.5") == {
        f"1.1.{slot}": 4 if slot == 11 else 1 for slot in (3, 4, 10, 11, 18, 21)
    }
    assert c600.get(f"{N}.10.1.2.4.1.23.1.1.11", f"{N}.10.1.2.4.1.7.1.1.3") == [b"", 16]
    at = modern(P("1/1/1"))
    assert c320.get(*(f"{N}.30.40.2.4.1.{n}.{at}" for n in (2, 4, 5, 6, 7, 8, 11, 12, 15, 16))) == [
        INVALID,
        25,
        23_030,
        3_226,
        1490,
        41_406,
        b"TS-GPTD3425-20DC",
        b"OEM             ",
        b"SFP/SFP+  ",
        b"SC  ",
    ]
    assert c600.get(f"{N}.30.40.2.4.1.20.{modern(P('1/3/1'))}") == [b"GPON/C++"]
    old = zero_based(P("1/2/1"), c300=True)
    assert c300.get(*(f"{L}.3.1.13.1.{n}.{old}" for n in (1, 9, 10, 11, 12))) == [INVALID, 23_030, 3_226, 1490, 41_406]
    port = legacy(P("1/2/1"))
    assert c300.get(*(f"{G}.13.1.1.{n}.{port}" for n in (1, 10, 11, 12, 13))) == [b"gpon_1/2/1", 1, 1, 128, 3]
    assert c320.get(f"{N}.40.50.2.1.2.1.2.800", f"{N}.40.50.2.1.2.1.50.2000") == [b"VLAN0800", 1]
    assert set(c320.column(f"{N}.40.50.2.1.4.1.7").values()) == {b"800,801,2000,2001"}


def test_epon_onus_of_a_c300(demo_zte, snmp, telnet):
    olt = demo_zte.olts["c300"]
    client, one, two = snmp(olt), epon_onu(OnuRef.parse("1/5/1:1"), 8), epon_onu(OnuRef.parse("1/5/1:2"), 8)
    base = f"{L}.1010.1.7.4.1"
    assert client.column(f"{base}.7") == {
        str(one): bytes.fromhex("543e6496f469"),
        str(two): bytes.fromhex("002fd94da599"),
    }
    assert client.column(f"{base}.17") == {str(one): 3, str(two): 1}
    assert client.get(f"{base}.1.{one}", f"{base}.5.{one}", f"{base}.19.{one}") == [b"1$$$$", b"ALL-EPON", 1]
    assert client.get(f"{L}.1010.1.2.1.1.10.{one}", f"{L}.1010.1.2.1.1.10.{two}") == [2050, -1]
    optics = f"{L}.1010.1.1.1.29.1"
    warm, volt, bias, tx, rx = (float(value) for value in client.get(*(f"{optics}.{n}.{one}" for n in range(1, 6))))
    assert (warm, volt, bias) == (46.113, 3.28, 11.462)
    shown = telnet(olt).privileged().do("show pon power attenuation epon-onu_1/5/1:1")
    olt_rx, onu_tx, _, onu_rx = (float(value) for value in re.findall(r"(-?\d+\.\d+)\(dbm\)", shown))
    assert [tx, rx] == pytest.approx([onu_tx, onu_rx], abs=NOISE_DB)
    assert client.get(f"{L}.1010.11.2.1.2.{legacy(P('1/5/1'))}.1")[0] / 1000 == pytest.approx(olt_rx, abs=NOISE_DB)
    assert client.get(f"{optics}.5.{two}") == [b"N/A"]
    assert client.walk(optics) == {}  # to be asked for one by one
    waiting = client.column(f"{L}.1010.1.7.14.1.2")
    assert waiting == {f"{epon_onu(P('1/5/1').onu(0), 8)}.1": bytes.fromhex("bcf88b45ebcc")}
    assert set(client.column(f"{L}.1010.1.7.14.1.9").values()) == {b"ZTE-F661"}
    assert len(next(iter(client.column(f"{L}.1010.1.7.14.1.6").values()))) == 8
