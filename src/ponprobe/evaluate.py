"""Judging: readings and limits in, losses, verdict and findings out. Pure: no clock, no device, no rounding.

The official verdict is simple acceptance, as the acceptance specification says: ONU Rx at or above the stage's limit
passes, equality included, on the unrounded value. Everything else that the numbers tell becomes a ``Finding``. Only one
finding touches the verdict: readings from a module whose own diagnostics are nonsense are not judged at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from types import MappingProxyType
from typing import Any

from ponprobe.errors import ConfigError
from ponprobe.models.optical import (
    POWERS,
    Absence,
    Comparison,
    Db,
    Dbm,
    Finding,
    Judgement,
    LinkLoss,
    OpticalReading,
    Outcome,
    Reading,
    Threshold,
    ThresholdSet,
    Verdict,
)


def _onu_rx_at_least(name: str, stage: str, limit: float, source_text: str) -> ThresholdSet:
    meaning = f"ONU Rx >= {limit:g} dBm, although the specification writes DB: the judged quantity is a power"
    threshold = Threshold(
        quantity="onu_rx_dbm",
        comparison=Comparison.AT_LEAST,
        limit=Dbm(limit),
        source_text=source_text,
        interpretation=meaning,
    )
    return ThresholdSet(id=name, stage=stage, thresholds=(threshold,))


CONSTRUCTION = _onu_rx_at_least(
    "construction", "construction, at the last splitter before the drop cable", -20.0, "-20DB"
)
"""The default of an acceptance run: what the splitter must deliver before the drop cable is laid."""

USER_SIDE = _onu_rx_at_least("user_side", "user side, after the drop cable", -27.0, "-27DB")
"""What must reach the user's own equipment; the 7 dB to ``CONSTRUCTION`` are the reserve for the drop cable."""

_SETS: Mapping[str, ThresholdSet] = MappingProxyType({known.id: known for known in (CONSTRUCTION, USER_SIDE)})

_NAMES = {
    "olt_tx_dbm": "OLT Tx",
    "olt_rx_dbm": "OLT Rx",
    "onu_tx_dbm": "ONU Tx",
    "onu_rx_dbm": "ONU Rx",
    "downstream_attenuation_db": "downstream attenuation",
    "upstream_attenuation_db": "upstream attenuation",
}
_LOSS_ENDS = {
    "downstream_attenuation_db": ("olt_tx_dbm", "onu_rx_dbm"),
    "upstream_attenuation_db": ("onu_tx_dbm", "olt_rx_dbm"),
}
_WHY_ABSENT = {
    Absence.NOT_REPORTED: "the device printed no value",
    Absence.NO_SIGNAL: "no light was received",
    Absence.OUT_OF_RANGE: "the device declared its own number out of range",
    Absence.OFFLINE: "the ONU is offline",
    Absence.UNSUPPORTED: "the device cannot report it",
    Absence.GARBLED: "the device's answer was garbled",
    Absence.NOT_READ: "it was not read",
}

# Outside these a module's diagnostics are nonsense. Third-party ONUs were seen to print 32 dBm, 5600 mA and 0.163 V
# beside a harmless looking Rx, so one absurd field makes the whole module untrusted. The bounds are ponprobe's choice.
_POWER_GATES = {"onu_rx_dbm": (-40.0, 5.0), "onu_tx_dbm": (-5.0, 10.0), "olt_rx_dbm": (-40.0, 5.0)}
_VOLTAGE_GATE_V = (2.8, 3.8)
_BIAS_LIMIT_MA = 150.0

_OVERLOAD = Dbm(-8.0)  # receiver overload of GPON ONUs of class B+ and C+ (ITU-T G.984.2)
_SKEW_LIMIT = timedelta(seconds=60)
_ARITHMETIC_TOLERANCE = Db(0.1)
_UNSTABLE = Db(1.0)  # repeated reads of one ONU spread over 0.05 to 0.2 dB, so a whole dB is the plant, not the meter
_DIRECTIONS_LIMIT = Db(6.8)  # how far two losses may differ by declared accuracies of ±3 dB alone


def threshold_sets() -> Mapping[str, ThresholdSet]:
    """The built-in threshold sets by id, read-only."""
    return _SETS


