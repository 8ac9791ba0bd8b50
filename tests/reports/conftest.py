"""Report tests share their samples."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what these tests share

import report_samples

from ponprobe.reports import ReportData


@pytest.fixture(scope="session")
def everything() -> ReportData:
    """One splitter of each kind."""
    return report_samples.everything()


@pytest.fixture(scope="session")
def hostile() -> ReportData:
    """Names that break careless writers."""
    return report_samples.hostile()
