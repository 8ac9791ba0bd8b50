"""Splitters of one PON against each other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.optical import Db, Dbm
from ponprobe.models.plant import SiblingTable, SplitterReading
from ponprobe.optics.siblings import REPEATABILITY, sibling_tables, siblings

PORT = PonPort.parse("0/2/5")
TEST_ONU = Serial("HWTC0B086EA9")


def at_splitter(name: str, value: float, expected: float | None = None, **more: object) -> SplitterReading:
    fields: dict[str, object] = {"port": PORT, "test_onu": TEST_ONU, **more}
    return SplitterReading.model_validate(
        {
            "splitter": name,
            "onu_rx_dbm": Dbm(value),
            "expected_db": None if expected is None else Db(expected),
            **fields,
        }
    )


def table(*values: float) -> SiblingTable:
    return siblings([at_splitter(f"S{n}", value) for n, value in enumerate(values)])


def deviations(found: SiblingTable) -> dict[str, float]:
    return {each.splitter: each.deviation_db.value for each in found.deviations}


def flagged(found: SiblingTable) -> set[str]:
    return {each.splitter for each in found.deviations if each.flagged}


def test_one_bad_splitter_is_found_and_its_siblings_are_not_blamed() -> None:
    found = table(-18.0, -18.2, -21.1)
    assert deviations(found) == {"S0": 0.2, "S1": 0.0, "S2": -2.9}
    assert flagged(found) == {"S2"}
    assert found.median_dbm == Dbm(-18.2)
    assert (found.n, found.line_db, found.expected_used) == (3, Db(1.0), False)
    assert found.statement == (
        "3 splitters on 0/2/5 with test ONU HWTC0B086EA9, repeatability ±0.50 dB: beyond 1.00 dB: S2"
    )
    assert [each.text for each in found.deviations] == [
        "S0: 0.20 dB stronger than the median of 3",
        "S1: as the median of 3",
        "S2: 2.90 dB weaker than the median of 3; look here first",
    ]


def test_the_line_is_exactly_one_decibel() -> None:
    assert flagged(table(-18.0, -18.3, -17.0, -19.0, -18.0)) == set()
    assert flagged(table(-18.0, -18.3, -16.99, -19.01, -18.0)) == {"S2", "S3"}
    assert "check its recorded ratio and place" in table(-18.0, -18.3, -16.99).deviations[2].text
    assert table(-18.0, -18.1, -18.2).statement.endswith("none beyond 1.00 dB")
    # in floats -17.7 - -18.7 is 0.99..., and -18.4 - -17.4 is -0.99...: the printed decimals count
    assert flagged(table(-17.7, -18.7, -18.7)) == set()
    steady = siblings([at_splitter(name, value) for name, value in zip("abc", (-18, -18.3, -18), strict=True)])
    assert flagged(steady) == set()
    sharp = siblings(
        [at_splitter(name, value) for name, value in zip("abc", (-18, -18.3, -18), strict=True)],
        repeatability_db=Db(0.1),
    )
    assert flagged(sharp) == {"b"}
    assert Db(0.5) == REPEATABILITY


def test_two_differ_and_nobody_knows_which_is_wrong() -> None:
    found = table(-18.0, -19.2)
    assert flagged(found) == {"S0", "S1"}
    assert deviations(found) == {"S0": 0.6, "S1": -0.6}
    assert found.statement.endswith("they differ by 1.20 dB, and which one is off cannot be said")
    assert found.deviations[0].text.endswith("this one or the other is off")
    assert flagged(table(-18.0, -19.0)) == set()


def test_one_alone_gets_no_statement() -> None:
    found = table(-25.0)
    assert (found.n, found.deviations, found.median_dbm) == (1, (), None)
    assert found.statement.endswith("nothing to compare it with, so nothing is said")


def test_known_differences_of_the_plant_are_taken_off() -> None:
    # a splitter that is 4 km further out and built well, beside one that loses 1.5 dB without a reason
    rows = [at_splitter("near", -18.0, 18.3), at_splitter("far", -19.0, 19.3), at_splitter("bad", -19.5, 18.3)]
    found = siblings(rows)
    assert found.expected_used
    assert deviations(found) == {"near": 0.0, "far": 0.0, "bad": -1.5}
    assert flagged(found) == {"bad"}
    assert found.median_dbm == Dbm(0.3)
    with pytest.raises(ValueError, match="missing for far: give it for all or none"):
        siblings([rows[0], at_splitter("far", -19.0)])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"port": PonPort.parse("0/2/6")}, r"2 PONs \(0/2/5, 0/2/6\), whose biases do not cancel"),
        ({"olt": "north"}, r"2 PONs \(0/2/5, north 0/2/5\)"),
        ({"test_onu": Serial("ZTEGC0FFEE01")}, r"2 test ONUs \(HWTC0B086EA9, ZTEGC0FFEE01\)"),
    ],
)
def test_what_shares_no_bias_is_not_compared(changed: dict[str, object], message: str) -> None:
    rows = [at_splitter("a", -18), at_splitter("b", -18.5, **changed)]
    with pytest.raises(ValueError, match=message):
        siblings(rows)
    apart = sibling_tables(rows)
    assert [each.n for each in apart] == [1, 1]


def test_a_project_is_one_table_for_each_family() -> None:
    rows = [
        at_splitter("a", -18, olt="north"),
        at_splitter("x", -21, port=PonPort.parse("0/3/1"), olt="north"),
        at_splitter("b", -18.5, olt="north"),
        at_splitter("a", -17, olt="south"),
    ]
    tables = sibling_tables(rows)
    assert [(each.olt, str(each.port), each.n) for each in tables] == [
        ("north", "0/2/5", 2),
        ("north", "0/3/1", 1),
        ("south", "0/2/5", 1),
    ]
    assert tables[0].statement.startswith("two splitters on north 0/2/5 with test ONU HWTC0B086EA9")
    assert SiblingTable.model_validate_json(tables[0].model_dump_json()) == tables[0]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="give the readings of one PON"):
        siblings([])
    with pytest.raises(ValueError, match="b: more than one reading"):
        siblings([at_splitter("b", -18), at_splitter("a", -18), at_splitter("b", -19)])
    with pytest.raises(ValueError, match="must be more than 0"):
        siblings([at_splitter("a", -18)], repeatability_db=Db(0))


powers = st.lists(st.integers(-2700, -1000), min_size=2, max_size=9)


@given(powers, st.randoms())
def test_the_order_does_not_matter(values: list[int], rnd: random.Random) -> None:
    rows = [at_splitter(f"S{n}", value / 100) for n, value in enumerate(values)]
    one = siblings(rows)
    rnd.shuffle(rows)
    other = siblings(rows)
    assert deviations(one) == deviations(other)
    assert flagged(one) == flagged(other)
    assert one.median_dbm == other.median_dbm


@given(powers, st.integers(-300, 300))
def test_a_common_bias_cancels(values: list[int], bias: int) -> None:
    one, other = (table(*((value + each) / 100 for value in values)) for each in (0, bias))
    assert deviations(one) == deviations(other)
    assert flagged(one) == flagged(other)


@given(st.lists(st.integers(-2700, -1000), min_size=3, max_size=9), st.integers(0, 8), st.integers(1, 500))
def test_a_weaker_splitter_never_looks_stronger(values: list[int], place: int, less: int) -> None:
    place %= len(values)
    worse = [value - less * (n == place) for n, value in enumerate(values)]
    one, other = (deviations(table(*(value / 100 for value in each)))[f"S{place}"] for each in (values, worse))
    assert other <= one


@given(st.lists(st.integers(-20, 20), min_size=4, max_size=8), st.integers(150, 900))
def test_one_outlier_among_tight_siblings_is_always_flagged_alone(near: list[int], off: int) -> None:
    good = [-18 + hundredths / 100 for hundredths in near]
    assert flagged(table(*good, -18 - off / 100)) == {f"S{len(good)}"}
