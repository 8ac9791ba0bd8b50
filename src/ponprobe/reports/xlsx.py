"""The primary form of a report: one xlsx workbook, written row by row (openpyxl's write-only mode, our own rows)."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ponprobe.errors import MissingExtra
from ponprobe.reports import summary
from ponprobe.reports.columns import tidy
from ponprobe.reports.facts import ReportData
from ponprobe.reports.layout import LINE_PT, height_pt, lines_of
from ponprobe.reports.plain import Target, opened
from ponprobe.reports.tables import SIBLINGS, TABLES, Cell, Column, Row, Table, Tone, cells, sibling_rows, tone
from ponprobe.reports.words import Lang, Two, words_of

if TYPE_CHECKING:
    from typing_extensions import Self

SUMMARY = Two("汇总", "Summary")
_FORMATS = {"number": "0.00##", "time": "yyyy-mm-dd hh:mm:ss", "integer": "0", "text": "@"}
"""At least two decimals, and all four that a device gives: -20.004 must not look like -20."""
_FILLS: dict[Tone, str] = {"pass": "C6EFCE", "marginal": "FFEB9C", "fail": "FFC7CE"}
_FONTS: dict[Tone, str] = {"pass": "006100", "marginal": "7F6000", "fail": "9C0006"}
_HEADER_FILL, _HEADER_FONT, _SPEC_FILL, _SECTION_FILL = "44546A", "FFFFFF", "1F4E79", "D9E1F2"
_A3, _A4 = 8, 9
_SET_IN = 2
"""Characters of a column that a text cannot use."""
_SUMMARY_WIDTHS = (30, 46, 66)
_TITLE_PT, _SIGN_PT = 26.0, 36.0
_PAGE_WIDTH = 340
"""Characters side by side on an A3 page that are still read easily in print."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The one time of every file in a package: the same facts are to give the same bytes."""
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_END_OF_ROWS = b"</sheetData>"
_CHUNK, _IN_MEMORY = 2**20, 4 * 2**20


def write_xlsx(data: ReportData, target: Target, *, lang: Lang = "zh") -> None:
    """Write the report as an xlsx workbook; memory does not grow with the number of splitters.

    Sheets: 汇总, 挂测结果, 历史, 证据, 预期光衰, 同PON比较. The same data give the same bytes. Raises ``MissingExtra``
    without openpyxl, ``ConfigError`` if the target cannot be written, ``ValueError`` for another language.
    """
    words_of(lang)
    with opened(target) as file, _Book(data, lang) as book:
        first = book.first_sheet()
        sheets = {table.name: book.table(table) for table in TABLES}
        points = summary.OpenPoints(lang)
        for each in cells(data, lang):
            points.add(each)
            for name, put in sheets.items():
                for row in each.of(name):
                    put(row)
        for row in sibling_rows(data, lang):
            sheets[SIBLINGS.name](row)
        book.summary(first, points)
        book.save(file)


