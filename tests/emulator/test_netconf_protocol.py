"""The NETCONF server as clients see it: framing, sessions, locks, transactions, filters, faults."""

from __future__ import annotations

import base64
import gc
import hashlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
import pytest
from lxml import etree

from netconf_raw import GET_DATA, HW, IF, NC, Gone, Raw, names, no_onu, onu, small, until
from ponprobe.emulator import EmulatedOlt, Lab, ScenarioError, builtin_scenario, serve

COMMIT = "<commit/>"
CONFIRMED = "<commit><confirmed/><confirm-timeout>600</confirm-timeout>{}</commit>"
PERSIST = CONFIRMED.format("<persist>p</persist>")
LOCK = "<lock><target><{}/></target></lock>"
UNLOCK = "<unlock><target><{}/></target></unlock>"
CHINESE = "分光器 7 号楼 {port}"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with serve(small()) as fresh:
        yield fresh


@pytest.fixture
def olt(lab: Lab) -> EmulatedOlt:
    return lab.olt


@pytest.fixture
def connect() -> Iterator[Callable[..., Raw]]:
    opened: list[Raw] = []

    def new(to: EmulatedOlt, *versions: str) -> Raw:
        opened.append(Raw(to, *versions))
        return opened[-1]

    yield new
    for each in opened:
        each.close()


@pytest.fixture
def client(olt: EmulatedOlt, connect: Callable[..., Raw]) -> Raw:
    return connect(olt)


def onus(olt: EmulatedOlt) -> list[str]:
    return [f"{view.entry.ref}={view.entry.serial}" for view in olt.world.views()]


