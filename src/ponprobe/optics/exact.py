"""Powers subtracted as the decimals that the device printed, and how the judge writes numbers and names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ponprobe.models.judgement import LinkLoss
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading

NAMES = {
    "olt_tx_dbm": "OLT Tx",
    "olt_rx_dbm": "OLT Rx",
    "onu_tx_dbm": "ONU Tx",
    "onu_rx_dbm": "ONU Rx",
    "downstream_attenuation_db": "downstream attenuation",
    "upstream_attenuation_db": "upstream attenuation",
}
LOSS_ENDS = {
    "downstream_attenuation_db": ("olt_tx_dbm", "onu_rx_dbm"),
    "upstream_attenuation_db": ("onu_tx_dbm", "olt_rx_dbm"),
}
"""Which powers an attenuation is the difference of: launched, received."""
WHY_ABSENT = {
    Absence.NOT_REPORTED: "the device printed no value",
    Absence.NO_SIGNAL: "no light was received",
    Absence.OUT_OF_RANGE: "the device declared its own number out of range",
    Absence.OFFLINE: "the ONU is offline",
    Absence.UNSUPPORTED: "the device cannot report it",
    Absence.GARBLED: "the device's answer was garbled",
    Absence.NOT_READ: "it was not read",
}


def decimal(quantity: Dbm | Db) -> Decimal:
    """The number as the device printed it: the shortest decimal that is this float."""
    return Decimal(repr(quantity.value))


def difference(one: float, other: float) -> float:
    """``one - other`` of the decimals that the two floats were printed as, rounded once."""
    return float(Decimal(repr(one)) - Decimal(repr(other)))


def gap(one: Dbm | Db, other: Dbm | Db) -> Db:
    """How far apart two numbers of one unit are, exactly."""
    return Db(abs(difference(one.value, other.value)))


def shown(quantity: Dbm | Db) -> str:
    """Two decimals, or all of them where two would hide what was compared."""
    value = quantity.value
    return str(quantity) if float(f"{value:.2f}") == value else f"{value!r} {quantity.unit}"


def missing(name: str, reading: Reading) -> str:
    """Which power is missing and why."""
    assert reading.absence is not None  # a reading has either a value or a reason  # noqa: S101
    return f"{NAMES[name]} is missing: {WHY_ABSENT[reading.absence]}"


def link_loss(reading: OpticalReading) -> LinkLoss:
    """Both attenuations in dB: downstream OLT Tx - ONU Rx, upstream ONU Tx - OLT Rx.

    Where a power is absent the attenuation is ``None`` and a sentence says which power and why. Computed in decimal, so
    that 3.2 dBm - (-17.06 dBm) is 20.26 dB and not a hair less.
    """
    found: dict[str, Any] = {}
    for quantity, names in LOSS_ENDS.items():
        value, reason = _loss(reading, *names)
        found[quantity] = value
        found[quantity.replace("attenuation_db", "absence")] = reason
    return LinkLoss(**found)


def _loss(reading: OpticalReading, launch: str, receive: str) -> tuple[Db | None, str | None]:
    launched, received = getattr(reading, launch), getattr(reading, receive)
    if launched.value is not None and received.value is not None:
        return Db(difference(launched.value.value, received.value.value)), None
    return None, "; ".join(
        missing(name, end) for name, end in ((launch, launched), (receive, received)) if end.value is None
    )
