"""What two roads said about the same thing, as one answer: the first word stands, the next fills what it lacks."""

from __future__ import annotations

from typing import TypeVar, cast

from ponprobe.models.device import OltFacts, PonPortState
from ponprobe.models.optical import Absence, OpticalReading, Reading

T = TypeVar("T")

_OPEN = {Absence.NOT_REPORTED, Absence.UNSUPPORTED, Absence.GARBLED, Absence.NOT_READ}
"""Absences that another road may fill. An ONU that is offline or gets no light is an answer, whoever is asked."""


def settled(answer: object) -> bool:
    """Whether asking another road could add nothing."""
    if isinstance(answer, OpticalReading):
        powers = answer.powers.values()
        return any(each.absence is Absence.OFFLINE for each in powers) or not any(map(_is_open, powers))
    if isinstance(answer, PonPortState):
        return not _is_open(answer.olt_tx_dbm)
    if isinstance(answer, OltFacts):
        return answer.model is not None and answer.version is not None
    if isinstance(answer, tuple):
        return all(map(settled, answer))
    return True


def merged(first: T, other: T) -> T:
    """``first``, completed from ``other``; each number keeps its source."""
    found: object = first
    if isinstance(first, OpticalReading) and isinstance(other, OpticalReading):
        found = first.merged_with(other)
    elif isinstance(first, PonPortState) and isinstance(other, PonPortState):
        found = other if _is_open(first.olt_tx_dbm) and not _is_open(other.olt_tx_dbm) else first
    elif isinstance(first, OltFacts) and isinstance(other, OltFacts):
        known = {name: value for name, value in first if value is not None}
        found = other.model_copy(update=known)
    elif isinstance(first, tuple) and isinstance(other, tuple):
        found = _merged_rows(first, other)
    return cast("T", found)


def _merged_rows(first: tuple[object, ...], other: tuple[object, ...]) -> tuple[object, ...]:
    """Rows of optical tables by their ONU. An ONU that only one road saw stays: a table may be older than the other."""
    rest = {row.onu: row for row in other if isinstance(row, OpticalReading)}
    rows = [
        row.merged_with(rest.pop(row.onu)) if isinstance(row, OpticalReading) and row.onu in rest else row
        for row in first
    ]
    return (*rows, *rest.values())


def _is_open(reading: Reading) -> bool:
    return reading.absence in _OPEN
