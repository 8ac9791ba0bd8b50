"""Values as DataFrames: the same columns and dtypes whatever was read, units in names, reasons beside numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, TypeAlias, cast

from ponprobe import tabular
from ponprobe.errors import MissingExtra
from ponprobe.models._base import Value
from ponprobe.models.device import OnuState
from ponprobe.models.optical import POWERS, OpticalReading
from ponprobe.models.run import MeasureResult
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepRecord
from ponprobe.optics.exact import link_loss

Row: TypeAlias = "dict[str, Any]"
Columns: TypeAlias = Mapping[str, str]

TEXT, WHOLE, NUMBER, FLAG, TIME = "string", "Int64", "Float64", "boolean", "datetime64[us, UTC]"

_POWERS: Columns = {
    **dict.fromkeys(POWERS, NUMBER),
    "downstream_attenuation_db": NUMBER,
    "upstream_attenuation_db": NUMBER,
    **{f"{name.removesuffix('_dbm')}_absence": TEXT for name in POWERS},
    "downstream_absence": TEXT,
    "upstream_absence": TEXT,
}
READING_COLUMNS: Columns = {
    "port": TEXT,
    "onu_id": WHOLE,
    **_POWERS,
    **{f"{name.removesuffix('_dbm')}_source": TEXT for name in POWERS},
    **{f"{name.removesuffix('_dbm')}_read_at": TIME for name in POWERS},
    "temperature_c": NUMBER,
    "voltage_v": NUMBER,
    "bias_ma": NUMBER,
}
STATE_COLUMNS: Columns = {
    "port": TEXT,
    "onu_id": WHOLE,
    "serial": TEXT,
    "mac": TEXT,
    "run_state": TEXT,
    "online": FLAG,
    "config_state": TEXT,
    "match_state": TEXT,
    "admin_state": TEXT,
    "auth_type": TEXT,
    "onu_type": TEXT,
    "description": TEXT,
    "distance_m": NUMBER,
    "last_down_cause": TEXT,
    "onu_rx_dbm": NUMBER,
    "onu_tx_dbm": NUMBER,
    "line_profile": TEXT,
    "service_profile": TEXT,
}
RESULT_COLUMNS: Columns = {
    "run_id": TEXT,
    "olt": TEXT,
    "host": TEXT,
    "splitter": TEXT,
    "port": TEXT,
    "onu_id": WHOLE,
    "serial": TEXT,
    "outcome": TEXT,
    "band": TEXT,
    "limits": TEXT,
    "clean": FLAG,
    "samples": WHOLE,
    **_POWERS,
    "distance_m": NUMBER,
    "online_after_s": NUMBER,
    "started_at": TIME,
    "finished_at": TIME,
}


def to_frame(items: Iterable[Any], *, of: type[Value] | None = None) -> Any:
    """Give readings, ONU states, results of measurements, or a sweep as a ``pandas.DataFrame``, one row for each.

    Columns and dtypes depend on the kind of the items alone: ``string``, ``Int64``, ``Float64``, ``boolean`` and
    ``datetime64[us, UTC]``. Powers are in dBm, losses in dB, distances in metres; an absent number is ``<NA>`` with its
    reason in an ``_absence`` column. ``of`` names the kind where ``items`` may be empty: ``OpticalReading``,
    ``OnuState``, ``MeasureResult`` or ``SweepRecord``.

    Raises ``MissingExtra`` without pandas, ``TypeError`` for other or mixed kinds, ``ValueError`` for nothing at all
    without ``of``.
    """
    rows = list(items)
    if of is None and not rows:
        raise ValueError("there is nothing in it, so its kind is unknown: say of=OpticalReading, OnuState, ...")
    kind = of or _kind(rows[0])
    wrong = sorted({type(each).__name__ for each in rows if _kind(each) is not kind})
    if wrong:
        raise TypeError(f"a frame of {kind.__name__} cannot hold {', '.join(wrong)}: make one frame for each kind")
    if kind is SweepRecord:
        return tabular.to_frame(rows)
    if kind not in _FRAMES:
        known = ", ".join(each.__name__ for each in (*_FRAMES, SweepRecord))
        raise TypeError(f"there is no frame of {kind.__name__}: give {known}")
    columns, row = _FRAMES[kind]
    return _frame(columns, [row(each) for each in rows])


def _kind(item: object) -> type:
    # a sweep's stream has items beside its records, which are passed over
    return SweepRecord if isinstance(item, (OltStarted, PortDone, PortSkipped)) else type(item)


def _frame(columns: Columns, rows: list[Row]) -> Any:
    try:
        pandas: Any = import_module("pandas")
    except ImportError as exc:
        raise MissingExtra("a DataFrame (pandas)", "frame") from exc
    found: dict[str, Any] = {}
    for name, dtype in columns.items():
        values = [row[name] for row in rows]
        if dtype == TIME:
            found[name] = pandas.Series(pandas.to_datetime(values, utc=True)).astype(TIME)
        else:
            found[name] = pandas.array(values, dtype=dtype)
    return pandas.DataFrame(found)


def _powers(reading: OpticalReading | None) -> Row:
    if reading is None:
        return dict.fromkeys(_POWERS)
    loss = link_loss(reading)
    row: Row = {
        "downstream_attenuation_db": _number(loss.downstream_attenuation_db),
        "upstream_attenuation_db": _number(loss.upstream_attenuation_db),
        "downstream_absence": loss.downstream_absence,
        "upstream_absence": loss.upstream_absence,
    }
    for name, power in reading.powers.items():
        row[name] = _number(power.value)
        row[f"{name.removesuffix('_dbm')}_absence"] = None if power.absence is None else str(power.absence)
    return row


def _number(quantity: Any) -> float | None:
    return None if quantity is None else float(quantity)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _reading_row(reading: OpticalReading) -> Row:
    row = {"port": str(reading.onu.port), "onu_id": reading.onu.onu_id, **_powers(reading)}
    for name, power in reading.powers.items():
        row[f"{name.removesuffix('_dbm')}_source"] = power.source
        row[f"{name.removesuffix('_dbm')}_read_at"] = power.at
    return row | {name: getattr(reading, name) for name in ("temperature_c", "voltage_v", "bias_ma")}


def _state_row(state: OnuState) -> Row:
    row: Row = {name: getattr(state, name, None) for name in STATE_COLUMNS}
    return row | {
        "port": None if state.onu is None else str(state.onu.port),
        "onu_id": None if state.onu is None else state.onu.onu_id,
        "serial": _text(state.serial),
        # nobody asked is not offline
        "online": None if state.run_state is None else state.online,
        "onu_rx_dbm": _number(state.onu_rx_dbm),
        "onu_tx_dbm": _number(state.onu_tx_dbm),
    }


def _result_row(result: MeasureResult) -> Row:
    verdict, state = result.verdict, result.state
    return {
        "run_id": result.run_id,
        "olt": result.olt,
        "host": result.host,
        "splitter": result.order.splitter,
        "port": str(result.onu.port),
        "onu_id": result.onu.onu_id,
        "serial": _text(result.order.auth.serial),
        "outcome": None if verdict is None else verdict.outcome.value,
        "band": None if verdict is None else verdict.band.value,
        "limits": None if verdict is None else verdict.threshold_set.key,
        "clean": result.clean,
        "samples": len(result.readings),
        **_powers(None if verdict is None else verdict.reading),
        "distance_m": None if state is None else state.distance_m,
        "online_after_s": result.online_after_s,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
    }


_FRAMES: dict[type, tuple[Columns, Callable[[Any], Row]]] = {
    OpticalReading: (READING_COLUMNS, cast("Callable[[Any], Row]", _reading_row)),
    OnuState: (STATE_COLUMNS, cast("Callable[[Any], Row]", _state_row)),
    MeasureResult: (RESULT_COLUMNS, cast("Callable[[Any], Row]", _result_row)),
}
