"""Plausibility with a class, a split ratio and accuracies; the gates without them are in ``test_evaluate``."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any

import pytest

from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import Finding, JudgeOptions, Verdict
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.optics.classes import OpticalClass
from ponprobe.optics.exact import link_loss
from ponprobe.optics.gates import directions_limit, plausibility

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")
HEALTHY = {"olt_tx_dbm": 3.31, "olt_rx_dbm": -19.21, "onu_tx_dbm": 2.2, "onu_rx_dbm": -17.18}
DECLARED = 3 / math.sqrt(3)
"""Standard uncertainty of ±3 dB."""


def sample(precision: float | None = 3.0, **changes: float | Absence) -> OpticalReading:
    fields: dict[str, Any] = {}
    for name, value in {**HEALTHY, **changes}.items():
        fields[name] = (
            Reading(absence=value)
            if isinstance(value, Absence)
            else Reading(value=Dbm(value), precision_db=None if precision is None else Db(precision))
        )
    return OpticalReading(onu=ONU, **fields)


def judged(reading: OpticalReading, **options: Any) -> Verdict:
    return judge(reading, CONSTRUCTION, judged_at=NOW, **options)


def told(code: str, reading: OpticalReading, **options: Any) -> Finding | None:
    found = [finding for finding in judged(reading, **options).findings if finding.code == code]
    assert len(found) < 2
    assert all(finding.next_step for finding in found)
    return found[0] if found else None


def test_without_a_class_no_class_gate_is_made_up() -> None:
    strange = sample(olt_tx_dbm=30.0, onu_tx_dbm=9.9, olt_rx_dbm=-39.0)
    codes = {finding.code for finding in judged(strange).findings}
    assert not codes & {"outside_class", "below_sensitivity", "loss_outside_class", "loss_below_split"}


def test_a_healthy_link_of_its_class_and_split_has_no_finding() -> None:
    near = {"within_precision"}  # -17.18 is 2.82 dB from its limit
    assert {f.code for f in judged(sample(), optical_class="gpon_b_plus", split=32).findings} == near


@pytest.mark.parametrize(
    ("name", "inside", "outside", "words"),
    [
        # B+: OLT Tx +1.5..+5, ONU Tx +0.5..+5, OLT Rx -28..-8; a ±3 dB reading may be 3 dB beyond
        ("olt_tx_dbm", 7.99, 8.01, "OLT Tx 8.01 dBm is above 5.00 dBm of GPON class B+"),
        ("olt_tx_dbm", -1.49, -1.51, "OLT Tx -1.51 dBm is below 1.50 dBm"),
        ("onu_tx_dbm", 7.99, 8.01, "ONU Tx 8.01 dBm is above 5.00 dBm"),
        ("onu_tx_dbm", -2.49, -2.51, "ONU Tx -2.51 dBm is below 0.50 dBm"),
        ("olt_rx_dbm", -5.01, -4.99, "OLT Rx -4.99 dBm is above -8.00 dBm"),
        ("olt_rx_dbm", -30.99, -31.01, "OLT Rx -31.01 dBm is below -28.00 dBm"),
    ],
)
def test_a_power_outside_its_class_by_more_than_its_accuracy_is_told(
    name: str, inside: float, outside: float, words: str
) -> None:
    assert told("outside_class", sample(**{name: inside}), optical_class="gpon_b_plus") is None
    finding = told("outside_class", sample(**{name: outside}), optical_class="gpon_b_plus")
    assert finding is not None
    assert finding.text.startswith(words)
    assert "±3.00 dB" in finding.text
    assert judged(sample(**{name: outside}), optical_class="gpon_b_plus").passed, "a finding and no verdict"


def test_a_better_known_reading_is_outside_its_class_sooner() -> None:
    strong = sample(None, olt_tx_dbm=6.5)
    assert told("outside_class", strong, optical_class="gpon_b_plus") is None
    assert told("outside_class", strong, optical_class="gpon_b_plus", accuracy="hand_held") is not None


def test_open_ends_and_absent_powers_are_not_compared() -> None:
    # PX20's OLT Rx has no known overload, XGS E2's OLT Rx is not known at all
    assert told("outside_class", sample(olt_rx_dbm=4.9), optical_class="epon_px20") is None
    assert told("outside_class", sample(olt_rx_dbm=4.9, olt_tx_dbm=9.0, onu_tx_dbm=6.0), optical_class="xgs_e2") is None
    gone = sample(olt_tx_dbm=Absence.NOT_READ, onu_tx_dbm=Absence.NOT_READ, olt_rx_dbm=Absence.NOT_READ)
    assert told("outside_class", gone, optical_class="gpon_b_plus") is None
    assert told("loss_outside_class", gone, optical_class="gpon_b_plus") is None
    assert told("loss_below_split", gone, split=32) is None


def test_an_onu_that_answers_far_below_its_sensitivity_is_told() -> None:
    assert told("below_sensitivity", sample(onu_rx_dbm=-30.0), optical_class="gpon_b_plus") is None
    finding = told("below_sensitivity", sample(onu_rx_dbm=-30.01), optical_class="gpon_b_plus")
    assert finding is not None
    assert "3.01 dB below the sensitivity -27.00 dBm" in finding.text
    assert told("below_sensitivity", sample(onu_rx_dbm=-30.01)) is None
    assert told("outside_class", sample(onu_rx_dbm=-30.01), optical_class="gpon_b_plus") is None


@pytest.mark.parametrize(
    ("known", "level"),
    [(None, -8.0), ("gpon_b_plus", -8.0), ("xgs_n1", -9.0), ("epon_px20_plus", -3.0)],
)
def test_overload_is_the_classs_own_and_gpons_without_a_class(known: str | None, level: float) -> None:
    assert told("overload", sample(onu_rx_dbm=level), optical_class=known) is None
    assert told("overload", sample(onu_rx_dbm=level + 0.01), optical_class=known) is not None


def test_a_class_whose_overload_nobody_knows_has_none() -> None:
    assert told("overload", sample(onu_rx_dbm=4.0), optical_class="epon_px20") is None
    assert told("overload", sample(onu_rx_dbm=4.0), optical_class="xg_n1") is None


def test_a_loss_outside_the_odn_range_by_more_than_its_guard_band_is_told() -> None:
    guard = 1.645 * math.sqrt(2) * DECLARED  # and a hair for the modules' steps
    base = {"olt_tx_dbm": 3.0}
    over, under = 28 + guard, 13 - guard
    for loss, direction in ((over, "above"), (under, "below")):
        near, far = (0.03, -0.03) if direction == "below" else (-0.03, 0.06)
        assert (
            told("loss_outside_class", sample(onu_rx_dbm=3 - loss - near, **base), optical_class="gpon_b_plus") is None
        )
        finding = told("loss_outside_class", sample(onu_rx_dbm=3 - loss - far, **base), optical_class="gpon_b_plus")
        assert finding is not None
        assert f"is {direction} the range 13..28 dB of GPON class B+" in finding.text
    assert told("loss_outside_class", sample(onu_rx_dbm=-39.0), optical_class="epon_px20_plus") is None


def test_a_line_loses_at_least_what_its_split_takes() -> None:
    # 1:32 takes 15.05 dB; two readings of ±3 dB may hide 4.03 dB of it
    plausible = sample(olt_tx_dbm=3.0, onu_rx_dbm=-8.1)
    impossible = sample(olt_tx_dbm=3.0, onu_rx_dbm=-8.0)
    assert told("loss_below_split", plausible, split=32) is None
    finding = told("loss_below_split", impossible, split=32)
    assert finding is not None
    assert "downstream attenuation 11.00 dB is less than a 1:32 can lose" in finding.text
    assert "10 log10(32) = 15.05 dB, guard band 4.03 dB" in finding.text
    assert told("loss_below_split", impossible, split=16) is None
    assert told("loss_below_split", impossible) is None
    upstream = told("loss_below_split", sample(onu_tx_dbm=3.0, olt_rx_dbm=-8.0), split=32)
    assert upstream is not None
    assert upstream.text.startswith("upstream")
    assert told("loss_below_split", sample(olt_tx_dbm=-10.0, onu_rx_dbm=-10.1), split=1) is None, "1:1 takes nothing"


@pytest.mark.parametrize(
    ("options", "precision", "limit"),
    [({}, 3.0, 6.8), ({}, None, 6.8), ({"family": "zte_zxan"}, None, 4.5), ({"family": "zte_zxan"}, 3.0, 6.8)],
)
def test_both_directions_may_differ_by_the_published_limit(
    options: dict[str, str], precision: float | None, limit: float
) -> None:
    reading = sample(precision)
    assert directions_limit(reading, JudgeOptions(**options)) == Db(limit)  # type: ignore[arg-type]
    for beyond, expected in ((0.0, False), (0.01, True)):
        levels = {"olt_tx_dbm": 3.0, "onu_tx_dbm": 3.0, "onu_rx_dbm": -15.0}
        apart = sample(precision, olt_rx_dbm=round(-15 - limit - beyond, 2), **levels)
        assert (told("directions_disagree", apart, **options) is not None) is expected


def test_a_class_without_any_number_gates_nothing() -> None:
    bare = OpticalClass(id="x", name="x", systems=("gpon",))
    reading = sample(onu_rx_dbm=-39.9, olt_tx_dbm=20.0)
    found = list(plausibility((reading,), reading, link_loss(reading), JudgeOptions(), bare))
    assert {finding.code for finding in found} == {"directions_disagree"}


def test_no_gate_but_garbage_touches_the_verdict() -> None:
    for value in (-7.0, -19.0, -21.0, -36.0):
        reading = sample(onu_rx_dbm=value, olt_tx_dbm=12.0, olt_rx_dbm=-39.0)
        bare, gated = judged(reading), judged(reading, optical_class="gpon_b_plus", split=128)
        assert (bare.outcome, bare.band) == (gated.outcome, gated.band)
        assert len(gated.findings) > len(bare.findings)
    assert set(POWERS) == set(HEALTHY)
