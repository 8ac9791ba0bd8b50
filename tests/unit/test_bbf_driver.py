"""The NETCONF driver against a device in memory: prepare, register, prove, remove, whatever others do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from bbf_device import Device
from ponprobe.drivers import driver_for, netconf_driver_for
from ponprobe.drivers.bbf.driver import BbfXpon
from ponprobe.errors import (
    AlreadyExists,
    ConfigError,
    NotFound,
    NotOurs,
    NotSupported,
    PonprobeError,
    PoolExhausted,
    Rejected,
    VlanInUse,
    WrongPort,
)
from ponprobe.flow import NetconfEdit, changes_of
from ponprobe.models.acceptance import ActivationOrder, CreatedOnu, Registration, new_mark
from ponprobe.models.addressing import Loid, OnuAuth, Password, PonPort, Serial
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.service import ProfileRef, VlanStack

PORT = PonPort(frame=0, slot=1, port=0)
OTHER = PonPort(frame=0, slot=1, port=1)
AUTH = OnuAuth(serial=Serial("HWTC1A2B3C4D"))
PASSWORD = Password(value=SecretStr("Secret-001"))
HEXED = "5365637265742d303031"


def order(**changes: Any) -> ActivationOrder:
    return ActivationOrder(**{"port": PORT, "auth": AUTH, "vlans": VlanStack(svlan=2001, cvlan=101), **changes})


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def driver(device: Device) -> BbfXpon:
    return adapted(device, BbfXpon())


def adapted(device: Device, driver: BbfXpon) -> BbfXpon:
    return driver.adapted_to(device.answer(driver.facts()))


def placed(device: Device, driver: BbfXpon, **changes: Any) -> Registration:
    registration: Registration = device.drive(driver.prepare(order(**changes), new_mark()))
    return registration


def made(device: Device, driver: BbfXpon, **changes: Any) -> Registration:
    registration = placed(device, driver, **changes)
    device.drive(driver.register(registration))
    return registration


# ---------------------------------------------------------------------- a whole life


@pytest.mark.parametrize("names", [True, False], ids=["keys always", "keys where asked for"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"auth": OnuAuth(serial=AUTH.serial, password=PASSWORD)},
        {"native_vlan": False, "user_vlan": 41},
        {"service_model": "none", "vlans": None},
        {"description": "NJ-12", "confirm": True},
    ],
    ids=["serial", "password", "router", "no service", "description"],
)
def test_what_was_made_is_read_back_and_goes_without_a_trace(names: bool, changes: dict[str, Any]) -> None:
    device = Device(names=names)
    driver, before = adapted(device, BbfXpon()), device.snapshot()
    registration = made(device, driver, **changes)
    device.drive(driver.add_service(registration))
    assert len(device.edits) == 1
    state = device.drive(driver.read_back(registration))
    assert (state.onu, state.serial, state.description) == (
        registration.onu,
        AUTH.serial,
        registration.device_description,
    )
    owner = registration.ownership
    present = device.drive(driver.guard(owner, ()))
    assert present == (CreatedOnu(owner=owner),)
    assert all(left.ours for left in device.drive(driver.residue(owner, present)))
    device.drive(driver.remove(owner, present))
    assert device.snapshot() == before
    assert device.drive(driver.guard(owner, present)) == ()
    assert device.drive(driver.residue(owner, present)) == ()


def test_the_edit_says_everything_that_a_session_and_a_journal_need(device: Device, driver: BbfXpon) -> None:
    auth = OnuAuth(serial=AUTH.serial, password=PASSWORD)
    profile = NetconfProfile(revoke_after_s=600)
    driver = BbfXpon(profile, driver.support)
    registration = placed(device, driver, auth=auth)
    (change,) = changes_of(driver.register(registration))
    assert isinstance(change.request, NetconfEdit)
    assert (change.request.persist, change.request.revoke_after_s) == (registration.mark, 600)
    assert registration.mark in str(change.request)
    assert "Secret-001" not in f"{change.what} {change.request}"
    assert {"Secret-001", HEXED, HEXED.upper()} <= set(change.request.secrets)
    assert HEXED in change.request.config
    assert "Secret-001" not in change.request.config
    (undo,) = change.undo
    assert isinstance(undo, NetconfEdit)
    assert undo.ends == registration.mark
    assert undo.revoke_after_s is None
    assert undo.persist is None, "a removal that waits for its confirmation would be taken back"
    assert undo.config.count("remove") == 7
    assert changes_of(driver.add_service(registration)) == ()


def test_the_description_holds_the_mark_and_the_orders_text(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver, description="NJ-12")
    state = device.answer(driver.onu_state(registration.onu))
    assert state.description == f"{registration.mark}_NJ-12"


# ---------------------------------------------------------------------- what is chosen


def test_what_is_free_is_what_nobody_has(device: Device, driver: BbfXpon) -> None:
    registration = placed(device, driver)
    assert registration.onu == PORT.onu(1), "0 is the subscriber's"
    assert registration.resolved == {
        "partition": "CPART.0-1-0",
        "pair": "CPAIR.0-1-0",
        "tcont_profile": "TDP-TEST-1G",
        "uplink": "UPLINK.0-9-0",
        "alloc_id": "257",
        "gemport_id": "257",
    }


def test_an_id_that_shines_is_not_free_either(device: Device, driver: BbfXpon) -> None:
    device.replace_in_state("<onu-id>5</onu-id>", "<onu-id>0</onu-id>")
    found = placed(device, driver, port=OTHER, auth=OnuAuth(serial=Serial("ZTEG0000CAFE")))
    assert found.onu == OTHER.onu(1)
    assert found.resolved["partition"] == "CPART.0-1-1"
    assert found.resolved["alloc_id"] == "256", "another channel group has its own numbers"


def test_numbers_that_the_olt_chooses_are_left_to_it(device: Device, driver: BbfXpon) -> None:
    assert driver.support is not None
    features = tuple(each for each in driver.support.features if not each.startswith("configurable-"))
    support = driver.support.model_copy(update={"features": ("configurable-v-ani-onu-id", *features)})
    registration = made(device, BbfXpon(support=support))
    assert not {"alloc_id", "gemport_id"} & set(registration.resolved)
    assert not any(leaf in device.edits[0].config for leaf in ("<alloc-id>", "<gemport-id>"))
    assert "<onu-id>1</onu-id>" in device.edits[0].config


def test_an_id_is_free_in_the_whole_channel_group(device: Device, driver: BbfXpon) -> None:
    """Two partitions in one group share the numbers, whatever port they are on."""
    device.replace_in_running("<channel-group-ref>CG.0-1-1<", "<channel-group-ref>CG.0-1-0<")
    found = placed(device, driver, port=OTHER, auth=OnuAuth(serial=Serial("ZTEG0000CAFE")))
    assert found.onu == OTHER.onu(1), "0 is the subscriber's on 0/1/0"
    assert found.resolved["alloc_id"] == "257"


@pytest.mark.parametrize("technology", ["xgs", "xgpon"])
def test_other_pons_have_other_numbers(device: Device, driver: BbfXpon, technology: str) -> None:
    device.replace_in_running(">t:gpon</channel-pair-type>", f">t:{technology}</channel-pair-type>")
    assert placed(device, driver).resolved["alloc_id"] == "1024"


def test_a_full_port_is_said_to_be_full(device: Device, driver: BbfXpon) -> None:
    for number in range(1, 128):
        device.add_v_ani(f"VANI.FULL-{number}", onu_id=number, serial=f"FULL{number:08X}")
    with pytest.raises(PoolExhausted, match="all 128 ONU-IDs of 0/1/0"):
        placed(device, driver)


# ---------------------------------------------------------------------- what is refused before anything is changed


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"port": PonPort(frame=0, slot=9, port=3)}, NotFound, "no channel termination is port 0/9/3.*0/1/0, 0/1/1"),
        ({"port": OTHER}, WrongPort, "found on 0/1/0 instead of 0/1/1"),
        ({"auth": OnuAuth(serial=Serial("HWTC0B0000AA"))}, AlreadyExists, "already registered on 0/1/0:0 .*客户"),
        ({"vlans": VlanStack(svlan=800, cvlan=1001)}, VlanInUse, "S800/C1001 .* is carried by service port"),
        ({"vlans": VlanStack(svlan=800, cvlan=1003)}, VlanInUse, "S800/C1003 on UPLINK.0-9-0 .*NET.SUB-1"),
        ({"tcont_profile": "NOT_THERE"}, NotFound, "profile NOT_THERE does not exist - there are TDP-TEST-1G"),
        ({"service_model": "shared"}, NotSupported, "share"),
        ({"technology": "epon", "auth": OnuAuth(mac="00:18:82:ab:cd:ef")}, NotSupported, "EPON"),
        ({"inbound_traffic": 6, "outbound_traffic": 6}, NotSupported, "traffic tables .*tcont_profile"),
        ({"omci_style": "flow"}, NotSupported, "omci_style"),
        ({"eth_port": 2}, NotSupported, "Ethernet port 2"),
        ({"user_vlan": 7}, ConfigError, "native_vlan=False"),
        ({"auth": OnuAuth(loid=Loid(value=SecretStr("L-1")))}, NotSupported, "admits ONUs by serial-number"),
        ({"auth": OnuAuth(password=PASSWORD)}, NotSupported, "admits ONUs by serial-number.*by a serial"),
        (
            {"auth": OnuAuth(loid=Loid(value=SecretStr("L-1"), checkcode=SecretStr("c")))},
            NotSupported,
            "no checkcode",
        ),
        ({"auth": OnuAuth(serial=Serial("0102030400000001"))}, NotSupported, "01020304 is no text"),
        ({"auth": OnuAuth(serial=Serial("HWTC00000009")), "confirm": True}, NotFound, "not among the ONUs that wait"),
    ],
)
def test_an_impossible_order_is_refused_in_words(
    device: Device, driver: BbfXpon, changes: dict[str, Any], error: type[PonprobeError], words: str
) -> None:
    with pytest.raises(error, match=words):
        placed(device, driver, **changes)
    assert not device.edits


def test_vlans_clash_where_they_meet(device: Device, driver: BbfXpon) -> None:
    """On another uplink the same tags are somebody else's network; 'any' holds every tag."""
    vlans = VlanStack(svlan=800, cvlan=1003)
    device.interface("NET.SUB-1").find(".//{urn:bbf:yang:bbf-sub-interfaces}interface").text = "UPLINK.0-9-1"
    assert placed(device, driver, vlans=vlans).resolved["uplink"] == "UPLINK.0-9-0"
    device.interface("NET.SUB-1").find(".//{urn:bbf:yang:bbf-sub-interfaces}interface").text = "UPLINK.0-9-0"
    device.replace_in_running("<vlan-id>1001-1004</vlan-id>", "<vlan-id>any</vlan-id>")
    for svlan, clash in ((800, True), (801, False)):
        if not clash:
            assert placed(device, driver, vlans=VlanStack(svlan=svlan, cvlan=77))
            continue
        with pytest.raises(VlanInUse, match=r"NET\.SUB-1"):
            placed(device, driver, vlans=VlanStack(svlan=svlan, cvlan=77))


