"""Rows out of xlsx and CSV files, as a spreadsheet program shows them, whatever wrote the file.

An xlsx sheet is read twice as a stream: once for merged cells, hidden rows and formulas without a stored value (which
openpyxl's streaming reader does not tell), once with openpyxl for the values. Memory holds the file, its shared texts
and about 80 bytes for each row (what openpyxl keeps); opened as a whole, a sheet takes some seven times as much.
"""

from __future__ import annotations

import csv
import io
import posixpath
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree as ET

from ponprobe.errors import ImportProblem, MissingExtra
from ponprobe.models._base import Value

LARGEST_FILE = 64 * 2**20
LARGEST_UNPACKED = 1024 * 2**20
_MOST_COLUMNS = 1024
_SHEET_XML = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL_XML = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_REL_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Problem(Value):
    """One thing that is wrong with a file: where (as a spreadsheet shows it), what, and what to do.

    ``row`` counts from 1, ``column`` is a letter with the text of its ``header``; ``value`` is what stands there.
    """

    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    header: str | None = None
    value: str | None = None
    message: str
    hint: str

    @property
    def where(self) -> str:
        """``sheet 'POS', row 7, column C (PON口)``, as far as it is known."""
        column = self.column and f"column {self.column}" + (f" ({self.header})" if self.header else "")
        parts = (
            f"sheet {self.sheet!r}" if self.sheet else None,
            f"row {self.row}" if self.row else None,
            column or (self.header and f"column {self.header!r}"),
        )
        return ", ".join(part for part in parts if part) or "the file"

    def __str__(self) -> str:
        shown = f" {self.value!r}" if self.value is not None else ""
        return f"{self.where}:{shown} {self.message} - {self.hint}"


def refuse(message: str, hint: str, *, sheet: str | None = None, row: int | None = None) -> NoReturn:
    """Raise ``ImportProblem`` for a file that cannot be read at all."""
    problem = Problem(sheet=sheet, row=row, message=message, hint=hint)
    raise ImportProblem(str(problem), problems=(problem,))


@dataclass
class Row:
    """One row. ``cells`` are the values; ``filled`` the columns (0-based) whose value comes from a merged cell above.

    ``uncached`` are the columns that hold a formula without a stored value.
    """

    number: int
    cells: list[Any]
    hidden: bool = False
    filled: frozenset[int] = frozenset()
    uncached: frozenset[int] = frozenset()

    def at(self, column: int) -> Any:
        """The value in a column; ``None`` beyond the row's end."""
        return self.cells[column] if column < len(self.cells) else None

    @property
    def own(self) -> list[int]:
        """The columns that hold something of this row itself."""
        used = {index for index, value in enumerate(self.cells) if text_of(value)}
        return sorted((used | self.uncached) - self.filled)


@dataclass
class Sheet:
    """One sheet of a file; ``name`` is ``None`` for CSV. ``rows()`` starts again from the top each time."""

    name: str | None
    source: Any = field(repr=False)
    hidden: bool = False

    def rows(self) -> Iterator[Row]:
        """Every row, empty ones as well, in order."""
        yield from self.source(self.name)


def text_of(value: Any) -> str:
    """Give a cell as text, the way it was meant: ``3901.0`` is ``3901``; outer blanks go, inner ones stay."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (datetime, date, time, timedelta)):
        return value.isoformat() if not isinstance(value, timedelta) else str(value)
    return str(value).strip().strip("\ufeff\u200b\u00a0").strip()


def letter(column: int) -> str:
    """``0`` is ``A``, ``26`` is ``AA``."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def column_index(text: str) -> int | None:
    """``A`` is ``0``; ``None`` for what is no column letter."""
    if not (1 <= len(text) <= 3 and text.isascii() and text.isalpha()):
        return None
    index = 0
    for char in text.upper():
        index = index * 26 + ord(char) - ord("A") + 1
    return index - 1


