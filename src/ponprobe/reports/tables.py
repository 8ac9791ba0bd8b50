"""The tables of a report: their columns, and their rows as plain values. Every format writes these and nothing else.

A cell is text, a whole number, a number, an aware time in the project's zone, or ``None``, which is an empty cell.
Units stand in the headers; an absent number is ``None``, with its reason in a column of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ponprobe.models.plant import SiblingDeviation, SiblingTable
from ponprobe.reports import words
from ponprobe.reports.columns import Cell, Column, Row, Table, TableName
from ponprobe.reports.details import EVIDENCE, EXPECTED, HISTORY, SIBLINGS
from ponprobe.reports.facts import ReportData, SplitterReport
from ponprobe.reports.results import RESULTS
from ponprobe.reports.sources import Against, Line, Piece, Reader, Sibling, Test
from ponprobe.reports.words import Lang

Tone = Literal["pass", "marginal", "fail", "none"]
TABLES: tuple[Table, ...] = (RESULTS, HISTORY, EVIDENCE, EXPECTED, SIBLINGS)


@dataclass
class Cells:
    """The rows that one splitter has in each table."""

    report: SplitterReport
    results: Row
    history: list[Row] = field(default_factory=list)
    evidence: list[Row] = field(default_factory=list)
    expected: list[Row] = field(default_factory=list)

    def of(self, name: TableName) -> Sequence[Row]:
        """The rows of one table; ``siblings`` are not a splitter's own."""
        return [self.results] if name == "results" else getattr(self, name, [])


def cells(data: ReportData, lang: Lang = "zh") -> Iterator[Cells]:
    """Every splitter's rows, one splitter at a time."""
    reader = Reader.of(data, lang)
    for report in data.opened():
        line = Line(report, reader)
        yield Cells(
            report=report,
            results=RESULTS.row(line),
            history=[HISTORY.row(each) for each in _tests(line)],
            evidence=[EVIDENCE.row(each) for each in _pieces(line)],
            expected=[EXPECTED.row(each) for each in _against(line)],
        )


def sibling_rows(data: ReportData, lang: Lang = "zh") -> Iterator[Row]:
    """The rows of ``SIBLINGS``."""
    reader = Reader.of(data, lang)
    return (SIBLINGS.row(Sibling(table, each, reader)) for table in data.siblings for each in _deviations(table))


def rows(data: ReportData, table: Table, lang: Lang = "zh") -> Iterator[Row]:
    """All rows of one table."""
    if table.name == "siblings":
        yield from sibling_rows(data, lang)
        return
    for each in cells(data, lang):
        yield from each.of(table.name)


def _deviations(table: SiblingTable) -> Iterable[SiblingDeviation]:
    return sorted(table.deviations, key=lambda each: each.deviation_db.value)


def _tests(line: Line) -> Iterator[Test]:
    counted = line.report.counted
    for tested in line.report.rounds:
        yield Test(line, round=tested, number=tested.round, counts=tested.round > counted.rounds_void)
    for number, service in enumerate(line.report.service_tests, 1):
        yield Test(line, service=service, number=number, counts=number > counted.services_void)


def _pieces(line: Line) -> Iterator[Piece]:
    void = line.report.counted.evidence_void
    return (Piece(line, item, number >= void) for number, item in enumerate(line.report.evidence))


def _against(line: Line) -> Iterator[Against]:
    if not line.report.status.to_be_tested:
        return
    if not line.report.comparisons:
        yield Against(line)
    yield from (Against(line, each) for each in line.report.comparisons)


def tone(text: Cell) -> Tone:
    """The colour of a verdict's word: what the word says, so that colour never says anything else."""
    if not isinstance(text, str):
        return "none"
    if "临界" in text:
        return "marginal"
    if "不达标" in text or text in words.NO:
        return "fail"
    return "pass" if "达标" in text or text in words.YES else "none"


__all__ = [
    "RESULTS",
    "SIBLINGS",
    "TABLES",
    "Cell",
    "Column",
    "Row",
    "Table",
    "Tone",
    "cells",
    "rows",
    "sibling_rows",
    "tone",
]