def test_what_other_families_need_is_ignored(device: Device, driver: BbfXpon) -> None:
    profile = ProfileRef(id=20)
    assert placed(device, driver, line_profile=profile, service_profile=profile, onu_type="X", gemport=3).onu


@pytest.mark.parametrize(
    ("method", "auth", "fits"),
    [
        ("registration-id", OnuAuth(password=PASSWORD), True),
        ("registration-id", AUTH, False),
        ("loid", OnuAuth(loid=Loid(value=SecretStr("L-1"))), True),
        ("loid", AUTH, False),
        ("as-per-v-ani-expected", OnuAuth(loid=Loid(value=SecretStr("L-1"))), True),
        ("as-per-v-ani-expected", AUTH, True),
        ("dot1x", AUTH, False),
        ("omci", AUTH, False),
    ],
)
def test_an_order_fits_how_the_port_admits_onus(
    device: Device, driver: BbfXpon, method: str, auth: OnuAuth, fits: bool
) -> None:
    device.replace_in_running(">serial-number</authentication-method>", f">{method}</authentication-method>")
    if not fits:
        with pytest.raises(NotSupported, match=f"admits ONUs by {method}"):
            placed(device, driver, auth=auth)
        return
    registration = made(device, driver, auth=auth)
    assert device.drive(driver.read_back(registration)).onu == registration.onu
    with pytest.raises(AlreadyExists, match=f"already registered on {registration.onu}"):
        placed(device, driver, auth=auth)


