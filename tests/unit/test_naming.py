"""Names of test ONUs: marked, stable, safe on a command line, and never the same for two splitters."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.errors import ConfigError
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.engineering import ActivationItem, Splitter
from ponprobe.models.service import VlanStack
from ponprobe.workflow.naming import LONGEST, checked_name, default_naming, is_test_name, name_onus, prefixed

PORT = PonPort.parse("0/1/3")
texts = st.text(min_size=1, max_size=30)
splitters = st.builds(
    Splitter,
    project=texts,
    name=texts,
    olt=texts,
    port=st.builds(PonPort, frame=st.integers(0, 3), slot=st.integers(0, 21), port=st.integers(0, 15)),
    splitter_port=st.integers(1, 256),
)


def splitter(**more: Any) -> Splitter:
    return Splitter(**{"project": "P1", "name": "一号楼-POS01", "olt": "A", "port": PORT, **more})


@given(splitters, st.integers(1, 99_999))
def test_a_name_is_marked_safe_and_short(one: Splitter, round_number: int) -> None:
    name = default_naming(one, round_number)
    assert re.fullmatch(r"TEST-[A-Za-z0-9\-]+", name)
    assert len(name) <= LONGEST == 32
    assert is_test_name(name)
    assert name == default_naming(one.model_copy(), round_number)


@given(st.lists(splitters, min_size=2, max_size=8), st.integers(1, 9))
def test_two_splitters_never_share_a_name(many: list[Splitter], round_number: int) -> None:
    identities = {(each.project, each.key, each.splitter_port) for each in many}
    assert len({default_naming(each, round_number) for each in many}) == len(identities)


def test_ten_thousand_splitters_with_like_names_have_ten_thousand_names() -> None:
    names = {default_naming(splitter(name=f"小区{number}号楼", olt=f"OLT{number % 7}"), 1) for number in range(10_000)}
    assert len({name.casefold() for name in names}) == 10_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"olt": "A", "name": "B C"}, {"olt": "A B", "name": "C"}),
        ({"project": "P1", "olt": "2A"}, {"project": "P12", "olt": "A"}),
        ({"name": "POS01"}, {"name": "POS01 "}),
        ({"name": "一号"}, {"name": "二号"}),
        ({"port": PonPort.parse("0/1/3")}, {"port": PonPort.parse("0/1/4")}),
        ({"splitter_port": 1}, {"splitter_port": 2}),
    ],
)
def test_what_differs_in_one_thing_is_named_differently(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert default_naming(splitter(**one), 1) != default_naming(splitter(**other), 1)


def test_rounds_are_told_apart_and_port_11_round_1_is_not_port_1_round_11() -> None:
    assert default_naming(splitter(splitter_port=1), 11) != default_naming(splitter(splitter_port=11), 1)
    assert default_naming(splitter(), 1) != default_naming(splitter(), 2)


def test_the_name_of_today_is_the_name_of_tomorrow() -> None:
    """A changed rule would rename what stands in resource systems: this value may not change."""
    assert default_naming(splitter(), 1) == "TEST-POS01-gqixsbumxoch-1r1"


def test_a_round_before_the_first_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="rounds count from 1"):
        default_naming(splitter(), 0)


def test_a_name_fits_the_order_and_the_activation_list() -> None:
    name = default_naming(splitter(name="x" * 200, splitter_port=256), 99_999)
    auth = OnuAuth(serial=Serial("HWTC0B086EA9"))
    order = ActivationOrder(port=PORT, auth=auth, vlans=VlanStack(svlan=1, cvlan=2), description=name)
    assert order.description == name
    assert ActivationItem(olt_host="h", port=PORT, splitter="s", splitter_port=1, onu_name=name).onu_name == name


@pytest.mark.parametrize(
    "name", ["", "a b", "x" * 33, "测试", "a;b", "a?b", "a|b", "a\nb", "a\tb", '"a"', "a'b", "-a", "$(x)", "a\x00"]
)
def test_a_rule_of_the_users_own_is_checked(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be an ONU's name"):
        checked_name(name)
    with pytest.raises(ConfigError, match="cannot be an ONU's name"):
        name_onus([splitter()], rule=lambda *_: name)


def test_a_rule_that_names_two_splitters_alike_is_found() -> None:
    pair = [splitter(name="一号"), splitter(name="二号")]
    with pytest.raises(ConfigError, match=r"一号 .* and 二号 .* alike: same"):
        name_onus(pair, rule=lambda one, _: "Same" if one.name == "一号" else "same")
    assert len(set(name_onus(pair).values())) == 2


def test_each_splitter_may_be_in_its_own_round() -> None:
    pair = [splitter(name="A1"), splitter(name="B1")]
    names = name_onus(pair, rounds=lambda one: 3 if one.name == "B1" else 1)
    assert names[pair[1].key] == default_naming(pair[1], 3)


def test_another_prefix() -> None:
    name = prefixed("GC")(splitter(), 1)
    assert name.startswith("GC-POS01-")
    assert is_test_name(name, "GC")
    assert not is_test_name(name)
    for unfit in ("", "has blank", "toolongprefix", "测"):
        with pytest.raises(ConfigError, match="is no prefix"):
            prefixed(unfit)
