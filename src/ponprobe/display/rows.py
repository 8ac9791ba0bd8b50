"""How many values of a kind are shown: a table with a row for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ponprobe.display.parts import Markup, clean_badge, state_badge, table, verdict_badge
from ponprobe.models._base import Value
from ponprobe.models.judgement import Verdict
from ponprobe.models.optical import Absence, OpticalReading
from ponprobe.models.plant import PlantComparison
from ponprobe.models.run import MeasureResult, Recovery, Removal
from ponprobe.models.sweep import SweepRecord
from ponprobe.optics.exact import link_loss
from ponprobe.optics.words import State

Row = Callable[[Any], Mapping[str, object]]

_HIDDEN = frozenset({"schema_version", "event", "absent"})


def by_kind(items: Iterable[Value]) -> dict[type, list[Value]]:
    """The values of each kind, in the order of its first."""
    kinds: dict[type, list[Value]] = {}
    for item in items:
        kinds.setdefault(type(item), []).append(item)
    return kinds


def tables(kinds: Mapping[type, list[Value]]) -> Markup:
    """A table for each kind, with the number of its values and its name above it."""
    return Markup("".join(_table(kind, items) for kind, items in kinds.items()))


def found(registry: Mapping[type, Any], kind: type, default: Any) -> Any:
    """What a registry has for a kind or for what it derives from."""
    return next((registry[each] for each in kind.__mro__ if each in registry), default)


def words(kind: type) -> str:
    """``OnuState`` is "ONU state"."""
    spaced = "".join(f" {char.lower()}" if char.isupper() else char for char in kind.__name__).strip()
    return " ".join({"onu": "ONU", "olt": "OLT", "pon": "PON", "mac": "MAC"}.get(word, word) for word in spaced.split())


def absences(value: Value) -> Mapping[str, Absence]:
    """Why a field of a value is empty, where it says so."""
    return getattr(value, "absent", {})


def fields(value: Value) -> Mapping[str, object]:
    """A value's fields by name, without what only programs need."""
    return {name: getattr(value, name) for name in type(value).model_fields if name not in _HIDDEN}


def _table(kind: type, items: list[Value]) -> Markup:
    row: Row = found(_ROWS, kind, fields)
    caption = f"{len(items)} × {words(kind)}" if len(items) > 1 else words(kind)
    return table([row(each) for each in items], caption=caption, absences=[absences(each) for each in items])


def _optical_row(value: OpticalReading) -> Mapping[str, object]:
    loss = link_loss(value)
    return {
        "onu": value.onu,
        **value.powers,
        "downstream_attenuation_db": loss.downstream_attenuation_db,
        "upstream_attenuation_db": loss.upstream_attenuation_db,
        "temperature_c": value.temperature_c,
    }


def sweep_row(value: SweepRecord) -> Mapping[str, object]:
    """Who an ONU is, how it is, its powers and losses."""
    return {
        "olt": value.olt,
        "onu": value.onu,
        "serial": value.serial,
        "mac": value.mac,
        "run_state": value.run_state,
        "distance_m": value.distance_m,
        "last_down_cause": value.last_down_cause,
        **value.optical.powers,
        "downstream_attenuation_db": value.loss.downstream_attenuation_db,
        "upstream_attenuation_db": value.loss.upstream_attenuation_db,
    }


def _verdict_row(value: Verdict) -> Mapping[str, object]:
    return {
        "onu": value.onu,
        "verdict": verdict_badge(value),
        "limits": value.threshold_set.key,
        "onu_rx_dbm": value.reading.onu_rx_dbm,
        "downstream_attenuation_db": value.loss.downstream_attenuation_db,
        "upstream_attenuation_db": value.loss.upstream_attenuation_db,
        "judged": value.judged_at,
    }


def _result_row(value: MeasureResult) -> Mapping[str, object]:
    verdict = value.verdict
    reading = None if verdict is None else verdict.reading.onu_rx_dbm
    return {
        "splitter": value.order.splitter,
        "onu": value.onu,
        "verdict": state_badge(State.UNDETERMINED) if verdict is None else verdict_badge(verdict),
        "onu_rx_dbm": reading,
        "downstream_attenuation_db": None if verdict is None else verdict.loss.downstream_attenuation_db,
        "upstream_attenuation_db": None if verdict is None else verdict.loss.upstream_attenuation_db,
        "device": clean_badge(value.clean, known=value.removal is not None),
        "finished": value.finished_at,
        "run": value.run_id,
    }


def _comparison_row(value: PlantComparison) -> Mapping[str, object]:
    return {
        "direction": value.measured.direction,
        "plant": f"{value.expected.record.layout} at {value.expected.record.km:g} km",
        "measured_db": value.measured.loss_db,
        "expected_db": value.expected.mean_db,
        "worst_value_db": value.expected.worst_db,
        "excess_db": value.excess_db,
        "in_words": value.text,
    }


def _removal_row(value: Removal) -> Mapping[str, object]:
    return {"onu": value.onu, "device": clean_badge(value.clean), "removed": value.removed, "at": value.at}


def _recovery_row(value: Recovery) -> Mapping[str, object]:
    return {
        "run_id": value.run_id,
        "onu": value.onu,
        "device": clean_badge(value.clean),
        "removed": None if value.removal is None else value.removal.removed,
        "error": value.error,
    }


_ROWS: Mapping[type, Row] = {
    OpticalReading: _optical_row,
    SweepRecord: sweep_row,
    Verdict: _verdict_row,
    MeasureResult: _result_row,
    PlantComparison: _comparison_row,
    Removal: _removal_row,
    Recovery: _recovery_row,
}
