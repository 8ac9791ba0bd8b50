"""What the rows of a report are made from: a splitter with what follows from it, and how columns look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ponprobe.models.engineering import EvidenceItem, LineRound, ServiceTest, SplitterKey
from ponprobe.models.judgement import Judgement, Verdict
from ponprobe.models.plant import PlantComparison, SiblingDeviation, SiblingTable
from ponprobe.reports import words
from ponprobe.reports.columns import Cell
from ponprobe.reports.facts import ReportData, SplitterReport
from ponprobe.reports.words import Lang, Two
from ponprobe.workflow.deadlines import zone_of

_ROUNDED = 3
"""Decimals of what is computed with a spread (uncertainties, expected losses): more would be no information."""


@dataclass(frozen=True)
class Reader:
    """How rows are made: the language, the zone, and how each splitter stands against its siblings."""

    lang: Lang
    zone: ZoneInfo
    siblings: Mapping[tuple[str, str, str, str], tuple[SiblingTable, SiblingDeviation]]

    @classmethod
    def of(cls, data: ReportData, lang: Lang) -> Reader:
        """``ValueError`` for another language, ``ConfigError`` for a zone that is not known here."""
        words.words_of(lang)
        found = {
            (table.olt, str(table.port), each.splitter, str(table.test_onu)): (table, each)
            for table in data.siblings
            for each in table.deviations
        }
        return cls(lang, zone_of(data.project.time_zone), found)

    def local(self, at: datetime | None) -> datetime | None:
        """A time in the project's zone, to the second."""
        return None if at is None else at.astimezone(self.zone).replace(microsecond=0)


# -- what a row is made from ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One splitter as the getters see it."""

    report: SplitterReport
    reader: Reader

    @property
    def lang(self) -> Lang:
        """The language of the words."""
        return self.reader.lang

    @cached_property
    def round(self) -> LineRound | None:
        """The newest line round that counts."""
        return self.report.round

    @cached_property
    def verdict(self) -> Verdict | None:
        """Its verdict."""
        return None if self.round is None else self.round.verdict

    @cached_property
    def judgement(self) -> Judgement | None:
        """The judgement that decided it."""
        return None if self.verdict is None else words.deciding(self.verdict)

    @cached_property
    def service(self) -> ServiceTest | None:
        """The newest service test that counts."""
        return self.report.service

    @cached_property
    def down(self) -> PlantComparison | None:
        """The downstream loss against the plant as recorded."""
        found = [each for each in self.report.comparisons if each.expected.direction == "down"]
        return found[0] if found else None

    @cached_property
    def sibling(self) -> tuple[SiblingTable, SiblingDeviation] | None:
        """Its PON, and how it stands among its siblings; ``None`` where there is nothing to compare."""
        if self.round is None or self.round.serial is None:
            return None
        olt, port, name = self.report.key
        found = self.reader.siblings.get((olt, port, name, str(self.round.serial)))
        return None if found is None or found[0].n == 1 else found

    @cached_property
    def key(self) -> SplitterKey:
        """What identifies the splitter."""
        return self.report.key


@dataclass(frozen=True)
class Test:
    """One row of the history: a line round or a service test."""

    __test__ = False  # pytest takes every class named Test* for a test

    line: Line
    round: LineRound | None = None
    service: ServiceTest | None = None
    number: int = 0
    counts: bool = True

    @property
    def lang(self) -> Lang:
        """The language of the words."""
        return self.line.lang

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of a line round."""
        return None if self.round is None else self.round.verdict

    @cached_property
    def judgement(self) -> Judgement | None:
        """The judgement that decided it."""
        return None if self.verdict is None else words.deciding(self.verdict)


@dataclass(frozen=True)
class Piece:
    """One row of the evidence."""

    line: Line
    item: EvidenceItem
    counts: bool


@dataclass(frozen=True)
class Against:
    """One row of the expected losses: a direction, or the reason why there is none."""

    line: Line
    comparison: PlantComparison | None = None


@dataclass(frozen=True)
class Sibling:
    """One splitter among those of its PON."""

    table: SiblingTable
    each: SiblingDeviation
    reader: Reader


# -- how columns look at them ------------------------------------------------------------------------------------------


def as_number(quantity: Any) -> float | None:
    """A ``Db`` or ``Dbm`` as its number."""
    return None if quantity is None else float(quantity)


def as_rounded(quantity: Any) -> float | None:
    """A number that was computed with a spread, to three decimals."""
    return None if quantity is None else round(float(quantity), _ROUNDED)


def power(name: str) -> Callable[[Any], Cell]:
    """A power in dBm of the judged reading."""

    def get(source: Line | Test) -> Cell:
        return None if source.verdict is None else as_number(source.verdict.reading.powers[name].value)

    return get


def loss(name: str) -> Callable[[Any], Cell]:
    """An attenuation in dB of the judged reading."""

    def get(source: Line | Test) -> Cell:
        return None if source.verdict is None else as_number(getattr(source.verdict.loss, name))

    return get


def margin(source: Line | Test) -> Cell:
    """How far inside its limit the deciding number is, in dB."""
    return None if source.judgement is None else as_number(source.judgement.margin_db)


def guard(source: Line | Test) -> Cell:
    """The guard band of the deciding number, in dB."""
    known = None if source.judgement is None else source.judgement.uncertainty
    return None if known is None else as_rounded(known.w_db)


def of_judgement(name: str) -> Callable[[Line], Cell]:
    """A number of the deciding judgement."""
    return lambda line: None if line.judgement is None else as_rounded(getattr(line.judgement, name))


def of_verdict(get: Callable[[Verdict, Lang], Cell]) -> Callable[[Any], Cell]:
    """Look at the verdict, if there is one."""
    return lambda source: None if source.verdict is None else get(source.verdict, source.lang)


def of_round(get: Callable[[LineRound], Cell]) -> Callable[[Any], Cell]:
    """Look at the line round, if there is one."""
    return lambda source: None if source.round is None else get(source.round)


def of_service(get: Callable[[ServiceTest], Cell]) -> Callable[[Any], Cell]:
    """Look at the service test, if there is one."""
    return lambda source: None if source.service is None else get(source.service)


def of_plant(get: Callable[[PlantComparison], Any]) -> Callable[[Line], Cell]:
    """A number of the downstream comparison."""
    return lambda line: None if line.down is None else as_rounded(get(line.down))


def plant_row(get: Callable[[PlantComparison], Cell]) -> Callable[[Against], Cell]:
    """Look at the comparison of the row, if there is one."""
    return lambda row: None if row.comparison is None else get(row.comparison)


def joined(texts: Iterable[str | None], lang: Lang) -> str | None:
    """Several texts as one; ``None`` for none."""
    return Two("；", "; ").of(lang).join(each for each in texts if each) or None


def as_text(value: object) -> str | None:
    """Anything as text; ``None`` stays."""
    return None if value is None else str(value)


def spread(tested: LineRound) -> float | None:
    """Between the strongest and the weakest sample of the judged power; one sample has none."""
    values = [each.onu_rx_dbm.value.value for each in tested.readings if each.onu_rx_dbm.value is not None]
    return round(max(values) - min(values), _ROUNDED) if len(values) > 1 else None


def skew_s(verdict: Verdict) -> float | None:
    """Seconds between the first and the last of the four powers."""
    times = [each.at for each in verdict.reading.powers.values() if each.at is not None]
    return round((max(times) - min(times)).total_seconds(), 1) if times else None


def sources(verdict: Verdict) -> str | None:
    """The commands that the powers were read by, each once."""
    return "; ".join(dict.fromkeys(each.source for each in verdict.reading.powers.values() if each.source)) or None
