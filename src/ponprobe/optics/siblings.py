"""Splitters of one PON against each other: the most sensitive comparison there is without another instrument.

Measured with one test ONU under one OLT port, the biases of the test ONU and of the OLT cancel; what is left is the
repeatability of a reading and the plant. A figure is each splitter minus the median of its PON, its own reading
included: from three splitters on an outlier is never the median itself, and leaving the own reading out would let one
bad splitter move the reference of every good one. Two splitters only differ, and which of them is wrong cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median

from ponprobe.models.optical import Db, Dbm
from ponprobe.models.plant import SiblingDeviation, SiblingTable, SplitterReading
from ponprobe.optics.exact import decimal

REPEATABILITY = Db(0.5)
"""How far a repeated reading of one ONU may lie from the first, ± (recalled from ITU-T G.984.2 Amendment 2)."""


def siblings(readings: Iterable[SplitterReading], *, repeatability_db: Db = REPEATABILITY) -> SiblingTable:
    """Each splitter of one PON minus the median of all of them, in dB; positive is stronger.

    A deviation beyond twice ``repeatability_db`` (1.0 dB with the default) is flagged: two readings that are each
    within it of the truth cannot differ by more. The outputs of healthy splitters differ too, by up to their uniformity
    (1.0 dB for a 1:8), so a flag says where to look first and nothing else. Give ``expected_db`` for all where the
    splitters' own losses or distances differ: then what is compared is the reading with its expected loss added.

    Raises ``ValueError`` for no readings, for more than one PON or test ONU, for a splitter that stands there twice
    (take the median of its samples first), and where only some have ``expected_db``.
    """
    rows = tuple(readings)
    _one_family(rows)
    if not repeatability_db > Db(0):
        raise ValueError(f"repeatability_db is {repeatability_db}: it must be more than 0")
    line, first = repeatability_db * 2, rows[0]
    levels = {row.splitter: _level(row) for row in rows}
    middle = Decimal(median(levels.values()))
    common = {"olt": first.olt, "port": first.port, "test_onu": first.test_onu, "n": len(rows), "line_db": line}
    common |= {"repeatability_db": repeatability_db, "expected_used": first.expected_db is not None}
    where = f"{first.olt} {first.port}".strip()
    basis = f"{where} with test ONU {first.test_onu}, repeatability ±{repeatability_db}"
    if len(rows) == 1:
        statement = f"one splitter only on {basis}: nothing to compare it with, so nothing is said"
        return SiblingTable.model_validate({**common, "median_dbm": None, "deviations": (), "statement": statement})
    apart = max(levels.values()) - min(levels.values())
    if len(rows) == 2:
        flagged = dict.fromkeys(levels, apart > decimal(line))
        statement = f"two splitters on {basis}: they differ by {Db(float(apart))}, and which one is off cannot be said"
    else:
        flagged = {name: abs(level - middle) > decimal(line) for name, level in levels.items()}
        off = [name for name in levels if flagged[name]]
        beyond = f"beyond {line}: {', '.join(off)}" if off else f"none beyond {line}"
        statement = f"{len(rows)} splitters on {basis}: {beyond}"
    deviations = tuple(
        _deviation(name, Db(float(level - middle)), flagged[name], len(rows)) for name, level in levels.items()
    )
    return SiblingTable.model_validate(
        {**common, "median_dbm": Dbm(float(middle)), "deviations": deviations, "statement": statement}
    )


def sibling_tables(
    readings: Iterable[SplitterReading], *, repeatability_db: Db = REPEATABILITY
) -> tuple[SiblingTable, ...]:
    """A whole project's readings: one table for each OLT, PON and test ONU, in the order of their first readings."""
    families: dict[tuple[str, str, str], list[SplitterReading]] = {}
    for row in readings:
        families.setdefault((row.olt, str(row.port), str(row.test_onu)), []).append(row)
    return tuple(siblings(rows, repeatability_db=repeatability_db) for rows in families.values())


def _one_family(rows: Sequence[SplitterReading]) -> None:
    if not rows:
        raise ValueError("there is no splitter to compare: give the readings of one PON")
    for what, names in (
        ("PONs", {f"{row.olt} {row.port}".strip() for row in rows}),
        ("test ONUs", {str(row.test_onu) for row in rows}),
    ):
        if len(names) > 1:
            raise ValueError(
                f"these are readings of {len(names)} {what} ({', '.join(sorted(names))}), whose biases do not cancel: "
                "compare each by itself, or use sibling_tables"
            )
    splitters = [row.splitter for row in rows]
    twice = sorted({name for name in splitters if splitters.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)}: more than one reading; give the median of a splitter's samples")
    if len({row.expected_db is None for row in rows}) > 1:
        lacking = ", ".join(row.splitter for row in rows if row.expected_db is None)
        raise ValueError(f"expected_db is given for some splitters and missing for {lacking}: give it for all or none")


def _level(row: SplitterReading) -> Decimal:
    """The reading, with the expected loss added back where there is one; exact, so a common bias cancels exactly."""
    level = decimal(row.onu_rx_dbm)
    return level if row.expected_db is None else level + decimal(row.expected_db)


def _deviation(name: str, deviation: Db, flagged: bool, n: int) -> SiblingDeviation:  # noqa: FBT001 - read as a fact
    side = "stronger" if deviation > Db(0) else "weaker"
    text = f"{name}: as the median of {n}"
    if deviation != Db(0):
        text = f"{name}: {abs(deviation)} {side} than the median of {n}"
    if flagged and n > 2:
        text += "; look here first" if side == "weaker" else "; check its recorded ratio and place"
    elif flagged:
        text += "; this one or the other is off"
    return SiblingDeviation(splitter=name, deviation_db=deviation, flagged=flagged, text=text)
