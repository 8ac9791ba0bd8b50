"""The rule for parts that are missing here: a skip with its reason, or a failure where every part was promised."""

from __future__ import annotations

import os

import pytest


def missing(what: str) -> None:
    """Skip with a reason, or fail where the environment promises that every part is present."""
    if os.environ.get("PONPROBE_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}, and PONPROBE_REQUIRE_ALL=1 promises it")
    pytest.skip(what)
