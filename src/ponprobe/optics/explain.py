"""A verdict in one sentence: what was measured, against which limit, what came out, how sure that is, what to do next.

The sentence adds nothing: each number in it stands in the verdict or in the comparison that was given.
"""

from __future__ import annotations

from ponprobe.models.judgement import Band, Comparison, Judgement, Outcome, Policy, Verdict
from ponprobe.models.optical import Absence, Db
from ponprobe.models.plant import Explanation, ExplanationKind, PlantComparison
from ponprobe.optics.exact import LOSS_ENDS
from ponprobe.optics.findings import finding_parts
from ponprobe.optics.gates import garbage, untrusted
from ponprobe.optics.svg import clean
from ponprobe.optics.words import WORDS, Lang, State, digits, exact, shown, words_of

_OTHERS_TOLD = 2
_VERBS = {Outcome.PASS: "passes", Outcome.FAIL: "fails", Outcome.UNDETERMINED: "cannot be judged by"}
_MEANT = {
    "down": ("downstream attenuation", "下行光衰"),
    "up": ("upstream attenuation", "上行光衰"),
    "mean": ("mean attenuation of both directions", "上下行平均光衰"),
}
_NEXT_ZH = {
    "none": "无需进一步处理",
    "hand_held_reading": "用手持光功率计在同一测点复测，重复采集不能消除设备读数的系统误差",
    "read_again": "先查明无读数的原因，再重新采集",
    "other_instrument": "更换测试ONU或用手持光功率计复测，本机读数明显异常",
    "inspect_line": "先核对分光器的分光比记录，再检查接头、熔接点和光缆弯曲，整改后复测",
}
_POLICY_ZH = {
    Policy.GUARD_ACCEPT: "按guard_accept策略，余量须不小于不确定度才算达标",
    Policy.GUARD_REJECT: "按guard_reject策略，超出门限的量大于不确定度才算不达标",
}
_POLICY_EN = {
    Policy.GUARD_ACCEPT: "the policy guard_accept passes only a margin as wide as the uncertainty",
    Policy.GUARD_REJECT: "the policy guard_reject fails only a miss wider than the uncertainty",
}


def explain(verdict: Verdict, lang: Lang = "en", *, comparison: PlantComparison | None = None) -> str:
    """The verdict as one sentence, in plain English or in the Chinese of an acceptance report.

    Powers in dBm, losses and margins in dB, two decimals or as many as show on which side of the limit a number is.
    ``comparison`` adds the measured loss against the plant as recorded. ``ValueError`` for another language.
    """
    words_of(lang)
    tell, tell_plant = (_quantity_zh, _comparison_zh) if lang == "zh" else (_quantity_en, _comparison_en)
    clauses = [tell(verdict, quantity, held) for quantity, held in _by_quantity(verdict).items()]
    clauses += [tell_plant(comparison)] if comparison is not None else []
    if lang == "zh":
        return f"{_lead_zh(verdict)}：{'；'.join(clauses)}；下一步：{_NEXT_ZH[verdict.next_action.code]}。"
    return f"{_lead_en(verdict)}: {'; '.join(clauses)}; next: {_phrase(verdict.next_action.text)}."


def state_of(band: Band) -> State:
    """The band as a picture and a sentence name it."""
    return State(band.value)


def why_missing(verdict: Verdict, quantity: str, lang: Lang) -> str:
    """Why a power is missing; for an attenuation which powers are, and why: ``ONU Rx: no light was received``."""
    words, reading = WORDS[lang], verdict.reading.powers
    ends = LOSS_ENDS.get(quantity, (quantity,))
    # a reading has either a value or an absence
    missing = [(end, reading[end].absence or Absence.NOT_READ) for end in ends if reading[end].value is None]
    if quantity in reading:
        return "".join(words.absences[absence] for _, absence in missing)
    colon, comma = ("：", "，") if lang == "zh" else (": ", ", ")
    return comma.join(f"{words.names[end]}{colon}{words.absences[absence]}" for end, absence in missing)