def test_a_partition_without_a_method_admits_by_serial(device: Device, driver: BbfXpon) -> None:
    device.replace_in_running("<authentication-method>serial-number</authentication-method>", "")
    assert placed(device, driver).resolved["partition"] == "CPART.0-1-0"


def test_several_profiles_or_uplinks_must_be_named(device: Device, driver: BbfXpon) -> None:
    device.replace_in_running(
        "<traffic-descriptor-profiles>",
        "<traffic-descriptor-profiles><traffic-descriptor-profile><name>TDP-2</name></traffic-descriptor-profile>",
    )
    with pytest.raises(ConfigError, match="TDP-2, TDP-TEST-1G"):
        placed(device, driver)
    assert placed(device, driver, tcont_profile="TDP-2").resolved["tcont_profile"] == "TDP-2"
    old = '<interface><name>UPLINK.0-9-0</name><type xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">'
    device.replace_in_running(old, old.replace("9-0", "9-1") + "ianaift:ethernetCsmacd</type></interface>" + old)
    with pytest.raises(ConfigError, match=r"uplink under .*UPLINK.0-9-0, UPLINK.0-9-1"):
        placed(device, driver, tcont_profile="TDP-2")
    named = BbfXpon(NetconfProfile(uplink="UPLINK.0-9-1"), driver.support)
    assert placed(device, named, tcont_profile="TDP-2").resolved["uplink"] == "UPLINK.0-9-1"
    nowhere = BbfXpon(NetconfProfile(uplink="UPLINK.X"), driver.support)
    with pytest.raises(NotFound, match=r"uplink UPLINK.X does not exist - name an interface"):
        placed(device, nowhere, tcont_profile="TDP-2")


