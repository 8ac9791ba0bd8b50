"""From one run's readings to what is known about the splitter: the verdict, and the loss that the plant should show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from ponprobe.errors import ConfigError
from ponprobe.evaluate import judge
from ponprobe.models.addressing import Serial
from ponprobe.models.device import OnuState
from ponprobe.models.judgement import Finding, JudgeOptions, ThresholdSet, Verdict
from ponprobe.models.optical import OpticalReading
from ponprobe.models.plant import Calibration, PlantComparison, PlantRecord
from ponprobe.optics.calibration import corrected, require_valid
from ponprobe.optics.comparison import compare, judged_losses

Plant: TypeAlias = PlantRecord | tuple[int, ...]
"""The plant as recorded, or its split ratios alone: then the length is what the OLT ranges."""


def split_of(plant: Plant) -> int:
    """The total split ratio."""
    return math.prod(plant.stages if isinstance(plant, PlantRecord) else plant)


def certified(calibration: Calibration, serial: Serial | None, at: datetime) -> Serial:
    """The serial that a certificate is for, if it is this test ONU's and still valid; ``ConfigError`` otherwise."""
    if serial is None:
        raise ConfigError(
            f"certificate {calibration.certificate} is for {calibration.serial}, and the test ONU has no serial here",
            hint="register it by its serial, or measure without the certificate",
        )
    require_valid(calibration, serial=serial, at=at)
    return serial


def judged(
    readings: Sequence[OpticalReading],
    thresholds: ThresholdSet,
    options: JudgeOptions,
    *,
    platform: str,
    serial: Serial | None,
    plant: Plant | None,
    at: datetime,
) -> Verdict:
    """Judge one run's samples, corrected by the test ONU's certificate if ``options`` have one.

    ``platform`` is the family whose default accuracy counts where no better one is known. Raises ``ConfigError`` for a
    certificate of another ONU or time, and for a calibrated ONU that was not registered by its serial.
    """
    if options.calibration is not None:
        mine = certified(options.calibration, serial, at)
        readings = [corrected(reading, options.calibration, serial=mine, at=at) for reading in readings]
    if options.split is None and plant is not None:
        options = options.model_copy(update={"split": split_of(plant)})
    given = {name: getattr(options, name) for name in JudgeOptions.model_fields}
    return judge(readings, thresholds, judged_at=at, **{**given, "family": options.family or platform})


def compared(verdict: Verdict, plant: Plant | None, state: OnuState | None) -> tuple[PlantComparison, ...]:
    """Each direction's loss held against the plant; nothing where the plant, its length or a power is not known."""
    record = _with_length(plant, None if state is None else state.distance_m)
    if record is None:
        return ()
    return tuple(compare(record, measured) for measured in judged_losses(verdict))


def plant_findings(comparisons: Sequence[PlantComparison]) -> tuple[Finding, ...]:
    """What a loss that the plant as recorded does not explain says to a person; nothing where it fits."""
    return tuple(
        Finding(
            code="plant_differs",
            text=each.text,
            next_step="check the recorded split ratio and length first, then joints, connectors and bends",
        )
        for each in comparisons
        if not any(explanation.kind == "as_recorded" and explanation.fits for explanation in each.explanations)
    )


def _with_length(plant: Plant | None, distance_m: float | None) -> PlantRecord | None:
    ranged = None if distance_m is None else distance_m / 1000
    if isinstance(plant, PlantRecord):
        return plant if ranged is None else plant.model_copy(update={"ranging_km": ranged})
    return None if plant is None or ranged is None else PlantRecord(stages=plant, ranging_km=ranged)