def threshold_set(name: str) -> ThresholdSet:
    """The threshold set with this id; ``ConfigError`` with the known ids otherwise."""
    try:
        return _SETS[name]
    except KeyError:
        raise ConfigError(f"there is no threshold set {name!r}", hint=f"known: {', '.join(sorted(_SETS))}") from None


def link_loss(reading: OpticalReading) -> LinkLoss:
    """Both attenuations in dB: downstream OLT Tx - ONU Rx, upstream ONU Tx - OLT Rx.

    Where a power is absent the attenuation is ``None`` and a sentence says which power and why. Computed in decimal, so
    that 3.2 dBm - (-17.06 dBm) is 20.26 dB and not a hair less.
    """
    found: dict[str, Any] = {}
    for quantity, (launched, received) in _LOSS_ENDS.items():
        value, reason = _loss(getattr(reading, launched), getattr(reading, received), launched, received)
        found[quantity] = value
        found[quantity.replace("attenuation_db", "absence")] = reason
    return LinkLoss(**found)


def judge(
    readings: Sequence[OpticalReading] | OpticalReading, thresholds: ThresholdSet, *, judged_at: datetime
) -> Verdict:
    """Hold the medians of one ONU's samples against a threshold set.

    A power counts as read when at least half of the samples have it. ``FAIL`` if any limit is missed, else
    ``UNDETERMINED`` if any judged quantity is missing, else ``PASS``; always ``UNDETERMINED`` when the diagnostics of a
    module are nonsense. The order of the samples does not matter. Raises ``ValueError`` for no samples or samples of
    different ONUs; ``judged_at`` must be aware.
    """
    samples = (readings,) if isinstance(readings, OpticalReading) else tuple(readings)
    if not samples:
        raise ValueError("a verdict needs at least one reading")
    if len({sample.onu for sample in samples}) > 1:
        raise ValueError(f"the samples are of different ONUs: {', '.join(sorted({str(s.onu) for s in samples}))}")
    reading = _combined(samples)
    loss = link_loss(reading)
    garbage = sorted({complaint for sample in samples for complaint in _garbage(sample)})
    judgements = tuple(_judgement(threshold, reading, loss, garbage) for threshold in thresholds.thresholds)
    outcomes = {judgement.outcome for judgement in judgements}
    worst = next(each for each in (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS) if each in outcomes)
    return Verdict(
        outcome=Outcome.UNDETERMINED if garbage else worst,
        onu=reading.onu,
        threshold_set=thresholds,
        readings=samples,
        reading=reading,
        loss=loss,
        judgements=judgements,
        findings=tuple(_findings(samples, reading, loss, judgements, garbage)),
        judged_at=judged_at,
    )


def _decimal(quantity: Dbm | Db) -> Decimal:
    """The number as the device printed it: the shortest decimal that is this float."""
    return Decimal(repr(quantity.value))


def _gap(one: Dbm | Db, other: Dbm | Db) -> Db:
    """How far apart two numbers of one unit are, exactly."""
    return Db(float(abs(_decimal(one) - _decimal(other))))


def _shown(quantity: Dbm | Db) -> str:
    """Two decimals, or all of them where two would hide what was compared."""
    value = quantity.value
    return str(quantity) if float(f"{value:.2f}") == value else f"{value!r} {quantity.unit}"


def _loss(launched: Reading, received: Reading, *names: str) -> tuple[Db | None, str | None]:
    if launched.value is not None and received.value is not None:
        return Db(float(_decimal(launched.value) - _decimal(received.value))), None
    missing = [_missing(name, end) for name, end in zip(names, (launched, received), strict=True) if end.value is None]
    return None, "; ".join(missing)


def _missing(name: str, reading: Reading) -> str:
    assert reading.absence is not None  # a reading has either a value or a reason  # noqa: S101
    return f"{_NAMES[name]} is missing: {_WHY_ABSENT[reading.absence]}"


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
    return float(median(_decimal(value) for value in values))


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


def _garbage(sample: OpticalReading) -> list[str]:
    """What this sample says that no working module can."""
    found = []
    for name, (low, high) in _POWER_GATES.items():
        value = getattr(sample, name).value
        if value is not None and not low <= value.value <= high:
            found.append(f"{_NAMES[name]} {_shown(value)} is outside {low:g}..{high:+g} dBm")
    low, high = _VOLTAGE_GATE_V
    # written so that a NaN is garbage too
    if sample.voltage_v is not None and not low <= sample.voltage_v <= high:
        found.append(f"supply voltage {sample.voltage_v:g} V is outside {low:g}..{high:g} V")
    if sample.bias_ma is not None and not sample.bias_ma <= _BIAS_LIMIT_MA:
        found.append(f"laser bias {sample.bias_ma:g} mA is above {_BIAS_LIMIT_MA:g} mA")
    return found


