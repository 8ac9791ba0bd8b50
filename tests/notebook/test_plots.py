"""Plots: the numbers that were given, readable without colour, unbroken by names, optional."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from shown_values import AT, HOSTILE, reading, result, swept, verdict

from ponprobe.errors import MissingExtra
from ponprobe.evaluate import CONSTRUCTION, USER_SIDE
from ponprobe.models.addressing import PonPort
from ponprobe.models.judgement import Comparison, Threshold, ThresholdSet
from ponprobe.models.optical import Db
from ponprobe.models.plant import MeasuredLoss, PlantComparison, PlantRecord
from ponprobe.models.sweep import PortDone
from ponprobe.notebook import TreeSplitter, plot_drift, plot_port, plot_sweep, plot_tree
from ponprobe.optics.comparison import compare
from ponprobe.optics.plant import expected_loss

Draw = Callable[[Any], Any]


def texts(ax: Any) -> list[str]:
    legend = ax.get_legend()
    inside = [] if legend is None else [each.get_text() for each in legend.get_texts()]
    labels = [each.get_text() for each in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    return [*(each.get_text() for each in ax.texts), *inside, *labels, ax.get_title(loc="left")]


def comparison(loss_db: float) -> PlantComparison:
    measured = MeasuredLoss(direction="down", loss_db=Db(loss_db), u_db=Db(1.2), basis="test")
    return compare(PlantRecord(stages=(8, 8), record_km=2.5), measured)


def test_a_port_is_bars_from_the_limit(drawn: Draw) -> None:
    ax = drawn(plot_port([reading(-18.4), reading(-24.5, "0/1/0:8"), reading(None, "0/1/0:9")]))
    good, bad = ax.patches
    assert good.get_x() == CONSTRUCTION.thresholds[0].limit.value == -20.0
    assert good.get_width() == pytest.approx(1.6)
    assert bad.get_width() == pytest.approx(-4.5)
    assert (bool(good.get_hatch()), bool(bad.get_hatch())) == (False, True), "a miss shows without colour"
    said = texts(ax)
    assert "-18.40 dBm" in said
    assert "-24.50 dBm, misses by 4.50 dB" in said
    assert " no value: the ONU is offline" in said
    assert "0/1/0:9" in said
    assert any("≥ -20.00 dBm" in each for each in said)


def test_a_miss_by_a_hair_is_not_shown_as_the_limit(drawn: Draw) -> None:
    ax = drawn(plot_port([reading(-20.001)]))
    assert any(each.startswith("-20.001 dBm") for each in texts(ax))
    assert ax.patches[0].get_hatch()
    assert not drawn(plot_port([reading(-20.0)])).patches[0].get_hatch(), "equality passes"


def test_a_port_takes_other_limits_and_refuses_what_has_none(drawn: Draw) -> None:
    assert drawn(plot_port([reading()], limits=USER_SIDE)).patches[0].get_x() == -27.0
    loss = Threshold(
        quantity="downstream_attenuation_db",
        comparison=Comparison.AT_MOST,
        limit=Db(25),
        source_text="25",
        interpretation="at most 25 dB",
    )
    with pytest.raises(ValueError, match="no lower limit for onu_rx_dbm"):
        plot_port([reading()], limits=ThresholdSet(id="x", stage="x", thresholds=(loss,)))
    with pytest.raises(ValueError, match="no reading to draw"):
        plot_port([])


def test_a_sweep_is_loss_over_distance_with_a_marker_for_each_port(drawn: Draw) -> None:
    items = [
        swept(-18.4, onu="0/1/0:1", distance_m=2500.0),
        swept(-24.5, onu="0/1/1:1", distance_m=800.0),
        swept(None, onu="0/1/1:2"),
        swept(-18.4, onu="0/1/1:3", distance_m=None),
        PortDone(olt="lab", host="192.0.2.1", port=PonPort.parse("0/1/1"), onus=3, took_s=0.1, at=AT),
    ]
    ax = drawn(plot_sweep(items, plants=[(8, 8), (32,)]))
    points = [tuple(each.get_offsets()[0]) for each in ax.collections]
    assert points == [(2.5, pytest.approx(21.8)), (0.8, pytest.approx(27.9))]
    shapes = [each.get_paths()[0].vertices.shape for each in ax.collections]
    assert shapes[0] != shapes[1], "ports are told apart by shape"
    mean = next(each for each in ax.lines if each.get_label() == "expected of 1:8 + 1:8")
    km, loss = mean.get_xdata()[-1], mean.get_ydata()[-1]
    assert loss == expected_loss(PlantRecord(stages=(8, 8), record_km=km), "down").mean_db.value
    styles = {each.get_linestyle() for each in ax.lines if str(each.get_label()).startswith("expected")}
    assert len(styles) == 2, "layouts are told apart by their dashes"
    assert "Sweep: 2 ONUs; 2 of 4 not drawn, as distance or loss is missing" in texts(ax)


def test_a_sweep_without_distances_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="with_distance=True"):
        plot_sweep([swept(distance_m=None)])


def test_drift_keeps_the_order_of_the_rounds_and_a_gap_for_a_lost_one(drawn: Draw) -> None:
    ax = drawn(plot_drift([result(-24.5), result(None), result(-18.4), result(-17.0, "FAT-02")]))
    first, second = (line for line in ax.lines if line.get_label() in {"FAT-01", "FAT-02"})
    assert [str(each) for each in first.get_ydata()] == ["-24.5", "nan", "-18.4"]
    assert list(second.get_ydata()) == [-17.0]
    assert first.get_linestyle() != second.get_linestyle()
    markers = {str(each.get_label()): each.get_marker() for each in ax.lines}
    assert markers["fail"] != markers["marginal pass"], "bands are told apart by their markers"
    assert "limit ≥ -20.00 dBm" in texts(ax)
    bars = [each.get_segments()[0] for each in ax.collections]
    assert bars[0][1][1] - bars[0][0][1] == pytest.approx(2 * verdict(-24.5).judgements[0].uncertainty.w_db.value)


def test_drift_takes_verdicts_and_refuses_rounds_without_a_number(drawn: Draw) -> None:
    assert list(drawn(plot_drift([verdict(-18.4)])).lines[0].get_ydata()) == [-18.4]
    with pytest.raises(ValueError, match="no round has an ONU Rx"):
        plot_drift([verdict(None), result(None).model_copy(update={"verdict": None})])


def test_a_tree_shows_each_loss_and_frames_the_excess(drawn: Draw) -> None:
    nodes = [
        TreeSplitter(name="FDT", ratio=8),
        TreeSplitter(name="FAT-1", ratio=8, fed_by="FDT", comparison=comparison(22.0)),
        TreeSplitter(name="FAT-2", ratio=8, fed_by="FDT", comparison=comparison(28.0)),
    ]
    assert [each.flagged for each in nodes] == [False, False, True]
    ax = drawn(plot_tree(nodes))
    boxes = {each.get_text().split()[0]: each for each in ax.texts}
    assert "measured 28.00 dB" in boxes["FAT-2"].get_text()
    assert "LOOK HERE" in boxes["FAT-2"].get_text()
    assert "LOOK HERE" not in boxes["FAT-1"].get_text()
    assert boxes["FAT-2"].get_bbox_patch().get_linestyle() == "--", "an excess shows without colour"
    assert boxes["FAT-1"].get_bbox_patch().get_linestyle() == "-"
    assert boxes["FDT"].get_position() == (1.0, 0.5), "a splitter stands between what it feeds"


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([], "no splitter to draw"),
        ([("A", None), ("A", None)], "twice"),
        ([("A", "B")], "not among"),
        ([("A", "B"), ("B", "A")], "feeds itself"),
    ],
)
def test_a_tree_that_is_none_is_refused(nodes: list[tuple[str, str | None]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plot_tree([TreeSplitter(name=name, ratio=8, fed_by=fed_by) for name, fed_by in nodes])


@pytest.mark.parametrize("name", [name for name in HOSTILE if name], ids=ascii)
def test_no_name_breaks_a_plot(name: str, drawn: Draw) -> None:
    # drawing raises on a formula that is none, and warns (an error here) about a letter that no font has
    drawn(plot_port([reading()], names={reading().onu: name}))
    drawn(plot_drift([result(splitter=name), result(splitter=name)]))
    drawn(plot_tree([TreeSplitter(name=name, ratio=8, comparison=comparison(28.0))], title=name))
    drawn(plot_sweep([swept().model_copy(update={"olt": name}), swept()]))


def test_given_axes_are_drawn_on_and_given_back(drawn: Draw) -> None:
    ax = drawn(plot_port([reading()]))
    assert plot_drift([verdict()], ax=ax) is ax


@pytest.mark.parametrize("plot", [plot_port, plot_drift])
def test_without_matplotlib_the_extra_is_named(plot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtra, match="notebook"):
        plot([reading()] if plot is plot_port else [verdict()])
