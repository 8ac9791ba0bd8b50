"""Cells as typed values, each failure with its place: what engineering data and CVLAN sheets are read with."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

from ponprobe.errors import ImportProblem
from ponprobe.models.addressing import PonPort
from ponprobe.workflow.columns import ColumnMap, Header, check_map, choose
from ponprobe.workflow.sheets import Problem, Row, open_sheets, refuse, text_of

T = TypeVar("T")
_ERROR_VALUES = frozenset(("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"))
# a splitter may be named after 注塑厂 or 合计路: only a word that stands for itself begins a remark
_NOTE = re.compile(
    r"(?:(?:注|备注|说明|填表人?|制表人?|审核人?|note|remark)(?:$|[:\s])|(?:合计|总计|小计|共计|total)(?:$|[:\s0-9]))",
    re.IGNORECASE,
)
_YES = frozenset(("是", "y", "yes", "true", "1", "√", "✓", "有"))
_NO = frozenset(("否", "n", "no", "false", "0", "×", "✗", "无"))


def refuse_all(problems: tuple[Problem, ...]) -> None:
    """Raise ``ImportProblem`` that carries all problems and shows the first of them, if there are any."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ImportProblem(
            f"{problems[0].where}: {problems[0].message}{more}", problems=problems, hint=problems[0].hint
        )


@dataclass
class Cells:
    """The named cells of one data row. Asking for a value that cannot be read notes the problem and gives ``None``."""

    header: Header
    row: Row
    problems: list[Problem]
    bad: set[str] = field(default_factory=set)

    @property
    def number(self) -> int:
        """The row, from 1."""
        return self.row.number

    def raw(self, name: str) -> Any:
        """The cell as it was read."""
        column = self.header.columns.get(name)
        return None if column is None else self.row.at(column)

    def text(self, name: str) -> str:
        """The cell as text; empty if there is none, or if it cannot be read."""
        return "" if self.unreadable(name) else text_of(self.raw(name))

    def unreadable(self, name: str) -> bool:
        """Whether the cell holds an error or a formula without a result; notes that as a problem, once."""
        if name in self.bad:
            return True
        column = self.header.columns.get(name)
        if column is not None and column in self.row.uncached:
            self.problem(
                name, "holds a formula without a stored result", "open the file in Excel or WPS, and save it there"
            )
        elif text_of(self.raw(name)).upper() in _ERROR_VALUES:
            self.problem(name, "holds a formula that ends in an error", "repair the formula, or type the value in")
        return name in self.bad

    def problem(self, name: str | None, message: str, hint: str) -> None:
        """Note what is wrong with a cell, or with the row."""
        self.bad.add(name or "")
        shown = self.raw(name) if name and text_of(self.raw(name)) else None
        self.problems.append(self.header.problem(message, hint, row=self.number, name=name, value=shown))

    def _taken(self, name: str, read: Callable[[Any], T], hint: str) -> T | None:
        if self.unreadable(name) or not text_of(self.raw(name)):
            return None
        try:
            return read(self.raw(name))
        except ValueError as exc:
            self.problem(name, str(exc), hint)
            return None

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number between two limits."""
        hint = f"write a whole number from {low} to {high}"
        return self._taken(name, lambda value: _whole(value, low, high), hint)

    def real(self, name: str, low: float, high: float, hint: str) -> float | None:
        """A number between two limits."""
        return self._taken(name, lambda value: _real(value, low, high), hint)

    def port(self, name: str) -> PonPort | None:
        """A PON port in any vendor's spelling."""
        return self._taken(name, _port, "write frame/slot/port such as 0/1/3, in a column formatted as text")

    def yes(self, name: str) -> bool | None:
        """是 or 否."""
        return self._taken(name, _yes, "write 是 or 否")

    def ratios(self, name: str) -> tuple[int, ...] | None:
        """Split ratios from the OLT on: ``1:8``, ``1:4+1:8``, ``8``."""
        return self._taken(name, _ratios, "write 1:8, or 1:4+1:8 for two stages, in a column formatted as text")


def plain(value: Any) -> str:
    """A cell as text with full-width forms made plain."""
    return unicodedata.normalize("NFKC", text_of(value))


def _whole(value: Any, low: int, high: int) -> int:
    text = re.sub(r"^(\d+)\.0+$", r"\1", plain(value))
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is no whole number")
    if not low <= int(text) <= high:
        raise ValueError(f"is outside {low} to {high}")
    return int(text)


def _real(value: Any, low: float, high: float) -> float:
    text = plain(value)
    if isinstance(value, bool) or not re.fullmatch(r"[+\-\u2212]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", text):
        raise ValueError("is no number")
    number = float(text.replace("\u2212", "-"))
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(f"is outside {low:g} to {high:g}")
    return number


def _port(value: Any) -> PonPort:
    if isinstance(value, (date, datetime, time)):
        raise ValueError("is a date: the spreadsheet has turned the port into one")  # noqa: TRY004 - one error for cells
    try:
        return PonPort.parse(plain(value))
    # a number too large for a port is pydantic's error, which is a ValueError with several lines
    except ValueError:
        raise ValueError("is no PON port") from None


