"""Judging: readings and limits in, losses, verdict and findings out. Pure: no clock, no device, no rounding.

The official verdict is simple acceptance, as the acceptance specification says: ONU Rx at or above the stage's limit
passes, equality included, on the unrounded value. Beside it stands how sure that is: the ``band``, and what to do next.
The band reaches the official verdict only under a policy that is asked for by name. Everything else that the numbers
tell becomes a ``Finding``, and only one finding touches the verdict: readings from a module whose own diagnostics are
nonsense are not judged at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.models.judgement import (
    K_ONE_SIDED_95,
    Accuracy,
    Band,
    Comparison,
    Finding,
    Judgement,
    JudgeOptions,
    LinkLoss,
    NextAction,
    Outcome,
    Policy,
    Threshold,
    ThresholdSet,
    Verdict,
)
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import Calibration
from ponprobe.optics import gates
from ponprobe.optics.calibration import outside_range
from ponprobe.optics.classes import optical_class as class_of
from ponprobe.optics.exact import LOSS_ENDS, NAMES, decimal, difference, link_loss, missing, shown
from ponprobe.optics.thresholds import (
    CONSTRUCTION,
    USER_SIDE,
    check_against_class,
    load_threshold_sets,
    parse_limit,
    parse_threshold_sets,
    threshold_set,
    threshold_sets,
)
from ponprobe.optics.uncertainty import band_of, named_accuracy, outcome_of, probability_met, uncertainty_of

__all__ = [
    "CONSTRUCTION",
    "USER_SIDE",
    "judge",
    "link_loss",
    "load_threshold_sets",
    "parse_limit",
    "parse_threshold_sets",
    "rejudge",
    "threshold_set",
    "threshold_sets",
]

_WORST_FIRST = (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS)
_WORST_BAND_FIRST = (Band.FAIL, Band.MARGINAL_FAIL, Band.UNDETERMINED, Band.MARGINAL_PASS, Band.PASS)
_NEXT = {
    Band.PASS: NextAction(code="none", text="nothing: the number is clear of its limit"),
    Band.MARGINAL_PASS: NextAction(
        code="hand_held_reading",
        text="confirm with a hand-held power meter at the same place; another poll repeats the same error",
    ),
    Band.FAIL: NextAction(
        code="inspect_line",
        text="check the recorded split ratio first, then joints, connectors and bends, then measure again",
    ),
    Band.UNDETERMINED: NextAction(code="read_again", text="find out why the number is missing, then read again"),
}
_NEXT[Band.MARGINAL_FAIL] = _NEXT[Band.MARGINAL_PASS]
_UNTRUSTED = NextAction(
    code="other_instrument",
    text="measure with another test ONU or a hand-held power meter: this one's numbers are absurd",
)


def judge(
    readings: Sequence[OpticalReading] | OpticalReading,
    thresholds: ThresholdSet,
    *,
    judged_at: datetime,
    policy: Policy | str = Policy.SIMPLE,
    k: float = K_ONE_SIDED_95,
    optical_class: str | None = None,
    split: int | None = None,
    family: str | None = None,
    accuracy: Accuracy | str | None = None,
    calibration: Calibration | None = None,
) -> Verdict:
    """Hold the medians of one ONU's samples against a threshold set.

    A power counts as read when at least half of the samples have it. ``FAIL`` if any limit is missed, else
    ``UNDETERMINED`` if any judged quantity is missing, else ``PASS``; always ``UNDETERMINED`` when the diagnostics of a
    module are nonsense. The order of the samples does not matter.

    Each judgement has a band: a number nearer to its limit than ``w = k * u`` is marginal. The outcome follows the band
    only under the policies ``guard_accept`` and ``guard_reject``. u comes from the ``calibration`` certificate of the
    test ONU, else from ``accuracy`` (a built-in name or your own), else from the precision that a reading declares,
    else from a default of ``family``, a platform name, else ±3 dB. ``calibration`` wants readings that
    ``optics.calibration.corrected`` has corrected by this certificate. ``optical_class`` (an id; default: that of the
    threshold set) and ``split``, the N of 1:N, add plausibility findings.

    Raises ``ValueError`` for no samples or samples of different ONUs, ``ConfigError`` for an unknown class or accuracy,
    for ``k``, ``split`` or ``policy`` out of range, and for readings that the certificate was not applied to;
    ``judged_at`` must be aware.
    """
    try:
        options = JudgeOptions(
            policy=policy,
            k=k,
            optical_class=optical_class or thresholds.optical_class,
            family=family,
            accuracy=named_accuracy(accuracy) if isinstance(accuracy, str) else accuracy,
            calibration=calibration,
            split=split,
        )
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
        raise ConfigError(f"the judge cannot work with {wrong}", hint="see ponprobe.evaluate.judge") from exc
    samples = (readings,) if isinstance(readings, OpticalReading) else tuple(readings)
    return _judged(samples, thresholds, options, judged_at, replaces=None)


def rejudge(
    verdict: Verdict, thresholds: ThresholdSet, *, judged_at: datetime, options: JudgeOptions | None = None
) -> Verdict:
    """A new verdict on the readings of an old one, which it names in ``replaces`` and leaves as it is.

    ``options`` are the old verdict's unless others are given; a class that only the old threshold set named is dropped
    with that set. Raises as ``judge`` does.
    """
    if options is None:
        options = verdict.options
        if options.optical_class == verdict.threshold_set.optical_class:
            options = options.model_copy(update={"optical_class": thresholds.optical_class})
    return _judged(verdict.readings, thresholds, options, judged_at, replaces=verdict.digest)


def _judged(
    samples: tuple[OpticalReading, ...],
    thresholds: ThresholdSet,
    options: JudgeOptions,
    judged_at: datetime,
    replaces: str | None,
) -> Verdict:
    if not samples:
        raise ValueError("a verdict needs at least one reading")
    if len({sample.onu for sample in samples}) > 1:
        raise ValueError(f"the samples are of different ONUs: {', '.join(sorted({str(s.onu) for s in samples}))}")
    if options.calibration is not None:
        _require_corrected(samples, options.calibration)
    known = None if options.optical_class is None else class_of(options.optical_class)
    reading = _combined(samples)
    loss = link_loss(reading)
    garbage = sorted({complaint for sample in samples for complaint in gates.garbage(sample)})
    judgements = tuple(
        _judgement(threshold, samples, reading, loss, garbage=garbage, options=options)
        for threshold in thresholds.thresholds
    )
    outcomes, bands = {each.outcome for each in judgements}, {each.band for each in judgements}
    band = next(each for each in _WORST_BAND_FIRST if each in bands)
    findings = [
        *gates.untrusted(garbage),
        *gates.plausibility(samples, reading, loss, options, known),
        *check_against_class(thresholds, known),
        *_extrapolated(reading, options.calibration),
        *_precision(reading, judgements),
        *gates.repetition(samples),
        *gates.time_skew(samples),
        *gates.device_arithmetic(samples),
    ]
    return Verdict(
        outcome=next(each for each in _WORST_FIRST if each in outcomes),
        onu=reading.onu,
        threshold_set=thresholds,
        readings=samples,
        reading=reading,
        loss=loss,
        judgements=judgements,
        findings=tuple(findings),
        judged_at=judged_at,
        band=band,
        next_action=_UNTRUSTED if garbage else _NEXT[band],
        not_judged=thresholds.not_judged,
        options=options,
        replaces=replaces,
    )


# -- samples ----------------------------------------------------------------------------------------------------------


def _combined(samples: Sequence[OpticalReading]) -> OpticalReading:
    """One reading out of many: the median of each number."""
    if len(samples) == 1:
        return samples[0]

    def of_present(name: str, middle: Callable[[list[Any]], Any]) -> Any:
        present = [value for value in (getattr(sample, name) for sample in samples) if value is not None]
        return middle(present) if present else None

    fields: dict[str, Any] = {name: _median_reading([getattr(sample, name) for sample in samples]) for name in POWERS}
    for name in ("temperature_c", "voltage_v", "bias_ma"):
        fields[name] = of_present(name, median)
    for name in ("device_downstream_attenuation_db", "device_upstream_attenuation_db"):
        fields[name] = of_present(name, lambda values: Db(_median_of(values)))
    return OpticalReading(onu=samples[0].onu, **fields)


def _median_of(values: Iterable[Dbm | Db]) -> float:
    return float(median(decimal(value) for value in values))


def _median_reading(readings: Sequence[Reading]) -> Reading:
    present = [reading for reading in readings if reading.value is not None]
    # a link that answers less than every second time is not measured by its good moments
    counted = present if 2 * len(present) >= len(readings) else [each for each in readings if each.value is None]
    source = "; ".join(sorted({reading.source for reading in counted if reading.source})) or None
    at = max((reading.at for reading in counted if reading.at), default=None)
    if counted is not present:
        reasons = Counter(reading.absence for reading in counted if reading.absence)
        absence = max(Absence, key=lambda each: reasons[each])
        return Reading(absence=absence, source=source, at=at)
    value = Dbm(_median_of(reading.value for reading in present if reading.value is not None))
    precision = max((reading.precision_db for reading in present if reading.precision_db is not None), default=None)
    return Reading(value=value, source=source, at=at, precision_db=precision)


def _require_corrected(samples: Sequence[OpticalReading], calibration: Calibration) -> None:
    """A certificate's small uncertainty is that of corrected numbers only."""
    mark = f"certificate {calibration.certificate} by "
    for sample in samples:
        power = sample.onu_rx_dbm
        if power.value is not None and mark not in (power.source or ""):
            raise ConfigError(
                f"ONU Rx {power} of {sample.onu} has not been corrected by certificate {calibration.certificate}",
                hint="pass each reading through ponprobe.optics.calibration.corrected first",
            )


