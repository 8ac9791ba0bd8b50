"""A report as one HTML file that needs no network and no script, and prints well."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ponprobe.optics.diagram import level_diagram
from ponprobe.reports import steps, summary, words
from ponprobe.reports.columns import Cell, Column, Row, Table, tidy
from ponprobe.reports.details import EVIDENCE, EXPECTED, HISTORY, SIBLINGS
from ponprobe.reports.facts import ReportData
from ponprobe.reports.plain import Target, opened
from ponprobe.reports.plain import shown as readable
from ponprobe.reports.results import RESULTS
from ponprobe.reports.style import STYLE
from ponprobe.reports.tables import Cells, Tone, cells, sibling_rows, tone
from ponprobe.reports.thumbnails import Originals, thumbnail
from ponprobe.reports.words import Lang, Two

DETAILS: Final = 200
"""Splitters that have a section of their own, unless told otherwise: a browser opens no page with thousands."""
_MOST_SIBLINGS = 500
_SIGNS: Mapping[Tone, str] = {"pass": "✔", "marginal": "▲", "fail": "✖", "none": "—"}
_CSS = {"text": "", "integer": "i", "number": "n", "time": "t"}
_OVERVIEW = (
    "splitter", "olt_host", "pon_port", "splitter_port", "total_passed", "line_passed", "band", "service_passed",
    "onu_rx_dbm", "margin_db", "downstream_attenuation_db", "upstream_attenuation_db", "clean",
)  # fmt: skip
_ROUNDS = (
    "kind", "number", "counts", "at", "result", "band", "onu_rx_dbm", "olt_rx_dbm", "downstream_attenuation_db",
    "upstream_attenuation_db", "margin_db", "tester", "fault", "why", "comment",
)  # fmt: skip
_SIBLINGS = (
    "olt", "pon_port", "test_onu", "n", "splitter", "deviation_db", "flagged", "line_db", "median_dbm",
    "expected_used", "statement",
)  # fmt: skip
_OPEN = Two("待处理", "Open points")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_RANK: Mapping[Tone, int] = {"fail": 0, "none": 1, "marginal": 2, "pass": 3}


def write_html(
    data: ReportData,
    target: Target,
    *,
    lang: Lang = "zh",
    originals: Originals | None = None,
    details: int = DETAILS,
) -> None:
    """Write the report as one HTML page in bounded memory.

    ``originals`` (an ``EvidenceStore``) gives small pictures of the photos. The ``details`` splitters that need looking
    at most have a section of their own with level diagram, all cells, history and photos; the overview has all of them,
    and says how many sections there are. ``ValueError`` for another language, ``ConfigError`` if the target cannot be
    written.
    """
    with opened(target) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="\n", write_through=True)
        for piece in _Page(data, lang, originals, details).pieces():
            text.write(piece)
        text.flush()
        text.detach()


class _Page:
    def __init__(self, data: ReportData, lang: Lang, originals: Originals | None, details: int) -> None:
        self._data, self._lang, self._originals, self._details = data, lang, originals, details
        self._headers = {table.name: _headers(table, data, lang) for table in (RESULTS, HISTORY, EVIDENCE, SIBLINGS)}
        self._ranks: list[tuple[int, int]] = []
        self._points = summary.OpenPoints(lang)

    def pieces(self) -> Iterator[str]:
        """The page, piece by piece."""
        title = f"{summary.TITLE.of(self._lang)} · {self._data.project.name}"
        yield (
            f'<!DOCTYPE html>\n<html lang="{"zh-CN" if self._lang == "zh" else "en"}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="generator" content="ponprobe {_text(self._data.tool_version)}">'
            f"<title>{_text(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        )
        yield from self._top()
        yield from self._overview()
        yield from self._open_points()
        yield from self._sections()
        yield from self._siblings()
        yield from self._end()

    # ------------------------------------------------------------------ first page

    def _top(self) -> Iterator[str]:
        data, lang = self._data, self._lang
        yield f"<h1>{_text(summary.TITLE.of(lang))}</h1><p><bdi>{_text(data.project.name)}</bdi></p>\n"
        said = summary.overall(data, lang)
        word = said or Two("未完成", "not finished").of(lang)
        yield f'<div class="banner {tone(said)}"><b>{_SIGNS[tone(said)]} {_text(word)}</b>'
        yield f'{_text(summary.conclusion(data, lang))} <a class="to" href="#open">{_text(_OPEN.of(lang))}</a></div>\n'
        yield '<table class="facts"><tbody>\n'
        for label, value, more in summary.facts(data, lang):
            shown = self._word(value) if label in summary.VERDICTS and value else f"<bdi>{_text(readable(value))}</bdi>"
            yield f"<tr><th>{_text(label)}</th><td>{shown}</td><td><bdi>{_text(more or '')}</bdi></td></tr>\n"
        yield "</tbody></table>\n"
        heads = (Two("门限集与阶段", "Set and stage"), Two("规范原文", "As written"), Two("含义", "As understood"))
        rows = ((where, written, meant) for written, meant, where in summary.limits(data, lang))
        yield from self._plain_table(Two("门限", "Limits"), heads, rows, css="limits")
        if data.decisions:
            heads = (Two("决定", "Decision"), Two("时间", "At"), Two("内容", "What"))
            yield from self._plain_table(
                Two("决定", "Decisions"), heads, summary.decisions(data, lang), css="decisions"
            )

    def _plain_table(
        self, title: Two, heads: Iterable[Two], rows: Iterable[Sequence[Cell]], *, css: str = ""
    ) -> Iterator[str]:
        yield f'<h2>{_text(title.of(self._lang))}</h2><table class="{css}"><thead><tr>'
        yield "".join(f"<th>{_text(each.of(self._lang))}</th>" for each in heads)
        yield "</tr></thead><tbody>\n"
        for row in rows:
            yield f"<tr>{''.join(f'<td><bdi>{_text(readable(each))}</bdi></td>' for each in row)}</tr>\n"
        yield "</tbody></table>\n"

    def _overview(self) -> Iterator[str]:
        picked = [RESULTS.keys.index(key) for key in _OVERVIEW]
        total, band = RESULTS.keys.index("total_passed"), RESULTS.keys.index("band")
        clean = RESULTS.keys.index("clean")
        title = Two("挂测结果一览", "Results at a glance").of(self._lang)
        yield f'<h2>{_text(title)}</h2><div class="wide"><table class="overview"><thead><tr><th>#</th>'
        heads = self._headers["results"]
        yield "".join(f"<th{_wide(RESULTS.columns[each])}>{heads[each]}</th>" for each in picked)
        yield "</tr></thead><tbody>\n"
        for each in cells(self._data, self._lang):
            number = each.report.number
            self._points.add(each)
            worst = min(tone(each.results[total]), tone(each.results[band]), key=_RANK.__getitem__)
            self._ranks.append((min(_RANK[worst], _RANK[tone(each.results[clean])]), number))
            made = "".join(self._td(RESULTS.columns[place], each.results[place]) for place in picked)
            yield f'<tr><td class="i"><a href="#s{number}">{number}</a></td>{made}</tr>\n'
        yield "</tbody></table></div>\n"

    def _open_points(self) -> Iterator[str]:
        heads = (Two("分光器", "Splitter"), Two("下一步", "What to do"))
        yield '<span id="open"></span>'
        yield from self._plain_table(_OPEN, heads, self._points, css="open")

    # ------------------------------------------------------------------ one splitter

    def _sections(self) -> Iterator[str]:
        yield f"<h2>{_text(Two('逐个分光器', 'Splitter by splitter').of(self._lang))}</h2>\n"
        chosen = {number for _, number in sorted(self._ranks)[: self._details]}
        if len(chosen) < len(self._ranks):
            told = Two(
                f"共 {len(self._ranks)} 个分光器，以下为最需查看的 {len(chosen)} 个；其余见上表及xlsx。",
                f"{len(self._ranks)} splitters in all; these are the {len(chosen)} that need looking at most, the "
                "others are in the table above and in the xlsx workbook.",
            )
            yield f'<p class="soft">{_text(told.of(self._lang))}</p>\n'
        for each in cells(self._data, self._lang) if chosen else ():
            if each.report.number in chosen:
                yield from self._section(each)

    def _section(self, each: Cells) -> Iterator[str]:
        report, lang, row = each.report, self._lang, each.results
        total = row[RESULTS.keys.index("total_passed")]
        where = f"{report.key.olt} {report.key.port}"
        yield f'<section class="card" id="s{report.number}"><h3><span class="soft">{report.number}</span>'
        yield f"<bdi>{_text(report.key.name)}</bdi>{self._word(total, empty=Two('未完成', 'not finished'))}"
        yield f'<span class="soft"><bdi>{_text(where)}</bdi></span></h3>\n'
        yield f"<p>{_text(words.sentence(report, lang))}</p>\n"
        told = steps.next_steps(report, lang)
        if told:
            title = Two("下一步", "What to do next").of(lang)
            listed = "".join(f"<li>{_text(step)}</li>" for step in told)
            yield f'<div class="next"><b>{_text(title)}</b><ol>{listed}</ol></div>\n'
        yield '<div class="pair"><div>'
        if report.verdict is not None:
            expected = [each.expected for each in report.comparisons]
            yield f"<figure>{level_diagram(report.verdict, expected=expected, lang=lang)}</figure>\n"
        for against in each.expected:
            cell = dict(zip(EXPECTED.keys, against, strict=True))
            label = f"{cell['direction']}: " if cell["direction"] else ""
            yield f'<p class="soft">{_text(label)}{_text(readable(cell["statement"]))}</p>\n'
        yield from self._photos(each)
        yield "</div><dl>"
        for column, header, value in zip(RESULTS.columns, self._headers["results"], row, strict=True):
            if value is not None:
                shown = self._word(value) if column.verdict else _text(readable(value))
                yield f'<div{_wide(column)}><dt>{header}</dt><dd data-k="{column.key}">{shown}</dd></div>'
        yield "</dl></div>\n"
        if len(each.history) > 1:
            yield from self._rounds(each.history)
        yield "</section>\n"

    def _rounds(self, history: Sequence[Row]) -> Iterator[str]:
        picked = [HISTORY.keys.index(key) for key in _ROUNDS]
        yield f"<h4>{_text(HISTORY.title.of(self._lang))}</h4>"
        yield '<div class="wide"><table class="history"><thead><tr>'
        heads = self._headers["history"]
        yield "".join(f"<th>{heads[each]}</th>" for each in picked) + "</tr></thead><tbody>\n"
        for row in history:
            yield f"<tr>{''.join(self._td(HISTORY.columns[each], row[each]) for each in picked)}</tr>\n"
        yield "</tbody></table></div>\n"

    def _photos(self, each: Cells) -> Iterator[str]:
        if not each.evidence:
            return
        yield f'<h4>{_text(EVIDENCE.title.of(self._lang))}</h4><div class="photos">'
        for item, row in zip(each.report.evidence, each.evidence, strict=True):
            cell = dict(zip(EVIDENCE.keys, row, strict=True))
            picture = None if self._originals is None else thumbnail(self._originals, item)
            name = _text(item.file_name)
            if picture is not None:
                shown = f'<img src="{picture}" alt="{name}">'
            else:
                told = Two("原件见证据包", "original: see the evidence package").of(self._lang)
                shown = f'<div class="blank">{_text(told)}</div>'
            old = "" if cell["counts"] in words.YES else f" ({Two('旧一轮', 'earlier build').of(self._lang)})"
            lines = [f"<b>{_text(readable(cell['kind']))}</b>{_text(old)} <bdi>{name}</bdi>"]
            lines += [_text(readable(cell[key])) for key in ("captured_at", "added_by") if cell[key]]
            lines += [f'<span class="soft" title="{item.sha256}">SHA-256 {item.sha256[:16]}…</span>']
            lines += [f'<span class="warn">▲ {_text(readable(cell["warnings"]))}</span>'] if cell["warnings"] else []
            yield f"<figure>{shown}<figcaption>{'<br>'.join(lines)}</figcaption></figure>"
        yield "</div>\n"

    # ------------------------------------------------------------------ the rest

    def _siblings(self) -> Iterator[str]:
        rows = list(sibling_rows(self._data, self._lang))
        if not rows:
            return
        flagged = SIBLINGS.keys.index("flagged")
        yield f"<h2>{_text(SIBLINGS.title.of(self._lang))}</h2>"
        note = Two(
            "同一测试ONU、同一PON口下互相比较，两端读数的系统误差相互抵消，是不增加仪表时最灵敏的指标；"
            "分光器各口之间本有差异，超出只表示先查此处。",
            "With one test ONU on one PON the systematic errors of both ends cancel, which makes this the most "
            "sensitive comparison without another instrument; outputs of a splitter differ by themselves, so a flag "
            "only says where to look first.",
        )
        yield f'<p class="soft">{_text(note.of(self._lang))}</p>\n'
        if len(rows) > _MOST_SIBLINGS:
            rows = [row for row in rows if row[flagged] in words.YES]
            told = Two("仅列超出者，全部见xlsx。", "Only those beyond the line; the xlsx workbook has all.")
            yield f'<p class="soft">{_text(told.of(self._lang))}</p>\n'
        picked = [SIBLINGS.keys.index(key) for key in _SIBLINGS]
        heads = self._headers["siblings"]
        yield '<div class="wide"><table class="siblings"><thead><tr>'
        yield "".join(f"<th{_wide(SIBLINGS.columns[each])}>{heads[each]}</th>" for each in picked)
        yield "</tr></thead><tbody>\n"
        for row in rows:
            yield f"<tr>{''.join(self._td(SIBLINGS.columns[each], row[each]) for each in picked)}</tr>\n"
        yield "</tbody></table></div>\n"

    def _end(self) -> Iterator[str]:
        lang = self._lang
        yield f"<h2>{_text(Two('说明', 'Method').of(lang))}</h2><ol>"
        yield "".join(f"<li>{_text(each.of(lang))}</li>" for each in summary.METHOD) + "</ol>\n"
        yield f'<h2>{_text(Two("签字", "Signatures").of(lang))}</h2><table class="sign"><thead><tr><th></th>'
        yield "".join(f"<th>{_text(each.of(lang))}</th>" for each in summary.SIGNED) + "</tr></thead><tbody>\n"
        for each in summary.SIGNATURES:
            yield f"<tr><th>{_text(each.of(lang))}</th><td></td><td></td></tr>\n"
        yield "</tbody></table>\n"
        at = readable(summary.local(self._data, self._data.generated_at))
        about = f"{self._data.report_id} · {at} {self._data.project.time_zone} · ponprobe {self._data.tool_version}"
        yield f"<footer>{_text(about)}</footer>\n</body></html>\n"

    # ------------------------------------------------------------------ cells

    def _td(self, column: Column, value: Cell) -> str:
        shown = self._word(value) if column.verdict and value is not None else f"<bdi>{_text(readable(value))}</bdi>"
        css = _CSS[column.kind] or ("k" if column.width <= 8 else "w" if column.width > 24 else "")
        return f'<td class="{css}" data-k="{column.key}">{shown}</td>'

    def _word(self, value: Cell, *, empty: Two | None = None) -> str:
        """A verdict as sign and word; the colour repeats what the word says."""
        if value is None and empty is not None:
            return f'<span class="badge none">{_SIGNS["none"]} {_text(empty.of(self._lang))}</span>'
        which = tone(value)
        sign = f'<span aria-hidden="true">{_SIGNS[which]} </span>' if which != "none" else ""
        return f'<span class="badge {which}">{sign}<span class="v">{_text(readable(value))}</span></span>'


def _headers(table: Table, data: ReportData, lang: Lang) -> list[str]:
    return [_text(each) for each in table.headers(data, lang)]


def _wide(column: Column) -> str:
    return ' class="w"' if column.width > 24 else ""


def _text(value: str) -> str:
    """Any text, harmless in content and in quoted attributes."""
    return html.escape(str(tidy(value)), quote=True)
