"""How sure a reported power is: u² = u_sys² + u_rep²/n + u_quant², each part with its source.

u_sys comes from the test ONU's calibration certificate, else from an accuracy that the caller names, else from the
precision that the reading itself declares, else from a default of the device family. Repeating a reading lowers u_rep
only: the error that all repetitions share stays.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from types import MappingProxyType

from ponprobe.errors import ConfigError
from ponprobe.models.judgement import Accuracy, Band, JudgeOptions, Outcome, Policy, Uncertainty, UncertaintyTerm
from ponprobe.models.optical import Db, OpticalReading, Reading
from ponprobe.optics.exact import LOSS_ENDS

_ZTE_UP_AND_DOWN = (
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
"""Upstream and downstream attenuation in dB as printed by twelve public ``show pon power attenuation`` outputs."""
# one fibre both ways, so the spread of the differences is that of four independent readings
_ZTE_SIGMA = statistics.stdev(down - up for up, down in _ZTE_UP_AND_DOWN) / 2

SFF_8472 = Accuracy(
    id="sff_8472",
    u_db=Db(3 / math.sqrt(3)),
    statement="±3 dB over temperature and voltage",
    source="SFF-8472 as restated by GigaTech, Delta and etulink module manuals",
    status="seen",
)
"""What any pluggable module may be off by; used where nothing better is known."""

_ACCURACIES: Mapping[str, Accuracy] = MappingProxyType(
    {
        known.id: known
        for known in (
            SFF_8472,
            Accuracy(
                id="huawei",
                u_db=Db(3 / math.sqrt(3)),
                statement="±3 dB declared",
                source="Huawei display ont optical-info prints Optical power precision(dBm): 3.0 (four public outputs)",
                status="seen",
            ),
            Accuracy(
                id="zte",
                u_db=Db(_ZTE_SIGMA),
                statement=f"sigma {_ZTE_SIGMA:.2f} dB a reading; an error common to both directions is not in it",
                source="differences between the directions in twelve public ZTE show pon power attenuation outputs",
                status="derived",
                resolution_included=True,
            ),
            Accuracy(
                id="hand_held",
                u_db=Db(0.5 / 2),
                statement="0.5 dB at k = 2",
                source="hand-held PON power meter TPN-35, product page",
                status="seen",
                resolution_included=True,
            ),
        )
    }
)


def accuracies() -> Mapping[str, Accuracy]:
    """The built-in accuracies by id, read-only."""
    return _ACCURACIES


def family_accuracy(family: str | None) -> Accuracy:
    """The default for a platform (``huawei_smartax``, ``zte_zxan``, …); SFF-8472's ±3 dB for any other or none."""
    return _ACCURACIES.get((family or "").partition("_")[0], SFF_8472)


def named_accuracy(name: str) -> Accuracy:
    """The accuracy with this id; ``ConfigError`` with the known ids otherwise."""
    try:
        return _ACCURACIES[name]
    except KeyError:
        known = ", ".join(sorted(_ACCURACIES))
        raise ConfigError(f"there is no accuracy {name!r}", hint=f"known: {known}") from None


def declared_accuracy(precision: Db) -> Accuracy:
    """What a reading declares about itself: ``± precision``, anywhere inside equally likely."""
    return Accuracy(
        id="declared",
        u_db=Db(precision.value / math.sqrt(3)),
        statement=f"±{precision.value:g} dB declared",
        source="the reading's own declared precision",
        status="seen",
    )


# -- quantisation -----------------------------------------------------------------------------------------------------

QUANTISATION_SOURCE = "SFF-8472: received and sent power are counted in steps of 0.1 µW"
_STEP_MW = 1e-4
_TABLE_LOW, _TABLE_HIGH = -6000, 2000  # hundredths of a dBm


def _quantisation(hundredths: int) -> float:
    power_mw = 10 ** (hundredths / 1000)
    return 10 * math.log10(1 + _STEP_MW / power_mw) / math.sqrt(12)


QUANTISATION_DB = tuple(_quantisation(each) for each in range(_TABLE_LOW, _TABLE_HIGH + 1))
"""u_quant in dB for each hundredth of a dBm from -60 to +20.

A table, so that one reading and a million at once get the same bits: the libraries' logarithms differ in the last one.
"""


def quantisation_index(value_dbm: float) -> int:
    """Where in ``QUANTISATION_DB`` a power is; powers outside -60..+20 dBm take the nearest end."""
    return round(min(max(value_dbm * 100, _TABLE_LOW), _TABLE_HIGH)) - _TABLE_LOW


def quantisation_db(value_dbm: float) -> float:
    """u_quant in dB of a power in dBm: one step of 0.1 µW over the root of twelve."""
    return QUANTISATION_DB[quantisation_index(value_dbm)]