# -- one limit --------------------------------------------------------------------------------------------------------


def _judgement(
    threshold: Threshold,
    samples: Sequence[OpticalReading],
    reading: OpticalReading,
    loss: LinkLoss,
    *,
    garbage: Sequence[str],
    options: JudgeOptions,
) -> Judgement:
    name = NAMES[threshold.quantity]
    measured, absent = _measured(threshold.quantity, reading, loss)
    if measured is None or garbage:
        reason = absent
        if measured is not None:
            reason = f"{name} {shown(measured)} is not judged, its source is not trusted: {'; '.join(garbage)}"
        return Judgement(
            threshold=threshold,
            measured=measured,
            outcome=Outcome.UNDETERMINED,
            reason=reason,
            band=Band.UNDETERMINED,
        )
    margin = _margin(threshold, measured)
    uncertainty = uncertainty_of(threshold.quantity, samples, reading, options)
    band = band_of(margin.value, uncertainty.w_db.value)
    return Judgement(
        threshold=threshold,
        measured=measured,
        outcome=outcome_of(band, options.policy),
        reason=_reason(threshold, measured, margin, guard=uncertainty.w_db, band=band, policy=options.policy),
        band=band,
        margin_db=margin,
        uncertainty=uncertainty,
        probability=probability_met(margin.value, uncertainty.u_db.value),
    )