def open_sheets(source: str | Path | bytes, *, encoding: str | None = None) -> list[list[Sheet]]:
    """Open a file: one list of sheets for each way to read it (CSV: one for each delimiter), likeliest first.

    What kind of file it is, its first bytes say, not its name. Raises ``ImportProblem``.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    if len(data) > LARGEST_FILE:
        refuse(f"the file has {len(data)} bytes, more than {LARGEST_FILE}", "split it into several files")
    if not data.strip():
        refuse("the file is empty", "check that the right file was saved")
    if data.startswith(b"PK\x03\x04"):
        return [_xlsx(data)]
    if data.startswith(bytes.fromhex("d0cf11e0a1b11ae1")):
        refuse("this is an old .xls workbook or a password-protected one", "save it as .xlsx without a password")
    text = _decoded(data, encoding)
    return [_csv(text, delimiter) for delimiter in ",;\t"]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as exc:
        raise ImportProblem(
            f"{path} cannot be read: {exc.strerror or exc}", hint="check the path and its rights"
        ) from exc


# --- CSV ------------------------------------------------------------------------------------------------------------


def _decoded(data: bytes, encoding: str | None) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if encoding is None and data.startswith(mark):
            encoding = name
    tried = (encoding,) if encoding else ("utf-8", "gb18030")
    failures = []
    for name in tried:
        text, failure = _as_text(data, name)
        if text is not None:
            if "\0" in text:
                refuse("the file holds NUL characters: it is neither xlsx nor text", "save it as .xlsx or as CSV UTF-8")
            return text.removeprefix("\ufeff")
        failures.append(f"{name} ({failure})")
    refuse(
        f"the text cannot be decoded as {' or '.join(failures)}",
        "name its encoding (encoding=...), or save it as CSV UTF-8",
    )


def _as_text(data: bytes, encoding: str) -> tuple[str | None, str]:
    try:
        return data.decode(encoding), ""
    except LookupError:
        refuse(f"there is no encoding {encoding!r}", "use utf-8, gb18030, gbk, big5 or another name that Python knows")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        return None, f"line {line}: byte 0x{data[exc.start]:02x} at position {exc.start}"


def _csv(text: str, delimiter: str) -> list[Sheet]:
    # Excel's own first line "sep=;" is no row for Excel either
    first, _, rest = text.partition("\n")
    if first.strip().lower() in {"sep=,", "sep=;", "sep=\t", "sep="}:
        text = rest

    def rows(_: str | None) -> Iterator[Row]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                refuse(
                    f"the CSV is broken at line {reader.line_num}: {exc}",
                    "close every quote, and double quotes inside a text",
                    row=number,
                )
            yield Row(number, list(cells[:_MOST_COLUMNS]))

    return [Sheet(None, rows)]


# --- xlsx -----------------------------------------------------------------------------------------------------------


@dataclass
class _Layout:
    """What one pass over a sheet's XML tells: merged ranges by first column, hidden rows, formulas without a value."""

    merges: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # column -> [(first row, last row)]
    hidden: set[int] = field(default_factory=set)
    uncached: dict[int, set[int]] = field(default_factory=dict)  # row -> columns


def _xlsx(data: bytes) -> list[Sheet]:
    try:
        openpyxl: Any = import_module("openpyxl")
    except ImportError as exc:
        raise MissingExtra("reading xlsx (openpyxl)", "workflow") from exc
    try:
        workbook = _Workbook(data, openpyxl)
    except ImportProblem:
        raise
    # a damaged workbook fails anywhere in zipfile, expat or openpyxl, which have no common error
    except Exception as exc:  # noqa: BLE001
        _damaged(exc)
    return [Sheet(name, workbook.rows, hidden=hidden) for name, hidden in workbook.hidden.items()]


class _Workbook:
    def __init__(self, data: bytes, openpyxl: Any) -> None:
        self._data = data
        self._layouts: dict[str, _Layout] = {}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > LARGEST_UNPACKED:
                refuse(f"the workbook unpacks to {unpacked} bytes", "split it into several files")
            self._paths = _sheet_paths(archive)
        # openpyxl warns about what it does not keep (validations, headers); nothing is written here
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        states = {sheet.title: sheet.sheet_state != "visible" for sheet in self._book.worksheets}
        self.hidden = {name: states[name] for name in self._paths if name in states}

    def rows(self, name: str | None) -> Iterator[Row]:
        assert name is not None  # noqa: S101 - every sheet of a workbook has a name
        try:
            if name not in self._layouts:
                with zipfile.ZipFile(io.BytesIO(self._data)) as archive, archive.open(self._paths[name]) as xml:
                    self._layouts[name] = _layout(xml)
            sheet = self._book[name]
            # a writer may state a wrong size, and openpyxl would believe it
            sheet.reset_dimensions()
            values = sheet.iter_rows(values_only=True)
        except Exception as exc:  # noqa: BLE001
            _damaged(exc)
        yield from _filled(values, self._layouts[name])


