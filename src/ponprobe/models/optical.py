"""Optical powers, with units as types; losses and verdicts are in ``judgement``.

``Dbm`` is an absolute power, ``Db`` a ratio. ``Dbm - Dbm`` is a ``Db``; ``Dbm + Dbm`` is a ``TypeError``; neither mixes
with a bare number. An absent reading carries its reason and is never a number.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, overload

from pydantic import AwareDatetime, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef, PonPort

if TYPE_CHECKING:
    from typing_extensions import Self


class _Quantity:
    __slots__ = ("value",)
    unit = ""
    value: float

    def __init__(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{type(self).__name__} takes a number, not {type(value).__name__}")
        if not math.isfinite(value):
            raise ValueError(f"{value} is no {self.unit}: an absent reading is an absence, not a number")
        object.__setattr__(self, "value", float(value))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change")

    def __float__(self) -> float:
        return self.value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.value == self.value

    def __lt__(self, other: Self) -> bool:
        return self.value < other.value if type(other) is type(self) else NotImplemented

    # all four are written out: type checkers do not see what functools.total_ordering adds to a subclass
    def __le__(self, other: Self) -> bool:
        return self.value <= other.value if type(other) is type(self) else NotImplemented

    def __gt__(self, other: Self) -> bool:
        return self.value > other.value if type(other) is type(self) else NotImplemented

    def __ge__(self, other: Self) -> bool:
        return self.value >= other.value if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.value))

    def __str__(self) -> str:
        return f"{self.value:.2f} {self.unit}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value:g})"

    def __format__(self, spec: str) -> str:
        return f"{format(self.value, spec)} {self.unit}" if spec else str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.value,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        # a bare number is taken from JSON only, where the field's name holds the unit; in Python it is a type error
        from_number = core_schema.no_info_after_validator_function(cls, core_schema.float_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=from_number,
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(float, when_used="json"),
        )


class Db(_Quantity):
    """A ratio of powers in dB: a loss, a gain, a margin, an uncertainty."""

    __slots__ = ()
    unit = "dB"

    def __add__(self, other: Db) -> Db:
        return Db(self.value + other.value) if isinstance(other, Db) else NotImplemented

    def __sub__(self, other: Db) -> Db:
        return Db(self.value - other.value) if isinstance(other, Db) else NotImplemented

    def __neg__(self) -> Db:
        return Db(-self.value)

    def __abs__(self) -> Db:
        return Db(abs(self.value))

    def __mul__(self, factor: float) -> Db:
        return Db(self.value * factor) if isinstance(factor, (int, float)) else NotImplemented

    __rmul__ = __mul__


class Dbm(_Quantity):
    """An absolute power in dBm."""

    __slots__ = ()
    unit = "dBm"

    def __add__(self, other: Db) -> Dbm:
        return Dbm(self.value + other.value) if isinstance(other, Db) else NotImplemented

    @overload
    def __sub__(self, other: Dbm) -> Db: ...
    @overload
    def __sub__(self, other: Db) -> Dbm: ...
    def __sub__(self, other: Dbm | Db) -> Db | Dbm:
        if isinstance(other, Dbm):
            return Db(self.value - other.value)
        return Dbm(self.value - other.value) if isinstance(other, Db) else NotImplemented


class Absence(str, Enum):
    """Why a reading has no value."""

    NOT_REPORTED = "not_reported"
    """The device printed ``-``, ``--`` or ``N/A``."""
    NO_SIGNAL = "no_signal"
    OUT_OF_RANGE = "out_of_range"
    """The device printed a number and said that it is none: ``-50.00, out of range[-35.00, -15.00]``."""
    OFFLINE = "offline"
    UNSUPPORTED = "unsupported"
    GARBLED = "garbled"
    """Cut off or mixed by paging."""
    NOT_READ = "not_read"
    """Nobody asked, or the question failed."""

    def __str__(self) -> str:
        return self.value


class Reading(Value):
    """One optical power: a value or an absence with its reason, with where and when it was read.

    ``source`` is the route and the command (``cli: display ont optical-info 3 7``), ``at`` when it was answered (UTC),
    ``precision_db`` the accuracy that the device itself declares (Huawei prints 3.0), ``printed`` the device's text
    where that is more than the number.
    """

    value: Dbm | None = None
    absence: Absence | None = None
    source: str | None = None
    at: AwareDatetime | None = None
    precision_db: Db | None = None
    printed: str | None = None

    @model_validator(mode="after")
    def _value_or_absence(self) -> Reading:
        if (self.value is None) == (self.absence is None):
            raise ValueError("a reading has either a value or the reason why it has none")
        return self

    def __str__(self) -> str:
        return str(self.value) if self.value is not None else f"absent ({self.absence})"


_UNREAD = Reading(absence=Absence.NOT_READ)
POWERS = ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")


class OpticalReading(Value):
    """The four powers of one ONU's link, each with its own source and time.

    ``device_*_attenuation_db`` are what the device printed, if it prints any; ponprobe computes its own and compares.
    """

    onu: OnuRef
    olt_tx_dbm: Reading = _UNREAD
    olt_rx_dbm: Reading = _UNREAD
    onu_tx_dbm: Reading = _UNREAD
    onu_rx_dbm: Reading = _UNREAD
    temperature_c: float | None = None
    voltage_v: float | None = None
    bias_ma: float | None = None
    device_downstream_attenuation_db: Db | None = None
    device_upstream_attenuation_db: Db | None = None

    @property
    def powers(self) -> dict[str, Reading]:
        """The four readings by name."""
        return {name: getattr(self, name) for name in POWERS}

    @property
    def complete(self) -> bool:
        """Whether all four powers have a value."""
        return all(reading.value is not None for reading in self.powers.values())

    def merged_with(self, other: OpticalReading) -> OpticalReading:
        """Fill what is absent here from another route's reading of the same ONU; each number keeps its source."""
        if other.onu != self.onu:
            raise ValueError(f"readings of {self.onu} and {other.onu} cannot be merged")
        filled: dict[str, Any] = {}
        for name in type(self).model_fields:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Reading):
                prefer_theirs = mine.value is None and (theirs.value is not None or mine.absence is Absence.NOT_READ)
                filled[name] = theirs if prefer_theirs else mine
            else:
                filled[name] = theirs if mine is None else mine
        return type(self)(**filled)


