"""SNMP columns: scales, signs, words for "no reading", octets, rows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.drivers import columns
from ponprobe.drivers.columns import INVALID, Column, Octets, Row, Words, mac_of, moment_of, serial_of, text_of
from ponprobe.flow import Missing, SnmpGet, SnmpReply, SnmpWalk
from ponprobe.models.addressing import Serial
from ponprobe.models.optical import Absence, Dbm

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
RX = Column((1, 3, 6), "rx", "dBm", 0.01, low=-45, high=5)
OLT_RX = Column((1, 3, 7), "olt rx", "dBm", 0.01, -100.0, low=-45, high=5)
ZTE_RX = Column((1, 3, 8), "zte rx", "dBm", 0.002, -30.0, 16, {65535: Absence.OFFLINE}, low=-45, high=10)
STATE = Words((1, 3, 9), "state", {1: "up", 2: "down"}, {-1: Absence.NOT_REPORTED})
NAME = Octets((1, 3, 10), "name", text_of)


@pytest.mark.parametrize(
    ("column", "raw", "dbm"),
    [
        (RX, -1414, -14.14),
        (RX, 0, 0.0),
        (OLT_RX, 8064, -19.36),
        (OLT_RX, 8775, -12.25),
        (ZTE_RX, 16138, 2.276),
        (ZTE_RX, 3314, -23.372),
        (ZTE_RX, 65534, -30.004),
    ],
)
def test_a_number_in_its_unit(column, raw, dbm):
    assert column.read(raw) == (dbm, None)
    assert column.power(raw) == (Dbm(dbm), None)


@pytest.mark.parametrize(
    ("column", "value", "absence"),
    [
        (RX, INVALID, Absence.NOT_REPORTED),
        (ZTE_RX, 65535, Absence.OFFLINE),
        (RX, 501, Absence.OUT_OF_RANGE),
        (RX, -4501, Absence.OUT_OF_RANGE),
        (OLT_RX, 0, Absence.OUT_OF_RANGE),
        (RX, Missing.NO_SUCH_OBJECT, Absence.UNSUPPORTED),
        (RX, Missing.NO_SUCH_INSTANCE, Absence.NOT_REPORTED),
        (RX, Missing.NULL, Absence.NOT_REPORTED),
        (RX, Missing.END_OF_VIEW, Absence.NOT_REPORTED),
        (RX, b"-14.14", Absence.GARBLED),
        (STATE, -1, Absence.NOT_REPORTED),
        (STATE, b"up", Absence.GARBLED),
        (STATE, Missing.NO_SUCH_OBJECT, Absence.UNSUPPORTED),
        (NAME, 7, Absence.GARBLED),
        (NAME, b"\0\0", Absence.NOT_REPORTED),
        (NAME, Missing.NO_SUCH_INSTANCE, Absence.NOT_REPORTED),
    ],
)
def test_what_is_no_reading(column, value, absence):
    assert column.read(value) == (None, absence)


@given(st.integers(-(2**31), 2**32 - 1))
def test_a_power_is_possible_or_absent(raw):
    for column in (RX, OLT_RX, ZTE_RX):
        power, absence = column.power(raw)
        assert (power is None) == (absence is not None)
        assert power is None or column.low <= power.value <= column.high


def test_only_dbm_is_a_power():
    with pytest.raises(TypeError, match="bias is in mA"):
        Column((1, 3), "bias", "mA").power(14)


def test_words():
    assert STATE.read(2) == ("down", None)
    assert STATE.read(77) == ("unknown(77)", None)


@pytest.mark.parametrize(
    ("raw", "serial"),
    [
        (bytes.fromhex("485754430B086EA9"), "HWTC0B086EA9"),
        (b"HWTC1234", "HWTC31323334"),  # printable by chance: still raw octets
        (bytes.fromhex("00010203FFFFFFFF"), "00010203FFFFFFFF"),
        (b"HWTC0B086EA9", "HWTC0B086EA9"),
        (b"485754430B086EA9", "HWTC0B086EA9"),
    ],
)
def test_serials(raw, serial):
    assert serial_of(raw) == Serial(serial)


def test_octets_that_are_nothing():
    assert serial_of(bytes(8)) is serial_of(b"") is mac_of(bytes(6)) is moment_of(bytes(8)) is moment_of(b"") is None
    for decode, raw in (
        (serial_of, b"HWTC"),
        (serial_of, b"\xff" * 12),
        (mac_of, b"\x01\x02"),
        (mac_of, "é".encode("latin-1") * 12),
        (moment_of, b"2026-03-01"),
        (moment_of, bytes.fromhex("07EA0D01000000002B0000")),  # month 13
        (moment_of, bytes.fromhex("07EA030100000000210000")),  # a zone without a sign
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - any
            decode(raw)
        assert Octets((1, 3), "x", decode).read(raw) == (None, Absence.GARBLED)


@given(st.binary(max_size=20))
def test_no_octets_break_a_reader(raw):
    for decode in (serial_of, mac_of, moment_of, text_of, columns.moment_text_of):
        value, absence = Octets((1, 3), "x", decode).read(raw)
        assert (value is None) == (absence is not None)


def test_macs():
    raw = bytes.fromhex("00e0fc123456")
    assert {mac_of(raw), mac_of(b"00e0-fc12-3456"), mac_of(b"00:E0:FC:12:34:56")} == {"00:e0:fc:12:34:56"}


def test_times():
    raw = bytes.fromhex("07EA03011E3B3B05".replace("1E", "08"))
    assert moment_of(raw) == datetime(2026, 3, 1, 8, 59, 59, 500_000)  # noqa: DTZ001 - nobody knows the zone
    west = moment_of(raw + b"-\x04\x1e")
    assert west is not None
    assert west.utcoffset() == -timedelta(hours=4, minutes=30)
    assert columns.moment_text_of(raw + b"+\x08\x00") == "2026-03-01 08:59:59+08:00"


def test_text():
    assert text_of("测试 ".encode() + b"\0") == "测试"
    assert text_of(b"\xff-A") == r"\xff-A"


# ---------------------------------------------------------------------- rows


def drive(flow, answers):
    """Feed a flow from a dictionary; return its result and what it asked."""
    asked = []
    try:
        request = next(flow)
        while True:
            asked.append(request)
            at = NOW + timedelta(seconds=len(asked))
            if isinstance(request, SnmpGet):
                values = {oid: answers.get(oid, Missing.NO_SUCH_INSTANCE) for oid in request.oids}
            else:
                values = {oid: v for oid, v in answers.items() if oid[: len(request.prefix)] == request.prefix}
            request = flow.send(SnmpReply(request, values, at))
    except StopIteration as end:
        return end.value, asked


def test_one_row_in_one_get():
    row, asked = drive(columns.get_row((5, 1), (RX, STATE), 9.0), {(1, 3, 6, 5, 1): -2000, (1, 3, 9, 5, 1): 1})
    assert asked == [SnmpGet(((1, 3, 6, 5, 1), (1, 3, 9, 5, 1)), 9.0)]
    assert (row.value(RX), row.value(STATE), row.whole(RX)) == (-20.0, "up", -20)
    reading = row.reading(RX)
    assert (reading.value, reading.source, reading.at) == (
        Dbm(-20),
        "snmp: get 1.3.6.5.1 (+1)",
        NOW + timedelta(seconds=1),
    )
    assert row.has(RX, NAME)
    assert not row.has(NAME)
    assert row.absences({"rx": RX, "name": NAME}) == {"name": Absence.NOT_REPORTED}


def test_a_number_out_of_range_is_kept_as_text_only():
    row = Row((5,), {(1, 3, 6, 5): 4000}, "snmp: get", NOW)
    reading = row.reading(RX)
    assert (reading.value, reading.absence, reading.printed) == (None, Absence.OUT_OF_RANGE, "raw value 4000")


def test_many_rows_in_chunks_and_none():
    answers = {(1, 3, 6, n): -1000 - n for n in range(5)}
    rows, asked = drive(columns.get_rows([(n,) for n in range(5)], (RX,), rows_per_get=2), answers)
    assert [len(request.oids) for request in asked] == [2, 2, 1]
    assert {index: row.value(RX) for index, row in rows.items()} == {(n,): (-1000 - n) / 100 for n in range(5)}
    assert drive(columns.get_rows([], (RX,), rows_per_get=2), {}) == ({}, [])


def test_walked_rows_know_their_own_walk():
    answers = {(1, 3, 9, 5, 1): 1, (1, 3, 6, 5, 1): -2000, (1, 3, 6, 5, 2): -2100, (1, 3, 6, 6, 1): -1}
    rows, asked = drive(columns.walk_rows((STATE, RX), (5,)), answers)
    assert asked == [SnmpWalk((1, 3, 9), (5,)), SnmpWalk((1, 3, 6), (5,))]
    assert set(rows) == {(5, 1), (5, 2)}
    assert rows[5, 1].reading(RX).source == "snmp: walk 1.3.6.5"
    assert rows[5, 1].reading(RX).at == NOW + timedelta(seconds=2)
    assert rows[5, 2].read(STATE) == (None, Absence.NOT_REPORTED)
    assert drive(columns.walk_rows(()), {}) == ({}, [])


def test_oids():
    assert columns.oid("1.3.6") == (1, 3, 6)
