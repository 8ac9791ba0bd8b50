"""Frames: the same dtypes whatever was read, units in the names, an absence never a number."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pytest
from shown_values import AT, HOSTILE, reading, result, swept

from ponprobe import tabular
from ponprobe.errors import MissingExtra
from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import OltFacts, OnuState
from ponprobe.models.optical import Dbm, OpticalReading
from ponprobe.models.run import MeasureResult
from ponprobe.models.sweep import PortDone, SweepRecord
from ponprobe.notebook import to_frame

STATE = OnuState(
    onu=OnuRef.parse("0/1/0:7"),
    serial=Serial("HWTC0B086EA9"),
    run_state="online",
    onu_rx_dbm=Dbm(-18.4),
    distance_m=2500,
)
FULL: dict[type[Value], list[Any]] = {
    OpticalReading: [reading(), reading(None)],
    OnuState: [STATE, OnuState()],
    MeasureResult: [result(), result(None, None, removed=False)],
    SweepRecord: [swept(), swept(None, distance_m=None)],
}


@pytest.mark.parametrize("kind", FULL, ids=lambda kind: kind.__name__)
def test_dtypes_depend_on_the_kind_alone(kind: type[Value]) -> None:
    full, gaps, empty = to_frame(FULL[kind]), to_frame(FULL[kind][1:]), to_frame([], of=kind)
    assert [str(each) for each in full.dtypes] == [str(each) for each in gaps.dtypes]
    assert [str(each) for each in full.dtypes] == [str(each) for each in empty.dtypes]
    assert list(full.columns) == list(empty.columns)
    assert {str(each) for each in full.dtypes} <= {"string", "Int64", "Float64", "boolean", "datetime64[us, UTC]"}
    assert len(pd.concat([full, empty])) == 2
    for name in full.columns:
        if full[name].dtype == "Float64":
            assert name.rpartition("_")[2] in {"dbm", "db", "m", "s", "c", "v", "ma"}, f"{name} does not say its unit"


def test_numbers_reasons_sources_and_times_of_readings() -> None:
    first, second = to_frame(FULL[OpticalReading]).to_dict("records")
    assert (first["port"], first["onu_id"], first["onu_rx_dbm"]) == ("0/1/0", 7, -18.4)
    assert first["downstream_attenuation_db"] == 21.8
    assert first["onu_rx_source"] == "cli: display ont optical-info 0 7"
    assert first["onu_rx_read_at"] == AT
    assert pd.isna(second["onu_rx_dbm"])
    assert second["onu_rx_absence"] == "offline"
    assert pd.isna(second["downstream_attenuation_db"])
    assert "ONU Rx is missing" in second["downstream_absence"]


def test_states_do_not_call_offline_what_nobody_asked() -> None:
    first, second = to_frame(FULL[OnuState]).to_dict("records")
    assert (first["online"], first["distance_m"], first["serial"]) == (True, 2500.0, "HWTC0B086EA9")
    assert pd.isna(second["online"])
    assert pd.isna(second["onu_id"])
    assert to_frame([OnuState(run_state="offline")])["online"].tolist() == [False]


def test_results_have_their_verdict_and_whether_the_device_is_clean() -> None:
    first, second = to_frame(FULL[MeasureResult]).to_dict("records")
    assert (first["outcome"], first["band"], first["clean"], first["samples"]) == ("pass", "marginal_pass", True, 1)
    assert (second["outcome"], second["clean"]) == ("undetermined", False)
    assert pd.isna(second["onu_rx_dbm"])
    assert pd.isna(second["splitter"])


def test_a_sweep_is_the_frame_that_the_command_writes() -> None:
    done = PortDone(olt="lab", host="192.0.2.1", port=PonPort.parse("0/1/0"), onus=1, took_s=0.1, at=AT)
    pd.testing.assert_frame_equal(to_frame([swept(), done]), tabular.to_frame([swept()]))
    assert to_frame([done]).empty


def test_names_stay_as_they_are() -> None:
    assert to_frame([result(splitter=name) for name in HOSTILE])["splitter"].tolist() == list(HOSTILE)


def test_what_cannot_be_a_frame_is_said() -> None:
    with pytest.raises(ValueError, match="say of=OpticalReading"):
        to_frame([])
    with pytest.raises(TypeError, match="cannot hold OnuState"):
        to_frame([reading(), STATE])
    with pytest.raises(TypeError, match="no frame of OltFacts"):
        to_frame([OltFacts()])


def test_without_pandas_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="frame"):
        to_frame([reading()])
