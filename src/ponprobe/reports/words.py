"""The words of a report in Chinese and English, and what to do next about a line that does not pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ponprobe.models.engineering import FaultKind, LineRound, ServiceTest, TestState
from ponprobe.models.judgement import Finding, Judgement, Outcome, Threshold, ThresholdSet, Verdict
from ponprobe.models.optical import POWERS
from ponprobe.models.plant import Explanation, PlantComparison, SiblingDeviation, SiblingTable
from ponprobe.optics.exact import LOSS_ENDS
from ponprobe.optics.explain import explain
from ponprobe.optics.plant import tenths
from ponprobe.optics.thresholds import CONSTRUCTION, USER_SIDE
from ponprobe.optics.words import WORDS, Lang, exact, shown, words_of
from ponprobe.reports.data import ReportData, SplitterReport, fault_of

__all__ = ["Lang", "Two", "fault_of", "next_steps", "words_of"]


class Two(NamedTuple):
    """One thing in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """The words of one language."""
        return self.zh if lang == "zh" else self.en


YES, NO = Two("是", "yes"), Two("否", "no")
PASS, FAIL = Two("达标", "pass 达标"), Two("不达标", "fail 不达标")
"""The specification's own words stand in both languages."""
KINDS: Mapping[str, Two] = MappingProxyType(
    {
        "position": Two("测试位置", "test position"),
        "result": Two("测试结果", "test result"),
        "label": Two("标签", "label"),
        "transcript": Two("设备会话记录", "device transcript"),
        "handheld": Two("手持光功率计读数", "hand-held reading"),
        "other": Two("其他", "other"),
    }
)
NEXT: Mapping[str, Two] = MappingProxyType(
    {
        "none": Two("无需处理", "nothing to do"),
        "hand_held_reading": Two(
            "用手持光功率计在同一端口复测：读数离门限比其不确定度还近，重复采集不能消除系统误差",
            "confirm with a hand-held power meter at the same port: the reading is nearer to its limit than its own "
            "uncertainty, and another poll repeats the same error",
        ),
        "read_again": Two(
            "先查明无读数的原因，再重新采集",
            "find out why there is no reading, then read again",
        ),
        "other_instrument": Two(
            "更换测试ONU或用手持光功率计复测：本机读数明显异常",
            "measure with another test ONU or a hand-held power meter: this one's numbers are absurd",
        ),
        "inspect_line": Two(
            "先核对分光比与PON口记录，再检查接头、熔接点和光缆弯曲；整改后复测，必要时用手持光功率计确认",
            "check the recorded split ratio and PON port first, then joints, connectors and bends; rectify and measure "
            "again, with a hand-held power meter where in doubt",
        ),
        "by_design": Two(
            "光衰与记录的设计相符：整改未必能达到门限，请核对设计分光比、长度与OLT光模块等级",
            "the loss is what the recorded plant should have: rectifying may not reach the limit, so check the design "
            "(split ratio, length, optical class)",
        ),
        "not_tested": Two(
            "尚未进行线路挂测：派发激活并到现场测试", "the line has not been tested: dispatch it and test it"
        ),
        "not_measured": Two(
            "上次挂测未取得读数：按失败原因处理后重新派发",
            "the last test brought no reading: see its failure, then dispatch again",
        ),
        "no_service": Two("补做宽带业务通断测试", "make the service test"),
        "service_failed": Two(
            "排查拨号、VLAN与账号后重做业务通断测试", "check dial-up, VLANs and account, then repeat the service test"
        ),
        "no_photo": Two("补交照片：", "hand in the missing photos: "),
        "data": Two("退回工程资料录入，修改资源资料", "back to engineering data: correct the records"),
        "site": Two("退回工程资料录入，由施工单位现场整改", "back to engineering data: the builder rectifies on site"),
        "wrong_port": Two(
            "测试ONU出现在其他PON口：修改资源资料或改接光纤",
            "the test ONU is on another PON port: correct the record, or plug into the right port",
        ),
        "residue": Two(
            "OLT上可能仍有测试ONU：执行 ponprobe recover 或再次撤销，直至证明已清理",
            "a test ONU may still be on the OLT: run ponprobe recover or revoke again until it is proven gone",
        ),
        "live": Two(
            "测试ONU仍在OLT上：测试结束后撤销激活",
            "the test ONU is still on the OLT: revoke it when the tests are done",
        ),
    }
)
NOT_COMPARED: Mapping[str, Two] = MappingProxyType(
    {
        "no_reading": Two("没有可比较的光衰", "there is no measured loss to compare"),
        "not_recorded": Two("工程资料缺少：", "the engineering data lack: "),
        "not_computable": Two("无法计算：", "cannot be computed: "),
    }
)
FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "wrong_port": "测试ONU出现在其他PON口",
        "ddm_untrusted": "光模块诊断数据不可信",
        "samples_missing": "部分采集无读数",
        "unstable": "读数不稳定",
        "time_skew": "各光功率的采集时间相差过大",
        "device_arithmetic": "设备所示光衰与其光功率不符",
        "overload": "接收光功率超过过载点",
        "below_sensitivity": "接收光功率低于灵敏度",
        "outside_class": "光功率超出光模块等级范围",
        "loss_outside_class": "光衰超出光模块等级的ODN范围",
        "negative_loss": "光衰为负",
        "loss_below_split": "光衰低于分光比的理论下限",
        "directions_duplicated": "上下行接收光功率数值相同",
        "directions_swapped": "上下行接收光功率可能对调",
        "directions_disagree": "上下行光衰相差过大",
        "within_precision": "读数离门限小于设备自述精度",
        "calibration_extrapolated": "读数超出校准范围",
    }
)
_TOLD_ELSEWHERE = frozenset(("spread",))
"""Findings that have a column of their own."""
_STAGE_ZH = {
    CONSTRUCTION.key: "工程建设阶段，末级分光器处（皮线光缆之前）",
    USER_SIDE.key: "用户侧（皮线光缆之后）",
}
_RECORDS = {"stages": Two("各级分光比", "split stages"), "distance_km": Two("光缆长度", "fibre length")}
_MEANT = {"down": Two("下行", "downstream"), "up": Two("上行", "upstream"), "mean": Two("上下行平均", "mean")}
_ROLES = {
    "builder": Two("施工单位", "builder"),
    "acceptance_engineer": Two("验收人员", "acceptance engineer"),
    "resource_admin": Two("资源管理员", "resource administrator"),
    "system": Two("系统", "system"),
}
SOURCES = {"device": Two("设备采集", "read from the device"), "manual": Two("人工录入", "typed in")}
DECISIONS = {"acceptance": Two("工程验收", "acceptance"), "review": Two("二次审核", "second review")}
_STAGES = {
    "engineering": "engineering data",
    "activation": "activation",
    "field_test": "field test",
    "acceptance": "acceptance",
    "revoke": "revoke",
    "review": "second review",
    "pushed": "in service",
}


