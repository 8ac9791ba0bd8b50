"""A sweep as a table: the same columns whatever was read, numbers as numbers, and no formula from a stranger's text."""

from __future__ import annotations

import csv
import io
import sys
from datetime import datetime, timezone
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from parts import missing
from ponprobe.errors import MissingExtra
from ponprobe.evaluate import link_loss
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.optical import Absence, Dbm, OpticalReading, Reading
from ponprobe.models.sweep import OltStarted, PortDone, SweepRecord
from ponprobe.tabular import COLUMNS, csv_row, records, to_frame

NOW = datetime(2026, 11, 25, 1, 2, 3, 456789, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/1/3:7")


def a_record(**more: Any) -> SweepRecord:
    powers = {"olt_tx_dbm": 3.44, "onu_tx_dbm": 2.17, "onu_rx_dbm": -18.380000000000003}
    optical = OpticalReading(
        onu=ONU,
        olt_rx_dbm=Reading(absence=Absence.OUT_OF_RANGE, source="cli: display ont optical-info 3 7"),
        temperature_c=41.0,
        **{name: Reading(value=Dbm(value), source="snmp: get 1.3") for name, value in powers.items()},
    )
    fields: dict[str, Any] = {"olt": "lab", "host": "192.0.2.10", "onu": ONU, "serial": Serial("HWTC0B086EA9")}
    fields |= {"run_state": "online", "optical": optical, "loss": link_loss(optical), "read_at": NOW}
    return SweepRecord(**{**fields, **more})


def an_empty_one() -> SweepRecord:
    optical = OpticalReading(onu=ONU)
    return a_record(optical=optical, loss=link_loss(optical), serial=None, run_state=None)


def others() -> list[Any]:
    base = {"olt": "lab", "host": "192.0.2.10", "at": NOW}
    return [
        OltStarted(ports=1, **base),
        PortDone(port=PonPort.parse("0/1/3"), onus=1, took_s=0.1, **base),
    ]


def test_a_record_is_flat_with_units_in_its_names() -> None:
    (row,) = records([*others(), a_record()])
    assert list(row) == list(COLUMNS)
    assert (row["port"], row["onu_id"], row["serial"]) == ("0/1/3", 7, "HWTC0B086EA9")
    assert (row["onu_rx_dbm"], row["olt_rx_dbm"], row["olt_rx_absence"]) == (-18.380000000000003, None, "out_of_range")
    assert (row["onu_rx_absence"], row["onu_rx_source"]) == (None, "snmp: get 1.3")
    assert row["downstream_attenuation_db"] == pytest.approx(21.82)
    assert row["upstream_attenuation_db"] is None
    assert "OLT Rx is missing" in str(row["upstream_absence"])
    assert row["read_at"] == "2026-11-25T01:02:03.456789+00:00"


def test_every_value_has_the_type_of_its_column() -> None:
    for row in records([a_record(), an_empty_one(), a_record(distance_m=1234.0, last_down_cause="LOS")]):
        for name, value in row.items():
            assert value is None or type(value) is COLUMNS[name], name


def read_back(record: SweepRecord) -> dict[str, str]:
    text = io.StringIO()
    csv.writer(text).writerow(csv_row(record))
    (cells,) = csv.reader(io.StringIO(text.getvalue()))
    return dict(zip(COLUMNS, cells, strict=True))


def test_numbers_of_a_csv_row_stay_numbers_and_absent_ones_are_empty() -> None:
    row = read_back(a_record(distance_m=1234.0))
    assert (row["onu_rx_dbm"], row["olt_tx_dbm"], row["olt_rx_dbm"], row["distance_m"]) == (
        "-18.38",
        "3.44",
        "",
        "1234",
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "＝1+1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_guarded(name: str) -> None:
    row = read_back(a_record(olt=name, last_down_cause=name))
    assert row["olt"].startswith("'")
    assert row["last_down_cause"].startswith("'")
    assert "\n" not in row["olt"]


def test_other_text_is_left_alone() -> None:
    row = read_back(a_record(olt='机房-1, "old"', last_down_cause="LOSi/LOBi"))
    assert (row["olt"], row["last_down_cause"]) == ('机房-1, "old"', "LOSi/LOBi")


def test_a_cell_is_never_two_lines() -> None:
    assert read_back(a_record(last_down_cause="a\r\nb\x0bc"))["last_down_cause"] == "a b c"


# ---------------------------------------------------------------------- DataFrame


@pytest.fixture
def pandas() -> Any:
    if find_spec("pandas") is None:
        missing("pandas is not installed")
    return import_module("pandas")


@pytest.mark.parametrize("rows", [[], [an_empty_one()], [a_record(), an_empty_one()]], ids=["none", "absent", "mixed"])
def test_dtypes_do_not_depend_on_what_was_read(pandas: Any, rows: list[Any]) -> None:
    frame = to_frame([*others(), *rows])
    assert len(frame) == len(rows)
    assert list(frame.columns) == list(COLUMNS)
    kinds = {str: "string", int: "Int64", float: "Float64"}
    for name, kind in COLUMNS.items():
        assert str(frame.dtypes[name]) == ("datetime64[us, UTC]" if name == "read_at" else kinds[kind]), name


def test_a_frame_has_the_values(pandas: Any) -> None:
    frame = to_frame(iter([a_record(), an_empty_one()]))
    assert frame["read_at"][0] == pandas.Timestamp(NOW)
    assert frame["onu_rx_dbm"].mean() == pytest.approx(-18.38)
    assert list(frame["onu_rx_dbm"].isna()) == [False, True]
    assert frame["serial"][0] == "HWTC0B086EA9"


@pytest.mark.parametrize("rows", [[], [a_record(), an_empty_one()]], ids=["none", "some"])
def test_a_frame_goes_through_parquet(pandas: Any, rows: list[Any], tmp_path: Path) -> None:
    if find_spec("pyarrow") is None:
        missing("pyarrow is not installed")
    frame = to_frame(rows)
    frame.to_parquet(tmp_path / "sweep.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "sweep.parquet"), frame, check_dtype=True)


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="needs the extra 'frame'"):
        to_frame([])
