"""A test ONU against a hand-held meter: measure its bias once, and correct every reading with it.

A module's reading of its received power is off by up to ±3 dB, but by the same amount every time. So a reusable test
ONU is read beside a meter on a few lights; the mean difference is its offset, and what is left is mostly the meter's
own accuracy. The certificate belongs to one serial and ends on a date.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from statistics import fmean, stdev

from ponprobe.errors import ConfigError
from ponprobe.models.addressing import Serial
from ponprobe.models.optical import Db, Dbm, OpticalReading, Reading
from ponprobe.models.plant import Calibration, PairedReading
from ponprobe.optics.exact import difference

_MARK = "corrected with certificate"  # in the source of a reading that has been corrected


def calibrate(
    serial: Serial,
    pairs: Iterable[PairedReading],
    *,
    meter_id: str,
    meter_accuracy_db: Db,
    certificate: str,
    calibrated_at: datetime,
    valid_until: datetime,
    coverage: float = 2.0,
    repeatability_db: Db | None = None,
) -> Calibration:
    """Work out a test ONU's certificate from lights that both it and a meter have read.

    ``meter_accuracy_db`` is the ± of the meter's data sheet (0.5 dB for a usual hand-held PON meter) and ``coverage``
    the number of standard uncertainties in it (2). ``repeatability_db`` is the standard deviation of one pair, where
    known; the one that the pairs show is used if it is larger. The offset has ``u² = u_meter² + s²/n``:
    more pairs shrink the second part, never the first. Both times must be aware.

    Raises ``ValueError`` for no pairs, for one or two pairs without ``repeatability_db`` (they show no spread to rely
    on), and for figures that cannot be.
    """
    kept = tuple(pairs)
    if not kept:
        raise ValueError(f"a calibration of {serial} needs paired readings of meter and test ONU: give at least one")
    if not meter_accuracy_db > Db(0) or not coverage > 0:
        raise ValueError(f"the meter's accuracy ±{meter_accuracy_db} at k = {coverage:g} cannot be: both exceed 0")
    if repeatability_db is not None and repeatability_db < Db(0):
        raise ValueError(f"repeatability_db is {repeatability_db}: a standard deviation is not negative")
    if len(kept) < 3 and repeatability_db is None:
        raise ValueError(
            f"{len(kept)} pair(s) of {serial} show no spread to rely on: read three lights, or give repeatability_db"
        )
    differences = [(pair.onu_rx_dbm - pair.meter_dbm).value for pair in kept]
    seen = stdev(differences) if len(kept) > 1 else 0.0
    spread = max(seen, repeatability_db.value if repeatability_db is not None else 0.0)
    meter_u = meter_accuracy_db.value / coverage
    lights = [pair.meter_dbm for pair in kept]
    return Calibration(
        serial=serial,
        offset_db=Db(round(fmean(differences), 9)),
        u_db=Db(math.hypot(meter_u, spread / math.sqrt(len(kept)))),
        meter_id=meter_id,
        meter_u_db=Db(meter_u),
        repeatability_db=Db(spread),
        pairs=kept,
        lowest_dbm=min(lights),
        highest_dbm=max(lights),
        certificate=certificate,
        calibrated_at=calibrated_at,
        valid_until=valid_until,
    )


def require_valid(calibration: Calibration, *, serial: Serial, at: datetime) -> None:
    """Raise ``ConfigError`` unless the certificate is this test ONU's and covers ``at`` (aware)."""
    if calibration.serial != serial:
        raise ConfigError(
            f"certificate {calibration.certificate} is of test ONU {calibration.serial}, the reading is of {serial}",
            hint="give the certificate of the test ONU that was plugged in, or none",
        )
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: give an aware time")
    if calibration.valid_at(at):
        return
    begins, ends = calibration.calibrated_at.date(), calibration.valid_until.date()
    state = "has expired" if at > calibration.valid_until else "is not yet valid"
    raise ConfigError(
        f"certificate {calibration.certificate} of test ONU {serial} {state}: it covers {begins} to {ends}, "
        f"the reading is of {at.date()}",
        hint="calibrate the test ONU again, or judge without a certificate",
    )


def corrected(
    reading: OpticalReading, calibration: Calibration, *, serial: Serial, at: datetime | None = None
) -> OpticalReading:
    """The reading with the test ONU's offset taken off its ONU Rx; the other three powers stay as they are.

    ``serial`` is the test ONU that was plugged in, ``at`` when it was read (aware; default: the reading's own time).
    The source says what was corrected by which certificate, and ``printed`` keeps the number that the device showed.
    An absent ONU Rx stays absent. The uncertainty for the judge is ``calibration.u_db``.

    Raises ``ConfigError`` for another ONU's, an expired or a future certificate, and ``ValueError`` without a time or
    for a reading that has been corrected before.
    """
    power = reading.onu_rx_dbm
    when = at or power.at
    if when is None:
        raise ValueError(f"the ONU Rx of {reading.onu} has no time: say when it was read, certificates end")
    require_valid(calibration, serial=serial, at=when)
    if power.value is None:
        return reading
    if power.source is not None and _MARK in power.source:
        raise ValueError(f"the ONU Rx of {reading.onu} has been corrected before ({power.source}): correct it once")
    source = f"{power.source or 'source not given'}; {_MARK} {calibration.certificate} by {-calibration.offset_db}"
    changed = power.model_copy(
        update={
            # in decimals: -20.24 less 0.42 is -20.66 and nothing else
            "value": Dbm(difference(power.value.value, calibration.offset_db.value)),
            "source": source,
            "printed": power.printed or f"{power.value.value!r}",
        }
    )
    return reading.model_copy(update={"onu_rx_dbm": changed})


def corrected_by(power: Reading, calibration: Calibration) -> bool:
    """Whether ``corrected`` has taken this certificate's offset off a power."""
    return f"{_MARK} {calibration.certificate} by " in (power.source or "")


def outside_range(calibration: Calibration, reading: OpticalReading) -> str | None:
    """A sentence if a corrected ONU Rx lies outside the powers that were calibrated, where the offset is a guess."""
    value = reading.onu_rx_dbm.value
    if value is None or calibration.lowest_dbm <= value <= calibration.highest_dbm:
        return None
    return (
        f"ONU Rx {value} lies outside the {calibration.lowest_dbm} to {calibration.highest_dbm} that certificate "
        f"{calibration.certificate} was made at: its offset is extrapolated"
    )
