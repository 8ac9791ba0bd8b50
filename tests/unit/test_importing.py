"""Engineering data as people send them: no fixed layout, every oddity of spreadsheets, every problem with its cell."""

from __future__ import annotations

import gc
import io
import sys
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ponprobe.errors import ConfigError, ImportProblem, MissingExtra
from ponprobe.models.addressing import PonPort
from ponprobe.models.engineering import OltRecord, Place, Splitter, SplitterKey
from ponprobe.workflow import sheets
from ponprobe.workflow.importing import Imported, read_engineering
from ponprobe.workflow.sheets import Problem, column_index, letter

openpyxl: Any = pytest.importorskip("openpyxl")
CellRange: Any = pytest.importorskip("openpyxl.worksheet.cell_range").CellRange

HEADER = ["OLT管理IP", "OLT PON口名称", "分光器设备名称", "分光器端口号", "ONU端口SVLAN"]
ROW = ["10.1.2.3", "0/1/3", "一号楼POS", 3, 1001]


def saved(book: Any) -> bytes:
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def xlsx(
    rows: Sequence[Sequence[Any]], *, merges: Sequence[str] = (), hidden: Sequence[int] = (), title: str = "POS"
) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    for number in hidden:
        sheet.row_dimensions[number].hidden = True
    return saved(book)


