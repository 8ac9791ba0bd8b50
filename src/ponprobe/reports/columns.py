"""A column and a table as values, and what a cell may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ponprobe.reports.facts import ReportData
from ponprobe.reports.words import Lang, Two

Cell: TypeAlias = "str | int | float | datetime | None"
Row: TypeAlias = "list[Cell]"
Get: TypeAlias = "Callable[[Any], Cell]"
Kind = Literal["text", "integer", "number", "time"]
TableName = Literal["results", "history", "evidence", "expected", "siblings"]
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 32767
"""Characters of one cell of a spreadsheet; what is longer is cut there, and so it is in every format."""


@dataclass(frozen=True)
class Column:
    """One column: ``key`` for programs, a header for people, what its cells are, and how wide it is in characters.

    ``verdict`` columns are coloured by their word. ``spec`` columns are the specification's own.
    """

    key: str
    header: Two
    kind: Kind
    get: Callable[[Any], Cell]
    width: int = 12
    verdict: bool = False
    spec: bool = False

    def title(self, lang: Lang, zone: str) -> str:
        """The header; a time names its zone."""
        return f"{self.header.of(lang)} ({zone})" if self.kind == "time" else self.header.of(lang)


@dataclass(frozen=True)
class Table:
    """A named list of columns. ``title`` is the sheet's name."""

    name: TableName
    title: Two
    columns: tuple[Column, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the columns in their order."""
        return tuple(each.key for each in self.columns)

    def headers(self, data: ReportData, lang: Lang) -> tuple[str, ...]:
        """The header row."""
        return tuple(each.title(lang, data.project.time_zone) for each in self.columns)

    def row(self, source: Any) -> Row:
        """The cells of one row."""
        return [tidy(each.get(source)) for each in self.columns]


def tidy(value: Cell) -> Cell:
    """Text that every format can hold: line ends are line feeds, and what XML has no place for becomes U+FFFD."""
    if not isinstance(value, str):
        return value
    if _FORBIDDEN.search(value):
        value = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n").replace("\r", "\n"))
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"


def text(key: str, zh: str, en: str, get: Get, *, width: int = 16, verdict: bool = False, spec: bool = False) -> Column:
    """A column of words; ``verdict``: coloured by its word."""
    return Column(key, Two(zh, en), "text", get, width=width, verdict=verdict, spec=spec)


def number(key: str, zh: str, en: str, get: Get, *, width: int = 13, spec: bool = False) -> Column:
    """A column of numbers, whose unit stands in the header."""
    return Column(key, Two(zh, en), "number", get, width=width, spec=spec)


def whole(key: str, zh: str, en: str, get: Get, *, width: int = 10, spec: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(key, Two(zh, en), "integer", get, width=width, spec=spec)


def time(key: str, zh: str, en: str, get: Get) -> Column:
    """A column of times in the project's zone, which the header names."""
    return Column(key, Two(zh, en), "time", get, width=20)