@pytest.mark.parametrize(
    ("lost", "changes", "words"),
    [
        ("configurable-v-ani-onu-id", {}, "feature configurable-v-ani-onu-id"),
        ("tag-rewrites", {}, "feature tag-rewrites"),
        ("bbf-xpon-onu-state", {}, "module bbf-xpon-onu-state"),
        ("bbf-l2-forwarding", {}, "module bbf-l2-forwarding"),
        ("bbf-xponvani-onu-authentication", {"auth": OnuAuth(loid=Loid(value=SecretStr("L")))}, "onu-authentication"),
    ],
)
def test_what_the_olt_lacks_is_named(
    device: Device, driver: BbfXpon, lost: str, changes: dict[str, Any], words: str
) -> None:
    assert driver.support is not None
    support = driver.support.model_copy(
        update={
            "modules": {name: text for name, text in driver.support.modules.items() if name != lost},
            "features": tuple(each for each in driver.support.features if each != lost),
        }
    )
    asked = len(device.asked)
    with pytest.raises(NotSupported, match=words):
        placed(device, BbfXpon(support=support), **changes)
    assert len(device.asked) == asked, "nothing was asked"


# ---------------------------------------------------------------------- strangers


def test_a_stranger_with_our_id_is_found_when_reading_back(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver)
    device.add_v_ani("VANI.X", onu_id=registration.onu.onu_id, serial="ZTEG00000001", description="customer")
    with pytest.raises(AlreadyExists, match=r"ONU-ID 1 on 0/1/0 is taken.*VANI\.X, ZTEG00000001, 'customer'"):
        device.drive(driver.read_back(registration))
    owner = registration.ownership
    present = device.drive(driver.guard(owner, ()))
    device.drive(driver.remove(owner, present))
    assert device.interface("VANI.X") is not None
    residue = device.drive(driver.residue(owner, present))
    assert [left.ours for left in residue] == [False]
    with pytest.raises(NotOurs, match=r"0/1/0:1 .*VANI\.X"):
        device.drive(driver.guard(owner, present))


