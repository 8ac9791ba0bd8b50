"""ZTE OLTs: registering, provisioning, removing; what is refused, and what fails without a word."""

from __future__ import annotations

import json
import re
import threading

import pytest

from ponprobe.emulator import Scenario, ScenarioError, builtin_scenario, serve
from ponprobe.emulator.provision import PortQinq
from ponprobe.models.addressing import OnuRef, PonPort


def code(zte, number: int) -> str:
    return f"%Code {number - (30_000 if zte.olt == 'c300' else 0)}"


def at(zte, lab):
    return lab.olts[zte.olt]


def onu(zte, number: int = 9) -> str:
    return f"{zte.name('onu')}:{number}"


@pytest.fixture
def talk(zte, zte_lab, ssh):
    return ssh(at(zte, zte_lab)).privileged()


@pytest.fixture
def port(zte, talk):
    """A session in the view of the PON port."""
    talk.several("configure terminal", f"interface {zte.name('olt')}")
    return talk


# ---------------------------------------------------------------------- the whole way


def test_register_serve_measure_revoke(zte, zte_lab, talk):
    olt = at(zte, zte_lab)
    before = olt.snapshot()
    said = talk.several(*zte.provision())
    assert said.count(".[Successful]") == 1
    assert "%Code" not in said
    assert "%Error" not in said
    talk.repeat(f"show gpon onu state {zte.name('olt')} 9", "working")
    assert re.search(r"Rx :-\d+\.\d{3}\(dbm\)", talk.do(f"show pon power attenuation {onu(zte)}"))
    where = f"interface vport-{zte.port}.9:1" if zte.olt == "c600" else f"gpon onu {onu(zte)}"
    learnt = talk.lines(f"show mac {where}")
    assert re.search(r"^00e0\.fc\w\w\.3456   2000 +Dynamic ", learnt[-1])
    assert onu(zte) in talk.do(f"show gpon onu by sn {zte.serial}")
    gone = talk.several("configure terminal", f"interface {zte.name('olt')}", "no onu 9", "end")
    assert gone.count(".[Successful]") == 1
    assert "No related information to show." in talk.do(f"show gpon onu by sn {zte.serial}")
    assert olt.snapshot() == before
    assert json.dumps(before)


def test_accepted_lines_say_nothing_but_the_registration(zte, zte_lab, talk):
    lines = zte.provision()
    spoken = {line for line in lines if talk.lines(line)}
    assert spoken == {"configure terminal", next(line for line in lines if line.startswith("onu "))}


def test_removal_takes_everything_with_it(zte, zte_lab, talk):
    talk.several(*zte.provision())
    talk.several("configure terminal", f"interface {zte.name('olt')}", "no onu 9")
    talk.do(f"onu 9 type TEST-1GE sn {zte.serial}")
    talk.do(f"interface {onu(zte)}")
    assert [line for line in talk.lines("show this") if "service-port" in line or "gemport" in line] == []


# ---------------------------------------------------------------------- registering


def test_an_id_in_use_keeps_its_serial(zte, zte_lab, port):
    world = at(zte, zte_lab).world
    before = world.view(OnuRef.parse(f"{zte.port}:1")).entry.serial
    assert port.lines(f"onu 1 type TEST-1GE sn {zte.serial}") == [
        f"{code(zte, 62391)}-GPONSRV : The entry is existed.",
        "  This is a re-create operation",
    ]
    assert world.view(OnuRef.parse(f"{zte.port}:1")).entry.serial == before


def test_a_serial_that_is_registered_elsewhere(zte, zte_lab, port):
    stale = zte.serial[:-3] + "ED2"
    assert port.lines(f"onu 9 type TEST-1GE sn {stale}")[0].startswith("%Code ")
    assert f"{zte.port}:9" not in map(str, at(zte, zte_lab).world.onus)


@pytest.mark.parametrize("serial", ["ZTEG0A000EA", "ZTEG0A000EA90", "ZTEG0A000EAX"])
def test_a_serial_has_exactly_twelve_characters(zte, port, serial):
    assert re.match(r"%Error (20202|140303)", port.lines(f"onu 9 type TEST-1GE sn {serial}")[1])


