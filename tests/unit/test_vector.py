"""Many readings at once: the same bits as one at a time, bounded memory, and what is refused."""

from __future__ import annotations

import itertools
import math
import sys
import tracemalloc
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parts import missing
from ponprobe.errors import ConfigError, MissingExtra
from ponprobe.evaluate import CONSTRUCTION, judge, threshold_set
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import Accuracy, Band, Comparison, Outcome, Policy, Threshold, ThresholdSet
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.optics.vector import (
    ABSENCES,
    BANDS,
    OUTCOMES,
    WHY,
    Columns,
    JudgedColumns,
    chunks_of,
    judge_columns,
    judge_stream,
)

try:
    import numpy as np
except ImportError:
    np = None  # type: ignore[assignment]

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")


@pytest.fixture(autouse=True)
def _numpy() -> None:
    if np is None:
        missing("NumPy is not installed")


def limit(quantity: str, comparison: Comparison, value: float) -> Threshold:
    number = Dbm(value) if quantity in POWERS else Db(value)
    return Threshold(quantity=quantity, comparison=comparison, limit=number, source_text="x", interpretation="x")


EVERYTHING = ThresholdSet(
    id="everything",
    stage="x",
    thresholds=(
        limit("onu_rx_dbm", Comparison.AT_LEAST, -20.1),
        limit("onu_rx_dbm", Comparison.AT_MOST, -8),
        limit("olt_rx_dbm", Comparison.AT_LEAST, -28),
        limit("olt_tx_dbm", Comparison.AT_MOST, 7),
        limit("onu_tx_dbm", Comparison.AT_LEAST, 0.5),
        limit("downstream_attenuation_db", Comparison.AT_MOST, 25.3),
        limit("upstream_attenuation_db", Comparison.AT_LEAST, 13),
    ),
)


def bits(value: float | None) -> bytes:
    """A float so that 0.0 and -0.0 differ, and nothing is NaN."""
    return b"-" if value is None or math.isnan(value) else float(value).hex().encode()


def same(judged: JudgedColumns, readings: list[OpticalReading], thresholds: ThresholdSet, **options: Any) -> None:
    """Every row of the columns is what the judge says of that reading alone, to the last bit."""
    assert len(judged) == len(readings)
    for row, reading in enumerate(readings):
        verdict = judge(reading, thresholds, judged_at=NOW, **options)
        for name in ("downstream_attenuation_db", "upstream_attenuation_db"):
            loss: Db | None = getattr(verdict.loss, name)
            assert bits(getattr(judged, name)[row]) == bits(loss and loss.value), name
        assert OUTCOMES[judged.outcome[row]] is verdict.outcome
        assert BANDS[judged.band[row]] is verdict.band
        assert bool(judged.untrusted[row]) is ("ddm_untrusted" in {finding.code for finding in verdict.findings})
        for column, judgement in enumerate(verdict.judgements):
            margin, found = judgement.margin_db, judgement.uncertainty
            assert bits(judged.margin_db[row, column]) == bits(None if margin is None else margin.value)
            assert bits(judged.u_db[row, column]) == bits(None if found is None else found.u_db.value)
            assert OUTCOMES[judged.outcomes[row, column]] is judgement.outcome
            assert BANDS[judged.bands[row, column]] is judgement.band
            why = "absent" if judgement.measured is None else "untrusted" if margin is None else "judged"
            assert WHY[judged.why[row, column]] == why


doubles = st.floats(-1e300, 1e300)
device_like = st.tuples(st.integers(-60_000_000, 60_000_000), st.integers(0, 6)).map(
    lambda each: each[0] / 10 ** each[1]
)
near_device_like = device_like.map(lambda value: math.nextafter(value, math.inf))
plausible = st.integers(-3999, 499).map(lambda number: number / 100)
powers = st.one_of(
    plausible, plausible, device_like, near_device_like, doubles, st.sampled_from([0.0, -0.0, -20.1, -8.0])
)
diagnostics = st.sampled_from([None, None, 3.3, 2.8, 2.79, 150.0, 150.5, math.nan, math.inf, -1.0])


@st.composite
def readings(draw: st.DrawFn) -> OpticalReading:
    fields: dict[str, Any] = {}
    for name in POWERS:
        value = draw(st.one_of(powers, st.sampled_from(list(Absence))))
        declared = draw(st.sampled_from([None, 3.0, 2.0, 0.0, -1.0, 0.1]))
        precision = None if declared is None else Db(declared)
        fields[name] = (
            Reading(absence=value) if isinstance(value, Absence) else Reading(value=Dbm(value), precision_db=precision)
        )
    return OpticalReading(onu=ONU, voltage_v=draw(diagnostics), bias_ma=draw(diagnostics), **fields)


