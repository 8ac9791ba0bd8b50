"""VLAN ranges as people write them in cells, and sheets of test CVLAN ranges."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import model_validator

from ponprobe.errors import ImportProblem
from ponprobe.models._base import Value
from ponprobe.models.addressing import PonPort
from ponprobe.models.service import Vlan
from ponprobe.workflow.cells import Table, read_tables, refuse_all
from ponprobe.workflow.columns import CVLAN_RANGES, ColumnMap
from ponprobe.workflow.sheets import Problem, text_of

_DASHES = re.compile(r"\s*(?:[-\u2010-\u2015\u2212\u301c~]+|至|到|\.\.+|\bto\b)\s*", re.IGNORECASE)
_COMMAS = re.compile(r"\s*[,;/、\n]+\s*")
_HINT = "write a range such as 3901-3999 or a list such as 3901,3905-3910, with values from 1 to 4094"


class VlanRange(Value):
    """VLANs from ``first`` to ``last``, both included, within 1 to 4094 (IEEE 802.1Q)."""

    first: Vlan
    last: Vlan

    @model_validator(mode="after")
    def _forwards(self) -> VlanRange:
        if self.last < self.first:
            raise ValueError(f"the range {self.first}-{self.last} runs backwards")
        return self

    @property
    def numbers(self) -> range:
        """The VLANs, in order."""
        return range(self.first, self.last + 1)

    @property
    def size(self) -> int:
        """How many VLANs there are."""
        return self.last - self.first + 1

    def overlaps(self, other: VlanRange) -> bool:
        """Whether both have a VLAN in common."""
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.last != self.first else str(self.first)


def parse_vlan_range(value: object) -> tuple[VlanRange, ...]:
    """Read a cell: ``3901-3999``, ``3901,3905~3910``, ``3901至3999``, ``3901.0``, full-width digits, in any mixture.

    Tolerant of spelling and strict on meaning: raises ``ValueError`` for what is empty, no number, backwards, outside
    1 to 4094, or named twice.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"{value} is no VLAN")
    text = unicodedata.normalize("NFKC", text_of(value))
    # a number that was written as text with decimals by another program
    text = re.sub(r"(?<![.\d])(\d+)\.0+(?![.\d])", r"\1", text)
    parts = [part for part in _COMMAS.split(text) if part]
    if not parts:
        raise ValueError("no VLAN is named")
    ranges = tuple(_one(part) for part in parts)
    for first, second in zip(ordered := sorted(ranges, key=lambda each: each.first), ordered[1:], strict=False):
        if first.overlaps(second):
            raise ValueError(f"{first} and {second} overlap")
    return ranges


def _one(part: str) -> VlanRange:
    ends = _DASHES.split(part.strip())
    if not 1 <= len(ends) <= 2 or not all(re.fullmatch(r"[0-9]{1,9}", end) for end in ends):
        raise ValueError(f"{part.strip()!r} is neither a VLAN nor a range of VLANs")
    first, last = int(ends[0]), int(ends[-1])
    for number in (first, last):
        if not 1 <= number <= 4094:
            raise ValueError(f"VLAN {number} does not exist: VLANs are 1 to 4094")
    if last < first:
        raise ValueError(f"the range {first}-{last} runs backwards")
    return VlanRange(first=first, last=last)


class CvlanRange(Value):
    """One test CVLAN range of a sheet and what it is for: ``None`` is any OLT, any port, any SVLAN.

    ``olt`` is the OLT's name or management IP as the sheet has it. ``sheet`` and ``row`` say where it stands.
    """

    vlans: VlanRange
    olt: str | None = None
    port: PonPort | None = None
    svlan: Vlan | None = None
    note: str | None = None
    sheet: str | None = None
    row: int

    @property
    def scope(self) -> tuple[str | None, str | None, int | None]:
        """What the range is for."""
        return self.olt, None if self.port is None else str(self.port), self.svlan