class TestFraming:
    @pytest.mark.parametrize("chunk", [1, 2, 7, 4096])
    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_chinese_in_any_piece(self, connect, chunk, version):
        with serve(small(description=CHINESE, filler=3, chunk_bytes=chunk)) as lab:
            client = connect(lab.olt, version)
            assert client.chunked is (version == "1.1")
            found = client.get_config(f'<interfaces xmlns="{IF}"><interface><description/></interface></interfaces>')
            texts = [each.text for each in found.iter(f"{{{IF}}}description")]
            assert texts == ["分光器 7 号楼 0/1/0", *(f"分光器 7 号楼 {what}" for what in (0, 1, 2, "uplink"))]
            changed = onu().replace("<name>VANI.T</name>", "<name>VANI.T</name><description>测试 ONU</description>")
            client.ok(client.edit(changed, "running"))
            (view,) = lab.olt.world.views()
            assert view.entry.description == "测试 ONU"

    def test_a_server_of_1_0_only(self, connect):
        with serve(small(versions=["1.0"])) as lab:
            client = connect(lab.olt)
            assert "urn:ietf:params:netconf:base:1.1" not in client.capabilities
            assert not client.chunked
            assert client.get_config()[0] is not None

    def test_nothing_in_common(self, connect):
        with serve(small(versions=["1.1"])) as lab:
            assert connect(lab.olt, "1.0").at_end()

    def test_what_is_no_frame_ends_the_session(self, client, olt):
        client.send_raw(b"\n#abc\n<rpc/>\n##\n")
        assert client.at_end()
        until(lambda: olt.sessions_open == 0)

    def test_what_is_no_message_is_answered(self, client):
        for text in ("<rpc", "<hello/>", '<rpc xmlns="urn:other" message-id="1"><get/></rpc>'):
            client.send(text)
            reply = etree.fromstring(client.read())
            assert reply.findtext(f".//{{{NC}}}error-tag") == "malformed-message"
            assert reply.get("message-id") is None
        client.send(f'<rpc xmlns="{NC}"><get-config><source><running/></source></get-config></rpc>')
        reply = etree.fromstring(client.read())
        assert reply.findtext(f".//{{{NC}}}error-tag") == "missing-attribute"
        client.ok("<discard-changes/>")

    def test_entities_are_not_opened(self, client):
        client.send(f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><rpc xmlns="{NC}" message-id="1">&e;</rpc>')
        assert b"root:" not in client.read()

    def test_attributes_of_the_request_come_back(self, client):
        client.send(f'<rpc xmlns="{NC}" message-id="&lt;7&gt;" xmlns:x="urn:x" x:y="z"><discard-changes/></rpc>')
        reply = etree.fromstring(client.read())
        assert dict(reply.attrib) == {"message-id": "<7>", "{urn:x}y": "z"}


class TestSessions:
    def test_numbers_and_counts(self, connect, olt):
        first, second = connect(olt), connect(olt)
        assert second.number == first.number + 1
        assert olt.sessions_open == 2
        first.ok("<close-session/>")
        assert first.at_end()
        until(lambda: olt.sessions_open == 1)

    def test_kill(self, connect, olt):
        first, second = connect(olt), connect(olt)
        first.ok(LOCK.format("candidate"))
        assert (
            second.refused(f"<kill-session><session-id>{second.number}</session-id></kill-session>") == "invalid-value"
        )
        assert second.refused("<kill-session><session-id>999</session-id></kill-session>") == "invalid-value"
        second.ok(f"<kill-session><session-id>{first.number}</session-id></kill-session>")
        second.ok(LOCK.format("candidate"))
        assert first.at_end()

    def test_unknown_operations(self, client):
        for operation in ("<reboot/>", '<x xmlns="urn:x"/>', "<get-schema/>", '<edit-data xmlns="urn:x"/>'):
            assert client.refused(operation) == "operation-not-supported"

    def test_only_users_enter_and_only_the_subsystem(self, olt):
        transport = paramiko.Transport((olt.host, olt.netconf_port))
        with pytest.raises(paramiko.AuthenticationException):
            transport.connect(username=olt.username, password="wrong")
        transport.close()
        transport = paramiko.Transport((olt.host, olt.netconf_port))
        transport.connect(username=olt.username, password=olt.password)
        channel = transport.open_session()
        with pytest.raises(paramiko.SSHException):
            channel.invoke_shell()
        transport.close()
        assert olt.refused_logins == 1

    def test_the_host_key_is_that_of_ssh(self, client, olt):
        key = client.transport.get_remote_server_key().asbytes()
        digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
        assert f"SHA256:{digest}" == olt.host_key_fingerprint

    def test_nothing_is_left_at_the_end(self):
        threads = set(threading.enumerate())
        with serve(small()) as lab:
            port = lab.olt.netconf_port
            client = Raw(lab.olt)
            client.ok(client.edit(onu()))
            client.ok(PERSIST)
        client.close()
        gc.collect()
        assert set(threading.enumerate()) - threads == set()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))
        lab.close()

    def test_off_unless_asked_for(self):
        assert all(
            not spec.netconf.enable for name in ("demo_huawei", "demo_zte") for spec in builtin_scenario(name).olts
        )
        with serve(small(enable=False)) as lab:
            assert lab.olt.netconf_port == 0
            assert "netconf" not in lab.olt.snapshot()


class TestLocks:
    def test_of_running_and_candidate(self, connect, olt):
        first, second = connect(olt), connect(olt)
        for store in ("running", "candidate"):
            first.ok(LOCK.format(store))
            assert first.refused(LOCK.format(store)) == "lock-denied"
            (error,) = second.errors(LOCK.format(store))
            assert error["info"] == {"session-id": str(first.number)}
            assert second.refused(UNLOCK.format(store)) == "operation-failed"
            assert second.refused(second.edit(onu(), store)) == "in-use"
        assert second.refused(COMMIT) == "in-use"
        assert second.refused("<discard-changes/>") == "in-use"
        first.ok(UNLOCK.format("candidate"))
        second.ok(LOCK.format("candidate"))

    def test_a_changed_candidate_is_not_locked_by_others(self, connect, olt):
        first, second = connect(olt), connect(olt)
        first.ok(first.edit(onu()))
        (error,) = second.errors(LOCK.format("candidate"))
        assert error["info"] == {"session-id": str(first.number)}
        first.ok("<close-session/>")
        assert first.at_end()
        (error,) = second.errors(LOCK.format("candidate"))
        assert error["info"] == {"session-id": "0"}
        second.ok("<discard-changes/>")
        second.ok(LOCK.format("candidate"))

    def test_the_end_of_a_session_discards_what_it_locked(self, connect, olt):
        before = olt.snapshot()
        first = connect(olt)
        first.ok(LOCK.format("candidate"))
        first.ok(first.edit(onu()))
        assert "candidate" in olt.snapshot()["netconf"]
        first.transport.close()
        until(lambda: olt.sessions_open == 0)
        assert olt.snapshot() == before
        connect(olt).ok(LOCK.format("candidate"))


