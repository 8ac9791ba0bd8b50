"""The workbook as an inspector opens it: order, types, units, colours, and the same bytes each time."""

from __future__ import annotations

import csv
import io
import math
import shutil
import subprocess
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import column_index_from_string
from report_samples import project_of, reported, splitter_named

from ponprobe.errors import ConfigError, MissingExtra
from ponprobe.reports import TABLES, ReportData, rows, write_xlsx
from ponprobe.reports.layout import height_pt, lines_of

SHEETS = ["汇总", "挂测结果", "历史", "证据", "预期光衰", "同PON比较"]
SPECIFICATION = [
    "OLT设备管理IP", "OLT PON口名称", "分光器设备名称", "分光器端口号", "ONU设备名称", "ONU端口SVLAN", "ONU端口CVLAN",
    "PASSWORD", "激活状态", "端口挂测状态",
    "测试结果", "分光器名称、端口号", "上网账号", "下行光衰(dB)", "上行光衰(dB)", "OLT接收光功率(dBm)",
    "OLT发送光功率(dBm)", "ONU接收光功率(dBm)", "ONU发送光功率(dBm)", "OLT_IP地址", "OLT PON口",
    "照片(测试位置、结果)", "业务通断测试是否达标", "线路质量是否达标", "总体测试结果是否达标", "是否进行工程挂测",
]  # fmt: skip
RED, YELLOW, GREEN = "00FFC7CE", "00FFEB9C", "00C6EFCE"


def book_of(data: ReportData, **more: Any) -> Any:
    target = io.BytesIO()
    write_xlsx(data, target, **more)
    return openpyxl.load_workbook(target)


def test_the_specification_comes_first_in_its_words_and_order(everything: ReportData) -> None:
    book = book_of(everything)
    assert book.sheetnames == SHEETS
    assert [cell.value for cell in book["挂测结果"][1]][: len(SPECIFICATION)] == SPECIFICATION


def test_every_table_has_a_frozen_header_and_a_filter(everything: ReportData) -> None:
    book = book_of(everything)
    for name in SHEETS[1:]:
        sheet = book[name]
        assert sheet.freeze_panes.endswith("2")
        assert sheet.auto_filter.ref == sheet.dimensions
        assert not sheet.merged_cells.ranges


@pytest.mark.parametrize("which", ["everything", "hostile"])
def test_no_text_is_a_formula_and_no_number_is_text(request: pytest.FixtureRequest, which: str) -> None:
    book = book_of(request.getfixturevalue(which))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n", "d"}, cell.value
                assert not (cell.data_type == "s" and not isinstance(cell.value, str))
    for cell in book["挂测结果"]["R"][1:]:  # ONU Rx
        assert cell.value is None or (isinstance(cell.value, (int, float)) and cell.number_format == "0.00##")


def test_times_are_local_and_the_header_names_the_zone(everything: ReportData) -> None:
    sheet = book_of(everything)["挂测结果"]
    at = [cell.value for cell in sheet[1]].index("测试时间 (Asia/Shanghai)")
    assert sheet[2][at].value == datetime.fromisoformat("2016-08-01 10:00:00")
    assert sheet[2][at].is_date


def test_colour_follows_the_word(everything: ReportData) -> None:
    seen = set()
    sheet = book_of(everything)["挂测结果"]
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            colour = cell.fill.fgColor.rgb if cell.fill.fill_type else None
            wanted = {"达标": GREEN, "不达标": RED, "临界达标": YELLOW, "临界不达标": YELLOW}.get(cell.value)
            if wanted:
                assert colour == wanted
                seen.add(cell.value)
    assert seen == {"达标", "不达标", "临界达标", "临界不达标"}


def test_the_first_sheet_answers_a_stranger(everything: ReportData) -> None:
    said = "\n".join(str(cell) for row in book_of(everything)["汇总"].values for cell in row if cell is not None)
    for word in (
        '"-20DB"', "ONU接收光功率 ≥ -20.00 dBm", "单位dBm", "设备是否已清理",
            "测试人\n验收乙（验收人员）", "2016-07-30 10:00 – 2016-08-01 10:05",
        "1 个测试ONU仍在或可能仍在OLT上",
        "Asia/Shanghai", "6/9", "签字", "资源管理员", "未设门限，不作判定", "FAT-01-2（ma5683t 0/1/0）",
        "退回 (现场整改)",
    ):  # fmt: skip
        assert word in said, word


def test_a_project_without_results_has_a_report(everything: ReportData) -> None:
    empty = book_of(project_of([]))
    assert empty["挂测结果"].max_row == 1
    untested = book_of(project_of([reported(splitter_named("x"))]))
    assert untested["挂测结果"]["C2"].value == "x"
    assert untested["挂测结果"]["K2"].value is None


def widths_of(sheet: Any) -> dict[str, float]:
    return {letter: each.width for letter, each in sheet.column_dimensions.items()}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("which", ["everything", "hostile"])
