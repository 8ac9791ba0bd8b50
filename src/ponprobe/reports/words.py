"""The words of a report in Chinese and English."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ponprobe.models.engineering import (
    ActivationState,
    Actor,
    EvidenceItem,
    FaultKind,
    LineRound,
    Place,
    SplitterKey,
    TestState,
)
from ponprobe.models.judgement import Finding, Judgement, Outcome, Verdict
from ponprobe.models.optical import POWERS
from ponprobe.models.plant import Explanation, PlantComparison, SiblingDeviation, SiblingTable
from ponprobe.optics.exact import LOSS_ENDS
from ponprobe.optics.explain import explain, why_untrusted_zh
from ponprobe.optics.findings import finding_step, finding_text, quoted
from ponprobe.optics.limit_words import meaning_of as meaning
from ponprobe.optics.limit_words import stage_of
from ponprobe.optics.plant import tenths
from ponprobe.optics.words import WORDS, Lang, exact, shown, words_of
from ponprobe.reports.facts import ReportData, SplitterReport, fault_of
from ponprobe.reports.failures import why_failed
from ponprobe.reports.two import Two
from ponprobe.workflow.evidence import NEAR_M

__all__ = ["Lang", "Two", "fault_of", "meaning", "stage_of", "words_of"]

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
NOT_COMPARED: Mapping[str, Two] = MappingProxyType(
    {
        "no_reading": Two("没有可比较的光衰", "there is no measured loss to compare"),
        "not_recorded": Two("工程资料缺少：", "the engineering data lack: "),
        "not_computable": Two("无法计算：", "cannot be computed: "),
    }
)
_TOLD_ELSEWHERE = frozenset(("spread",))
"""Findings that have a column of their own."""
_RECORDS = {"stages": Two("各级分光比", "split stages"), "distance_km": Two("光缆长度", "fibre length")}
_TOLD_BY_FACTS = re.compile(
    r"no capture time|not a picture: .*|[0-9.]+ k?m from site|datums? (unknown|differ).* below 1 km"
    r"|no place in the file|no site coordinate to compare .*|the file's time has no offset: .*",
    re.DOTALL,
)
"""Remarks on evidence that its own facts tell as well, in either language."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MEANT = {"down": Two("下行", "downstream"), "up": Two("上行", "upstream"), "mean": Two("上下行平均", "mean")}
_ROLES = {
    "builder": Two("施工单位", "builder"),
    "acceptance_engineer": Two("验收人员", "acceptance engineer"),
    "resource_admin": Two("资源管理员", "resource administrator"),
    "system": Two("系统", "system"),
}
SOURCES = {"device": Two("设备采集", "read from the device"), "manual": Two("人工录入", "typed in")}
DECISIONS = {"acceptance": Two("工程验收", "acceptance"), "review": Two("二次审核", "second review")}
POLICIES: Mapping[str, Two] = MappingProxyType(
    {
        "simple": Two("simple：读数本身在门限之内即达标，不确定度只作说明", "simple: the number itself decides"),
        "guard_accept": Two(
            "guard_accept：余量不小于读数不确定度才达标",
            "guard_accept: passes only inside its limit by the whole uncertainty",
        ),
        "guard_reject": Two(
            "guard_reject：超出门限的量大于读数不确定度才不达标",
            "guard_reject: fails only beyond its limit by more than the uncertainty",
        ),
    }
)
_STATES = {
    "not_activated": "not activated",
    "activating": "activating",
    "activated": "activated",
    "activation_failed": "activation failed",
    "revoking": "revoking",
    "revoke_failed": "revoke failed",
    "unknown": "unknown",
    "revoked": "revoked",
}
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


def tester(who: Actor, lang: Lang) -> str:
    """A person with the role."""
    return f"{who.name}（{role(who.role, lang)}）" if lang == "zh" else f"{who.name} ({role(who.role, lang)})"


def place_of(key: SplitterKey, lang: Lang) -> str:
    """A splitter with its OLT and PON port."""
    name = beside(key.name)
    return f"{name}（{key.olt} {key.port}）" if lang == "zh" else f"{name} ({key.olt} {key.port})"


def beside(name: str) -> str:
    """A name to stand beside other text: what would turn that around is closed in (Unicode UAX #9, isolates)."""
    return f"\u2068{name}\u2069" if _TURNS.search(name) else name


