"""Every personality of every vendor keeps the driver contract, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from points import kinds_of_points
from ponprobe import emulator
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.testing import DriverContract


class TestEveryPersonality(DriverContract):
    @pytest.fixture
    def device(self, personality: Any, device_of: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
        # whole runs speak what the device speaks; the sweeps log in too often for keys of 2010
        often = request.node.get_closest_marker("exhaustive") is not None
        with emulator.serve(personality.lab if often else personality.lab_as_built) as lab:
            yield device_of(personality, lab.olt)

    @pytest.fixture
    def order(self, personality: Any) -> ActivationOrder:
        return personality.order

    @pytest.fixture
    def points(
        self, personality: Any, device: Any, order: ActivationOrder, open_olt: Callable[..., Any], tmp_path: Path
    ) -> Sequence[int]:
        """Every command; of an OLT whose grammar another has, every kind of point and the first reading."""
        if personality.every_command:
            return range(1, 500)
        with kinds_of_points(device.olt, tmp_path / "journal.sqlite3") as kinds, open_olt() as olt:
            assert olt.measure(order).clean
        reading = 1 + next(n for n, line in enumerate(device.olt.commands) if personality.read_words in line)
        return sorted({reading, *kinds["arrived"], *kinds["executed"]})