# -- English ----------------------------------------------------------------------------------------------------------


def _lead_en(verdict: Verdict) -> str:
    word = WORDS["en"].states[state_of(verdict.band)]
    band = f" ({word})" if verdict.band.marginal else ""
    return f"ONU {verdict.onu} {_VERBS[verdict.outcome]} the limits {verdict.threshold_set.key}{band}"


def _quantity_en(verdict: Verdict, quantity: str, held: list[Judgement]) -> str:
    name, value = WORDS["en"].names[quantity], _measured(held)
    if value is None:
        found = f"{name} has no value ({why_missing(verdict, quantity, 'en')})"
    else:
        found = f"{name} is {value} ({_samples_en(verdict, quantity)})"
    asked = [_limit_en(verdict, each, again=number > 0) for number, each in enumerate(held)]
    return f"{found}, {', and '.join(asked)}"


def _limit_en(verdict: Verdict, judgement: Judgement, *, again: bool) -> str:
    threshold, known = judgement.threshold, judgement.uncertainty
    sign = {Comparison.AT_LEAST: "at least", Comparison.AT_MOST: "at most"}[threshold.comparison]
    asked = f"{sign} {exact(threshold.limit)} is asked"
    asked += f' ("{clean(threshold.source_text)}", taken as "{clean(threshold.interpretation)}")'
    if judgement.measured is None:
        return asked
    if judgement.margin_db is None or known is None:
        return f"{asked}, not judged because {_phrase(judgement.reason.rpartition(' is not judged, ')[2])}"
    inside = judgement.margin_db >= Db(0)
    margin = shown(abs(judgement.margin_db), against=(Db(0), known.w_db))
    word = WORDS["en"].states[state_of(judgement.band)]
    guard = f"the uncertainty of ±{shown(known.w_db)} ({known.k:g} × {shown(known.u_db)})"
    where = "within" if judgement.band.marginal else "outside"
    asked += f", {'met' if inside else 'missed'} by {margin}: a {word} {where} {'that uncertainty' if again else guard}"
    if judgement.band.marginal and judgement.probability is not None:
        asked += f", the true value meets it with probability {digits(judgement.probability, [0, 1])} (flat prior)"
    return asked + (f"; {_POLICY_EN[verdict.policy]}" if _turned(judgement) else "")


def _samples_en(verdict: Verdict, quantity: str) -> str:
    present, taken = _sampled(verdict, quantity)
    text = "1 sample" if taken == 1 else f"median of {taken} samples"
    if present < taken:
        text = f"median of the {present} of {taken} samples with a value"
    return text + (f", corrected by certificate {_certificate(verdict)}" if _calibrated(verdict, quantity) else "")


def _comparison_en(comparison: PlantComparison) -> str:
    expected, measured = comparison.expected, comparison.measured
    over = "above" if comparison.excess_db >= Db(0) else "below"
    worst = "within" if comparison.budget.met else "beyond"
    told = [_explanation_en(each) for each in _best(comparison)]
    if comparison.explanations[0].kind == "as_recorded" and comparison.explanations[0].fits:
        cause = "which within the uncertainty fits the plant as recorded"
    else:
        cause = f"which could be {', or '.join(told)}"
    plant = f"{expected.record.layout} at {expected.record.km:g} km (plant sigma {shown(expected.sigma_db)})"
    return (
        f"{_MEANT[expected.direction][0]} {shown(measured.loss_db, against=[expected.worst_db])} is "
        f"{shown(abs(comparison.excess_db))} ({abs(comparison.z):.1f} sigma) {over} the {shown(expected.mean_db)} "
        f"expected of {plant} and {worst} its worst value {shown(expected.worst_db)}, {cause}"
    )