def _measured(quantity: str, reading: OpticalReading, loss: LinkLoss) -> tuple[Dbm | Db | None, str]:
    """The number of a quantity, or why there is none."""
    if quantity in POWERS:
        power: Reading = getattr(reading, quantity)
        return power.value, "" if power.value is not None else missing(quantity, power)
    absence = getattr(loss, quantity.replace("attenuation_db", "absence"))
    return getattr(loss, quantity), f"{NAMES[quantity]} cannot be computed: {absence}"


def _reason(threshold: Threshold, measured: Dbm | Db, margin: Db, *, guard: Db, band: Band, policy: Policy) -> str:
    met = margin >= Db(0)
    sign = {Comparison.AT_LEAST: (">=", "<"), Comparison.AT_MOST: ("<=", ">")}[threshold.comparison][0 if met else 1]
    reason = f"{NAMES[threshold.quantity]} {shown(measured)} {sign} {shown(threshold.limit)}, "
    if outcome_of(band, policy) is not outcome_of(band, Policy.SIMPLE):
        # the limit alone would have said the opposite, so the rule that decided stands beside it
        reason += f"inside the guard band of {guard}, which {policy} {'fails' if met else 'passes'}, "
    return reason + (f"margin {shown(margin)}" if met else f"missed by {shown(-margin)}")


def _margin(threshold: Threshold, measured: Dbm | Db) -> Db:
    """How far inside its limit a number is; negative outside, zero exactly on it."""
    inside = difference(measured.value, threshold.limit.value)
    return Db(inside if threshold.comparison is Comparison.AT_LEAST else -inside)


def _precision(reading: OpticalReading, judgements: Sequence[Judgement]) -> Iterable[Finding]:
    for judgement in judgements:
        quantity, margin = judgement.threshold.quantity, judgement.margin_db
        ends = [getattr(reading, name) for name in LOSS_ENDS.get(quantity, (quantity,))]
        declared = [end.precision_db for end in ends if end.precision_db is not None]
        if margin is None or not declared:
            continue
        precision = sum(declared, start=Db(0))
        if abs(margin) < precision:
            yield Finding(
                code="within_precision",
                text=f"{NAMES[quantity]} is {shown(abs(margin))} from its limit, and the device itself declares "
                f"an accuracy of only ±{shown(precision)}",
                next_step="confirm with a hand-held power meter; another poll repeats the same error",
                values=(
                    ("quantity", quantity),
                    ("margin", shown(abs(margin))),
                    ("precision", shown(precision)),
                ),
            )


def _extrapolated(reading: OpticalReading, calibration: Calibration | None) -> Iterable[Finding]:
    text = None if calibration is None else outside_range(calibration, reading)
    if calibration is not None and text is not None:
        yield Finding(
            code="calibration_extrapolated",
            text=text,
            next_step="confirm with a hand-held power meter, or calibrate the test ONU at this power, too",
            values=(
                ("measured", str(reading.onu_rx_dbm)),
                ("certificate", calibration.certificate),
                ("low", str(calibration.lowest_dbm)),
                ("high", str(calibration.highest_dbm)),
            ),
        )
