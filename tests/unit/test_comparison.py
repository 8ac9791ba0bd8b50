"""A measured loss against the record: the published example to the digit, and explanations that never are a verdict."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models.addressing import OnuRef
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import Direction, Explanation, MeasuredLoss, PlantComparison, PlantRecord
from ponprobe.optics.comparison import (
    check_directions,
    check_distance,
    compare,
    judged_losses,
    mean_loss,
    measured_loss,
)
from ponprobe.optics.components import COMPONENTS, component_table
from ponprobe.optics.plant import expected_loss, root_sum_square

RECORD = PlantRecord(stages=(32,), record_km=3.0)
DECLARED, EMPIRICAL, CALIBRATED, HAND_HELD = 3 / 3**0.5, 1.16, 0.25, 0.25
"""Standard uncertainty of one power in dB: ±3 dB declared, twelve public ZTE pairs, a calibrated ONU, a meter."""
MESSAGE = (
    "1:32 at 3.0 km should show 18.3 ± 1.0 dB (worst 20.1); measured 24.1 ± 3.2 (95 %, readings only); "
    "excess 5.8 dB (3.3 sigma combined). A 1:64 would fit (22.4). Check recorded ratio first, then joints."
)


def measured(value: float, *ends: float, direction: Direction = "down") -> MeasuredLoss:
    u = root_sum_square(*(Db(end) for end in ends or (EMPIRICAL, EMPIRICAL)))
    return MeasuredLoss(direction=direction, loss_db=Db(value), u_db=u, basis="test")


def of_kind(found: PlantComparison, kind: str) -> list[Explanation]:
    return [each for each in found.explanations if each.kind == kind]


# -- the published example --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "figures"),
    [
        ((DECLARED, DECLARED), ("2.50", "2.3", "4.1", "7.3")),
        ((EMPIRICAL, EMPIRICAL), ("1.72", "3.3", "2.8", "5.0")),
        ((EMPIRICAL, CALIBRATED), ("1.30", "4.4", "2.1", "3.8")),
        ((HAND_HELD, HAND_HELD), ("0.63", "9.1", "1.0", "1.8")),
    ],
)
def test_the_published_example_to_the_printed_digit(ends: tuple[float, float], figures: tuple[str, ...]) -> None:
    found = compare(RECORD, measured(24.1, *ends))
    assert found.excess_db.value == pytest.approx(5.75)
    assert f"{found.expected.sigma_db.value:.2f}" == "0.52"
    assert (
        f"{found.sigma_db.value:.2f}",
        f"{found.z:.1f}",
        f"{found.flagged_from_db.value:.1f}",
        f"{found.found_with_90_db.value:.1f}",
    ) == figures


def test_the_mean_of_both_ways_halves_the_doubt() -> None:
    # the same excess of 5.75 dB in both directions
    ways = [expected_loss(RECORD, way).mean_db.value + 5.75 for way in ("down", "up")]
    both = mean_loss(measured(ways[0]), measured(ways[1], direction="up"))
    found = compare(RECORD, both)
    assert f"{both.u_db.value:.2f}" == "1.16"
    figures = (found.sigma_db.value, found.flagged_from_db.value, found.found_with_90_db.value)
    assert [f"{figure:.2f}" for figure in figures] == ["1.27", "2.09", "3.72"]  # printed 1.27, 2.1, 3.7
    assert f"{found.z:.1f}" == "4.5"
    with pytest.raises(ValueError, match="not 'up' and 'down'"):
        mean_loss(measured(20, direction="up"), measured(20))
    other = mean_loss(measured(20), measured(20, direction="up").model_copy(update={"basis": "a meter"}))
    assert other.basis == "mean of down and up; test; a meter"


def test_the_message_of_a_loss_that_does_not_fit() -> None:
    found = compare(RECORD, measured(24.1))
    assert found.text == MESSAGE
    assert not found.budget.met
    assert found.distance is None


def test_the_explanations_are_ranked_from_the_record_outwards() -> None:
    ranked = compare(RECORD, measured(24.1)).explanations
    assert (ranked[0].kind, ranked[0].stages, ranked[0].steps) == ("other_layout", (64,), 1)
    # with its own plant sigma; with the recorded plant's it would be 0.96
    assert ranked[0].z == pytest.approx(0.94, abs=0.005)
    assert ranked[0].text == "1:64 in place of 1:32: should show 22.4 dB, the measured 24.1 dB fits (+0.9 sigma)"
    fitting = [each for each in ranked if each.fits]
    assert ranked[: len(fitting)] == tuple(fitting)
    # an extra loss explains any number, so it comes after what explains this one
    assert fitting[-1].kind == "extra_loss"
    assert fitting[-1].text == "as recorded with 5.8 dB (3.3 sigma) of extra loss: a joint, a connector or a bend"
    assert [each.steps for each in fitting[:-1]] == sorted(each.steps for each in fitting[:-1])
    (recorded,) = [each for each in ranked if each.kind == "as_recorded"]
    assert not recorded.fits
    assert recorded.text.startswith("as recorded, 1:32 at 3.0 km: should show 18.3 dB")
    assert recorded.text.endswith("does not fit (+3.3 sigma)")


def test_a_loss_as_recorded_is_explained_by_the_record() -> None:
    found = compare(RECORD, measured(19.0))
    assert found.explanations[0].kind == "as_recorded"
    assert found.text.endswith("excess 0.7 dB (0.4 sigma combined). As recorded fits.")
    assert not of_kind(found, "extra_loss")
    assert found.budget.met
    # that other ratios would fit too is not hidden: one poll does not tell a 1:32 from 1:4 + 1:8
    assert (4, 8) in {each.stages for each in found.explanations if each.fits}


def test_less_loss_than_recorded_is_no_extra_loss() -> None:
    found = compare(RECORD, measured(9.0))
    assert not of_kind(found, "extra_loss")
    (less,) = of_kind(found, "less_loss")
    assert less.text.startswith("as recorded with 9.3 dB (5.4 sigma) less loss than it can have")
    assert "excess -9.3 dB (-5.4 sigma combined)." in found.text
    assert found.text.endswith("Check recorded ratio and port first, then the readings.")


def test_where_nothing_fits_the_joints_are_left() -> None:
    found = compare(RECORD, measured(40.0))
    assert found.text.endswith("No other layout fits. Check the joints.")
    assert [each.kind for each in found.explanations if each.fits] == ["extra_loss"]
    # candidates of one's own
    mine = compare(RECORD, measured(24.1), candidates=[[32], (4, 8), (4, 8)])
    assert [each.stages for each in mine.explanations] == [(32,), (4, 8), (32,)]
    assert mine.text.endswith("No other layout fits. Check the joints.")


def test_a_candidate_keeps_what_the_record_says() -> None:
    record = PlantRecord(stages=(32,), record_km=3.0, connectors=1, mechanical_splices=2, system="xgs-pon")
    found = compare(record, measured(24.1), candidates=[(64,), (8, 8)])
    should = {each.stages: each.expected_db for each in of_kind(found, "other_layout")}
    assert should == {
        stages: expected_loss(record.model_copy(update={"stages": stages, "connectors": pairs})).mean_db
        for stages, pairs in (((64,), 1), ((8, 8), 3))
    }
    two = PlantRecord(stages=(8, 8), record_km=3.0, connectors=1)
    (single,) = of_kind(compare(two, measured(24.1), candidates=[(64,)]), "other_layout")
    assert single.expected_db == expected_loss(PlantRecord(stages=(64,), record_km=3.0, connectors=0)).mean_db


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="k is 0"):
        compare(RECORD, measured(20), k=0)
    with pytest.raises(ValidationError, match="a standard uncertainty is not negative"):
        MeasuredLoss(direction="down", loss_db=Db(20), u_db=Db(-1), basis="test")
    row = {"source": "test", "status": "seen"}
    certain = component_table(
        {
            "id": "certain",
            "splitters": [{**COMPONENTS.splitter(32).model_dump(mode="json"), "uniformity_db": 0}],
            "fibre": [{"wavelength_nm": 1490, "per_km": {"lowest_db": 0.25, "highest_db": 0.25, **row}}],
            "connector": {"lowest_db": 0.3, "highest_db": 0.3, **row},
        }
    )
    with pytest.raises(ValueError, match="give the readings' u_db"):
        compare(RECORD, measured(20, 0), components=certain)


def test_a_comparison_survives_json() -> None:
    found = compare(RECORD.model_copy(update={"ranging_km": 5.2}), measured(24.1))
    assert PlantComparison.model_validate_json(found.model_dump_json()) == found


losses = st.integers(0, 4500).map(lambda hundredths: hundredths / 100)
records = st.builds(
    PlantRecord,
    stages=st.sampled_from([(8,), (16,), (32,), (64,), (4, 8), (8, 8), (2, 4, 4)]),
    record_km=st.integers(0, 20_000).map(lambda metres: metres / 1000),
    ranging_km=st.none() | st.integers(0, 20_000).map(lambda metres: metres / 1000),
)


@given(records, losses)
def test_every_measurement_has_an_explanation_and_the_record_is_always_among_them(
    record: PlantRecord, value: float
) -> None:
    found = compare(record, measured(value))
    assert found.explanations[0].fits
    (recorded,) = of_kind(found, "as_recorded")
    assert recorded.z == found.z
    assert recorded.fits == (found.explanations[0] == recorded) == (abs(found.z) <= found.k)
    assert found.z * found.sigma_db.value == pytest.approx(value - found.expected.mean_db.value)
    assert [each.fits for each in found.explanations] == sorted((e.fits for e in found.explanations), reverse=True)
    assert len(of_kind(found, "extra_loss")) == (found.z > found.k)
    assert len(of_kind(found, "less_loss")) == (found.z < -found.k)
    assert len({(each.kind, each.stages) for each in found.explanations}) == len(found.explanations)


@given(records, losses, st.integers(1, 500))
def test_more_loss_is_more_excess(record: PlantRecord, value: float, more: int) -> None:
    one, other = compare(record, measured(value)), compare(record, measured(value + more / 100))
    assert other.excess_db > one.excess_db
    assert other.z > one.z
    assert (other.sigma_db, other.flagged_from_db) == (one.sigma_db, one.flagged_from_db)


@given(losses, st.permutations([(64,), (8, 8), (4, 16), (2, 32), (128,)]))
def test_the_order_of_the_candidates_does_not_matter(value: float, candidates: list[tuple[int, ...]]) -> None:
    found = compare(RECORD, measured(value), candidates=candidates)
    assert found == compare(RECORD, measured(value), candidates=sorted(candidates))


# -- distance ---------------------------------------------------------------------------------------------------------


def test_ranging_tests_the_recorded_distance() -> None:
    def record(ranging: float) -> PlantRecord:
        return PlantRecord(stages=(32,), record_km=3.0, ranging_km=ranging)

    near = check_distance(record(3.2))
    assert near is not None
    assert not near.matters
    assert near.difference_km == pytest.approx(0.2)
    assert near.shift_db.value == pytest.approx(0.05)
    assert near.text.endswith("within the ±0.16 dB that the fibre figure leaves open")
    # 0.20 to 0.30 dB per km leaves a fifth of the length open
    shorter, longer = check_distance(record(2.39)), check_distance(record(3.76))
    assert shorter is not None
    assert longer is not None
    assert shorter.matters
    assert longer.matters
    assert "ranging says 3.76 km, the record 3 km: +0.760 km, which is +0.19 dB" in longer.text
    assert longer.text.endswith("Check the recorded length and route")
    assert check_distance(RECORD) is None
    assert check_distance(PlantRecord(stages=(32,), ranging_km=3.0)) is None


def test_a_wrong_length_is_one_of_the_explanations() -> None:
    record = PlantRecord(stages=(32,), record_km=3.0, ranging_km=18.0)
    found = compare(record, measured(22.3, 0.25, 0.25))
    assert found.explanations[0].kind == "other_distance"
    assert found.explanations[0].km == 18.0
    assert found.explanations[0].text.startswith("1:32 at the ranged 18.0 km, not 3.0 km: should show 22.1 dB")
    assert found.text.endswith("The ranged 18 km would fit (22.1). Check recorded length first, then joints.")
    # a ranged distance that changes nothing explains nothing
    assert not of_kind(compare(record.model_copy(update={"ranging_km": 3.1}), measured(24.1)), "other_distance")
    metres = PlantRecord(stages=(32,), record_km=0.452)
    assert compare(metres, measured(18)).text.startswith("1:32 at 0.452 km should show")


# -- up against down --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("u", "band"), [(EMPIRICAL, "4.5"), (DECLARED, "6.8")])
def test_the_bands_of_the_direction_check(u: float, band: str) -> None:
    down, up = measured(20, u, u), measured(21.1, u, u, direction="up")
    found = check_directions(PlantRecord(stages=(32,), record_km=10.0), down, up)
    assert f"{found.band_db.value:.1f}" == band
    assert found.expected_db.value == pytest.approx(1.1)  # 0.11 dB per km
    assert found.agrees
    assert (found.hint, found.hint_status) == (None, None)


def test_the_direction_check_looks_at_both_sides_of_what_is_expected() -> None:
    record = PlantRecord(stages=(32,), record_km=10.0)
    band = check_directions(record, measured(20), measured(20, direction="up")).band_db.value

    def up_less_down(difference: float) -> Any:
        return check_directions(record, measured(20), measured(20 + difference, direction="up"))

    assert up_less_down(1.1 + band - 0.01).agrees
    assert up_less_down(1.1 - band + 0.01).agrees
    high, low = up_less_down(1.1 + band + 0.01), up_less_down(1.1 - band - 0.01)
    assert not high.agrees
    assert not low.agrees
    assert low.hint_status == "recalled"
    assert "macro-bend" in low.hint
    assert high.hint_status == "derived"
    assert "macro-bend" not in high.hint
    assert "outside the ±4.55 dB of the readings" in low.text
    with pytest.raises(ValueError, match="give the 'down' and the 'up' loss"):
        check_directions(record, measured(20), measured(20))


# upstream and downstream attenuation in dB of twelve public outputs of ZTE `show pon power attenuation`
PUBLIC_PAIRS = (
    (16.272, 20.411),
    (23.718, 22.440),
    (22.664, 22.045),
    (29.431, 29.301),
    (27.195, 28.057),
    (29.242, 32.241),
    (29.541, 32.720),
    (34.776, 32.036),
    (33.438, 29.878),
    (30.882, 31.763),
    (23.339, 24.379),
    (27.579, 28.191),
)


def test_the_band_finds_gross_errors_only() -> None:
    near = PlantRecord(stages=(64,), record_km=0.0)
    for up, down in PUBLIC_PAIRS:
        assert check_directions(near, measured(down), measured(up, direction="up")).agrees
    assert sum(abs(up - down) > 2 for up, down in PUBLIC_PAIRS) == 5
    # the seventh with ONU Rx and OLT Rx exchanged is not seen: they are only 0.6 dB apart
    assert check_directions(near, measured(32.124), measured(30.137, direction="up")).agrees
    # an OLT Tx that is 5 dB too high, as if from another class's port, is
    assert not check_directions(near, measured(24.379 + 5), measured(23.339, direction="up")).agrees


# -- from readings ----------------------------------------------------------------------------------------------------

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ONU = OnuRef.parse("0/2/5:9")


def reading(**powers: float | None) -> OpticalReading:
    values = {"olt_tx_dbm": 3.2, "olt_rx_dbm": -19.21, "onu_tx_dbm": 2.2, "onu_rx_dbm": -17.06, **powers}
    fields: dict[str, Any] = {
        name: Reading(absence=Absence.NO_SIGNAL)
        if value is None
        else Reading(value=Dbm(value), source="cli: x", at=NOW, precision_db=Db(3))
        for name, value in values.items()
    }
    return OpticalReading(onu=ONU, **fields)


def test_a_measured_loss_is_the_difference_of_the_printed_numbers() -> None:
    u = {"olt_tx_dbm": Db(0.3), "onu_rx_dbm": Db(0.4), "onu_tx_dbm": Db(0.6), "olt_rx_dbm": Db(0.8)}
    down, up = (measured_loss(reading(), way, u_db=u, basis="mine") for way in ("down", "up"))
    assert (down.loss_db, down.u_db.value) == (Db(20.26), pytest.approx(0.5))
    assert (up.loss_db, up.u_db.value) == (Db(21.41), pytest.approx(1.0))
    with pytest.raises(ValueError, match="'mean' is no direction of a reading"):
        measured_loss(reading(), "mean", u_db=u, basis="mine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"the up loss of 0/2/5:9 cannot be compared: OLT Rx is missing: no light"):
        measured_loss(reading(olt_rx_dbm=None), "up", u_db=u, basis="mine")


def test_a_verdict_gives_its_losses_with_the_judges_own_doubt() -> None:
    down, up = judged_losses(judge(reading(), CONSTRUCTION, judged_at=NOW))
    assert (down.direction, down.loss_db) == ("down", Db(20.26))
    assert (up.direction, up.loss_db) == ("up", Db(21.41))
    assert down.u_db.value == pytest.approx(2.449, abs=0.01)  # two declared ±3 dB, and a little quantisation
    assert "declared" in down.basis
    (only,) = judged_losses(judge(reading(onu_tx_dbm=None), CONSTRUCTION, judged_at=NOW))
    assert only.direction == "down"
