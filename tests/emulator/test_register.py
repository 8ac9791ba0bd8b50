"""Registering, reading and revoking on both personalities, and every refusal on the way."""

from __future__ import annotations

import re

import pytest

from ponprobe.models.addressing import OnuRef, PonPort

ADD = "ont add 0 {id}sn-auth {sn} omci ont-lineprofile-id 20 ont-srvprofile-id 20 desc PONPROBE_00000001"
SERVICE = (
    "service-port {index} vlan 2000 gpon 0/1/0 ont {onu} gemport 1 multi-service user-vlan 3001"
    " tag-transform translate-and-add inner-vlan 3001 inner-priority 0"
)
NO_LINE = ADD.replace("lineprofile-id 20", "lineprofile-id 99")
NO_SERVICE = ADD.replace("srvprofile-id 20", "srvprofile-name NO")
TAKEN = SERVICE.replace("3001", "1001").replace("2000", "800").format(index=9, onu=0)
HEALTHY = {"ma5683t": "HWTC0B086EA9", "ma5800": "HWTC1C000EA9"}


@pytest.mark.parametrize("name", ["ma5683t", "ma5800"])
def test_a_whole_run_leaves_nothing(lab, ssh, name):
    olt, sn = lab.olts[name], HEALTHY[name]
    before = olt.snapshot()
    talk = ssh(olt).setup()
    assert sn in talk.do("display ont autofind all").replace("48575443", "HWTC")
    assert "  Failure: The required ONT does not exist" in talk.lines(f"display ont info by-sn {sn}")
    talk.do("interface gpon 0/1")
    assert talk.lines(ADD.format(id="2 ", sn=sn)) == [
        "  Number of ONTs that can be added: 1, success: 1",
        "  PortID :0, ONTID :2",
    ]
    native = talk.lines("ont port native-vlan 0 2 eth 1 vlan 3001 priority 0")
    counted = ["  Set ONT port(s) VLAN configuration, success: 1, failed: 0"]
    assert native == ([] if name == "ma5683t" else counted)
    talk.do("quit")
    index = re.search(r"port ID: (\d+)", talk.do("display service-port next-free-index"))[1]
    assert talk.lines(SERVICE.format(index=index, onu=2)) == []
    assert int(index) in olt.world.services
    row = next(line for line in talk.lines("display service-port port 0/1/0 ont 2") if "gpon" in line)
    attribute = "common" if name == "ma5683t" else "QinQ"
    assert row.split()[:11] == [index, "2000", attribute, "gpon", "0/1", "/0", "2", "1", "vlan", "3001", "-"]
    page = talk.repeat("display ont info 0 1 0 2", "Config state            : normal")
    assert "Run state               : online" in page
    assert "Description             : PONPROBE_00000001" in page
    macs = talk.do("display mac-address port 0/1/0 ont 2")
    assert "It will take some time, please wait..." in macs
    assert olt.world.onts[olt.world.onus[OnuRef.parse("0/1/0:2")].serial].macs[0] in macs
    talk.do("interface gpon 0/1")
    optics = talk.do("display ont optical-info 0 2")
    assert -20 < float(re.search(r"  Rx optical power\(dBm\)\s+: (\S+)", optics)[1]) < -15
    assert re.search(r"  TX power\(dBm\) +\d\.\d\d\r", talk.do("display port state 0"))
    assert talk.lines("ont delete 0 2")[:2] == [
        "  Failure: This configured object has some service virtual",
        "  ports",
    ]
    talk.do("quit")
    assert talk.lines(f"undo service-port {index}") == []
    assert "  Failure: No service virtual port can be operated" in talk.lines("display service-port port 0/1/0 ont 2")
    talk.do("interface gpon 0/1")
    assert talk.lines("ont delete 0 2") == ["  Number of ONTs that can be deleted: 1, success: 1"]
    assert "  Failure: The ONT does not exist" in talk.lines("display ont info 0 2")
    assert sn in talk.do("display ont autofind all").replace("48575443", "HWTC")
    assert olt.snapshot() == before