def test_the_same_id_on_another_port_is_nobodys_business(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver)
    device.add_v_ani("VANI.X", onu_id=registration.onu.onu_id, serial="ZTEG00000001", port=1)
    assert device.drive(driver.read_back(registration)).onu == registration.onu


def test_our_serial_elsewhere_is_found(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver)
    device.add_v_ani("VANI.X", onu_id=9, serial="HWTC1a2b3c4d", port=1, description="customer")
    with pytest.raises(AlreadyExists, match=r"HWTC1A2B3C4D is registered twice.*0/1/1:9"):
        device.drive(driver.read_back(registration))
    residue = device.drive(driver.residue(registration.ownership, ()))
    other = [left for left in residue if left.where == "0/1/1:9"]
    assert len(other) == 1
    assert not other[0].ours
    assert "customer" in other[0].what


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("HWTC1A2B3C4D", "HWTC99999999", "HWTC99999999"),
        (">{mark}<", ">somebody<", "somebody"),
    ],
)
def test_an_onu_under_our_name_that_is_not_ours_is_left(
    device: Device, driver: BbfXpon, old: str, new: str, words: str
) -> None:
    registration = made(device, driver)
    description = f"<description>{registration.mark}</description>"
    wanted = description if "mark" in old else old
    device.replace_in_running(wanted, description.replace(registration.mark, "somebody") if "mark" in old else new)
    with pytest.raises(NotOurs, match=words):
        device.drive(driver.guard(registration.ownership, ()))
    left = device.drive(driver.residue(registration.ownership, ()))
    assert not left[0].ours
    assert words in left[0].what


def test_what_somebody_half_removed_is_still_ours(device: Device, driver: BbfXpon) -> None:
    """The ONU is gone, sub-interface and forwarder are left: they bear our mark, and go."""
    before = device.snapshot()
    registration = made(device, driver)
    ours = [f"{kind}.{registration.mark}" for kind in ("VANI", "VENET")]
    for name in ours:
        interface = device.interface(name)
        interface.getparent().remove(interface)
    device.add_v_ani("VANI.X", onu_id=registration.onu.onu_id, serial="ZTEG00000001")
    with_stranger = device.snapshot()
    present = device.drive(driver.guard(registration.ownership, ()))
    assert len(present) == 1
    residue = device.drive(driver.residue(registration.ownership, present))
    assert {left.what.partition(",")[0] for left in residue if left.ours} == {
        f"{kind}.{registration.mark}" for kind in ("NET", "USER", "TCONT", "GEM", "FWD")
    }
    device.drive(driver.remove(registration.ownership, present))
    assert device.snapshot() != with_stranger
    stranger = device.interface("VANI.X")
    stranger.getparent().remove(stranger)
    assert device.snapshot() == before