OWN = Accuracy(id="mine", u_db=Db(0.37), statement="x", source="x")


@settings(max_examples=300)
@given(
    rows=st.lists(readings(), max_size=6),
    policy=st.sampled_from(list(Policy)),
    k=st.floats(0.01, 10),
    family=st.sampled_from([None, "huawei_smartax", "zte_zxan"]),
    accuracy=st.sampled_from([None, "hand_held", OWN]),
)
def test_columns_are_judged_as_single_readings_are_to_the_last_bit(
    *, rows: list[OpticalReading], policy: Policy, k: float, family: str | None, accuracy: Accuracy | str | None
) -> None:
    options = {"policy": policy, "k": k, "family": family, "accuracy": accuracy}
    same(judge_columns(Columns.of(rows), EVERYTHING, **options), rows, EVERYTHING, **options)  # type: ignore[arg-type]


@given(one=st.lists(device_like, min_size=1, max_size=50))
def test_differences_of_printed_numbers_are_those_of_decimals(one: list[float]) -> None:
    rows = [
        OpticalReading(onu=ONU, olt_tx_dbm=Reading(value=Dbm(first)), onu_rx_dbm=Reading(value=Dbm(second)))
        for first, second in itertools.pairwise([*one, one[0]])
    ]
    same(judge_columns(Columns.of(rows), CONSTRUCTION), rows, CONSTRUCTION)


def test_a_difference_that_binary_floats_miss_is_exact() -> None:
    assert 3.2 + 17.06 != 20.26
    columns = Columns(olt_tx_dbm=[3.2], onu_rx_dbm=[-17.06], onu_tx_dbm=[2.26], olt_rx_dbm=[-20.03])
    judged = judge_columns(columns, CONSTRUCTION)
    assert judged.downstream_attenuation_db.tolist() == [20.26]
    assert judged.upstream_attenuation_db.tolist() == [22.29]


def test_every_built_in_set_gives_the_same_in_columns() -> None:
    rows = [
        OpticalReading(
            onu=ONU,
            **{
                name: Reading(value=Dbm(value), precision_db=Db(3))
                for name, value in zip(POWERS, (3.0, level - 1.5, 2.0, level), strict=True)
            },
        )
        for level in np.round(np.arange(-35, -3, 0.37), 2).tolist()
    ]
    for name in ("construction", "user_side", "gpon_b_plus", "xgs_e2", "epon_px20"):
        thresholds = threshold_set(name)
        judged = judge_columns(Columns.of(rows), thresholds)
        same(judged, rows, thresholds)
        assert judged.threshold_set is thresholds
        assert len({int(code) for code in judged.band}) > 1, "the case must reach more than one band"


def test_absent_and_untrusted_rows_never_pass_and_say_which_they_are() -> None:
    nan = math.nan
    columns = Columns(
        olt_tx_dbm=[3.0, 3.0, nan, 3.0],
        olt_rx_dbm=[-20.0, -20.0, -20.0, -20.0],
        onu_tx_dbm=[2.0, 2.0, 2.0, 2.0],
        onu_rx_dbm=[-10.0, nan, -10.0, -10.0],
        absence={"onu_rx_dbm": [0, ABSENCES.index(Absence.NO_SIGNAL), 0, 0]},
        voltage_v=[3.3, nan, nan, 0.163],
    )
    judged = judge_columns(columns, CONSTRUCTION)
    assert [OUTCOMES[code] for code in judged.outcome] == [
        Outcome.PASS, Outcome.UNDETERMINED, Outcome.PASS, Outcome.UNDETERMINED,
    ]  # fmt: skip
    assert [WHY[code] for code in judged.why[:, 0]] == ["judged", "absent", "judged", "untrusted"]
    assert BANDS[judged.band[3]] is Band.UNDETERMINED
    assert math.isnan(judged.downstream_attenuation_db[2])
    assert ABSENCES[columns.absence["onu_rx_dbm"][1]] is Absence.NO_SIGNAL
    assert ABSENCES[columns.absence["olt_tx_dbm"][2]] is Absence.NOT_READ, "no code was given"