def test_a_lower_case_serial_is_the_same(zte, zte_lab, port):
    assert port.lines(f"onu 9 type TEST-1GE sn {zte.serial.lower()}") == [".[Successful]"]
    assert f"sn {zte.serial}" in port.do("show this")


@pytest.mark.parametrize("number", [0, 129])
def test_ids_go_from_1_to_128(zte, port, number):
    assert re.match(r"%Error (20202|140303)", port.lines(f"onu {number} type TEST-1GE sn {zte.serial}")[1])


def test_an_unknown_type(zte, zte_lab, port):
    assert port.lines(f"onu 9 type NO-SUCH sn {zte.serial}")[0].startswith("%Code ")
    assert at(zte, zte_lab).world.view


def test_registration_by_password_and_loid(zte, zte_lab, talk):
    world = at(zte, zte_lab).world
    ports = {ont.port for ont in world.onts.values() if ont.password}
    where = next(iter(ports))
    password = next(ont.password for ont in world.onts.values() if ont.password)
    talk.several("configure terminal", f"interface {zte.name('olt', str(where))}")
    assert talk.lines(f"onu 5 type TEST-1GE pw {password}") == [".[Successful]"]
    assert talk.lines("onu 6 type TEST-1GE loid 5570111433 password 4321") == [".[Successful]"]
    assert talk.lines("onu 7 type TEST-1GE loid 5570111433")[0].startswith("%Code ")
    listed = talk.do("show this")
    assert f"onu 5 type TEST-1GE pw {password}" in listed
    assert "onu 6 type TEST-1GE loid 5570111433 password 4321" in listed
    state = f"show gpon onu state {zte.name('olt', str(where))}"
    talk.repeat(state, "ONU Number: 2/2")
    assert f"{zte.serial[:-3]}EF5" in talk.do(f"show gpon onu detail-info {zte.name('onu', str(where))}:6")


def test_no_onu_with_profile_does_not_remove(zte, zte_lab, port):
    assert port.lines("no onu 1 profile") == []
    assert OnuRef.parse(f"{zte.port}:1") in at(zte, zte_lab).world.onus
    assert port.lines("no onu 77")[0].startswith("%Code ")


def test_another_serial_in_the_same_place(zte, zte_lab, talk):
    talk.several(*zte.provision())
    talk.several("configure terminal", f"interface {onu(zte)}")
    assert talk.lines(f"registration-method sn {zte.serial[:-3]}ED2")[0].startswith("%Code ")
    assert talk.lines("registration-method sn ZTEGFFFF0001") == []
    assert talk.lines("sn-bind enable sn") == []
    assert at(zte, zte_lab).world.view(OnuRef.parse(f"{zte.port}:9")).entry.serial.text == "ZTEGFFFF0001"
    assert talk.lines("registration-method pw 99887766") == []
    assert "pw" in talk.do(f"show gpon onu baseinfo {zte.name('olt')}")


def test_a_mark_in_name_and_description(zte, zte_lab, talk):
    talk.several(*zte.provision())
    talk.several("configure terminal", f"interface {onu(zte)}", "name ponprobe-7f3a", "description test of a line, 7f")
    talk.do("show this")
    entry = at(zte, zte_lab).world.view(OnuRef.parse(f"{zte.port}:9")).entry
    assert (entry.provision.name, entry.description) == ("ponprobe-7f3a", "test of a line, 7f")
    assert "  name ponprobe-7f3a" in talk.do("show this")
    detail = talk.do(f"show gpon onu detail-info {onu(zte)}")
    config = talk.do(f"show running-config{'-' if zte.olt == 'c600' else ' '}interface {onu(zte)}")
    for text in (detail, config):
        # TITAN hides them
        assert ("ponprobe-7f3a" in text) == ("********" not in text) == (zte.olt != "c600")
    talk.several("no name", "no description")
    assert (entry.provision.name, entry.description) == ("", "")


# ---------------------------------------------------------------------- services


def test_too_large_a_tcont_lets_the_rest_fail_without_a_word(zte, zte_lab, talk):
    said = talk.several(*zte.provision(profile="UP-10G"))
    assert f"{code(zte, 62330)}-GPONSRV : Parameter exceeds range." in said
    # on TITAN there is no vport to enter then, which does say something
    assert said.count("%Code") == 1
    assert ("%Error 140303" in said) == ("%Error" in said) == (zte.olt == "c600")
    assert ".[Successful]" in said
    provision = at(zte, zte_lab).world.view(OnuRef.parse(f"{zte.port}:9")).entry.provision
    left = (provision.tconts, provision.gemports, provision.flows, provision.services)
    assert left == ({}, {}, {}, {})