def test_a_clash_refuses_the_whole_transaction(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver)
    before = device.snapshot()
    with pytest.raises(AlreadyExists):
        device.drive(driver.register(registration))
    assert device.snapshot() == before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<vlan-id>2001</vlan-id>", "<vlan-id>2002</vlan-id>", "USER.* does not push S2001/C101"),
        ("<interface>UPLINK.0-9-0</interface>", "<interface>OTHER</interface>", "stands on OTHER, not on UPLINK"),
        ("<interface-reference>VANI.PON", "<interface-reference>VANI.XXX", "TCONT.* stands on VANI.XXX"),
        ("<sub-interface>USER.PON", "<sub-interface>USER.XXX", "FWD.* does not join"),
        ("<onu-id>1</onu-id>", "<onu-id>2</onu-id>", "onu-id of VANI.* is 2, not 1"),
        ("<untagged/>", "", "USER.* does not push"),
    ],
)
def test_a_device_that_made_something_else_is_caught(
    device: Device, driver: BbfXpon, old: str, new: str, words: str
) -> None:
    registration = made(device, driver)
    device.replace_in_running(old, new)
    with pytest.raises(Rejected, match=words):
        device.drive(driver.read_back(registration))


def test_another_password_than_ordered_is_caught_and_not_shown(device: Device, driver: BbfXpon) -> None:
    registration = made(device, driver, auth=OnuAuth(serial=AUTH.serial, password=PASSWORD))
    device.replace_in_running(HEXED, "31323334")
    with pytest.raises(Rejected, match="does not register by the password or LOID") as refused:
        device.drive(driver.read_back(registration))
    assert "31323334" not in str(refused.value)


def test_an_onu_that_is_not_there_is_caught(device: Device, driver: BbfXpon) -> None:
    registration = placed(device, driver)
    with pytest.raises(Rejected, match=r"accepted but VANI.* is not there"):
        device.drive(driver.read_back(registration))


# ---------------------------------------------------------------------- profiles


def test_a_sites_names_and_namespaces_are_used(device: Device) -> None:
    profile = NetconfProfile(
        names={"v_ani": "onu-{mark}"}, namespaces={"bbf-xponvani": "urn:vendor:vani"}, outer_tag="c-vlan"
    )
    device.replace_in_running("urn:bbf:yang:bbf-xponvani", "urn:vendor:vani")
    device.replace_in_state("urn:bbf:yang:bbf-xponvani", "urn:vendor:vani")
    driver, before = BbfXpon(profile), device.snapshot()
    registration = made(device, driver)
    assert f"<name>onu-{registration.mark}</name>" in device.edits[0].config
    assert "urn:vendor:vani" in device.edits[0].config
    assert "urn:bbf:yang:bbf-xponvani" not in device.edits[0].config
    assert "s-vlan" not in device.edits[0].config
    assert device.drive(driver.read_back(registration)).onu == registration.onu
    device.drive(driver.remove(registration.ownership, device.drive(driver.guard(registration.ownership, ()))))
    assert device.snapshot() == before


def test_a_device_without_the_modules_of_a_service_is_not_told_of_them(device: Device, driver: BbfXpon) -> None:
    assert driver.support is not None
    lost = {"bbf-l2-forwarding", "bbf-xpongemtcont", "bbf-sub-interface-tagging"}
    modules = {name: text for name, text in driver.support.modules.items() if name not in lost}
    bare = BbfXpon(support=driver.support.model_copy(update={"modules": modules}))
    before, since = device.snapshot(), len(device.asked)
    registration = made(device, bare, service_model="none", vlans=None)
    device.drive(bare.read_back(registration))
    device.drive(bare.remove(registration.ownership, device.drive(bare.guard(registration.ownership, ()))))
    assert device.snapshot() == before
    said = " ".join([*(edit.config for edit in device.edits), *(each.filter for each in device.asked[since:])])
    assert not any(f"{name}" in said for name in ("bbf-l2-forwarding", "bbf-xpongemtcont"))


def test_the_driver_is_known_by_name_and_for_every_vendor() -> None:
    assert isinstance(driver_for("bbf_xpon"), BbfXpon)
    other = netconf_driver_for(driver_for("huawei_smartax"), NetconfProfile(name="site"))
    assert isinstance(other, BbfXpon)
    assert other.profile.name == "site"
