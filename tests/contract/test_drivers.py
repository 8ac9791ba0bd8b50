"""Every personality of every vendor keeps the driver contract, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ponprobe import emulator
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.testing import DriverContract


class TestEveryPersonality(DriverContract):
    @pytest.fixture
    def device(
        self, personality: Any, device_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Any]:
        with emulator.serve(personality.scenario) as lab:
            olt = lab.olts[personality.olt]
            for name, value in personality.environment(olt, tmp_path).items():
                monkeypatch.setenv(name, value)
            yield device_of(personality, olt)

    @pytest.fixture
    def order(self, personality: Any) -> ActivationOrder:
        return personality.order
