"""What every test may need: the material beside the project, and the rule for parts that are missing here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for what several suites share

from parts import missing
from personalities import PERSONALITIES, EmulatedDevice, Personality


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real device text beside the project, or another that PONPROBE_SHARED names."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("PONPROBE_SHARED", default))
    if not (folder / "captures" / "check.py").exists():
        missing("the captures of real devices are not beside the project (PONPROBE_SHARED names another place)")
    return folder


@pytest.fixture(params=PERSONALITIES, ids=lambda personality: personality.id)
def personality(request: pytest.FixtureRequest) -> Personality:
    """Each emulated OLT in turn."""
    chosen: Personality = request.param
    return chosen


@pytest.fixture(scope="session")
def device_of() -> type[EmulatedDevice]:
    """How an emulated OLT becomes a device of the driver contract."""
    return EmulatedDevice