class TestEdits:
    def test_all_or_nothing(self, client, olt):
        before = olt.snapshot()
        client.ok(client.edit(onu(), "running"))
        with_it = olt.snapshot()
        both = onu("U", "HWTC00000002", 10, 2002).replace("FWD.U", "FWD.T")
        assert {each["tag"] for each in client.errors(client.edit(both, "running"))} == {"data-exists"}
        assert olt.snapshot() == with_it
        assert onus(olt) == ["0/1/0:9=HWTC1A2B3C4D"]
        client.ok(client.edit(no_onu(), "running"))
        assert olt.snapshot() == before

    def test_operations(self, client):
        def interface(operation: str, more: str = "<enabled>false</enabled>", name: str = "CT.0-1-0") -> str:
            mark = f'xmlns:nc="{NC}" nc:operation="{operation}"' if operation else ""
            return client.edit(
                f'<interfaces xmlns="{IF}"><interface {mark}><name>{name}</name>{more}</interface></interfaces>'
            )

        def enabled() -> list[str | None]:
            found = client.get_config(
                f'<interfaces xmlns="{IF}"><interface><name>CT.0-1-0</name></interface></interfaces>', "candidate"
            )
            return [each.text for each in found.iter(f"{{{IF}}}enabled")]

        client.ok(interface(""))
        assert enabled() == ["false"]
        client.ok(interface("merge", "<enabled>true</enabled>"))
        assert enabled() == ["true"]
        client.ok(interface("merge", f'<enabled xmlns:nc="{NC}" nc:operation="delete"/>'))
        assert enabled() == []
        assert client.refused(interface("merge", f'<enabled xmlns:nc="{NC}" nc:operation="delete"/>')) == "data-missing"
        client.ok(interface("merge", f'<enabled xmlns:nc="{NC}" nc:operation="remove"/>'))
        client.ok(interface("merge", f'<enabled xmlns:nc="{NC}" nc:operation="create">true</enabled>'))
        assert (
            client.refused(interface("merge", f'<enabled xmlns:nc="{NC}" nc:operation="create">true</enabled>'))
            == "data-exists"
        )
        assert client.refused(interface("none", name="NOT.THERE")) == "data-missing"
        assert client.refused(interface("upsert")) == "bad-attribute"
        client.ok(interface("remove", "", "NOT.THERE"))
        assert client.refused(interface("delete", "", "NOT.THERE")) == "data-missing"
        client.ok(
            interface("replace", '<type xmlns:t="urn:ietf:params:xml:ns:yang:iana-if-type">t:ethernetCsmacd</type>')
        )
        found = client.get_config(
            f'<interfaces xmlns="{IF}"><interface><name>CT.0-1-0</name></interface></interfaces>', "candidate"
        )
        assert [etree.QName(each).localname for each in found[0][0]] == ["name", "type"]

    def test_default_operations(self, client):
        none = "<default-operation>none</default-operation>"
        text = f'<interfaces xmlns="{IF}"><interface><name>{{}}</name><enabled>false</enabled></interface></interfaces>'
        assert client.refused(client.edit(text.format("NOT.THERE"), more=none)) == "data-missing"
        client.ok(client.edit(f'<interfaces xmlns="{IF}"/>', more="<default-operation>replace</default-operation>"))
        assert names(client.get_config(f'<interfaces xmlns="{IF}"/>', "candidate")) == []
        assert client.refused(client.edit("", more="<default-operation>no</default-operation>")) == "invalid-value"

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("<onu-id>9", "<onu-id>2000", 'value "2000" is out of the allowed range'),
            ("<onu-id>9", "<onu-id>x", "Invalid type uint32"),
            ("HWTC1A2B3C4D", "HWTC1A2B", "Unsatisfied pattern"),
            ("HWTC1A2B3C4D", "48575443F2D53A10", "Unsatisfied pattern"),
            ("2001", "4095", "Invalid union value"),
            ("t:v-ani<", "t:no-ani<", "identity not found in module"),
            ("t:v-ani<", "u:v-ani<", "unable to map prefix"),
            ("<alloc-id>1109", "<alloc-id>70000", "out of type uint16"),
            ("<gemport-id>1109", "<gemport-id>-1", "out of type uint32"),
            ("<traffic-class>0", "<traffic-class>8", "out of the allowed range"),
            ("<name>TCONT.T</name>", f"<name>{'x' * 65}</name>", "Unsatisfied length"),
            ("<priority>100", "<priority>0", "out of the allowed range"),
        ],
    )
    def test_values_are_refused_at_once(self, client, old, new, says):
        text = onu()
        assert old in text
        errors = client.errors(client.edit(text.replace(old, new)))
        assert all(each["tag"] == "operation-failed" for each in errors)
        assert all(says in each["message"] for each in errors)

    def test_unknown_things_are_refused_at_once(self, client):
        assert client.refused(client.edit(f'<interfaces xmlns="{IF}"><nope/></interfaces>')) == "unknown-element"
        assert client.refused(client.edit('<interfaces xmlns="urn:other"/>')) == "unknown-namespace"
        state = f'<interfaces-state xmlns="{IF}"/>'
        assert client.refused(client.edit(state)) == "operation-failed"
        nameless = f'<interfaces xmlns="{IF}"><interface><enabled>true</enabled></interface></interfaces>'
        assert "missing its key" in client.errors(client.edit(nameless))[0]["message"]

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("CPART.0-1-0<", "CPART.none<", "leafref target"),
            ("<channel-partition>CPART.0-1-0<", "<channel-partition>CG.0-1-0<", "Must reference a channel partition."),
            ("<lower-layer-interface>VANI.T<", "<lower-layer-interface>CG.0-1-0<", "is not of type or derived from"),
            ("<interface>UPLINK.0-9-0<", "<interface>UPLINK.none<", "leafref target"),
            ("<interface-reference>VANI.T<", "<interface-reference>VENET.T<", "of type 'v-ani' or 'ani'"),
            ("<tcont-ref>TCONT.T<", "<tcont-ref>TCONT.X<", "leafref target"),
            ("<sub-interface>USER.T<", "<sub-interface>VENET.T<", "nor a 'l2-termination'"),
            ("t:olt-v-enet<", "t:v-ani<", "When condition"),
            ("<index>0</index>", "<index>1</index>", "Duplicate instance"),
            ("<write-pbit-0/>", "", 'Mandatory choice "pbit"'),
        ],
    )
    def test_references_are_refused_by_validate(self, client, olt, old, new, says):
        text = onu()
        assert old in text
        edit = client.edit(text.replace(old, new))
        if says.startswith("Duplicate"):
            assert says in client.errors(edit)[0]["message"]
            return
        client.ok(edit)
        errors = client.errors("<validate><source><candidate/></source></validate>")
        assert any(says in each["message"] for each in errors)
        assert client.errors(COMMIT) == errors
        assert onus(olt) == []

    def test_partial_deletes_are_refused(self, client, olt):
        client.ok(client.edit(onu(), "running"))
        gone = f'<interface xmlns:nc="{NC}" nc:operation="delete"><name>VANI.T</name></interface>'
        config = f'<interfaces xmlns="{IF}">{gone}</interfaces>'
        errors = client.errors(client.edit(config, "running"))
        assert {each["app-tag"] for each in errors if "app-tag" in each} == {"instance-required"}
        assert onus(olt) == ["0/1/0:9=HWTC1A2B3C4D"]