class _Book:
    """A write-only workbook whose cells are typed by us: text never becomes a formula, an error or a number."""

    def __init__(self, data: ReportData, lang: Lang) -> None:
        try:
            self._openpyxl: Any = import_module("openpyxl")
        except ImportError as exc:
            raise MissingExtra("an xlsx report", "reports") from exc
        self._styles: Any = import_module("openpyxl.styles")
        self._cell: Any = import_module("openpyxl.cell").WriteOnlyCell
        self._letter: Callable[[int], str] = import_module("openpyxl.utils").get_column_letter
        self._data, self._lang = data, lang
        self._rows: dict[Any, _Rows] = {}
        """The rows of each table's sheet."""
        self._book: Any = self._openpyxl.Workbook(write_only=True)
        about = self._book.properties
        about.creator, about.title = f"ponprobe {data.tool_version}", text(str(tidy(data.project.name)))
        about.created = about.modified = data.generated_at.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for rows in self._rows.values():
            rows.file.close()
        # openpyxl keeps a file for each sheet, and forgets them if the workbook is never saved
        for sheet in self._book.worksheets if kind is not None else ():
            if not sheet.closed:
                sheet.close()
                sheet._writer.cleanup()  # noqa: SLF001

    # ------------------------------------------------------------------ sheets

    def first_sheet(self) -> Any:
        """The sheet that stands first and is filled last: every splitter is looked at once only."""
        return self._book.create_sheet(SUMMARY.of(self._lang))

    def summary(self, sheet: Any, points: summary.OpenPoints) -> None:
        """What was measured, against what, by whom, when, and what is left to do."""
        for letter, width in zip("ABC", _SUMMARY_WIDTHS, strict=True):
            sheet.column_dimensions[letter].width = width
        self._page(sheet, paper=_A4, pages_wide=1)
        styles = self._styles
        bold, title = styles.Font(bold=True), styles.Font(bold=True, size=16)
        shade = styles.PatternFill("solid", fgColor=_SECTION_FILL)
        aligned = styles.Alignment(wrap_text=True, vertical="top", horizontal="left")
        for number, line in enumerate(summary.lines(self._data, self._lang, points), 1):
            made = []
            for place, value in enumerate(line.cells):
                cell = self._made(sheet, value)
                if cell is not None:
                    if line.style != "row" or place == 0:
                        cell.font = title if line.style == "title" else bold
                    if place == 1 and line.verdict and tone(value) in _FILLS:
                        self._coloured(cell, tone(value))
                    if line.style == "section":
                        cell.fill = shade
                    cell.alignment = aligned if line.style != "title" else styles.Alignment(vertical="center")
                made.append(cell)
            texts = zip(line.cells, _SUMMARY_WIDTHS, strict=False)
            lines = max((lines_of(each, width) for each, width in texts if isinstance(each, str)), default=1)
            height = {"title": _TITLE_PT, "sign": _SIGN_PT}.get(line.style) or height_pt(lines)
            if height is not None:
                sheet.row_dimensions[number].height = height
            sheet.append(made)

    def table(self, table: Table) -> Callable[[Row], None]:
        """A sheet of one table with its header; the answer takes its rows."""
        sheet: Any = self._book.create_sheet(table.title.of(self._lang))
        for place, column in enumerate(table.columns, 1):
            sheet.column_dimensions[self._letter(place)].width = column.width
        # the splitter stays in sight while one looks at the numbers, and on every printed page
        names = table.keys.index("splitter") + 1
        sheet.freeze_panes = f"{self._letter(names + 1)}2"
        repeated = sum(column.width for column in table.columns[:names])
        others = sum(column.width for column in table.columns[names:])
        self._page(sheet, paper=_A3, pages_wide=math.ceil(others / (_PAGE_WIDTH - repeated)))
        sheet.print_title_rows, sheet.print_title_cols = "1:1", f"A:{self._letter(names)}"
        headers = table.headers(self._data, self._lang)
        # bold letters are wider, and a filter's button takes room as well
        lines = max(lines_of(each, column.width - _SET_IN) for each, column in zip(headers, table.columns, strict=True))
        sheet.row_dimensions[1].height = height_pt(lines) or LINE_PT
        sheet.append([self._header(sheet, each, column) for each, column in zip(headers, table.columns, strict=True)])
        return self._rows_of(sheet, table).put

    def _rows_of(self, sheet: Any, table: Table) -> _Rows:
        """Where the rows of a table go; the cells that carry a style lend it theirs."""
        styles: dict[str, int] = {}
        for kind in ("text", "integer", "number", "time"):
            cell = self._cell(sheet)
            cell.alignment = self._aligned() if kind == "text" else self._styles.Alignment(vertical="top")
            if kind in {"number", "time"}:
                cell.number_format = _FORMATS[kind]
            styles[kind] = cell.style_id
        for each in _FILLS:
            cell = self._coloured(self._cell(sheet), each)
            cell.alignment = self._aligned()
            styles[each] = cell.style_id
        letters = [self._letter(place) for place in range(1, len(table.columns) + 1)]
        rows = self._rows[sheet] = _Rows(
            table.columns, letters, styles, import_module("openpyxl.utils.datetime").to_excel
        )
        return rows

    def _page(self, sheet: Any, *, paper: int, pages_wide: int) -> None:
        """Landscape, as many pages side by side as keep it readable, and on each page which one it is."""
        page = sheet.page_setup
        page.orientation, page.paperSize = "landscape", paper
        page.fitToWidth, page.fitToHeight, page.pageOrder = pages_wide, 0, "overThenDown"
        sheet.sheet_properties.pageSetUpPr = import_module("openpyxl.worksheet.properties").PageSetupProperties(
            fitToPage=True
        )
        margins = sheet.page_margins
        margins.left = margins.right = 0.4
        margins.top, margins.bottom, margins.header, margins.footer = 0.5, 0.6, 0.3, 0.3
        sheet.print_options.gridLines = True
        sheet.oddFooter.left.text = self._data.report_id.replace("&", "&&")
        sheet.oddFooter.center.text = "&P / &N"
        sheet.oddFooter.right.text = "&A"

    # ------------------------------------------------------------------ cells

    def _aligned(self) -> Any:
        """Text is set in by one character: a number may stand right before it."""
        return self._styles.Alignment(wrap_text=True, vertical="top", horizontal="left", indent=1)

    def _made(self, sheet: Any, value: Cell) -> Any:
        if value is None:
            return None
        cell = self._cell(sheet)
        if isinstance(value, str):
            return _filled(cell, text(value))
        cell.value = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        if isinstance(value, datetime):
            cell.number_format = _FORMATS["time"]
        return cell

    def _header(self, sheet: Any, header: str, column: Column) -> Any:
        cell = _filled(self._cell(sheet), text(header))
        cell.font = self._styles.Font(bold=True, color=_HEADER_FONT)
        cell.fill = self._styles.PatternFill("solid", fgColor=_SPEC_FILL if column.spec else _HEADER_FILL)
        cell.alignment = self._styles.Alignment(wrap_text=True, vertical="center", horizontal="center")
        return cell

    def _coloured(self, cell: Any, which: Tone) -> Any:
        cell.fill = self._styles.PatternFill("solid", fgColor=_FILLS[which])
        cell.font = self._styles.Font(color=_FONTS[which], bold=which == "fail")
        return cell

    # ------------------------------------------------------------------ bytes

    def save(self, file: Any) -> None:
        """Write the workbook without the present time anywhere in it."""
        archive = _Archive(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        for number, sheet in enumerate(self._book.worksheets, 1):
            rows = self._rows.get(sheet)
            if rows is not None:
                sheet.auto_filter.ref = f"A1:{rows.letters[-1]}{rows.count}"
                archive.rows[f"xl/worksheets/sheet{number}.xml"] = rows
        writer: Any = import_module("openpyxl.writer.excel").ExcelWriter
        writer(self._book, archive).save()
        if archive.rows:
            raise AssertionError(f"openpyxl did not write {', '.join(archive.rows)}: its format has changed")


class _Rows:
    """The rows of one sheet as XML in a file of their own, which takes their place in the workbook at the end.

    openpyxl spends most of its time on one element object for each cell; a string does as well, and leaves no doubt
    about what is text: it is written as text and can be nothing else.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        letters: Sequence[str],
        styles: Mapping[str, int],
        serial_of: Callable[[datetime], float],
    ) -> None:
        self.letters, self.count = letters, 1
        self._columns = [
            (letter, each.kind, each.verdict, each.width) for letter, each in zip(letters, columns, strict=True)
        ]
        self._styles, self._serial_of = styles, serial_of
        self.file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it has been copied

    def put(self, row: Row) -> None:
        """Add a row, as high as its longest text needs."""
        self.count += 1
        made, lines = [], 1
        for (letter, kind, verdict, width), value in zip(self._columns, row, strict=True):
            if value is None:
                continue
            if isinstance(value, str):
                lines = max(lines, lines_of(value, width - _SET_IN))
            made.append(self._xml(f"{letter}{self.count}", kind, value, verdict=verdict))
        height = height_pt(lines)
        high = "" if height is None else f' ht="{height:g}" customHeight="1"'
        self.file.write(f'<row r="{self.count}"{high}>{"".join(made)}</row>'.encode())

    def _xml(self, place: str, kind: str, value: Cell, *, verdict: bool) -> str:
        if isinstance(value, str):
            style = self._styles["text"]
            if verdict:
                style = self._styles.get(tone(value), style)
            return (
                f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text(value))}</t></is>'
                "</c>"
            )
        if isinstance(value, datetime):
            # Excel knows no zones: the header names the one that this time is in
            return (
                f'<c r="{place}" s="{self._styles["time"]}"><v>{self._serial_of(value.replace(tzinfo=None))!r}</v></c>'
            )
        return f'<c r="{place}" s="{self._styles[kind]}"><v>{value!r}</v></c>'


class _Archive(zipfile.ZipFile):
    """A zip file whose entries all have one time, and whose sheets get their rows."""

    rows: dict[str, _Rows]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.rows = {}

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        super().writestr(timeless(str(zinfo_or_arcname)), data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        with self.open(timeless(str(arcname)), "w", force_zip64=True) as entry:
            rows = self.rows.pop(str(arcname), None)
            if rows is None:
                with Path(filename).open("rb") as source:
                    shutil.copyfileobj(source, entry, _CHUNK)
                return
            # the sheet so far is its header and settings, a few kilobytes
            before, end, after = Path(filename).read_bytes().rpartition(_END_OF_ROWS)
            if not end:
                raise AssertionError(f"openpyxl wrote {arcname} without rows: its format has changed")
            entry.write(before)
            rows.file.seek(0)
            shutil.copyfileobj(rows.file, entry, _CHUNK)
            entry.write(end + after)


def timeless(name: str, *, stored: bool = False) -> zipfile.ZipInfo:
    """A zip entry that depends on nothing but its name: time, rights and system are fixed."""
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry


def text(value: str) -> str:
    """Text for a cell: ``_x0041_`` would be read as ``A``, so its first underscore is written as one."""
    return _ESCAPE.sub("_x005F_", value) if "_x" in value else value


def _filled(cell: Any, value: str) -> Any:
    """Put text into a cell and say that it is text, whatever it looks like."""
    cell.value = value
    cell.data_type = "s"
    return cell
