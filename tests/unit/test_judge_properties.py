"""What must hold for every reading: units stay apart, more light is never worse, bands nest, absence never passes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.evaluate import judge, rejudge, threshold_set
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import QUANTITIES, Band, Comparison, Outcome, Policy, Threshold, ThresholdSet, Verdict
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.optics.classes import optical_classes
from ponprobe.optics.uncertainty import band_of

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")

printed = st.integers(-39_990, 4_990).map(lambda number: number / 1000)
launched = st.integers(-4_990, 9_990).map(lambda number: number / 1000)
absences = st.sampled_from(list(Absence))
precisions = st.sampled_from([None, 0.0, 0.5, 2.0, 3.0])
families = st.sampled_from([None, "huawei_smartax", "zte_zxan", "other"])
classes = st.sampled_from([None, *sorted(optical_classes())])
factors = st.floats(0.01, 10)


def reading_of(value: float | Absence, precision: float | None) -> Reading:
    if isinstance(value, Absence):
        return Reading(absence=value)
    return Reading(value=Dbm(value), at=NOW, precision_db=None if precision is None else Db(precision))


@st.composite
def readings(draw: st.DrawFn) -> OpticalReading:
    values = {name: draw(st.one_of(launched if "tx" in name else printed, absences)) for name in POWERS}
    return OpticalReading(onu=ONU, **{name: reading_of(value, draw(precisions)) for name, value in values.items()})


@st.composite
def limits(draw: st.DrawFn) -> ThresholdSet:
    rows = []
    for quantity in draw(st.lists(st.sampled_from(QUANTITIES), min_size=1, max_size=4, unique=True)):
        number = draw(st.integers(0, 40_000)) / 1000
        rows.append(
            Threshold(
                quantity=quantity,
                comparison=draw(st.sampled_from(list(Comparison))),
                limit=Dbm(-number) if quantity in POWERS else Db(number),
                source_text="x",
                interpretation="x",
            )
        )
    return ThresholdSet(id="drawn", stage="x", thresholds=tuple(rows))


def judged(*samples: OpticalReading, thresholds: ThresholdSet | None = None, **options: Any) -> Verdict:
    return judge(samples, thresholds or threshold_set("construction"), judged_at=NOW, **options)


@given(one=st.floats(-100, 100), other=st.floats(-100, 100))
def test_units_never_mix(one: float, other: float) -> None:
    power, ratio = Dbm(one), Db(other)
    assert type(power - Dbm(other)) is Db
    assert type(power - ratio) is type(power + ratio) is Dbm
    for mixed in (lambda: power + power, lambda: ratio + power, lambda: power + 1.0, lambda: ratio - 1.0):
        with pytest.raises(TypeError):
            mixed()
    for compared in (lambda: power >= ratio, lambda: ratio < one, lambda: power <= one):
        with pytest.raises(TypeError):
            compared()
    assert power != ratio
    assert power != one


@given(sample=readings(), thresholds=limits(), family=families, k=factors, name=classes)
def test_every_verdict_is_consistent_with_itself(
    sample: OpticalReading, thresholds: ThresholdSet, family: str | None, k: float, name: str | None
) -> None:
    verdict = judged(sample, thresholds=thresholds, family=family, k=k, optical_class=name, split=32)
    for judgement in verdict.judgements:
        measured = judgement.measured
        assert measured is None or isinstance(measured, Dbm if judgement.threshold.quantity in POWERS else Db)
        if measured is None:
            assert judgement.band is Band.UNDETERMINED
            continue
        assert judgement.uncertainty is not None
        assert judgement.margin_db is not None
        assert judgement.probability is not None
        # the official outcome is simple acceptance, computed here a second way
        at_least = judgement.threshold.comparison is Comparison.AT_LEAST
        met = (
            measured.value >= judgement.threshold.limit.value
            if at_least
            else (measured.value <= judgement.threshold.limit.value)
        )
        assert (judgement.outcome is Outcome.PASS) is met
        assert met is (judgement.band in {Band.PASS, Band.MARGINAL_PASS})
        assert (judgement.probability >= 0.5) is (judgement.margin_db >= Db(0)) or judgement.probability == 0.5
        assert judgement.uncertainty.u_db > Db(0)
        assert judgement.uncertainty.w_db.value == k * judgement.uncertainty.u_db.value
    assert all(finding.text for finding in verdict.findings)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@given(sample=readings(), thresholds=limits())
def test_an_absent_number_never_passes(sample: OpticalReading, thresholds: ThresholdSet) -> None:
    for policy in Policy:
        verdict = judged(sample, thresholds=thresholds, policy=policy)
        absent = [judgement for judgement in verdict.judgements if judgement.measured is None]
        assert all(judgement.outcome is Outcome.UNDETERMINED and judgement.reason for judgement in absent)
        assert not (absent and verdict.passed)
        if len(absent) == len(verdict.judgements):
            assert (verdict.outcome, verdict.band) == (Outcome.UNDETERMINED, Band.UNDETERMINED)


ORDER = [Band.FAIL, Band.MARGINAL_FAIL, Band.MARGINAL_PASS, Band.PASS]


@given(weak=printed, gain=st.integers(0, 20_000), precision=precisions, family=families)
def test_more_light_is_never_a_worse_band(weak: float, gain: int, precision: float | None, family: str | None) -> None:
    strong = min(weak + gain / 1000, 4.99)
    found = [
        judged(OpticalReading(onu=ONU, onu_rx_dbm=reading_of(value, precision)), family=family)
        for value in (weak, strong)
    ]
    assert ORDER.index(found[0].band) <= ORDER.index(found[1].band)
    chances = [verdict.judgements[0].probability or 0.0 for verdict in found]
    assert chances[0] <= chances[1] + 1e-12


@given(loss=st.integers(0, 45_000), more=st.integers(0, 20_000))
def test_more_loss_is_never_a_better_band(loss: int, more: int) -> None:
    limit = Threshold(
        quantity="downstream_attenuation_db",
        comparison=Comparison.AT_MOST,
        limit=Db(25),
        source_text="x",
        interpretation="x",
    )
    thresholds = ThresholdSet(id="x", stage="x", thresholds=(limit,))
    found = []
    for millis in (loss, min(loss + more, 45_000)):
        received = reading_of((5000 - millis) / 1000, 3.0)
        sample = OpticalReading(onu=ONU, olt_tx_dbm=reading_of(5.0, 3.0), onu_rx_dbm=received)
        found.append(ORDER.index(judged(sample, thresholds=thresholds).band))
    assert found[0] >= found[1]


@given(margin=st.floats(-50, 50), narrow=st.floats(0.001, 10), wider=st.floats(0, 10))
def test_bands_nest(margin: float, narrow: float, wider: float) -> None:
    inner, outer = band_of(margin, narrow), band_of(margin, narrow + wider)
    # a wider guard band only takes from the confident bands, and never across the limit
    assert inner is outer or (inner, outer) in {
        (Band.PASS, Band.MARGINAL_PASS),
        (Band.FAIL, Band.MARGINAL_FAIL),
    }


@given(sample=readings(), thresholds=limits())
def test_policies_nest(sample: OpticalReading, thresholds: ThresholdSet) -> None:
    strict, simple, lenient = (
        judged(sample, thresholds=thresholds, policy=policy)
        for policy in (Policy.GUARD_ACCEPT, Policy.SIMPLE, Policy.GUARD_REJECT)
    )
    assert strict.band is simple.band is lenient.band
    assert not (strict.passed and not simple.passed)
    assert not (simple.passed and not lenient.passed)


@given(samples=st.lists(readings(), min_size=2, max_size=4), data=st.data(), thresholds=limits())
def test_the_order_of_the_samples_reaches_no_bit(
    samples: list[OpticalReading], data: st.DataObject, thresholds: ThresholdSet
) -> None:
    verdict = judged(*samples, thresholds=thresholds, optical_class="gpon_b_plus", split=32)
    shuffled = judged(
        *data.draw(st.permutations(samples)), thresholds=thresholds, optical_class="gpon_b_plus", split=32
    )
    assert shuffled.model_copy(update={"readings": verdict.readings}) == verdict


@given(sample=readings(), thresholds=limits(), family=families, k=factors)
def test_judging_again_with_the_same_limits_says_the_same(
    sample: OpticalReading, thresholds: ThresholdSet, family: str | None, k: float
) -> None:
    old = judged(sample, thresholds=thresholds, family=family, k=k)
    new = rejudge(old, thresholds, judged_at=NOW)
    assert new.replaces == old.digest
    assert new.model_copy(update={"replaces": None}) == old