def _yes(value: Any) -> bool:
    text = plain(value).casefold()
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError("is neither yes nor no")


def _ratios(value: Any) -> tuple[int, ...]:
    if isinstance(value, (time, datetime, timedelta)):
        return (_ratio_of_time(value),)
    stages = re.split(r"\s*[+,、×x*]\s*", plain(value).casefold())
    found = []
    for stage in stages:
        match = re.fullmatch(r"(?:1\s*[:/分]\s*)?([0-9]{1,3})", stage)
        if match is None or not 2 <= int(match[1]) <= 256:
            raise ValueError("is no split ratio")
        found.append(int(match[1]))
    return tuple(found)


def _ratio_of_time(value: time | datetime | timedelta) -> int:
    """Undo what a spreadsheet does with ``1:32``: it is kept as the time 01:32, and ``1:64`` as 02:04."""
    minutes: float
    if isinstance(value, timedelta):
        minutes = value.total_seconds() / 60
    else:
        minutes = value.hour * 60 + value.minute + value.second / 60
    if not float(minutes).is_integer() or not 2 <= minutes - 60 <= 256:
        raise ValueError("is a time of day, not a split ratio")
    return int(minutes) - 60


@dataclass
class Table:
    """One sheet with its header; ``rows`` may be gone through once, and fills ``problems`` and ``notes``."""

    header: Header
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def rows(self, *keys: str) -> Iterator[Cells]:
        """Every data row below the header; ``keys`` are the fields that tell a data row from a remark below a table."""
        hidden: list[int] = []
        mapped = set(self.header.columns.values())
        key_columns = {self.header.columns[key] for key in keys if key in self.header.columns}
        for row in self.header.sheet.rows():
            own = row.own
            if row.number <= self.header.row or not own:
                continue
            if not mapped & set(own) or _is_remark(row, own, key_columns):
                if words := " | ".join(text_of(row.at(index)) for index in own if not _counter(row.at(index))):
                    self.notes.append(f"{self._at(row.number)} was passed over: {words[:120]}")
                continue
            if row.hidden:
                hidden.append(row.number)
            yield Cells(self.header, row, self.problems)
        if hidden:
            shown = ", ".join(map(str, hidden[:20])) + (", ..." if len(hidden) > 20 else "")
            self.notes.append(f"{self._at()}{len(hidden)} hidden rows were read: {shown}")

    def _at(self, row: int | None = None) -> str:
        sheet = f"sheet {self.header.sheet.name!r}: " if self.header.sheet.name else ""
        return f"{sheet}row {row}" if row else sheet


def _counter(value: Any) -> bool:
    return bool(re.fullmatch(r"[0-9]*", text_of(value)))


def _is_remark(row: Row, own: list[int], key_columns: set[int]) -> bool:
    """Whether a row below a table speaks about it: it begins like a remark, and no key but that text stands in it."""
    if not _NOTE.match(plain(row.at(own[0]))):
        return False
    return not any(index in key_columns for index in own[1:]) and len(own) <= 3


@dataclass
class Read:
    """The tables of a file, what is wrong before any row is read, and what was not used."""

    tables: list[Table]
    problems: list[Problem]
    notes: list[str]

    def all_notes(self) -> tuple[str, ...]:
        """Everything worth saying, after the rows have been gone through."""
        return (*self.notes, *(note for table in self.tables for note in table.notes))


def read_tables(
    source: str | Path | bytes,
    fields: Mapping[str, tuple[str, ...]],
    column_map: ColumnMap | None,
    *,
    sheet: str | None,
    encoding: str | None,
    least: int,
) -> Read:
    """Open a file and find the header of each sheet; a header names at least ``least`` fields."""
    wanted = check_map(column_map, fields)
    ways = open_sheets(source, encoding=encoding)
    if sheet is not None:
        names = [each.name for each in ways[0]]
        if sheet not in names:
            refuse(f"there is no sheet {sheet!r}", f"the file has: {', '.join(map(str, names))}")
        ways = [[each for each in way if each.name == sheet] for way in ways]
    headers = choose(ways, fields, wanted, least=least)
    if not headers:
        usual = ", ".join(aliases[0] for aliases in list(fields.values())[:6])
        refuse(
            "no header row was found in its first rows",
            f"name the columns (such as {usual}), or give a column map: {next(iter(fields))}='C'",
        )
    notes = []
    problems = [problem for header in headers for problem in header.problems]
    used = {header.sheet.name for header in headers}
    notes += [f"sheet {each.name!r} has no known header and was not read" for each in ways[0] if each.name not in used]
    for header in headers:
        at = f"sheet {header.sheet.name!r}" if header.sheet.name else "the file"
        if header.sheet.hidden:
            notes.append(f"{at} is hidden and was read")
        if header.ignored:
            notes.append(f"{at}: columns not used: {', '.join(header.ignored)}")
    problems += [
        Problem(
            header=str(wanted[name]),
            message=f"the column map gives this column for {name}, and no sheet has it",
            hint="correct the column map: a header's text, a letter such as C, or a number from 1",
        )
        for name in wanted
        if not any(name in header.columns for header in headers)
    ]
    return Read([Table(header) for header in headers], problems, notes)
