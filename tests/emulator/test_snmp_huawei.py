"""Huawei's tables: the numbers of the command line under their OIDs, and the words for "no reading"."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from ponprobe.emulator import Scenario, Service, serve
from ponprobe.emulator.snmp.huawei_onts import if_index
from ponprobe.models.addressing import PonPort, Serial

X = "1.3.6.1.4.1.2011.6.128.1.1.2"
FLOWS = "1.3.6.1.4.1.2011.5.14.5"
INVALID = 2_147_483_647
NO_INSTANCE, NO_OBJECT = "no such instance", "no such object"
NOISE_DB = 0.31
"""Two readings of the same power: twice three sigma of 0.05 dB, and rounding."""
P10, P11, P12, P13, P00, P01 = (
    if_index(PonPort.parse(port)) for port in ("0/1/0", "0/1/1", "0/1/2", "0/1/3", "0/0/0", "0/0/1")
)


def test_interface_numbers_are_those_of_a_real_device():
    known = {"0/0/0": 4194304000, "0/1/0": 4194312192, "0/1/15": 4194316032, "0/2/0": 4194320384, "0/5/1": 4194345216}
    assert {port: if_index(PonPort.parse(port)) for port in known} == known
    assert if_index(PonPort.parse("0/0/0"), "epon") == 4227858432


def test_interfaces(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    names = client.column("1.3.6.1.2.1.31.1.1.1.1")
    assert names["4194316032"] == b"GPON 0/1/15"
    assert set(client.column("1.3.6.1.2.1.2.2.1.2").values()) == {b"Huawei-MA5600-V800R015-GPON_UNI"}
    assert set(client.column("1.3.6.1.2.1.2.2.1.3").values()) == {250}
    # an Integer32, though the index that it repeats is beyond
    assert client.column("1.3.6.1.2.1.2.2.1.1")[str(P10)] == P10 - 2**32
    states = client.column("1.3.6.1.2.1.2.2.1.8")
    assert (states[str(P10)], states[str(P12)]) == (1, 2)


def test_uplinks_and_a_laser_that_is_off(snmp):
    text = """
olts:
  - name: one
    personality: ma5800_r022
    hostname: ONE
    boards: {7: {name: H902MPLA, uplinks: 2}, 1: {name: H901GPHF, ports: 1, status: Failed}}
    ports: {0/1/0: {laser_on: false}}
