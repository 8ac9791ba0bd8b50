"""The readers that the driver calls: what they return, and what they refuse to take for an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ponprobe.drivers.huawei import parse
from ponprobe.errors import AlreadyExists, DeviceError, ParseError, Rejected, ResourceBusy
from ponprobe.flow import Cli
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.optical import Absence, Dbm

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "huawei_smartax"
PORT = PonPort.parse("0/2/5")
ONU = OnuRef.parse("0/3/2:9")
VIEW = "config-if-gpon-0/3"


def raw(case: str) -> str:
    return (FIXTURES / f"{case}.raw").read_bytes().decode("utf-8")


# ---------------------------------------------------------------------- lists are whole or an error


TABLE = "display_ont_info_all/descriptions_that_look_like_errors"


def test_onu_table() -> None:
    states = parse.onu_table(raw(TABLE), PORT)
    assert [state.onu.onu_id for state in states if state.onu] == [0, 1, 127]
    assert states[0].serial == Serial("LABU00000C00")
    assert states[0].description == "Failure: Cafe"
    assert parse.onu_table(raw("display_ont_info_all/two_ports"), PonPort.parse("0/2/11"))[0].description == "two"


def test_an_empty_port_is_an_empty_tuple() -> None:
    assert parse.onu_table("  In port 0/ 2/ 5 , the total of ONTs are: 0\n", PORT) == ()
    assert parse.onu_table(raw("display_ont_info_all/no_ont"), PORT) == ()
    assert parse.onu_table("lab#display ont info 0 2 5 all\n  Failure: The ONT does not exist\n\nlab#", PORT) == ()


@pytest.mark.parametrize(
    ("reader", "case", "old", "new"),
    [
        (parse.onu_table, TABLE, "ONTs are: 3", "ONTs are: 4"),
        (parse.onu_table, TABLE, "  In port 0/ 2/5 , the total of ONTs are: 3, online: 2", ""),
        (parse.onu_table, TABLE, "  0/ 2/5    1  4C", "  a stranger\r\n  0/ 2/5    1  4C"),
        (parse.onu_table, "display_ont_info_summary/with_offline", "are: 2", "are: 3"),
        (parse.service_ports, "display_service_port/odd_flows", "Total : 8", "Total : 9"),
        (parse.service_ports, "display_service_port/odd_flows", "  -    -    down", "  -    -    sideways"),
        (parse.autofind, "display_ont_autofind/two_old_firmware", "ONT is 2", "ONT is 3"),
        (parse.autofind, "display_ont_autofind/two_old_firmware", "   Loid ", "   a stranger\r\n   Loid "),
        (parse.macs, "display_mac_address/of_one_onu", "Total: 1", "Total: 2"),
        (parse.optical_table, "display_ont_optical_info_all/offline_and_out_of_range", "2.31 ", "2,31 "),
        (parse.boards, "display_board/frame", "H901GPHF   Normal", "?"),
    ],
)
def test_a_list_that_does_not_add_up_raises(reader, case: str, old: str, new: str) -> None:
    text = raw(case)
    reader(text)
    assert old in text
    with pytest.raises(ParseError):
        reader(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("reader", "case"),
    [
        (parse.onu_table, "display_ont_info_all/broken_off"),
        (parse.autofind, "display_ont_autofind/stops_at_pager"),
        (parse.service_ports, "display_service_port/cut_in_a_row"),
    ],
)
def test_a_list_that_was_cut_raises(reader, case: str) -> None:
    with pytest.raises(ParseError, match="incomplete"):
        reader(raw(case))


@pytest.mark.parametrize(
    "reader",
    [
        parse.onu_table, parse.service_ports, parse.macs, parse.autofind, parse.boards, parse.version, parse.onu_detail,
        parse.onu_optical, parse.optical_table, parse.port_states, parse.next_free_index, parse.vlan_exists,
        parse.line_profile, parse.service_profile,
    ],
)  # fmt: skip
def test_silence_and_strangers_are_no_answer(reader) -> None:
    for body in ("", "  A text that nobody has seen before\n"):
        with pytest.raises(ParseError):
            reader(f"lab(config)#display something\n{body}\nlab(config)#")


@pytest.mark.parametrize("reader", [parse.onu_table, parse.service_ports, parse.onu_optical, parse.vlan_exists])
def test_a_refusal_raises(reader) -> None:
    with pytest.raises(ResourceBusy):
        reader("lab#display it\n  Failure: System is busy, please retry after a while\n\nlab#")
    with pytest.raises(Rejected) as caught:
        reader("lab#display it\n    ^\n  % Unknown command, the error locates at '^'\n\nlab#")
    assert caught.value.refused == "unknown_command"


def test_nothing_found_is_empty() -> None:
    assert parse.service_ports(raw("display_service_port/none")) == ()
    assert parse.macs(raw("display_mac_address/none")) == ()
    assert parse.autofind(raw("display_ont_autofind/none")) == ()


# ---------------------------------------------------------------------- one ONU


def test_onu_detail_and_its_absence() -> None:
    state = parse.onu_detail(raw("display_ont_info/by_sn_xgpon"))
    assert state is not None
    assert state.onu == ONU
    assert state.online
    assert parse.onu_detail(raw("display_ont_info/absent")) is None
    with pytest.raises(DeviceError):
        parse.onu_detail("lab#display ont info 0 3 2 9\n  Failure: This board does not exist\n\nlab#")


def test_offline_is_a_status() -> None:
    found = parse.onu_optical(raw("display_ont_optical_info/not_online"), ONU)
    assert found.onu == ONU
    assert found.onu_rx_dbm is None
    assert set(found.absent.values()) == {Absence.OFFLINE}
    assert {"onu_rx_dbm", "onu_tx_dbm", "olt_rx_dbm"} <= found.absent.keys()


def test_optics_of_one_and_of_all() -> None:
    weak = parse.onu_optical(raw("display_ont_optical_info/weak_with_pager"), ONU)
    assert (weak.olt_rx_dbm, weak.absent) == (Dbm(-29.1), {})
    table = parse.optical_table(raw("display_ont_optical_info_all/offline_and_out_of_range"), ONU.port)
    assert [row.onu for row in table] == [ONU.port.onu(0), ONU.port.onu(1), ONU.port.onu(127)]
    assert table[2].absent["olt_rx_dbm"] is Absence.OUT_OF_RANGE


def test_port_state() -> None:
    text = raw("display_port_state/all")
    assert parse.port_state(text, PonPort.parse("0/3/0")).olt_tx_dbm == Dbm(4.05)
    assert parse.port_state(text, PonPort.parse("0/3/2")).absent["olt_tx_dbm"] is Absence.OFFLINE
    with pytest.raises(ParseError, match="0 times"):
        parse.port_state(text, PonPort.parse("0/3/9"))


# ---------------------------------------------------------------------- configuration


def test_profiles_and_vlans() -> None:
    line = parse.line_profile(raw("display_ont_lineprofile/one"))
    assert line is not None
    assert line.gemports == (6, 7)
    assert parse.line_profile("lab#display x\n  Failure: The profile does not exist\n\nlab#") is None
    assert parse.service_profile("lab#display x\n  Failure: The service profile does not exist\n\nlab#") is None
    assert parse.vlan_exists("lab#display vlan 9\n  VLAN ID: 9\n  VLAN name: V\n\nlab#")
    assert not parse.vlan_exists("lab#display vlan 9\n  Failure: VLAN does not exist\n\nlab#")


def test_next_free_index() -> None:
    text = "lab#display service-port next-free-index\n  Next valid free service virtual port ID: 77\n\nlab#"
    assert parse.next_free_index(text) == 77


# ---------------------------------------------------------------------- changes


def test_ont_add_names_what_it_made() -> None:
    request = Cli("ont add 2 9 sn-auth 4C41425500000E01", view=VIEW)
    assert parse.ont_add(raw("ont_add/echo_wrapped_at_column_80"), request).onu == "0/3/2:9"
    assert parse.ont_add("  Number of ONTs that can be added: 1, success: 1\n  PortID :2, ONTID :9\n").onu == "2:9"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("  Failure: SN already exists\n", AlreadyExists),
        ("  Number of ONTs that can be added: 1, success: 0\n", Rejected),
        ("  Number of ONTs that can be added: 1, success: 1\n  Failure: SN already exists\n", AlreadyExists),
        ("", ParseError),
        ("  Something was done\n", ParseError),
    ],
)
@pytest.mark.parametrize("reader", [parse.ont_add, parse.ont_delete])
def test_a_counter_or_no_success(reader, body: str, error: type[Exception]) -> None:
    request = Cli("ont it 2 9", view=VIEW)
    with pytest.raises(error):
        reader(f"lab({VIEW})#ont it 2 9\n{body}\nlab({VIEW})#", request)


def test_silence_is_acceptance_and_strangers_are_not() -> None:
    request = Cli("undo service-port 5", view="config")
    assert parse.write("lab(config)#undo service-port 5\n\nlab(config)#", request).outcome == "ok"
    repeated = "  Failure: Make configuration repeatedly\n"
    assert parse.write(f"lab(config)#undo service-port 5\n{repeated}\nlab(config)#", request).text == repeated.strip()
    with pytest.raises(AlreadyExists):
        parse.ont_add(f"lab(config)#undo service-port 5\n{repeated}\nlab(config)#", request)
    with pytest.raises(ParseError):
        parse.write("lab(config)#undo service-port 5\n  Something odd\n\nlab(config)#", request)
    with pytest.raises(Rejected):
        parse.write("lab(config)#undo service-port 5\n  Set it, success: 1, failed: 1\n\nlab(config)#", request)


def test_secrets_of_a_request_stay_out_of_its_errors() -> None:
    request = Cli("ont add 2 9 password-auth HUSH", view=VIEW, secrets=("HUSH",))
    text = f"lab({VIEW})#ont add 2 9 password-auth HUSH\n  Failure: Password already exists\n\nlab({VIEW})#"
    with pytest.raises(AlreadyExists) as caught:
        parse.ont_add(text, request)
    assert "HUSH" not in str(caught.value)
    assert "HUSH" not in caught.value.output