def role(name: str, lang: Lang) -> str:
    """A role as people say it; one that is not known stays as it is."""
    return _ROLES[name].of(lang) if name in _ROLES else name


def stage(data: ReportData, lang: Lang) -> str:
    """Where the project stands."""
    return data.stage.label if lang == "zh" else f"{_STAGES[str(data.stage)]} {data.stage.label}"


def yes(value: object, lang: Lang) -> str | None:
    """Yes or no; ``None`` stays empty."""
    return None if value is None else (YES if value else NO).of(lang)


def passed(value: bool | None, lang: Lang) -> str | None:  # noqa: FBT001 - the very value that is put into words
    """The specification's two words; ``None`` stays empty."""
    return None if value is None else (PASS if value else FAIL).of(lang)


def test_state(state: TestState, lang: Lang) -> str:
    """已完成 or 未完成."""
    return state.label if lang == "zh" else f"{'done' if state is TestState.DONE else 'not done'} {state.label}"


def band(verdict: Verdict, lang: Lang) -> str:
    """The confidence band as a word."""
    label = verdict.band.label
    return label if lang == "zh" else f"{str(verdict.band).replace('_', ' ')} {label}"


def fault(kind: FaultKind, lang: Lang) -> str:
    """Records or plant."""
    return kind.label if lang == "zh" else f"{'records' if kind is FaultKind.DATA else 'plant'} {kind.label}"


def line_result(tested: LineRound | None, lang: Lang) -> str | None:
    """达标 or 不达标; undetermined and not measured are empty, and ``why_empty`` says why."""
    if tested is None or tested.verdict is None or tested.verdict.outcome is Outcome.UNDETERMINED:
        return None
    return passed(tested.verdict.passed, lang)


def why_empty(tested: LineRound | None, lang: Lang) -> str | None:
    """Why there is no result, or which readings are missing and why; ``None`` where nothing is missing."""
    if tested is None:
        return Two("未测试", "not tested").of(lang)
    if tested.verdict is None:
        return "" if tested.failure is None else f"{tested.failure.error_class}: {tested.failure.message}"
    absent = list(_absent(tested.verdict, lang))
    if tested.verdict.outcome is Outcome.UNDETERMINED:
        return Two("无法判定：", "undetermined: ").of(lang) + ("; ".join(absent) or tested.verdict.judgements[0].reason)
    return "; ".join(absent) or None


