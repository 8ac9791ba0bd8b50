"""Five thousand splitters in bounded memory, each format in a process of its own."""

from __future__ import annotations

import pytest
from benchmarks.reports import FORMATS, LIMIT_MB, SPLITTERS, in_a_process


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FORMATS)
def test_no_format_needs_more_than_its_memory(name: str) -> None:
    assert in_a_process(name, SPLITTERS)["peak_mb"] < LIMIT_MB