class TestCommits:
    def test_candidate_is_invisible_until_committed(self, client, olt):
        before = olt.snapshot()
        client.ok(client.edit(onu()))
        assert "VANI.T" not in names(client.get_config())
        assert "VANI.T" in names(client.get_config(store="candidate"))
        assert onus(olt) == []
        client.ok("<discard-changes/>")
        assert olt.snapshot() == before
        client.ok(COMMIT)
        assert olt.snapshot() == before

    def test_confirmed_in_the_same_session(self, client, olt):
        client.ok(client.edit(onu()))
        client.ok(CONFIRMED.format(""))
        assert olt.snapshot()["netconf"]["unconfirmed"] is True
        client.ok(COMMIT)
        assert not olt.netconf.expire()
        assert onus(olt) == ["0/1/0:9=HWTC1A2B3C4D"]

    def test_expiry_takes_everything_back(self, client, olt):
        """Whatever came meanwhile, over NETCONF or the command line."""
        client.ok(client.edit(onu("KEPT", "ZTEG00112233", 3, 2002), "running"))
        before = olt.snapshot()
        client.ok(client.edit(onu()))
        client.ok(PERSIST)
        client.ok(client.edit(no_onu("KEPT"), "running"))
        olt.world.register("0/1/0", 5, serial="HWTC00000005", line_profile=10, service_profile=10)
        assert onus(olt) == ["0/1/0:5=HWTC00000005", "0/1/0:9=HWTC1A2B3C4D"]
        assert olt.netconf.expire()
        assert onus(olt) == ["0/1/0:3=ZTEG00112233"]
        assert olt.snapshot() == before
        assert client.refused("<commit><persist-id>p</persist-id></commit>") == "invalid-value"

    def test_the_clock_takes_it_back(self, client, olt):
        before = olt.snapshot()
        client.ok(client.edit(onu()))
        client.ok("<commit><confirmed/><confirm-timeout>1</confirm-timeout></commit>")
        assert olt.snapshot() != before
        until(lambda: olt.snapshot() == before)

    @pytest.mark.parametrize("persist", [False, True])
    def test_the_end_of_the_session(self, client, connect, olt, persist):
        before = olt.snapshot()
        client.ok(client.edit(onu()))
        client.ok(PERSIST if persist else CONFIRMED.format(""))
        client.transport.close()
        until(lambda: olt.sessions_open == 0)
        assert (olt.snapshot() == before) is not persist
        if persist:
            other = connect(olt)
            other.ok("<commit><persist-id>p</persist-id></commit>")
            assert not olt.netconf.expire()
            assert onus(olt) == ["0/1/0:9=HWTC1A2B3C4D"]

    def test_who_may_confirm(self, connect, olt):
        first, second = connect(olt), connect(olt)
        nothing = first.errors("<commit><persist-id>p</persist-id></commit>")
        assert (nothing[0]["tag"], nothing[0]["message"]) == (
            "invalid-value",
            "Commit does not match pending confirmed commit.",
        )
        first.ok(first.edit(onu()))
        first.ok(PERSIST)
        for wrong in (COMMIT, "<commit><persist-id>q</persist-id></commit>", CONFIRMED.format("")):
            assert second.errors(wrong) == nothing
            assert first.errors(wrong) == nothing
        assert first.refused(CONFIRMED.format("<persist-id>p</persist-id>")) == "invalid-value"
        assert first.refused("<cancel-commit><persist-id>q</persist-id></cancel-commit>") == "invalid-value"
        second.ok("<cancel-commit><persist-id>p</persist-id></cancel-commit>")
        assert onus(olt) == []
        assert first.refused("<cancel-commit/>") == "operation-failed"

    def test_a_plain_commit_of_another_session_does_not_confirm(self, connect, olt):
        first, second = connect(olt), connect(olt)
        first.ok(first.edit(onu()))
        first.ok(CONFIRMED.format(""))
        assert second.refused(COMMIT) == "invalid-value"
        assert second.refused(LOCK.format("running")) == "lock-denied"
        assert olt.netconf.expire()

    def test_a_second_confirmed_commit_goes_back_as_far(self, client, olt):
        before = olt.snapshot()
        client.ok(client.edit(onu()))
        client.ok(CONFIRMED.format(""))
        client.ok(client.edit(onu("U", "HWTC00000002", 10, 2002)))
        client.ok(CONFIRMED.format(""))
        assert len(onus(olt)) == 2
        assert olt.netconf.expire()
        assert olt.snapshot() == before

    def test_a_bad_timeout(self, client):
        assert client.refused("<commit><confirmed/><confirm-timeout>0</confirm-timeout></commit>") == "operation-failed"


