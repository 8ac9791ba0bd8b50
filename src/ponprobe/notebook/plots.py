"""Plots of a port, a sweep, and several rounds. Each returns matplotlib's axes and draws on given ones.

Readable in black and white: what misses a limit is hatched or has another marker, and the number stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ponprobe.evaluate import CONSTRUCTION
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import Band, Comparison, Judgement, ThresholdSet, Verdict
from ponprobe.models.optical import Dbm, OpticalReading
from ponprobe.models.plant import PlantRecord
from ponprobe.models.sweep import SweepItem, SweepRecord
from ponprobe.notebook.canvas import BAD, COLOURS, GOOD, INK, MARKERS, SOFT, axes, dress, legible, rx_limit, settle
from ponprobe.optics.plant import expected_loss
from ponprobe.optics.words import WORDS, State, exact, shown

_BAR = 0.62
_SHAPES = "osD^vPX*<>"
_DASHES = ("-", "--", ":", "-.")
_CURVE_POINTS = 25
_APART, _NUMBERS_TOLD = 0.2, 16
_WORST_FIRST = (Band.FAIL, Band.MARGINAL_FAIL, Band.UNDETERMINED, Band.MARGINAL_PASS, Band.PASS)


def plot_port(
    readings: Iterable[OpticalReading],
    *,
    limits: ThresholdSet = CONSTRUCTION,
    names: Mapping[OnuRef, object] | None = None,
    ax: Any = None,
) -> Any:
    """The ONU Rx of every ONU of a port in dBm, as bars that begin at the limit: to the right is margin.

    ``limits`` must have a lower limit for ``onu_rx_dbm`` (``ValueError``); ``names`` are written beside the places. An
    ONU without a reading has its reason in place of a bar. Raises ``MissingExtra`` without matplotlib, ``ValueError``
    for no readings.
    """
    rows, limit = list(readings), rx_limit(limits)
    if not rows:
        raise ValueError("there is no reading to draw: the port has no ONU, or nobody asked")
    ax = axes(ax, height=1.4 + 0.32 * len(rows))
    for y, reading in enumerate(rows):
        power = reading.onu_rx_dbm
        if power.value is None:
            reason = WORDS["en"].absences[power.absence] if power.absence is not None else "no value"
            ax.text(limit.value, y, f" no value: {legible(reason)}", va="center", fontsize=8, color=SOFT)
            continue
        margin = power.value.value - limit.value
        met = margin >= 0
        bar = ax.barh(y, margin, left=limit.value, height=_BAR, color=GOOD if met else "white", edgecolor=INK)
        if not met:
            bar[0].set(hatch="////", edgecolor=BAD)
        told = f"{shown(power.value, against=(limit,))}{'' if met else f', misses by {abs(margin):.2f} dB'}"
        ax.annotate(
            told,
            (power.value.value, y),
            xytext=(4 if met else -4, 0),
            textcoords="offset points",
            ha="left" if met else "right",
            va="center",
            fontsize=8,
        )
    ax.axvline(limit.value, color=INK, linewidth=1.8)
    ax.set_yticks(range(len(rows)), [_named(reading.onu, names) for reading in rows], fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    _roomy(ax, [limit.value, *(row.onu_rx_dbm.value.value for row in rows if row.onu_rx_dbm.value is not None)])
    title = f"ONU Rx against the limit ≥ {exact(limit)} ({limits.key}); hatched: missed"
    dress(ax, title=title, x="ONU Rx [dBm]")
    return settle(ax)


def _named(onu: OnuRef, names: Mapping[OnuRef, object] | None) -> str:
    name = (names or {}).get(onu)
    return legible(onu if name is None else f"{onu}  {name}")


def _roomy(ax: Any, powers: Sequence[float]) -> None:
    """Room for the numbers on both sides of the bars."""
    low, high = min(powers), max(powers)
    space = max(1.5, 0.28 * (high - low))
    ax.set_xlim(low - space, high + space)


def plot_sweep(
    items: Iterable[SweepItem],
    *,
    plants: Iterable[Sequence[int]] = (),
    ax: Any = None,
) -> Any:
    """The downstream attenuation in dB of every ONU of a sweep over its distance in km, a marker for each port.

    ``plants`` are split layouts such as ``(8, 8)``: the loss that each should have is drawn over the distance, mean and
    worst value. The title tells how many ONUs lack one of the two numbers (distance needs ``with_distance``). Raises
    ``MissingExtra`` without matplotlib, ``ValueError`` if no ONU has both.
    """
    records = [item for item in items if isinstance(item, SweepRecord)]
    both = [(each, each.distance_m, each.loss.downstream_attenuation_db) for each in records]
    placed = [
        (each, metres / 1000, loss.value) for each, metres, loss in both if metres is not None and loss is not None
    ]
    if not placed:
        raise ValueError(
            f"none of {len(records)} ONUs has both a distance and a downstream loss: sweep with with_distance=True"
        )
    ax = axes(ax)
    several = len({each.olt for each, _, _ in placed}) > 1
    groups: dict[str, list[tuple[float, float]]] = {}
    for each, km, loss in placed:
        groups.setdefault(f"{each.olt} {each.onu.port}" if several else str(each.onu.port), []).append((km, loss))
    for number, (name, points) in enumerate(sorted(groups.items())):
        ax.scatter(
            [km for km, _ in points],
            [loss for _, loss in points],
            marker=_SHAPES[number % len(_SHAPES)],
            s=42,
            facecolors="none" if number % 2 else GOOD,
            edgecolors=INK,
            label=f"port {legible(name)}",
        )
    farthest = max(km for _, km, _ in placed) * 1.1 or 1.0
    for number, stages in enumerate(plants):
        _curve(ax, tuple(stages), farthest, _DASHES[number % len(_DASHES)])
    ax.set_xlim(left=0)
    without = len(records) - len(placed)
    missing = f"; {without} of {len(records)} not drawn, as distance or loss is missing" if without else ""
    dress(ax, title=f"Sweep: {len(placed)} ONUs{missing}", x="distance [km]", y="downstream attenuation [dB]")
    ax.legend(fontsize=8, frameon=False)
    return settle(ax)


def _curve(ax: Any, stages: tuple[int, ...], farthest: float, dash: str) -> None:
    """What a layout should lose over the distance: the mean, and the worst value as a thin line."""
    distances = [farthest * step / (_CURVE_POINTS - 1) for step in range(_CURVE_POINTS)]
    losses = [expected_loss(PlantRecord(stages=stages, record_km=km), "down") for km in distances]
    layout = losses[0].record.layout
    means, worst = [each.mean_db.value for each in losses], [each.worst_db.value for each in losses]
    ax.plot(distances, means, linestyle=dash, color=INK, linewidth=1.6, label=f"expected of {layout}")
    ax.plot(distances, worst, linestyle=dash, color=SOFT, linewidth=0.9, label=f"worst value of {layout}")


def plot_drift(rounds: Iterable[Any], *, ax: Any = None) -> Any:
    """The ONU Rx in dBm of one splitter, or of several, over the rounds of their measurement.

    ``rounds`` are verdicts or whatever has one (a ``MeasureResult``, a line's round), the first round first. Error bars
    are the guard band of the judgement, markers tell the band, each limit is a line. Splitters are told apart by the
    order's or the round's ``splitter``. Raises ``MissingExtra`` without matplotlib, ``ValueError`` if no round has an
    ONU Rx.
    """
    lines: dict[str, list[Verdict]] = {}
    limits: dict[Dbm, str] = {}
    for each in rounds:
        verdict: Verdict | None = getattr(each, "verdict", each)
        if verdict is None:
            continue
        lines.setdefault(_splitter(each), []).append(verdict)
        for held in _held(verdict):
            sign = "≥" if held.threshold.comparison is Comparison.AT_LEAST else "≤"
            if isinstance(held.threshold.limit, Dbm):
                limits[held.threshold.limit] = f"limit {sign} {exact(held.threshold.limit)}"
    bands = {_band(each) for line in lines.values() for each in line if each.reading.onu_rx_dbm.value is not None}
    if not bands:
        raise ValueError("no round has an ONU Rx to draw: measure again")
    ax = axes(ax)
    longest = max(len(line) for line in lines.values())
    step = min(_APART, 0.8 / len(lines))
    told = len(lines) * longest <= _NUMBERS_TOLD
    for number, (name, line) in enumerate(lines.items()):
        # side by side: splitters that read alike would hide each other
        shift = step * (number - (len(lines) - 1) / 2)
        _rounds(ax, name, line, dash=_DASHES[number % len(_DASHES)], shift=shift, told=told)
    for limit, label in limits.items():
        ax.axhline(limit.value, color=INK, linewidth=1.8)
        ax.annotate(label, (1.0, limit.value), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    ax.set_xticks(range(1, longest + 1))
    ax.set_xlim(0.4, longest + 0.7)
    dress(ax, title="ONU Rx over the rounds; bars: uncertainty of the judgement", x="round", y="ONU Rx [dBm]")
    for band in (each for each in Band if each in bands):
        word = WORDS["en"].states[State(band.value)]
        ax.plot([], [], MARKERS[band], color=COLOURS[band], markeredgecolor=INK, label=word)
    ax.legend(fontsize=8, frameon=False)
    return settle(ax)


def _splitter(each: Any) -> str:
    owner = getattr(each, "order", each)
    name = getattr(owner, "splitter", None)
    return str(getattr(name, "name", name) or "")


def _rounds(ax: Any, name: str, line: Sequence[Verdict], *, dash: str, shift: float, told: bool) -> None:
    """One splitter: a line that has a gap where a round has no reading; its numbers beside it if ``told``."""
    powers = [each.reading.onu_rx_dbm.value for each in line]
    places = [number + shift for number in range(1, len(line) + 1)]
    drawn = [float("nan") if power is None else power.value for power in powers]
    label = legible(name) if name else "_unnamed"
    ax.plot(places, drawn, linestyle=dash, color=SOFT, linewidth=1.2, label=label)
    for place, verdict, power in zip(places, line, powers, strict=True):
        if power is None:
            continue
        guard = next((each.uncertainty.w_db for each in _held(verdict) if each.uncertainty is not None), None)
        if guard is not None:
            ax.errorbar(place, power.value, yerr=guard.value, color=SOFT, capsize=4, linewidth=1)
        band = _band(verdict)
        ax.plot(place, power.value, MARKERS[band], markersize=8, color=COLOURS[band], markeredgecolor=INK)
        if told:
            where, beside = (place, power.value), {"xytext": (5, 6), "textcoords": "offset points"}
            ax.annotate(f"{power.value:.2f}", where, fontsize=7, **beside)


def _held(verdict: Verdict) -> list[Judgement]:
    return [each for each in verdict.judgements if each.threshold.quantity == "onu_rx_dbm"]


def _band(verdict: Verdict) -> Band:
    """What is said of the power that is drawn; of the whole verdict where no limit bears on it."""
    bands = [each.band for each in _held(verdict)]
    return next((band for band in _WORST_FIRST if band in bands), verdict.band)