"""
    with serve(Scenario.parse(text)) as lab:
        client = snmp(lab.olt)
        assert client.column("1.3.6.1.2.1.31.1.1.1.1") == {
            "234938368": b"ethernet0/7/0",
            "234938432": b"ethernet0/7/1",
            str(P10): b"GPON 0/1/0",
        }
        assert client.get(f"{X}.23.1.4.{P10}", f"{X}.21.1.9.{P10}", f"1.3.6.1.2.1.2.2.1.7.{P10}") == [INVALID, 2, 2]
        assert client.column("1.3.6.1.4.1.2011.6.3.3.2.1.8") == {"0.1": 7, "0.7": 2}
        assert client.walk(f"{X}.48.1") == client.walk(f"{X}.51.1") == {}


def test_version_and_boards(demo_lab, snmp):
    old, new = (snmp(demo_lab.olts[name]) for name in ("ma5683t", "ma5800"))
    version = "1.3.6.1.4.1.2011.6.3.1.999.0"
    assert (old.get(version), new.get(version)) == ([b"MA5683V800R015C00B053"], [b"MA5800V100R022C10B053"])
    slots = old.walk("1.3.6.1.4.1.2011.6.3.3.2.1")
    base = "1.3.6.1.4.1.2011.6.3.3.2.1"
    assert slots[f"{base}.21.0.1"] == b"H805GPFD"
    assert {oid.rpartition(".")[2]: value for oid, value in slots.items() if oid.startswith(f"{base}.1.")} == {
        "0": 0,
        "1": 1,
        "6": 6,
        "8": 8,
    }


def test_pon_ports_and_their_optics(demo_lab, snmp, telnet):
    client = snmp(demo_lab.olt)
    counts = client.column(f"{X}.21.1.16")
    assert (counts[str(P10)], counts[str(P11)], counts[str(P13)]) == (3, 2, 0)
    assert client.get(f"{X}.21.1.10.{P10}", f"{X}.21.1.10.{P12}", f"{X}.21.1.13.{P10}") == [1, 2, 1]
    lines = telnet(demo_lab.olt).setup(view="0/1").lines("display port state 0")
    shown = {line[:31].strip(): line[31:].strip() for line in lines}
    temperature, volt, bias, tx, rx = client.get(*(f"{X}.23.1.{n}.{P10}" for n in range(1, 6)))
    assert tx / 100 == pytest.approx(float(shown["TX power(dBm)"]), abs=NOISE_DB)
    assert [str(temperature), str(bias)] == [shown["Temperature(C)"], shown["TX Bias current(mA)"]]
    assert volt / 100 == float(shown["Supply Voltage(V)"])
    assert rx == INVALID
    assert set(client.column(f"{X}.23.1.5").values()) == {INVALID}
    assert client.get(f"{X}.22.1.11.{P10}", f"{X}.22.1.20.{P10}", f"{X}.22.1.27.{P10}") == [
        b"HUAWEI",
        b"DF0100000417",
        2,
    ]


@pytest.mark.parametrize("name", ["ma5683t", "ma5800"])
def test_powers_are_those_of_the_command_line(demo_lab, snmp, telnet, name):
    olt = demo_lab.olts[name]
    shown = telnet(olt).setup(view="0/1").do("display ont optical-info 0 0")

    def value(label: str) -> float:
        return float(re.search(rf"^  {re.escape(label)} *: ?(.*?)\r", shown, re.MULTILINE)[1])

    temperature, bias, tx, rx, millivolt, olt_rx, catv = snmp(olt).get(*(f"{X}.51.1.{n}.{P10}.0" for n in range(1, 8)))
    assert tx / 100 == pytest.approx(value("Tx optical power(dBm)"), abs=NOISE_DB)
    assert rx / 100 == pytest.approx(value("Rx optical power(dBm)"), abs=NOISE_DB)
    assert (olt_rx - 10_000) / 100 == pytest.approx(value("OLT Rx ONT optical power(dBm)"), abs=NOISE_DB)
    assert 7000 < olt_rx < 9000
    assert [temperature, bias] == [value("Temperature(C)"), value("Laser bias current(mA)")]
    assert millivolt / 1000 == value("Voltage(V)")
    assert catv == INVALID


def test_two_readings_differ_by_noise_only(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    reads = [client.get(f"{X}.51.1.4.{P10}.0", f"{X}.51.1.4.{P10}.0") for _ in range(15)]
    assert all(one == other for one, other in reads)
    seen = {one for one, _ in reads}
    assert len(seen) > 1
    assert max(seen) - min(seen) <= 31


def test_no_readings_of_an_offline_ont(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    assert client.get(*(f"{X}.51.1.{n}.{P10}.3" for n in range(1, 8))) == [INVALID] * 7
    # run, config and match state, distance, MAC addresses; the cause is a dying gasp
    assert client.get(*(f"{X}.46.1.{n}.{P10}.3" for n in (15, 16, 18, 20, 21, 24))) == [2, 1, -1, -1, -1, 13]
    assert client.get(f"{X}.45.1.1.{P10}.3", f"{X}.45.1.5.{P10}.3") == [b"", b""]
    assert client.get(f"{X}.62.1.4.{P10}.3.1", f"{X}.62.1.22.{P10}.3.1") == [-1, -1]


def test_no_diagnostics_and_too_much_light(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)
    world.plug_in("HWTC0B086EA9", "0/1/0", "FAT-01-1", ddm="absent", online_after_s=0.0)
    world.register("0/1/0", 2, serial="HWTC0B086EA9", line_profile=20, service_profile=20)
    assert client.get(f"{X}.46.1.15.{P10}.2") == [1]
    assert client.get(*(f"{X}.51.1.{n}.{P10}.2" for n in range(1, 8))) == [INVALID] * 7
    world.onts[Serial("HWTC0B086E0F")].online_after_s = 0.0
    world.register("0/0/1", 0, serial="HWTC0B086E0F", line_profile=20, service_profile=20)
    rx, olt_rx = client.get(f"{X}.51.1.4.{P01}.0", f"{X}.51.1.6.{P01}.0")
    assert -200 < rx < 100
    assert olt_rx == INVALID


def test_configuration_of_onts(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)
    assert client.get(*(f"{X}.43.1.{n}.{P10}.0" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13))) == [
        1,
        bytes.fromhex("48575443F2D53A10"),
        b"",
        -1,
        1,
        b"FTTH-INTERNET",
        b"HG8546M",
        b"Error Systems Ltd",
        1,
        b"",
    ]
    serials = client.column(f"{X}.43.1.3")
    assert {index.rpartition(".")[0] for index in serials} == {str(each) for each in (P10, P11, P12, P00)}
    assert serials[f"{P10}.3"] == b"ZTEG\xc9\xe3\x31\x10"
    assert client.column(f"{X}.46.1.30") == serials
    how = {"line_profile": 20, "service_profile": 20}
    world.register("0/1/3", 1, password="12345678", **how)
    world.register("0/1/3", 2, loid="5570111433", checkcode="4321", mode="once-on", **how)
    world.register("0/1/3", 3, serial="HWTC0B086EE3", password="p", **how)
    world.register("0/1/3", 4, loid="unknown", **how)
    auths = client.column(f"{X}.43.1.2.{P13}")
    assert auths == {"1": 3, "2": 8, "3": 2, "4": 5}
    assert client.get(f"{X}.43.1.4.{P13}.1", f"{X}.43.1.13.{P13}.2", f"{X}.43.1.14.{P13}.2") == [
        b"12345678\0\0",
        b"5570111433",
        b"4321",
    ]
    assert client.get(f"{X}.43.1.3.{P13}.2", f"{X}.43.1.3.{P13}.4") == [bytes.fromhex("485754430B086EF5"), bytes(8)]


def test_a_row_comes_and_goes_with_its_ont(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)
    oid = f"{X}.43.1.10.{P10}.2"
    assert client.get(oid) == [NO_INSTANCE]
    ref = world.register("0/1/0", 2, serial="HWTC0B086EA9", line_profile=20, service_profile=20)
    assert client.get(oid, f"{X}.43.1.9.{P10}.2") == [1, b"ONT_NO_DESCRIPTION"]
    assert list(client.column(f"{X}.43.1.10.{P10}")) == ["0", "1", "2", "3"]
    while client.get(f"{X}.46.1.15.{P10}.2") != [1]:
        pass
    assert client.get(f"{X}.21.1.16.{P10}", f"{X}.46.1.16.{P10}.2", f"{X}.46.1.20.{P10}.2") == [4, 2, 2550]
    world.delete(ref)
    assert client.get(oid, f"{X}.51.1.4.{P10}.2") == [NO_INSTANCE, NO_INSTANCE]


def test_times_have_a_zone(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)
    up, never = client.get(f"{X}.46.1.22.{P10}.0", f"{X}.46.1.23.{P10}.0")
    assert never == bytes(8)
    year = int.from_bytes(up[:2], "big")
    told = datetime(year, *up[2:7], tzinfo=world.wall().tzinfo)
    assert abs((world.wall() - told).total_seconds()) < 600
    assert up[8:] == b"+\x03\x00"
    world.pull_out("48575443F2D53A10")
    assert len(client.get(f"{X}.46.1.23.{P10}.0")[0]) == 11
    assert client.get(f"{X}.46.1.24.{P10}.0") == [2]


def test_what_an_ont_says_of_itself(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    assert client.get(*(f"{X}.45.1.{n}.{P10}.0" for n in (1, 4, 5))) == [b"10C7.A", b"HG8546M", b"V5R019C10S125"]


def test_waiting_onts_are_those_of_the_command_line(demo_lab, snmp, telnet):
    for name, olt in demo_lab.olts.items():
        lines = telnet(olt).setup().do("display ont autofind all")
        shown = re.findall(r"F/S/P +: (\S+).*?Ont SN +: (\S+)", lines, re.DOTALL)
        found = {index: value.hex().upper() for index, value in snmp(olt).column(f"{X}.48.1.2").items()}
        ports = [index.split(".")[0] for index in found]
        assert sorted(zip(ports, found.values(), strict=True)) == sorted(
            (str(if_index(PonPort.parse(port))), serial) for port, serial in shown
        )
        assert {f"{port}.{number}" for port in set(ports) for number in range(ports.count(port))} == set(found)
        newer = {NO_OBJECT} if name == "ma5683t" else {1}
        assert set(snmp(olt).get(f"{X}.48.1.12.{next(iter(found))}")) == newer
    client = snmp(demo_lab.olts["ma5683t"])
    assert client.get(*(f"{X}.48.1.{n}.{P13}.1" for n in (3, 4, 5, 6, 7))) == [
        b"12345678\0\0",
        b"HWTC",
        b"10C7.A",
        b"V5R019C10S125",
        b"HG8546M",
    ]
    assert client.get(f"{X}.48.1.9.{P13}.2", f"{X}.48.1.10.{P13}.2") == [b"5570111433", b"4321"]
    assert len(client.get(f"{X}.48.1.8.{P13}.2")[0]) == 11


def test_the_register_log_says_who_is_in_the_way(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)

    def results(port: int) -> dict[str, int]:
        serials, codes = client.column(f"{X}.52.1.2"), client.column(f"{X}.52.1.3")
        return {serials[index].hex().upper()[-8:]: codes[index] for index in codes if index.startswith(f"{port}.")}

    assert results(P10) == {"F2D53A10": 1, "F2D53A11": 1, "0B086EA9": 9, "0B086EB0": 9}
    how = {"line_profile": 20, "service_profile": 20}
    world.register("0/1/2", 5, serial="HWTC0B086EA9", **how)  # plugged in at 0/1/0
    world.register("0/1/0", 6, serial="HWTC0B086EB0", password="wrong", **how)
    world.register("0/1/2", 7, password="12345678", **how)  # at 0/1/3
    world.register("0/1/3", 8, loid="5570111433", checkcode="0000", **how)
    assert results(P10) == {"F2D53A10": 1, "F2D53A11": 1, "0B086EA9": 3, "0B086EB0": 6}
    assert results(P13) == {"0B086EE3": 9, "0B086EF4": 4, "0B086EF5": 11}
    codes = client.column(f"{X}.52.1.3")
    conflict = next(index for index, code in codes.items() if code == 3)
    assert client.get(f"{X}.52.1.5.{conflict}", f"{X}.52.1.6.{conflict}") == [P12 - 2**32, 5]
    fine = next(index for index, code in codes.items() if code == 1)
    assert client.get(f"{X}.52.1.5.{fine}", f"{X}.52.1.6.{fine}") == [-1, -1]
    assert len(client.get(f"{X}.52.1.4.{fine}")[0]) == 11
    world.register("0/1/2", 9, loid="elsewhere", **how)
    world.plug_in("HWTC0B086EF5", "0/1/3", "FDT-04", loid="elsewhere")
    assert results(P13)["0B086EF5"] == 5
    world.onts[Serial("HWTC0B086EF5")].loid = None
    world.set_fault("0/1/3", None, "break")
    assert results(P13) == {}
    world.register("0/1/0", 10, password="secret", **how)
    world.plug_in("HWTC0B086EAA", "0/1/0", "FAT-01-1", password="secret")
    assert results(P10)["0B086EAA"] == 1


def test_ports_of_onts(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    assert client.column(f"{X}.62.1.22.{P10}.0") == {"1": 1, "2": 2, "3": 2, "4": 2}
    assert client.column(f"{X}.62.1.7.{P10}.0") == {"1": 1001, "2": 1, "3": 1, "4": 1}
    assert client.column(f"{X}.62.1.4.{P10}.0") == dict.fromkeys("1234", 7)
    assert client.get(f"{X}.62.1.5.{P10}.0.1") == [1]


def test_mac_addresses_are_a_question_by_index(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    oid = f"{X}.130.1.8.{P10}.1.0.3.{{}}.47.0.0"
    (records,) = client.get(oid.format(0))
    assert (records[1], records[2:4], records[4:10]) == (1, (1001).to_bytes(2, "big"), bytes.fromhex("9c741a3f98c7"))
    assert len(records) % 10 == 0
    assert client.get(oid.format(3), oid.format(9)) == [NO_INSTANCE, NO_INSTANCE]
    assert client.walk(f"{X}.130.1") == {}


def test_service_ports(lab, snmp):
    world, client = lab.olt.world, snmp(lab.olt)
    flow = f"{FLOWS}.2.1"

    def row(index: int) -> list:
        return client.get(*(f"{flow}.{n}.{index}" for n in (2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 18, 25)))

    assert row(0) == [0, 1, 0, 0, 1, 4, 800, 1, 1001, 1, 1, 3, 1001]
    assert client.get(*(f"{flow}.{n}.0" for n in (9, 10, 21, 22))) == [
        11,
        10,
        b"ip-traffic-table_11",
        b"ip-traffic-table_10",
    ]
    # its ONT is off; nothing limits it; shared by a port, with a range of VLANs
    assert row(3)[9] == 2
    assert client.get(f"{flow}.9.3", f"{flow}.21.3", f"{flow}.26.3") == [-1, b"", -1]
    assert row(50) == [0, 1, 3, -1, -1, 4, 2000, 255, 0xFFFE, 2, 1, 2, -1]
    assert set(client.column(f"{flow}.8")) == {str(index) for index in world.services}
    assert client.get(f"{FLOWS}.1.0") == [world.free_service_index()]
    world.add_service(Service(2, 800, PonPort.parse("0/1/0"), 0, 1, "untagged", "translate"))
    assert row(2)[7:9] == [1, 0xFFFF]
    world.remove_service(2)
    assert row(2)[0] == NO_INSTANCE


def test_profiles_are_indexed_by_their_names(demo_lab, snmp):
    client = snmp(demo_lab.olt)

    def named(table: int) -> dict[str, int]:
        rows = client.column(f"1.3.6.1.4.1.2011.6.128.1.1.3.{table}.1.2")
        return {bytes(map(int, index.split(".")[1:])).decode(): bound for index, bound in rows.items()}

    assert named(61)["FTTH-INTERNET"] == 7
    assert named(65) == {"srv-profile_default_0": 0, "HG8546M": 7, "TEST-BRIDGE": 1}


EPON = """
olts:
  - name: one
    personality: ma5683t_r015
    hostname: ONE
    boards: {1: {name: H802EPBD, ports: 2, technology: epon}, 2: {name: H805GPFD, ports: 1}}
    line_profiles: {10: {name: L}}
    service_profiles: {10: {name: S}}
    ports:
      0/1/0:
        optics: PX20+
        splitters: [{name: A, ratio: 64, km: 1.0}]
        onus:
          - {id: 3, mac: 543e.6496.f469, line_profile: 10, service_profile: 10, plugged: {splitter: A}}
          - {id: 4, mac: 543e.6496.f470, line_profile: 10, service_profile: 10, last_down_cause: dying-gasp}
        onts: [{mac: bcf8.8b45.ebcc, splitter: A, model: E1}]
