"""The first page of a report: what was measured, against which limit in which unit, by whom, when, is the OLT clean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from ponprobe.models.judgement import Band
from ponprobe.reports import words
from ponprobe.reports.columns import Cell, tidy
from ponprobe.reports.facts import ReportData
from ponprobe.reports.results import RESULTS
from ponprobe.reports.tables import Cells
from ponprobe.reports.words import Lang, Two
from ponprobe.workflow.deadlines import zone_of

TITLE = Two("家庭宽带资源入网挂测报告", "FTTH acceptance report")
METHOD = (
    Two(
        "每个末级分光器任选一口接测试ONU，由OLT采集四个光功率；下行光衰 = OLT发送光功率 − ONU接收光功率，"
        "上行光衰 = ONU发送光功率 − OLT接收光功率。",
        "A test ONU is plugged into one port of each last-stage splitter and the OLT reads the four optical powers; "
        "downstream attenuation = OLT Tx − ONU Rx, upstream attenuation = ONU Tx − OLT Rx.",
    ),
    Two(
        "功率单位为dBm，光衰、余量与不确定度单位为dB。多次采集取中值；未取得的读数留空并写明原因，从不计为达标。",
        "Powers are in dBm; attenuations, margins and uncertainties in dB. Several samples give their median; a "
        "missing reading is empty, with its reason, and never counts as a pass.",
    ),
    Two(
        "判定置信由读数不确定度得出：离门限比不确定度还近为“临界”。未设门限的量不作判定，不等于达标。",
        "The confidence follows from the uncertainty of the reading: what is nearer to its limit than that is "
        "marginal. A quantity without a limit is not judged, which is not a pass.",
    ),
    Two(
        "每个分光器只测一口，其余端口未测；抽样风险由委托方承担。设备“已清理”指撤销后回读OLT，未发现本次测试的任何配置。",
        "One port of each splitter is tested and the others are not, which is a sampling risk. "
        "“Clean” means that the OLT was read back after the removal and showed nothing of this test.",
    ),
)
SIGNATURES = (
    Two("施工单位", "Builder"),
    Two("监理单位", "Supervisor"),
    Two("验收人员", "Acceptance"),
    Two("资源管理员（二次审核）", "Resource administrator (second review)"),
)
SIGNED = (Two("签字", "Signature"), Two("日期", "Date"))
_OVERALL, _CLEAN = Two("总体结论", "Overall"), Two("设备是否已清理", "OLTs clean")
VERDICTS = (*_OVERALL, *_CLEAN)
"""The labels of those facts that are verdicts."""
_NEXT_STEP = RESULTS.keys.index("next_step")
_LISTED = 50
"""Open points on the first page; the results have the next step of every line."""


class Said(NamedTuple):
    """One line of the first page. ``verdict`` lines are coloured by their word."""

    style: Literal["title", "section", "row", "sign"]
    cells: tuple[Cell, ...]
    verdict: bool = False


def lines(data: ReportData, lang: Lang, points: OpenPoints) -> Iterator[Said]:
    """The first page, line by line."""
    for line in _lines(data, lang, points):
        yield line._replace(cells=tuple(map(tidy, line.cells)))


def _lines(data: ReportData, lang: Lang, points: OpenPoints) -> Iterator[Said]:
    yield Said("title", (TITLE.of(lang),))
    for label, value, more in facts(data, lang):
        yield Said("row", (label, value, more), verdict=label in VERDICTS)
    yield Said(
        "section",
        (Two("门限", "Limits").of(lang), Two("规范原文", "As written").of(lang), Two("含义", "As understood").of(lang)),
    )
    for written, meant, where in limits(data, lang):
        yield Said("row", (where, written, meant))
    yield Said("section", (Two("说明", "Method").of(lang),))
    for number, each in enumerate(METHOD, 1):
        yield Said("row", (number, None, each.of(lang)))
    yield Said("section", (Two("待处理", "Open points").of(lang),))
    for splitter, steps in points:
        yield Said("row", (None, splitter, steps))
    if data.decisions:
        yield Said("section", (Two("决定", "Decisions").of(lang),))
    for row in decisions(data, lang):
        yield Said("row", row)
    yield Said("section", (Two("签字", "Signatures").of(lang), *(each.of(lang) for each in SIGNED)))
    for each in SIGNATURES:
        yield Said("sign", (each.of(lang), None, None))


def facts(data: ReportData, lang: Lang) -> Iterator[tuple[str, Cell, str | None]]:
    """What a reader who has never seen the tool asks first: label, value, and a remark."""
    hang = data.hang_test
    bands = ", ".join(f"{_band(name, lang)} {count}" for name, count in data.bands)
    made: tuple[tuple[Two, Cell, str | None], ...] = (
        (_OVERALL, overall(data, lang), conclusion(data, lang)),
        (_CLEAN, words.yes(data.clean, lang), _clean(data, lang)),
        (Two("项目", "Project"), data.project.name, data.project.id),
        (Two("施工单位", "Builder"), data.project.builder, None),
        (
            Two("是否进行工程挂测", "To be tested"),
            hang.label if lang == "zh" else words.yes(hang.required, lang),
            hang.reason,
        ),
        (Two("阶段", "Stage"), words.stage(data, lang), None),
        (
            Two("挂测覆盖（已完成/应测）", "Coverage (tested / to be tested)"),
            f"{data.tested}/{data.to_test}",
            _percent(data.tested, data.to_test),
        ),
        (
            Two("达标/应测", "Passed / to be tested"),
            f"{data.passed}/{data.to_test}",
            _percent(data.passed, data.to_test),
        ),
        (Two("不达标", "Failed"), data.failed, None),
        (Two("线路判定置信", "Confidence of the lines"), bands or None, None),
        (
            Two("判定策略", "Policy"),
            Two("；", "; ").of(lang).join(words.POLICIES[each].of(lang) for each in data.policies) or None,
            None,
        ),
        (Two("测试人", "Testers"), ", ".join(words.tester(each, lang) for each in data.testers) or None, None),
        (Two("测试时间", "Tested"), _tested(data), data.project.time_zone if data.tested_from else None),
        (
            Two("测试ONU", "Test ONUs"),
            ", ".join(data.test_onus) or None,
            ", ".join(data.certificates) or Two("未校准", "not calibrated").of(lang),
        ),
        (Two("报告时间", "Reported at"), local(data, data.generated_at), data.project.time_zone),
        (Two("报告编号", "Report"), data.report_id, f"ponprobe {data.tool_version}"),
    )
    return ((label.of(lang), value, more) for label, value, more in made)


def _tested(data: ReportData) -> str | None:
    """From the first test to the last one, to the minute."""
    if data.tested_from is None or data.tested_to is None:
        return None
    first, last = (f"{local(data, each):%Y-%m-%d %H:%M}" for each in (data.tested_from, data.tested_to))
    return first if first == last else f"{first} – {last}"


def overall(data: ReportData, lang: Lang) -> str | None:
    """达标 only if every splitter that has to be is tested and passed; 不达标 if one failed; else empty."""
    if data.failed:
        return words.FAIL.of(lang)
    return words.PASS.of(lang) if data.to_test and data.passed == data.to_test else None


def conclusion(data: ReportData, lang: Lang) -> str:
    """The state of the project in one sentence."""
    if not data.hang_test.required:
        return Two("本项目不进行挂测", "this project is not tested").of(lang)
    if not data.to_test:
        return Two("没有应测的分光器", "there is no splitter to be tested").of(lang)
    left = data.to_test - data.passed
    if not left:
        return Two("全部应测分光器的线路与业务均达标", "line and service of every splitter passed").of(lang)
    return Two(
        f"{data.to_test} 个应测分光器中 {left} 个尚未达标（其中 {data.failed} 个不达标），整改与复测完成前不能验收",
        f"{left} of {data.to_test} splitters have not passed ({data.failed} failed): not to be accepted before they "
        "are rectified and tested again",
    ).of(lang)


def _clean(data: ReportData, lang: Lang) -> str:
    if data.clean:
        return Two("OLT上没有本项目的测试ONU", "no test ONU of this project is on an OLT").of(lang)
    return Two(
        f"{data.live} 个测试ONU仍在或可能仍在OLT上，须撤销并证明",
        f"test ONUs on an OLT, or possibly there: {data.live}; revoke them until it is proven",
    ).of(lang)


def limits(data: ReportData, lang: Lang) -> Iterator[tuple[str, str, str]]:
    """Every limit that was in force: the specification's words, what they are taken to mean, and from which set."""
    for each in data.threshold_sets:
        where = f"{each.key}: {words.stage_of(each, lang)}"
        for threshold in each.thresholds:
            yield f'"{threshold.source_text}"', words.meaning(threshold, lang), where
        if each.not_judged:
            told = Two("未设门限，不作判定：", "no limit, not judged: ").of(lang)
            yield "—", told + words.quantities(each.not_judged, lang), where


