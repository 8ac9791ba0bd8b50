"""The questions over NETCONF: who shines, who is registered, and whose the powers are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from bbf_device import AT, Device
from ponprobe.drivers.bbf.driver import BbfXpon
from ponprobe.errors import NotFound, NotSupported, ParseError
from ponprobe.flow import NetconfGet, NetconfReply
from ponprobe.models.acceptance import ActivationOrder, new_mark
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.device import DiscoveredOnu
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.optical import Absence, Dbm, OpticalReading
from ponprobe.models.service import VlanStack

PORT = PonPort(frame=0, slot=1, port=0)
OTHER = PonPort(frame=0, slot=1, port=1)
ONU = PORT.onu(0)
POWERS = ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")
DOWN = "onu-not-present-with-v-ani"
ON = "onu-present-and-on-intended-channel-termination"


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def driver(device: Device) -> BbfXpon:
    first = BbfXpon()
    return first.adapted_to(device.answer(first.facts()))


def values(reading: OpticalReading) -> list[float | None]:
    return [None if each.value is None else each.value.value for each in (getattr(reading, name) for name in POWERS)]


# ---------------------------------------------------------------------- who is where


def test_what_shines_and_is_not_configured_is_discovered(device: Device, driver: BbfXpon) -> None:
    found = device.answer(driver.discovered())
    assert [(str(each.port), str(each.serial)) for each in found] == [
        ("0/1/0", "HWTC1A2B3C4D"),
        ("0/1/1", "ZTEG0000CAFE"),
    ]
    assert [str(each.serial) for each in device.answer(driver.discovered(OTHER))] == ["ZTEG0000CAFE"]
    assert "CT.0-1-0" not in device.asked[-1].filter, "of one port only its own list is read"


def test_the_configuration_decides_what_is_registered(device: Device, driver: BbfXpon) -> None:
    """The state says 'on its intended port' of an ONU that somebody has removed, and 'unknown' of one just added."""
    device.add_v_ani("VANI.NEW", onu_id=7, serial="HWTC1A2B3C4D")
    gone = device.interface("VANI.SUB-1")
    gone.getparent().remove(gone)
    assert [str(each.serial) for each in device.answer(driver.discovered(PORT))] == ["HWTC0B0000AA"]


def test_one_that_is_configured_elsewhere_and_unknown_here_waits_here(device: Device, driver: BbfXpon) -> None:
    device.add_v_ani("VANI.NEW", onu_id=7, serial="HWTC1A2B3C4D", port=1)
    assert [str(each.serial) for each in device.answer(driver.discovered(PORT))] == ["HWTC1A2B3C4D"]


def test_nobodys_password_is_read_without_need(device: Device, driver: BbfXpon) -> None:
    secret = "<expected-registration-id>31323334</expected-registration-id>"
    device.replace_in_running("<preferred-channel-pair>CPAIR", f"{secret}<preferred-channel-pair>CPAIR")
    sent = "<detected-registration-id>31323334</detected-registration-id>"
    device.replace_in_state("<onu-id>5</onu-id>", f"<onu-id>5</onu-id>{sent}")
    order = ActivationOrder(
        port=PORT, auth=OnuAuth(serial=Serial("HWTC1A2B3C4D")), vlans=VlanStack(svlan=2001, cvlan=101)
    )
    registration = device.drive(driver.prepare(order, new_mark()))
    device.drive(driver.register(registration))
    device.drive(driver.read_back(registration))
    device.drive(driver.residue(registration.ownership, device.drive(driver.guard(registration.ownership, ()))))
    questions = (driver.discovered(), driver.onus(PORT), driver.find(Serial("HWTC0B0000AA")), driver.onu_state(ONU))
    for routes in (*questions, driver.optical(ONU), driver.service_ports(PORT), driver.service_ports(ONU)):
        device.answer(routes)
    assert not any("31323334" in text for text in device.replies)


def test_a_password_that_the_onu_sent_is_a_secret(device: Device, driver: BbfXpon) -> None:
    sent = "<detected-registration-id>31323300000000000000</detected-registration-id>"
    device.replace_in_state("<onu-id>5</onu-id>", sent)
    text = etree.tostring(device.state[1], encoding="unicode")
    found = driver.parse(None, None, text).records[-1]
    assert isinstance(found, DiscoveredOnu)
    assert found.password is not None
    assert found.password.get_secret_value() == "123"
    assert "123" not in repr(found)


def test_state_distance_and_description(device: Device, driver: BbfXpon) -> None:
    state = device.answer(driver.onu_state(ONU))
    assert state == device.answer(driver.onus(PORT))[0] == device.answer(driver.find(Serial("HWTC0B0000AA")))
    assert state.onu == ONU
    assert state.online
    assert (state.distance_m, state.description, state.auth_type) == (1432.0, "客户 1 / 南京", "serial")
    assert device.answer(driver.onu_state(PORT.onu(1))) is None
    assert device.answer(driver.find(Serial("HWTC00000000"))) is None
    assert device.answer(driver.onus(OTHER)) == ()


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (ON, "online"),
        (DOWN, "offline"),
        ("onu-present-and-v-ani-known-and-o5-failed-undefined", "present and v ani known and o5 failed undefined"),
        ("onu-present-and-emergency-stopped", "present and emergency stopped"),
    ],
)
def test_states_by_their_words(device: Device, driver: BbfXpon, state: str, word: str) -> None:
    device.replace_in_state(f">t:{ON}<", f">t:{state}<")
    assert device.answer(driver.onu_state(ONU)).run_state == word


def test_one_that_no_list_names_is_offline(device: Device, driver: BbfXpon) -> None:
    device.replace_in_state("<detected-serial-number>HWTC0B0000AA</", "<detected-serial-number>HWTC0B0000AB</")
    device.replace_in_state("onu-present-on-this-olt", "not-present-on-this-olt")
    state = device.answer(driver.onu_state(ONU))
    assert (state.run_state, state.distance_m) == ("offline", None)


def test_a_state_of_the_v_ani_itself_counts_first(device: Device, driver: BbfXpon) -> None:
    leaf = f'<onu-presence-state xmlns:p="urn:bbf:yang:bbf-xpon-onu-types">p:{DOWN}</onu-presence-state>'
    device.replace_in_state("<onu-id>0</onu-id><onu-present-on", f"<onu-id>0</onu-id>{leaf}<onu-present-on")
    assert device.answer(driver.onu_state(ONU)).run_state == "offline"


def test_without_presence_lists_the_v_ani_is_all_there_is(device: Device, driver: BbfXpon) -> None:
    assert driver.support is not None
    modules = {name: text for name, text in driver.support.modules.items() if name != "bbf-xpon-onu-state"}
    bare = BbfXpon(support=driver.support.model_copy(update={"modules": modules}))
    assert device.answer(bare.onu_state(ONU)).run_state == "present"
    with pytest.raises(NotSupported, match="module bbf-xpon-onu-state"):
        device.answer(bare.discovered())


def test_services_and_addresses(device: Device, driver: BbfXpon) -> None:
    (row,) = device.answer(driver.service_ports(PORT))
    assert (row.svlan, row.cvlan, row.inner_vlan, row.onu, row.gemport) == (800, 1001, 1001, ONU, 256)
    assert device.answer(driver.service_ports(ONU)) == (row,)
    assert device.answer(driver.service_ports(OTHER)) == device.answer(driver.service_ports(PORT.onu(9))) == ()
    assert [each.mac for each in device.answer(driver.macs(ONU))] == ["00:1b:21:00:00:01"], "not the network's side"
    assert device.answer(driver.macs(PORT.onu(9))) == ()


def test_an_address_of_another_is_not_ours_even_if_the_server_filters_badly(device: Device, driver: BbfXpon) -> None:
    get, forwarding = device.get, etree.tostring(device.state[2], encoding="unicode")

    def whole(request: NetconfGet) -> NetconfReply:
        reply = get(request)
        return reply if "addresses" not in request.what else replace(reply, data=f"<data>{forwarding}</data>")

    device.get = whole  # type: ignore[method-assign]
    assert [each.mac for each in device.answer(driver.macs(ONU))] == ["00:1b:21:00:00:01"]


def test_an_onu_that_may_be_on_two_ports_is_on_none(device: Device, driver: BbfXpon) -> None:
    """Two channel pairs serve one partition, and the ONU prefers neither: no guess is made."""
    device.replace_in_running("CPART.0-1-1</channel-partition-ref>", "CPART.0-1-0</channel-partition-ref>")
    device.replace_in_running("<preferred-channel-pair>CPAIR.0-1-0</preferred-channel-pair>", "")
    assert device.answer(driver.onus(PORT)) == device.answer(driver.onus(OTHER)) == ()
    found = device.answer(driver.find(Serial("HWTC0B0000AA")))
    assert (found.onu, found.description) == (None, "客户 1 / 南京")


def test_tags_that_are_made_at_the_networks_side_are_found_there(device: Device, driver: BbfXpon) -> None:
    device.replace_in_running("<vlan-id>1001-1004</vlan-id>", "<vlan-id>1001</vlan-id>")
    user = device.interface("USER.SUB-1")
    for tag in list(user.iter("{urn:bbf:yang:bbf-sub-interface-tagging}push-tag")):
        tag.getparent().remove(tag)
    for where in (PORT, ONU):
        (row,) = device.answer(driver.service_ports(where))
        assert (row.svlan, row.cvlan) == (800, 1001)


def test_no_forwarding_database_no_road_to_addresses(driver: BbfXpon) -> None:
    assert driver.support is not None
    bare = BbfXpon(support=driver.support.model_copy(update={"features": ()}))
    assert bare.macs(ONU) == {}
    assert bare.conflicts(Serial("HWTC0B0000AA")) == {}


def test_boards_and_ports(device: Device, driver: BbfXpon) -> None:
    (board,) = device.answer(driver.boards())
    assert (board.frame, board.slot, board.board, board.ports, board.status) == (0, 1, "PON-16", 2, "enabled")
    assert device.answer(driver.pon_ports()) == (PORT, OTHER)


# ---------------------------------------------------------------------- powers


def test_a_port_s_own_optics(device: Device, driver: BbfXpon) -> None:
    state = device.answer(driver.pon_port(PORT))
    assert state.olt_tx_dbm.value == state.optical.olt_tx_dbm == Dbm(3.25)
    assert (state.optical.bias_ma, state.optical.temperature_c, state.optical.voltage_v) == (12.3, 41.5, 3.31)
    assert "ponlink-0-1-0" in (state.olt_tx_dbm.source or "")
    assert state.olt_tx_dbm.at == AT
    other = device.answer(driver.pon_port(OTHER))
    assert other.olt_tx_dbm.value == Dbm(3.01), "2.0 mW"
    assert other.olt_tx_dbm.printed == "2 mW"
    with pytest.raises(NotFound, match="no channel termination is port 0/1/7"):
        device.answer(driver.pon_port(PonPort(frame=0, slot=1, port=7)))


def test_four_powers_with_their_sources(device: Device, driver: BbfXpon) -> None:
    reading = device.answer(driver.optical(ONU))
    assert values(reading) == [3.25, -22.1, 2.31, -19.8]
    assert reading.complete
    assert "rssi-onu/rssi of ponlink-0-1-0" in (reading.olt_rx_dbm.source or "")
    assert "in the box with serial HWTC0B0000AA" in (reading.onu_rx_dbm.source or "")
    assert values(device.answer(driver.optical_port(PORT))[0]) == values(reading)
    assert values(device.answer(driver.optical_board(0, 1))[0]) == values(reading)
    assert device.answer(driver.optical_board(0, 2)) == device.answer(driver.optical_port(OTHER)) == ()
    with pytest.raises(NotFound, match="no ONU 0/1/0:9"):
        device.answer(driver.optical(PORT.onu(9)))


@pytest.mark.parametrize(
    ("leaf", "value", "absence"),
    [
        ("<power-dbm><transmit>undetermined</transmit></power-dbm>", None, Absence.NOT_REPORTED),
        ("<power-dbm><transmit>-41</transmit></power-dbm>", None, Absence.OUT_OF_RANGE),
        ("<power-milliwatts><transmit>0.0000</transmit></power-milliwatts>", None, Absence.NO_SIGNAL),
        ("<power-milliwatts><transmit>-1</transmit></power-milliwatts>", None, Absence.OUT_OF_RANGE),
        ("<power-milliwatts><transmit>0.0010</transmit></power-milliwatts>", -30.0, None),
        ("<power-milliwatts><transmit>0.0001</transmit></power-milliwatts>", -40.0, None),
        ("<tx-power>20</tx-power>", None, Absence.UNSUPPORTED),
        ("", None, Absence.NOT_REPORTED),
        # the clearest unit counts, whatever stands beside it
        ("<tx-power>1</tx-power><power-dbm><transmit>2.5</transmit></power-dbm>", 2.5, None),
    ],
)
def test_units_are_never_mixed_up(
    device: Device, driver: BbfXpon, leaf: str, value: float | None, absence: Absence | None
) -> None:
    device.replace_in_state("<power-dbm><transmit>3.25</transmit></power-dbm>", leaf)
    reading = device.answer(driver.pon_port(PORT)).olt_tx_dbm
    assert (None if reading.value is None else reading.value.value) == value
    assert reading.absence is absence
    if "<tx-power>20" in leaf:
        assert "20 in tx-power" in (reading.printed or "")
        assert "profile must say" in (reading.printed or "")


@pytest.mark.parametrize(("unit", "dbm"), [("0.1 mW", 3.01), ("0.1 uW", None)])
def test_the_old_leaf_counts_what_the_profile_says(
    device: Device, driver: BbfXpon, unit: Any, dbm: float | None
) -> None:
    device.replace_in_state("<power-dbm><transmit>3.25</transmit></power-dbm>", "<tx-power>20</tx-power>")
    told = BbfXpon(NetconfProfile(power_unit=unit), driver.support)
    reading = device.answer(told.pon_port(PORT)).olt_tx_dbm
    assert reading.value == (Dbm(dbm) if dbm is not None else Dbm(-26.99)), "20 tenths of a milliwatt, or microwatt"
    assert unit in (reading.source or "")


@pytest.mark.parametrize("text", ["abc", "nan", "1e999", "3,25"])
def test_text_that_is_no_power_is_not_guessed_at(device: Device, driver: BbfXpon, text: str) -> None:
    device.replace_in_state("<transmit>3.25<", f"<transmit>{text}<")
    with pytest.raises(ParseError, match=f"power-dbm/transmit: '{text}' is no power"):
        device.answer(driver.optical(ONU))


def test_an_rssi_that_the_olt_does_not_know_is_absent(device: Device, driver: BbfXpon) -> None:
    device.replace_in_state("<rssi>-221</rssi>", "<rssi>unknown</rssi>")
    reading = device.answer(driver.optical(ONU))
    assert reading.olt_rx_dbm.absence is Absence.NOT_REPORTED
    assert reading.olt_rx_dbm.printed == "unknown"
    assert reading.onu_rx_dbm.value == Dbm(-19.8)


def test_an_onu_without_a_serial_is_heard_by_the_name_of_its_v_ani(device: Device, driver: BbfXpon) -> None:
    device.replace_in_running("<expected-serial-number>HWTC0B0000aa</expected-serial-number>", "")
    assert device.answer(driver.optical(ONU)).olt_rx_dbm.value == Dbm(-22.1)


def test_anothers_rssi_is_never_taken(device: Device, driver: BbfXpon) -> None:
    """The OLT's v-ani reference is old: under our v-ani's name it hears another ONU."""
    device.replace_in_state(
        "<detected-serial-number>HWTC0B0000AA</detected-serial-number><rssi>",
        "<detected-serial-number>HWTC0B0000AB</detected-serial-number><rssi>",
    )
    assert device.answer(driver.optical(ONU)).olt_rx_dbm.absence is Absence.NOT_REPORTED


# ---------------------------------------------------------------------- whose link it is


def unlinked(device: Device) -> None:
    """The ONU's components as the notes' server shows them: names, and nothing that leads to the ONU."""
    device.replace_in_state("<serial-num>HWTC0B0000AA</serial-num>", "")


def test_the_only_onu_has_the_only_link(device: Device, driver: BbfXpon) -> None:
    unlinked(device)
    reading = device.answer(driver.optical(ONU))
    assert values(reading) == [3.25, -22.1, 2.31, -19.8]
    assert "the only ONU's transceiver on this OLT" in (reading.onu_rx_dbm.source or "")


def test_with_two_onus_a_link_that_nothing_leads_to_is_nobodys(device: Device, driver: BbfXpon) -> None:
    unlinked(device)
    device.add_v_ani("VANI.2", onu_id=3, serial="ZTEG0000CAFE", port=1)
    types = 'xmlns:t="urn:bbf:yang:bbf-xpon-onu-types"'
    before = f"ZTEG0000CAFE</detected-serial-number><onu-presence-state {types}>t:"
    device.replace_in_state(f"{before}onu-present-and-no-v-ani-known-and-o5-failed-undefined", f"{before}{ON}")
    for onu in (ONU, OTHER.onu(3)):
        reading = device.answer(driver.optical(onu))
        assert reading.onu_rx_dbm.absence is reading.onu_tx_dbm.absence is Absence.NOT_REPORTED
        assert "which transceiver" in (reading.onu_rx_dbm.printed or "")
    assert values(device.answer(driver.optical(ONU)))[:2] == [3.25, -22.1]


def test_the_only_onu_must_be_ours(device: Device, driver: BbfXpon) -> None:
    unlinked(device)
    device.replace_in_state("<detected-serial-number>HWTC0B0000AA</detected-serial-number><onu-pr",
                            "<detected-serial-number>HWTC0B0000AB</detected-serial-number><onu-pr")  # fmt: skip
    assert device.answer(driver.optical(ONU)).onu_rx_dbm.absence is Absence.NOT_REPORTED


def test_a_second_live_link_makes_it_unclear(device: Device, driver: BbfXpon) -> None:
    unlinked(device)
    device.replace_in_state(
        "</hardware>",
        '<component><name>other</name><transceiver-link xmlns="urn:bbf:yang:bbf-hardware-transceivers"><diagnostics>'
        "<power-dbm><receive>-20</receive></power-dbm></diagnostics></transceiver-link></component></hardware>",
    )
    assert device.answer(driver.optical(ONU)).onu_rx_dbm.absence is Absence.NOT_REPORTED


@pytest.mark.parametrize("turned", [False, True], ids=["from the ani", "from the v-ani"])
def test_the_link_table_leads_to_it(device: Device, driver: BbfXpon, turned: bool) -> None:
    unlinked(device)
    ends = ("VANI.SUB-1", "ANI.SUB-1") if turned else ("ANI.SUB-1", "VANI.SUB-1")
    device.apply(
        f'<link-table xmlns="urn:bbf:yang:bbf-link-table"><link-table><from-interface>{ends[0]}</from-interface>'
        f"<to-interface>{ends[1]}</to-interface></link-table></link-table>"
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface '
        'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="create"><name>ANI.SUB-1</name>'
        '<hardware-component xmlns="urn:bbf:yang:bbf-hardware"><port-layer-if>ONU.SUB-1.anilink</port-layer-if>'
        "</hardware-component></interface></interfaces>"
    )
    device.add_v_ani("VANI.2", onu_id=3, serial="ZTEG0000CAFE", port=1)
    reading = device.answer(driver.optical(ONU))
    assert values(reading) == [3.25, -22.1, 2.31, -19.8]
    assert "linked by ANI.SUB-1" in (reading.onu_rx_dbm.source or "")


@pytest.mark.parametrize("template", ["ONU.{name}.anilink", "ONU.SUB-1.anilink"])
def test_the_profile_names_it(device: Device, driver: BbfXpon, template: str) -> None:
    unlinked(device)
    told = BbfXpon(NetconfProfile(onu_component=template), driver.support)
    reading = device.answer(told.optical(ONU))
    assert values(reading) == [3.25, -22.1, 2.31, -19.8]
    assert "named by the profile" in (reading.onu_rx_dbm.source or "")
    assert "<component><name/>" not in device.asked[-1].filter, "no other component was asked for"


def test_an_olt_that_shows_no_onu_hardware_leaves_it_to_other_roads(device: Device, driver: BbfXpon) -> None:
    device.replace_in_state("ONU.SUB-1.anilink</name>", "x</name>")
    device.replace_in_state("<receive>-19.8</receive>", "")
    unlinked(device)
    reading = device.answer(driver.optical(ONU))
    assert values(reading) == [3.25, -22.1, None, None]


def test_an_olt_without_transceivers_says_so(device: Device, driver: BbfXpon) -> None:
    assert driver.support is not None
    modules = {name: text for name, text in driver.support.modules.items() if "transceivers" not in name}
    bare = BbfXpon(support=driver.support.model_copy(update={"modules": modules}))
    for routes in (bare.optical(ONU), bare.pon_port(PORT), bare.optical_port(PORT)):
        with pytest.raises(NotSupported, match="module bbf-hardware-transceivers"):
            device.answer(routes)


def test_a_termination_that_names_no_hardware_is_found_by_who_it_hears(device: Device, driver: BbfXpon) -> None:
    device.replace_in_running("<port-layer-if>ponlink-0-1-0</port-layer-if>", "")
    assert values(device.answer(driver.optical(ONU)))[:2] == [3.25, -22.1]
    assert device.answer(driver.pon_port(PORT)).olt_tx_dbm.absence is Absence.NOT_REPORTED


def test_replies_stay_small_whatever_else_is_configured(device: Device, driver: BbfXpon) -> None:
    """100 other ONUs: what is asked of one, and before and after a change, does not grow with them."""

    def sizes() -> list[int]:
        since = len(device.replies)
        device.answer(driver.onu_state(ONU))
        device.answer(driver.optical(ONU))
        device.answer(driver.service_ports(ONU))
        device.answer(driver.pon_port(PORT))
        return [len(text) for text in device.replies[since:]]

    before = sizes()
    for number in range(1, 101):
        device.add_v_ani(f"VANI.N{number}", onu_id=number, serial=f"FULL{number:08X}")
    assert sizes() == before