def csv(*rows: str, encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    return end.join(rows).encode(encoding)


def read(data: bytes | Path, **more: Any) -> Imported:
    return read_engineering(data, **{"project": "P1", **more})


def cells(problems: Sequence[Problem]) -> list[tuple[int | None, str | None]]:
    return [(problem.row, problem.column) for problem in problems]


LINES = ("OLT管理IP,PON口,分光器名称,分光器端口号,SVLAN", "10.1.2.3,0/1/3,一号楼POS,3,1001")
EXPECTED = Splitter(project="P1", name="一号楼POS", olt="10.1.2.3", port=PonPort.parse("0/1/3"), splitter_port=3)


# --- what is read ----------------------------------------------------------------------------------------------------


def test_a_sheet_becomes_olts_ports_and_splitters() -> None:
    found = read(xlsx([HEADER, ROW])).checked()
    assert found.splitters == (EXPECTED,)
    assert found.olts == (OltRecord(name="10.1.2.3", host="10.1.2.3"),)
    assert [(port.olt, str(port.port), port.svlan) for port in found.ports] == [("10.1.2.3", "0/1/3", 1001)]
    assert [(row.sheet, row.row, row.splitter) for row in found.rows] == [("POS", 2, EXPECTED.key)]
    assert Imported.model_validate_json(found.model_dump_json()) == found
    assert Imported.model_json_schema()["type"] == "object"


def test_a_path_and_bytes_are_the_same(tmp_path: Path) -> None:
    data = xlsx([HEADER, ROW])
    # the first bytes say what it is, not the name
    (tmp_path / "data.csv").write_bytes(data)
    assert read(tmp_path / "data.csv") == read(data)
    assert read_engineering(str(tmp_path / "data.csv"), project="P1") == read(data)


def as_excel_writes(cells_xml: str, texts: Sequence[str], *, target: str = "worksheets/sheet1.xml") -> bytes:
    """A workbook with shared texts, written out by hand from ECMA-376; openpyxl itself writes texts into the cells."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kinds}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="工程 &amp; 资料" sheetId="7" r:id="rId3"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{office}/worksheet" Target="{target}"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">' + "".join(f"<si>{text}</si>" for text in texts) + "</sst>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><dimension ref="A1"/><sheetData>{cells_xml}</sheetData>'
        '<mergeCells count="1"><mergeCell ref="A2:A5"/></mergeCells></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text)
    return out.getvalue()


@pytest.mark.parametrize(
    "target", ["worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml", "../xl/worksheets/sheet1.xml"]
)
def test_a_workbook_in_excels_own_form_is_read(target: str) -> None:
    texts = [f"<t>{text}</t>" for text in ("OLT管理IP", "PON口", "分光器名称", "SVLAN", "10.1.2.3", "0/1/3", "甲")]
    # two runs of one text in different fonts, with the reading of a sign beside it, which is no part of the text
    texts.append('<r><t xml:space="preserve">乙 </t></r><r><t>POS</t></r><rPh sb="0" eb="1"><t>yi</t></rPh>')

    def shared(place: str, index: int) -> str:
        return f'<c r="{place}" t="s"><v>{index}</v></c>'

    rows = (
        "<row r='1' spans='1:4'>" + "".join(shared(f"{'ABCD'[index]}1", index) for index in range(4)) + "</row>"
        f"<row r='2'>{shared('A2', 4)}{shared('B2', 5)}{shared('C2', 6)}<c r='D2'><f>1000+1</f><v>1001</v></c></row>"
        # row 3 is not there at all, and of row 4 the empty cells are not; the formula's result is a text
        "<row r='4' hidden='1'><c r='A4'/><c r='B4' t='str'><f>B2&amp;\"\"</f><v>0/1/4</v></c>"
        f"{shared('C4', 7)}<c r='D4' t='e'><f>1/0</f><v>#DIV/0!</v></c></row>"
        f"<row r='5'>{shared('B5', 5)}{shared('C5', 7)}<c r='D5' t='str'><f>\"\"</f><v></v></c></row>"
    )
    found = read(as_excel_writes(rows, texts, target=target))
    assert [(row.row, tuple(row.splitter)) for row in found.rows] == [
        (2, ("10.1.2.3", "0/1/3", "甲")),
        (5, ("10.1.2.3", "0/1/3", "乙 POS")),
    ]
    assert [(each.sheet, each.row, each.column, each.value) for each in found.problems] == [
        ("工程 & 资料", 4, "D", "#DIV/0!")
    ]
    assert [each.svlan for each in found.ports] == [1001]
    assert any("1 hidden rows were read: 4" in note for note in found.notes)


def test_every_optional_field_arrives_with_its_unit() -> None:
    header = [*HEADER, "OLT名称", "OLT平台", "PON类型", "分光比", "各级分光比", "光缆长度（m）", "活接头数", "安装地址"]
    header += [
        "纬度",
        "经度",
        "坐标系",
        "是否末级",
        "接入方式",
        "光模块等级",
        "线路模板",
        "ONU类型",
        "GEM端口",
        "项目名称",
    ]
    row = [
        *ROW,
        "某局OLT",
        "huawei_smartax",
        "GPON",
        "1:8",
        "1:4+1:8",
        2500,
        6,
        "某路1号",
        "31.2304",
        121.4737,
        "GCJ-02",
    ]
    row += ["是", "FTTH", "C+", "ftth", "TEST", 2.0, "某工程"]
    found = read_engineering(xlsx([header, row])).checked()
    (splitter,) = found.splitters
    assert splitter == Splitter(
        project="某工程",
        name="一号楼POS",
        olt="某局OLT",
        port=PonPort.parse("0/1/3"),
        splitter_port=3,
        ratio=8,
        stages=(4, 8),
        distance_km=2.5,
        connectors=6,
        address="某路1号",
        place=Place(latitude=31.2304, longitude=121.4737, datum="gcj02"),
    )
    assert found.olts == (OltRecord(name="某局OLT", host="10.1.2.3", platform="huawei_smartax"),)
    (port,) = found.ports
    assert (port.olt, port.optical_class, port.line_profile, port.onu_type, port.gemport) == (
        "某局OLT",
        "C+",
        "ftth",
        "TEST",
        2,
    )


def test_km_stay_km_and_a_length_without_a_unit_is_a_problem() -> None:
    lines = (LINES[0] + ",距离(km)", LINES[1] + ",2.5")
    assert read(csv(*lines)).splitters[0].distance_km == 2.5
    found = read(csv(LINES[0] + ",光缆长度", LINES[1] + ",2500"))
    (problem,) = found.problems
    assert (problem.row, problem.column, problem.header) == (1, "F", "光缆长度")
    assert "km or m" in problem.message
    assert found.splitters[0].distance_km is None


@pytest.mark.parametrize(
    "header",
    [
        ["OLT设备\n管理IP", "OLT  PON口", "分光器设备名称*", "分光器端口号：", "ONU端口SLVAN"],
        ["ＯＬＴ管理ＩＰ", "ＰＯＮ口", "分光器名称（必填）", "分光器端口序号", "ＳＶＬＡＮ"],
        ["OLT_IP", "PON port", "Splitter Name", "splitter_port", "S-VLAN"],
        ["olt ip", "PON口 (F/S/P)", "POS", "端口序号", "外层VLAN"],
    ],
)
def test_headers_are_known_however_they_are_written(header: list[str]) -> None:
    found = read(xlsx([["某小区工程资料"], [], header, ROW])).checked()
    assert found.splitters == (EXPECTED,)
    assert found.ports[0].svlan == 1001
    assert found.rows[0].row == 4


@pytest.mark.parametrize(
    "port",
    ["0/1/3", " 0/1/3 ", "０／１／３", "gpon 0/1 3", "gpon-olt_0/1/3", "gpon_olt-0/1/3", "GPON 0/1/3", "0/ 1/3"],
)
def test_a_port_in_any_spelling_is_the_same_port(port: str) -> None:
    assert read(xlsx([HEADER, [ROW[0], port, *ROW[2:]]])).checked().splitters == (EXPECTED,)


@pytest.mark.parametrize("number", [3, 3.0, "3", "３", " 3 ", "3.0", "\ufeff3"])
def test_a_number_may_be_a_number_a_float_or_text(number: Any) -> None:
    found = read(xlsx([HEADER, [*ROW[:3], number, "１００１"]])).checked()
    assert found.splitters == (EXPECTED,)
    assert found.ports[0].svlan == 1001


def test_a_name_is_kept_as_it_is_and_text_that_looks_like_a_number_stays_text() -> None:
    rows = [[*ROW[:2], name, 1, 1001] for name in ("001", "1E5", "=危险", "é\u0301 一号 楼", 7.0)]
    book = openpyxl.Workbook()
    for row in [HEADER, *rows]:
        book.active.append(row)
    book.active["C4"].data_type = "s"
    assert [each.name for each in read(saved(book)).checked().splitters] == [
        "001",
        "1E5",
        "=危险",
        "é\u0301 一号 楼",
        "7",
    ]


def test_merged_cells_are_filled_down_and_never_across() -> None:
    rows = [
        HEADER,
        ["10.1.2.3", "0/1/3", "甲", 1, 1001],
        [None, None, "乙", 2, None],
        [None, "0/1/4", "丙", 3, 1002],
        ["10.1.2.4", "0/1/3", "丁", 4, 1003],
    ]
    found = read(xlsx(rows, merges=["A2:A4", "B2:B3", "E2:E3"])).checked()
    assert [tuple(each.key) for each in found.splitters] == [
        ("10.1.2.3", "0/1/3", "甲"),
        ("10.1.2.3", "0/1/3", "乙"),
        ("10.1.2.3", "0/1/4", "丙"),
        ("10.1.2.4", "0/1/3", "丁"),
    ]
    assert [port.svlan for port in found.ports] == [1001, 1002, 1003]


def test_merged_cells_right_below_each_other_keep_their_own_values() -> None:
    hosts = ["10.0.0.1", None, "10.0.0.2", None, None, "10.0.0.3", None]
    rows = [[host, "0/1/3", f"POS{number}", 1, 1001] for number, host in enumerate(hosts)]
    found = read(xlsx([HEADER, *rows], merges=["A2:A3", "A4:A6", "A7:A8"])).checked()
    assert [each.olt[-1] for each in found.splitters] == list("1122233")


def test_what_is_hidden_below_a_merged_cell_is_not_read() -> None:
    book = openpyxl.Workbook()
    for row in (HEADER, ROW, ["10.9.9.9", "0/9/9", "乙", 2, 1001]):
        book.active.append(row)
    # merged without emptying, as some programs do it
    book.active.merged_cells.ranges.add(CellRange("A2:A3"))
    book.active.merged_cells.ranges.add(CellRange("B2:B3"))
    data = saved(book)
    assert b"10.9.9.9" in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert [tuple(each.key)[:2] for each in read(data).checked().splitters] == [("10.1.2.3", "0/1/3")] * 2


def test_what_is_only_empty_and_not_merged_is_not_filled() -> None:
    found = read(xlsx([HEADER, ROW, [None, None, "乙", 2, None]]))
    assert cells(found.problems) == [(3, "A"), (3, "B")]
    assert found.splitters == (EXPECTED,)


def test_a_merge_that_reaches_far_below_the_table_adds_no_row() -> None:
    found = read(xlsx([HEADER, ROW], merges=["A2:A5000", "B2:B5000"])).checked()
    assert found.splitters == (EXPECTED,)


def test_a_header_merged_over_two_rows_is_one_header() -> None:
    rows = [HEADER, [None] * 5, ROW]
    found = read(xlsx(rows, merges=[f"{column}1:{column}2" for column in "ABCDE"])).checked()
    assert found.splitters == (EXPECTED,)


def test_empty_rows_titles_and_remarks_are_passed_over_and_said() -> None:
    rows = [
        ["某小区"],
        HEADER,
        [],
        ROW,
        [None, None, " ", None, None],
        ["注：以上为末级分光器"],
        ["合计", None, None, 1],
        ["填表人：王"],
    ]
    found = read(xlsx(rows, merges=["A6:E6"])).checked()
    assert found.splitters == (EXPECTED,)
    said = " ".join(found.notes)
    for row, words in ((6, "注：以上为末级分光器"), (7, "合计"), (8, "填表人：王")):
        assert f"row {row} was passed over: {words}" in said


def test_a_splitter_whose_name_begins_like_a_remark_is_a_splitter() -> None:
    rows = [HEADER[:2][::-1] + HEADER[2:3], ["0/1/3", "10.1.2.3", "注塑厂1号"], [None, None, "合计路POS"]]
    found = read(xlsx(rows, merges=["A2:A3", "B2:B3"])).checked()
    assert [each.name for each in found.splitters] == ["注塑厂1号", "合计路POS"]


def test_a_row_with_a_remark_of_its_own_is_a_row() -> None:
    rows = [["附注", *HEADER[:3]], ["", *ROW[:3]], ["备注：重点小区", None, None, "乙"]]
    assert len(read(xlsx(rows, merges=["B2:B3", "C2:C3"])).checked().splitters) == 2


def test_hidden_rows_and_sheets_are_read_and_said() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([HEADER, ROW, [*ROW[:2], "乙", 1, 1001]], hidden=[3])))
    book.create_sheet("front")
    book["POS"].sheet_state = "hidden"
    found = read(saved(book)).checked()
    assert len(found.splitters) == 2
    said = " ".join(found.notes)
    assert "1 hidden rows were read: 3" in said
    assert "sheet 'POS' is hidden and was read" in said
    assert "sheet 'front' has no known header and was not read" in said


def test_columns_that_are_not_used_are_said() -> None:
    found = read(csv(LINES[0] + ",施工队长", LINES[1] + ",王"))
    assert "the file: columns not used: 施工队长" in found.notes


# --- several sheets, references --------------------------------------------------------------------------------------


def test_sheets_may_hold_a_part_each() -> None:
    book = openpyxl.Workbook()
    parts = {
        "分光器": [["OLT名称", "PON口", "分光器名称"], ["某局OLT", "0/1/3", "甲"]],
        "PON口": [["OLT名称", "PON口", "SVLAN", "光模块等级"], ["某局OLT", "gpon 0/1 3", 1001, "C+"]],
        "OLT": [["OLT名称", "OLT管理IP"], ["某局OLT", "10.1.2.3"]],
    }
    for name, rows in parts.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    found = read(saved(book)).checked()
    assert [(each.olt, each.name) for each in found.splitters] == [("某局OLT", "甲")]
    assert [(each.name, each.host) for each in found.olts] == [("某局OLT", "10.1.2.3")]
    assert [(each.olt, each.svlan, each.optical_class) for each in found.ports] == [("某局OLT", 1001, "C+")]
    only = read(saved(book), sheet="分光器", olts=[OltRecord(name="某局olt", host="10.1.2.3")]).checked()
    assert [each.olt for each in only.splitters] == ["某局olt"]
    assert any("1 PON ports of the file have no SVLAN here" in note for note in only.notes)
    with pytest.raises(ImportProblem, match=r"no sheet 'x' - the file has: Sheet, 分光器, PON口, OLT"):
        read(saved(book), sheet="x")


def test_an_unknown_olt_is_a_problem_of_its_cell() -> None:
    found = read(csv("OLT名称,PON口,分光器名称", "A,0/1/3,甲", "B,0/1/3,乙"), olts=[OltRecord(name="A", host="h")])
    assert [each.name for each in found.splitters] == ["甲"]
    (problem,) = found.problems
    assert (problem.row, problem.column, problem.value, problem.message) == (3, "A", "B", "is an unknown OLT")


def test_an_olt_is_found_by_its_ip_when_another_row_names_it() -> None:
    lines = ("OLT名称,OLT管理IP,PON口,分光器名称", ",10.1.2.3,0/1/3,甲", "A,10.1.2.3,0/1/3,乙", "a,,0/1/3,丙")
    found = read(csv(*lines)).checked()
    assert [each.olt for each in found.splitters] == ["A", "A", "A"]
    assert len(found.olts) == 1


def test_two_olts_on_one_ip_need_their_names() -> None:
    lines = (
        "OLT名称,OLT管理IP,PON口,分光器名称",
        "A,127.0.0.1,0/1/3,甲",
        "B,127.0.0.1,0/1/3,甲",
        ",127.0.0.1,0/1/3,乙",
    )
    found = read(csv(*lines))
    assert [each.olt for each in found.splitters] == ["A", "B"]
    assert cells(found.problems) == [(4, "B")]
    assert "several OLTs: A, B" in found.problems[0].message
    assert "the OLTs A, B have the same management IP 127.0.0.1" in found.notes


def test_the_same_olt_or_port_with_different_data_is_a_problem() -> None:
    lines = (
        "OLT名称,OLT管理IP,PON口,分光器名称,SVLAN",
        "A,10.1.2.3,0/1/3,甲,1001",
        "A,10.1.2.9,0/1/3,乙,1001",
        "A,10.1.2.3,0/1/3,丙,1002",
    )
    found = read(csv(*lines))
    assert cells(found.problems) == [(3, "B"), (4, "E")]
    assert "differs from row 2, where A has 10.1.2.3" in found.problems[0].message
    assert "differs from row 2, where port 0/1/3 of A has 1001" in found.problems[1].message
    assert [each.name for each in found.splitters] == ["甲"]
    clash = read(csv(*lines[:2]), olts=[OltRecord(name="A", host="10.9.9.9")])
    assert "has already: 10.9.9.9" in clash.problems[0].message


@pytest.mark.parametrize("again", ["一号楼POS", "一号楼ＰＯＳ", " 一号楼pos "])
def test_the_same_splitter_twice_is_a_problem_in_any_spelling(again: str) -> None:
    found = read(csv(*LINES, f"10.1.2.3,gpon 0/1 3,{again},5,1001"))
    (problem,) = found.problems
    assert (problem.row, problem.column) == (3, "C")
    assert "stands on 10.1.2.3 0/1/3 already, in row 2" in problem.message
    assert found.splitters == (EXPECTED,)


def test_the_same_name_on_another_port_is_another_splitter() -> None:
    assert len(read(csv(*LINES, "10.1.2.3,0/1/4,一号楼POS,5,1001")).checked().splitters) == 2


# --- what is refused, with its cell ----------------------------------------------------------------------------------


def test_every_problem_comes_at_once_with_sheet_row_column_and_value() -> None:
    rows = [
        [*HEADER, "分光比", "纬度", "经度", "是否末级"],
        ["10.1.2.300", "0-1-3", "", 0, 4095, "1:7x", 121.4, 31.2, "也许"],
        ["10.1.2.3", "0/1/3", "好", 1, 1001, "1:8", 31.2, 121.4, "是"],
        ["10.1.2.3", "0/1/3", "坏", 9, 1001, "1:8", 31.2, None, "否"],
        [None, None, None, None, 1001],
    ]
    found = read(xlsx(rows))
    assert [each.name for each in found.splitters] == ["好"]
    assert cells(found.problems) == [
        (2, "A"),
        (2, "B"),
        (2, "C"),
        (2, "E"),
        (2, "F"),
        (2, "D"),
        (2, "G"),
        (2, "I"),
        (4, "H"),
        (5, "A"),
        (5, "B"),
        (5, "C"),
    ]
    assert all(problem.sheet == "POS" and problem.message and problem.hint for problem in found.problems)
    assert str(found.problems[0]).startswith(
        "sheet 'POS', row 2, column A (OLT管理IP): '10.1.2.300' is no management address"
    )
    with pytest.raises(ImportProblem, match="and 11 more") as caught:
        found.checked()
    assert caught.value.problems == found.problems


def test_a_port_beyond_the_ratio_is_a_problem_of_its_row() -> None:
    found = read(csv(LINES[0] + ",分光比", "10.1.2.3,0/1/3,甲,9,1001,1:8"))
    (problem,) = found.problems
    assert problem.row == 2
    assert problem.message == "splitter port 9 does not exist on a 1:8 splitter"
    assert found.splitters == ()


def test_without_a_project_every_row_says_so() -> None:
    found = read_engineering(csv(*LINES))
    assert [(each.row, each.message) for each in found.problems] == [(2, "the project is missing")]


def test_a_formula_gives_its_stored_result_and_one_without_is_a_problem() -> None:
    data = xlsx([HEADER, [*ROW[:4], "=1000+1"], [*ROW[:2], "乙", 2, "=1000+1"]])
    # what Excel does on saving: the result beside the formula
    data = _edited(data, '<c r="E2"><f>1000+1</f><v /></c>', '<c r="E2"><f>1000+1</f><v>1001</v></c>')
    found = read(data)
    assert found.splitters == (EXPECTED,)
    (problem,) = found.problems
    assert (problem.row, problem.column) == (3, "E")
    assert "formula without a stored result" in problem.message


def test_a_formula_that_ends_in_an_error_is_a_problem() -> None:
    found = read(xlsx([HEADER, [*ROW[:4], "#REF!"]]))
    assert [(each.row, each.column, each.value) for each in found.problems] == [(2, "E", "#REF!")]
    assert "ends in an error" in found.problems[0].message


def test_a_port_that_the_spreadsheet_made_a_date_is_told_so() -> None:
    found = read(xlsx([HEADER, [ROW[0], datetime(2003, 1, 2), *ROW[2:]]]))  # noqa: DTZ001 - what Excel stores
    (problem,) = found.problems
    assert (problem.row, problem.column) == (2, "B")
    assert "is a date" in problem.message


@pytest.mark.parametrize(
    ("cell", "ratio", "stages"),
    [
        ("1:8", 8, None),
        ("1：16", 16, None),
        ("1/32", 32, None),
        (8, 8, None),
        ("8.0", None, None),
        (time(1, 8), 8, None),
        (time(1, 32), 32, None),
        (time(2, 4), 64, None),
        (time(3, 8), 128, None),
        ("1:4+1:8", 8, (4, 8)),
        ("1:4×1:16", 16, (4, 16)),
        ("4*8", 8, (4, 8)),
    ],
)
def test_a_ratio_is_read_even_if_the_spreadsheet_made_it_a_time(cell: Any, ratio: int | None, stages: Any) -> None:
    found = read(xlsx([[*HEADER, "分光比"], [*ROW, cell]]))
    if ratio is None:
        assert cells(found.problems) == [(2, "F")]
    else:
        (splitter,) = found.checked().splitters
        assert (splitter.ratio, splitter.stages) == (ratio, stages)


@pytest.mark.parametrize("cell", ["1:1", "1:512", "half", time(1, 1), time(9, 0), time(1, 8, 30), "1:8:2"])
def test_what_is_no_ratio_is_refused(cell: Any) -> None:
    assert cells(read(xlsx([[*HEADER, "分光比"], [*ROW, cell]])).problems) == [(2, "F")]


def test_two_columns_with_the_same_header_are_a_problem_and_a_better_name_wins() -> None:
    found = read(csv(LINES[0] + ",SVLAN", LINES[1] + ",1002"))
    assert [(each.row, each.column) for each in found.problems] == [(1, "E")]
    assert "E and F have the same header" in found.problems[0].message
    better = read(csv("OLT管理IP,PON口,POS,分光器设备名称", "10.1.2.3,0/1/3,wrong,甲")).checked()
    assert [each.name for each in better.splitters] == ["甲"]
    assert "the file: columns not used: POS" in better.notes


# --- the column map --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column_map",
    [
        {"olt_host": "box", "port": "where", "splitter": "what", "splitter_port": "nr", "svlan": "tag"},
        {"olt_host": "A", "port": "b", "splitter": "$C", "splitter_port": 4, "svlan": "E"},
        {"olt_host": "ＢＯＸ", "port": 2, "splitter": " What ", "splitter_port": "NR", "svlan": "tag"},
    ],
)
def test_a_column_map_names_columns_by_header_letter_or_number(column_map: dict[str, Any]) -> None:
    found = read(xlsx([["title"], ["box", "where", "what", "nr", "tag"], ROW]), column_map=column_map).checked()
    assert found.splitters == (EXPECTED,)


def test_a_mapped_column_needs_no_header() -> None:
    found = read(csv("OLT管理IP,PON口,", "10.1.2.3,0/1/3,甲"), column_map={"splitter": "C"}).checked()
    assert [each.name for each in found.splitters] == ["甲"]


def test_a_column_map_wins_over_known_headers() -> None:
    lines = ("OLT管理IP,PON口,分光器名称,新分光器名称", "10.1.2.3,0/1/3,old,new")
    assert read(csv(*lines), column_map={"splitter": "新分光器名称"}).splitters[0].name == "new"


def test_a_wrong_column_map_is_said() -> None:
    with pytest.raises(ConfigError, match=r"'spliter', which is no field .* splitter"):
        read(csv(*LINES), column_map={"spliter": "A"})
    found = read(csv(*LINES), column_map={"address": "住址"})
    assert [(each.header, each.message) for each in found.problems] == [
        ("住址", "the column map gives this column for address, and no sheet has it")
    ]


# --- CSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_and_delimiter_are_found_out(encoding: str, delimiter: str, end: str) -> None:
    lines = (line.replace(",", delimiter) for line in LINES)
    assert read(csv(*lines, encoding=encoding, end=end)).checked().splitters == (EXPECTED,)


def test_commas_inside_a_semicolon_file_do_not_mislead() -> None:
    lines = (LINES[0].replace(",", ";") + ";安装地址", '10.1.2.3;0/1/3;一号楼POS;3;1001;"某市,某区;1号"')
    assert read(csv(*lines)).checked().splitters[0].address == "某市,某区;1号"


def test_excels_sep_line_is_no_row() -> None:
    found = read(csv("sep=;", *(line.replace(",", ";") for line in LINES))).checked()
    assert found.rows[0].row == 2


def test_rows_count_as_excel_shows_them_even_with_line_ends_inside_a_cell() -> None:
    found = read(csv(LINES[0], '10.1.2.3,0/1/3,"一号楼\r\nPOS",3,1001', "10.1.2.3,bad,乙,3,1001"))
    assert [row.row for row in found.rows] == [2]
    assert cells(found.problems) == [(3, "B")]


def test_an_encoding_that_was_named_is_used_and_one_that_fails_says_where() -> None:
    text = csv("OLT管理IP,PON口,分光器名稱,POS", "10.1.2.3,0/1/3,x,樓", encoding="big5")
    assert read(text, encoding="big5").checked().splitters[0].name == "樓"
    with pytest.raises(ImportProblem, match=r"cannot be decoded as utf-8 \(line 2: byte 0x"):
        read(csv(LINES[0]) + b"\r\n10.1.2.3,0/1/3,\xb7\xd6", encoding="utf-8")
    with pytest.raises(ImportProblem, match=r"as utf-8 \(line 2: byte 0xff .* or gb18030 \(line"):
        read(csv(LINES[0]) + b"\r\n10.1.2.3,0/1/3,\xff\xff")
    with pytest.raises(ImportProblem, match="there is no encoding 'klingon'"):
        read(csv(*LINES), encoding="klingon")


def test_a_broken_quote_names_its_row() -> None:
    with pytest.raises(ImportProblem, match=r"row 3: the CSV is broken at line 3") as caught:
        read(csv(*LINES, '10.1.2.3,0/1/3,"乙'))
    assert caught.value.problems[0].row == 3


# --- files that cannot be read ---------------------------------------------------------------------------------------


def _edited(data: bytes, old: str, new: str, member: str = "xl/worksheets/sheet1.xml") -> bytes:
    if openpyxl.LXML:  # with lxml, openpyxl writes an empty element in another way
        old = old.replace("<v />", "<v></v>").replace(" />", "/>")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == member:
                assert old.encode() in content, content
                content = content.replace(old.encode(), new.encode())
            target.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \r\n ", "is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old .xls workbook or a password-protected one"),
        (b"PK\x03\x04 no zip", "the workbook cannot be read"),
        (b"\x00\x01\x02\x03", "NUL characters"),
        (b"a,b,c\n1,2,3", "no header row was found"),
        (xlsx([HEADER, ROW])[:-200], "the workbook cannot be read"),
        (_edited(xlsx([HEADER, ROW]), "</row>", "</rw>"), "the workbook cannot be read"),
        (xlsx([["x", "y"], [1, 2]]), "no header row was found"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(ImportProblem, match=words) as caught:
        read(data)
    assert caught.value.hint or caught.value.problems[0].hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match="cannot be read: No such file"):
        read(tmp_path / "absent.xlsx")
    with pytest.raises(ImportProblem, match="cannot be read"):
        read(tmp_path)


def test_a_file_that_is_too_large_or_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = xlsx([HEADER, ROW])
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1000)
    with pytest.raises(ImportProblem, match="unpacks to"):
        read(data)
    monkeypatch.setattr(sheets, "LARGEST_FILE", 100)
    with pytest.raises(ImportProblem, match="more than 100"):
        read(data)


def test_xlsx_without_openpyxl_names_the_extra_and_csv_does_not_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"ponprobe\[workflow\]"):
        read(xlsx_made_before)
    assert read(csv(*LINES)).ok


xlsx_made_before = xlsx([HEADER, ROW])


def test_a_wrong_size_written_in_the_file_hides_no_row() -> None:
    data = xlsx([HEADER, ROW, [*ROW[:2], "乙", 1, 1001]])
    cut = _edited(data, '<dimension ref="A1:E3" />', '<dimension ref="A1:B2" />')
    assert len(read(cut).checked().splitters) == 2


def test_warnings_of_openpyxl_stay_inside() -> None:
    """Excel writes extensions that openpyxl warns about; warnings are errors in this suite."""
    extension = '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" /></extLst></worksheet>'
    assert read(_edited(xlsx([HEADER, ROW]), "</worksheet>", extension)).checked().splitters == (EXPECTED,)


def _peak_of_reading(rows: int) -> int:
    """Bytes that reading a sheet of numbers takes at most, the file itself not counted."""
    (sheet,) = sheets.open_sheets(xlsx([["SVLAN", "分光器端口号"], *([number, 3] for number in range(rows))]))[0]
    gc.collect()
    tracemalloc.start()
    try:
        assert sum(1 for _ in sheet.rows()) == rows + 1
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_hardly_grows_with_the_sheet() -> None:
    _peak_of_reading(10)  # what is loaded once
    small, large = _peak_of_reading(500), _peak_of_reading(5000)
    assert large < 2 * small


@pytest.mark.parametrize(
    ("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_column_letters(index: int, name: str) -> None:
    assert letter(index) == name
    assert column_index(name) == column_index(name.lower()) == index


@pytest.mark.parametrize("text", ["", "A1", "ABCD", "一", "-"])
def test_what_is_no_column_letter(text: str) -> None:
    assert column_index(text) is None


# --- anything at all -------------------------------------------------------------------------------------------------

ANY_CELL = st.one_of(
    st.none(),
    st.integers(-5, 5000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["0/1/3", "gpon 0/1 4", "10.1.2.3", "A", "1001", "1:8", "是", "#N/A", "备注：x", "一号楼"]),
    st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=12),
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - spreadsheets have no zones
)
WIDE = [*HEADER, "OLT名称", "分光比", "纬度", "经度", "距离(km)"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(ANY_CELL, min_size=len(WIDE), max_size=len(WIDE)), max_size=6))
def test_whatever_stands_in_the_cells_is_taken_or_named(rows: list[list[Any]]) -> None:
    found = read(xlsx([WIDE, *rows]))
    said = {problem.row for problem in found.problems} | {row.row for row in found.rows}
    passed_over = " ".join(found.notes)
    for number, row in enumerate(rows, start=2):
        # text beginning with "=" is a formula without a result and counts as something that stands there
        if any(value is not None and str(value).strip("\ufeff\u200b\u00a0 \t\u3000").strip() for value in row):
            assert number in said or f"row {number} was passed over" in passed_over or not any(map(_visible, row))
    assert all(problem.hint for problem in found.problems)
    assert len({each.key for each in found.splitters}) == len(found.splitters) == len(found.rows)


def _visible(value: Any) -> bool:
    return bool(sheets.text_of(value))


def test_a_source_row_leads_from_a_splitter_back_to_its_cell() -> None:
    found = read(csv(*LINES)).checked()
    assert found.rows[0].splitter == SplitterKey("10.1.2.3", "0/1/3", "一号楼POS")