# ---------------------------------------------------------------------- refusals of registration


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (ADD.format(id="", sn="48575443F2D53A10"), "SN already exists"),
        (ADD.format(id="", sn="HWTC0B086ED2"), "SN already exists"),  # registered on another port
        (ADD.format(id="0 ", sn="HWTC0B086EA9"), "The ONT ID has already existed"),
        (NO_LINE.format(id="", sn="HWTC0B086EA9"), "The line profile does not exist"),
        (NO_SERVICE.format(id="", sn="HWTC0B086EA9"), "The service profile does not exist"),
        ("ont delete 0 99", "The ONT does not exist"),
        ("ont port native-vlan 0 99 eth 1 vlan 5", "The ONT does not exist"),
        ("display ont optical-info 0 99", "The ONT does not exist"),
        ("display ont optical-info 0 3", "The ONT is not online"),
        (
            "ont confirm 1 sn-auth HWTC0B086EA9 omci ont-lineprofile-id 20 ont-srvprofile-id 20",
            "The automatically found ONTs do not exist",
        ),
    ],
)
def test_interface_refusals_change_nothing(lab, telnet, line, failure):
    talk, before = telnet(lab.olt).setup(view="0/1"), lab.olt.snapshot()
    assert talk.lines(line) == [f"  Failure: {failure}"]
    assert lab.olt.snapshot() == before


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("interface gpon 0/4", "This board does not exist"),
        ("interface gpon 0/6", "This board does not exist"),
        ("undo service-port 999", "Service virtual port does not exist"),
        ("display vlan 999", "VLAN does not exist"),
        ("display service-port port 0/1/0 ont 99", "No service virtual port can be operated"),
        ("display ont-lineprofile gpon profile-id 99", "The line profile does not exist"),
        ("display ont-srvprofile gpon profile-name NO", "The service profile does not exist"),
        ("display ont info by-sn HWTC0B086EA9", "The required ONT does not exist"),
        (SERVICE.format(index=9, onu=99), "The ONT does not exist"),
        (SERVICE.replace("vlan 2000", "vlan 2999").format(index=9, onu=0), "VLAN does not exist"),
        (SERVICE.replace("gemport 1", "gemport 9").format(index=9, onu=0), "The GEM port does not exist"),
        (SERVICE.format(index=0, onu=0), "Service virtual port has existed already"),
        (TAKEN, "Service virtual port has existed already"),
        ("vlan 800 smart", "Make configuration repeatedly"),
    ],
)
def test_config_refusals_change_nothing(lab, telnet, line, failure):
    talk, before = telnet(lab.olt).setup(), lab.olt.snapshot()
    answer = talk.lines(line)
    assert answer[0] == f"  Failure: {failure}"
    if "existed already" in failure:
        assert answer[1] == "  Conflicted service virtual port index: 0"
    assert lab.olt.snapshot() == before


def test_the_new_one_words_a_missing_line_profile_differently(demo_lab, ssh):
    talk = ssh(demo_lab.olts["ma5800"]).setup(view="0/1")
    line = NO_LINE.format(id="", sn="HWTC1C000EA9")
    assert talk.lines(line) == ["  Failure: The ont-lineprofile does not exist"]


def test_the_old_one_knows_the_old_rate_words_only_in_their_order(lab, ssh, telnet):
    old = telnet(lab.olts["ma5683t"]).setup()
    line = SERVICE.format(index=9, onu=0)
    assert "Too many parameters" in old.do(f"{line} inbound traffic-table index 10 outbound traffic-table index 11")
    assert old.lines(f"{line} rx-cttr 11 tx-cttr 10") == []
    row = next(line for line in old.lines("display service-port port 0/1/0 ont 0") if "3001" in line)
    assert row.split()[-3:] == ["11", "10", "up"]
    new = ssh(lab.olts["ma5800"]).setup()
    assert (
        new.lines(
            f"{line} inbound traffic-table index 10 outbound traffic-table index 11".replace("gemport 1", "gemport 126")
        )
        == []
    )
    row = next(line for line in new.lines("display service-port port 0/1/0 ont 0") if "3001" in line)
    assert row.split()[-3:] == ["11", "10", "up"]


def test_summary_is_refused_by_the_old_one_and_printed_by_the_new_one(demo_lab, ssh):
    assert "% Parameter error" in ssh(demo_lab.olts["ma5683t"]).setup().do("display ont info summary 0/1/0")
    answer = ssh(demo_lab.olts["ma5800"]).setup().lines("display ont info summary 0/1/0")
    assert answer[0] == "  Command is being executed. Please wait"
    assert answer[2] == "  In port 0/1/0, the total of ONTs are: 2, online: 2"
    assert any("Error Systems Ltd" in line for line in answer)


# ---------------------------------------------------------------------- the other ways in


def online(talk, onu: str) -> str:
    return talk.repeat(f"display ont info {onu}", "Run state               : online")


