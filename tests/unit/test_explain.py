"""The explaining sentence and the picture of a verdict: every outcome, band, absence and quantity, in two languages."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime, timezone
from typing import Any, Literal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ponprobe.evaluate import judge, threshold_set
from ponprobe.models.addressing import OnuRef, Serial
from ponprobe.models.judgement import (
    ATTENUATIONS,
    QUANTITIES,
    Band,
    Comparison,
    Judgement,
    JudgeOptions,
    LinkLoss,
    NextAction,
    Outcome,
    Policy,
    Threshold,
    ThresholdSet,
    Uncertainty,
    UncertaintyTerm,
    Verdict,
)
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import (
    BudgetView,
    Calibration,
    ExpectedLoss,
    ExpectedPower,
    Explanation,
    Launch,
    LossTerm,
    MeasuredLoss,
    PairedReading,
    PlantComparison,
    PlantRecord,
)
from ponprobe.optics.comparison import compare, judged_losses
from ponprobe.optics.diagram import level_diagram, levels_of
from ponprobe.optics.exact import LOSS_ENDS
from ponprobe.optics.explain import explain
from ponprobe.optics.gates import garbage
from ponprobe.optics.plant import expected_loss
from ponprobe.optics.words import WORDS, Lang, State, exact

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")
HEALTHY = {"olt_tx_dbm": 3.31, "olt_rx_dbm": -19.21, "onu_tx_dbm": 2.2, "onu_rx_dbm": -17.18}
LANGS: tuple[Lang, ...] = ("en", "zh")
LIMITS = {"olt_tx_dbm": 1.5, "olt_rx_dbm": -28.0, "onu_tx_dbm": 0.5, "onu_rx_dbm": -20.0}
MARGINS = {Band.PASS: 4.82, Band.MARGINAL_PASS: 0.62, Band.MARGINAL_FAIL: -0.62, Band.FAIL: -4.82}
ACTIONS = {
    Band.PASS: "none",
    Band.MARGINAL_PASS: "hand_held_reading",
    Band.MARGINAL_FAIL: "hand_held_reading",
    Band.FAIL: "inspect_line",
    Band.UNDETERMINED: "read_again",
}


def reading(**changes: float | Absence) -> OpticalReading:
    def power(value: float | Absence) -> Reading:
        return Reading(absence=value) if isinstance(value, Absence) else Reading(value=Dbm(value))

    return OpticalReading(onu=ONU, **{name: power(value) for name, value in {**HEALTHY, **changes}.items()})


def threshold(quantity: str, comparison: Comparison, limit: float, text: str = "-20DB") -> Threshold:
    return Threshold(
        quantity=quantity,
        comparison=comparison,
        limit=Dbm(limit) if quantity in POWERS else Db(limit),
        source_text=text,
        interpretation=f"{quantity} {comparison} {limit:g}",
    )


def uncertainty(quantity: str, u: float = 1.7324, k: float = 1.645) -> Uncertainty:
    term = UncertaintyTerm(quantity=quantity, kind="systematic", u_db=Db(u), source="the device declares ±3 dB")
    return Uncertainty(terms=(term,), u_db=Db(u), k=k, w_db=Db(u * k))


def judgement(
    quantity: str,
    comparison: Comparison,
    band: Band,
    *,
    limit: float | None = None,
    margin: float | None = None,
    measured: float | None = None,
    policy: Policy = Policy.SIMPLE,
    reason: str = "no reason",
) -> Judgement:
    limit = limit if limit is not None else LIMITS.get(quantity, 21.0)
    held = threshold(quantity, comparison, limit)
    unit = Dbm if quantity in POWERS else Db
    if band is Band.UNDETERMINED:
        found = None if measured is None else unit(measured)
        return Judgement(threshold=held, measured=found, outcome=Outcome.UNDETERMINED, band=band, reason=reason)
    inside = MARGINS[band] if margin is None else margin
    value = limit + inside if comparison is Comparison.AT_LEAST else limit - inside
    passing = {
        Policy.SIMPLE: {Band.PASS, Band.MARGINAL_PASS},
        Policy.GUARD_ACCEPT: {Band.PASS},
        Policy.GUARD_REJECT: {Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL},
    }[policy]
    return Judgement(
        threshold=held,
        measured=unit(round(value, 6) if measured is None else measured),
        outcome=Outcome.PASS if band in passing else Outcome.FAIL,
        band=band,
        margin_db=Db(inside),
        uncertainty=uncertainty(quantity),
        probability=0.64,
        reason=reason,
    )


def verdict(*judgements: Judgement, readings: tuple[OpticalReading, ...] = (), **changes: Any) -> Verdict:
    order = (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS)
    worst = next(each for outcome in order for each in judgements if each.outcome is outcome)
    samples = readings or (reading(),)
    fields: dict[str, Any] = {
        "outcome": worst.outcome,
        "onu": ONU,
        "threshold_set": ThresholdSet(
            id="construction", stage="at the last splitter", thresholds=tuple(each.threshold for each in judgements)
        ),
        "readings": samples,
        "reading": samples[0],
        "loss": LinkLoss(downstream_attenuation_db=Db(20.49), upstream_attenuation_db=Db(21.41)),
        "judgements": judgements,
        "judged_at": NOW,
        "band": worst.band,
        "next_action": NextAction(code=ACTIONS[worst.band], text="Do what the action says."),
    }
    return Verdict(**{**fields, **changes})


def expected(direction: Literal["down", "up", "mean"] = "down") -> ExpectedLoss:
    term = LossTerm(name="x", elements=1, mean_db=Db(18.34), half_width_db=Db(0.9), source="s", status="seen")
    return ExpectedLoss(
        record=PlantRecord(stages=(4, 8), record_km=3.05), direction=direction, wavelengths_nm=(1490,), terms=(term,),
        mean_db=Db(18.34), sigma_db=Db(0.52), worst_db=Db(20.06), components="ours", assumptions=(),
    )  # fmt: skip


def explanation(
    kind: str, *, fits: bool = True, residual: float = 5.76, stages: tuple[int, ...] = (64,)
) -> Explanation:
    return Explanation(
        kind=kind, stages=stages, km=2.9, expected_db=Db(22.44), residual_db=Db(residual), sigma_db=Db(1.72), z=0.97,
        fits=fits, steps=1, text="words",
    )  # fmt: skip


def comparison(*explanations: Explanation, loss: float = 24.1, direction: Any = "down") -> PlantComparison:
    plant, excess = expected(direction), loss - 18.34
    met = loss <= 20.06
    return PlantComparison(
        expected=plant, measured=MeasuredLoss(direction=direction, loss_db=Db(loss), u_db=Db(1.64), basis="b"),
        excess_db=Db(excess), sigma_db=Db(1.72), z=excess / 1.72, k=1.645, flagged_from_db=Db(2.83),
        found_with_90_db=Db(5.03), distance=None, explanations=explanations, text="words",
        budget=BudgetView(measured_db=Db(loss), worst_db=Db(20.06), margin_db=Db(20.06 - loss), met=met, text="words"),
    )  # fmt: skip


NUMBER = re.compile(r"(?<![\w@])(?<!\d\.)[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)", re.ASCII)


def numbers_of(text: str) -> list[str]:
    return NUMBER.findall(text)


def known_numbers(*models: Any) -> list[float]:
    """Every number of the models: as values, in their texts, and how many samples there are."""
    found: list[float] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            for each in part.values():
                walk(each)
        elif isinstance(part, list):
            found.append(float(len(part)))
            for each in part:
                walk(each)
        elif isinstance(part, str):
            found.extend(float(each) for each in numbers_of(part))
        elif isinstance(part, (int, float)) and not isinstance(part, bool):
            found.append(float(part))

    for model in models:
        walk(json.loads(model.model_dump_json()))
    return found


def assert_only_known_numbers(sentence: str, *models: Any, also: tuple[float, ...] = ()) -> None:
    known = [*known_numbers(*models), *also]
    told = sentence.replace(str(ONU), "").replace("1:", "")
    for text in numbers_of(told):
        # what is written with decimals was rounded to them, a whole number was not
        slack = 0.5 * 10 ** -len(text.partition(".")[2]) if "." in text else 0.0
        assert any(abs(abs(float(text)) - abs(each)) <= slack + 1e-9 for each in known), (
            f"{text} in {sentence!r} is nowhere in the verdict"
        )


# -- what the sentence says -------------------------------------------------------------------------------------------


def test_a_pass_in_english() -> None:
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS))
    assert explain(one) == (
        "ONU 0/2/5:9 passes the limits construction@1: ONU Rx is -15.18 dBm (1 sample), at least -20.00 dBm is asked "
        '("-20DB", taken as "onu_rx_dbm >= -20"), met by 4.82 dB: a pass outside the uncertainty of ±2.85 dB '
        "(1.645 × 1.73 dB); next: Do what the action says."
    )


def test_a_marginal_pass_in_chinese() -> None:
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.MARGINAL_PASS))
    assert explain(one, "zh") == (
        "ONU 0/2/5:9 按 construction@1 判定为达标（临界达标）：ONU接收光功率实测 -19.38 dBm（采集 1 次），门限为不低于 "
        "-20.00 dBm（规范原文“-20DB”，按ONU接收光功率判定），余量 0.62 dB，在读数不确定度 ±2.85 dB"
        "（1.645 × 1.73 dB）之内，属临界达标，真值满足门限的概率为 0.64（均匀先验）；下一步："
        "用手持光功率计在同一测点复测，重复采集不能消除设备读数的系统误差。"
    )


def test_two_limits_of_one_quantity_tell_its_number_once() -> None:
    low = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS)
    high = judgement("onu_rx_dbm", Comparison.AT_MOST, Band.PASS, limit=-8, measured=-15.18, margin=7.18)
    sentence = explain(verdict(low, high))
    assert sentence.count("-15.18 dBm") == 1
    assert ", and at most -8.00 dBm is asked" in sentence
    assert sentence.endswith("met by 7.18 dB: a pass outside that uncertainty; next: Do what the action says.")
    assert "，在该不确定度之外，属达标；下一步" in explain(verdict(low, high), "zh")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("quantity", "compared", "band"), list(itertools.product(QUANTITIES, Comparison, Band)))
def test_every_quantity_comparison_and_band(quantity: str, compared: Comparison, band: Band, lang: Lang) -> None:
    absent = dict.fromkeys(LOSS_ENDS.get(quantity, (quantity,)), Absence.NO_SIGNAL) if band is Band.UNDETERMINED else {}
    one = verdict(judgement(quantity, compared, band), readings=(reading(**absent),))
    sentence = explain(one, lang)
    words = WORDS[lang]
    assert words.names[quantity] in sentence
    assert "construction@1" in sentence
    assert "-20DB" in sentence
    assert_only_known_numbers(sentence, one)
    if band is Band.UNDETERMINED:
        assert words.absences[Absence.NO_SIGNAL] in sentence
        assert {"en": "cannot be judged", "zh": "无法判定"}[lang] in sentence
    else:
        assert words.states[State(band.value)] in sentence
        assert {"en": "uncertainty of ±2.85 dB", "zh": "不确定度 ±2.85 dB"}[lang] in sentence
        assert (f"{abs(MARGINS[band]):.2f} dB") in sentence
        probability = {"en": "probability 0.64", "zh": "概率为 0.64"}[lang]
        assert (probability in sentence) == band.marginal
    side = {"en": ("at least", "at most"), "zh": ("不低于", "不高于")}[lang]
    assert side[compared is Comparison.AT_MOST] in sentence
    assert sentence.endswith("。" if lang == "zh" else ".")
    assert "\n" not in sentence
    root = ET.fromstring(level_diagram(one, lang=lang))
    assert root[1].text is not None
    assert root[1].text.startswith(sentence), "who does not see the picture is told the same"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("quantity", "absence"), list(itertools.product(QUANTITIES, Absence)))
def test_every_absence_of_every_quantity_says_why(quantity: str, absence: Absence, lang: Lang) -> None:
    ends = LOSS_ENDS.get(quantity, (quantity,))
    one = verdict(
        judgement(quantity, Comparison.AT_MOST, Band.UNDETERMINED), readings=(reading(**dict.fromkeys(ends, absence)),)
    )
    sentence, words = explain(one, lang), WORDS[lang]
    for end in ends:
        named = "" if end == quantity else f"{words.names[end]}{'：' if lang == 'zh' else ': '}"
        assert f"{named}{words.absences[absence]}" in sentence
    assert_only_known_numbers(sentence, one)
    assert not re.search(r"(is|实测) [-\d]", sentence), "nothing was measured"
    assert not re.search(r"(?<!\d)0\.00", sentence)


def test_an_attenuation_names_only_the_power_that_is_missing() -> None:
    one = verdict(
        judgement("downstream_attenuation_db", Comparison.AT_MOST, Band.UNDETERMINED),
        readings=(reading(olt_tx_dbm=Absence.NOT_READ),),
    )
    assert "has no value (OLT Tx: it was not read)" in explain(one)


UNTRUSTED = OpticalReading(
    onu=ONU, onu_rx_dbm=Reading(value=Dbm(-17.18)), onu_tx_dbm=Reading(value=Dbm(32)), voltage_v=0.163, bias_ma=5600
)


def test_a_number_that_is_not_trusted_says_why() -> None:
    why = "ONU Rx -17.18 dBm is not judged, its source is not trusted: " + "; ".join(garbage(UNTRUSTED))
    held = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.UNDETERMINED, measured=-17.18, reason=why)
    one = verdict(held, readings=(UNTRUSTED, UNTRUSTED))
    assert (
        "not judged because its source is not trusted: ONU Tx 32.00 dBm is outside -5..+10 dBm; supply voltage 0.163 V "
        "is outside 2.8..3.8 V; laser bias 5600 mA is above 150 mA; next"
    ) in explain(one)
    assert (
        "读数不可信，不予判定（光模块诊断数据异常：ONU发送光功率 32.00 dBm 超出 -5~10 dBm，"
        "供电电压 0.163 V 超出 2.8~3.8 V，激光器偏置电流 5600 mA 高于 150 mA）；下一步"
    ) in explain(one, "zh")
    for lang in LANGS:
        assert_only_known_numbers(explain(one, lang), one)
        picture = levels_of(one, lang=lang)
        assert picture.state is State.UNDETERMINED
        assert picture.downstream.state is State.UNDETERMINED
        assert picture.downstream.error is None
        assert (why if lang == "en" else "光模块诊断数据异常") in picture.notes[0]


def test_another_reason_not_to_judge_is_told_as_it_is() -> None:
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.UNDETERMINED, measured=-17.18, reason="the moon."))
    assert "not judged because the moon; next" in explain(one)
    assert "不予判定（the moon.）" in explain(one, "zh")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("band", [each for each in Band if each is not Band.UNDETERMINED])
def test_a_policy_that_turns_the_outcome_is_named(policy: Policy, band: Band, lang: Lang) -> None:
    one = verdict(
        judgement("onu_rx_dbm", Comparison.AT_LEAST, band, policy=policy), options=JudgeOptions(policy=policy)
    )
    sentence = explain(one, lang)
    turned = (policy, band) in {(Policy.GUARD_ACCEPT, Band.MARGINAL_PASS), (Policy.GUARD_REJECT, Band.MARGINAL_FAIL)}
    assert (str(policy) in sentence) == turned
    official = {
        "en": {"pass": " passes", "fail": " fails"},
        "zh": {"pass": " 按 construction@1 判定为达标", "fail": " 按 construction@1 判定为不达标"},
    }[lang]
    assert f"{ONU}{official[one.outcome.value]}" in sentence
    picture = levels_of(one, lang=lang)
    assert bool(picture.headline) == turned
    assert picture.state is (State(one.outcome.value) if turned else State(band.value))
    assert picture.downstream.state is State(band.value)
    assert f"{policy}" in picture.subtitle


def test_more_decimals_where_two_would_hide_the_comparison() -> None:
    below = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.MARGINAL_FAIL, measured=-20.001, margin=-0.001))
    assert "ONU Rx is -20.001 dBm" in explain(below)
    assert "missed by 0.001 dB" in explain(below)
    assert "低于门限 0.001 dB" in explain(below, "zh")
    level = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.MARGINAL_PASS, measured=-20.0, margin=0.0))
    assert "ONU Rx is -20.00 dBm" in explain(level)
    assert "met by 0.00 dB" in explain(level)
    fine = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS, measured=-15.182, margin=4.818))
    assert "ONU Rx is -15.18 dBm" in explain(fine)
    limit = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS, limit=-20.125))
    assert "at least -20.125 dBm" in explain(limit), "what somebody set is not rounded"


def test_a_margin_next_to_its_uncertainty_shows_on_which_side_it_is() -> None:
    w = uncertainty("onu_rx_dbm").w_db.value
    wide = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS, margin=round(w, 4) + 0.0001))
    found = re.search(r"met by ([\d.]+) dB", explain(wide))
    assert found
    assert float(found[1]) > w


@pytest.mark.parametrize(
    ("compared", "words"), [(Comparison.AT_LEAST, "低于门限 0.62 dB"), (Comparison.AT_MOST, "高于门限 0.62 dB")]
)
def test_chinese_names_the_side_of_the_limit(compared: Comparison, words: str) -> None:
    assert words in explain(verdict(judgement("onu_rx_dbm", compared, Band.MARGINAL_FAIL, limit=-8)), "zh")


def test_samples_are_counted_and_gaps_are_told() -> None:
    held = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS)
    three = verdict(held, readings=(reading(), reading(), reading()))
    assert "(median of 3 samples)" in explain(three)
    assert "（采集 3 次取中值）" in explain(three, "zh")
    gap = verdict(held, readings=(reading(), reading(onu_rx_dbm=Absence.OFFLINE), reading()))
    assert "(median of the 2 of 3 samples with a value)" in explain(gap)
    assert "（采集 3 次，其中 2 次有读数，取中值）" in explain(gap, "zh")
    loss = verdict(judgement("upstream_attenuation_db", Comparison.AT_MOST, Band.PASS), readings=gap.readings)
    assert "(median of 3 samples)" in explain(loss), "the upstream loss does not need the ONU's Rx"
    for one in (three, gap, loss):
        for lang in LANGS:
            assert_only_known_numbers(explain(one, lang), one, also=(2,))


@pytest.mark.parametrize(
    ("quantity", "corrected"),
    [
        ("onu_rx_dbm", True),
        ("downstream_attenuation_db", True),
        ("olt_rx_dbm", False),
        ("upstream_attenuation_db", False),
    ],
)
def test_a_calibration_is_named_where_it_corrects(quantity: str, corrected: bool) -> None:
    calibration = Calibration(
        serial=Serial("HWTC0B086EA9"), offset_db=Db(0.4), u_db=Db(0.25), meter_id="M1", meter_u_db=Db(0.25),
        repeatability_db=Db(0.1), pairs=(PairedReading(meter_dbm=Dbm(-18), onu_rx_dbm=Dbm(-17.6)),),
        lowest_dbm=Dbm(-18), highest_dbm=Dbm(-18), certificate="C-7", calibrated_at=NOW,
        valid_until=NOW.replace(year=2032),
    )  # fmt: skip
    one = verdict(judgement(quantity, Comparison.AT_MOST, Band.PASS), options=JudgeOptions(calibration=calibration))
    assert ("corrected by certificate C-7" in explain(one)) == corrected
    assert ("已按证书 C-7 修正" in explain(one, "zh")) == corrected


def test_several_judgements_are_all_told_and_a_missing_probability_is_left_out() -> None:
    low = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.MARGINAL_PASS).model_copy(update={"probability": None})
    high = judgement("onu_rx_dbm", Comparison.AT_MOST, Band.PASS, limit=-8)
    loss = judgement("downstream_attenuation_db", Comparison.AT_MOST, Band.FAIL)
    for lang in LANGS:
        sentence = explain(verdict(low, high, loss), lang)
        assert all(WORDS[lang].names[each.threshold.quantity] in sentence for each in (low, high, loss))
        assert "0.64" not in sentence


def test_texts_from_outside_stay_on_one_line() -> None:
    held = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS)
    evil = held.threshold.model_copy(update={"source_text": "a\n\x1b[31m\u202eb", "interpretation": "x\r\ny"})
    for lang in LANGS:
        sentence = explain(verdict(held.model_copy(update={"threshold": evil})), lang)
        assert "a \ufffd[31m\ufffdb" in sentence
        assert not re.search(r"[\x00-\x1f\u202e]", sentence)


@pytest.mark.parametrize("code", ["none", "hand_held_reading", "read_again", "other_instrument", "inspect_line"])
def test_every_next_action_has_words(code: Any) -> None:
    action = NextAction(code=code, text="Walk there.")
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS), next_action=action)
    assert explain(one).endswith("; next: Walk there.")
    assert re.search(r"；下一步：[^；。]+。$", explain(one, "zh"))


def test_another_language_is_refused() -> None:
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS))
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        explain(one, "fr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        level_diagram(one, lang="fr")  # type: ignore[arg-type]


# -- against the plant ------------------------------------------------------------------------------------------------

HELD = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.FAIL)
KINDS = ("as_recorded", "other_layout", "other_distance", "extra_loss", "less_loss")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("direction", ["down", "up", "mean"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", [24.1, 16.2])
def test_a_comparison_adds_only_its_own_numbers(loss: float, kind: str, direction: Any, lang: Lang) -> None:
    one = verdict(HELD)
    held = comparison(explanation(kind), loss=loss, direction=direction)
    sentence = explain(one, lang, comparison=held)
    assert_only_known_numbers(sentence, one, held)
    assert "1:4 + 1:8" in sentence
    assert f"{loss:.2f} dB" in sentence
    assert ("above" in sentence or "）高 5.76 dB" in sentence) == (loss > 18.34)
    assert ("beyond its worst value" in sentence or "已超过最坏值" in sentence) == (loss > 20.06)
    assert sentence.startswith(explain(one, lang).rpartition("; next" if lang == "en" else "；下一步")[0])


def test_the_worked_example_in_words() -> None:
    held = comparison(explanation("other_layout"), explanation("extra_loss"))
    assert (
        "; downstream attenuation 24.10 dB is 5.76 dB (3.3 sigma) above the 18.34 dB expected of 1:4 + 1:8 at 3.05 km "
        "(plant sigma 0.52 dB) and beyond its worst value 20.06 dB, which could be 1:64 instead of the recorded split "
        "(expected 22.44 dB), or an extra loss of 5.76 dB; next: "
    ) in explain(verdict(HELD), comparison=held)
    assert (
        "；下行光衰实测 24.10 dB，比分光器 1:4 + 1:8、3.05 km 的理论值 18.34 dB（标准差 0.52 dB）高 5.76 dB（3.3σ），"
        "已超过最坏值 20.06 dB，可能原因：实际分光比为 1:64（理论值 22.44 dB），或线路存在附加光衰 5.76 dB；下一步："
    ) in explain(verdict(HELD), "zh", comparison=held)


def test_the_record_that_fits_needs_no_other_explanation() -> None:
    held = comparison(explanation("as_recorded"), explanation("other_layout"), loss=19.0)
    sentence = explain(verdict(HELD), comparison=held)
    assert "which within the uncertainty fits the plant as recorded; next" in sentence
    assert "，在不确定度之内与工程记录相符；下一步" in explain(verdict(HELD), "zh", comparison=held)
    assert "1:64" not in sentence


def test_two_others_and_the_extra_loss_are_told() -> None:
    others = [explanation("other_layout", stages=(each,)) for each in (64, 128, 2)]
    sentence = explain(verdict(HELD), comparison=comparison(*others, explanation("extra_loss")))
    assert "1:64 instead" in sentence
    assert "1:128 instead" in sentence
    assert "1:2 instead" not in sentence
    assert "an extra loss" in sentence


def test_where_nothing_fits_the_nearest_is_told() -> None:
    held = comparison(explanation("other_layout", fits=False), explanation("other_layout", fits=False, stages=(2,)))
    assert "which could be 1:64 instead" in explain(verdict(HELD), comparison=held)


def test_a_record_that_does_not_fit_is_not_said_to_fit() -> None:
    held = comparison(explanation("as_recorded", fits=False))
    assert "does not fit" in explain(verdict(HELD), comparison=held)
    assert "不相符" in explain(verdict(HELD), "zh", comparison=held)


# -- from the judge ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("limits", ["construction", "user_side", "gpon_c_plus"])
@pytest.mark.parametrize("onu_rx", [-15.2, -19.7, -20.001, -28.4, Absence.NO_SIGNAL, 32.0])
def test_what_the_judge_gives_is_explained_and_drawn(onu_rx: float | Absence, limits: str, lang: Lang) -> None:
    one = judge([reading(onu_rx_dbm=onu_rx)] * 2, threshold_set(limits), judged_at=NOW, family="huawei_smartax")
    plant = PlantRecord(stages=(4, 8), record_km=3.0)
    losses = judged_losses(one)
    held = compare(plant, losses[0])
    sentence = explain(one, lang, comparison=held)
    assert_only_known_numbers(sentence, one, held)
    svg = level_diagram(one, expected=[expected_loss(plant, "down"), expected_loss(plant, "up")], lang=lang)
    root = ET.fromstring(svg)
    assert root[1].text is not None
    assert root[1].text.startswith(explain(one, lang))
    assert len(svg.encode()) < 16_000


# -- from a verdict to the picture ------------------------------------------------------------------------------------


def test_the_picture_of_a_verdict_has_its_readings_losses_and_limits() -> None:
    low = judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.MARGINAL_PASS)
    loss = judgement("upstream_attenuation_db", Comparison.AT_MOST, Band.PASS, limit=25.0)
    tx = judgement("olt_tx_dbm", Comparison.AT_LEAST, Band.PASS)
    picture = levels_of(verdict(low, loss, tx, not_judged=("onu_tx_dbm",)))
    assert picture.title == "ONU 0/2/5:9"
    assert picture.state is State.MARGINAL_PASS
    down, up = picture.downstream, picture.upstream
    assert (down.launch.power, down.receive.power, down.loss) == (Dbm(3.31), Dbm(-17.18), Db(20.49))
    assert (up.launch.power, up.receive.power, up.loss) == (Dbm(2.2), Dbm(-19.21), Db(21.41))
    assert down.state is State.MARGINAL_PASS, "the worst of what bears on the direction"
    assert up.state is State.PASS
    assert down.error == uncertainty("onu_rx_dbm").w_db
    assert [(each.level, each.upper, each.at_launch, each.label) for each in down.limits] == [
        (Dbm(-20), False, False, "limit ≥ -20.00 dBm"),
        (Dbm(1.5), False, True, "OLT Tx limit ≥ 1.50 dBm"),
    ]
    assert [(each.upper, each.label) for each in up.limits] == [(False, "attenuation limit ≤ 25.00 dB")]
    assert up.limits[0].level.value == pytest.approx(2.2 - 25)
    assert picture.notes == (
        "; ".join(
            f"{name} ±2.85 dB = 1.645 × 1.73 dB (the device declares ±3 dB)"
            for name in ("ONU Rx", "upstream attenuation")
        ),
        "not judged, no limit set: ONU Tx",
    )
    assert picture.subtitle.startswith('limits construction@1 ("-20DB"), policy simple, judged 2031-05-04 03:02:01 UTC')
    zh = levels_of(verdict(low, loss, tx, not_judged=("onu_tx_dbm",)), lang="zh")
    assert [each.label for each in (*zh.downstream.limits, *zh.upstream.limits)] == [
        "门限 ≥ -20.00 dBm", "OLT发送光功率门限 ≥ 1.50 dBm", "光衰门限 ≤ 25.00 dB",
    ]  # fmt: skip
    assert zh.notes[1] == "不作判定（未设门限）：ONU发送光功率"
    assert ET.fromstring(level_diagram(verdict(low, loss, tx))).tag.endswith("svg")


def test_the_error_bar_is_that_of_the_judgement_which_makes_the_state() -> None:
    wide = judgement("downstream_attenuation_db", Comparison.AT_MOST, Band.MARGINAL_PASS)
    wide = wide.model_copy(update={"uncertainty": uncertainty("downstream_attenuation_db", 2.45)})
    down = levels_of(verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS), wide)).downstream
    assert down.state is State.MARGINAL_PASS
    assert down.error == Db(2.45 * 1.645)
    equal = wide.model_copy(update={"band": Band.PASS})
    down = levels_of(verdict(equal, judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS))).downstream
    assert down.error == uncertainty("onu_rx_dbm").w_db, "the power itself, where both say the same"


@pytest.mark.parametrize("lang", LANGS)
def test_every_limit_of_a_set_is_written_out_in_the_picture(lang: Lang) -> None:
    held = [
        judgement(quantity, compared, Band.PASS, limit=limit)
        for quantity, low, high in (
            ("olt_tx_dbm", 1.5, 5.0), ("onu_tx_dbm", 0.5, 5.0), ("onu_rx_dbm", -27.125, -8.0),
            ("olt_rx_dbm", -28.0, -8.0), ("downstream_attenuation_db", 13.0, 28.125),
            ("upstream_attenuation_db", 13.0, 28.0),
        )
        for compared, limit in ((Comparison.AT_LEAST, low), (Comparison.AT_MOST, high))
    ]  # fmt: skip
    svg = level_diagram(verdict(*held), lang=lang)
    written = "".join("".join(each.itertext()) for each in ET.fromstring(svg).iter() if each.tag.endswith("}text"))
    for each in held:
        sign = "≥" if each.threshold.comparison is Comparison.AT_LEAST else "≤"
        assert f"{sign} {exact(each.threshold.limit)}" in written


def test_a_direction_without_a_limit_is_not_judged_and_never_passed() -> None:
    picture = levels_of(verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS)))
    assert picture.upstream.state is State.NOT_JUDGED
    assert picture.upstream.error is None
    assert picture.notes[1:] == ()


@pytest.mark.parametrize("lang", LANGS)
def test_absent_powers_reach_the_picture_with_their_reason(lang: Lang) -> None:
    one = verdict(
        judgement("downstream_attenuation_db", Comparison.AT_MOST, Band.UNDETERMINED),
        readings=(reading(olt_tx_dbm=Absence.UNSUPPORTED, onu_rx_dbm=Absence.NO_SIGNAL),),
    )
    down = levels_of(one, lang=lang, expected=expected()).downstream
    assert (down.launch.power, down.receive.power) == (None, None)
    assert down.launch.absent == WORDS[lang].absences[Absence.UNSUPPORTED]
    assert down.receive.absent == WORDS[lang].absences[Absence.NO_SIGNAL]
    assert down.limits == (), "a limit on a loss has no level without a launched power"
    assert down.expected is None
    assert "18.34 ± 1.04 dB" in down.loss_notes[0], "the expected loss itself is still told"


def test_the_expected_loss_is_drawn_below_what_was_launched() -> None:
    one = verdict(judgement("onu_rx_dbm", Comparison.AT_LEAST, Band.PASS))
    down = levels_of(one, expected=expected()).downstream
    assert down.expected is not None
    assert down.expected.mean.value == pytest.approx(3.31 - 18.34)
    assert down.expected.worst.value == pytest.approx(3.31 - 20.06)
    assert down.expected.half_width == Db(1.04)
    assert down.loss_notes == ("expected 18.34 ± 1.04 dB", "worst case 20.06 dB")
    both = levels_of(one, expected=(expected("down"), expected("up")))
    assert both.upstream.expected is not None


def test_an_expected_power_is_drawn_where_it_should_arrive() -> None:
    launch = Launch(lowest_dbm=Dbm(1.5), highest_dbm=Dbm(5), source="class")
    power = ExpectedPower(
        launch=launch, loss=expected(), mean_dbm=Dbm(-15.09), sigma_db=Db(1.13), worst_dbm=Dbm(-18.56)
    )
    down = levels_of(
        verdict(HELD, readings=(reading(olt_tx_dbm=Absence.NOT_READ),)), expected=power
    ).downstream  # fmt: skip
    assert down.expected is not None
    assert (down.expected.mean, down.expected.half_width) == (Dbm(-15.09), Db(2.26))
    assert down.expected.worst == Dbm(-18.56)


def test_expectations_that_have_no_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two expectations for 'down'"):
        level_diagram(verdict(HELD), expected=[expected(), expected()])
    with pytest.raises(ValueError, match="belongs to neither"):
        level_diagram(verdict(HELD), expected=expected("mean"))


@settings(deadline=None)
@given(
    st.sampled_from(QUANTITIES), st.sampled_from(Comparison), st.floats(-30, -0.01), st.floats(-15, 15),
    st.sampled_from(LANGS),
)  # fmt: skip
def test_no_number_is_made_up(quantity: str, compared: Comparison, limit: float, margin: float, lang: Lang) -> None:
    limit = abs(limit) if quantity in ATTENUATIONS else limit
    w = uncertainty(quantity).w_db.value
    band = (
        (Band.PASS if margin >= w else Band.MARGINAL_PASS)
        if margin >= 0
        else (Band.MARGINAL_FAIL if margin >= -w else Band.FAIL)
    )
    measured = limit + margin if compared is Comparison.AT_LEAST else limit - margin
    one = verdict(judgement(quantity, compared, band, limit=limit, margin=margin, measured=measured))
    assert_only_known_numbers(explain(one, lang), one)