# -- one number -------------------------------------------------------------------------------------------------------


def accuracy_of(name: str, reading: Reading, options: JudgeOptions) -> Accuracy:
    """The systematic part of one power's uncertainty: the best that is known about it."""
    calibration = options.calibration
    if calibration is not None and name == "onu_rx_dbm":
        return Accuracy(
            id="calibrated",
            u_db=calibration.u_db,
            statement=f"test ONU {calibration.serial} corrected by {calibration.offset_db.value:g} dB",
            source=f"calibration certificate {calibration.certificate}, meter {calibration.meter_id}",
        )
    if options.accuracy is not None:
        return options.accuracy
    # a device that declares ±0 declares nothing
    if reading.precision_db is not None and reading.precision_db > Db(0):
        return declared_accuracy(reading.precision_db)
    return family_accuracy(options.family)


def uncertainty_of(
    quantity: str, samples: Sequence[OpticalReading], reading: OpticalReading, options: JudgeOptions
) -> Uncertainty:
    """The uncertainty of one judged quantity; an attenuation has that of both its ends.

    The powers that it needs must be present in ``reading``.
    """
    terms = [
        term
        for name in LOSS_ENDS.get(quantity, (quantity,))
        for term in _terms(name, samples, getattr(reading, name), options)
    ]
    total = 0.0
    for term in terms:
        total += term.u_db.value * term.u_db.value
    u = math.sqrt(total)
    return Uncertainty(terms=tuple(terms), u_db=Db(u), k=options.k, w_db=Db(options.k * u))


def _terms(
    name: str, samples: Sequence[OpticalReading], reading: Reading, options: JudgeOptions
) -> list[UncertaintyTerm]:
    assert reading.value is not None  # what is absent has no uncertainty  # noqa: S101
    accuracy = accuracy_of(name, reading, options)
    terms = [
        UncertaintyTerm(
            quantity=name,
            kind="systematic",
            u_db=accuracy.u_db,
            source=f"{accuracy.statement}; {accuracy.source}",
            status=accuracy.status,
        )
    ]
    repeatability = _repeatability(name, samples, options)
    if repeatability is not None:
        terms.append(repeatability)
    if not accuracy.resolution_included:
        terms.append(
            UncertaintyTerm(
                quantity=name,
                kind="quantisation",
                u_db=Db(quantisation_db(reading.value.value)),
                source=QUANTISATION_SOURCE,
                status="seen",
            )
        )
    return terms


def _repeatability(name: str, samples: Sequence[OpticalReading], options: JudgeOptions) -> UncertaintyTerm | None:
    """What repeating the reading shows, over the root of their number; one reading alone shows nothing."""
    present = [value.value for value in (getattr(sample, name).value for sample in samples) if value is not None]
    spread = statistics.stdev(present) if len(present) > 1 else 0.0
    source = f"standard deviation of {len(present)} samples / sqrt({len(present)})"
    calibration = options.calibration
    if calibration is not None and name == "onu_rx_dbm" and calibration.repeatability_db.value > spread:
        # a handful of samples may agree by chance; the certificate knows how this ONU scatters
        spread = calibration.repeatability_db.value
        source = f"repeatability of certificate {calibration.certificate} / sqrt({len(present)})"
    elif len(present) < 2:
        return None
    u = spread / math.sqrt(len(present))
    return UncertaintyTerm(quantity=name, kind="repeatability", u_db=Db(u), source=source, status="derived")


# -- bands ------------------------------------------------------------------------------------------------------------


def band_of(margin_db: float, w_db: float) -> Band:
    """Where a number is that is ``margin_db`` inside its limit, with a guard band of ``w_db``; equality is better."""
    if margin_db >= w_db:
        return Band.PASS
    if margin_db >= 0:
        return Band.MARGINAL_PASS
    return Band.MARGINAL_FAIL if margin_db >= -w_db else Band.FAIL


_PASSING = {
    Policy.SIMPLE: {Band.PASS, Band.MARGINAL_PASS},
    Policy.GUARD_ACCEPT: {Band.PASS},
    Policy.GUARD_REJECT: {Band.PASS, Band.MARGINAL_PASS, Band.MARGINAL_FAIL},
}


def outcome_of(band: Band, policy: Policy) -> Outcome:
    """The official outcome of a band under a policy."""
    if band is Band.UNDETERMINED:
        return Outcome.UNDETERMINED
    return Outcome.PASS if band in _PASSING[policy] else Outcome.FAIL


def probability_met(margin_db: float, u_db: float) -> float:
    """P(the true value meets the limit) with a normal error and a flat prior."""
    return NormalDist().cdf(margin_db / u_db)