def _judgement(threshold: Threshold, reading: OpticalReading, loss: LinkLoss, garbage: Sequence[str]) -> Judgement:
    name = _NAMES[threshold.quantity]
    measured: Dbm | Db | None
    if threshold.quantity in POWERS:
        power: Reading = getattr(reading, threshold.quantity)
        measured, missing = power.value, None if power.value is not None else _missing(threshold.quantity, power)
    else:
        measured = getattr(loss, threshold.quantity)
        absence = getattr(loss, threshold.quantity.replace("attenuation_db", "absence"))
        missing = f"{name} cannot be computed: {absence}" if measured is None else None
    if measured is None:
        return Judgement(threshold=threshold, measured=None, outcome=Outcome.UNDETERMINED, reason=missing or name)
    if garbage:
        reason = f"{name} {_shown(measured)} is not judged, its source is not trusted: {'; '.join(garbage)}"
        return Judgement(threshold=threshold, measured=measured, outcome=Outcome.UNDETERMINED, reason=reason)
    margin = _margin(threshold, measured)
    met = margin >= Db(0)
    sign = {Comparison.AT_LEAST: (">=", "<"), Comparison.AT_MOST: ("<=", ">")}[threshold.comparison][0 if met else 1]
    reason = f"{name} {_shown(measured)} {sign} {_shown(threshold.limit)}, "
    reason += f"margin {_shown(margin)}" if met else f"missed by {_shown(-margin)}"
    return Judgement(
        threshold=threshold, measured=measured, outcome=Outcome.PASS if met else Outcome.FAIL, reason=reason
    )


def _margin(threshold: Threshold, measured: Dbm | Db) -> Db:
    """How far inside its limit a number is; negative outside, zero exactly on it."""
    inside = _decimal(measured) - _decimal(threshold.limit)
    return Db(float(inside if threshold.comparison is Comparison.AT_LEAST else -inside))


def _findings(
    samples: Sequence[OpticalReading],
    reading: OpticalReading,
    loss: LinkLoss,
    judgements: Sequence[Judgement],
    garbage: Sequence[str],
) -> Iterable[Finding]:
    if garbage:
        yield Finding(
            code="ddm_untrusted",
            text=f"the diagnostics of a module are nonsense ({'; '.join(garbage)}), so none of its numbers is judged",
            next_step="measure with another test ONU or a hand-held power meter",
        )
    yield from _plausibility(samples, reading, loss)
    yield from _precision(reading, judgements)
    yield from _sampling(samples)
    yield from _skew(samples)
    yield from _device_arithmetic(samples)


def _plausibility(samples: Sequence[OpticalReading], reading: OpticalReading, loss: LinkLoss) -> Iterable[Finding]:
    received = reading.onu_rx_dbm.value
    if received is not None and received > _OVERLOAD:
        yield Finding(
            code="overload",
            text=f"ONU Rx {_shown(received)} is above {_shown(_OVERLOAD)}, the overload level of GPON ONUs",
            next_step="check that the ONU hangs behind the recorded splitter and not before it",
        )
    down, up = loss.downstream_attenuation_db, loss.upstream_attenuation_db
    for name, value in (("downstream", down), ("upstream", up)):
        if value is not None and value < Db(0):
            yield Finding(
                code="negative_loss",
                text=f"the {name} attenuation is {_shown(value)}: no passive line amplifies",
                next_step="check that the OLT Tx is this PON port's and that Tx and Rx are not swapped",
            )
    if all(_same(sample, "onu_rx_dbm", "olt_rx_dbm") for sample in samples) and (
        len(samples) > 1 or _same(reading, "onu_tx_dbm", "olt_tx_dbm")
    ):
        yield Finding(
            code="directions_duplicated",
            text=f"ONU Rx and OLT Rx are the same number ({reading.onu_rx_dbm}): one may be a copy of the other",
            next_step="compare with the device's own page for this ONU",
        )
    if down is not None and up is not None and _gap(down, up) > _DIRECTIONS_LIMIT:
        yield _directions_disagree(reading, down, up)


