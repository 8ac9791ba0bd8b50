"""VLAN cells as people write them: tolerant of spelling, strict on meaning; and sheets of test CVLAN ranges."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.errors import ConfigError, ImportProblem
from ponprobe.models.addressing import PonPort
from ponprobe.workflow.vlans import CvlanRange, VlanRange, parse_vlan_range, read_cvlan_ranges


def shown(value: object) -> str:
    return ",".join(map(str, parse_vlan_range(value)))


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("3901-3999", "3901-3999"),
        ("3901,3905~3910", "3901,3905-3910"),
        (3901.0, "3901"),
        (3901, "3901"),
        ("3901.0", "3901"),
        ("3901.0-3999.0", "3901-3999"),
        ("3901 ", "3901"),
        ("３９０１－３９９９", "3901-3999"),
        ("３９０１～３９９９", "3901-3999"),
        ("3901至3999", "3901-3999"),
        ("3901到3999", "3901-3999"),
        ("3901 to 3999", "3901-3999"),
        ("3901 — 3999", "3901-3999"),
        ("3901–3999", "3901-3999"),
        ("3901…3999", "3901-3999"),
        ("3901、3905，3910；3912", "3901,3905,3910,3912"),
        ("3901\n3905-3906\n", "3901,3905-3906"),
        ("1-4094", "1-4094"),
        ("3901-3901", "3901"),
        (" 3901\u3000", "3901"),
    ],
)
def test_a_cell_is_read_as_it_was_meant(cell: object, meant: str) -> None:
    assert shown(cell) == meant


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("3999-3901", "runs backwards"),
        ("0-10", "VLAN 0 does not exist"),
        ("4000-4095", "VLAN 4095 does not exist"),
        ("3901-3910,3905", "3901-3910 and 3905 overlap"),
        ("3901,3901", "overlap"),
        ("3901-3905-3910", "neither a VLAN nor a range"),
        ("3901-", "neither a VLAN nor a range"),
        ("-3901", "neither a VLAN nor a range"),
        ("39 01", "neither a VLAN nor a range"),
        ("三千", "neither a VLAN nor a range"),
        ("٣٩٠١", "neither a VLAN nor a range"),
        ("3901.5", "neither a VLAN nor a range"),
        (3901.5, "is no VLAN"),
        (float("nan"), "is no VLAN"),
        (float("inf"), "is no VLAN"),
        (True, "is no VLAN"),
        ("", "no VLAN is named"),
        (None, "no VLAN is named"),
        (",", "no VLAN is named"),
        ("99999999999999999999", "neither a VLAN nor a range"),
    ],
)
def test_what_means_nothing_or_something_wrong_is_refused(cell: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_vlan_range(cell)


@given(st.sets(st.integers(1, 4094), min_size=1, max_size=40), st.sampled_from("-~－至"), st.sampled_from(",，、;"))
def test_any_set_of_vlans_written_as_ranges_reads_back(vlans: set[int], dash: str, comma: str) -> None:
    written = comma.join(
        f"{number}{dash}{number}" if number % 2 else str(number) for number in sorted(vlans, key=lambda each: each % 7)
    )
    read = parse_vlan_range(written)
    assert {number for each in read for number in each.numbers} == vlans
    assert sum(each.size for each in read) == len(vlans)


def test_a_range_is_a_value() -> None:
    one = VlanRange(first=10, last=20)
    assert (one.size, list(one.numbers)[-1], str(one)) == (11, 20, "10-20")
    assert one.overlaps(VlanRange(first=20, last=30))
    assert not one.overlaps(VlanRange(first=21, last=30))
    assert VlanRange.model_validate_json(one.model_dump_json()) == one
    with pytest.raises(ValueError, match="backwards"):
        VlanRange(first=20, last=10)


# --- sheets ---------------------------------------------------------------------------------------------------------


def csv(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("utf-8-sig")


def test_a_sheet_of_ranges_is_read_with_its_scope() -> None:
    read = read_cvlan_ranges(csv("OLT名称,PON口,SLVAN,测试CVLAN范围,备注", 'A,gpon 0/1 3,1001,"3901-3910,3920",一期'))
    assert read.ok
    first, second = read.ranges
    assert first == CvlanRange(
        vlans=VlanRange(first=3901, last=3910),
        olt="A",
        port=PonPort.parse("0/1/3"),
        svlan=1001,
        note="一期",
        row=2,
    )
    assert second.vlans.numbers == range(3920, 3921)
    assert type(read).model_validate_json(read.model_dump_json()) == read


def test_first_and_last_columns_are_a_range() -> None:
    read = read_cvlan_ranges(csv("起始CVLAN,结束CVLAN", "3901.0,３９９９", "4000,"))
    assert [str(each.vlans) for each in read.ranges] == ["3901-3999"]
    (problem,) = read.problems
    assert (problem.row, problem.column, problem.header) == (3, "B", "结束CVLAN")
    assert "other end" in problem.message


def test_an_xlsx_sheet_with_numbers_texts_and_ranges() -> None:
    openpyxl: Any = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "测试段"
    for row in (
        ["挂测功能测试CVLAN范围"],
        ["SVLAN", "CVLAN范围"],
        [1001, 3901.0],
        [1002, "3902 "],
        ["1003", "3903-3905"],
    ):
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    read = read_cvlan_ranges(data.getvalue()).checked()
    assert [(each.svlan, str(each.vlans), each.sheet, each.row) for each in read.ranges] == [
        (1001, "3901", "测试段", 3),
        (1002, "3902", "测试段", 4),
        (1003, "3903-3905", "测试段", 5),
    ]


@pytest.mark.parametrize(
    ("rows", "clash"),
    [
        (["A,1001,3901-3910", "A,1001,3910-3920"], True),
        (["A,1001,3901-3910", "B,1001,3901-3910"], False),
        (["A,1001,3901-3910", "A,1002,3901-3910"], False),
        ([",1001,3901-3910", "B,1001,3905"], True),
        (["B,1001,3905", ",1001,3901-3910"], True),
        ([",1001,3901-3910", "B,1002,3905"], False),
        (["A,,3901-3910", ",1001,3910"], True),
        ([",,3901-3910", "A,1001,3905"], True),
        (["A,1001,3901-3910", "A,1001,3911-3920"], False),
    ],
)
def test_overlap_is_refused_where_both_ranges_may_be_for_the_same_lines(rows: list[str], clash: bool) -> None:
    read = read_cvlan_ranges(csv("OLT,SVLAN,CVLAN", *rows))
    assert bool(read.problems) is clash
    if clash:
        (problem,) = read.problems
        assert problem.row == 3
        assert "overlaps" in problem.message
        assert "row 2" in problem.message
        assert len(read.ranges) == 1


def _scoped(text: tuple[str, str, int, int]) -> str:
    olt, svlan, first, size = text
    return f"{olt},{svlan},{first}-{first + size}"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "A", "B"]),
            st.sampled_from(["", "1001", "1002"]),
            st.integers(1, 30),
            st.integers(0, 6),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_what_is_kept_never_overlaps_and_what_is_refused_does(rows: list[tuple[str, str, int, int]]) -> None:
    read = read_cvlan_ranges(csv("OLT,SVLAN,CVLAN", *map(_scoped, rows)))

    def meet(one: CvlanRange, other: CvlanRange) -> bool:
        agree = all(
            mine is None or theirs is None or mine == theirs
            for mine, theirs in zip(one.scope, other.scope, strict=True)
        )
        return agree and one.vlans.overlaps(other.vlans)

    kept = list(read.ranges)
    assert not any(meet(one, other) for at, one in enumerate(kept) for other in kept[:at])
    assert len(kept) + len(read.problems) == len(rows)
    for problem in read.problems:
        olt, svlan, first, size = rows[(problem.row or 0) - 2]
        refused = CvlanRange(
            vlans=VlanRange(first=first, last=first + size),
            olt=olt or None,
            svlan=int(svlan) if svlan else None,
            row=problem.row or 0,
        )
        assert any(meet(refused, other) for other in kept if other.row < refused.row)


def test_every_problem_is_named_at_once_with_its_cell() -> None:
    read = read_cvlan_ranges(
        csv(
            "OLT,PON口,SVLAN,CVLAN范围",
            "A,0/1,1001,3901",
            "A,0/1/3,9999,3901",
            "A,0/1/3,1001,3999-3901",
            "A,0/1/3,1001,",
        )
    )
    assert [(each.row, each.column, each.value) for each in read.problems] == [
        (2, "B", "0/1"),
        (3, "C", "9999"),
        (4, "D", "3999-3901"),
        (5, "D", None),
    ]
    assert read.ranges == ()
    with pytest.raises(ImportProblem, match="and 3 more") as caught:
        read.checked()
    assert caught.value.problems == read.problems


def test_a_column_map_says_where_things_are() -> None:
    read = read_cvlan_ranges(csv("a,b", "1001,3901-3910"), column_map={"svlan": "A", "cvlans": "b"})
    assert [(each.svlan, str(each.vlans)) for each in read.ranges] == [(1001, "3901-3910")]
    with pytest.raises(ConfigError, match=r"'vlan', which is no field .* known: olt_host, olt, port, svlan, cvlans"):
        read_cvlan_ranges(csv("a,b"), column_map={"vlan": "A"})


def test_a_sheet_without_ranges_is_refused() -> None:
    with pytest.raises(ImportProblem, match="no sheet has a column of CVLAN ranges"):
        read_cvlan_ranges(csv("OLT,SVLAN", "A,1001"))
    with pytest.raises(ImportProblem, match="no header row"):
        read_cvlan_ranges(csv("x,y", "1,2"))