class TestFilters:
    def test_selection_containment_and_content(self, client):
        everything = client.get_config()
        wanted = f'<interfaces xmlns="{IF}"><interface><name>{{}}</name>{{}}</interface></interfaces>'
        (one,) = client.get_config(wanted.format("CT.0-1-0", ""))
        assert len(one) == 1
        assert len(one[0]) == 5
        (one,) = client.get_config(wanted.format("CT.0-1-0", "<type/>"))
        assert [etree.QName(each).localname for each in one[0]] == ["name", "type"]
        (one,) = client.get_config(wanted.format("CT.0-1-0", "<enabled>true</enabled><type/>"))
        assert [etree.QName(each).localname for each in one[0]] == ["name", "type", "enabled"]
        assert len(client.get_config(wanted.format("CT.0-1-0", "<enabled>false</enabled>"))) == 0
        assert len(client.get_config(wanted.format("NOT.THERE", ""))) == 0
        assert len(client.get_config('<interfaces xmlns="urn:other"/>')) == 0
        # no namespace is any namespace
        (any_space,) = client.get_config('<interfaces xmlns=""/>')
        assert len(any_space) == len(next(each for each in everything if "interfaces" in each.tag))
        # several parts are joined
        found = client.get_config(
            f'<interfaces xmlns="{IF}"><interface><name>CG.0-1-0</name></interface><interface><name>CT.0-1-0</name>'
            f'<type/></interface></interfaces><interfaces xmlns="{IF}"><interface><name>CT.0-1-0</name><enabled/>'
            "</interface></interfaces>"
        )
        assert [len(each) for each in found[0]] == [3, 3]

    def test_identities_are_compared_as_values(self, client):
        found = client.get_config(
            f'<interfaces xmlns="{IF}"><interface><name/>'
            '<type xmlns:any="urn:bbf:yang:bbf-xpon-if-type">any:channel-pair</type></interface></interfaces>'
        )
        assert names(found) == ["CPAIR.0-1-0"]

    def test_an_empty_filter_takes_nothing(self, client):
        assert len(client.data('<get><filter type="subtree"/></get>')) == 0

    def test_xpath(self, client):
        found = client.data(
            f'<get-config><source><running/></source><filter type="xpath" xmlns:if="{IF}" '
            "select=\"/if:interfaces/if:interface[if:name='CT.0-1-0']/if:enabled\"/></get-config>"
        )
        assert [etree.QName(each).localname for each in found[0][0]] == ["name", "enabled"]
        assert client.refused('<get><filter type="xpath" select="/a["/></get>') == "invalid-value"
        assert client.refused('<get><filter type="regex"/></get>') == "bad-attribute"


