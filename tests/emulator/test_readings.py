"""Powers as the old device prints them: readings, out of range, absent, weak, none."""

from __future__ import annotations

import re


def value(answer: str, label: str) -> str:
    return re.search(rf"^  {re.escape(label)} *: ?(.*?)\r", answer, re.MULTILINE)[1]


def register(lab, talk, port: str, serial: str) -> str:
    ref = lab.olt.world.register(port, serial=serial, line_profile=20, service_profile=20)
    talk.repeat(f"display ont info {ref.port.port} {ref.onu_id}", "Run state               : online")
    return talk.do(f"display ont optical-info {ref.port.port} {ref.onu_id}")


def test_weak_branch(lab, telnet):
    answer = register(lab, telnet(lab.olt).setup(view="0/1"), "0/1/0", "HWTC0B086EB0")
    assert -26 < float(value(answer, "Rx optical power(dBm)")) < -23
    assert value(answer, "Optical power precision(dBm)") == "3.0"
    assert value(answer, "Rx power current warning threshold(dBm)") == "[-,-]"


def test_too_strong_at_the_olt_is_out_of_range(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/0")
    answer = register(lab, talk, "0/0/1", "HWTC0B086E0F")
    assert value(answer, "OLT Rx ONT optical power(dBm)") == "-50.00, out of range[-35.00, -15.00]"
    assert -2 < float(value(answer, "Rx optical power(dBm)")) < 1
    row = talk.lines("display ont optical-info 1 all")[4].split()
    assert row[0] == "0"
    assert row[3] == "-"


def test_diagnostics_that_an_onu_does_not_have(lab, telnet):
    lab.olt.world.plug_in("HWTC0B086EA9", "0/1/0", "FAT-01-1", ddm="absent")
    answer = register(lab, telnet(lab.olt).setup(view="0/1"), "0/1/0", "HWTC0B086EA9")
    for label in ("Rx optical power(dBm)", "Tx optical power(dBm)", "OLT Rx ONT optical power(dBm)", "Voltage(V)"):
        assert value(answer, label) == "-"


def test_offline_rows_are_dashes_and_a_dark_onu_is_not_online(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    assert talk.lines("display ont optical-info 0 all")[6].split() == ["3", *"-" * 7]
    lab.olt.world.set_fault("0/1/0", "FAT-01-1", "break")
    assert talk.lines("display ont optical-info 0 0") == ["  Failure: The ONT is not online"]


def test_every_port_of_a_board_in_one_answer(lab, telnet):
    lab.olt.world.plants[next(port for port in lab.olt.world.plants if str(port) == "0/1/15")].laser_on = False
    answer = telnet(lab.olt).setup(view="0/1").lines("display port state all")
    assert sum(line.startswith("  F/S/P ") for line in answer) == 16
    powers = [line.split()[-1] for line in answer if line.startswith("  TX power(dBm)")]
    assert powers[15] == "-"
    assert all(1.5 < float(power) < 5 for power in powers[:15])
    assert answer[3].split() == ["Port", "state", "Online"]


def test_boards(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    slots = talk.lines("display board 0")[3:-1]
    assert len(slots) == 13
    assert slots[1].split() == ["1", "H805GPFD", "Normal"]
    assert slots[2] == "  2     "
    inside = talk.lines("display board 0/1")
    assert any("48575443F2D53A10" in line for line in inside)
    assert "  Failure: This board does not exist" in talk.lines("display board 0/5")


def test_long_descriptions_wrap_in_the_table(demo_lab, telnet):
    answer = telnet(demo_lab.olt).setup().lines("display ont info 0 1 0 all")
    at = next(n for n, line in enumerate(answer) if "12_Long" in line)
    assert answer[at : at + 2] == [
        "  0/ 1/0       3   12_Long_Street_apartment_7_second_floor_left_staircase_B",
        " " * 19 + "_moved_out",
    ]
    assert "  In port 0/ 1/0 , the total of ONTs are: 3, online: 2" in answer


def test_a_whole_board_and_an_empty_port(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    assert talk.do("display ont info 0 1 all").count("the total of ONTs are") == 3
    assert talk.lines("display ont info 0 1 9 all") == ["  Failure: The ONT does not exist"]
    assert talk.lines("display ont info 0 4 all") == ["  Failure: This board does not exist"]


def test_autofind_entries_have_more_fields_on_the_new_one(demo_lab, ssh):
    new = ssh(demo_lab.olts["ma5800"]).setup().lines("display ont autofind all")
    old = ssh(demo_lab.olts["ma5683t"]).setup().lines("display ont autofind all")
    extra = ("ONT NNI type", "Ont Customized Info", "Ont MAC", "Ont Equipment SN", "Multi channel")
    for label in extra:
        assert any(line.strip().startswith(label) for line in new)
        assert not any(line.strip().startswith(label) for line in old)
    assert old[-1] == "   The number of GPON autofind ONT is 7"


def test_no_onu_waits(lab, telnet):
    for serial in list(lab.olt.world.onts):
        lab.olt.world.pull_out(serial)
    talk = telnet(lab.olt).setup()
    assert talk.lines("display ont autofind all") == ["  Failure: The automatically found ONTs do not exist"]
    assert "  Last down cause         : LOSi/LOBi" in talk.lines("display ont info 0 1 0 0")


def test_what_an_onu_has_learnt_itself(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    assert any(
        "9c74-1a3f-98c7" in line and line.split()[-1] == "1001"
        for line in talk.lines("display mac-address ont 0/1/0 0")
    )
    assert "00e0" not in talk.do("display mac-address port 0/1/0")
    assert "9c74-1a3f-98c7" in talk.do("display mac-address service-port 0")
    assert "There is not any MAC address record" in talk.do("display mac-address service-port 3")