def activation(state: ActivationState, lang: Lang) -> str:
    """The specification's word for an activation state."""
    if lang == "zh":
        return state.exported
    outside = next(each for each in ActivationState if each.label == state.exported)
    return f"{_STATES[str(outside)]} {state.exported}"


def activation_flag(state: ActivationState, lang: Lang) -> str | None:
    """What the specification's word does not tell; ``None`` if it tells all."""
    return state.flag if lang == "zh" or state.flag is None else f"{_STATES[str(state)]} {state.flag}"


def source(name: str, lang: Lang) -> str:
    """Where a result comes from; a provider's own name stays as it is."""
    return SOURCES[name].of(lang) if name in SOURCES else name


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
        return "" if tested.failure is None else why_failed(tested.failure, lang)
    absent = list(_absent(tested.verdict, lang))
    if tested.verdict.outcome is Outcome.UNDETERMINED:
        why = Two("；", "; ").of(lang).join(absent) or _untrusted(tested.verdict, lang)
        return Two("无法判定：", "undetermined: ").of(lang) + why
    return Two("；", "; ").of(lang).join(absent) or None


def _untrusted(verdict: Verdict, lang: Lang) -> str:
    """Why numbers that are there are not judged."""
    reason = verdict.judgements[0].reason
    return reason if lang == "en" else why_untrusted_zh(verdict) or quoted(reason)


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


def findings(found: Iterable[Finding], lang: Lang) -> str | None:
    """What else was noticed, each once, with what to do about it; ``None`` for nothing."""
    said = dict.fromkeys(_finding(each, lang) for each in found if each.code not in _TOLD_ELSEWHERE)
    return Two("；", "; ").of(lang).join(said) or None


def _finding(found: Finding, lang: Lang) -> str:
    step = finding_step(found, lang)
    return finding_text(found, lang) + ("" if step is None else f" → {step}")


def warnings(item: EvidenceItem, site: Place | None, lang: Lang) -> str | None:
    """What to be careful with about a piece of evidence; ``None`` for nothing."""
    return _remarks(item.warnings, _careful(item, site), lang)


def notes(item: EvidenceItem, lang: Lang) -> str | None:
    """What else is known about a piece of evidence; ``None`` for nothing."""
    return _remarks(item.notes, _noted(item), lang)


def _remarks(stored: Iterable[str], told: Iterable[str], lang: Lang) -> str | None:
    """What was noted when it was added; in Chinese what its facts tell, and a quotation of everything else."""
    if lang == "zh":
        stored = (*told, *(quoted(each) for each in stored if not _TOLD_BY_FACTS.fullmatch(each)))
    return Two("；", "; ").of(lang).join(stored) or None


def _careful(item: EvidenceItem, site: Place | None) -> Iterator[str]:
    if not item.media_type.startswith("image/"):
        if item.kind in {"position", "result", "label"}:
            yield f"不是图片：{item.media_type}"
        return
    if item.captured_at is None:
        yield "文件没有拍摄时间"
    if item.distance_m is not None and item.distance_m >= NEAR_M:
        yield f"距现场 {item.distance_m / 1000:.1f} km"
    if item.place is not None and site is not None and item.distance_m is not None:
        if "unknown" in {item.place.datum, site.datum}:
            yield "坐标系未知，1 km以内的距离没有意义"
        elif item.place.datum != site.datum:
            yield f"坐标系不同（{item.place.datum}、{site.datum}），1 km以内的距离没有意义"


def _noted(item: EvidenceItem) -> Iterator[str]:
    if not item.media_type.startswith("image/"):
        return
    if item.captured_at is not None and item.offset is None:
        yield "文件时间没有时差，按项目时区计"
    if item.place is None:
        yield "文件没有拍摄位置"
    elif item.distance_m is None:
        yield "没有现场坐标可比较"
    elif item.distance_m < NEAR_M:
        yield f"距现场 {item.distance_m:.0f} m"


def quantities(names: tuple[str, ...], lang: Lang) -> str:
    """Quantities by name."""
    return Two("、", ", ").of(lang).join(WORDS[lang].names[each] for each in names)


def sentence(report: SplitterReport, lang: Lang) -> str:
    """The standing verdict in one sentence, with the plant as recorded where it is known."""
    if report.verdict is None:
        return why_empty(report.round, lang) or ""
    down = [each for each in report.comparisons if each.expected.direction == "down"]
    return explain(report.verdict, lang, comparison=down[0] if down else None)


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
    if code == "not_computable" and lang == "zh":
        more = quoted(more)
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