def _damaged(exc: Exception) -> NoReturn:
    raise ImportProblem(
        f"the workbook cannot be read: {type(exc).__name__}: {exc}", hint="open it in Excel or WPS and save it again"
    ) from exc


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """Find each sheet's XML in the package, by the sheet's name."""
    with archive.open("xl/_rels/workbook.xml.rels") as file:
        targets = {
            each.get("Id"): each.get("Target", "")
            for each in ET.parse(file).iter(f"{_REL_XML}Relationship")  # noqa: S314 - expat 2.4.1 refuses entity bombs
        }
    with archive.open("xl/workbook.xml") as file:
        sheets = list(ET.parse(file).iter(f"{_SHEET_XML}sheet"))  # noqa: S314
    found = {}
    for sheet in sheets:
        target = targets.get(sheet.get(_REL_ID), "")
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        if path in archive.namelist():
            found[sheet.get("name", "")] = path
    return found


def _layout(xml: Any) -> _Layout:
    """Read a sheet's XML as a stream; what has been looked at is thrown away."""
    found, row_number = _Layout(), 0
    sheet_data: Any = None
    for event, element in ET.iterparse(xml, ("start", "end")):  # noqa: S314
        tag = element.tag.removeprefix(_SHEET_XML)
        if event == "start":
            if tag == "row":
                row_number = int(element.get("r") or row_number + 1)
                if element.get("hidden") in {"1", "true"}:
                    found.hidden.add(row_number)
            elif tag == "sheetData":
                sheet_data = element
        elif tag == "c":
            if (place := _place(element.get("r", ""))) and _without_value(element):
                found.uncached.setdefault(place[0], set()).add(place[1])
        elif tag == "row" and sheet_data is not None:
            sheet_data.clear()
        elif tag == "mergeCell":
            _note_merge(element.get("ref", ""), found.merges)
    for ranges in found.merges.values():
        ranges.sort()
    return found


def _without_value(cell: Any) -> bool:
    """Whether a cell has a formula, and the program that wrote the file did not work it out."""
    if cell.find(f"{_SHEET_XML}f") is None or cell.find(f"{_SHEET_XML}is") is not None:
        return False
    value = cell.find(f"{_SHEET_XML}v")
    # an empty text is a result, too: t="str" with an empty <v/>
    return value is None or (not value.text and cell.get("t") != "str")


def _note_merge(reference: str, merges: dict[int, list[tuple[int, int]]]) -> None:
    first, _, last = reference.partition(":")
    start, end = _place(first), _place(last)
    if start and end and end[0] > start[0]:
        merges.setdefault(start[1], []).append((start[0], end[0]))


def _place(reference: str) -> tuple[int, int] | None:
    """``C7`` is ``(7, 2)``."""
    letters = reference.rstrip("0123456789")
    column, digits = column_index(letters), reference[len(letters) :]
    return (int(digits), column) if column is not None and digits else None


def _filled(values: Iterator[tuple[Any, ...]], layout: _Layout) -> Iterator[Row]:
    """Rows with merged cells filled down from the cell that holds the value; never across."""
    waiting = {column: iter(ranges) for column, ranges in layout.merges.items()}
    current = {column: next(ranges) for column, ranges in waiting.items()}
    anchors: dict[int, Any] = {}
    number = 0
    while (cells := _next_row(values)) is not None:
        number += 1
        filled = set()
        for column, (first, last) in list(current.items()):
            if number < first:
                continue
            if number == first:
                anchors[column] = cells[column] if column < len(cells) else None
            else:
                # what stands below a merged cell is shown by no program, whatever some of them keep there
                cells += [None] * (column + 1 - len(cells))
                cells[column] = anchors[column]
                filled.add(column)
            if number >= last:
                following = next(waiting[column], None)
                if following is None:
                    del current[column]
                else:
                    current[column] = following
        uncached = frozenset(layout.uncached.get(number, ()))
        yield Row(number, cells, number in layout.hidden, frozenset(filled), uncached)


def _next_row(values: Iterator[tuple[Any, ...]]) -> list[Any] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = next(values, None)
    # openpyxl parses as it goes: damage in the middle of a sheet shows here
    except Exception as exc:  # noqa: BLE001
        _damaged(exc)
    return None if found is None else list(found[:_MOST_COLUMNS])