def _absent(verdict: Verdict, lang: Lang) -> Iterator[str]:
    words, colon = WORDS[lang], Two("：", ": ").of(lang)
    for name in POWERS:
        absence = verdict.reading.powers[name].absence
        if absence is not None:
            yield f"{words.names[name]}{colon}{words.absences[absence]}"


def deciding(verdict: Verdict) -> Judgement:
    """The judgement that made the outcome; among equals the one with the smallest margin."""
    same = [each for each in verdict.judgements if each.outcome is verdict.outcome]
    return min(same, key=lambda each: math.inf if each.margin_db is None else each.margin_db.value)


def limits(verdict: Verdict, lang: Lang) -> str:
    """Every limit with its quantity and unit: ``ONU接收光功率 ≥ -20.00 dBm``."""
    names = WORDS[lang].names
    signs = {">=": "≥", "<=": "≤"}
    found = (each.threshold for each in verdict.judgements)
    return "; ".join(f"{names[each.quantity]} {signs[str(each.comparison)]} {exact(each.limit)}" for each in found)


def original_words(verdict: Verdict) -> str:
    """The limits as the specification writes them, each once."""
    return "; ".join(dict.fromkeys(f'"{each.threshold.source_text}"' for each in verdict.judgements))


def meaning(threshold: Threshold, lang: Lang) -> str:
    """What a limit is taken to mean: which quantity, which comparison, in which unit."""
    sign = {">=": "≥", "<=": "≤"}[str(threshold.comparison)]
    named = f"{WORDS[lang].names[threshold.quantity]} {sign} {exact(threshold.limit)}"
    built_in = threshold in (*CONSTRUCTION.thresholds, *USER_SIDE.thresholds)
    if lang == "zh" and built_in:
        return f"{named}：规范虽写作DB，判定的是光功率，单位dBm"
    return named if threshold.interpretation in named else f"{named} ({threshold.interpretation})"


def stage_of(limits_set: ThresholdSet, lang: Lang) -> str:
    """Where the limits of a set hold."""
    return _STAGE_ZH.get(limits_set.key, limits_set.stage) if lang == "zh" else limits_set.stage


def findings(found: Iterable[Finding], lang: Lang) -> str | None:
    """What else was noticed, each once, with a Chinese title before the detail; ``None`` for nothing."""
    said: dict[str, None] = {}
    for each in found:
        if each.code in _TOLD_ELSEWHERE:
            continue
        title = FINDINGS.get(each.code) if lang == "zh" else None
        said[each.text if title is None else f"{title}（{each.text}）"] = None
    return Two("；", "; ").of(lang).join(said) or None


def quantities(names: tuple[str, ...], lang: Lang) -> str:
    """Quantities by name."""
    return Two("、", ", ").of(lang).join(WORDS[lang].names[each] for each in names)


def sentence(report: SplitterReport, lang: Lang) -> str:
    """The standing verdict in one sentence, with the plant as recorded where it is known."""
    if report.verdict is None:
        return why_empty(report.round, lang) or ""
    down = [each for each in report.comparisons if each.expected.direction == "down"]
    return explain(report.verdict, lang, comparison=down[0] if down else None)


# -- what to do -------------------------------------------------------------------------------------------------------


def next_steps(report: SplitterReport, lang: Lang) -> tuple[str, ...]:
    """What is left to do for a splitter, most urgent first; empty when it is done."""
    return tuple(dict.fromkeys(_steps(report, lang)))


def _steps(report: SplitterReport, lang: Lang) -> Iterator[str]:
    status, verdict = report.status, report.verdict
    if not report.clean:
        yield NEXT["live" if str(status.state) in {"activating", "activated"} else "residue"].of(lang)
    if not status.to_be_tested:
        return
    findings = () if report.round is None else report.round.findings
    if any(each.code == "wrong_port" for each in findings):
        yield NEXT["wrong_port"].of(lang)
    if report.round is None:
        yield NEXT["not_tested"].of(lang)
    elif verdict is None:
        hint = report.round.failure.hint if report.round.failure is not None else None
        yield NEXT["not_measured"].of(lang) + _bracketed(hint, lang)
    elif not verdict.passed or verdict.band.marginal:
        yield NEXT[verdict.next_action.code].of(lang)
        if not verdict.passed and any(_as_recorded(each) for each in report.comparisons):
            yield NEXT["by_design"].of(lang)
    kind = fault_of(report)
    if kind is not None:
        yield NEXT[str(kind)].of(lang)
    if report.service is None:
        yield NEXT["no_service"].of(lang)
    elif not report.service.passed:
        yield f"{NEXT['service_failed'].of(lang)}{_bracketed(service_against(report.service, lang), lang)}"
    missing = missing_photos(report)
    if missing:
        yield NEXT["no_photo"].of(lang) + Two("、", ", ").of(lang).join(KINDS[each].of(lang) for each in missing)