def test_assured_bandwidth_adds_up(ssh):
    scenario = builtin_scenario("demo_zte")
    scenario.olts[1].tcont_profiles["TEST-100M"].assured = 700_000
    with serve(scenario) as lab:
        talk = ssh(lab.olts["c320"]).privileged()
        talk.several("configure terminal", "interface gpon-onu_1/1/1:1")
        assert talk.lines("tcont 2 profile TEST-100M") == []
        assert talk.lines("tcont 2 profile TEST-100M") == []
        assert talk.lines("tcont 3 profile TEST-100M") == ["%Code 62330-GPONSRV : Parameter exceeds range."]


def test_an_unknown_tcont_profile(zte, talk):
    talk.several("configure terminal", f"interface {onu(zte, 1)}")
    assert talk.lines("tcont 2 profile NO-SUCH")[0].startswith("%Code ")


def test_a_service_port_is_not_changed_in_place(zte, talk):
    talk.several(*zte.provision(), "configure terminal")
    talk.do(f"interface vport-{zte.port}.9:1" if zte.olt == "c600" else f"interface {onu(zte)}")
    vport = "" if zte.olt == "c600" else " vport 1"
    again = f"service-port 1{vport} user-vlan 3001 svlan 2001"
    assert talk.lines(again) == [f"{code(zte, 66661)}: The service is already existed."]
    assert talk.lines("no service-port 1") == []
    assert talk.lines("no service-port 1")[0].startswith("%Code ")
    assert talk.lines(again) == []
    assert f"service-port 1{vport} user-vlan 3001 vlan 3001 svlan 2001" in talk.do("show this")


def test_gemports_and_tconts_take_what_hangs_on_them(zte, zte_lab, talk):
    talk.several(*zte.provision(), "configure terminal", f"interface {onu(zte)}")
    name = " name HSI"
    talk.do(zte.gemport.replace("gemport 1", "gemport 2" + name))
    talk.do("gemport 2 traffic-limit upstream UP-50M downstream UP-50M")
    assert "gemport 2 traffic-limit upstream UP-50M downstream UP-50M" in talk.do("show this")
    assert talk.lines("no gemport 2") == []
    assert talk.lines("no tcont 1") == []
    provision = at(zte, zte_lab).world.view(OnuRef.parse(f"{zte.port}:9")).entry.provision
    assert (provision.tconts, provision.gemports, provision.flows) == ({}, {}, {})


def test_a_vport_of_titan_appears_with_its_gemport(zte_lab, ssh):
    talk = ssh(zte_lab.olts["c600"]).privileged()
    talk.several("configure terminal", "interface gpon_olt-1/3/1", "onu 9 type TEST-1GE sn ZTEG0C000EA9")
    assert "%Error 140303" in talk.do("interface vport-1/3/1.9:1")
    talk.several("interface gpon_onu-1/3/1:9", "tcont 1 profile TEST-100M", "gemport 1 tcont 1")
    assert talk.do("interface vport-1/3/1.9:1").endswith("(config-if-vport-1/3/1.9:1)#")
    for line in (
        "service-port 1 user-vlan 200 vlan 28 svlan 2000 ingress 10MB egress TEST-100M",
        "qos traffic-policy TEST-100M direction egress",
        "security max-mac-learn 4",
    ):
        assert talk.lines(line) == []
        assert f"  {line}" in talk.lines("show this")
    talk.do("interface gpon_onu-1/3/1:9")
    for line in ("vport-mode manual", "vport 1 map-type vlan", "vport-map 1 1 vlan 200"):
        assert talk.lines(line) == []
    assert "service-port" not in talk.do("show this")
    assert "Vport mode:           manual" in talk.do("show gpon onu detail-info gpon_onu-1/3/1:9")


