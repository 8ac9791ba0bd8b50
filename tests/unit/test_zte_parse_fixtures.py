"""Every synthetic fixture: raw text in, records out; and the captures of real devices, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import goldens

CASES = [(platform, case) for platform in ("zte_zxan", "zte_titan") for case in goldens.cases(platform)]


def test_there_are_fixtures() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize(("platform", "case"), CASES, ids=lambda part: part)
def test_fixture(platform: str, case: str) -> None:
    goldens.check(platform, case)


@pytest.mark.parametrize("family", ["zte_zxan", "zte_titan"])
def test_every_capture_of_a_real_device(shared: Path, family: str) -> None:
    count, wrong = goldens.differences(shared, family)
    assert count
    assert wrong == []
