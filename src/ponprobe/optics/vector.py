"""Judging many readings at once, one row a reading, with NumPy: the same bits as ``judge`` on each of them.

Columns in (``Columns``), columns out (``JudgedColumns``), a chunk at a time, so that a whole network passes through
bounded memory. Only what is one number or one code a row is computed: no sentences, findings or probabilities, and no
calibration, which belongs to one test ONU. NumPy comes with the extra ``fast`` and is imported on first use.

Why the bits are the same: a loss is the difference of two *decimals*. A float that is ``i / 10**6`` for a whole number
``i`` below 10**14 was printed with at most six decimals, its whole numbers are subtracted exactly, and one division
rounds once, as the scalar path does. Floats that are no such decimals take the scalar path's own subtraction.
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ponprobe.errors import ConfigError, MissingExtra
from ponprobe.models.judgement import (
    K_ONE_SIDED_95,
    Accuracy,
    Band,
    Comparison,
    Outcome,
    Policy,
    Threshold,
    ThresholdSet,
)
from ponprobe.models.optical import POWERS, Absence, OpticalReading, Reading
from ponprobe.optics.exact import LOSS_ENDS, difference
from ponprobe.optics.gates import BIAS_LIMIT_MA, POWER_GATES, VOLTAGE_GATE_V
from ponprobe.optics.uncertainty import (
    QUANTISATION_DB,
    family_accuracy,
    named_accuracy,
    outcome_of,
    quantisation_index,
)

Array = Any
"""A NumPy array; NumPy may be absent, so its types are not named."""

ABSENCES: tuple[Absence | None, ...] = (None, *Absence)
"""What an absence code means: 0 is a value, the others are the reasons in the order of ``Absence``."""
OUTCOMES = tuple(Outcome)
BANDS = tuple(Band)
WHY = ("judged", "absent", "untrusted")
"""What a ``why`` code means."""

_SCALE, _EXACT = 1e6, 1e14
_WORST_OUTCOME = (Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS)
_WORST_BAND = (Band.FAIL, Band.MARGINAL_FAIL, Band.UNDETERMINED, Band.MARGINAL_PASS, Band.PASS)
_UNDETERMINED = BANDS.index(Band.UNDETERMINED)
_ZERO = quantisation_index(0.0)  # where 0 dBm is in the table of quantisation


def _numpy() -> Any:
    try:
        return importlib.import_module("numpy")
    except ImportError as exc:
        raise MissingExtra("judging columns", "fast") from exc


@dataclass(frozen=True, eq=False)
class Columns:
    """``n`` readings side by side. Every array is one-dimensional with ``n`` rows of float64.

    The four powers are in dBm, NaN where absent; ``absence`` has a code of ``ABSENCES`` a row for a power (uint8; left
    out = ``NOT_READ`` wherever there is no value). ``precision_db`` is what the readings declare for a power, NaN where
    nothing. ``voltage_v`` and ``bias_ma`` are NaN where not read. ``ValueError`` for unequal lengths, an infinite
    power, or a code that contradicts its value.
    """

    olt_tx_dbm: Array
    olt_rx_dbm: Array
    onu_tx_dbm: Array
    onu_rx_dbm: Array
    absence: Mapping[str, Array] = field(default_factory=dict)
    precision_db: Mapping[str, Array] = field(default_factory=dict)
    voltage_v: Array = None
    bias_ma: Array = None

    def __post_init__(self) -> None:
        np = _numpy()
        for name in POWERS:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        for name in ("voltage_v", "bias_ma"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        declared = {name: np.asarray(values, dtype=np.float64) for name, values in self.precision_db.items()}
        object.__setattr__(self, "precision_db", declared)
        codes = {name: np.asarray(values, dtype=np.uint8) for name, values in self.absence.items()}
        not_read = ABSENCES.index(Absence.NOT_READ)
        for name in POWERS:
            if name not in codes:
                codes[name] = np.where(np.isnan(getattr(self, name)), not_read, 0).astype(np.uint8)
        object.__setattr__(self, "absence", codes)
        self._check(np)

    def _check(self, np: Any) -> None:
        others = {"voltage_v": self.voltage_v, "bias_ma": self.bias_ma}
        columns = {
            **{name: getattr(self, name) for name in POWERS},
            **{f"absence of {name}": values for name, values in self.absence.items()},
            **{f"precision_db of {name}": values for name, values in self.precision_db.items()},
            **{name: values for name, values in others.items() if values is not None},
        }
        for name, values in columns.items():
            if values.shape != self.olt_tx_dbm.shape or values.ndim != 1:
                shape = self.olt_tx_dbm.shape
                raise ValueError(f"{name} has the shape {values.shape}, olt_tx_dbm {shape}: give one row a reading")
        for given in (self.absence, self.precision_db):
            if not set(given) <= set(POWERS):
                raise ValueError(f"{sorted(set(given) - set(POWERS))} are no powers: {', '.join(POWERS)}")
        for name in POWERS:
            values, codes = getattr(self, name), self.absence[name]
            if np.isinf(values).any():
                row = int(np.flatnonzero(np.isinf(values))[0])
                raise ValueError(f"{name} in row {row} is infinite: an absent reading is NaN with a code")
            wrong = (np.isnan(values) != (codes != 0)) | (codes >= len(ABSENCES))
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise ValueError(
                    f"{name} in row {row} is {values[row]} with absence code {codes[row]}: they contradict"
                )

    def __len__(self) -> int:
        return len(self.olt_tx_dbm)

    @classmethod
    def of(cls, readings: Sequence[OpticalReading]) -> Columns:
        """The columns of readings, one row each."""
        np = _numpy()

        def numbers(values: Iterable[float | None], nan: float = math.nan) -> Array:
            return np.array([math.nan if value is None else value if value == value else nan for value in values])  # noqa: PLR0124

        powers: dict[str, list[Reading]] = {name: [getattr(reading, name) for reading in readings] for name in POWERS}
        return cls(
            **{
                name: numbers(None if each.value is None else each.value.value for each in powers[name])
                for name in POWERS
            },
            absence={
                name: np.array([ABSENCES.index(each.absence) for each in powers[name]], np.uint8) for name in POWERS
            },
            precision_db={
                name: numbers(None if each.precision_db is None else each.precision_db.value for each in powers[name])
                for name in POWERS
            },
            # a module that reports "not a number" talks nonsense, which is not the same as saying nothing
            voltage_v=numbers((reading.voltage_v for reading in readings), nan=math.inf),
            bias_ma=numbers((reading.bias_ma for reading in readings), nan=math.inf),
        )


@dataclass(frozen=True, eq=False)
class JudgedColumns:
    """What came out: one row a reading, and in the arrays with two dimensions one column a threshold of the set.

    Losses, margins and standard uncertainties in dB, NaN where there is none. ``outcome`` and ``band`` are of the whole
    verdict, ``outcomes`` and ``bands`` of each threshold, all as codes (uint8) of ``OUTCOMES`` and ``BANDS``; ``why``
    are codes of ``WHY``. A row that is absent or untrusted is undetermined and never passes.
    """

    threshold_set: ThresholdSet
    downstream_attenuation_db: Array
    upstream_attenuation_db: Array
    margin_db: Array
    u_db: Array
    outcomes: Array
    bands: Array
    why: Array
    outcome: Array
    band: Array
    untrusted: Array

    def __len__(self) -> int:
        return len(self.outcome)


def chunks_of(readings: Iterable[OpticalReading], rows: int = 65_536) -> Iterator[Columns]:
    """Columns of at most ``rows`` readings each, made as they are asked for."""
    if rows < 1:
        raise ValueError(f"a chunk of {rows} rows holds nothing: give at least 1")
    source = iter(readings)
    while chunk := list(itertools.islice(source, rows)):
        yield Columns.of(chunk)


def judge_stream(
    chunks: Iterable[Columns],
    thresholds: ThresholdSet,
    *,
    policy: Policy | str = Policy.SIMPLE,
    k: float = K_ONE_SIDED_95,
    family: str | None = None,
    accuracy: Accuracy | str | None = None,
) -> Iterator[JudgedColumns]:
    """``judge_columns`` for each chunk as it comes; no chunk is kept."""
    for chunk in chunks:
        yield judge_columns(chunk, thresholds, policy=policy, k=k, family=family, accuracy=accuracy)


def judge_columns(
    columns: Columns,
    thresholds: ThresholdSet,
    *,
    policy: Policy | str = Policy.SIMPLE,
    k: float = K_ONE_SIDED_95,
    family: str | None = None,
    accuracy: Accuracy | str | None = None,
) -> JudgedColumns:
    """Judge every row as ``ponprobe.evaluate.judge`` judges a single reading, to the last bit.

    The arguments are those of ``judge``. ``ConfigError`` for an unknown policy or accuracy or a useless ``k``,
    ``MissingExtra`` without NumPy.
    """
    np = _numpy()
    if not (math.isfinite(k) and 0 < k <= 10):
        raise ConfigError(f"k = {k} is no coverage factor", hint="give a number above 0, at most 10")
    if policy not in {each.value for each in Policy}:
        raise ConfigError(f"there is no policy {policy!r}", hint=f"known: {', '.join(Policy)}")
    named = named_accuracy(accuracy) if isinstance(accuracy, str) else accuracy
    # the numbers that a row may lack are NaN, and NaN takes the branch of the worse band before it is masked
    with np.errstate(invalid="ignore", over="ignore"):
        return _Judge(np, columns, Policy(policy), k, named, family_accuracy(family)).judged(thresholds)


class _Judge:
    def __init__(self, np: Any, columns: Columns, *how: Any) -> None:
        self.np = np
        self.columns = columns
        self.policy, self.k, self.accuracy, self.default = how
        self.losses = {
            name: self._difference(getattr(columns, launched), getattr(columns, received))
            for name, (launched, received) in LOSS_ENDS.items()
        }
        self.untrusted = self._untrusted()
        self._squares: dict[str, tuple[Array, Array]] = {}

    def judged(self, thresholds: ThresholdSet) -> JudgedColumns:
        np, rows = self.np, len(self.columns)
        shape = rows, len(thresholds.thresholds)
        margins, spreads = np.full(shape, np.nan), np.full(shape, np.nan)
        bands, why = np.full(shape, _UNDETERMINED, np.uint8), np.zeros(shape, np.uint8)
        for number, threshold in enumerate(thresholds.thresholds):
            measured = self._measured(threshold)
            absent = np.isnan(measured)
            why[self.untrusted, number] = WHY.index("untrusted")
            why[absent, number] = WHY.index("absent")
            counted = ~(absent | self.untrusted)
            inside = self._difference(measured, np.full(rows, threshold.limit.value))
            margin = inside if threshold.comparison is Comparison.AT_LEAST else -inside
            u = self._uncertainty(threshold.quantity)
            margins[:, number] = np.where(counted, margin, np.nan)
            spreads[:, number] = np.where(counted, u, np.nan)
            bands[:, number] = np.where(counted, self._bands(margin, self.k * u), _UNDETERMINED)
        outcome_codes = np.array([OUTCOMES.index(outcome_of(band, self.policy)) for band in BANDS], np.uint8)
        outcomes = outcome_codes[bands]
        return JudgedColumns(
            threshold_set=thresholds,
            **self.losses,
            margin_db=margins,
            u_db=spreads,
            outcomes=outcomes,
            bands=bands,
            why=why,
            outcome=self._worst(outcomes, [OUTCOMES.index(each) for each in _WORST_OUTCOME]),
            band=self._worst(bands, [BANDS.index(each) for each in _WORST_BAND]),
            untrusted=self.untrusted,
        )

    def _measured(self, threshold: Threshold) -> Array:
        if threshold.quantity in self.losses:
            return self.losses[threshold.quantity]
        return getattr(self.columns, threshold.quantity)

    def _difference(self, one: Array, other: Array) -> Array:
        """``one - other`` of the decimals that the floats were printed as, rounded once."""
        np = self.np
        whole, others = np.rint(one * _SCALE), np.rint(other * _SCALE)
        printed = (whole / _SCALE == one) & (others / _SCALE == other)
        printed &= (np.abs(whole) < _EXACT) & (np.abs(others) < _EXACT)
        found = (whole - others) / _SCALE
        for row in np.flatnonzero(~(printed | np.isnan(one) | np.isnan(other))):
            found[row] = difference(float(one[row]), float(other[row]))
        return found

    def _untrusted(self) -> Array:
        np, columns = self.np, self.columns
        found = np.zeros(len(columns), bool)
        gates = [(getattr(columns, name), *bounds) for name, bounds in POWER_GATES.items()]
        gates += [(columns.voltage_v, *VOLTAGE_GATE_V), (columns.bias_ma, -math.inf, BIAS_LIMIT_MA)]
        for values, low, high in gates:
            if values is not None:
                found |= ~((low <= values) & (values <= high)) & ~np.isnan(values)
        return found

    def _uncertainty(self, quantity: str) -> Array:
        # added one by one in the scalar path's order: another order has another last bit
        total = self.np.zeros(len(self.columns))
        for name in LOSS_ENDS.get(quantity, (quantity,)):
            if name not in self._squares:
                self._squares[name] = self._terms(name)
            for square in self._squares[name]:
                total = total + square
        return self.np.sqrt(total)

    def _terms(self, name: str) -> tuple[Array, Array]:
        """The squares of the systematic and of the quantisation part of one power."""
        np, values = self.np, getattr(self.columns, name)
        known: Accuracy = self.accuracy or self.default
        systematic = np.full(len(values), known.u_db.value)
        resolved = np.full(len(values), known.resolution_included)
        declared = None if self.accuracy is not None else self.columns.precision_db.get(name)
        if declared is not None:
            counts = declared > 0
            systematic = np.where(counts, declared / math.sqrt(3), systematic)
            resolved &= ~counts
        table = np.array(QUANTISATION_DB)
        index = np.rint(np.clip(np.nan_to_num(values * 100), -_ZERO, len(table) - 1 - _ZERO)).astype(np.intp) + _ZERO
        steps = np.where(resolved, 0.0, table[index])
        return systematic * systematic, steps * steps

    def _bands(self, margin: Array, guard: Array) -> Array:
        np = self.np
        found = np.where(margin >= -guard, BANDS.index(Band.MARGINAL_FAIL), BANDS.index(Band.FAIL))
        found = np.where(margin >= 0, BANDS.index(Band.MARGINAL_PASS), found)
        return np.where(margin >= guard, BANDS.index(Band.PASS), found)

    def _worst(self, codes: Array, order: Sequence[int]) -> Array:
        """The worst code of each row."""
        np = self.np
        rank = np.empty(len(order), np.uint8)
        rank[list(order)] = range(len(order))
        return np.array(order, np.uint8)[rank[codes].min(axis=1)]