class ImportedRanges(Value):
    """The ranges of a file. What has a problem is not among ``ranges``; ``notes`` say what was passed over."""

    ranges: tuple[CvlanRange, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the file."""
        return not self.problems

    def checked(self) -> ImportedRanges:
        """Give itself if nothing is wrong; else raise ``ImportProblem`` with every problem."""
        refuse_all(self.problems)
        return self


def read_cvlan_ranges(
    source: str | Path | bytes,
    *,
    column_map: ColumnMap | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
) -> ImportedRanges:
    """Read test CVLAN ranges from xlsx or CSV: a range column, or first and last; OLT, port and SVLAN if present.

    Fields for ``column_map``: ``cvlans``, ``first``, ``last``, ``olt``, ``olt_host``, ``port``, ``svlan``, ``note``.
    Every problem is named with its cell, all at once; a file that cannot be read at all raises ``ImportProblem``.
    """
    read = read_tables(source, CVLAN_RANGES, column_map, sheet=sheet, encoding=encoding, least=1)
    tables = [table for table in read.tables if {"cvlans", "first"} & set(table.header.columns)]
    if not tables:
        raise ImportProblem(
            "no sheet has a column of CVLAN ranges",
            hint="head a column CVLAN范围, or two 起始CVLAN and 结束CVLAN, or give a column map: cvlans='C'",
        )
    ranges: list[CvlanRange] = []
    problems: list[Problem] = list(read.problems)
    for table in tables:
        ranges += _rows(table)
        problems += table.problems
    kept, clashes = _without_overlap(ranges)
    return ImportedRanges(ranges=tuple(kept), problems=(*problems, *clashes), notes=read.all_notes())


def _rows(table: Table) -> Iterator[CvlanRange]:
    for row in table.rows("cvlans", "first", "last"):
        scope: dict[str, Any] = {
            "olt": row.text("olt") or row.text("olt_host") or None,
            "port": row.port("port"),
            "svlan": row.whole("svlan", 1, 4094),
            "note": row.text("note") or None,
        }
        found = _ranges_of(row)
        if row.bad:
            continue
        for each in found:
            yield CvlanRange(vlans=each, sheet=table.header.sheet.name, row=row.number, **scope)


def _ranges_of(row: Any) -> tuple[VlanRange, ...]:
    name, value = "cvlans", row.raw("cvlans")
    if not text_of(value) and (row.text("first") or row.text("last")):
        first, last = row.text("first"), row.text("last")
        if not first or not last:
            row.problem("first" if not first else "last", "the other end of the range is missing", _HINT)
            return ()
        # both through the same grammar, so that 3901.0 and full-width digits are read here as well
        name, value = "first", f"{first}-{last}"
    if row.unreadable(name):
        return ()
    try:
        return parse_vlan_range(value)
    except ValueError as exc:
        row.problem(name, str(exc), _HINT)
        return ()


def _without_overlap(ranges: Sequence[CvlanRange]) -> tuple[list[CvlanRange], list[Problem]]:
    """Leave out what overlaps an earlier range that may be for the same lines.

    Scopes meet if they agree wherever both name something. Ranges are grouped by which parts of a scope they name, and
    each pair of groups by the parts that both name, so that many OLTs with the same range cost no more than few.
    """
    held: dict[tuple[int, int], dict[tuple[object, ...], dict[int, CvlanRange]]] = {}
    kept: list[CvlanRange] = []
    problems: list[Problem] = []
    patterns = {_pattern(each) for each in ranges}
    for each in ranges:
        mine = _pattern(each)
        other = _holder(each, mine, patterns, held)
        if other is not None:
            problems.append(
                Problem(
                    sheet=each.sheet,
                    row=each.row,
                    value=str(each.vlans),
                    message=f"overlaps {other.vlans} in row {other.row}, which is for the same lines",
                    hint="give every VLAN to one range, or name different OLTs, ports or SVLANs",
                )
            )
            continue
        kept.append(each)
        for theirs in patterns:
            key = tuple(value for bit, value in enumerate(each.scope) if mine & theirs & 1 << bit)
            taken = held.setdefault((mine, theirs), {}).setdefault(key, {})
            taken.update(dict.fromkeys(each.vlans.numbers, each))
    return kept, problems


def _pattern(each: CvlanRange) -> int:
    return sum(1 << bit for bit, value in enumerate(each.scope) if value is not None)


def _holder(
    each: CvlanRange,
    mine: int,
    patterns: Iterable[int],
    held: dict[tuple[int, int], dict[tuple[object, ...], dict[int, CvlanRange]]],
) -> CvlanRange | None:
    for theirs in patterns:
        key = tuple(value for bit, value in enumerate(each.scope) if mine & theirs & 1 << bit)
        taken = held.get((theirs, mine), {}).get(key, {})
        for number in each.vlans.numbers:
            if number in taken:
                return taken[number]
    return None
