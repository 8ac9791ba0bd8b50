"""The judge: what passes, what fails, what cannot be said, and what else the numbers tell."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.evaluate import CONSTRUCTION, USER_SIDE, judge, link_loss, threshold_set, threshold_sets
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import Comparison, Outcome, Threshold, ThresholdSet, Verdict
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")
HEALTHY = {"olt_tx_dbm": 3.31, "olt_rx_dbm": -19.21, "onu_tx_dbm": 2.2, "onu_rx_dbm": -17.18}


def power(value: float | Absence, *, at: datetime | None = NOW, precision: float | None = None) -> Reading:
    declared = None if precision is None else Db(precision)
    if isinstance(value, Absence):
        return Reading(absence=value, source="cli: display x", at=at)
    return Reading(value=Dbm(value), source="cli: display x", at=at, precision_db=declared)


def sample(**changes: Any) -> OpticalReading:
    fields: dict[str, Any] = {name: power(value) for name, value in HEALTHY.items()}
    for name, value in changes.items():
        fields[name] = power(value) if name in POWERS and not isinstance(value, Reading) else value
    return OpticalReading(onu=ONU, **fields)


def judged(*samples: OpticalReading, thresholds: ThresholdSet = CONSTRUCTION) -> Verdict:
    return judge(samples, thresholds, judged_at=NOW)


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def loss_limit(quantity: str, limit: float) -> ThresholdSet:
    threshold = Threshold(
        quantity=quantity,
        comparison=Comparison.AT_MOST,
        limit=Db(limit),
        source_text=f"{limit} dB",
        interpretation=f"{quantity} <= {limit} dB",
    )
    return ThresholdSet(id="mine", stage="anywhere", thresholds=(threshold,))


# -- losses -----------------------------------------------------------------------------------------------------------


def test_losses_are_launched_minus_received_in_exact_decimals() -> None:
    loss = link_loss(sample(olt_tx_dbm=3.2, onu_rx_dbm=-17.06, onu_tx_dbm=2.26, olt_rx_dbm=-20.03))
    assert 3.2 + 17.06 != 20.26, "the case must be one where binary floats miss"
    assert loss.downstream_attenuation_db == Db(20.26)
    assert loss.upstream_attenuation_db == Db(22.29)
    assert loss.downstream_absence is None
    assert loss.upstream_absence is None


@pytest.mark.parametrize("absence", list(Absence))
@pytest.mark.parametrize(
    ("name", "words", "direction", "other"),
    [
        ("olt_tx_dbm", "OLT Tx", "downstream", "upstream"),
        ("onu_rx_dbm", "ONU Rx", "downstream", "upstream"),
        ("onu_tx_dbm", "ONU Tx", "upstream", "downstream"),
        ("olt_rx_dbm", "OLT Rx", "upstream", "downstream"),
    ],
)
def test_a_missing_power_takes_its_own_direction_and_says_why(
    absence: Absence, name: str, words: str, direction: str, other: str
) -> None:
    loss = link_loss(sample(**{name: absence}))
    assert getattr(loss, f"{direction}_attenuation_db") is None
    assert words in getattr(loss, f"{direction}_absence")
    assert getattr(loss, f"{other}_attenuation_db") is not None
    assert getattr(loss, f"{other}_absence") is None


def test_each_reason_for_absence_reads_differently() -> None:
    texts = {link_loss(sample(onu_rx_dbm=absence)).downstream_absence for absence in Absence}
    assert len(texts) == len(Absence)


def test_both_missing_ends_are_named() -> None:
    text = link_loss(sample(olt_tx_dbm=Absence.NOT_READ, onu_rx_dbm=Absence.OFFLINE)).downstream_absence
    assert text is not None
    assert "OLT Tx" in text
    assert "ONU Rx" in text


# -- threshold sets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "name", "limit", "words"),
    [(CONSTRUCTION, "construction", -20.0, "-20DB"), (USER_SIDE, "user_side", -27.0, "-27DB")],
)
def test_the_stages_hold_the_specification_and_its_interpretation(
    known: ThresholdSet, name: str, limit: float, words: str
) -> None:
    assert threshold_set(name) is known
    (only,) = known.thresholds
    assert (only.quantity, only.comparison, only.limit) == ("onu_rx_dbm", Comparison.AT_LEAST, Dbm(limit))
    assert only.source_text == words
    assert f">= {limit:g} dBm" in only.interpretation


def test_the_list_of_sets_is_read_only_and_complete() -> None:
    classes = {"gpon_b_plus", "gpon_c_plus", "epon_px20", "epon_px20_plus"}
    classes |= {f"{system}_{name}" for system in ("xg", "xgs") for name in ("n1", "n2", "e1", "e2")}
    assert set(threshold_sets()) == {"construction", "user_side", *classes}
    with pytest.raises(TypeError):
        threshold_sets()["mine"] = CONSTRUCTION  # type: ignore[index]


def test_an_unknown_set_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'constructoin'.*known: construction, epon_px20, .*user_side"):
        threshold_set("constructoin")


# -- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onu_rx", "construction", "user_side"),
    [
        (-19.99, Outcome.PASS, Outcome.PASS),
        (-20.0, Outcome.PASS, Outcome.PASS),  # equality passes
        (-20.004, Outcome.FAIL, Outcome.PASS),  # and nothing is rounded first
        (-27.0, Outcome.FAIL, Outcome.PASS),
        (-27.01, Outcome.FAIL, Outcome.FAIL),
    ],
)
def test_the_limit_itself_passes_and_nothing_is_rounded(
    onu_rx: float, construction: Outcome, user_side: Outcome
) -> None:
    assert judged(sample(onu_rx_dbm=onu_rx)).outcome is construction
    assert judged(sample(onu_rx_dbm=onu_rx), thresholds=USER_SIDE).outcome is user_side


def test_the_reason_shows_what_rounding_would_hide() -> None:
    (judgement,) = judged(sample(onu_rx_dbm=-20.004)).judgements
    assert judgement.reason == "ONU Rx -20.004 dBm < -20.00 dBm, missed by 0.004 dB"


def test_the_reason_of_a_pass_names_number_limit_and_margin() -> None:
    (judgement,) = judged(sample(onu_rx_dbm=-17.18)).judgements
    assert judgement.reason == "ONU Rx -17.18 dBm >= -20.00 dBm, margin 2.82 dB"
    assert judgement.measured == Dbm(-17.18)


def test_an_attenuation_limit_passes_on_equality_despite_binary_floats() -> None:
    reading = sample(olt_tx_dbm=3.31, onu_rx_dbm=-18.18)
    assert judged(reading, thresholds=loss_limit("downstream_attenuation_db", 21.49)).passed
    verdict = judged(reading, thresholds=loss_limit("downstream_attenuation_db", 21.48))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.judgements[0].reason == "downstream attenuation 21.49 dB > 21.48 dB, missed by 0.01 dB"


@pytest.mark.parametrize("absence", list(Absence))
def test_a_missing_reading_is_undetermined_and_never_a_pass(absence: Absence) -> None:
    verdict = judged(sample(onu_rx_dbm=absence))
    assert verdict.outcome is Outcome.UNDETERMINED
    assert not verdict.passed
    assert verdict.judgements[0].measured is None
    assert verdict.judgements[0].reason.startswith("ONU Rx is missing: ")


def test_an_attenuation_that_cannot_be_computed_is_undetermined() -> None:
    verdict = judged(sample(olt_tx_dbm=Absence.UNSUPPORTED), thresholds=loss_limit("downstream_attenuation_db", 25))
    assert verdict.outcome is Outcome.UNDETERMINED
    assert "OLT Tx is missing: the device cannot report it" in verdict.judgements[0].reason


def test_a_fail_outweighs_a_missing_number_and_a_missing_number_a_pass() -> None:
    both = ThresholdSet(
        id="both",
        stage="anywhere",
        thresholds=CONSTRUCTION.thresholds + loss_limit("upstream_attenuation_db", 28).thresholds,
    )
    assert judged(sample(onu_rx_dbm=-21, olt_rx_dbm=Absence.NO_SIGNAL), thresholds=both).outcome is Outcome.FAIL
    assert judged(sample(olt_rx_dbm=Absence.NO_SIGNAL), thresholds=both).outcome is Outcome.UNDETERMINED
    assert judged(sample(), thresholds=both).outcome is Outcome.PASS


def test_other_powers_missing_do_not_stop_the_verdict_on_onu_rx() -> None:
    verdict = judged(sample(olt_tx_dbm=Absence.NOT_READ, olt_rx_dbm=Absence.NOT_REPORTED))
    assert verdict.passed
    assert verdict.loss.downstream_attenuation_db is None


def test_a_single_reading_needs_no_list_and_is_judged_as_it_is() -> None:
    reading = sample()
    verdict = judge(reading, CONSTRUCTION, judged_at=NOW)
    assert verdict.reading is reading
    assert verdict.readings == (reading,)
    assert verdict.findings == ()


def test_no_samples_and_mixed_onus_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one reading"):
        judge([], CONSTRUCTION, judged_at=NOW)
    stranger = sample().model_copy(update={"onu": OnuRef.parse("0/2/5:10")})
    with pytest.raises(ValueError, match=r"0/2/5:10, 0/2/5:9"):
        judged(sample(), stranger)


def test_the_time_of_judging_must_be_aware() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        judge(sample(), CONSTRUCTION, judged_at=datetime(2031, 1, 1))  # noqa: DTZ001


def test_a_verdict_survives_json_with_its_units() -> None:
    thresholds = ThresholdSet(
        id="both",
        stage="anywhere",
        thresholds=CONSTRUCTION.thresholds + loss_limit("upstream_attenuation_db", 28).thresholds,
    )
    verdict = judged(sample(), sample(onu_rx_dbm=-17.3), thresholds=thresholds)
    again = Verdict.model_validate_json(verdict.model_dump_json())
    assert again == verdict
    assert again.judgements[1].threshold.limit == Db(28)
    assert isinstance(again.judgements[1].measured, Db)


# -- samples ----------------------------------------------------------------------------------------------------------


def test_the_median_of_the_samples_is_judged_and_the_spread_is_told() -> None:
    verdict = judged(sample(onu_rx_dbm=-19.9), sample(onu_rx_dbm=-20.3), sample(onu_rx_dbm=-19.95))
    assert verdict.reading.onu_rx_dbm.value == Dbm(-19.95)
    assert verdict.passed
    (spread,) = [finding for finding in verdict.findings if finding.code == "spread"]
    assert "ONU Rx 0.40 dB" in spread.text
    assert "3 samples" in spread.text


def test_an_even_number_of_samples_takes_the_middle_of_the_two() -> None:
    verdict = judged(sample(onu_rx_dbm=-20.01), sample(onu_rx_dbm=-19.99))
    assert verdict.reading.onu_rx_dbm.value == Dbm(-20.0)
    assert verdict.passed


def test_the_combined_reading_keeps_source_latest_time_worst_precision_and_other_medians() -> None:
    first = sample(
        onu_rx_dbm=power(-18, precision=2), voltage_v=3.2, device_downstream_attenuation_db=Db(21.1), temperature_c=40.0
    )
    later = sample(
        onu_rx_dbm=power(-18, at=NOW + timedelta(seconds=9), precision=3),
        voltage_v=3.4,
        device_downstream_attenuation_db=Db(21.3),
    )
    reading = judged(first, later).reading
    assert reading.onu_rx_dbm.source == "cli: display x"
    assert reading.onu_rx_dbm.at == NOW + timedelta(seconds=9)
    assert reading.onu_rx_dbm.precision_db == Db(3)
    assert reading.voltage_v == pytest.approx(3.3)
    assert reading.temperature_c == 40.0
    assert reading.bias_ma is None
    assert reading.device_downstream_attenuation_db == Db(21.2)
    assert reading.device_upstream_attenuation_db is None


def test_a_link_that_answers_less_than_every_second_time_is_not_measured_by_its_good_moments() -> None:
    dark = sample(onu_rx_dbm=Absence.NO_SIGNAL)
    verdict = judged(dark, sample(), dark)
    assert verdict.outcome is Outcome.UNDETERMINED
    assert verdict.reading.onu_rx_dbm.absence is Absence.NO_SIGNAL
    assert "samples_missing" in codes(verdict)
    half = judged(dark, sample())
    assert half.passed
    assert "samples_missing" in codes(half)


def test_samples_that_move_by_a_decibel_are_called_unstable() -> None:
    assert "unstable" in codes(judged(sample(onu_rx_dbm=-17), sample(onu_rx_dbm=-18.01)))
    assert "unstable" not in codes(judged(sample(onu_rx_dbm=-17), sample(onu_rx_dbm=-18)))


# -- findings ---------------------------------------------------------------------------------------------------------


def test_a_healthy_link_has_no_finding_and_every_finding_has_a_sentence() -> None:
    assert judged(sample(voltage_v=3.28, bias_ma=12.0)).findings == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"voltage_v": 0.163}, "supply voltage 0.163 V"),
        ({"voltage_v": 2.79}, "supply voltage"),
        ({"voltage_v": 3.81}, "supply voltage"),
        ({"voltage_v": float("nan")}, "supply voltage nan"),
        ({"bias_ma": 5600.0}, "laser bias 5600 mA"),
        ({"bias_ma": float("nan")}, "laser bias nan"),
        ({"onu_tx_dbm": 32.17}, "ONU Tx 32.17 dBm"),
        ({"onu_tx_dbm": -5.01}, "ONU Tx"),
        ({"onu_rx_dbm": 5.01}, "ONU Rx"),
        ({"onu_rx_dbm": -40.01}, "ONU Rx"),
        ({"olt_rx_dbm": 5.01}, "OLT Rx"),
        ({"olt_rx_dbm": -40.01}, "OLT Rx"),
    ],
)
@pytest.mark.parametrize("onu_rx", [-17.18, -33.0], ids=["would pass", "would fail"])
def test_nonsense_from_a_module_makes_the_verdict_undetermined(
    changes: dict[str, float], words: str, onu_rx: float
) -> None:
    verdict = judged(sample(**{"onu_rx_dbm": onu_rx, **changes}))
    assert verdict.outcome is Outcome.UNDETERMINED
    assert all(judgement.outcome is Outcome.UNDETERMINED for judgement in verdict.judgements)
    assert words in verdict.judgements[0].reason
    (finding,) = [finding for finding in verdict.findings if finding.code == "ddm_untrusted"]
    assert words in finding.text
    assert finding.next_step


@pytest.mark.parametrize(
    "changes",
    [
        {"voltage_v": 2.8},
        {"voltage_v": 3.8},
        {"bias_ma": 150.0},
        {"onu_tx_dbm": -5.0},
        {"onu_tx_dbm": 10.0},
        {"onu_rx_dbm": 5.0},
        {"onu_rx_dbm": -40.0},
        {"olt_rx_dbm": 5.0},
        {"olt_rx_dbm": -40.0},
    ],
)
def test_the_bounds_of_plausible_diagnostics_are_inside(changes: dict[str, float]) -> None:
    assert "ddm_untrusted" not in codes(judged(sample(**changes)))


def test_one_nonsense_sample_among_good_ones_is_enough() -> None:
    assert judged(sample(), sample(), sample(voltage_v=0.1)).outcome is Outcome.UNDETERMINED


def test_overload_is_told_and_does_not_change_the_verdict() -> None:
    verdict = judged(sample(onu_rx_dbm=-7.99))
    assert verdict.passed
    assert "overload" in codes(verdict)
    assert "overload" not in codes(judged(sample(onu_rx_dbm=-8.0)))


@pytest.mark.parametrize(
    ("changes", "direction"),
    [({"olt_tx_dbm": -20.0}, "downstream"), ({"onu_tx_dbm": -4.0, "olt_rx_dbm": -3.0}, "upstream")],
)
def test_a_line_that_amplifies_is_told(changes: dict[str, float], direction: str) -> None:
    verdict = judged(sample(**changes))
    assert verdict.passed
    (finding,) = [finding for finding in verdict.findings if finding.code == "negative_loss"]
    assert finding.text.startswith(f"the {direction} attenuation is -")


def test_directions_that_agree_only_when_exchanged_look_swapped() -> None:
    # the ONU sends 5 dB stronger than the OLT: its partner must see 5 dB more, and sees 5 dB less
    verdict = judged(sample(olt_tx_dbm=1.5, onu_tx_dbm=6.5, onu_rx_dbm=-13.5, olt_rx_dbm=-18.5))
    assert "directions_swapped" in codes(verdict)
    assert verdict.passed


def test_directions_that_differ_by_more_than_accuracy_disagree() -> None:
    verdict = judged(sample(olt_tx_dbm=3, onu_tx_dbm=3, onu_rx_dbm=-15, olt_rx_dbm=-21.81))
    assert "directions_disagree" in codes(verdict)
    assert "directions_disagree" not in codes(
        judged(sample(olt_tx_dbm=3, onu_tx_dbm=3, onu_rx_dbm=-15, olt_rx_dbm=-21.8))
    )


def test_one_number_in_both_directions_is_suspected_to_be_a_copy() -> None:
    same = sample(onu_rx_dbm=-18.5, olt_rx_dbm=-18.5)
    assert "directions_duplicated" in codes(judged(same, same))
    assert "directions_duplicated" not in codes(judged(same)), "once may be chance"
    twice = sample(onu_rx_dbm=-18.5, olt_rx_dbm=-18.5, olt_tx_dbm=3, onu_tx_dbm=3)
    assert "directions_duplicated" in codes(judged(twice))
    assert "directions_duplicated" not in codes(judged(same, sample()))
    dark = sample(onu_rx_dbm=Absence.OFFLINE, olt_rx_dbm=Absence.OFFLINE)
    assert "directions_duplicated" not in codes(judged(dark, dark))


def test_powers_read_more_than_a_minute_apart_are_told() -> None:
    def apart(seconds: float) -> Verdict:
        return judged(sample(olt_tx_dbm=power(3.31, at=NOW - timedelta(seconds=seconds))))

    assert "time_skew" not in codes(apart(60))
    assert "time_skew" in codes(apart(60.001))
    assert apart(60.001).passed


def test_samples_far_apart_are_no_time_skew() -> None:
    later = sample(**{name: power(value, at=NOW + timedelta(hours=1)) for name, value in HEALTHY.items()})
    assert "time_skew" not in codes(judged(sample(), later))


def test_readings_without_a_time_are_no_time_skew() -> None:
    assert codes(judged(sample(**{name: power(value, at=None) for name, value in HEALTHY.items()}))) == set()


@pytest.mark.parametrize("direction", ["downstream", "upstream"])
def test_a_device_that_disagrees_with_its_own_powers_is_told(direction: str) -> None:
    ours = {"downstream": 20.49, "upstream": 21.41}[direction]
    field = f"device_{direction}_attenuation_db"
    assert "device_arithmetic" not in codes(judged(sample(**{field: Db(round(ours + 0.1, 2))})))
    verdict = judged(sample(**{field: Db(round(ours + 0.11, 2))}), sample(**{field: Db(round(ours - 0.5, 2))}))
    (finding,) = [finding for finding in verdict.findings if finding.code == "device_arithmetic"]
    assert f"{direction} attenuation {ours - 0.5:.2f} dB" in finding.text, "the worst sample is told"
    assert f"{ours:.2f} dB" in finding.text
    assert verdict.passed


def test_a_printed_attenuation_without_powers_is_not_compared() -> None:
    verdict = judged(sample(olt_tx_dbm=Absence.NOT_READ, device_downstream_attenuation_db=Db(5)))
    assert "device_arithmetic" not in codes(verdict)


def test_a_margin_inside_the_declared_precision_is_told() -> None:
    near = judged(sample(onu_rx_dbm=power(-17.01, precision=3)))
    assert near.passed
    (finding,) = [finding for finding in near.findings if finding.code == "within_precision"]
    assert "2.99 dB" in finding.text
    assert "±3.00 dB" in finding.text
    assert "hand-held" in (finding.next_step or "")
    assert "within_precision" in codes(judged(sample(onu_rx_dbm=power(-22.99, precision=3))))
    assert "within_precision" not in codes(judged(sample(onu_rx_dbm=power(-17.0, precision=3))))
    assert "within_precision" not in codes(judged(sample(onu_rx_dbm=power(Absence.OFFLINE))))


def test_an_attenuation_inherits_the_precision_of_both_ends() -> None:
    reading = sample(olt_tx_dbm=power(3.0, precision=2), onu_rx_dbm=power(-18.0, precision=3))
    assert "within_precision" in codes(judged(reading, thresholds=loss_limit("downstream_attenuation_db", 25.99)))
    assert "within_precision" not in codes(judged(reading, thresholds=loss_limit("downstream_attenuation_db", 26)))


# -- properties -------------------------------------------------------------------------------------------------------

hundredths = st.integers(-3999, 499).map(lambda number: number / 100)
maybe = st.one_of(hundredths, st.sampled_from(list(Absence)))


@given(weak=hundredths, gain=st.integers(0, 2000))
def test_more_light_never_turns_a_pass_into_a_fail(weak: float, gain: int) -> None:
    strong = min(weak + gain / 100, 4.99)
    order = [Outcome.FAIL, Outcome.PASS]
    weak_outcome, strong_outcome = judged(sample(onu_rx_dbm=weak)).outcome, judged(sample(onu_rx_dbm=strong)).outcome
    assert order.index(weak_outcome) <= order.index(strong_outcome)


@given(rx=st.lists(maybe, min_size=2, max_size=4), data=st.data())
def test_the_order_of_samples_does_not_matter(rx: list[float | Absence], data: st.DataObject) -> None:
    samples = [sample(onu_rx_dbm=value) for value in rx]
    verdict = judged(*samples)
    shuffled = judged(*data.draw(st.permutations(samples)))
    assert shuffled.model_copy(update={"readings": verdict.readings}) == verdict


@given(rx=st.lists(maybe, min_size=1, max_size=5))
def test_a_pass_has_a_value_at_or_above_the_limit(rx: list[float | Absence]) -> None:
    verdict = judged(*(sample(onu_rx_dbm=value) for value in rx))
    present = [value for value in rx if not isinstance(value, Absence)]
    if verdict.passed:
        assert max(present) >= -20
    if not present:
        assert verdict.outcome is Outcome.UNDETERMINED


@given(values=st.tuples(*[hundredths] * 4))
def test_losses_of_printed_numbers_have_as_many_decimals_as_the_numbers(values: tuple[float, ...]) -> None:
    loss = link_loss(sample(**dict(zip(HEALTHY, values, strict=True))))
    for attenuation in (loss.downstream_attenuation_db, loss.upstream_attenuation_db):
        assert attenuation is not None
        assert attenuation.value == round(attenuation.value, 2)


def test_every_combination_of_absent_powers_is_judged_without_an_exception() -> None:
    for absent in itertools.product([False, True], repeat=4):
        changes = {name: Absence.NOT_READ for name, gone in zip(POWERS, absent, strict=True) if gone}
        verdict = judged(sample(**changes), sample(**changes))
        expected = Outcome.UNDETERMINED if "onu_rx_dbm" in changes else Outcome.PASS
        assert verdict.outcome is expected