def _explanation_en(explanation: Explanation) -> str:
    layout = " + ".join(f"1:{ratio}" for ratio in explanation.stages)
    kinds: dict[ExplanationKind, str] = {
        "as_recorded": "the plant as recorded (the nearest, and it does not fit)",
        "other_layout": f"{layout} instead of the recorded split (expected {shown(explanation.expected_db)})",
        "other_distance": f"{explanation.km:g} km instead of the recorded length",
        "extra_loss": f"an extra loss of {shown(abs(explanation.residual_db))}",
        "less_loss": f"{shown(abs(explanation.residual_db))} less loss than recorded parts have",
    }
    return kinds[explanation.kind]


# -- Chinese ----------------------------------------------------------------------------------------------------------


def _lead_zh(verdict: Verdict) -> str:
    band = f"（{verdict.band.label}）" if verdict.band.marginal else ""
    verb = "" if verdict.outcome is Outcome.UNDETERMINED else "判定为"
    return f"ONU {verdict.onu} 按 {verdict.threshold_set.key} {verb}{verdict.outcome.label}{band}"


def _quantity_zh(verdict: Verdict, quantity: str, held: list[Judgement]) -> str:
    name, value = WORDS["zh"].names[quantity], _measured(held)
    if value is not None:
        found = f"{name}实测 {value}（{_samples_zh(verdict, quantity)}）"
    elif quantity in LOSS_ENDS:
        found = f"{name}无法计算（{why_missing(verdict, quantity, 'zh')}）"
    else:
        found = f"{name}无读数（{why_missing(verdict, quantity, 'zh')}）"
    return "，".join((found, *(_limit_zh(verdict, each, again=number > 0) for number, each in enumerate(held))))


def _limit_zh(verdict: Verdict, judgement: Judgement, *, again: bool) -> str:
    threshold, known = judgement.threshold, judgement.uncertainty
    sign = {Comparison.AT_LEAST: "不低于", Comparison.AT_MOST: "不高于"}[threshold.comparison]
    asked = f"门限为{sign} {exact(threshold.limit)}"
    asked += f"（规范原文“{clean(threshold.source_text)}”，按{WORDS['zh'].names[threshold.quantity]}判定）"
    if judgement.measured is None:
        return f"{asked}，无法判定"
    if judgement.margin_db is None or known is None:
        return f"{asked}，读数不可信，不予判定（{why_untrusted_zh(verdict) or clean(judgement.reason)}）"
    margin = shown(abs(judgement.margin_db), against=(Db(0), known.w_db))
    side = "低于" if threshold.comparison is Comparison.AT_LEAST else "高于"
    asked += f"，余量 {margin}" if judgement.margin_db >= Db(0) else f"，{side}门限 {margin}"
    guard = "该不确定度" if again else f"读数不确定度 ±{shown(known.w_db)}（{known.k:g} × {shown(known.u_db)}）"
    asked += f"，在{guard}之{'内' if judgement.band.marginal else '外'}，属{judgement.band.label}"
    if judgement.band.marginal and judgement.probability is not None:
        asked += f"，真值满足门限的概率为 {digits(judgement.probability, [0, 1])}（均匀先验）"
    return asked + (f"，{_POLICY_ZH[verdict.policy]}" if _turned(judgement) else "")


def why_untrusted_zh(verdict: Verdict) -> str:
    """What ``gates.garbage`` complains about, in Chinese; empty where it has no complaint."""
    complaints = {each: each for sample in verdict.readings for each in garbage(sample)}
    finding = next(iter(untrusted(tuple(complaints))), None)
    return "" if finding is None else "：".join(finding_parts(finding))


def _samples_zh(verdict: Verdict, quantity: str) -> str:
    present, taken = _sampled(verdict, quantity)
    text = "采集 1 次" if taken == 1 else f"采集 {taken} 次取中值"
    if present < taken:
        text = f"采集 {taken} 次，其中 {present} 次有读数，取中值"
    return text + (f"，已按证书 {_certificate(verdict)} 修正" if _calibrated(verdict, quantity) else "")


