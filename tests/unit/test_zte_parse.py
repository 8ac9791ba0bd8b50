"""The readers that the ZTE driver calls: what they return, and what they refuse to take for an answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import goldens
from ponprobe.drivers.zte import parse
from ponprobe.drivers.zte.dialect import TITAN, ZXAN
from ponprobe.errors import AlreadyExists, DeviceError, ParseError, Rejected
from ponprobe.flow import Cli
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.optical import Absence, Dbm
from ponprobe.redact import Scrubber

ZXAN_NAME, TITAN_NAME = "zte_zxan", "zte_titan"
ONU = OnuRef.parse("1/2/5:5")


def raw(case: str, platform: str = ZXAN_NAME) -> str:
    return goldens.raw(platform, case)


# ---------------------------------------------------------------------- lists are whole or an error


@pytest.mark.parametrize(
    ("reader", "case", "old", "new"),
    [
        (parse.states, "show_gpon_onu_state/o7_state", "ONU Number: 1/2", "ONU Number: 1/3"),
        (parse.states, "show_gpon_onu_state/o7_state", "gpon-onu_1/2/5:5 ", "a stranger\r\ngpon-onu_1/2/5:5 "),
        (parse.states, "show_gpon_onu_state/o7_state", "operation    working", "working"),
        (parse.states, "show_gpon_onu_state/two_ports", "1/1/9:1 ", "1/1/9 "),
        (parse.baseinfo, "show_gpon_onu_baseinfo/type_goes_on_below", "-T10", "two strangers"),
        (parse.baseinfo, "show_gpon_onu_baseinfo/type_goes_on_below", "                    -T10", "-T10"),
        (parse.cards, "show_card/c300", "GTGOE ", "GTGOE GTGOF "),
        (parse.cards, "show_card/c300", "INSERVICE", "in service"),
        (parse.cards, "show_card/c300", "Rack Shelf", "Shelf"),
        (parse.waiting, "show_pon_onu_uncfg/two_words_and_epon", " PW", " Colour"),
        (parse.waiting, "show_pon_onu_uncfg/two_words_and_epon", "gpon-olt_1/1/3 ", "a stranger "),
        (parse.waiting, "show_pon_onu_uncfg/two_words_and_epon", "LABU00000C04", "LABU00000C0-"),
        (parse.macs, "show_mac_gpon_onu/two", "address : 2", "address : 3"),
        (parse.macs, "show_mac_gpon_onu/two", "02dc.0294.a5cd", "02dc.0294.a5c"),
        (parse.attenuation, "show_pon_power_attenuation/ok", "-20.850(dbm)", "-20,850(dbm)"),
        (parse.attenuation, "show_pon_power_attenuation/ok", " down ", " sideways "),
        (parse.attenuation, "show_pon_power_attenuation/ok", " down    Tx", " up      Rx"),
        (lambda text: parse.powers(text, "onu-rx"), "show_pon_power_onu_rx/one_away_over_two_pages", "N/A", "weak"),
        (parse.detail, "show_gpon_onu_detail_info/working", "  Type: ", "  a stranger\r\n  Type: "),
        (parse.by_serial, "show_gpon_onu_by_sn/hit", "gpon-onu_1/4/1:2", "somewhere"),
        (parse.by_serial, "show_gpon_onu_by_sn/hit", "gpon-onu_1/4/1:2", "gpon-onu_1/4/1:2\r\ngpon-onu_1/4/1:3"),
    ],
)
def test_an_answer_that_does_not_add_up_raises(reader, case: str, old: str, new: str) -> None:
    text = raw(case)
    reader(text)
    assert old in text
    with pytest.raises(ParseError):
        reader(text.replace(old, new, 1))


def test_a_table_that_was_cut_raises() -> None:
    with pytest.raises(ParseError, match="incomplete"):
        parse.states(raw("show_gpon_onu_state/cut_in_a_row"))
    with pytest.raises(ParseError, match="incomplete"):
        parse.states(raw("show_gpon_onu_state/o7_state").split("ONU Number")[0] + " --More-- ")


@pytest.mark.parametrize(
    "reader",
    [
        parse.states, parse.baseinfo, parse.cards, parse.waiting, parse.macs, parse.attenuation, parse.detail,
        parse.by_serial, parse.epon_states, parse.module, lambda text: parse.powers(text, "olt-rx"),
        lambda text: parse.port_tx(text, ONU.port), lambda text: parse.names(text, "show gpon profile tcont"),
        lambda text: parse.port_onus(text, "gpon-olt_1/2/5"), lambda text: parse.onu_config(text, "gpon-onu_1/2/5:5"),
        parse.configured_services,
    ],
)  # fmt: skip
def test_silence_strangers_and_refusals_are_no_answer(reader) -> None:
    for body in ("", "  A text that nobody has seen before\n"):
        with pytest.raises(ParseError):
            reader(f"LAB#show something\n{body}LAB#")
    with pytest.raises(DeviceError) as caught:
        reader("LAB#show something\n     ^\n%Error 20200: Invalid input detected at '^' marker.\nLAB#")
    assert caught.value.refused == "unknown_command"


def test_nothing_is_empty() -> None:
    nothing = "LAB#show it\n%Code 62310-GPONSRV : No related information to show.\nLAB#"
    assert parse.states(nothing) == parse.baseinfo(nothing) == parse.macs(nothing) == parse.waiting(nothing) == ()
    assert parse.powers(nothing, "onu-tx") == ()
    assert parse.by_serial(nothing) is None
    assert parse.detail(nothing) is None
    assert parse.smart_qinq(nothing) == ()
    assert parse.names(nothing, "show gpon profile tcont") == frozenset()
    assert parse.port_tx(nothing, ONU.port).absent == {"olt_tx_dbm": Absence.NOT_REPORTED}


# ---------------------------------------------------------------------- the family


def test_the_family_is_told_by_the_heading_and_by_nothing_else() -> None:
    assert parse.cards(raw("show_card/c300")).family == ZXAN_NAME
    assert parse.cards(raw("show_card/c600", TITAN_NAME)).family == TITAN_NAME
    titan_in_a_c300 = raw("show_card/c600", TITAN_NAME).replace("GFGL", "GTGH")
    assert parse.cards(titan_in_a_c300).family == TITAN_NAME


def test_facts_are_put_together_from_what_is_known() -> None:
    card, refused = raw("show_card/c300"), "LAB#show it\n%Error 20200: Invalid input\nLAB#"
    facts = parse.facts(card, raw("show_version_running/cards_differ"), raw("show_system_group/wrapped_at_column_80"))
    assert (facts.family, facts.model, facts.version) == (ZXAN_NAME, "C320", "V2.1.0")
    assert parse.facts(card, refused, refused).version == "V1.2.5P3", "as the cards say"
    assert parse.facts(card, "LAB#show it\nA text that nobody knows\nLAB#").model is None


# ---------------------------------------------------------------------- powers


def test_four_powers_and_what_the_device_makes_of_them() -> None:
    found = parse.attenuation(raw("show_pon_power_attenuation/ok"), ONU)
    assert (found.olt_tx_dbm, found.onu_rx_dbm) == (Dbm(4.23), Dbm(-18.21))
    assert (found.onu_tx_dbm, found.olt_rx_dbm) == (Dbm(2.868), Dbm(-20.85))
    half = parse.attenuation(raw("show_pon_power_attenuation/second_row_swallowed"), ONU)
    assert half.onu_rx_dbm is None
    assert half.absent["onu_rx_dbm"] is Absence.GARBLED


POWER = st.one_of(st.none(), st.integers(-40_000, 12_000).map(lambda milli: milli / 1000))


@given(olt_rx=POWER, onu_tx=POWER, olt_tx=POWER, onu_rx=POWER, blank=st.booleans(), indent=st.integers(0, 12))
def test_any_page_of_powers_reads_back(olt_rx, onu_tx, olt_tx, onu_rx, *, blank: bool, indent: int) -> None:
    def cell(power: float | None, away: str = "N/A") -> str:
        return away if power is None else f"{power:.3f}(dbm)"

    gap = " " * indent
    text = (
        f"{gap}   OLT    ONU   Attenuation\n{gap}----------\n"
        f"{gap} up      Rx :{cell(olt_rx, 'no signal'):<18}Tx:{cell(onu_tx):<18} N/A   \n{' ' * blank}"
        f"{chr(10) * blank}{gap} down    Tx :{cell(olt_tx):<18}Rx:{cell(onu_rx):<18} 22.440(dB)\n"
    )
    found = parse.attenuation(text, ONU)
    powers = (found.olt_rx_dbm, found.onu_tx_dbm, found.olt_tx_dbm, found.onu_rx_dbm)
    assert [None if power is None else round(power.value, 3) for power in powers] == [olt_rx, onu_tx, olt_tx, onu_rx]
    assert (found.absent.get("olt_rx_dbm") is Absence.NO_SIGNAL) == (olt_rx is None)


ROW = st.tuples(st.integers(1, 128), st.sampled_from(["working", "LOS", "DyingGasp", "OffLine", "syncMib", "Logging"]))


@given(rows=st.lists(ROW, unique_by=lambda row: row[0]), layout=st.sampled_from(["o7", "channel", "speed"]))
def test_any_table_of_states_reads_back(rows: list[tuple[int, str]], layout: str) -> None:
    heading = {
        "o7": "OnuIndex               Admin State  OMCC State   O7 State     Phase State",
        "channel": "OnuIndex     Admin State  OMCC State  Phase State  Channel",
        "speed": "   OnuIndex     Admin state  OMCC state  Phase state  Speed mode",
    }[layout]
    form = {
        "o7": "gpon-onu_1/2/5:{id:<8} enable  disable  operation  {phase}   ",
        "channel": "1/2/5:{id:<5}  enable  enable  {phase:<12} 1(GPON)",
        "speed": "   1/2/5:{id:<5}  enable  enable  {phase:<12} GPON",
    }[layout]
    lines = [heading, "-" * 60, *(form.format(id=number, phase=phase) for number, phase in rows)]
    text = "\r\n".join([*lines, f"ONU Number: 0/{len(rows)}"])
    found = parse.states(text)
    assert [(state.onu.onu_id, state.run_state) for state in found if state.onu] == [
        (number, phase.lower()) for number, phase in rows
    ]
    with pytest.raises(ParseError):
        parse.states(text.replace(f"0/{len(rows)}", f"0/{len(rows) + 1}"))


# ---------------------------------------------------------------------- configurations


def test_used_ids_come_from_the_ports_configuration() -> None:
    first, second = parse.port_onus(raw("show_running_config/port"), "gpon-olt_1/3/12")
    assert (first.onu.onu_id, first.onu_type, first.serial) == (1, "F660", Serial("LABU00000C20"))
    assert (second.onu.onu_id, second.serial, second.secret) == (7, None, "0123456789")
    assert "0123456789" not in repr(second)


def test_an_onu_line_that_is_not_understood_is_no_free_id() -> None:
    text = raw("show_running_config/port").replace("type ALL", "kind ALL")
    with pytest.raises(ParseError, match="unknown line"):
        parse.port_onus(text, "gpon-olt_1/3/12")
    with pytest.raises(ParseError):
        parse.port_onus(raw("show_running_config/port"), "gpon-olt_1/3/13")


def test_a_mac_stands_for_an_epon_onu() -> None:
    (entry,) = parse.port_onus(raw("show_running_config/epon_port"), "epon-olt_1/2/2")
    assert (entry.mac, entry.onu_type) == ("02:aa:64:96:f4:69", "ALL-EPON")


def test_what_an_onu_holds() -> None:
    config = parse.onu_config(raw("show_running_config/onu_qinq"), "gpon-onu_1/2/5:4")
    assert config.description == "service-port of a customer"
    assert config.tconts == {1: "UP-50M"}
    assert config.gemports == {1: "Internet"}
    assert [service.index for service in config.services] == [1, 2, 11]
    masked = parse.onu_config(raw("show_running_config/vports", TITAN_NAME), "gpon_onu-1/1/1:1")
    assert masked.description is None
    assert parse.omci_lines(raw("show_running_config/vports", TITAN_NAME), "gpon_onu-1/1/1:1") == (
        "service vlan311 gemport 1 vlan 311",
        "vlan port eth_0/1 mode tag vlan 311",
    )


@pytest.mark.parametrize("text", ["none", "ONU-1:1", "N/A", "", "********"])
def test_what_the_device_fills_in_is_nobodys_text(text: str) -> None:
    config = f"interface gpon-onu_1/2/5:4\n  description {text}\n!\nend\n"
    assert parse.onu_config(config, "gpon-onu_1/2/5:4").description is None


def test_a_service_port_of_another_form_raises() -> None:
    text = raw("show_running_config/onu_qinq").replace("user-vlan 30", "user-colour 30")
    with pytest.raises(ParseError, match="service-port 2"):
        parse.configured_services(text)


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ("gpon-olt_1/2/4   3001-3300   2001   --   OK", (range(3001, 3301), 2001)),
        ("epon-olt_1/4/1  1001  1300  -  7  2001  OK", (range(1001, 1301), 2001)),
        ("vlan-smart-qinq ingress-port epon-olt_1/4/1 cvlan 1001 to 1300 svlan 2001", (range(1001, 1301), 2001)),
        ("vlan-smart-qinq ingress-port epon-olt_1/4/1 cvlan 45 svlan 401 newcos 7", (range(45, 46), 401)),
        ("epon-olt_1/4/1   45   401   OK", (range(45, 46), 401)),
    ],
)
def test_shared_outer_tags(row: str, want: tuple[range, int]) -> None:
    ((_, cvlans, svlan),) = parse.smart_qinq(f"LAB#show vlan-smart-qinq\nPort  and so on\n{row}\nLAB#")
    assert (cvlans, svlan) == want


def test_a_shared_outer_tag_that_is_not_in_force_or_not_understood() -> None:
    assert parse.smart_qinq("show vlan-smart-qinq\nepon-olt_1/4/1   45   401   FAIL") == ()
    for row in ("epon-olt_1/4/1  some", "epon-olt_1/4/1  1300-1001  2001 OK", "epon-olt_1/4/1  45 5000 OK"):
        with pytest.raises(ParseError):
            parse.smart_qinq(f"show vlan-smart-qinq\n{row}")


# ---------------------------------------------------------------------- changes

CHANGE = Cli("gemport 1 tcont 1", view="config-if-gpon-onu_1/2/5:5")


def test_silence_is_accepted_where_the_device_keeps_silent() -> None:
    assert parse.accepted("gemport 1 tcont 1\nLAB(config-if)#", CHANGE).outcome == "ok"
    with pytest.raises(ParseError, match="no word of success"):
        parse.confirmed("onu 3 type T sn S\nLAB(config-if)#", Cli("onu 3 type T sn S"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("%Code 62391-GPONSRV : The entry is existed.\n  This is a re-create operation", AlreadyExists),
        ("%Code 99999-NEWSRV : Something that nobody has seen.", Rejected),
        ("..[Successful]\n%Code 62330-GPONSRV : Parameter exceeds range.", Rejected),
        ("%Error 140303: Invalid input detected at '^' marker.", Rejected),
    ],
)
def test_a_refusal_anywhere_in_the_answer_is_one_and_names_the_command(said: str, kind: type[DeviceError]) -> None:
    with pytest.raises(kind, match=re.escape("gemport 1 tcont 1")):
        parse.accepted(f"gemport 1 tcont 1\n{said}\nLAB(config-if)#", CHANGE)


@pytest.mark.parametrize("said", ["Maybe.", "[Failed]", "1 row"])
def test_unknown_words_after_a_change_are_no_success(said: str) -> None:
    with pytest.raises(ParseError):
        parse.accepted(f"gemport 1 tcont 1\n{said}\nLAB(config-if)#", CHANGE)


# ---------------------------------------------------------------------- how it talks


@pytest.mark.parametrize(
    ("prompt", "view"),
    [
        ("ZXAN>", "user"),
        ("LO.Berkah-Pati.v2#", "enable"),
        ("LAB(config)#", "config"),
        ("LAB(config-if)#", "config-if"),
        ("LAB(gpon-onu-mng)#", "gpon-onu-mng"),
        ("LAB(gpon-onu-mng 1/8/2:50)#", "gpon-onu-mng"),
        ("LAB(epon-onu-mng)#", "epon-onu-mng"),
        ("LAB(config-if-gpon_olt-1/2/1)#", "config-if-gpon_olt-1/2/1"),
        ("LAB(config-if-vport-1/2/1.3:1)#", "config-if-vport-1/2/1.3:1"),
        ("LAB(config-gpon-onu-mng)# ", "config-gpon-onu-mng"),
    ],
)
def test_prompts(prompt: str, view: str) -> None:
    match = ZXAN.prompt.fullmatch(prompt)
    assert match is not None
    assert ZXAN.view_of(match) == view


@pytest.mark.parametrize("line", ["  Password:", "!<xpon>", "$", "> show it", "8$$Budi Santoso$$", "gpon-onu_1/2/3:4"])
def test_no_prompts(line: str) -> None:
    assert ZXAN.prompt.fullmatch(line) is None
    assert ZXAN.login.password.search(line) is None


def test_both_families_talk_alike_so_that_either_can_be_found_under_the_other() -> None:
    for name in ("prompt", "pager", "login", "errors", "confirm", "setup", "secret_fields", "alarms"):
        assert getattr(TITAN, name) is getattr(ZXAN, name), name


@pytest.mark.parametrize("dialect", [ZXAN, TITAN])
def test_the_way_into_every_view_shows_what_the_prompt_says(dialect) -> None:
    onu, port = ("gpon-onu_1/2/5:4", "gpon-olt_1/2/5") if dialect is ZXAN else ("gpon_onu-1/2/5:4", "gpon_olt-1/2/5")
    moves = dialect.moves("user", f"config-if-{port}")
    assert [line for line, _ in moves] == ["enable", "configure terminal", f"interface {port}"]
    assert [line for line, _ in dialect.moves(f"config-if-{port}", f"pon-onu-mng-{onu}")] == [
        "exit",
        f"pon-onu-mng {onu}",
    ]
    assert dialect.shown(f"config-if-{port}") == ("config-if" if dialect is ZXAN else f"config-if-{port}")


@pytest.mark.parametrize(
    "line",
    [
        "  Password:            S3cretPw",
        "  onu 7 type ALL pw S3cretPw",
        "  onu 7 type ALL loid S3cretPw password S3cretPw",
        "gpon_olt-1/1/15     PU-X910              HWTCAF48ED18       S3cretPw",
        "gpon-onu_1/1/1:3    F660        pw      PW:S3cretPw           ready",
    ],
)
def test_secrets_in_answers_are_covered(line: str) -> None:
    covered = Scrubber(fields=[ZXAN.secret_fields]).scrub(f"LAB#show it\n{line}\nLAB#")
    assert "S3cretPw" not in covered
    assert "***" in covered


@pytest.mark.parametrize("case", goldens.cases(ZXAN_NAME))
def test_pages_without_secrets_stay_as_they_are(case: str) -> None:
    text = raw(case)
    if not re.search(r"pw |PW|loid", text):
        assert Scrubber(fields=[ZXAN.secret_fields]).scrub(text) == text


def test_addresses_of_ports_and_onus() -> None:
    assert PonPort.parse("gpon_olt-1/3/1") == PonPort.parse("1/3/1")
