"""ZTE over SNMP: which column is asked in which tree, what its numbers mean, and what is never guessed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.drivers.zte import snmp_columns as table
from ponprobe.drivers.zte.snmp import ZTE_SNMP, ZteSnmp
from ponprobe.drivers.zte.snmp_index import (
    Place,
    all_places,
    bridge_place,
    locate,
    named,
    new_index,
    numbered,
    old_index,
    places_in,
    service_index,
    service_place,
)
from ponprobe.errors import NotFound, NotSupported, ParseError
from ponprobe.flow import Missing, Oid, SnmpGet, SnmpReply, SnmpValue, SnmpWalk
from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.optical import Absence, Dbm
from ponprobe.transports.snmp import SnmpSettings, open_snmp

P = PonPort.parse
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
PORT = P("1/2/3")
A, B = old_index(PORT), new_index(PORT)
G, L, N = table.G, table.L, table.N
SERIAL = b"ZTEG\x0b\x00\x0e\xa9"
Rows = Mapping[str, SnmpValue]


def column_of(oid: Oid) -> Oid:
    """What stands before the index: a port's number (28 bits and more), or a VLAN and a port's number."""
    column = oid[: next((at for at, arc in enumerate(oid) if arc >= 1 << 28), len(oid) - 1)]
    return column[:-1] if column[-1] > 999 else column


class Agent:
    """Rows by OID; a column is known if it has a row or is named. Keeps what it was asked."""

    def __init__(self, rows: Rows, *columns: str) -> None:
        self.rows = {tuple(map(int, oid.split("."))): value for oid, value in rows.items()}
        self._columns = {tuple(map(int, column.split("."))) for column in columns} | {*map(column_of, self.rows)}
        self.asked: list[SnmpGet | SnmpWalk] = []

    def answer(self, request: SnmpGet | SnmpWalk) -> SnmpReply:
        self.asked.append(request)
        if isinstance(request, SnmpWalk):
            size = len(request.prefix)
            rows = {oid: value for oid, value in sorted(self.rows.items()) if oid[:size] == request.prefix}
            return SnmpReply(request, rows, AT)
        return SnmpReply(request, {oid: self._value(oid) for oid in request.oids}, AT)

    def _value(self, oid: Oid) -> SnmpValue:
        if oid in self.rows:
            return self.rows[oid]
        known = any(oid[: len(column)] == column for column in self._columns)
        return Missing.NO_SUCH_INSTANCE if known else Missing.NO_SUCH_OBJECT

    def run(self, flow: Generator[Any, SnmpReply, Any]) -> Any:
        try:
            request = next(flow)
            while True:
                request = flow.send(self.answer(request))
        except StopIteration as end:
            return end.value

    @property
    def slow(self) -> list[Oid]:
        """What was asked with more patience: what the device fetches from its ONUs."""
        gets = (request for request in self.asked if isinstance(request, SnmpGet) and request.timeout_s)
        return [oid for request in gets for oid in request.oids]


def if_name(index: int, name: str) -> dict[str, SnmpValue]:
    return {f"1.3.6.1.2.1.31.1.1.1.1.{index}": name.encode()}


def an_olt(*rows: Rows, name: str = "gpon_1/2/3", if_index: int = B) -> Agent:
    known = [f"{L}.1010.11.2.1.2", f"{N}.500.1.2.4.2.1.2"]
    merged: dict[str, SnmpValue] = {**if_name(if_index, name)}
    for each in rows:
        merged.update(each)
    return Agent(merged, *(known if not rows else []))


# ---------------------------------------------------------------------- indexes


def test_numbers_of_the_field() -> None:
    assert {old_index(P(port)) for port in ("1/1/1", "1/1/8", "1/2/1", "1/3/1")} == {
        268501248,
        268503040,
        268566784,
        268632320,
    }
    assert [new_index(P(port)) for port in ("1/1/1", "1/2/1", "1/3/1", "1/5/16", "1/4/3")] == [
        *(285278465, 285278721, 285278977, 285279504, 285279235)
    ]
    assert numbered(P("1/1/1"))[268435456] == "zero_based"
    assert numbered(P("1/4/3"))[268632576] == "zero_based"
    assert {slot: next(n for n, way in numbered(P(f"1/{slot}/1")).items() if way.endswith("c300")) >> 16 & 255
            for slot in (2, 9, 12, 22)} == {2: 0, 9: 7, 12: 8, 22: 18}  # fmt: skip
    assert [service_index(24, vport) for vport in (1, 2, 3, 4)] == [404226304, 404226560, 404226816, 404227072]
    assert service_place(404227072) == (24, 4)
    assert bridge_place(0x10000000 | 24 << 16 | 2 << 8) == (24, 2)
    assert service_place(0x10000000) is bridge_place(404226304) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (b"gpon_1/2/3", ("1/2/3", "gpon")),
        (b"gpon_olt-1/2/3", ("1/2/3", "gpon")),
        (b"gpon-olt_1/2/3", ("1/2/3", "gpon")),
        (b"xgspon_olt-1/2/3", ("1/2/3", "gpon")),
        (b"epon_1/5/1", ("1/5/1", "epon")),
    ],
)
def test_names_of_pon_ports(name: bytes, meant: tuple[str, str]) -> None:
    assert named(name) == (P(meant[0]), meant[1])


@pytest.mark.parametrize("name", [b"gei_1/4/1", b"Mng1", b"gpon_onu-1/2/3:1", b"", Missing.NO_SUCH_INSTANCE, 3])
def test_names_of_anything_else(name: object) -> None:
    assert named(name) is None


def test_the_same_number_is_another_port_in_another_build() -> None:
    zero = an_olt(name="gpon_1/2/2", if_index=268501248).run(locate(P("1/2/2")))
    one = an_olt(name="gpon_1/1/1", if_index=268501248).run(locate(P("1/1/1")))
    assert (zero.scheme, one.scheme) == ("zero_based", "one_based")
    # 1012 and 1015 count as ever
    assert zero.index("old") == old_index(P("1/2/2")) != zero.if_index
    assert (one.index("old"), one.index("if")) == (268501248, 268501248)


@pytest.mark.parametrize("way", ["shelf", "zero_based", "zero_based_c300", "one_based"])
def test_one_get_finds_a_port_in_each_way_of_counting(way: str) -> None:
    (index,) = (number for number, scheme in numbered(PORT).items() if scheme == way)
    olt = an_olt(if_index=index)
    assert olt.run(locate(PORT)) == Place(PORT, "gpon", index, way)  # type: ignore[arg-type]
    assert len(olt.asked) == 1
    assert olt.run(all_places()) == (Place(PORT, "gpon", index, way),)  # type: ignore[arg-type]


def test_a_way_of_counting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ParseError, match=r"no known way .*436207616 1/2/3"):
        an_olt(if_index=436207616).run(locate(PORT))
    # each port fits a way, but not the same one
    mixed = {new_index(P("1/1/1")): b"gpon_1/1/1", old_index(P("1/1/2")): b"gpon_1/1/2"}
    with pytest.raises(ParseError, match="no known way"):
        places_in(mixed)
    with pytest.raises(ParseError, match="names no PON port"):
        Agent({}).run(locate(PORT))


def test_the_channels_of_a_combo_port_are_no_ports() -> None:
    names = {B: b"gpon_olt-1/2/3", 0x51010203: b"xgspon_olt-1/2/3"}
    assert [place.if_index for place in places_in(names)] == [B]


def test_a_port_that_is_not_there() -> None:
    for port in ("1/9/1", "1/2/99", "0/1/0"):
        with pytest.raises(NotFound, match=f"no PON port {port}"):
            an_olt().run(locate(P(port)))


def test_epon_is_not_read() -> None:
    with pytest.raises(NotSupported, match="EPON"):
        an_olt(name="epon_1/2/3").run(ZteSnmp().onus(PORT))


# ---------------------------------------------------------------------- optics

OLD_RX, OLD_TX = f"{G}.50.12.1.1.10.{A}.7.1", f"{G}.50.12.1.1.14.{A}.7.1"
NEW_RX, NEW_TX = f"{N}.500.20.2.2.2.1.10.{B}.7.1", f"{N}.500.20.2.2.2.1.14.{B}.7.1"
OLD_OLT_RX, NEW_OLT_RX = f"{L}.1010.11.2.1.2.{A}.7", f"{N}.500.1.2.4.2.1.2.{B}.7"
OLD_PHASE, NEW_PHASE = f"{G}.28.2.1.4.{A}.7", f"{N}.500.10.2.3.8.1.4.{B}.7"
OLD_OLT_TX, NEW_OLT_TX = f"{L}.3.1.13.1.4.{B}", f"{N}.30.40.2.4.1.3.{B}"
ONU = PORT.onu(7)
C320: Rows = {OLD_PHASE: 3, NEW_OLT_RX: -21_345, OLD_RX: 3314, NEW_TX: 16138, NEW_OLT_TX: 3325}
C600: Rows = {NEW_PHASE: 4, NEW_OLT_RX: -21_345, NEW_RX: 3314, NEW_TX: 16138, NEW_OLT_TX: 3325}
C300: Rows = {OLD_PHASE: 3, OLD_OLT_RX: -21_345, OLD_RX: 3314, OLD_TX: 16138, OLD_OLT_TX: 3325}


@pytest.mark.parametrize("rows", [C320, C600, C300], ids=["c320", "c600", "c300"])
@pytest.mark.parametrize("whole_port", [False, True])
def test_four_powers_from_whatever_tree_has_them(rows: Rows, whole_port: bool) -> None:
    olt = an_olt(rows)
    found = olt.run(ZteSnmp().optical_port(PORT))[0] if whole_port else olt.run(ZteSnmp().optical(ONU))
    assert found.onu == ONU
    assert [reading.value for reading in found.powers.values()] == [
        Dbm(3.325),
        Dbm(-21.345),
        Dbm(2.276),
        Dbm(-23.372),
    ]
    assert all(reading.at == AT and reading.source.startswith("snmp: ") for reading in found.powers.values())
    assert found.onu_rx_dbm.source == f"snmp: get {OLD_RX if OLD_RX in rows else NEW_RX}"


def test_the_c600_family_is_asked_in_one_tree_only() -> None:
    olt = an_olt({**C600, f"{N}.500.20.2.2.2.1.19.{B}.7.1": 11805, f"{N}.500.20.2.2.2.1.17.{B}.7.1": 164})
    found = olt.run(ZteSnmp(titan=True).optical(ONU))
    olt.run(ZteSnmp(titan=True).optical_port(PORT))
    olt.run(ZteSnmp(titan=True).onus(PORT))
    olt.run(ZteSnmp(titan=True).onu_state(ONU))
    assert (found.temperature_c, found.voltage_v, found.bias_ma) == (pytest.approx(46.11, abs=0.01), 3.28, None)
    oids = [
        oid for request in olt.asked for oid in (request.oids if isinstance(request, SnmpGet) else [request.column])
    ]
    assert not [oid for oid in oids if oid[:7] == (1, 3, 6, 1, 4, 1, 3902) and oid[7] != 1082]


@pytest.mark.parametrize(
    ("raw", "power"),
    [(3314, -23.372), (16138, 2.276), (3459, -23.082), (5635, -18.73), (6227, -17.546), (65_535 - 999, -32.0)],
)
def test_steps_of_two_thousandths(raw: int, power: float) -> None:
    found = an_olt(C600, {NEW_RX: raw, NEW_TX: 16138}).run(ZteSnmp().optical(ONU))
    assert found.onu_rx_dbm.value == Dbm(power)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (65_535, "not_reported"),
        (65_534, "not_reported"),
        (-1, "not_reported"),
        (2_147_483_647, "not_reported"),
        (0x8000, "not_reported"),
        (0, "out_of_range"),
        (32_000, "out_of_range"),
        (Missing.NO_SUCH_INSTANCE, "not_reported"),
        (b"\0\1", "garbled"),
    ],
)
def test_what_is_no_power_of_an_onu(raw: SnmpValue, why: str) -> None:
    found = an_olt(C600, {NEW_RX: raw, NEW_TX: raw}).run(ZteSnmp().optical(ONU))
    assert (found.onu_rx_dbm.absence, found.onu_tx_dbm.absence) == (why, why)
    if why == "out_of_range":
        assert found.onu_rx_dbm.printed == f"raw value {raw}"


@pytest.mark.parametrize(
    ("raw", "why"),
    [(-80_000, "no_signal"), (65_535_000, "offline"), (-1_000, "not_reported"), (2_147_483_647, "not_reported"),
     (-60_000, "out_of_range"), (9_000, "out_of_range")],
)  # fmt: skip
def test_what_is_no_power_at_the_olt(raw: int, why: str) -> None:
    for rows, column in ((C600, NEW_OLT_RX), (C300, OLD_OLT_RX)):
        assert an_olt(rows, {column: raw}).run(ZteSnmp().optical(ONU)).olt_rx_dbm.absence == why


def test_an_onu_that_does_not_work_is_not_asked() -> None:
    for rows, change in ((C600, {NEW_PHASE: 5}), (C320, {OLD_PHASE: 4})):
        for whole_port in (False, True):
            olt = an_olt(rows, change)
            found = olt.run(ZteSnmp().optical_port(PORT))[0] if whole_port else olt.run(ZteSnmp().optical(ONU))
            assert olt.slow == []
            assert (found.onu_rx_dbm.absence, found.onu_tx_dbm.absence) == ("offline", "offline")
            assert found.onu_rx_dbm.source is not None
            assert found.olt_tx_dbm.value == Dbm(3.325)


def test_an_onu_whose_phase_is_no_known_one_is_simply_not_read() -> None:
    for rows in ({**C600, NEW_PHASE: 0}, {**C600, NEW_PHASE: b"?"}, {NEW_OLT_RX: -80_000}):
        olt = an_olt(rows)
        found = olt.run(ZteSnmp().optical(ONU))
        assert olt.slow == []
        assert (found.onu_rx_dbm.absence, found.onu_tx_dbm.absence) == ("not_read", "not_read")


def test_columns_that_no_tree_has_are_unsupported() -> None:
    rows = {key: value for key, value in C320.items() if key not in {OLD_RX, NEW_TX, NEW_OLT_TX}}
    found = an_olt(rows).run(ZteSnmp().optical(ONU))
    assert [found.powers[name].absence for name in ("olt_tx_dbm", "onu_tx_dbm", "onu_rx_dbm")] == ["unsupported"] * 3
    # no tree tells the phase: an ONU that the OLT receives is asked
    olt = an_olt({key: value for key, value in C320.items() if key != OLD_PHASE})
    assert olt.run(ZteSnmp().optical(ONU)).complete
    with pytest.raises(NotSupported):
        an_olt({OLD_OLT_TX: 3325}).run(ZteSnmp().optical_port(PORT))


def test_an_onu_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="no ONU 1/2/3:8"):
        an_olt(C320).run(ZteSnmp().optical(PORT.onu(8)))


def test_onus_are_asked_a_few_at_a_time_and_in_one_tree() -> None:
    rows: dict[str, SnmpValue] = {}
    for onu in range(1, 12):
        rows |= {f"{G}.28.2.1.4.{A}.{onu}": 3 if onu != 5 else 6, f"{N}.500.1.2.4.2.1.2.{B}.{onu}": -20_000}
        rows |= {f"{G}.50.12.1.1.10.{A}.{onu}.1": 5000, f"{N}.500.20.2.2.2.1.14.{B}.{onu}.1": 16_000}
    olt = an_olt(rows)
    found = olt.run(ZteSnmp().optical_port(PORT))
    assert [each.onu.onu_id for each in found] == list(range(1, 12))
    assert [each.onu_rx_dbm.value for each in found] == [Dbm(-20.0) if n != 5 else None for n in range(1, 12)]
    gets = [request for request in olt.asked if isinstance(request, SnmpGet) and request.timeout_s]
    # the first one shows which tree has what
    assert [len(get.oids) for get in gets] == [4, 8, 8, 2]
    assert {get.timeout_s for get in gets} == {ZTE_SNMP.slow_timeout_s}
    walks = [request for request in olt.asked if isinstance(request, SnmpWalk)]
    assert all(walk.index in {(A,), (B,)} for walk in walks)


# ---------------------------------------------------------------------- ports


def test_a_port_by_its_own_number_and_by_its_interface() -> None:
    module = {f"{N}.30.40.2.4.1.{number}": value for number, value in ((3, 3780), (5, 17850), (6, 3240), (7, 1490))}
    module[f"{N}.30.40.2.4.1.8"] = 36_750
    # a build whose IF-MIB counts from zero: 1082 may go by its own number or by the interface
    (zero,) = (number for number, way in numbered(PORT).items() if way == "zero_based")
    for index, if_index in ((B, B), (B, zero), (zero, zero)):
        rows = {f"{column}.{index}": value for column, value in module.items()}
        rows[f"1.3.6.1.2.1.2.2.1.8.{if_index}"] = 1
        found = an_olt(rows, if_index=if_index).run(ZteSnmp().pon_port(PORT))
        assert found.olt_tx_dbm.value == found.optical.olt_tx_dbm == Dbm(3.78)
        assert found.optical.port_state == "up"
        told = found.optical
        assert (told.bias_ma, told.voltage_v, told.wavelength_nm, told.temperature_c) == (17.85, 3.24, 1490, 36.75)
        assert told.absent == {}


def test_modules_of_1015_go_by_the_interface() -> None:
    (zero,) = (number for number, way in numbered(PORT).items() if way == "zero_based_c300")
    rows = {f"{L}.3.1.13.1.{n}.{zero}": v for n, v in ((4, 3325), (9, 23_030), (10, 3226), (11, 1490), (12, 41_406))}
    # the port that has this number in 1012 is another one
    rows[f"{L}.3.1.13.1.4.{A}"] = 5000
    found = an_olt(rows, if_index=zero).run(ZteSnmp().pon_port(PORT))
    assert found.olt_tx_dbm.value == Dbm(3.325)
    assert found.optical.temperature_c == 41.406


def test_an_empty_cage() -> None:
    found = an_olt({NEW_OLT_TX: 2_147_483_647}).run(ZteSnmp().pon_port(PORT))
    assert found.olt_tx_dbm.absence == "not_reported"
    assert found.optical.absent["temperature_c"] == "unsupported"


# ---------------------------------------------------------------------- ONUs

NEW_ONU: Rows = {
    f"{N}.500.10.2.3.3.1.1.{B}.7": b"TEST-1GE",
    f"{N}.500.10.2.3.3.1.3.{B}.7": b"PONPROBE_0a1b2c3d",
    f"{N}.500.10.2.3.3.1.5.{B}.7": 1,
    f"{N}.500.10.2.3.3.1.6.{B}.7": SERIAL,
    f"{N}.500.10.2.3.8.1.1.{B}.7": 1,
    f"{N}.500.10.2.3.8.1.7.{B}.7": 9,
    f"{N}.500.10.2.3.10.1.2.{B}.7": 3793,
}
OLD_ONU: Rows = {
    f"{G}.28.1.1.1.{A}.7": b"TEST-1GE",
    f"{G}.28.1.1.3.{A}.7": b"PONPROBE_0a1b2c3d",
    f"{G}.28.1.1.5.{A}.7": SERIAL,
    f"{G}.28.1.1.12.{A}.7": 1,
    f"{G}.28.2.1.1.{A}.7": 1,
    f"{G}.28.2.1.7.{A}.7": 9,
    f"{G}.11.4.1.2.{A}.7": 3793,
}
PHASES = ["logging", "los", "syncmib", "working", "dyinggasp", "authfailed", "offline"]


@pytest.mark.parametrize(("at", "word"), list(enumerate(PHASES)))
@pytest.mark.parametrize("new", [False, True], ids=["old", "new"])
def test_phases_are_off_by_one_between_the_trees(at: int, word: str, new: bool) -> None:
    olt = an_olt({**NEW_ONU, NEW_PHASE: at + 1} if new else {**OLD_ONU, OLD_PHASE: at})
    state = olt.run(ZteSnmp().onu_state(ONU))
    assert state.run_state == word
    assert state.online is (word == "working")
    assert (state.serial, state.onu_type, state.auth_type) == (Serial("ZTEG0B000EA9"), "TEST-1GE", "sn")
    assert (state.description, state.admin_state) == ("PONPROBE_0a1b2c3d", "enable")
    assert (state.distance_m, state.last_down_cause) == (3793.0, "9 power-off/dying-gasp")
    assert (state,) == olt.run(ZteSnmp().onus(PORT))
    assert state == olt.run(ZteSnmp().find(Serial("ZTEG0B000EA9")))
    assert state.absent == {}


def test_numbers_that_no_list_names_stay_numbers() -> None:
    for rows, phase in (({**NEW_ONU, NEW_PHASE: 0}, "unknown(0)"), ({**OLD_ONU, OLD_PHASE: 7}, "unknown(7)")):
        state = an_olt(rows).run(ZteSnmp().onu_state(ONU))
        assert (state.run_state, state.online) == (phase, False)
    odd = an_olt(NEW_ONU, {NEW_PHASE: 7, f"{N}.500.10.2.3.8.1.7.{B}.7": 77}).run(ZteSnmp().onu_state(ONU))
    assert odd.last_down_cause == "unknown(77)"


def test_an_onu_without_readings() -> None:
    rows = {f"{N}.500.10.2.3.3.1.6.{B}.7": b"", f"{N}.500.10.2.3.10.1.2.{B}.7": 0, NEW_PHASE: 7}
    state = an_olt(NEW_ONU, rows).run(ZteSnmp().onu_state(ONU))
    assert (state.serial, state.distance_m) == (None, None)
    assert state.absent == {"serial": Absence.NOT_REPORTED, "distance_m": Absence.OFFLINE}


def test_an_onu_that_one_table_only_knows_is_listed_all_the_same() -> None:
    rows = {f"{G}.28.1.1.1.{A}.9": b"TEST-1GE", f"{G}.28.2.1.7.{A}.9": 2, f"{G}.11.4.1.2.{A}.12": 5}
    first, second = an_olt(OLD_ONU, {OLD_PHASE: 3}, rows).run(ZteSnmp().onus(PORT))
    assert (first.onu, second.onu) == (ONU, PORT.onu(9))
    assert (second.serial, second.run_state, second.last_down_cause) == (None, None, "2 LOS")
    assert second.absent == dict.fromkeys(("serial", "run_state", "distance_m"), Absence.NOT_REPORTED)


def test_a_second_tree_is_read_where_the_first_one_is_empty() -> None:
    # both trees have the columns, and this port has rows in one of them only
    elsewhere = {f"{G}.28.1.1.5.{old_index(P('1/3/1'))}.1": SERIAL, f"{G}.28.2.1.4.{old_index(P('1/3/1'))}.1": 3}
    (state,) = an_olt(NEW_ONU, {NEW_PHASE: 4}, elsewhere).run(ZteSnmp().onus(PORT))
    assert (state.serial, state.run_state) == (Serial("ZTEG0B000EA9"), "working")


def test_no_onu_and_no_list() -> None:
    olt = an_olt(OLD_ONU, {OLD_PHASE: 3})
    assert olt.run(ZteSnmp().onu_state(PORT.onu(8))) is None
    assert olt.run(ZteSnmp().find(Serial("ZTEG0B000EAA"))) is None
    other = if_name(new_index(P("1/2/4")), "gpon_1/2/4")
    assert an_olt(OLD_ONU, other).run(ZteSnmp().onus(P("1/2/4"))) == ()
    for ask in ("onus", "discovered", "service_ports"):
        with pytest.raises(NotSupported):
            Agent(if_name(B, "gpon_1/2/3")).run(getattr(ZteSnmp(), ask)(PORT))
    for flow in (ZteSnmp().onu_state(ONU), ZteSnmp().macs(ONU), ZteSnmp().find(Serial("ZTEG0B000EAA"))):
        with pytest.raises(NotSupported):
            Agent(if_name(B, "gpon_1/2/3")).run(flow)


def test_raw_octets_of_a_serial_may_be_printable() -> None:
    serial = an_olt(NEW_ONU, {f"{N}.500.10.2.3.3.1.6.{B}.7": b"ZTEGABCD"}).run(ZteSnmp().onu_state(ONU)).serial
    assert serial == Serial("ZTEG41424344")


def test_who_waits() -> None:
    old = {
        f"{G}.13.3.1.2.{A}.1": SERIAL,
        f"{G}.13.3.1.5.{A}.1": b"secret",
        f"{G}.13.3.1.7.{A}.1": bytes.fromhex("07EA030108000000"),
        f"{G}.13.3.1.10.{A}.1": b"F601",
        f"{G}.13.3.1.11.{A}.1": b"V6.0",
    }
    new = {f"{N}.500.2.2.11.2.1.2.{B}.5": SERIAL, f"{N}.500.2.2.11.2.1.8.{B}.5": b"F601"}
    for port in (None, PORT):
        (found,) = an_olt(old).run(ZteSnmp().discovered(port))
        assert (found.port, found.serial, found.model, found.version) == (PORT, Serial("ZTEG0B000EA9"), "F601", "V6.0")
        assert found.password.get_secret_value() == "secret"
        assert found.found_at == "2026-03-01 08:00:00"
        assert "secret" not in repr(found)
        (found,) = an_olt(new).run(ZteSnmp(titan=True).discovered(port))
        assert (found.serial, found.model, found.password) == (Serial("ZTEG0B000EA9"), "F601", None)
    assert Agent(if_name(B, "epon_1/2/3")).run(ZteSnmp().discovered()) == ()
    assert Agent(if_name(B, "epon_1/2/3")).run(ZteSnmp().find(Serial("ZTEG0B000EA9"))) is None
    with pytest.raises(ParseError, match="its serial is garbled"):
        an_olt({f"{G}.13.3.1.2.{A}.1": b"ZTE"}).run(ZteSnmp().discovered(PORT))


# ---------------------------------------------------------------------- services


def service(onu: int, vport: int, **columns: int) -> dict[str, SnmpValue]:
    names = {"mode": 4, "vport": 5, "user": 8, "cvlan": 18, "svlan": 19, "state": 50}
    given = {"mode": 4, "vport": vport, "state": 1, **columns}
    return {f"{N}.110.5.2.2.1.{names[key]}.{B}.{service_index(onu, vport)}": value for key, value in given.items()}


def test_service_ports() -> None:
    olt = an_olt(
        service(7, 1, user=3609, cvlan=3609, svlan=1065),
        service(7, 2, user=46, cvlan=46, svlan=0),
        service(8, 1, user=10, cvlan=20, svlan=0),
        service(9, 1, user=0, cvlan=99, svlan=0, mode=1),
    )
    all_ = olt.run(ZteSnmp().service_ports(PORT))
    assert [(each.onu.onu_id, each.vport, each.svlan, each.cvlan, each.inner_vlan) for each in all_] == [
        (7, 1, 1065, 3609, 3609),
        (7, 2, None, 46, 46),
        (8, 1, None, None, 20),
        (9, 1, None, None, 99),
    ]
    assert {each.state for each in all_} == {"active"}
    assert [each.flow_type for each in all_] == ["vlan", "vlan", "vlan", "untag"]
    assert olt.run(ZteSnmp().service_ports(ONU)) == all_[:2]
    odd = {f"{N}.110.5.2.2.1.19.{B}.1": 5}
    with pytest.raises(ParseError, match="no ONU's"):
        an_olt(odd).run(ZteSnmp().service_ports(PORT))


MAC = "2.0.0.0.0.10"


def test_an_index_that_is_no_address_is_refused() -> None:
    row = f"{N}.40.10.2.1.2.1.50.1.{B}.{0x10000000 | 7 << 16 | 1 << 8}.1065.2.0.0.0.0.256"
    with pytest.raises(ParseError, match="is no MAC address"):
        an_olt({row: 3}).run(ZteSnmp().macs(ONU))


def test_addresses_by_port_and_by_vlan() -> None:
    behind = 0x10000000 | 7 << 16 | 1 << 8
    by_port = {
        f"{N}.40.10.2.1.2.1.50.1.{B}.{behind}.1065.{MAC}": 3,
        f"{N}.40.10.2.1.2.1.50.1.{B}.{behind + 0x10000}.1065.2.0.0.0.0.11": 3,
    }
    by_vlan = {f"{N}.40.10.2.1.5.1.1.1065.{B}.{service_index(7, 1)}.1.{MAC}": b"\2\0\0\0\0\n"}
    services = service(7, 1, user=3609, cvlan=3609, svlan=1065)
    for rows, titan in (({**by_port, **services}, False), ({**by_vlan, **services}, True)):
        (found,) = an_olt(rows).run(ZteSnmp(titan=titan).macs(ONU))
        assert (found.mac, found.vlan, found.onu, found.port) == ("02:00:00:00:00:0a", 1065, ONU, PORT)
        assert an_olt(rows).run(ZteSnmp(titan=titan).macs(PORT.onu(9))) == ()


# ---------------------------------------------------------------------- the OLT


def system(descr: str, object_id: str) -> Agent:
    return Agent(
        {
            "1.3.6.1.2.1.1.1.0": descr.encode(),
            "1.3.6.1.2.1.1.2.0": tuple(map(int, object_id.split("."))),
            "1.3.6.1.2.1.1.3.0": 167022100,
            "1.3.6.1.2.1.1.5.0": b"olt1",
        }
    )


@pytest.mark.parametrize(
    ("descr", "object_id", "told"),
    [
        ("C320 Version V2.1.0 Software, Copyright", f"{N}.1001.320.2.1", ("C320", "V2.1.0", "zte_zxan")),
        ("ZX Version V4.", f"{L}.300.3.1", ("C300", None, "zte_zxan")),
        ("C600 Version V1.2.2 Software", f"{N}.1001.600.1.1", ("C600", "V1.2.2", "zte_titan")),
        ("", f"{N}.1001.650.1.1", ("C650", None, "zte_titan")),
    ],
)
def test_facts(descr: str, object_id: str, told: tuple[str | None, ...]) -> None:
    facts = system(descr, object_id).run(ZteSnmp().facts())
    assert (facts.model, facts.version, facts.family) == told
    assert (facts.hostname, facts.uptime) == ("olt1", "19 days, 7:57:01")


@pytest.mark.parametrize("object_id", [f"{N}.1001.5.2.1", N, "1.3.6.1.4.1.2011.2.123"])
def test_a_product_that_nobody_knows_is_refused(object_id: str) -> None:
    with pytest.raises(ParseError, match="no ZTE OLT"):
        system("", object_id).run(ZteSnmp().facts())
    with pytest.raises(ParseError, match="no ZTE OLT"):
        Agent({}).run(ZteSnmp().facts())


def test_another_vendor_is_refused() -> None:
    with pytest.raises(ParseError, match="no ZTE OLT"):
        system("Huawei Integrated Access Software", "1.3.6.1.4.1.2011.2.123").run(ZteSnmp().facts())


def test_boards_of_either_tree() -> None:
    new = {f"{N}.10.1.2.4.1.{c}.1.1.4": v for c, v in ((4, b"SMXA"), (5, 1), (7, 3), (27, b"V2.1.0"))}
    (board,) = Agent(new).run(ZteSnmp().boards())
    assert (board.frame, board.slot, board.board, board.status) == (1, 4, "SMXA", "INSERVICE")
    assert (board.ports, board.software) == (3, "V2.1.0")
    old = {f"{L}.2.1.1.3.1.{c}.1.1.2": v for c, v in ((4, b"GTGO"), (5, 4), (7, 8))}
    (board,) = Agent(old).run(ZteSnmp().boards())
    assert (board.slot, board.board, board.status, board.ports, board.software) == (2, "GTGO", "HWOFFLINE", 8, None)
    (bare,) = Agent({f"{L}.2.1.1.3.1.4.1.1.2": b"GTGO"}).run(ZteSnmp().boards())
    assert (bare.status, bare.ports, bare.absent) == (None, None, {"ports": "not_reported"})
    for titan in (False, True):
        with pytest.raises(NotSupported):
            Agent({}).run(ZteSnmp(titan=titan).boards())
    with pytest.raises(ParseError, match="not rack, shelf and slot"):
        Agent({f"{N}.10.1.2.4.1.4.1": b"SMXA"}).run(ZteSnmp().boards())


def test_manners() -> None:
    assert 5 <= ZTE_SNMP.max_repetitions <= 20
    assert ZTE_SNMP.slow_timeout_s >= 15
    assert ZTE_SNMP.max_concurrent <= 5


# ---------------------------------------------------------------------- a real C320


@pytest.fixture(scope="module")
def c320(shared: Path) -> Agent:
    rows: dict[str, SnmpValue] = {}
    kinds: dict[str, Callable[[str], SnmpValue]] = {
        "2": int, "4": lambda text: text.encode("utf-8"), "4x": bytes.fromhex,
        "6": lambda text: tuple(map(int, text.split("."))),
    }  # fmt: skip
    text = (shared / "walks" / "librenms_2022_zxa10_c320v2.snmprec").read_text("utf-8", "replace")
    for line in text.splitlines():
        oid, kind, value = line.split("|", 2)
        rows[oid] = kinds.get(kind, lambda text: int(text) if text.isdigit() else text.encode())(value)
    return Agent(rows)


def test_the_walk_of_a_c320_says_what_it_says(c320: Agent) -> None:
    places = c320.run(all_places())
    assert len(places) == 16
    assert {place.scheme for place in places} == {"shelf"}
    readings = [each for place in places for each in c320.run(ZteSnmp().optical_port(place.port))]
    assert len(readings) == 458
    heard = [each.olt_rx_dbm.value.value for each in readings if each.olt_rx_dbm.value is not None]
    assert (len(heard), min(heard), max(heard)) == (376, -36.989, -18.416)
    assert [each.olt_rx_dbm.absence for each in readings if each.olt_rx_dbm.value is None] == ["no_signal"] * 82
    # it has neither phases nor the ONUs' own optics
    assert {each.onu_rx_dbm.absence for each in readings if each.olt_rx_dbm.value is not None} == {"unsupported"}
    launched = [c320.run(ZteSnmp().pon_port(place.port)) for place in places]
    powers = [each.olt_tx_dbm.value.value for each in launched if each.olt_tx_dbm.value is not None]
    assert (len(powers), min(powers), max(powers)) == (14, 3.325, 3.78)
    assert {each.optical.wavelength_nm for each in launched if each.olt_tx_dbm.value is not None} == {1490}
    boards = c320.run(ZteSnmp().boards())
    assert [(b.slot, b.board, b.ports, b.software) for b in boards] == [
        *((1, "GTGOG", 8, None), (2, "GTGOG", 8, None), (3, "PRAM", 3, None), (4, "SMXA", 3, "V2.1.0"))
    ]
    facts = c320.run(ZteSnmp().facts())
    assert (facts.model, facts.version, facts.family) == ("C320", "V2.1.0", "zte_zxan")


# ---------------------------------------------------------------------- end to end

NOISE_DB = 0.4


@pytest.fixture(scope="module")
def zte_lab() -> Iterator[emulator.Lab]:
    with emulator.serve("demo_zte") as lab:
        yield lab


Ask = Callable[[Generator[Any, SnmpReply, Any]], Any]


@pytest.fixture(params=["c300", "c320", "c600"])
def device(request: pytest.FixtureRequest, zte_lab: emulator.Lab) -> Iterator[tuple[Any, ZteSnmp, Ask]]:
    olt = zte_lab.olts[request.param]
    settings = SnmpSettings(olt.host, olt.snmp_port, community=SecretStr(olt.snmp_community))
    with closing(open_snmp(settings, ZTE_SNMP)) as session:

        def ask(flow: Generator[Any, SnmpReply, Any]) -> Any:
            try:
                request = next(flow)
                while True:
                    reply = session.get(request) if isinstance(request, SnmpGet) else session.walk(request)
                    request = flow.send(reply)
            except StopIteration as end:
                return end.value

        yield olt, ZteSnmp(titan=request.param == "c600"), ask


def test_against_the_wire(device: tuple[Any, ZteSnmp, Ask]) -> None:
    olt, zte, ask = device
    facts = ask(zte.facts())
    assert facts.model == olt.name.upper()
    assert facts.family == olt.platform
    assert {board.slot for board in ask(zte.boards())} == set(olt.world.boards)
    port = min({ref.port for ref in olt.world.onus if olt.world.plants[ref.port].technology == "gpon"}, key=str)
    here = sorted((ref for ref in olt.world.onus if ref.port == port), key=lambda ref: ref.onu_id)
    states = ask(zte.onus(port))
    assert [state.onu for state in states] == here
    assert {state.onu: state.serial for state in states} == {ref: olt.world.onus[ref].shown_serial for ref in here}
    assert [ask(zte.onu_state(ref)) for ref in here] == list(states)
    assert any(state.online for state in states)
    for state in states:
        if state.serial is not None:
            assert ask(zte.find(state.serial)) == state
    readings = {reading.onu: reading for reading in ask(zte.optical_port(port))}
    assert list(readings) == here
    for state in states:
        one = ask(zte.optical(state.onu))
        assert {name: each.absence for name, each in one.powers.items()} == {
            name: each.absence for name, each in readings[state.onu].powers.items()
        }
        if state.online:
            assert one.complete
            for name, reading in one.powers.items():
                other = readings[state.onu].powers[name]
                assert float(reading.value) == pytest.approx(float(other.value), abs=NOISE_DB)
        else:
            assert one.onu_rx_dbm.absence is Absence.OFFLINE
    found = ask(zte.pon_port(port))
    assert float(found.olt_tx_dbm.value) == pytest.approx(olt.world.read_launch(port), abs=NOISE_DB)
    assert found.optical.port_state == "up"
    waiting = {ont.serial for ont in olt.world.discovered() if olt.world.plants[ont.port].technology == "gpon"}
    assert {each.serial for each in ask(zte.discovered())} == waiting
    assert {each.serial for each in ask(zte.discovered(port))} <= waiting
    board = ask(zte.optical_board(port.frame, port.slot))
    assert set(readings) <= {reading.onu for reading in board}
    if olt.name == "c300":
        for flow in (zte.service_ports(port), zte.macs(here[0])):
            with pytest.raises(NotSupported):
                ask(flow)
        return
    services = ask(zte.service_ports(port))
    assert services
    assert {each.onu for each in services} <= set(here)
    assert {mac.onu for state in states if state.online for mac in ask(zte.macs(state.onu))} <= set(here)
    assert [mac for state in states for mac in ask(zte.macs(state.onu))]
