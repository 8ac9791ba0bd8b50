"""How sure a verdict is: uncertainties with their sources, bands, policies, calibration, judging again."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.evaluate import CONSTRUCTION, USER_SIDE, judge, rejudge
from ponprobe.models.addressing import OnuRef, Serial
from ponprobe.models.judgement import (
    Accuracy,
    Band,
    Comparison,
    Judgement,
    JudgeOptions,
    NextAction,
    Outcome,
    Policy,
    Threshold,
    ThresholdSet,
    Verdict,
)
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import Calibration, PairedReading
from ponprobe.optics.calibration import corrected
from ponprobe.optics.uncertainty import (
    QUANTISATION_DB,
    accuracies,
    band_of,
    family_accuracy,
    named_accuracy,
    outcome_of,
    probability_met,
    quantisation_db,
)

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")
SERIAL = Serial("HWTC0B086EA9")

# OLT Rx, ONU Tx, up, OLT Tx, ONU Rx, down, down - up: as public outputs of `show pon power attenuation` print them
ZTE_PAIRS = (
    (-13.955, 2.317, 16.272, 6.093, -14.318, 20.411, 4.14),
    (-20.850, 2.868, 23.718, 4.230, -18.210, 22.440, -1.28),
    (-20.241, 2.423, 22.664, 5.369, -16.676, 22.045, -0.62),
    (-26.968, 2.463, 29.431, 6.623, -22.678, 29.301, -0.13),
    (-25.087, 2.108, 27.195, 6.807, -21.250, 28.057, 0.86),
    (-26.072, 3.170, 29.242, 10.571, -21.670, 32.241, 3.00),
    (-27.099, 2.442, 29.541, 5.025, -27.695, 32.720, 3.18),
    (-32.285, 2.491, 34.776, 8.164, -23.872, 32.036, -2.74),
    (-30.969, 2.469, 33.438, 7.046, -22.832, 29.878, -3.56),
    (-27.785, 3.097, 30.882, 6.949, -24.814, 31.763, 0.88),
    (-20.980, 2.359, 23.339, 6.819, -17.560, 24.379, 1.04),
    (-25.157, 2.422, 27.579, 6.183, -22.008, 28.191, 0.61),
)


def reading(precision: float | None = None, **powers: float | Absence) -> OpticalReading:
    fields: dict[str, Any] = {}
    for name, value in powers.items():
        declared = None if precision is None else Db(precision)
        fields[name] = (
            Reading(absence=value)
            if isinstance(value, Absence)
            else Reading(value=Dbm(value), at=NOW, precision_db=declared)
        )
    return OpticalReading(onu=ONU, **fields)


def rx(value: float, precision: float | None = None) -> OpticalReading:
    return reading(precision, onu_rx_dbm=value)


def judged(*samples: OpticalReading, thresholds: ThresholdSet = CONSTRUCTION, **options: Any) -> Verdict:
    return judge(samples, thresholds, judged_at=NOW, **options)


def only(verdict: Verdict) -> Judgement:
    (judgement,) = verdict.judgements
    return judgement


def loss_at_most(limit: float) -> ThresholdSet:
    threshold = Threshold(
        quantity="downstream_attenuation_db",
        comparison=Comparison.AT_MOST,
        limit=Db(limit),
        source_text="x",
        interpretation="x",
    )
    return ThresholdSet(id="loss", stage="x", thresholds=(threshold,))


# -- the published table, to its printed digits -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "precision", "u", "passes_from", "fails_below", "probability"),
    [
        ({}, 3.0, "1.73", "-17.15", "-22.85", "0.72"),
        ({"family": "huawei_smartax"}, None, "1.73", "-17.15", "-22.85", "0.72"),
        ({"family": "zte_zxan"}, None, "1.16", "-18.10", "-21.90", "0.81"),
        ({"family": "zte_titan"}, None, "1.16", "-18.10", "-21.90", "0.81"),
        ({"accuracy": "zte"}, 3.0, "1.16", "-18.10", "-21.90", "0.81"),
        ({"accuracy": "hand_held"}, None, "0.25", "-19.59", "-20.41", "1.00"),
    ],
)
def test_the_bands_around_minus_20_are_the_published_ones(
    *, options: dict[str, str], precision: float | None, u: str, passes_from: str, fails_below: str, probability: str
) -> None:
    at_the_limit = only(judged(rx(-20, precision), **options)).uncertainty
    assert at_the_limit is not None
    assert f"{at_the_limit.u_db.value:.2f}" == u
    assert f"{-20 + at_the_limit.w_db.value:.2f}" == passes_from
    assert f"{-20 - at_the_limit.w_db.value:.2f}" == fails_below
    assert at_the_limit.w_db.value == 1.645 * at_the_limit.u_db.value
    likely = only(judged(rx(-19, precision), **options)).probability
    assert f"{likely:.2f}" == probability
    # and the verdict changes its band where the table says so
    bands = [
        judged(rx(value, precision), **options).band
        for value in (float(passes_from) + 0.01, -20.0, -20.01, float(fails_below) - 0.01)
    ]
    assert bands == [Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL, Band.FAIL]


@pytest.mark.parametrize(
    ("options", "precision", "u", "guard"),
    [({"family": "zte_zxan"}, None, "1.64", "2.69"), ({}, 3.0, "2.45", "4.03")],
)
def test_an_attenuation_has_the_uncertainty_of_both_its_ends(
    options: dict[str, str], precision: float | None, u: str, guard: str
) -> None:
    both = reading(precision, olt_tx_dbm=3.0, onu_rx_dbm=-18.0)
    found = only(judged(both, thresholds=loss_at_most(25), **options)).uncertainty
    assert found is not None
    assert (f"{found.u_db.value:.2f}", f"{found.w_db.value:.2f}") == (u, guard)
    assert {term.quantity for term in found.terms} == {"olt_tx_dbm", "onu_rx_dbm"}


def test_the_zte_figure_is_that_of_the_twelve_pairs() -> None:
    gaps = [row[6] for row in ZTE_PAIRS]
    mean = sum(gaps) / 12
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / 11)
    assert named_accuracy("zte").u_db.value == pytest.approx(spread / 2, abs=5e-4)
    assert f"{spread:.2f}" == "2.32"


# -- the twelve pairs judged ------------------------------------------------------------------------------------------


def test_the_twelve_public_pairs_are_judged_as_published() -> None:
    passed, verdicts = [], []
    for number, (olt_rx, onu_tx, up, olt_tx, onu_rx, down, gap) in enumerate(ZTE_PAIRS, start=1):
        sample = reading(olt_rx_dbm=olt_rx, onu_tx_dbm=onu_tx, olt_tx_dbm=olt_tx, onu_rx_dbm=onu_rx)
        sample = sample.model_copy(
            update={"device_downstream_attenuation_db": Db(down), "device_upstream_attenuation_db": Db(up)}
        )
        verdict = judged(sample, family="zte_zxan", optical_class="gpon_c_plus")
        assert verdict.loss.downstream_attenuation_db == Db(down)
        assert verdict.loss.upstream_attenuation_db == Db(up)
        assert down - up == pytest.approx(gap, abs=0.0051)
        verdicts.append({finding.code for finding in verdict.findings})
        if verdict.passed:
            passed.append(number)
    assert passed == [1, 2, 3, 11]
    # an OLT Tx of 10.571 dBm is above every class; nothing else of them is nonsense, and no direction is
    assert [number for number, codes in enumerate(verdicts, start=1) if "outside_class" in codes] == [6]
    assert not {"directions_disagree", "directions_swapped", "device_arithmetic", "ddm_untrusted"} & set().union(
        *verdicts
    )
    assert sum(abs(row[6]) > 2 for row in ZTE_PAIRS) == 5


# -- where an uncertainty comes from ----------------------------------------------------------------------------------


def test_every_part_of_an_uncertainty_says_where_it_comes_from() -> None:
    found = only(judged(rx(-21, 3.0), rx(-21.2, 3.0), family="zte_zxan")).uncertainty
    assert found is not None
    assert [term.kind for term in found.terms] == ["systematic", "repeatability", "quantisation"]
    assert all(term.source and term.status for term in found.terms)
    assert math.hypot(*(term.u_db.value for term in found.terms)) == pytest.approx(found.u_db.value)


def test_what_a_reading_declares_outranks_the_family_and_a_named_accuracy_outranks_both() -> None:
    def source(precision: float | None, **options: Any) -> str:
        found = only(judged(rx(-21, precision), **options)).uncertainty
        assert found is not None
        return f"{found.terms[0].u_db.value:.3f} {found.terms[0].source}"

    assert source(2.0, family="zte_zxan").startswith("1.155 ±2 dB declared")
    assert source(None, family="zte_zxan").startswith("1.158 sigma 1.16 dB")
    assert "Huawei" in source(None, family="huawei_smartax")
    assert "SFF-8472" in source(None)
    assert "SFF-8472" in source(None, family="nokia_isam")
    assert "SFF-8472" in source(0.0), "a device that declares ±0 declares nothing"
    assert "TPN-35" in source(2.0, family="zte_zxan", accuracy="hand_held")
    own = Accuracy(id="mine", u_db=Db(0.4), statement="0.4 dB", source="my meter")
    assert source(2.0, accuracy=own) == "0.400 0.4 dB; my meter"


def test_the_accuracies_are_data_with_sources() -> None:
    assert set(accuracies()) == {"sff_8472", "huawei", "zte", "hand_held"}
    assert all(each.source and each.status and each.statement for each in accuracies().values())
    with pytest.raises(TypeError):
        accuracies()["x"] = accuracies()["zte"]  # type: ignore[index]
    assert family_accuracy("huawei_smartax").id == "huawei"
    assert family_accuracy(None).id == "sff_8472"
    with pytest.raises(ConfigError, match=r"'nokia'.*known: hand_held, huawei"):
        named_accuracy("nokia")
    with pytest.raises(ValidationError, match="no reading is exact"):
        Accuracy(id="x", u_db=Db(0), statement="x", source="x")


@pytest.mark.parametrize(("power", "step"), [(-20, "0.04"), (-24, "0.11"), (-27, "0.21"), (-28, "0.27"), (-30, "0.41")])
def test_the_modules_step_of_a_tenth_of_a_microwatt_is_the_published_one(power: float, step: str) -> None:
    assert f"{quantisation_db(power) * math.sqrt(12):.2f}" == step


def test_the_table_of_steps_is_fine_enough_and_ends_somewhere() -> None:
    for hundredths in range(-3000, 500, 7):
        value = hundredths / 100 + 0.004
        exact = 10 * math.log10(1 + 1e-4 / 10 ** (value / 10)) / math.sqrt(12)
        assert quantisation_db(value) == pytest.approx(exact, rel=2e-3)
    assert quantisation_db(-1e300) == quantisation_db(-60) == QUANTISATION_DB[0]
    assert quantisation_db(1e300) == quantisation_db(20) == QUANTISATION_DB[-1]


def test_repeating_lowers_what_scatters_and_leaves_what_is_shared() -> None:
    def u(count: int) -> float:
        samples = [rx(-21 + (0.3 if each % 2 else -0.3), 3.0) for each in range(count)]
        found = only(judged(*samples)).uncertainty
        assert found is not None
        return found.u_db.value

    assert u(2) > u(4) > u(16) > 3 / math.sqrt(3)
    four = only(judged(rx(-21), rx(-21.3), rx(-20.7), rx(-21))).uncertainty
    assert four is not None
    (term,) = [term for term in four.terms if term.kind == "repeatability"]
    assert term.u_db.value == pytest.approx(math.sqrt(0.18 / 3) / 2)
    assert "4 samples" in term.source


def test_an_empirical_figure_already_holds_the_modules_steps() -> None:
    empirical = only(judged(rx(-30), family="zte_zxan")).uncertainty
    declared = only(judged(rx(-30, 3.0), family="zte_zxan")).uncertainty
    assert empirical is not None
    assert declared is not None
    assert [term.kind for term in empirical.terms] == ["systematic"]
    assert [term.kind for term in declared.terms] == ["systematic", "quantisation"]


# -- calibration ------------------------------------------------------------------------------------------------------


def certificate(**changes: Any) -> Calibration:
    fields: dict[str, Any] = {
        "serial": SERIAL,
        "offset_db": Db(0.9),
        "u_db": Db(0.26),
        "meter_id": "M1",
        "meter_u_db": Db(0.25),
        "repeatability_db": Db(0.1),
        "pairs": (PairedReading(meter_dbm=Dbm(-20.9), onu_rx_dbm=Dbm(-20)),),
        "lowest_dbm": Dbm(-28),
        "highest_dbm": Dbm(-15),
        "certificate": "C1",
        "calibrated_at": NOW - timedelta(days=9),
        "valid_until": NOW + timedelta(days=9),
    }
    return Calibration(**{**fields, **changes})


def test_a_calibrated_test_onu_narrows_the_band_and_corrects_the_reading() -> None:
    raw = rx(-18.9, 3.0)
    assert judged(raw).band is Band.MARGINAL_PASS
    verdict = judged(corrected(raw, certificate(), serial=SERIAL), calibration=certificate())
    assert verdict.reading.onu_rx_dbm.value == Dbm(-19.8)
    found = only(verdict).uncertainty
    assert found is not None
    assert [term.kind for term in found.terms] == ["systematic", "repeatability", "quantisation"]
    assert found.terms[0].u_db == Db(0.26)
    assert "certificate C1, meter M1" in found.terms[0].source
    assert "certificate C1" in found.terms[1].source
    assert found.terms[1].u_db == Db(0.1)
    assert verdict.band is Band.MARGINAL_PASS
    clear = corrected(rx(-18.0, 3.0), certificate(), serial=SERIAL)
    assert judged(clear, calibration=certificate()).band is Band.PASS
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_certificate_is_worth_nothing_for_numbers_that_it_did_not_correct() -> None:
    with pytest.raises(
        ConfigError, match=r"ONU Rx -18.90 dBm .* not been corrected by certificate C1.*corrected first"
    ):
        judged(rx(-18.9), calibration=certificate())
    other = corrected(rx(-18.9), certificate(certificate="C12"), serial=SERIAL)
    with pytest.raises(ConfigError, match="certificate C1 "):
        judged(other, calibration=certificate())
    dark = reading(onu_rx_dbm=Absence.NO_SIGNAL)
    assert judged(dark, calibration=certificate()).outcome is Outcome.UNDETERMINED


def test_outside_the_calibrated_powers_the_offset_is_a_guess() -> None:
    inside = judged(corrected(rx(-18), certificate(), serial=SERIAL), calibration=certificate())
    outside = judged(corrected(rx(-10), certificate(), serial=SERIAL), calibration=certificate())
    assert "calibration_extrapolated" not in {finding.code for finding in inside.findings}
    assert "calibration_extrapolated" in {finding.code for finding in outside.findings}


def test_a_lively_line_counts_more_than_a_quiet_certificate_and_the_other_end_keeps_its_own() -> None:
    samples = [
        corrected(reading(3.0, onu_rx_dbm=value, olt_tx_dbm=3.0), certificate(), serial=SERIAL)
        for value in (-18.0, -19.0)
    ]
    found = only(judged(*samples, thresholds=loss_at_most(25), calibration=certificate())).uncertainty
    assert found is not None
    launch = [term for term in found.terms if term.quantity == "olt_tx_dbm"]
    receive = [term for term in found.terms if term.quantity == "onu_rx_dbm"]
    assert launch[0].u_db.value == 3 / math.sqrt(3)
    assert receive[0].u_db == Db(0.26)
    assert "standard deviation of 2 samples" in receive[1].source


# -- bands and policies -----------------------------------------------------------------------------------------------


def test_the_bands_meet_at_their_bounds() -> None:
    assert [band_of(margin, 2.0) for margin in (2.0, 1.999, 0.0, -0.001, -2.0, -2.001)] == [
        Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL, Band.MARGINAL_FAIL, Band.FAIL,
    ]  # fmt: skip


def test_outcomes_have_the_specifications_words() -> None:
    assert [(str(each), each.label) for each in Outcome] == [
        ("pass", "达标"), ("fail", "不达标"), ("undetermined", "无法判定"),
    ]  # fmt: skip


def test_each_policy_passes_its_bands() -> None:
    passing = {policy: [band for band in Band if outcome_of(band, policy) is Outcome.PASS] for policy in Policy}
    assert passing == {
        Policy.SIMPLE: [Band.PASS, Band.MARGINAL_PASS],
        Policy.GUARD_ACCEPT: [Band.PASS],
        Policy.GUARD_REJECT: [Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL],
    }
    assert all(outcome_of(Band.UNDETERMINED, policy) is Outcome.UNDETERMINED for policy in Policy)


@pytest.mark.parametrize(
    ("value", "band", "label"),
    [
        (-15.0, Band.PASS, "达标"),
        (-19.0, Band.MARGINAL_PASS, "临界达标"),
        (-21.0, Band.MARGINAL_FAIL, "临界不达标"),
        (-25.0, Band.FAIL, "不达标"),
        (Absence.NO_SIGNAL, Band.UNDETERMINED, "无法判定"),
    ],
)
def test_the_official_outcome_is_simple_acceptance_unless_a_policy_is_named(
    value: float | Absence, band: Band, label: str
) -> None:
    sample = reading(3.0, onu_rx_dbm=value)
    simple = judged(sample)
    assert (simple.band, simple.band.label, str(simple.band)) == (band, label, band.value)
    assert simple.policy is Policy.SIMPLE
    assert simple.passed is (not isinstance(value, Absence) and value >= -20)
    assert judged(sample, policy="guard_accept").passed is (band is Band.PASS)
    guarded = judged(sample, policy=Policy.GUARD_REJECT)
    assert (guarded.outcome is Outcome.FAIL) is (band is Band.FAIL)
    assert guarded.band is band
    assert f"{guarded.policy}" == "guard_reject"
    assert band.marginal is ("临界" in label)


def test_a_guarded_outcome_says_which_rule_decided() -> None:
    accept = judged(rx(-19, 3.0), policy="guard_accept")
    assert only(accept).reason == (
        "ONU Rx -19.00 dBm >= -20.00 dBm, inside the guard band of 2.85 dB, which guard_accept fails, margin 1.00 dB"
    )
    reject = judged(rx(-21, 3.0), policy="guard_reject")
    assert "which guard_reject passes, missed by 1.00 dB" in only(reject).reason
    assert "guard" not in only(judged(rx(-15, 3.0), policy="guard_accept")).reason


def test_k_widens_the_band_and_never_the_outcome() -> None:
    assert judged(rx(-17.0, 3.0)).band is Band.PASS
    wide = judged(rx(-17.0, 3.0), k=2.0)
    assert wide.band is Band.MARGINAL_PASS
    assert wide.passed
    assert wide.options.k == 2.0


def test_the_probability_is_half_at_the_limit_and_has_no_value_without_a_number() -> None:
    assert only(judged(rx(-20))).probability == 0.5
    assert only(judged(rx(-20))).probability_prior == "flat"
    assert only(judged(reading(onu_rx_dbm=Absence.OFFLINE))).probability is None
    assert probability_met(1.0, 1.0) == pytest.approx(0.8413, abs=1e-4)
    assert probability_met(-1.0, 1.0) == pytest.approx(0.1587, abs=1e-4)


def test_the_worst_band_is_the_verdicts() -> None:
    limits = ThresholdSet(id="x", stage="x", thresholds=CONSTRUCTION.thresholds + loss_at_most(25).thresholds)
    clear = reading(3.0, olt_tx_dbm=3, onu_rx_dbm=-10)
    assert judged(clear, thresholds=limits).band is Band.PASS
    near = reading(3.0, olt_tx_dbm=6, onu_rx_dbm=-16.5)
    assert [each.band for each in judged(near, thresholds=limits).judgements] == [Band.PASS, Band.MARGINAL_PASS]
    assert judged(near, thresholds=limits).band is Band.MARGINAL_PASS
    half = judged(reading(3.0, onu_rx_dbm=-21), thresholds=limits)
    assert [each.band for each in half.judgements] == [Band.MARGINAL_FAIL, Band.UNDETERMINED]
    assert (half.band, half.outcome) == (Band.MARGINAL_FAIL, Outcome.FAIL)
    unknown = judged(reading(3.0, onu_rx_dbm=-19), thresholds=limits)
    assert (unknown.band, unknown.outcome) == (Band.UNDETERMINED, Outcome.UNDETERMINED)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-15.0, "none"),
        (-19.0, "hand_held_reading"),
        (-21.0, "hand_held_reading"),
        (-25.0, "inspect_line"),
        (Absence.OFFLINE, "read_again"),
    ],
)
def test_the_next_action_is_data(value: float | Absence, code: str) -> None:
    action = judged(reading(3.0, onu_rx_dbm=value)).next_action
    assert action.code == code
    assert action.text
    if code == "hand_held_reading":
        assert "another poll repeats the same error" in action.text


def test_an_untrusted_module_is_undetermined_in_every_respect() -> None:
    for value in (-10.0, -33.0):
        verdict = judged(rx(value, 3.0).model_copy(update={"voltage_v": 0.1}), policy="guard_reject")
        judgement = only(verdict)
        assert (verdict.outcome, verdict.band) == (Outcome.UNDETERMINED, Band.UNDETERMINED)
        assert (judgement.outcome, judgement.band) == (Outcome.UNDETERMINED, Band.UNDETERMINED)
        assert judgement.probability is judgement.uncertainty is judgement.margin_db is None
        assert verdict.next_action.code == "other_instrument"
    dark = reading(onu_rx_dbm=Absence.NO_SIGNAL).model_copy(update={"voltage_v": 0.1})
    assert only(judged(dark)).reason == "ONU Rx is missing: no light was received"


def test_what_has_no_limit_is_listed_as_not_judged() -> None:
    verdict = judged(rx(-15))
    assert verdict.not_judged == (
        "olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "downstream_attenuation_db", "upstream_attenuation_db",
    )  # fmt: skip
    assert "not_judged" in verdict.model_dump_json()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0.0}, "k: "),
        ({"k": float("nan")}, "k: "),
        ({"k": 11.0}, "k: "),
        ({"split": 0}, "split: "),
        ({"policy": "lenient"}, "policy: "),
        ({"optical_class": "b+"}, "no optical class"),
        ({"accuracy": "good"}, "no accuracy"),
    ],
)
def test_options_that_make_no_sense_are_config_errors(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        judged(rx(-15), **options)


# -- judging again ----------------------------------------------------------------------------------------------------


def test_judging_again_makes_a_new_verdict_that_names_the_old_and_leaves_it() -> None:
    old = judged(rx(-21, 3.0), rx(-21.2, 3.0), k=2.0, family="zte_zxan", split=32)
    before, digest = old.model_dump_json(), old.digest
    new = rejudge(old, USER_SIDE, judged_at=NOW + timedelta(days=1))
    assert (old.outcome, new.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert new.replaces == digest
    assert old.replaces is None
    assert old.model_dump_json() == before
    assert old.digest == digest
    assert new.readings == old.readings
    assert new.options == old.options
    assert new.threshold_set is USER_SIDE
    assert new.judged_at == NOW + timedelta(days=1)
    again = rejudge(new, CONSTRUCTION, judged_at=NOW, options=JudgeOptions(policy=Policy.GUARD_REJECT))
    assert again.replaces == new.digest
    assert again.passed
    assert again.options.k == 1.645


def test_a_class_that_came_with_the_old_limits_goes_with_them() -> None:
    px20 = USER_SIDE.model_copy(update={"id": "x", "optical_class": "epon_px20"})
    old = judged(rx(-22), thresholds=px20)
    assert rejudge(old, CONSTRUCTION, judged_at=NOW).options.optical_class is None
    assert rejudge(judged(rx(-22)), px20, judged_at=NOW).options.optical_class == "epon_px20"
    asked = judged(rx(-22), optical_class="xgs_n1")
    assert rejudge(asked, px20, judged_at=NOW).options.optical_class == "xgs_n1"


def test_a_digest_names_exactly_one_verdict_and_survives_storage() -> None:
    one, other = judged(rx(-21)), judged(rx(-21.001))
    assert one.digest != other.digest
    assert one.digest.startswith("sha256:")
    assert Verdict.model_validate_json(one.model_dump_json()).digest == one.digest
    moved = judge(rx(-21), CONSTRUCTION, judged_at=NOW + timedelta(microseconds=1))
    assert moved.digest != one.digest


# -- what cannot be recorded ------------------------------------------------------------------------------------------


def test_a_judgement_without_a_number_cannot_pass_or_fail() -> None:
    threshold = CONSTRUCTION.thresholds[0]
    for outcome, band in ((Outcome.PASS, Band.PASS), (Outcome.FAIL, Band.FAIL)):
        with pytest.raises(ValidationError, match="needs a number"):
            Judgement(threshold=threshold, measured=None, outcome=outcome, band=band, reason="x")
        with pytest.raises(ValidationError, match="contradict"):
            Judgement(threshold=threshold, measured=None, outcome=outcome, band=Band.UNDETERMINED, reason="x")
    with pytest.raises(ValidationError, match="contradict"):
        Judgement(threshold=threshold, measured=None, outcome=Outcome.UNDETERMINED, band=Band.MARGINAL_PASS, reason="x")


def test_a_verdict_cannot_pass_over_a_judgement_that_did_not() -> None:
    failed = judged(rx(-25))
    fields = {name: getattr(failed, name) for name in Verdict.model_fields}
    with pytest.raises(ValidationError, match="only if every judgement does"):
        Verdict(**{**fields, "outcome": Outcome.PASS, "next_action": NextAction(code="none", text="x")})


def test_all_four_powers_can_be_limited() -> None:
    limits = tuple(
        Threshold(quantity=name, comparison=Comparison.AT_LEAST, limit=Dbm(-20), source_text="x", interpretation="x")
        for name in POWERS
    )
    verdict = judged(
        reading(3.0, olt_tx_dbm=3, olt_rx_dbm=-22.0, onu_tx_dbm=2),
        thresholds=ThresholdSet(id="x", stage="x", thresholds=limits),
    )
    assert [str(each.band) for each in verdict.judgements] == ["pass", "marginal_fail", "pass", "undetermined"]
