"""Every synthetic fixture: raw text in, records out; and the captures of real devices, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import goldens

CASES = goldens.cases("huawei_smartax")


def test_there_are_fixtures() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("case", CASES)
def test_fixture(case: str) -> None:
    goldens.check("huawei_smartax", case)


def test_every_capture_of_a_real_device(shared: Path) -> None:
    count, wrong = goldens.differences(shared, "huawei_smartax")
    assert count
    assert wrong == []
