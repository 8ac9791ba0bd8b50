"""The same cells in every format: xlsx as openpyxl reads it, HTML as a parser does, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from report_samples import HOSTILE, ODD

from ponprobe.reports import TABLES, ReportData, cells, rows, write_csv, write_html, write_json, write_xlsx
from ponprobe.reports.details import HISTORY
from ponprobe.reports.plain import csv_untext
from ponprobe.reports.results import RESULTS

LANGS = ("zh", "en")


@pytest.fixture(params=["everything", "hostile"])
def data(request: pytest.FixtureRequest) -> ReportData:
    found: ReportData = request.getfixturevalue(request.param)
    return found


def expected(data: ReportData, table: Any, lang: Any) -> list[list[Any]]:
    return [[_naive(cell) for cell in row] for row in rows(data, table, lang)]


def _naive(cell: Any) -> Any:
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


def written(write: Any, data: ReportData, **more: Any) -> bytes:
    target = io.BytesIO()
    write(data, target, **more)
    return target.getvalue()


def typed(text: str, kind: str) -> Any:
    """A text of CSV or HTML as the cell that it stands for."""
    if not text:
        return None
    if kind == "time":
        return datetime.fromisoformat(text)
    return {"number": float, "integer": int}.get(kind, str)(text)


class Cards(HTMLParser):
    """The ``data-k`` cells of each splitter's section, and the rows of its history."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.cards: list[dict[str, str]] = []
        self.history: list[list[dict[str, str]]] = []
        self._key: str | None = None
        self._hidden = self._table = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        if tag == "section":
            self.cards.append({})
            self.history.append([])
        if tag == "table":
            self._table = found.get("class") == "history"
        if tag == "tr" and self._table:
            self.history[-1].append({})
        if "data-k" in found and self.cards and (tag == "dd" or self._table):
            self._key = found["data-k"]
            self._place()[self._key] = ""
        self._hidden += found.get("aria-hidden") == "true"

    def _place(self) -> dict[str, str]:
        return self.history[-1][-1] if self._table else self.cards[-1]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"dd", "td"}:
            self._key = None
        if tag == "table":
            self._table = 0
        if tag == "span" and self._hidden:
            self._hidden = 0

    def handle_data(self, data: str) -> None:
        if self._key is not None and not self._hidden:
            self._place()[self._key] += data


@pytest.mark.parametrize("lang", LANGS)
def test_all_formats_have_the_same_cells(data: ReportData, lang: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(write_xlsx, data, lang=lang)))
    in_json = json.loads(written(write_json, data, lang=lang))
    for table in TABLES:
        wanted = expected(data, table, lang)
        headers = list(table.headers(data, lang))
        assert wanted
        assert len(set(headers)) == len(headers)
        sheet = [
            [unescape(cell) if isinstance(cell, str) else cell for cell in row]
            for row in book[table.title.of(lang)].values
        ]
        assert sheet[0] == headers
        assert sheet[1:] == wanted, table.name
        found = in_json["tables"][table.name]
        assert [each["header"] for each in found["columns"]] == headers
        assert [list(row.values()) for row in found["rows"]] == [
            [cell.isoformat() if isinstance(cell, datetime) else cell for cell in row]
            for row in rows(data, table, lang)
        ]
        text = written(write_csv, data, table=table, lang=lang).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline="")))
        assert [csv_untext(each) for each in lines[0]] == headers
        kinds = [column.kind for column in table.columns]
        read = [
            [typed(csv_untext(cell) if kind == "text" else cell, kind) for cell, kind in zip(line, kinds, strict=True)]
            for line in lines[1:]
        ]
        assert read == [[_ten_digits(cell) for cell in row] for row in wanted], table.name


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_has_the_same_cells(data: ReportData, lang: Any) -> None:
    page = Cards()
    page.feed(written(write_html, data, lang=lang).decode())
    wanted = expected(data, RESULTS, lang)
    assert len(page.cards) == len(wanted)
    for card, row in zip(page.cards, wanted, strict=True):
        for column, cell in zip(RESULTS.columns, row, strict=True):
            assert typed(card.get(column.key, ""), column.kind) == _ten_digits(cell), column.key
    kinds = {column.key: column.kind for column in HISTORY.columns}
    told = 0
    for lines, each in zip(page.history, cells(data, lang), strict=True):
        # a splitter with a single test has no history of its own on the page
        history = each.history if len(each.history) > 1 else []
        for line, row in zip(lines[1:], history, strict=True):
            wanted_cells = dict(zip(HISTORY.keys, map(_naive, row), strict=True))
            assert {key: typed(text, kinds[key]) for key, text in line.items()} == {
                key: wanted_cells[key] for key in line
            }
            told += 1
    assert told > 4


def _ten_digits(cell: Any) -> Any:
    return float(format(cell, ".10g")) if isinstance(cell, float) else cell


def test_hostile_names_come_through_unharmed(hostile: ReportData) -> None:
    names = [row[RESULTS.keys.index("splitter")] for row in rows(hostile, RESULTS)]
    assert {name for name in names if name in HOSTILE.values()} == {
        text for key, text in HOSTILE.items() if key not in ODD
    }
    assert "bell\N{REPLACEMENT CHARACTER}" in names
    facts = json.loads(written(write_json, hostile))["facts"]["lines"]
    assert [each["splitter"]["name"] for each in facts] == list(HOSTILE.values())


def test_missing_readings_are_empty_and_have_a_reason(everything: ReportData) -> None:
    by_name = {row["splitter"]: row for row in json.loads(written(write_json, everything))["tables"]["results"]["rows"]}
    dark = by_name["FDT-02"]
    assert dark["onu_rx_dbm"] is dark["downstream_attenuation_db"] is dark["result"] is dark["total_passed"] is None
    assert dark["line_passed"] is None
    assert "ONU接收光功率：未收到光" in dark["why_empty"]
    assert dark["olt_tx_dbm"] == 3.44
    assert by_name["FAT-01-7"]["upstream_attenuation_db"] is None
    assert by_name["FAT-01-7"]["result"] == "达标"


def test_the_report_goes_to_json_and_back(data: ReportData) -> None:
    again = ReportData.model_validate_json(data.model_dump_json())
    assert again == data
    assert again.digest == data.digest
    facts = json.loads(written(write_json, data))["facts"]
    assert ReportData.model_validate_json(json.dumps(facts)) == data


def _numbers(rows: Iterator[list[Any]]) -> list[float]:
    return [cell for row in rows for cell in row if isinstance(cell, float)]


def test_languages_change_words_and_no_number(data: ReportData) -> None:
    for table in TABLES:
        assert _numbers(rows(data, table, "zh")) == _numbers(rows(data, table, "en"))