def _bracketed(text: str | None, lang: Lang) -> str:
    return "" if not text else (f"（{text}）" if lang == "zh" else f" ({text})")


def service_against(test: ServiceTest, lang: Lang) -> str | None:
    """What speaks against a service test, with the error that was noted; ``None`` if nothing does."""
    said = list(test.against) if lang == "en" else list(_against_zh(test))
    return Two("；", "; ").of(lang).join([*said, *([test.error] if test.error else [])]) or None


def _against_zh(test: ServiceTest) -> Iterator[str]:
    if not test.dial_ok:
        yield "拨号未成功"
    elif test.reach_ok is False:
        yield "网络不可达"
    elif test.reach_ok is None and not test.speed_down_mbps:
        yield "没有网络可达的依据（未确认可达，也未测速）"
    for way, limit, speed in (
        ("下载", test.min_speed_down_mbps, test.speed_down_mbps),
        ("上传", test.min_speed_up_mbps, test.speed_up_mbps),
    ):
        if limit is not None and (speed is None or speed < limit):
            yield f"{way}速率{'未测' if speed is None else f' {speed:g} Mbit/s'}，门限 {limit:g} Mbit/s"


def missing_photos(report: SplitterReport) -> tuple[str, ...]:
    """Which of the specification's two photos are not there."""
    present = {each.kind for each in report.current_evidence}
    return tuple(each for each in ("position", "result") if each not in present)


def _as_recorded(comparison: PlantComparison) -> bool:
    """Whether the plant loses no more than it may: then there is nothing to rectify."""
    best = comparison.explanations[0]
    return (
        comparison.expected.direction == "down" and best.kind == "as_recorded" and best.fits and comparison.budget.met
    )


# -- plant and siblings -----------------------------------------------------------------------------------------------


def direction(comparison: PlantComparison, lang: Lang) -> str:
    """下行 or 上行."""
    return _MEANT[comparison.expected.direction].of(lang)


def plant(comparison: PlantComparison, lang: Lang) -> str:
    """A measured loss against the plant as recorded, in one line."""
    if lang == "en":
        return comparison.text
    expected, measured = comparison.expected, comparison.measured
    figures = (
        f"{expected.record.layout}、{expected.record.km:g} km 理论值 {tenths(expected.mean_db.value)} ± "
        f"{tenths(2 * expected.sigma_db.value)} dB（最坏值 {tenths(expected.worst_db.value)}）；"
        f"实测 {tenths(measured.loss_db.value)} dB，相差 {comparison.excess_db.value:+.1f} dB（{comparison.z:+.1f}σ）"
    )
    causes = [_cause(each) for each in comparison.explanations]
    told = causes[0] if comparison.explanations[0].kind == "as_recorded" else f"可能原因：{'，或'.join(causes)}"
    return f"{figures}；{told}"


def _cause(explanation: Explanation) -> str:
    match explanation.kind:
        case "as_recorded":
            return "与工程记录相符" if explanation.fits else "工程记录最接近，但不相符"
        case "other_layout":
            layout = " + ".join(f"1:{ratio}" for ratio in explanation.stages)
            return f"实际分光比为 {layout}（理论值 {tenths(explanation.expected_db.value)} dB）"
        case "other_distance":
            return f"实际长度为 {explanation.km:g} km"
        case "extra_loss":
            return f"线路附加光衰 {shown(abs(explanation.residual_db))}"
        case "less_loss":
            return f"光衰比记录的器件少 {shown(abs(explanation.residual_db))}"


def not_compared(report: SplitterReport, lang: Lang) -> str | None:
    """Why a splitter has no expected loss."""
    if report.not_compared is None:
        return None
    code, _, more = report.not_compared.partition(": ")
    if code == "not_recorded":
        more = Two("、", ", ").of(lang).join(_RECORDS[each].of(lang) for each in more.split(", "))
    return NOT_COMPARED[code].of(lang) + more


def sibling(table: SiblingTable, each: SiblingDeviation, lang: Lang) -> str:
    """One splitter against its siblings, in words."""
    if lang == "en":
        return each.text
    size = f"{abs(each.deviation_db)}"
    if each.deviation_db.value == 0:
        text = f"等于 {table.n} 个分光器的中值"
    else:
        text = f"比 {table.n} 个分光器的中值{'强' if each.deviation_db.value > 0 else '弱'} {size}"
    if each.flagged:
        weaker = each.deviation_db.value < 0
        text += "；两者之一有偏差" if table.n == 2 else ("；请先检查此处" if weaker else "；请核对其分光比与位置记录")
    return text


def powers_of(quantity: str) -> tuple[str, ...]:
    """The powers that a quantity is made of."""
    return LOSS_ENDS.get(quantity, (quantity,))
