"""A sweep as a table: flat records for Parquet and databases, rows for CSV, a DataFrame.

One row for each ONU, with the same columns in the same order whatever was read; units are in the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from ponprobe.errors import MissingExtra
from ponprobe.models.optical import POWERS
from ponprobe.models.sweep import SweepItem, SweepRecord

Cell: TypeAlias = "float | int | str | None"

COLUMNS: Mapping[str, type[str | int | float]] = {
    "olt": str,
    "host": str,
    "port": str,
    "onu_id": int,
    "serial": str,
    "mac": str,
    "run_state": str,
    "distance_m": float,
    "last_down_cause": str,
    **dict.fromkeys(POWERS, float),
    "downstream_attenuation_db": float,
    "upstream_attenuation_db": float,
    **{f"{name.removesuffix('_dbm')}_absence": str for name in POWERS},
    "downstream_absence": str,
    "upstream_absence": str,
    **{f"{name.removesuffix('_dbm')}_source": str for name in POWERS},
    "temperature_c": float,
    "voltage_v": float,
    "bias_ma": float,
    "read_at": str,
}
"""Column -> type of its values; any value but ``olt``, ``host``, ``port``, ``onu_id`` and ``read_at`` may be absent."""

_FORMULA = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for the beginning of a formula; East Asian ones read the wide forms as well."""
_DTYPES: Mapping[type, str] = {str: "string", int: "Int64", float: "Float64"}


def records(items: Iterable[SweepItem]) -> Iterator[dict[str, Cell]]:
    """Give one flat record for each ONU of a sweep, with the keys of ``COLUMNS``; other items are passed over.

    Powers in dBm, losses in dB, distance in metres; an absent number is ``None`` and its reason stands in the
    ``_absence`` column. ``read_at`` is ISO 8601 in UTC.
    """
    return (record(item) for item in items if isinstance(item, SweepRecord))


def record(item: SweepRecord) -> dict[str, Cell]:
    """Give one ONU as a flat record."""
    optical, loss = item.optical, item.loss
    found: dict[str, Cell] = {
        "olt": item.olt,
        "host": item.host,
        "port": str(item.onu.port),
        "onu_id": item.onu.onu_id,
        "serial": None if item.serial is None else str(item.serial),
        "mac": item.mac,
        "run_state": item.run_state,
        "distance_m": item.distance_m,
        "last_down_cause": item.last_down_cause,
        "downstream_attenuation_db": _number(loss.downstream_attenuation_db),
        "upstream_attenuation_db": _number(loss.upstream_attenuation_db),
        "downstream_absence": loss.downstream_absence,
        "upstream_absence": loss.upstream_absence,
        "temperature_c": optical.temperature_c,
        "voltage_v": optical.voltage_v,
        "bias_ma": optical.bias_ma,
        "read_at": item.read_at.isoformat(),
    }
    for name, reading in optical.powers.items():
        short = name.removesuffix("_dbm")
        found[name] = _number(reading.value)
        found[f"{short}_absence"] = None if reading.absence is None else str(reading.absence)
        found[f"{short}_source"] = reading.source
    return {name: found[name] for name in COLUMNS}


def _number(quantity: Any) -> float | None:
    return None if quantity is None else float(quantity)


def csv_row(item: SweepRecord) -> list[str]:
    """Give one ONU as the cells of a CSV row, in the order of ``COLUMNS``.

    Numbers stay numbers, an absent value is an empty cell. Text that a spreadsheet would run as a formula gets an
    apostrophe in front: names on an OLT are written by anybody.
    """
    return [_csv_cell(value) for value in record(item).values()]


def _csv_cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        # a line feed in a cell would make one ONU two lines, and a resumed file is cut at a line
        text = " ".join(value.splitlines())
        return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
    return str(value) if isinstance(value, int) else format(value, ".10g")


def to_frame(items: Iterable[SweepItem]) -> Any:
    """Give a sweep as a ``pandas.DataFrame``, one row for each ONU; holds all of them in memory.

    The dtypes do not depend on what was read, nor on whether anything was: ``string``, ``Int64``, ``Float64``, and
    ``datetime64[us, UTC]`` for ``read_at``. Raises ``MissingExtra`` without pandas.
    """
    try:
        pandas: Any = import_module("pandas")
    except ImportError as exc:
        raise MissingExtra("a DataFrame (pandas)", "frame") from exc
    columns: dict[str, list[Cell]] = {name: [] for name in COLUMNS}
    for row in records(items):
        for name, value in row.items():
            columns[name].append(value)
    times = pandas.to_datetime(pandas.Series(columns.pop("read_at"), dtype="string"), utc=True, format="ISO8601")
    frame = {name: pandas.array(values, dtype=_DTYPES[COLUMNS[name]]) for name, values in columns.items()}
    return pandas.DataFrame({**frame, "read_at": times.astype("datetime64[us, UTC]")})