class OnuOptical(Value):
    """One ONU's optics as one answer of a device printed them; ``absent`` says why a field has no value."""

    onu: OnuRef | None = None
    onu_id: int | None = None
    onu_rx_dbm: Dbm | None = None
    onu_tx_dbm: Dbm | None = None
    olt_rx_dbm: Dbm | None = None
    olt_tx_dbm: Dbm | None = None
    downstream_attenuation_db: Db | None = None
    upstream_attenuation_db: Db | None = None
    temperature_c: float | None = None
    voltage_v: float | None = None
    bias_ma: float | None = None
    precision_db: Db | None = None
    distance_m: float | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


class PortOptical(Value):
    """A PON port's own optics as one answer printed them. ``onu_count`` where the same answer tells it."""

    port: PonPort | None = None
    olt_tx_dbm: Dbm | None = None
    module_state: str | None = None
    laser_state: str | None = None
    port_state: str | None = None
    temperature_c: float | None = None
    voltage_v: float | None = None
    bias_ma: float | None = None
    wavelength_nm: float | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


def read_at(value: Dbm | None, absence: Absence | None, *, source: str, at: datetime, **more: Any) -> Reading:
    """Build a reading from what a parser found: the value, or the reason (``not_reported`` if none was given)."""
    if value is not None:
        return Reading(value=value, source=source, at=at, **more)
    return Reading(absence=absence or Absence.NOT_REPORTED, source=source, at=at, **more)
