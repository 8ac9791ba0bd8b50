"""The emulated server against a real one: recorded requests are sent again, and the answers compared."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from netconf_raw import GET_DATA, IF, NC, Raw, errors_of, inner, shape, small
from parts import missing
from ponprobe.emulator import EmulatedOlt, serve

MOMENTS = ("onu-detected-datetime", "onu-state-last-change")
POWERS = ("transmit", "receive", "rssi")


@pytest.fixture(scope="session")
def yang(shared: Path) -> Path:
    folder = shared / "yang"
    if not (folder / "replies").is_dir():
        missing("the recorded exchanges with a NETCONF server are not beside the project")
    return folder


@pytest.fixture
def olt() -> Iterator[EmulatedOlt]:
    with serve(small()) as lab:
        yield lab.olt


@pytest.fixture
def client(olt: EmulatedOlt) -> Iterator[Raw]:
    raw = Raw(olt)
    yield raw
    raw.close()


def payload(yang: Path, name: str) -> str:
    return (yang / "xml" / name).read_text(encoding="utf-8")


def reply(yang: Path, name: str) -> etree._Element:
    return etree.parse(yang / "replies" / name).getroot()


def counted(errors: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        repr({key: value.strip() if isinstance(value, str) else value for key, value in sorted(each.items())})
        for each in errors
    )


def test_the_infrastructure_is_that_of_the_recording(yang, client):
    recorded = etree.fromstring(f"<x>{inner(payload(yang, 'infra.xml'))}</x>")
    ours = client.get_config()
    for part in recorded:
        found = next(each for each in ours if each.tag == part.tag)
        assert sorted(map(repr, shape(found)[1])) == sorted(map(repr, shape(part)[1]))


def test_create_commit_and_read_back(yang, client):
    client.ok("<lock><target><candidate/></target></lock>")
    client.ok("<discard-changes/>")
    client.ok(client.edit(payload(yang, "onu-create.xml")))
    client.ok("<validate><source><candidate/></source></validate>")
    client.ok("<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist>p-1</persist></commit>")
    client.ok("<commit><persist-id>p-1</persist-id></commit>")
    client.ok("<unlock><target><candidate/></target></unlock>")
    ours = client.get_config(f'<interfaces xmlns="{IF}"/>')
    assert shape(ours) == shape(reply(yang, "get-config-interfaces-reply.xml")[0])


def test_presence_and_powers(yang, client):
    client.ok(client.edit(payload(yang, "onu-create.xml"), "running"))
    state = client.get(payload(yang, "get-onu-state.xml"))
    assert shape(state, masked=MOMENTS) == shape(reply(yang, "get-onu-state-reply.xml")[0], masked=MOMENTS)
    power = client.get(payload(yang, "get-power.xml"))
    recorded = reply(yang, "get-power-reply.xml")[0]
    assert shape(power, masked=POWERS) == shape(recorded, masked=POWERS, without=("tx-bias",))
    operational = client.data(GET_DATA.format(payload(yang, "get-power.xml")))
    for each in list(operational[0]):
        if each[0].text in {"chassis-0", "board-0-1"}:  # ours says what they are, in leaves that were not asked for
            operational[0].remove(each)
    recorded = reply(yang, "get-data-operational-reply.xml")[0]
    assert shape(operational, masked=POWERS) == shape(recorded, masked=POWERS, without=("tx-bias",))


def test_values_of_the_powers(yang, client, olt):
    client.ok(client.edit(payload(yang, "onu-create.xml"), "running"))
    ont = next(iter(olt.world.onts.values()))
    truth = olt.world.powers(ont)
    power = client.get(payload(yang, "get-power.xml"))
    found = {each[0].text: each for each in power[0]}
    read = {etree.QName(each).localname: each.text for each in found["ONU.TEST-1.anilink"].iter()}
    assert abs(float(read["transmit"]) - truth.onu_tx) < 1
    assert abs(float(read["receive"]) - truth.onu_rx) < 1
    rssi = [(each[0].text, each[1].text) for each in found["ponlink-0-1-0"].iter() if "rssi-onu" in str(each.tag)]
    assert abs(int(rssi[0][1]) / 10 - truth.olt_rx) < 1
    assert rssi[1] == ("ZTEG00112233", "unknown")


def test_every_way_to_identify(yang):
    for name, method in (("onu-create-loid.xml", "loid"), ("onu-create-password.xml", "registration-id")):
        with serve(small(authentication=method)) as lab:
            client = Raw(lab.olt)
            client.ok(client.edit(payload(yang, name), "running"))
            (view,) = lab.olt.world.views()
            assert str(view.entry.learnt) == "ZTEG00112233"
            assert view.online
            client.ok(client.edit(payload(yang, "onu-delete.xml"), "running"))
            assert lab.olt.world.views() == []
            client.close()


def test_delete_and_what_is_not_there(yang, client, olt):
    before = olt.snapshot()
    client.ok(client.edit(payload(yang, "onu-create.xml")))
    client.ok("<commit/>")
    assert olt.snapshot() != before
    client.ok(client.edit(payload(yang, "onu-delete.xml")))
    client.ok("<commit/>")
    assert olt.snapshot() == before
    found = client.errors(client.edit(payload(yang, "onu-delete.xml")))
    assert counted(found) == counted(errors_of(reply(yang, "err-data-missing.xml")))


def test_a_duplicate_has_an_error_for_each_node(yang, client):
    client.ok(client.edit(payload(yang, "onu-create.xml"), "running"))
    found = client.errors(client.edit(payload(yang, "onu-create.xml")))
    recorded = errors_of(reply(yang, "err-data-exists-61.xml"))
    assert len(found) == 61
    assert [each["message"] for each in found] == [each["message"] for each in recorded]
    assert counted(found) == counted(recorded)


def test_bad_values_are_refused_by_the_edit(yang, client):
    bad = payload(yang, "onu-create.xml").replace("2001", "5001")
    found = client.errors(client.edit(bad))
    assert counted(found) == counted(errors_of(reply(yang, "err-bad-vlan.xml")))
    found = client.errors(client.edit('<nope xmlns="urn:nope"/>'))
    assert counted(found) == counted(errors_of(reply(yang, "err-unknown-element.xml")))


@pytest.mark.parametrize("modules", [False, True], ids=["built-in", "libyang"])
def test_dangling_references_are_refused_later(yang, modules):
    if modules and shutil.which("yanglint") is None:
        missing("yanglint (Debian: libyang2-tools) is not installed")
    dangling = payload(yang, "onu-create.xml").replace("TEST-1", "TEST-2").replace("1127", "1128")
    with serve(small(modules_dir=yang / "modules" if modules else None)) as lab:
        client = Raw(lab.olt)
        client.ok(client.edit(dangling.replace("CPAIR.0-1-0", "CPAIR.none")))
        found = client.errors("<validate><source><candidate/></source></validate>")
        recorded = counted(errors_of(reply(yang, "err-dangling-channel-pair.xml")))
        assert recorded <= counted(found)
        assert client.errors("<commit/>") == found
        client.ok("<discard-changes/>")
        client.ok(client.edit(dangling.replace("TDP-TEST-1G", "TDP-none").replace("TDP-TEST-2G", "TDP-none")))
        found = client.errors("<validate><source><candidate/></source></validate>")
        assert counted(found) == counted(errors_of(reply(yang, "err-missing-tcont-profile.xml")))
        client.ok("<discard-changes/>")
        client.ok(client.edit(payload(yang, "onu-create.xml")))
        client.ok("<validate><source><candidate/></source></validate>")
        client.close()


def test_a_lock_names_its_holder(yang, client, olt):
    client.ok("<lock><target><candidate/></target></lock>")
    other = Raw(olt)
    found = other.errors("<lock><target><candidate/></target></lock>")
    (recorded,) = errors_of(
        etree.fromstring(f'<x xmlns="{NC}">{(yang / "replies" / "err-lock-denied.xml").read_text().split("?>")[1]}</x>')
    )
    recorded["info"] = {"session-id": str(client.number)}
    assert counted(found) == counted([recorded])
    other.close()


def test_the_hello_and_the_library(yang, client):
    recorded = set((yang / "replies" / "hello-capabilities.txt").read_text(encoding="utf-8").split())
    plain = {each for each in client.capabilities if "yang-library" not in each}
    assert plain <= recorded
    assert not any("bbf" in each for each in client.capabilities)
    library = client.get('<yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/>')
    recorded_modules = {
        each[0].text: (each[1].text, {f.text for f in each if f.tag.endswith("feature")})
        for each in reply(yang, "yang-library-reply.xml").iter("{*}module")
    }
    ours = {
        each[0].text: (each[1].text, {f.text for f in each if f.tag.endswith("feature")})
        for each in library.iter("{*}module")
    }
    shared_names = {name for name in ours if name in recorded_modules and name.startswith("bbf")}
    assert len(shared_names) >= 17
    assert {name: ours[name][0] for name in shared_names} == {name: recorded_modules[name][0] for name in shared_names}