def test_words_of_another_family_are_refused(zte, talk):
    talk.several(*zte.provision(), "configure terminal", f"interface {onu(zte)}")
    foreign = "gemport 2 tcont 1" if zte.olt == "c300" else "gemport 2 unicast tcont 1 dir both"
    assert talk.lines(foreign)[-1].startswith("%Error ")
    if zte.olt == "c600":
        assert talk.lines("service-port 2 vport 1 user-vlan 1 svlan 2")[-1].startswith("%Error 140303")
    talk.do(f"pon-onu-mng {onu(zte)}")
    foreign = "flow 1 pri 0 vlan 80" if zte.olt == "c300" else "flow 1 priority 0 vid 80"
    assert talk.lines(foreign)[-1].startswith("%Error ")


def test_settings_without_consequences_are_kept(zte, talk):
    talk.several(*zte.provision(), "configure terminal", f"interface {onu(zte)}")
    lines = ["fec enable"]
    if zte.olt != "c600":
        lines += ["switchport mode hybrid vport 1", "ip dhcp snooping enable vport 1"]
    for line in lines:
        assert talk.lines(line) == []
    assert all(f"  {line}" in talk.lines("show this") for line in lines)
    talk.do(f"pon-onu-mng {onu(zte)}")
    assert talk.lines("loop-detect ethuni eth_0/1 enable") == []
    assert "  loop-detect ethuni eth_0/1 enable" in talk.lines("show this")


# ---------------------------------------------------------------------- pon-onu-mng


def test_service_style(zte, talk):
    talk.several(*zte.provision(), "configure terminal", f"pon-onu-mng {onu(zte)}")
    assert talk.lines("service 1 gemport 1 vlan 3001") == [f"{code(zte, 63869)}-GPONRM : Record already exists."]
    assert talk.lines("flow 1 switch switch_0/1")[0].startswith(f"{code(zte, 64010)}-GPONRM")
    assert talk.lines("no service 1") == []
    assert talk.lines("no service 1")[0].startswith("%Code ")
    if zte.olt == "c300":
        assert talk.lines("service HSI type internet gemport 1 cos 0 vlan 3001") == []
        assert "  service HSI type internet gemport 1 cos 0 vlan 3001" in talk.lines("show this")


def test_flow_style(zte, zte_lab, talk):
    pri, vlan, kind = ("priority", "vid", "vid-filter") if zte.olt == "c300" else ("pri", "vlan", "vlan-filter")
    talk.several(*zte.provision(), "configure terminal", f"pon-onu-mng {onu(zte)}", "no service 1")
    missing = [f"{code(zte, 63953)}-GPONRM : Flow does not exist"]
    tag = f"flow 1 {pri} 0 {vlan} 3001"
    assert talk.lines("gemport 1 flow 1") == talk.lines(tag) == talk.lines("no flow 1") == missing
    for line in (
        "flow 1 switch switch_0/1",
        "gemport 1 flow 1",
        f"flow mode 1 tag-filter {kind} untag-filter discard",
        tag,
        "switchport-bind switch_0/1 iphost 1",
        f"vlan-filter iphost 1 {pri} 0 {vlan} 3001",
    ):
        assert talk.lines(line) == []
        assert f"  {line}" in talk.lines("show this")
    assert talk.lines("service 2 gemport 1 vlan 3001")[0].startswith(f"{code(zte, 64010)}-GPONRM")
    talk.repeat(f"show gpon onu state {zte.name('olt')} 9", "working")
    where = f"interface {onu(zte)}" if zte.olt == "c600" else f"gpon onu {onu(zte)}"
    assert "Total mac address : 1" in talk.do(f"show mac {where}")
    assert talk.lines("no flow 1") == []
    assert "Total mac address : 0" in talk.do(f"show mac {where}")


def test_ports_of_the_onu(zte, talk):
    talk.several(*zte.provision(), "configure terminal", f"pon-onu-mng {onu(zte)}")
    assert talk.lines("vlan port eth_0/2 mode tag vlan 3001")[0].startswith(f"{code(zte, 63990)}-GPONRM")
    assert talk.lines("vlan port veip_1 mode hybrid")[0].startswith(f"{code(zte, 63990)}-GPONRM")
    short, long = "no vlan port eth_0/1", "no vlan port eth_0/1 mode na"
    assert talk.lines(short)[-1].startswith("%Error 140302" if zte.olt == "c600" else "%Error 20203")
    assert talk.lines(long)[-1].startswith("%Error 140303" if zte.olt == "c600" else "%Error 20202")
    assert talk.lines("no vlan port eth_0/1 mode") == []
    for line in ("vlan port eth_0/1 mode hybrid def-vlan 3001", "vlan port eth_0/1 mode tag vlan 3001 priority 0"):
        assert talk.lines(line) == []
        assert f"  {line}" in talk.lines("show this")