class TestSettings:
    def test_what_is_off_is_neither_said_nor_done(self, connect):
        with serve(
            small(candidate=False, rollback_on_error=False, xpath=False, get_data=False, validation=False)
        ) as lab:
            client = connect(lab.olt)
            said = " ".join(client.capabilities)
            for name in ("candidate", "confirmed-commit", "rollback-on-error", "xpath", "validate"):
                assert name not in said
            assert "writable-running" in said
            assert client.refused(client.edit(onu())) == "operation-not-supported"
            assert client.refused(COMMIT) == "operation-not-supported"
            assert client.refused("<validate><source><running/></source></validate>") == "operation-not-supported"
            assert client.refused(GET_DATA.format("")) == "operation-not-supported"
            option = "<error-option>rollback-on-error</error-option>"
            assert client.refused(client.edit(onu(), "running", option)) == "operation-not-supported"
            client.ok(client.edit(onu(), "running"))
        with serve(small(writable_running=False, confirmed_commit=False)) as lab:
            client = connect(lab.olt)
            assert client.refused(client.edit(onu(), "running")) == "operation-not-supported"
            assert client.refused(PERSIST) == "operation-not-supported"
            client.ok(client.edit(onu()))
            client.ok(COMMIT)

    @pytest.mark.parametrize("form", ["yang-library", "modules-state"])
    def test_the_library_in_either_form(self, connect, form):
        gone = {"without_modules": {"bbf-xpongemtcont"}, "without_features": {"pon-pools"}}
        with serve(small(library=[form], **gone)) as lab:
            client = connect(lab.olt)
            found = client.get(
                "".join(
                    f'<{each} xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/>'
                    for each in ("yang-library", "modules-state")
                )
            )
            assert [etree.QName(each).localname for each in found] == [form]
            listed = names(found)
            assert "bbf-xponvani" in listed
            assert "bbf-xpongemtcont" not in listed
            features = [each.text for each in found.iter("{*}feature")]
            assert "configurable-v-ani-onu-id" in features
            assert "pon-pools" not in features

    @pytest.mark.parametrize(
        ("style", "leaf", "least", "most"),
        [
            ("dbm", "transmit", 1.0, 4.0),
            ("milliwatts", "transmit", 1.3, 2.5),
            ("old", "tx-power", 13, 25),
            ("old_microwatts", "tx-power", 13_000, 25_000),
        ],
    )
    def test_styles_of_powers(self, connect, style, leaf, least, most):
        with serve(small(powers=style)) as lab:
            client = connect(lab.olt)
            client.ok(client.edit(onu(), "running"))
            found = client.data(
                GET_DATA.format(f'<hardware xmlns="{HW}"><component><name>ONU.T.anilink</name></component></hardware>')
            )
            values = {etree.QName(each).localname: each.text for each in found.iter()}
            assert least < float(values[leaf]) < most
            receive = float(values["receive" if leaf == "transmit" else "rx-power"])
            # 0.1 mW is -10 dBm: nothing of a PON can be seen in such steps
            assert (receive == 0) is (style == "old")

    @pytest.mark.parametrize("how", ["serial", "link_table", "plain", "none"])
    def test_the_hardware_of_onus(self, connect, how):
        with serve(small(onu_hardware=how)) as lab:
            client = connect(lab.olt)
            client.ok(client.edit(onu(), "running"))
            found = client.data(
                GET_DATA.format(
                    f'<hardware xmlns="{HW}"/><interfaces xmlns="{IF}"/>'
                    '<link-table xmlns="urn:bbf:yang:bbf-link-table"/>'
                )
            )
            listed = names(found)
            assert ("ONU.T.anilink" in listed) is (how != "none")
            assert ("ANI.T" in listed) is (how == "link_table")
            assert [each.text for each in found.iter(f"{{{HW}}}serial-num")] == ["HWTC1A2B3C4D"] * (how == "serial")
            links = [
                (each[0].text, each[1].text)
                for each in found.iter("{urn:bbf:yang:bbf-link-table}link-table")
                if len(each) > 1
            ]
            assert links == [("ANI.T", "VANI.T")] * (how == "link_table")

    def test_what_get_shows_of_hardware_that_was_found(self, connect):
        for shown in (False, True):
            with serve(small(found_in_get=shown)) as lab:
                client = connect(lab.olt)
                client.ok(client.edit(onu(), "running"))
                found = client.get(
                    f'<hardware xmlns="{HW}"><component><name>ONU.T.anilink</name></component></hardware>'
                )
                leaves = {etree.QName(each).localname for each in found.iter()}
                assert "receive" in leaves
                assert ({"class", "parent"} <= leaves) is shown

    def test_configuration_in_the_operational_datastore(self, connect):
        for shown in (False, True):
            with serve(small(operational_config=shown)) as lab:
                found = connect(lab.olt).data(GET_DATA.format(f'<interfaces xmlns="{IF}"/>'))
                assert ("CT.0-1-0" in names(found)) is shown

    def test_latency_counts_for_every_answer(self, connect):
        with serve(small(latency_s=3600.0)) as lab:
            client = connect(lab.olt)
            client.send(f'<rpc xmlns="{NC}" message-id="1"><get/></rpc>')
            until(lambda: len(lab.olt.commands) == 1)
        assert client.at_end()

    def test_bad_settings_are_named(self, tmp_path, monkeypatch):
        with pytest.raises(ScenarioError, match="none of the YANG modules"), serve(small(modules_dir=tmp_path)):
            pass
        (tmp_path / "ietf-interfaces.yang").touch()
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ScenarioError, match="yanglint, which is not installed"), serve(small(modules_dir=tmp_path)):
            pass
        for settings, says in (
            ({"candidate": False, "writable_running": False}, "nothing could be configured"),
            ({"authentication_at": {"nowhere": "loid"}}, "is not a PON port"),
            ({"description": "{slot}"}, "only {port} can stand in it"),
            ({"powers": "watts"}, "powers"),
            ({"extra": 1}, "extra"),
        ):
            with pytest.raises(ValueError, match=re.escape(says)):
                small(**settings)


