"""A test ONU's certificate: made from pairs, bound to one serial and a period, applied once."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.models.addressing import OnuRef, Serial
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import Calibration, PairedReading
from ponprobe.optics.calibration import calibrate, corrected, corrected_by, outside_range, require_valid

MADE = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
ENDS = MADE + timedelta(days=365)
LATER = MADE + timedelta(days=30)
SERIAL = Serial("HWTC0B086EA9")
ONU = OnuRef.parse("0/2/5:9")
PAIRS = ((-15.0, -14.5), (-18.0, -17.6), (-21.0, -20.7), (-24.0, -23.6))


def pairs(*values: tuple[float, float]) -> list[PairedReading]:
    return [PairedReading(meter_dbm=Dbm(meter), onu_rx_dbm=Dbm(onu)) for meter, onu in values]


def made(*values: tuple[float, float], **more: Any) -> Calibration:
    options: dict[str, Any] = {
        "meter_id": "meter 17",
        "meter_accuracy_db": Db(0.5),
        "certificate": "C-2031-4",
        "calibrated_at": MADE,
        "valid_until": ENDS,
        **more,
    }
    return calibrate(SERIAL, pairs(*(values or PAIRS)), **options)


def read(value: float | Absence = -20.24, at: datetime | None = LATER, source: str | None = "cli: x") -> OpticalReading:
    power = (
        Reading(absence=value, at=at, source=source)
        if isinstance(value, Absence)
        else Reading(value=Dbm(value), at=at, source=source, precision_db=Db(3))
    )
    return OpticalReading(onu=ONU, onu_rx_dbm=power, olt_tx_dbm=Reading(value=Dbm(3.1)))


def test_offset_and_uncertainty_of_a_calibration() -> None:
    found = made()
    assert found.offset_db == Db(0.4)
    # differences 0.5 0.4 0.3 0.4: s = 0.0816; the meter's 0.5 dB at k = 2 is 0.25
    assert found.repeatability_db.value == pytest.approx(0.08165, abs=1e-5)
    assert found.meter_u_db == Db(0.25)
    assert found.u_db.value == pytest.approx(math.hypot(0.25, 0.08165 / 2), abs=1e-5)
    assert (found.lowest_dbm, found.highest_dbm) == (Dbm(-24), Dbm(-15))
    assert (found.serial, found.certificate, found.meter_id) == (SERIAL, "C-2031-4", "meter 17")
    # a known repeatability counts where the pairs agree better than that by chance
    assert made(repeatability_db=Db(0.3)).u_db.value == pytest.approx(math.hypot(0.25, 0.15))
    assert made(repeatability_db=Db(0.01)) == found
    assert made(coverage=1.0).meter_u_db == Db(0.5)
    one = made((-20.0, -19.2), repeatability_db=Db(0.3))
    assert (one.offset_db, one.u_db.value) == (Db(0.8), pytest.approx(math.hypot(0.25, 0.3)))


def test_a_certificate_survives_json() -> None:
    found = made()
    text = found.model_dump_json()
    assert '"serial":"HWTC0B086EA9"' in text
    assert '"offset_db":0.4' in text
    assert Calibration.model_validate_json(text) == found


def test_a_reading_is_corrected_and_says_so() -> None:
    before = read()
    after = corrected(before, made(), serial=SERIAL)
    assert after.onu_rx_dbm.value == Dbm(-20.64)  # the ONU shows 0.4 dB too much
    assert after.onu_rx_dbm.printed == "-20.24"
    assert after.onu_rx_dbm.source == "cli: x; corrected with certificate C-2031-4 by -0.40 dB"
    assert after.onu_rx_dbm.at == LATER
    assert after.model_copy(update={"onu_rx_dbm": before.onu_rx_dbm}) == before
    assert corrected_by(after.onu_rx_dbm, made())
    assert not corrected_by(after.onu_rx_dbm, made(certificate="C-2031-40"))
    assert not corrected_by(after.onu_rx_dbm, made(certificate="C-2031-"))
    assert not corrected_by(before.onu_rx_dbm, made())
    assert not corrected_by(Reading(value=Dbm(-20)), made())
    with pytest.raises(ValueError, match="has been corrected before"):
        corrected(after, made(), serial=SERIAL)
    unsourced = corrected(read(source=None), made(), serial=SERIAL)
    assert (unsourced.onu_rx_dbm.source or "").startswith("source not given; corrected")
    kept = before.model_copy(update={"onu_rx_dbm": before.onu_rx_dbm.model_copy(update={"printed": "-20.24(dBm)"})})
    assert corrected(kept, made(), serial=SERIAL).onu_rx_dbm.printed == "-20.24(dBm)"


def test_an_absent_reading_stays_absent() -> None:
    absent = read(Absence.NO_SIGNAL)
    assert corrected(absent, made(), serial=SERIAL) == absent
    assert outside_range(made(), absent) is None


def test_another_onus_certificate_is_refused() -> None:
    other = Serial("ZTEGC0FFEE01")
    with pytest.raises(ConfigError, match=r"C-2031-4 is of test ONU HWTC0B086EA9, the reading is of ZTEGC0FFEE01 - "):
        corrected(read(), made(), serial=other)
    # absent or not: a wrong certificate is a wrong certificate
    with pytest.raises(ConfigError, match="is of test ONU"):
        corrected(read(Absence.NO_SIGNAL), made(), serial=other)


def test_a_certificate_counts_in_its_period_only() -> None:
    second = timedelta(seconds=1)
    for at in (MADE, ENDS):
        require_valid(made(), serial=SERIAL, at=at)
    with pytest.raises(ConfigError, match=r"has expired: it covers 2031-05-04 to 2032-05-03, the reading is of 2032"):
        require_valid(made(), serial=SERIAL, at=ENDS + second)
    with pytest.raises(ConfigError, match=r"is not yet valid"):
        require_valid(made(), serial=SERIAL, at=MADE - second)
    with pytest.raises(ConfigError, match="has expired"):
        corrected(read(at=ENDS + second), made(), serial=SERIAL)
    # the time that the caller names comes before the reading's own
    corrected(read(at=ENDS + second), made(), serial=SERIAL, at=LATER)
    with pytest.raises(ValueError, match="say when it was read"):
        corrected(read(at=None), made(), serial=SERIAL)
    with pytest.raises(ValueError, match="has no time zone"):
        require_valid(made(), serial=SERIAL, at=datetime(2031, 6, 1))  # noqa: DTZ001 - what is refused


def test_powers_that_were_not_calibrated_are_pointed_out() -> None:
    assert outside_range(made(), read(-24.0)) is None
    assert outside_range(made(), read(-15.0)) is None
    for value in (-24.01, -14.99):
        sentence = outside_range(made(), read(value))
        assert sentence is not None
        assert f"{value:.2f} dBm lies outside the -24.00 dBm to -15.00 dBm" in sentence
        assert "extrapolated" in sentence


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ((), {}, "needs paired readings"),
        (((-20, -19),), {}, r"1 pair\(s\) of HWTC0B086EA9 show no spread"),
        (((-20, -19), (-21, -20)), {}, r"2 pair\(s\)"),
        (PAIRS, {"meter_accuracy_db": Db(0)}, "both exceed 0"),
        (PAIRS, {"coverage": 0.0}, "both exceed 0"),
        (PAIRS, {"coverage": math.nan}, "both exceed 0"),
        (PAIRS, {"repeatability_db": Db(-0.1)}, "a standard deviation is not negative"),
        (PAIRS, {"valid_until": MADE}, "ends before it begins"),
        (PAIRS, {"certificate": ""}, "certificate"),
        (PAIRS, {"calibrated_at": datetime(2031, 1, 1)}, "timezone"),  # noqa: DTZ001 - what is refused
    ],
)
def test_what_makes_no_certificate(values: Any, options: dict[str, Any], message: str) -> None:
    fixed: dict[str, Any] = {
        "meter_id": "meter 17",
        "meter_accuracy_db": Db(0.5),
        "certificate": "C",
        "calibrated_at": MADE,
        "valid_until": ENDS,
    }
    with pytest.raises(ValueError, match=message):
        calibrate(SERIAL, pairs(*values), **{**fixed, **options})


def test_no_certificate_is_without_doubt() -> None:
    data = made().model_dump()
    with pytest.raises(ValidationError, match="no meter is perfect"):
        Calibration.model_validate({**data, "u_db": Db(0)})


hundredths = st.integers(-2700, -800)


@given(st.lists(hundredths, min_size=3, max_size=12), st.integers(-300, 300))
def test_a_constant_bias_is_found_and_taken_off_exactly(lights: list[int], bias: int) -> None:
    found = made(*((light / 100, (light + bias) / 100) for light in lights))
    assert found.offset_db.value == pytest.approx(bias / 100, abs=1e-9)
    # nothing scatters, so the meter's own doubt is all that is left
    assert found.u_db.value == pytest.approx(0.25, abs=1e-9)
    for light in lights:
        shown = corrected(read((light + bias) / 100), found, serial=SERIAL)
        assert shown.onu_rx_dbm.value == Dbm(light / 100)


@given(st.lists(st.tuples(hundredths, hundredths), min_size=3, max_size=12))
def test_the_meter_is_the_floor_and_the_corrections_average_out(values: list[tuple[int, int]]) -> None:
    found = made(*((meter / 100, onu / 100) for meter, onu in values))
    assert found.u_db >= Db(0.25)
    left = [(pair.onu_rx_dbm - pair.meter_dbm - found.offset_db).value for pair in found.pairs]
    assert sum(left) == pytest.approx(0, abs=1e-6)
    double = calibrate(
        SERIAL,
        found.pairs * 4,
        meter_id="meter 17",
        meter_accuracy_db=Db(0.5),
        certificate="C",
        calibrated_at=MADE,
        valid_until=ENDS,
    )
    assert double.u_db <= found.u_db
