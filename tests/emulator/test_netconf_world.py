"""One world behind NETCONF and the command line: what one changes, the other shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree

from netconf_raw import GET_DATA, HW, IF, NC, Raw, names, no_onu, onu, small
from ponprobe.emulator import EmulatedOlt, builtin_scenario, serve
from ponprobe.emulator.netconf.check import check
from ponprobe.emulator.netconf.lines import read_lines
from ponprobe.emulator.scenario import ServiceSpec
from ponprobe.models.addressing import PonPort

L2 = "urn:bbf:yang:bbf-l2-forwarding"
STATE = "urn:bbf:yang:bbf-xpon-onu-state"
VANI = "urn:bbf:yang:bbf-xponvani"
HEALTHY = "HWTC1A2B3C4D"
NAMED = f"<expected-serial-number>{HEALTHY}</expected-serial-number>"


@pytest.fixture
def connect() -> Iterator[Callable[[EmulatedOlt], Raw]]:
    opened: list[Raw] = []

    def new(to: EmulatedOlt) -> Raw:
        opened.append(Raw(to))
        return opened[-1]

    yield new
    for each in opened:
        each.close()


@pytest.fixture
def olt() -> Iterator[EmulatedOlt]:
    with serve("demo_netconf") as lab:
        yield lab.olt


@pytest.fixture
def client(olt: EmulatedOlt, connect: Callable[[EmulatedOlt], Raw]) -> Raw:
    return connect(olt)


def interfaces(client: Raw) -> list[str]:
    return names(client.get_config(f'<interfaces xmlns="{IF}"><interface><name/></interface></interfaces>'))


def presence(client: Raw, serial: str, port: str = "0-1-0") -> dict[str, str]:
    """What a channel termination says of an ONU."""
    found = client.get(
        f'<interfaces-state xmlns="{IF}"><interface><name>CT.{port}</name>'
        '<channel-termination xmlns="urn:bbf:yang:bbf-xpon">'
        f'<onus-present-on-local-channel-termination xmlns="{STATE}"><onu><detected-serial-number>{serial}'
        "</detected-serial-number></onu></onus-present-on-local-channel-termination></channel-termination></interface>"
        "</interfaces-state>"
    )
    return {etree.QName(each).localname: each.text or "" for each in found.iter(f"{{{STATE}}}*") if not len(each)}


def leaves(data: etree._Element, name: str) -> list[str]:
    return [each.text or "" for each in data.iter(f"{{*}}{name}")]


class TestOut:
    """What the scenario and the command line have made is seen over NETCONF."""

    def test_customers_are_there(self, client, olt):
        found = client.get_config(
            f'<interfaces xmlns="{IF}"><interface><v-ani xmlns="{VANI}"/></interface></interfaces>'
        )
        serials = {each.entry.serial for each in olt.world.views()}
        assert set(leaves(found, "expected-serial-number")) == {str(each) for each in serials}
        assert "Error Systems Ltd" in leaves(client.get_config(), "description")
        lines = read_lines(olt.netconf.stores.tree("running"))
        (path,) = lines["VANI.0-1-0.0"].paths
        assert (path.svlan, path.cvlan) == (800, 1001)
        assert check(olt.netconf.stores.tree("running")) == []

    def test_a_registration_by_command_appears_and_vanishes(self, client, olt, ssh):
        before = client.get_config()
        talk = ssh(olt).setup(view="0/1")
        talk.do(f"ont add 0 9 sn-auth {HEALTHY} omci ont-lineprofile-id 20 ont-srvprofile-id 20 desc by_hand")
        talk.do("quit")
        talk.do(
            "service-port 77 vlan 2000 gpon 0/1/0 ont 9 gemport 1 multi-service user-vlan 3001 "
            "tag-transform translate-and-add inner-vlan 3001"
        )
        assert {"VANI.0-1-0.9", "VENET.0-1-0.9", "USER.0-1-0.9.77", "NET.0-1-0.9.77"} <= set(interfaces(client))
        assert "by_hand" in leaves(client.get_config(), "description")
        talk.do("undo service-port 77")
        assert "USER.0-1-0.9.77" not in interfaces(client)
        assert "VANI.0-1-0.9" in interfaces(client)
        talk.do("interface gpon 0/1")
        talk.do("ont delete 0 9")
        assert etree.tostring(client.get_config()) == etree.tostring(before)

    def test_presence_follows_the_plant(self, client, olt):
        assert presence(client, HEALTHY)["onu-presence-state"].endswith("no-v-ani-known-and-o5-failed-undefined")
        assert presence(client, "HWTCDD000001")["onu-presence-state"].endswith("on-intended-channel-termination")
        assert presence(client, "HWTCDD000001")["v-ani-ref"] == "VANI.0-1-0.0"
        olt.world.set_fault("0/1/0", kind="break")
        assert presence(client, HEALTHY) == presence(client, "HWTCDD000001") == {}
        state = client.get(
            f'<interfaces-state xmlns="{IF}"><interface><name>VANI.0-1-0.0</name></interface></interfaces-state>'
        )
        assert leaves(state, "oper-status") == ["down"]
        assert leaves(state, "onu-presence-state")[0].endswith("onu-not-present-with-v-ani")
        assert leaves(state, "onu-fiber-distance") == []
        olt.world.clear_faults("0/1/0")
        assert presence(client, HEALTHY)["onu-presence-state"].endswith("no-v-ani-known-and-o5-failed-undefined")

    def test_an_onu_on_the_wrong_port_is_known_but_not_up(self, client, olt):
        olt.world.plug_in("HWTCDD000101", "0/1/0", "OCC-1-2")
        found = presence(client, "HWTCDD000101")
        assert found["onu-presence-state"].endswith("v-ani-known-and-o5-failed-undefined")
        assert found["v-ani-ref"] == "VANI.0-1-1.1"


class TestIn:
    """What is made over NETCONF is in the world, and vanishes from it."""

    def test_an_onu_comes_up_and_is_measured(self, client, olt, connect):
        olt.world.onts[next(each for each in olt.world.onts if str(each) == HEALTHY)].online_after_s = 3600.0
        before = olt.snapshot()
        client.ok(client.edit(onu(), "running"))
        found = presence(client, HEALTHY)
        assert found["onu-presence-state"].endswith("v-ani-known-and-o5-failed-undefined")
        (view,) = [each for each in olt.world.views() if str(each.entry.serial) == HEALTHY]
        assert not view.online
        view.ont.online_after_s = 0.0
        assert presence(client, HEALTHY)["onu-presence-state"].endswith("on-intended-channel-termination")
        state = client.get(
            f'<interfaces-state xmlns="{IF}"><interface><name>VANI.T</name></interface></interfaces-state>'
        )
        assert leaves(state, "onu-fiber-distance") == [str(olt.world.view(view.entry.ref).distance_m)]
        assert leaves(state, "oper-status") == ["up"]
        forwarding = client.get(f'<forwarding-state xmlns="{L2}"/>')
        assert "00:e0:fc:32:34:56" in leaves(forwarding, "mac-address")
        client.ok(client.edit(no_onu(), "running"))
        assert olt.snapshot() == before

    def test_the_command_line_sees_it(self, client, olt, ssh):
        client.ok(client.edit(onu(), "running"))
        talk = ssh(olt).setup(view="0/1")
        assert re.search(r"48575443 ?1A2B3C4D", talk.do("display ont info 0 9"))
        talk.do("quit")
        assert re.search(r"\b2001\b.*\b0/1 */0\b.*\b9\b", talk.do("display service-port port 0/1/0 ont 9"))
        talk.do("interface gpon 0/1")
        assert "ONT" in talk.do("display ont optical-info 0 9")

    def test_one_removed_by_hand_vanishes_with_all_that_hangs_on_it(self, client, olt):
        before = client.get_config()
        client.ok(client.edit(onu(), "running"))
        client.ok(
            client.edit(
                f'<interfaces xmlns="{IF}"><interface><name>CT.0-1-0</name><enabled>false</enabled></interface>'
                "</interfaces>"
            )
        )
        ref = PonPort.parse("0/1/0").onu(9)
        for service in olt.world.services_of(ref.port, ref.onu_id):
            olt.world.remove_service(service.index)
        olt.world.delete(ref)
        assert etree.tostring(client.get_config()) == etree.tostring(before)
        # a candidate that somebody edits has it no more either, and keeps its edit
        assert "VANI.T" not in names(client.get_config(store="candidate"))
        client.ok("<commit/>")
        assert {each["tag"] for each in client.errors(client.edit(no_onu()))} == {"data-missing"}

    def test_a_service_alone_comes_and_goes(self, client, olt):
        client.ok(client.edit(onu(), "running"))
        gone = f'<forwarder xmlns:nc="{NC}" nc:operation="delete"><name>FWD.T</name></forwarder>'
        forwarder = f'<forwarding xmlns="{L2}"><forwarders>{gone}</forwarders></forwarding>'
        client.ok(client.edit(forwarder, "running"))
        assert olt.world.services_of(PonPort.parse("0/1/0"), 9) == []
        whole = etree.fromstring(onu().encode())
        again = etree.tostring(whole.find(f"{{{L2}}}forwarding"), encoding="unicode")
        client.ok(client.edit(again, "running"))
        (service,) = olt.world.services_of(PonPort.parse("0/1/0"), 9)
        assert (service.vlan, service.inner_vlan) == (2001, 101)

    def test_another_serial_is_another_onu(self, client, olt):
        client.ok(client.edit(onu(), "running"))
        client.ok(
            client.edit(
                f'<interfaces xmlns="{IF}"><interface><name>VANI.T</name><description>new</description>'
                f'<v-ani xmlns="{VANI}">'
                "<expected-serial-number>HWTC00000077</expected-serial-number></v-ani></interface></interfaces>",
                "running",
            )
        )
        entry = olt.world.onus[PonPort.parse("0/1/0").onu(9)]
        assert (str(entry.serial), entry.description) == ("HWTC00000077", "new")
        assert len(olt.world.services_of(PonPort.parse("0/1/0"), 9)) == 1

    def test_without_an_id_the_olt_chooses(self, client, olt):
        client.ok(client.edit(onu().replace("<onu-id>9</onu-id>", ""), "running"))
        (view,) = [each for each in olt.world.views() if str(each.entry.serial) == HEALTHY]
        assert view.entry.ref.onu_id == 2


class TestTheOltsOwnRules:
    @pytest.mark.parametrize(
        ("config", "says"),
        [
            (onu(onu_id=0), "has this onu-id"),
            (onu(onu_id=0).replace(NAMED, ""), "has this onu-id"),
            (onu(serial="HWTCDD000101"), "expects this serial number"),
            (onu(svlan=3999), "outer VLAN is not on this OLT"),
            (onu(svlan=800, cvlan=1001), "another service has these VLANs"),
            (onu(onu_id=200), "onu-id 200 is not in 0..127"),
        ],
    )
    @pytest.mark.parametrize("store", ["running", "candidate"])
    def test_what_is_taken_is_refused_by_the_commit(self, client, olt, config, says, store):
        before = olt.snapshot()
        if store == "candidate":
            client.ok(client.edit(config))
            client.ok("<validate><source><candidate/></source></validate>")
            (error,) = client.errors("<commit/>")
            client.ok("<discard-changes/>")
        else:
            (error,) = client.errors(client.edit(config, "running"))
        assert error["tag"] == "operation-failed"
        assert says in error["message"]
        assert olt.snapshot() == before

    def test_a_server_without_them_takes_what_the_models_allow(self, connect):
        scenario = builtin_scenario("demo_netconf")
        scenario.olts[0].netconf.strict_onu_ids = False
        with serve(scenario) as lab:
            client, before = connect(lab.olt), lab.olt.world.snapshot()
            client.ok(client.edit(onu(onu_id=0), "running"))
            assert "VANI.T" in interfaces(client)
            assert lab.olt.world.snapshot() == before
            client.ok(client.edit(no_onu(), "running"))
            assert lab.olt.world.snapshot() == before

    def test_somebody_who_comes_between_edit_and_commit(self, client, olt):
        client.ok(client.edit(onu()))
        olt.world.register("0/1/0", 9, serial="HWTC00000099", line_profile=20, service_profile=20)
        (error,) = client.errors("<commit/>")
        assert "has this onu-id" in error["message"]
        client.ok("<discard-changes/>")
        assert str(olt.world.onus[PonPort.parse("0/1/0").onu(9)].serial) == "HWTC00000099"

    @pytest.mark.parametrize(
        ("method", "leaf"),
        [
            ("serial-number", "<expected-registration-id>31323334353637383930</expected-registration-id>"),
            ("loid", NAMED),
            ("registration-id", NAMED),
        ],
    )
    def test_an_onu_is_identified_as_its_partition_says(self, connect, method, leaf):
        with serve(small(authentication=method)) as lab:
            client = connect(lab.olt)
            config = onu().replace(NAMED, leaf)
            client.ok(client.edit(config, "running"))
            assert "VANI.T" in interfaces(client)
            assert lab.olt.world.views() == []
            client.ok(client.edit(no_onu(), "running"))


class TestZte:
    """The same over a world whose ONUs have no profiles."""

    @pytest.fixture
    def zte(self) -> Iterator[EmulatedOlt]:
        scenario = builtin_scenario("demo_zte")
        scenario.olts = [each for each in scenario.olts if each.name == "c600"]
        spec = scenario.olts[0]
        spec.online_after_s = 0.0
        spec.netconf = type(spec.netconf)()
        with serve(scenario) as lab:
            yield lab.olt

    def config(self, **more: Any) -> str:
        return onu(serial="ZTEG0C000EA9", svlan=2000, cvlan=3001, **more).replace(".0-1-0<", ".1-3-1<")

    def test_there_and_back(self, zte, connect):
        client, before = connect(zte), zte.snapshot()
        assert "TEST-100M" in names(client.get_config('<xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont"/>'))
        assert check(zte.netconf.stores.tree("running")) == []
        client.ok(client.edit(self.config(), "running"))
        (view,) = [each for each in zte.world.views() if str(each.entry.serial) == "ZTEG0C000EA9"]
        assert view.online
        assert [(flow.svlan, flow.vlan) for flow in view.entry.provision.flows.values()] == [(2000, 3001)]
        forwarding = client.get(f'<forwarding-state xmlns="{L2}"/>')
        assert ("FWD.T" in leaves(forwarding, "forwarder")) is bool(view.ont.macs)
        client.ok(client.edit(no_onu(), "running"))
        assert zte.snapshot() == before

    def test_confirmed_commits_restore_a_provision(self, zte, connect):
        client, before = connect(zte), zte.snapshot()
        name = next(each for each in interfaces(client) if each.startswith("VANI."))
        short = name.removeprefix("VANI.")
        client.ok(client.edit(self.config()))
        client.ok("<commit><confirmed/><persist>p</persist></commit>")
        ref = next(
            ref for ref in zte.world.onus if f"{ref.port.frame}-{ref.port.slot}-{ref.port.port}.{ref.onu_id}" == short
        )
        zte.world.delete(ref)
        assert name not in interfaces(client)
        assert zte.netconf.expire()
        assert zte.snapshot() == before

    def test_taken_services_are_refused(self, zte, connect):
        client, before = connect(zte), zte.snapshot()
        flow = next(
            (ref, each)
            for ref, entry in zte.world.onus.items()
            for each in entry.provision.flows.values()
            if str(ref.port) == "1/3/1" and each.svlan is not None
        )[1]
        config = onu(serial="ZTEG0C000EA9", svlan=flow.svlan, cvlan=flow.vlan).replace(".0-1-0<", ".1-3-1<")
        (error,) = client.errors(client.edit(config, "running"))
        assert "another service has these VLANs" in error["message"]
        assert zte.snapshot() == before


class TestScenario:
    def test_the_demo_has_what_a_test_needs(self, client, olt):
        assert olt.name == "bbf1"
        assert olt.platform == "huawei_smartax"
        facts = client.get(f'<hardware xmlns="{HW}"><component><name>chassis-0</name></component></hardware>')
        assert leaves(facts, "model-name") == ["MA5800-X7"]
        assert leaves(facts, "software-rev") == ["MA5800V100R022C10"]
        board = client.get(f'<hardware xmlns="{HW}"><component><name>board-0-1</name></component></hardware>')
        assert leaves(board, "model-name") == ["H901GPHF"]
        system = client.get_config('<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname/></system>')
        assert leaves(system, "hostname") == ["BBF1"]
        assert str(olt.world.discovered()[0].serial) == HEALTHY

    def test_services_without_a_second_tag_and_shared_ones(self, connect):
        scenario = builtin_scenario("demo_netconf")
        port = scenario.olts[0].ports["0/1/1"]
        port.onus[1].services = [ServiceSpec(index=9, vlan=800, user_vlan=100, gem=1)]
        port.shared_services = [ServiceSpec(index=10, vlan=2000, user_vlan="2094-4094", gem=None)]
        with serve(scenario) as lab:
            client = connect(lab.olt)
            lines = read_lines(lab.olt.netconf.stores.tree("running"))
            (path,) = lines["VANI.0-1-1.1"].paths
            assert (path.svlan, path.user_vlan) == (800, 100)
            assert check(lab.olt.netconf.stores.tree("running")) == []
            before = lab.olt.snapshot()
            client.ok(client.edit(onu().replace("0-1-0<", "0-1-1<"), "running"))
            client.ok(client.edit(no_onu(), "running"))
            assert lab.olt.snapshot() == before

    def test_operational_data_of_everything(self, client):
        found = client.data(GET_DATA.format("").replace("<subtree-filter></subtree-filter>", ""))
        tops = [etree.QName(each).localname for each in found]
        assert {"hardware", "interfaces-state", "forwarding-state", "yang-library", "modules-state"} <= set(tops)