def _comparison_zh(comparison: PlantComparison) -> str:
    expected, measured = comparison.expected, comparison.measured
    over = "高" if comparison.excess_db >= Db(0) else "低"
    worst = "未超过" if comparison.budget.met else "已超过"
    told = [_explanation_zh(each) for each in _best(comparison)]
    if comparison.explanations[0].kind == "as_recorded" and comparison.explanations[0].fits:
        cause = "在不确定度之内与工程记录相符"
    else:
        cause = f"可能原因：{'，或'.join(told)}"
    return (
        f"{_MEANT[expected.direction][1]}实测 {shown(measured.loss_db, against=[expected.worst_db])}，"
        f"比分光器 {expected.record.layout}、{expected.record.km:g} km 的理论值 {shown(expected.mean_db)}"
        f"（标准差 {shown(expected.sigma_db)}）{over} {shown(abs(comparison.excess_db))}（{abs(comparison.z):.1f}σ），"
        f"{worst}最坏值 {shown(expected.worst_db)}，{cause}"
    )


def _explanation_zh(explanation: Explanation) -> str:
    layout = " + ".join(f"1:{ratio}" for ratio in explanation.stages)
    kinds: dict[ExplanationKind, str] = {
        "as_recorded": "工程记录最接近，但仍不相符",
        "other_layout": f"实际分光比为 {layout}（理论值 {shown(explanation.expected_db)}）",
        "other_distance": f"实际长度为 {explanation.km:g} km",
        "extra_loss": f"线路存在附加光衰 {shown(abs(explanation.residual_db))}",
        "less_loss": f"光衰比记录的器件少 {shown(abs(explanation.residual_db))}",
    }
    return kinds[explanation.kind]


# -- both -------------------------------------------------------------------------------------------------------------


def _by_quantity(verdict: Verdict) -> dict[str, list[Judgement]]:
    """A quantity may have two limits, and its number is told once."""
    found: dict[str, list[Judgement]] = {}
    for each in verdict.judgements:
        found.setdefault(each.threshold.quantity, []).append(each)
    return found


def _measured(held: list[Judgement]) -> str | None:
    value = held[0].measured
    return None if value is None else shown(value, against=[each.threshold.limit for each in held])


def _sampled(verdict: Verdict, quantity: str) -> tuple[int, int]:
    """In how many samples the quantity has a value, and how many samples there are."""
    ends = LOSS_ENDS.get(quantity, (quantity,))
    present = sum(all(sample.powers[end].value is not None for end in ends) for sample in verdict.readings)
    return present, len(verdict.readings)


def _calibrated(verdict: Verdict, quantity: str) -> bool:
    return verdict.options.calibration is not None and "onu_rx_dbm" in LOSS_ENDS.get(quantity, (quantity,))


def _certificate(verdict: Verdict) -> str:
    assert verdict.options.calibration is not None  # noqa: S101
    return clean(verdict.options.calibration.certificate)


def _turned(judgement: Judgement) -> bool:
    """Whether the policy, and not the number alone, made the outcome."""
    assert judgement.margin_db is not None  # noqa: S101
    return (judgement.outcome is Outcome.PASS) != (judgement.margin_db >= Db(0))


def _best(comparison: PlantComparison) -> list[Explanation]:
    """The record if it fits; else the best others and the extra loss; the best of all where nothing fits."""
    fitting = [each for each in comparison.explanations if each.fits] or list(comparison.explanations[:1])
    if fitting[0].kind == "as_recorded":
        return fitting[:1]
    others = [each for each in fitting if each.kind not in {"extra_loss", "less_loss"}]
    return others[:_OTHERS_TOLD] + [each for each in fitting if each not in others][:1]


def _phrase(text: str) -> str:
    """A sentence of the verdict as a part of ours."""
    return clean(text).rstrip(".")