class OpenPoints:
    """The splitters that are not done, with what to do next: the first of them, and how many more there are."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._told: list[tuple[str, str]] = []
        self._left = 0

    def add(self, cells: Cells) -> None:
        """Look at the next splitter."""
        steps = cells.results[_NEXT_STEP]
        if steps is None:
            return
        if len(self._told) < _LISTED:
            self._told.append((words.place_of(cells.report.key, self._lang), str(steps)))
        else:
            self._left += 1

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self._told
        if self._left:
            more = Two(
                f"另有 {self._left} 个，见挂测结果“下一步”列", f"and {self._left} more: see the column “next step”"
            )
            yield "…", more.of(self._lang)
        if not self._told:
            yield "—", Two("没有待处理事项", "nothing is left to do").of(self._lang)


def decisions(data: ReportData, lang: Lang) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Who decided what, and when."""
    for each in data.decisions:
        said = Two("通过", "accepted") if each.accepted else Two("退回", "refused")
        kind = f" ({words.fault(each.fault, lang)})" if each.fault else ""
        by = words.tester(each.actor, lang)
        note = f"{said.of(lang)}{kind}, {by}{': ' + each.comment if each.comment else ''}"
        yield words.DECISIONS[each.kind].of(lang), local(data, each.at), note


def local(data: ReportData, at: datetime) -> datetime:
    """A time in the project's zone, to the second."""
    return at.astimezone(zone_of(data.project.time_zone)).replace(microsecond=0)


def _percent(part: int, whole: int) -> str | None:
    return f"{100 * part / whole:.1f} %" if whole else None


_BANDS: Mapping[str, str] = {each.value: each.label for each in Band}


def _band(name: str, lang: Lang) -> str:
    return _BANDS[name] if lang == "zh" else f"{name.replace('_', ' ')} {_BANDS[name]}"