class TestFaults:
    @pytest.mark.parametrize(("setting", "done"), [("cut_before", False), ("cut_after", True)])
    def test_cuts(self, client, olt, setting, done):
        client.ok(client.edit(onu()))
        setattr(olt.faults, setting, len(olt.commands) + 1)
        with pytest.raises(Gone):
            client.rpc(PERSIST)
        assert bool(onus(olt)) is done
        assert olt.commands[-1] == "commit confirmed confirm-timeout=600 persist=p"
        until(lambda: olt.sessions_open == 0)

    def test_silence(self, client, connect, olt):
        client.ok(client.edit(onu()))
        olt.faults.silent_after = len(olt.commands) + 1
        client.send(f'<rpc xmlns="{NC}" message-id="1"><commit/></rpc>')
        until(lambda: bool(onus(olt)))
        assert connect(olt).get_config()[0] is not None
        assert olt.sessions_open == 2
        client.channel.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.read()

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_garbage(self, connect, olt, version):
        client = connect(olt, version)
        olt.faults.garbage_after = len(olt.commands) + 1
        client.send(f'<rpc xmlns="{NC}" message-id="1"><get/></rpc>')
        while len(client.buffer) < olt.faults.garbage_bytes:
            client._more()
        assert b"rpc-reply" not in client.buffer

    def test_busy_refuses_changes_only(self, client, olt):
        olt.faults.busy = 1
        assert client.get_config()[0] is not None
        assert client.refused(client.edit(onu())) == "resource-denied"
        client.ok(client.edit(onu()))

    def test_watchers_see_what_is_asked(self, client, olt):
        seen: list[tuple[str, str, list[str]]] = []
        olt.faults.on_command = lambda number, line, moment: seen.append((line, moment, onus(olt)))
        client.ok(client.edit(onu(), "running"))
        client.get(f'<hardware xmlns="{HW}"><component/></hardware>')
        client.data(GET_DATA.format(f'<interfaces xmlns="{IF}"/>'))
        client.ok(LOCK.format("candidate"))
        (edit, arrived, none), (again, executed, one), get, _, get_data, _, lock, _ = seen
        assert edit == again
        assert edit.startswith("edit-config running <interfaces")
        assert "<expected-serial-number>HWTC1A2B3C4D</expected-serial-number>" in edit
        assert (arrived, none, executed, one) == ("arrived", [], "executed", ["0/1/0:9=HWTC1A2B3C4D"])
        assert get[0].startswith("get <hardware")
        assert get_data[0].startswith("get-data operational <interfaces")
        assert lock[0] == "lock candidate"

        def abort(*_: Any) -> None:
            raise ConnectionAbortedError

        olt.faults.on_command = abort
        with pytest.raises(Gone):
            client.rpc(COMMIT)

    def test_every_cut_of_a_registration_leaves_all_or_nothing(self, connect):
        """Cut before or after each request in turn: what is left is gone when the commit's time is over."""
        steps = [
            LOCK.format("candidate"),
            "<discard-changes/>",
            "EDIT",
            "<validate><source><candidate/></source></validate>",
            PERSIST,
        ]

        def register(client: Raw) -> None:
            for step in steps:
                client.ok(client.edit(onu()) if step == "EDIT" else step)

        with serve(small()) as lab:
            before = lab.olt.snapshot()
            for setting, at in itertools.product(("cut_before", "cut_after"), range(len(steps))):
                client = connect(lab.olt)
                setattr(lab.olt.faults, setting, len(lab.olt.commands) + 1 + at)
                with pytest.raises(Gone):
                    register(client)
                until(lambda: lab.olt.sessions_open == 0)
                assert lab.olt.netconf.expire() is (setting == "cut_after" and at == len(steps) - 1)
                assert lab.olt.snapshot() == before