# ---------------------------------------------------------------------- the outer tag of a whole port


def test_outer_tag_by_port(zte, zte_lab, talk):
    olt = at(zte, zte_lab)
    name = zte.name("olt")
    talk.several(*zte.provision(svlan=None))
    talk.repeat(f"show gpon onu state {name} 9", "working")
    mac = f"show mac interface {onu(zte)}" if zte.olt == "c600" else f"show mac gpon onu {onu(zte)}"
    assert re.search(r"3456 +3001 +Dynamic", talk.do(mac))
    talk.do("configure terminal")
    rule = f"vlan-smart-qinq ingress-port {name} cvlan 3001 to 3010 svlan 2001 newcos 7"
    assert talk.lines(rule) == []
    assert talk.lines(rule) == [f"{code(zte, 63869)}-GPONRM : Record already exists."]
    assert re.search(r"3456 +3001 +Dynamic", talk.do(mac))
    talk.several("vlan-smart-qinq enable", f"interface {name}", "vlan-smart-qinq enable")
    assert re.search(r"3456 +2001 +Dynamic", talk.do(mac))
    assert re.search(r"3001-3010 +2001 +7 +OK", talk.do("show vlan-smart-qinq"))
    assert PortQinq(PonPort.parse(zte.port), 3001, 3010, 2001, 7) in olt.world.qinq
    assert olt.snapshot()["port_qinq_on"].count(zte.port) == 1
    assert talk.lines("no vlan-smart-qinq enable") == []
    talk.do("exit")
    assert talk.lines(f"no vlan-smart-qinq ingress-port {name} cvlan 3001") == []
    assert "No related information" in talk.do(f"show vlan-smart-qinq ingress-port {name}")


# ---------------------------------------------------------------------- EPON


def test_epon_registration_service_and_removal(zte_lab, ssh):
    olt = zte_lab.olts["c300"]
    before = olt.snapshot()
    talk = ssh(olt).privileged()
    olt.world.onts[next(serial for serial in olt.world.onts if str(serial).endswith("EBCC"))].online_after_s = 3600.0
    assert "bcf8.8b45.ebcc" in talk.do("show onu unauthentication")
    talk.do("configure terminal")
    assert talk.do("interface epon-olt_1/5/1").endswith("(config-if)#")
    assert "%Error 20202" in talk.do("onu 3 type TEST-EPON mac bc-f8-8b-45-eb-cc")
    assert talk.lines("onu 3 type TEST-EPON mac bcf8.8b45.ebcc ip-cfg static") == [".[Successful]"]
    assert "  onu 3 type TEST-EPON mac bcf8.8b45.ebcc ip-cfg static" in talk.lines("show this")
    assert "No infomation to show" in talk.do("show onu unauthentication")
    talk.do("interface epon-onu_1/5/1:3")
    for line in (
        "property description of a test",
        "admin enable",
        "sla-profile 1G vport 1",
        "switchport mode hybrid vport 1",
        "service-port 1 vport 1 user-vlan 3001 svlan 2000",
    ):
        assert talk.lines(line) == []
    assert talk.do("pon-onu-mng epon-onu_1/5/1:3").endswith("(epon-onu-mng)#")
    tag = "vlan port eth_0/1 mode tag vlan 3001 priority 0"
    assert talk.lines(tag) == ["%Code 33987: ONU is unavailable."]
    for ont in olt.world.onts.values():
        ont.online_after_s = 0.0
    assert talk.lines(tag) == []
    assert re.search(
        r"epon-onu_1/5/1:3 +bcf8.8b45.ebcc +enable +Online\b", talk.do("show epon onu state epon-olt_1/5/1")
    )
    assert re.search(r"epon-onu_1/5/1:2 .* Power Off", talk.do("show epon onu state epon-olt_1/5/1"))
    assert "(dbm)" in talk.do("show pon power attenuation epon-onu_1/5/1:3")
    assert re.search(
        r"00e0\.fc32\.3459 +2000 +Dynamic +epon-onu_1/5/1:3", talk.do("show mac epon onu epon-onu_1/5/1:3")
    )
    assert "online/authentication pass" in talk.do("show pon onu information epon-onu_1/5/1:3")
    assert "1(EPON)" in talk.do("show pon power olt-tx epon-olt_1/5/1")
    talk.do("interface epon-olt_1/5/1")
    assert talk.lines("no onu 3") == [".[Successful]"]
    assert olt.snapshot() == before


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize("access", ["ssh", "telnet"])
def test_cut_before_and_after(zte, zte_lab, request, access):
    olt = at(zte, zte_lab)
    add = f"onu 9 type TEST-1GE sn {zte.serial}"
    for setting, executed in (("cut_before", False), ("cut_after", True)):
        talk = request.getfixturevalue(access)(olt).privileged()
        talk.several("configure terminal", f"interface {zte.name('olt')}")
        setattr(olt.faults, setting, len(olt.commands) + 1)
        talk.send(add + "\r")
        assert "Successful" not in talk.to_the_end()
        assert ("9" in olt.snapshot()["onus"][zte.port]) is executed
        assert olt.commands[-1] == add