def test_by_password(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    talk.do("ont add 3 7 password-auth 12345678 always-on omci ont-lineprofile-id 20 ont-srvprofile-id 20")
    page = online(talk, "3 7")
    assert "Authentic type          : password-auth" in page
    assert "HWTC-0B086EF4" in page
    assert "0B086EF4" not in talk.do("display ont autofind all")
    assert "ONT-ID                  : 7" in talk.do("display ont info by-password 12345678")


def test_by_loid_with_checkcode(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    profiles = "omci ont-lineprofile-name TEST-LINE ont-srvprofile-name TEST-BRIDGE"
    talk.do(f"ont add 3 loid-auth 5570111433 checkcode-auth 9999 always-on {profiles}")
    assert "offline" in talk.do("display ont info 3 0")
    talk.do("ont delete 3 0")
    talk.do(f"ont add 3 loid-auth 5570111433 checkcode-auth 4321 once-on no-aging {profiles}")
    page = online(talk, "3 0")
    assert "Authentic type          : loid+checkcode-auth" in page
    assert "Loid                    : 5570111433" in page
    assert "ONT-ID                  : 0" in talk.do("display ont info by-loid 5570111433")


def test_serial_and_password_must_both_agree(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    line = "ont add 3 sn-auth HWTC0B086EF4 password-auth {} omci ont-lineprofile-id 20 ont-srvprofile-id 20"
    talk.do(line.format("wrong"))
    lab.olt.world.onts[next(sn for sn in lab.olt.world.onts if str(sn) == "HWTC0B086EF4")].online_after_s = 0
    assert "Run state               : offline" in talk.do("display ont info 3 0")
    talk.do("ont delete 3 0")
    talk.do(line.format("12345678"))
    assert "SN-auth+password-auth" in online(talk, "3 0")


def test_confirm_takes_from_the_autofind_list(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    line = 'ont confirm 0 ontid 5 sn-auth "485754430B086EA9" omci ont-lineprofile-id 20 ont-srvprofile-id 20 desc "X"'
    assert talk.lines(line)[1] == "  PortID :0, ONTID :5"
    assert talk.lines(line) == ["  Failure: SN already exists"]
    online(talk, "0 5")


def test_undo_by_onu_asks_and_counts(lab, telnet):
    talk = telnet(lab.olt).setup()
    talk.send("undo service-port port 0/1/0 ont 0\r")
    talk.until(r"\(y/n\)\[n\]:")
    assert "deleted" not in talk.do("n")
    assert 0 in lab.olt.world.services
    talk.send("undo service-port port 0/1/0 ont 0\r")
    talk.until(r"\(y/n\)\[n\]:")
    assert "The number of total service virtual port which have been deleted: 1" in talk.do("y")
    assert 0 not in lab.olt.world.services
    talk.do("undo interactive")
    assert "deleted: 1" in talk.do("undo service-port port 0/1/0 ont 1")


def test_delete_all_asks_and_spares_what_carries_services(lab, telnet):
    lab.olt.world.remove_service(3)
    talk = telnet(lab.olt).setup(view="0/1")
    talk.send("ont delete 0 all\r")
    talk.until(r"\(y/n\)\[n\]:")
    talk.do("n")
    talk.send("ont delete 0 all\r")
    talk.until(r"\(y/n\)\[n\]:")
    assert "Number of ONTs that can be deleted: 3, success: 1" in talk.do("y")


def test_shared_service_port(lab, telnet):
    talk = telnet(lab.olt).setup()
    row = next(line for line in talk.lines("display service-port port 0/1/3") if "gpon" in line)
    assert row.split() == ["50", "2000", "common", "gpon", "0/1", "/3", "-", "-", "vlan", "2094-4094", "-", "-", "down"]
    lab.olt.world.register("0/1/3", 4, serial="HWTC0B086EE3", line_profile=20, service_profile=20)
    assert "No service virtual port" in talk.do("display service-port port 0/1/3 ont 4")
    assert "00e0-fc12-3458" in talk.repeat("display mac-address port 0/1/3 ont 4", "00e0")
    assert talk.do("display service-port port 0/1/3").count(" up ") == 1


def test_save_is_slow_and_counted(lab, telnet):
    talk = telnet(lab.olt).setup()
    assert "It will take several minutes to save configuration file, please wait" in talk.do("save")
    assert lab.olt.snapshot()["saves"] == 1


def test_vlans(lab, telnet):
    talk = telnet(lab.olt).setup()
    assert talk.lines("vlan 888 smart") == []
    assert talk.lines("port vlan 888 0/8 0") == []
    assert "  Standard port number: 1" in talk.lines("display vlan 888")
    assert "failure" in talk.do("undo vlan 800").lower()
    assert talk.lines("undo vlan 888") == []


def test_a_stranger_is_in_the_slot(lab, telnet):
    lab.olt.world.register("0/1/0", 2, serial="ZTEGC0000001", line_profile=10, service_profile=3, description="other")
    talk = telnet(lab.olt).setup(view="0/1")
    assert talk.lines(ADD.format(id="2 ", sn="HWTC0B086EA9")) == ["  Failure: The ONT ID has already existed"]
    assert talk.lines(ADD.format(id="", sn="HWTC0B086EA9"))[1] == "  PortID :0, ONTID :4"


def test_a_registered_onu_elsewhere_stays_offline_where_it_is_recorded(lab, telnet):
    world = lab.olt.world
    world.register("0/1/0", 9, serial="HWTC0B086EC1", line_profile=20, service_profile=20)
    talk = telnet(lab.olt).setup()
    assert "Run state               : offline" in talk.do("display ont info 0 1 0 9")
    assert "0B086EC1" not in talk.do("display ont autofind all")
    world.delete(PonPort.parse("0/1/0").onu(9))
    found = talk.do("display ont autofind all").replace("\r", "")
    assert re.search(r"0/1/1\n +Ont SN +: 485754430B086EC1", found)
