"""Every personality of every vendor keeps the driver contract, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ponprobe import emulator
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.testing import DriverContract


class TestEveryPersonality(DriverContract):
    @pytest.fixture
    def device(self, personality: Any, device_of: Any) -> Iterator[Any]:
        with emulator.serve(personality.lab) as lab:
            yield device_of(personality, lab.olt)

    @pytest.fixture
    def order(self, personality: Any) -> ActivationOrder:
        return personality.order