"""


def test_epon_has_tables_of_its_own(snmp, demo_lab):
    with serve(Scenario.parse(EPON)) as lab:
        client, port = snmp(lab.olt), if_index(PonPort.parse("0/1/0"), "epon")
        assert client.column("1.3.6.1.2.1.31.1.1.1.1")[str(port)] == b"EPON 0/1/0"
        assert client.column(f"{X}.53.1.3") == {
            f"{port}.3": bytes.fromhex("543e6496f469"),
            f"{port}.4": bytes.fromhex("543e6496f470"),
        }
        assert client.get(*(f"{X}.53.1.{n}.{port}.3" for n in (2, 7, 8, 9, 10, 12))) == [
            3,
            b"L",
            b"S",
            b"ONT_NO_DESCRIPTION",
            1,
            b"",
        ]
        assert client.column(f"{X}.57.1.15") == {f"{port}.3": 1, f"{port}.4": 2}
        assert client.get(f"{X}.57.1.19.{port}.3", f"{X}.57.1.25.{port}.4") == [1050, 13]
        assert client.column(f"{X}.58.1.2") == {f"{port}.0": bytes.fromhex("bcf88b45ebcc")}
        assert client.get(f"{X}.58.1.12.{port}.0", f"{X}.58.1.9.{port}.0") == [b"E1", b""]
        olt_rx, temperature, bias, tx, rx, millivolt, olt_tx = client.get(
            *(f"{X}.104.1.{n}.{port}.3" for n in range(1, 8))
        )
        truth = lab.olt.world.powers(next(iter(lab.olt.world.onts.values())))
        assert (olt_rx - 10_000) / 100 == pytest.approx(truth.olt_rx, abs=1)
        assert [tx / 100, rx / 100, olt_tx / 100] == pytest.approx([2.2, truth.onu_rx, 4.5], abs=1)
        assert (temperature, bias, millivolt) == (46, 14, 3300)
        assert client.get(f"{X}.104.1.5.{port}.4", f"{X}.31.1.12.{port}") == [INVALID, 2]
        assert client.get(f"{X}.33.1.4.{port}")[0] / 100 == pytest.approx(4.5, abs=0.5)
        for table in (43, 46, 48, 51, 52, 62, 130):
            assert client.walk(f"{X}.{table}.1") == {}
    assert snmp(demo_lab.olt).get(f"{X}.53.1.3.{P10}.0") == [NO_OBJECT]