def test_a_number_exactly_at_the_end_of_its_guard_band_is_in_the_better_band() -> None:
    exact = Accuracy(id="x", u_db=Db(2), statement="x", source="x", resolution_included=True)
    rows = [OpticalReading(onu=ONU, onu_rx_dbm=Reading(value=Dbm(value))) for value in (-18.0, -20.0, -22.0, -22.01)]
    judged = judge_columns(Columns.of(rows), CONSTRUCTION, k=1.0, accuracy=exact)
    assert [BANDS[code] for code in judged.band] == [Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL, Band.FAIL]
    same(judged, rows, CONSTRUCTION, k=1.0, accuracy=exact)


def test_no_rows_are_judged_too() -> None:
    judged = judge_columns(Columns.of([]), CONSTRUCTION)
    assert len(judged) == len(Columns.of([])) == 0
    assert judged.margin_db.shape == (0, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"onu_rx_dbm": [-20.0]}, r"onu_rx_dbm has the shape \(1,\), olt_tx_dbm \(2,\)"),
        ({"voltage_v": [3.3]}, "voltage_v has the shape"),
        ({"bias_ma": [[3.3, 3.3]]}, "bias_ma has the shape"),
        ({"precision_db": {"onu_rx_dbm": [3.0]}}, "precision_db of onu_rx_dbm has the shape"),
        ({"precision_db": {"rx": [3.0, 3.0]}}, r"\['rx'\] are no powers"),
        ({"absence": {"rx": [0, 0]}}, r"\['rx'\] are no powers"),
        ({"onu_rx_dbm": [-20.0, -math.inf]}, "onu_rx_dbm in row 1 is infinite"),
        ({"absence": {"onu_rx_dbm": [0, 2]}}, "onu_rx_dbm in row 1 is -20.0 with absence code 2"),
        ({"onu_rx_dbm": [math.nan, -20.0], "absence": {"onu_rx_dbm": [0, 0]}}, "in row 0 is nan with absence code 0"),
        ({"onu_rx_dbm": [math.nan, -20.0], "absence": {"onu_rx_dbm": [99, 0]}}, "in row 0 is nan with absence code 99"),
    ],
)
def test_columns_that_contradict_themselves_are_refused(changes: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {name: [-20.0, -20.0] for name in POWERS}
    with pytest.raises(ValueError, match=words):
        Columns(**{**fields, **changes})


def test_columns_have_one_dimension() -> None:
    with pytest.raises(ValueError, match="one row a reading"):
        Columns(**{name: [[-20.0]] for name in POWERS})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0.0}, "no coverage factor"),
        ({"k": math.nan}, "no coverage factor"),
        ({"k": 10.5}, "no coverage factor"),
        ({"policy": "lenient"}, "no policy 'lenient'.*known: simple"),
        ({"accuracy": "good"}, "no accuracy 'good'"),
    ],
)
def test_options_that_make_no_sense_are_config_errors(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        judge_columns(Columns.of([]), CONSTRUCTION, **options)


def test_without_numpy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = Columns.of([])
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ponprobe\[fast\]'"):
        judge_columns(columns, CONSTRUCTION)
    with pytest.raises(MissingExtra):
        Columns.of([])


def test_chunks_are_made_as_they_are_asked_for_and_lose_no_row() -> None:
    asked = 0

    def source() -> Any:
        nonlocal asked
        for number in range(10):
            asked += 1
            yield OpticalReading(onu=ONU, onu_rx_dbm=Reading(value=Dbm(-15 - number)))

    stream = judge_stream(chunks_of(source(), 4), CONSTRUCTION, family="zte_zxan")
    assert asked == 0
    first = next(stream)
    assert asked == 4
    chunks = [first, *stream]
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert [float(margin) for chunk in chunks for margin in chunk.margin_db[:, 0]] == [5.0 - each for each in range(10)]
    with pytest.raises(ValueError, match="at least 1"):
        next(chunks_of([], 0))


def test_many_chunks_need_no_more_memory_than_a_few() -> None:
    def peak(count: int) -> int:
        rows = 20_000
        levels = np.round(np.linspace(-35, -5, rows), 2)

        def chunks() -> Any:
            for _ in range(count):
                yield Columns(
                    olt_tx_dbm=np.full(rows, 3.0), olt_rx_dbm=levels, onu_tx_dbm=np.full(rows, 2.0), onu_rx_dbm=levels
                )

        tracemalloc.start()
        try:
            assert sum(int((judged.outcome == 0).sum()) for judged in judge_stream(chunks(), EVERYTHING)) > 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # imports
    assert peak(20) < 1.5 * peak(2)