def test_no_text_is_cut_by_its_cell(request: pytest.FixtureRequest, which: str, lang: str) -> None:
    """Every text wraps, and its row is high enough for it: a line of the default font is 15 points."""
    for sheet in book_of(request.getfixturevalue(which), lang=lang).worksheets:
        widths = widths_of(sheet)
        for row in sheet.iter_rows():
            height = sheet.row_dimensions[row[0].row].height or 15
            for cell in row:
                if not isinstance(cell.value, str) or cell.font.size == 16:
                    continue
                room = widths[cell.column_letter]
                lines = sum(max(1, math.ceil(wide(line) / room)) for line in cell.value.split("\n"))
                assert cell.alignment.wrap_text, cell.coordinate
                assert height >= 15 * min(lines, 27), f"{sheet.title} {cell.coordinate}: {cell.value!r}"


def wide(text: str) -> int:
    """Characters as a spreadsheet counts them: a Chinese one is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def test_words_are_kept_whole_and_longer_ones_broken() -> None:
    assert lines_of("", 10) == lines_of("short", 10) == lines_of("exactly 10", 10) == 1
    assert lines_of("one two three", 8) == 2
    assert lines_of("nine nine nine nine", 9) == 2
    assert lines_of("a" * 25, 10) == 3
    assert lines_of("x " + "a" * 25, 10) == 4, "a long word begins on a line of its own"
    assert lines_of("中文字符十个宽度二十", 10) == 2
    assert lines_of("one\ntwo\n", 10) == 3
    assert (height_pt(1), height_pt(3), height_pt(1000)) == (None, 45.0, 405.0)


def test_sheets_print_readably(everything: ReportData) -> None:
    """Landscape, the header and the splitter on every page, and no more side by side than can be read."""
    book = book_of(everything)
    for sheet in book.worksheets:
        page = sheet.page_setup
        assert page.orientation == "landscape"
        assert (page.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage) == (0, True)
        assert sheet.oddFooter.center.text == "&P / &N"
        if sheet.title == SHEETS[0]:
            assert (page.paperSize, page.fitToWidth) == (9, 1)
            continue
        repeated = sheet.print_title_cols
        assert sheet.print_title_rows == "$1:$1"
        last = repeated.rpartition("$")[2]
        assert sheet[f"{last}1"].value == "分光器设备名称"
        widths = list(widths_of(sheet).values())
        titles = widths[: column_index_from_string(last)]
        side_by_side = sum(titles) + (sum(widths) - sum(titles)) / page.fitToWidth
        # A3 landscape holds 213 characters of the default font: that is half of its size at least
        assert side_by_side <= 213 / 0.5


def test_libreoffice_reads_it_back(everything: ReportData, hostile: ReportData, tmp_path: Path) -> None:
    """Every sheet as another spreadsheet program understands it: the texts are the texts, the numbers the numbers."""
    office = shutil.which("soffice")
    if office is None:
        # not one of the parts that every run is promised: half a gigabyte for one look
        pytest.skip("there is no LibreOffice here (Debian package libreoffice-calc)")
    assert office is not None
    for name, data in (("everything", everything), ("hostile", hostile)):
        write_xlsx(data, tmp_path / f"{name}.xlsx")
    # UTF-8, text quoted, cells as they are and not as they are shown, every sheet into a file of its own
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false,false,false,false,-1"
    home = f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"
    files = [str(tmp_path / "everything.xlsx"), str(tmp_path / "hostile.xlsx")]
    command = [office, home, "--headless", "--convert-to", form, "--outdir", str(tmp_path), *files]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    for name, data in (("everything", everything), ("hostile", hostile)):
        for table in TABLES:
            with (tmp_path / f"{name}-{table.title.zh}.csv").open(encoding="utf-8", newline="") as file:
                header, *lines = csv.reader(file)
            assert header == list(table.headers(data, "zh"))
            wanted = list(rows(data, table, "zh"))
            assert len(lines) == len(wanted)
            for line, row in zip(lines, wanted, strict=True):
                for text, cell in zip(line, row, strict=True):
                    assert same(text, cell), f"{name} {table.name}: {text!r} is not {cell!r}"


def same(text: str, cell: Any) -> bool:
    if isinstance(cell, str):
        return text == cell
    if isinstance(cell, datetime):
        return text in {f"{cell:%Y-%m-%d %H:%M:%S}", f"{cell:%Y/%m/%d %H:%M:%S}"}
    return text == "" if cell is None else float(text) == pytest.approx(cell, abs=1e-9)


def test_the_same_data_give_the_same_bytes(everything: ReportData) -> None:
    one, other = io.BytesIO(), io.BytesIO()
    write_xlsx(everything, one)
    write_xlsx(ReportData.model_validate_json(everything.model_dump_json()), other)
    assert one.getvalue() == other.getvalue()


def test_without_openpyxl_the_extra_is_named(everything: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"ponprobe\[reports\]"):
        write_xlsx(everything, io.BytesIO())


def test_an_old_report_stays_if_the_new_one_cannot_be_written(everything: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    path.write_text("old")
    with pytest.raises(ValueError, match="'fr'"):
        write_xlsx(everything, path, lang="fr")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="cannot be written"):
        write_xlsx(everything, tmp_path / "nowhere" / "report.xlsx")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.xlsx"]
