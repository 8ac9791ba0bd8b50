"""Plausibility: what numbers tell beside the verdict, before anybody believes them.

Only one gate touches the verdict: a module whose own diagnostics are nonsense is not judged at all. All others are
findings. Without a class no class gate is made up, and without a split ratio no split gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ponprobe.models.judgement import ATTENUATIONS, Finding, JudgeOptions, LinkLoss
from ponprobe.models.optical import POWERS, Db, Dbm, OpticalReading
from ponprobe.optics.classes import OpticalClass
from ponprobe.optics.exact import NAMES, gap, link_loss, shown
from ponprobe.optics.uncertainty import accuracy_of, uncertainty_of

# Outside these a module's diagnostics are nonsense. Third-party ONUs were seen to print 32 dBm, 5600 mA and 0.163 V
# beside a harmless looking Rx, so one absurd field makes the whole module untrusted. The bounds are ponprobe's choice.
POWER_GATES = {"onu_rx_dbm": (-40.0, 5.0), "onu_tx_dbm": (-5.0, 10.0), "olt_rx_dbm": (-40.0, 5.0)}
VOLTAGE_GATE_V = (2.8, 3.8)
BIAS_LIMIT_MA = 150.0

_OVERLOAD = Dbm(-8.0)  # receiver overload of GPON ONUs of class B+ and C+ (ITU-T G.984.2)
_SKEW_LIMIT = timedelta(seconds=60)
_ARITHMETIC_TOLERANCE = Db(0.1)
_UNSTABLE = Db(1.0)  # repeated reads of one ONU spread over 0.05 to 0.2 dB, so a whole dB is the plant, not the meter
_TWO_SIDED_95 = 1.96
_DEAF = 3.0  # an ONU that is online this many dB below its class's sensitivity does not read what it says
_SWAPPED = Db(2.0)  # exchanged, both directions of a line lose alike within this


class Complaint(str):
    """What no working module can say, as a sentence, and its parts: ``quantity``, ``measured``, ``side``, ``bound``.

    ``side`` is ``outside`` or ``above``; measured and bound have their units.
    """

    __slots__ = ("bound", "measured", "quantity", "side")

    quantity: str
    measured: str
    side: str
    bound: str

    @classmethod
    def of(cls, text: str, *, quantity: str, measured: str, side: str, bound: str) -> Complaint:
        """The sentence with its parts."""
        made = cls(text)
        made.quantity, made.measured, made.side, made.bound = quantity, measured, side, bound
        return made

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """The parts, as a finding keeps them."""
        return tuple((name, getattr(self, name)) for name in ("quantity", "measured", "side", "bound"))


def garbage(sample: OpticalReading) -> list[Complaint]:
    """What this sample says that no working module can."""
    found = []
    for name, (low, high) in POWER_GATES.items():
        value = sample.powers[name].value
        if value is not None and not low <= value.value <= high:
            found.append(
                Complaint.of(
                    f"{NAMES[name]} {shown(value)} is outside {low:g}..{high:+g} dBm",
                    quantity=name,
                    measured=shown(value),
                    side="outside",
                    bound=f"{low:g}~{high:g} dBm",
                )
            )
    low, high = VOLTAGE_GATE_V
    # written so that a NaN is garbage too
    if sample.voltage_v is not None and not low <= sample.voltage_v <= high:
        told = f"{sample.voltage_v:g} V"
        found.append(
            Complaint.of(
                f"supply voltage {told} is outside {low:g}..{high:g} V",
                quantity="voltage_v",
                measured=told,
                side="outside",
                bound=f"{low:g}~{high:g} V",
            )
        )
    if sample.bias_ma is not None and not sample.bias_ma <= BIAS_LIMIT_MA:
        told, bound = f"{sample.bias_ma:g} mA", f"{BIAS_LIMIT_MA:g} mA"
        found.append(
            Complaint.of(
                f"laser bias {told} is above {bound}", quantity="bias_ma", measured=told, side="above", bound=bound
            )
        )
    return found


def untrusted(complaints: Sequence[Complaint]) -> Iterable[Finding]:
    """The finding about garbage, if there is any."""
    if complaints:
        yield Finding(
            code="ddm_untrusted",
            text=f"the diagnostics of a module are nonsense ({'; '.join(complaints)}), "
            "so none of its numbers is judged",
            next_step="measure with another test ONU or a hand-held power meter",
            values=tuple(value for each in complaints for value in each.values),
        )


def plausibility(
    samples: Sequence[OpticalReading],
    reading: OpticalReading,
    loss: LinkLoss,
    options: JudgeOptions,
    known: OpticalClass | None,
) -> Iterable[Finding]:
    """Every gate on the powers and losses themselves."""
    yield from _overload(reading, known)
    if known is not None:
        yield from _class_powers(reading, options, known)
        yield from _class_loss(samples, reading, loss, options, known)
    yield from _negative_loss(loss)
    if options.split is not None:
        yield from _split(samples, reading, loss, options, options.split)
    yield from _duplicated(samples, reading)
    yield from _directions(reading, loss, options)


def repetition(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    """What only several samples can tell: holes, movement, spread."""
    if len(samples) == 1:
        return
    spreads = []
    for name in POWERS:
        present = [value for value in (getattr(sample, name).value for sample in samples) if value is not None]
        if 0 < len(present) < len(samples):
            yield Finding(
                code="samples_missing",
                text=f"{NAMES[name]} has a value in {len(present)} of {len(samples)} samples",
                next_step="look for a loose connector or an ONU that restarts",
                values=(("quantity", name), ("present", f"{len(present)}"), ("taken", f"{len(samples)}")),
            )
        if len(present) > 1:
            spread = gap(max(present), min(present))
            spreads.append((name, spread))
            if spread > _UNSTABLE:
                yield Finding(
                    code="unstable",
                    text=f"{NAMES[name]} moved by {shown(spread)} over {len(present)} samples",
                    next_step="look for a loose connector or a bent fibre, then measure again",
                    values=(("quantity", name), ("spread", shown(spread)), ("taken", f"{len(present)}")),
                )
    if spreads:
        each = ", ".join(f"{NAMES[name]} {shown(spread)}" for name, spread in spreads)
        yield Finding(
            code="spread",
            text=f"medians of {len(samples)} samples; spread: {each}",
            values=tuple(pair for name, spread in spreads for pair in (("quantity", name), ("spread", shown(spread)))),
        )


def time_skew(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    """Powers of one sample that were not read together."""
    skews = []
    for sample in samples:
        times = [reading.at for reading in sample.powers.values() if reading.value is not None and reading.at]
        skews.append(max(times) - min(times) if times else timedelta())
    if max(skews) > _SKEW_LIMIT:
        yield Finding(
            code="time_skew",
            text=f"the powers of one sample were read up to {max(skews).total_seconds():.0f} s apart",
            next_step="read them again in one go before trusting an attenuation",
            values=(("skew", f"{max(skews).total_seconds():.0f} s"),),
        )


def device_arithmetic(samples: Sequence[OpticalReading]) -> Iterable[Finding]:
    """A device whose printed attenuation is not the difference of its printed powers."""
    for name in ATTENUATIONS:
        worst: tuple[Db, Db, Db] | None = None
        for sample in samples:
            printed: Db | None = getattr(sample, f"device_{name}")
            ours: Db | None = getattr(link_loss(sample), name)
            if printed is None or ours is None:
                continue
            apart = gap(printed, ours)
            if apart > _ARITHMETIC_TOLERANCE and (worst is None or (apart, printed) > worst[:2]):
                worst = (apart, printed, ours)
        if worst is not None:
            yield Finding(
                code="device_arithmetic",
                text=f"the device prints {NAMES[name]} {shown(worst[1])}, its own powers give {shown(worst[2])}",
                next_step="trust the powers; the device may use another port's or an older OLT Tx",
                values=(("quantity", name), ("printed", shown(worst[1])), ("computed", shown(worst[2]))),
            )


def _overload(reading: OpticalReading, known: OpticalClass | None) -> Iterable[Finding]:
    received = reading.onu_rx_dbm.value
    limit, of = _OVERLOAD, "GPON"
    if known is not None:
        if known.onu_rx is None or known.onu_rx.highest is None:
            return
        limit, of = known.onu_rx.highest, known.name
    if received is not None and received > limit:
        yield Finding(
            code="overload",
            text=f"ONU Rx {shown(received)} is above {shown(limit)}, the overload level of {of} ONUs",
            next_step="check that the ONU hangs behind the recorded splitter and not before it",
            values=(("measured", shown(received)), ("limit", shown(limit)), ("of", of)),
        )


def _class_powers(reading: OpticalReading, options: JudgeOptions, known: OpticalClass) -> Iterable[Finding]:
    for name in POWERS:
        bounds, value = known.power(name), getattr(reading, name).value
        if bounds is None or value is None:
            continue
        # the half width of a rectangular error with the same standard uncertainty
        allowance = math.sqrt(3) * accuracy_of(name, getattr(reading, name), options).u_db.value
        if name == "onu_rx_dbm":
            # too strong is overload and has its own finding; too weak is told where even a deaf ONU is not online
            if bounds.lowest is not None and value.value < bounds.lowest.value - _DEAF:
                yield Finding(
                    code="below_sensitivity",
                    text=f"ONU Rx {shown(value)} is {shown(gap(value, bounds.lowest))} below the sensitivity "
                    f"{shown(bounds.lowest)} of {known.name}, and the ONU answered",
                    next_step="check the recorded class, and confirm with a hand-held power meter",
                    values=(
                        ("measured", shown(value)),
                        ("limit", shown(bounds.lowest)),
                        ("apart", shown(gap(value, bounds.lowest))),
                        ("of", known.name),
                    ),
                )
            continue
        low, high = bounds.lowest, bounds.highest
        above = high is not None and value.value > high.value + allowance
        below = low is not None and value.value < low.value - allowance
        if above or below:
            end = high if above else low
            yield Finding(
                code="outside_class",
                text=f"{NAMES[name]} {shown(value)} is {'above' if above else 'below'} {end} of {known.name} by more "
                f"than its accuracy of ±{allowance:.2f} dB",
                next_step="check the recorded class, and that the value is this PON port's",
                values=(
                    ("quantity", name),
                    ("measured", shown(value)),
                    ("side", "above" if above else "below"),
                    ("limit", f"{end}"),
                    ("of", known.name),
                    ("accuracy", f"{allowance:.2f} dB"),
                ),
            )


def _class_loss(
    samples: Sequence[OpticalReading],
    reading: OpticalReading,
    loss: LinkLoss,
    options: JudgeOptions,
    known: OpticalClass,
) -> Iterable[Finding]:
    odn = known.odn_loss
    for name in ATTENUATIONS if odn is not None else ():
        value: Db | None = getattr(loss, name)
        if value is None or odn is None:
            continue
        guard = uncertainty_of(name, samples, reading, options).w_db.value
        above, below = value.value > odn.highest.value + guard, value.value < odn.lowest.value - guard
        if above or below:
            yield Finding(
                code="loss_outside_class",
                text=f"{NAMES[name]} {shown(value)} is {'above' if above else 'below'} the range "
                f"{odn.lowest.value:g}..{odn.highest.value:g} dB of {known.name} by more than its guard band "
                f"{guard:.2f} dB",
                next_step="check the recorded class and the split ratio, then the line" if above
                else "check that the ONU hangs behind the recorded splitter and not before it",
                values=(
                    ("quantity", name),
                    ("measured", shown(value)),
                    ("side", "above" if above else "below"),
                    ("range", f"{odn.lowest.value:g}~{odn.highest.value:g} dB"),
                    ("of", known.name),
                    ("guard", f"{guard:.2f} dB"),
                ),
            )  # fmt: skip


def _negative_loss(loss: LinkLoss) -> Iterable[Finding]:
    for direction in ("downstream", "upstream"):
        value: Db | None = getattr(loss, f"{direction}_attenuation_db")
        if value is not None and value < Db(0):
            yield Finding(
                code="negative_loss",
                text=f"the {direction} attenuation is {shown(value)}: no passive line amplifies",
                next_step="check that the OLT Tx is this PON port's and that Tx and Rx are not swapped",
                values=(("quantity", f"{direction}_attenuation_db"), ("measured", shown(value))),
            )


def _split(
    samples: Sequence[OpticalReading], reading: OpticalReading, loss: LinkLoss, options: JudgeOptions, split: int
) -> Iterable[Finding]:
    least = 10 * math.log10(split)
    for name in ATTENUATIONS:
        value: Db | None = getattr(loss, name)
        if value is None:
            continue
        guard = uncertainty_of(name, samples, reading, options).w_db.value
        if value.value < least - guard:
            yield Finding(
                code="loss_below_split",
                text=f"{NAMES[name]} {shown(value)} is less than a 1:{split} can lose: 10 log10({split}) = {least:.2f} "
                f"dB, guard band {guard:.2f} dB",
                next_step="check the recorded split ratio, that OLT Tx is this PON port's, and that nothing is swapped",
                values=(
                    ("quantity", name),
                    ("measured", shown(value)),
                    ("split", f"1:{split}"),
                    ("least", f"{least:.2f} dB"),
                    ("guard", f"{guard:.2f} dB"),
                ),
            )


def _duplicated(samples: Sequence[OpticalReading], reading: OpticalReading) -> Iterable[Finding]:
    if all(_same(sample, "onu_rx_dbm", "olt_rx_dbm") for sample in samples) and (
        len(samples) > 1 or _same(reading, "onu_tx_dbm", "olt_tx_dbm")
    ):
        yield Finding(
            code="directions_duplicated",
            text=f"ONU Rx and OLT Rx are the same number ({reading.onu_rx_dbm}): one may be a copy of the other",
            next_step="compare with the device's own page for this ONU",
            values=(("measured", f"{reading.onu_rx_dbm}"),),
        )


def _same(reading: OpticalReading, one: str, other: str) -> bool:
    value = getattr(reading, one).value
    return value is not None and value == getattr(reading, other).value


def _directions(reading: OpticalReading, loss: LinkLoss, options: JudgeOptions) -> Iterable[Finding]:
    down, up = loss.downstream_attenuation_db, loss.upstream_attenuation_db
    if down is not None and up is not None and gap(down, up) > directions_limit(reading, options):
        yield _disagree(reading, down, up)


def directions_limit(reading: OpticalReading, options: JudgeOptions) -> Db:
    """How far both losses of one line may differ by the accuracies of four readings: 95 % two-sided, to 0.1 dB.

    6.8 dB for ±3 dB declared, 4.5 dB for ZTE's empirical sigma.
    """
    total = sum(accuracy_of(name, getattr(reading, name), options).u_db.value ** 2 for name in POWERS)
    return Db(round(_TWO_SIDED_95 * math.sqrt(total), 1))


def _disagree(reading: OpticalReading, down: Db, up: Db) -> Finding:
    text = f"downstream {shown(down)} and upstream {shown(up)} differ by {shown(gap(down, up))}"
    values = (("down", shown(down)), ("up", shown(up)), ("apart", shown(gap(down, up))))
    exchanged = link_loss(
        reading.model_copy(update={"onu_rx_dbm": reading.olt_rx_dbm, "olt_rx_dbm": reading.onu_rx_dbm})
    )
    other_down, other_up = exchanged.downstream_attenuation_db, exchanged.upstream_attenuation_db
    # both losses are there, so all four powers are
    assert other_down is not None and other_up is not None  # noqa: S101, PT018
    if gap(other_down, other_up) < _SWAPPED:
        return Finding(
            code="directions_swapped",
            text=f"{text}, and agree when ONU Rx and OLT Rx change places: the two may be swapped",
            next_step="compare with the device's own page for this ONU",
            values=values,
        )
    return Finding(
        code="directions_disagree",
        text=f"{text}: more than the accuracy of the devices explains",
        next_step="check that the OLT Tx is this PON port's, then clean and inspect the connectors at both ends",
        values=values,
    )