def test_silence(zte, zte_lab, port):
    olt = at(zte, zte_lab)
    executed = threading.Event()
    olt.faults.silent_after = len(olt.commands) + 1
    olt.faults.on_command = lambda number, line, moment: executed.set() if moment == "executed" else None
    port.send(f"onu 9 type TEST-1GE sn {zte.serial}\r")
    assert executed.wait(20)
    assert "9" in olt.snapshot()["onus"][zte.port]
    assert port.buffer == ""


def test_garbage_busy_and_a_log_line(zte, zte_lab, port):
    olt = at(zte, zte_lab)
    olt.faults.garbage_after = len(olt.commands) + 1
    assert "CfgType" not in port.do("show card")
    olt.faults.busy = 1
    add = f"onu 9 type TEST-1GE sn {zte.serial}"
    assert port.lines(add)[0].startswith("%Code ")
    assert "9" not in olt.snapshot()["onus"][zte.port]
    olt.faults.alarm_before = {len(olt.commands) + 1}
    assert any(line.startswith("%LOG ") for line in port.lines("show card"))
    assert port.lines(add) == [".[Successful]"]


def test_a_stranger_takes_the_place_while_one_is_in_it(zte, zte_lab, talk):
    world = at(zte, zte_lab).world
    talk.several(*zte.provision(), "configure terminal", f"interface {onu(zte)}")
    world.delete(OnuRef.parse(f"{zte.port}:9"))
    assert talk.lines("name mine")[0].startswith("%Code ")
    world.register(zte.port, 9, serial="STRG00000001", line_profile=20, service_profile=20, description="A customer")
    assert "mine" not in talk.do("show this")
    assert "type ZTE-F660 sn STRG00000001" in talk.several(f"interface {zte.name('olt')}", "show this")


# ---------------------------------------------------------------------- scenarios


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1/2/1:", "0/2/1:", "port 0/2/1 is on no board"),
        ("1/2/1:", "1/2/0:", "port 1/2/0 is on no board"),
        ("onu_type: T", "onu_type: X", "no_onu_type"),
        ("tcont_profile: P", "tcont_profile: X", "no_tcont_profile"),
    ],
)
def test_a_scenario_that_contradicts_itself(old, new, says):
    text = """
olts:
  - name: one
    personality: c320_v21
    hostname: ONE
    boards: {2: {name: GTGH, ports: 2}}
    onu_types: {T: {}}
    tcont_profiles: {P: {}}
    ports:
      1/2/1:
        splitters: [{name: A, ratio: 8, km: 1.0}]
        onus: [{id: 1, serial: ZTEG00000001, onu_type: T, service: {tcont_profile: P, cvlan: 5}}]
"""

    def bring_up(source: str) -> None:
        with serve(Scenario.parse(source)) as lab:
            assert lab.olt.snapshot()["onus"]["1/2/1"]["1"]["provision"]["flows"]["1"]["vlan"] == 5

    bring_up(text)
    assert old in text
    with pytest.raises(ScenarioError, match=says):
        bring_up(text.replace(old, new))