def _directions_disagree(reading: OpticalReading, down: Db, up: Db) -> Finding:
    text = f"downstream {_shown(down)} and upstream {_shown(up)} differ by {_shown(_gap(down, up))}"
    exchanged = link_loss(
        reading.model_copy(update={"onu_rx_dbm": reading.olt_rx_dbm, "olt_rx_dbm": reading.onu_rx_dbm})
    )
    other_down, other_up = exchanged.downstream_attenuation_db, exchanged.upstream_attenuation_db
    if other_down is not None and other_up is not None and _gap(other_down, other_up) < Db(2.0):
        return Finding(
            code="directions_swapped",
            text=f"{text}, and agree when ONU Rx and OLT Rx change places: the two may be swapped",
            next_step="compare with the device's own page for this ONU",
        )
    return Finding(
        code="directions_disagree",
        text=f"{text}: more than the accuracy of the devices explains",
        next_step="check that the OLT Tx is this PON port's, then clean and inspect the connectors at both ends",
    )


def _same(reading: OpticalReading, one: str, other: str) -> bool:
    value = getattr(reading, one).value
    return value is not None and value == getattr(reading, other).value


def _precision(reading: OpticalReading, judgements: Sequence[Judgement]) -> Iterable[Finding]:
    for judgement in judgements:
        quantity = judgement.threshold.quantity
        ends = [getattr(reading, name) for name in _LOSS_ENDS.get(quantity, (quantity,))]
        declared = [end.precision_db for end in ends if end.precision_db is not None]
        if judgement.measured is None or judgement.outcome is Outcome.UNDETERMINED or not declared:
            continue
        precision = sum(declared, start=Db(0))
        margin = _margin(judgement.threshold, judgement.measured)
        if abs(margin) < precision:
            yield Finding(
                code="within_precision",
                text=f"{_NAMES[quantity]} is {_shown(abs(margin))} from its limit, and the device itself declares "
                f"an accuracy of only ±{_shown(precision)}",
                next_step="confirm with a hand-held power meter; another poll repeats the same error",
            )


def _sampling(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    if len(samples) == 1:
        return
    spreads = []
    for name in POWERS:
        present = [value for value in (getattr(sample, name).value for sample in samples) if value is not None]
        if 0 < len(present) < len(samples):
            yield Finding(
                code="samples_missing",
                text=f"{_NAMES[name]} has a value in {len(present)} of {len(samples)} samples",
                next_step="look for a loose connector or an ONU that restarts",
            )
        if len(present) > 1:
            spread = _gap(max(present), min(present))
            spreads.append((name, spread))
            if spread > _UNSTABLE:
                yield Finding(
                    code="unstable",
                    text=f"{_NAMES[name]} moved by {_shown(spread)} over {len(present)} samples",
                    next_step="look for a loose connector or a bent fibre, then measure again",
                )
    if spreads:
        each = ", ".join(f"{_NAMES[name]} {_shown(spread)}" for name, spread in spreads)
        yield Finding(code="spread", text=f"medians of {len(samples)} samples; spread: {each}")


def _skew(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    skews = []
    for sample in samples:
        times = [reading.at for reading in sample.powers.values() if reading.value is not None and reading.at]
        skews.append(max(times) - min(times) if times else timedelta())
    if max(skews) > _SKEW_LIMIT:
        yield Finding(
            code="time_skew",
            text=f"the powers of one sample were read up to {max(skews).total_seconds():.0f} s apart",
            next_step="read them again in one go before trusting an attenuation",
        )


def _device_arithmetic(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    for name in _LOSS_ENDS:
        worst: tuple[Db, Db, Db] | None = None
        for sample in samples:
            printed: Db | None = getattr(sample, f"device_{name}")
            ours: Db | None = getattr(link_loss(sample), name)
            if printed is None or ours is None:
                continue
            gap = _gap(printed, ours)
            if gap > _ARITHMETIC_TOLERANCE and (worst is None or (gap, printed) > worst[:2]):
                worst = (gap, printed, ours)
        if worst is not None:
            yield Finding(
                code="device_arithmetic",
                text=f"the device prints {_NAMES[name]} {_shown(worst[1])}, its own powers give {_shown(worst[2])}",
                next_step="trust the powers; the device may use another port's or an older OLT Tx",
            )
