"""Displays, filters and keys that the other files do not reach."""

from __future__ import annotations

import pytest

from ponprobe.emulator import Service, builtin_scenario, serve
from ponprobe.models.addressing import PonPort


def test_one_service_port(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    answer = talk.lines("display service-port 0")
    assert "  Inner VLAN          : 1001" in answer
    assert "  RX                  : 11" in answer  # what "outbound" set
    assert talk.lines("display service-port 999") == ["  Failure: Service virtual port does not exist"]


def test_profiles_in_full(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    line = talk.lines("display ont-lineprofile gpon profile-name TEST-LINE")
    assert [text for text in line if "Gem Index" in text] == ["   <Gem Index 1>", "   <Gem Index 2>"]
    assert "  Profile-ID  : 20" in talk.lines("display ont-srvprofile gpon profile-id 20")
    assert "  Total: 3" in talk.lines("display ont-srvprofile gpon all")


def test_filters(demo_lab, ssh):
    talk = ssh(demo_lab.olts["ma5800"]).setup()
    total = len(talk.lines("display service-port all"))
    assert talk.lines("display service-port all | include gpon")[0].split()[0] == "2430"
    assert len(talk.lines("display service-port all | exclude gpon")) == total - 3
    assert talk.lines("display service-port all | begin Total")[0].startswith("   Total : 3")
    assert len(talk.lines("display service-port all | no-more")) == total


def test_strangers_at_work(lab, telnet):
    world, port = lab.olt.world, PonPort.parse("0/1/0")
    world.add_service(Service(index=77, vlan=800, port=port, onu_id=3, gem=1, user_vlan="1009"))
    talk = telnet(lab.olt).setup()
    assert any(line.startswith("      77  800") for line in talk.lines("display service-port port 0/1/0 ont 3"))
    assert talk.lines("undo service-port port 0/1/9 ont 3") == ["  Failure: No service virtual port can be operated"]


@pytest.mark.parametrize("line", ["display mac-address service-port 999", "display mac-address ont 0/1/0 99"])
def test_nothing_there(demo_lab, telnet, line):
    assert "does not exist" in telnet(demo_lab.olt).setup().do(line)


def test_an_onu_that_is_away_has_learnt_nothing(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    assert talk.lines("display mac-address ont 0/1/0 3") == ["  Failure: The ONT is not online"]
    assert "  Failure: There is not any MAC address record" in talk.lines("display mac-address port 0/1/0 ont 3")


def test_keys(demo_lab, telnet):
    talk = telnet(demo_lab.olt)
    talk.send("rubbish\x03enable\n")  # what was typed is forgotten; LF alone is a return key too
    talk.until(r"rubbishenable")
    talk.until(r"MA5683T#")
    assert talk.olt.commands[-1] == "enable"
    assert talk.do("").endswith("MA5683T#")


def test_a_description_in_chinese(telnet):
    scenario = builtin_scenario("demo_huawei")
    scenario.olts[0].ports["0/1/0"].onus[0].description = "翠竹苑3栋"
    with serve(scenario) as lab:
        answer = telnet(lab.olt).setup().do("display ont info 0 1 0 all")
    assert "翠竹苑3栋" in answer.encode("latin-1").decode("utf-8")


def test_undo_interactive_leaves_without_a_question(demo_lab, telnet):
    talk = telnet(demo_lab.olt)
    talk.do("undo interactive")
    talk.send("quit\r")
    assert "log out" not in talk.to_the_end()
