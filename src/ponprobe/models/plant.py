"""A passive plant: what it should lose, how a measurement compares, its siblings, and the test ONU's calibration.

Losses are positive ``Db``, powers ``Dbm``; ``sigma`` and ``u`` are standard uncertainties (k = 1).
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from ponprobe.models._base import Value
from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.components import PonSystem, Status
from ponprobe.models.optical import Db, Dbm

OneWay = Literal["down", "up"]
Direction = Literal["down", "up", "mean"]
"""``down`` is OLT to ONU, ``up`` is ONU to OLT, ``mean`` the mean of both losses of one link."""
DistanceSource = Literal["record", "ranging"]
ExplanationKind = Literal["as_recorded", "other_layout", "other_distance", "extra_loss", "less_loss"]

_Km = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=100)]


class PlantRecord(Value):
    """What the engineering data say about the way from the OLT to the splitter's output.

    ``stages`` are the split ratios from the OLT on: ``(32,)`` or ``(4, 8)``. ``record_km`` is the recorded length,
    ``ranging_km`` what the OLT measures (Huawei ``ONT distance(m)``, ZTE ``Distance``); at least one is needed and the
    record is used where both are given. ``connectors`` is the number of connector pairs; ``None`` takes the default of
    ``connector_pairs``.
    """

    stages: tuple[Annotated[int, Field(ge=2)], ...] = Field(min_length=1)
    record_km: _Km | None = None
    ranging_km: _Km | None = None
    connectors: _Count | None = None
    mechanical_splices: _Count = 0
    system: PonSystem = "gpon"

    @model_validator(mode="after")
    def _has_a_distance(self) -> PlantRecord:
        if self.record_km is None and self.ranging_km is None:
            raise ValueError("an expected loss needs a distance: give record_km or ranging_km")
        return self

    @property
    def distance_source(self) -> DistanceSource:
        """Which distance is used."""
        return "ranging" if self.record_km is None else "record"

    @property
    def km(self) -> float:
        """The distance used, in km."""
        return self.record_km if self.record_km is not None else self.ranging_km or 0.0

    @property
    def split(self) -> int:
        """The total split ratio."""
        return math.prod(self.stages)

    @property
    def layout(self) -> str:
        """``1:32`` or ``1:4 + 1:8``."""
        return " + ".join(f"1:{ratio}" for ratio in self.stages)

    @property
    def connector_pairs(self) -> int:
        """Pairs given, or ponprobe's choice: 4 with one split stage, 6 with two, 2 more with each further stage."""
        return 2 + 2 * len(self.stages) if self.connectors is None else self.connectors


class LossTerm(Value):
    """One line of an expected loss: ``elements`` independent parts, each ``mean_db ± half_width_db`` (rectangular)."""

    name: str
    elements: _Count
    mean_db: Db
    half_width_db: Db
    source: str
    status: Status

    @property
    def total_db(self) -> Db:
        """Mean loss of all elements."""
        return self.mean_db * self.elements

    @property
    def sigma_db(self) -> Db:
        """Standard uncertainty of all elements together."""
        return Db(self.half_width_db.value * math.sqrt(self.elements / 3))

    @property
    def worst_db(self) -> Db:
        """Loss of all elements at their upper bound."""
        return (self.mean_db + self.half_width_db) * self.elements


class ExpectedLoss(Value):
    """What a plant built as recorded should lose in one direction, in dB.

    ``mean_db`` and ``sigma_db`` are the statistical expectation, ``worst_db`` the worst-value method of the norms: two
    numbers for two questions. ``assumptions`` are sentences for the reader; ``components`` names the table.
    """

    record: PlantRecord
    direction: Direction
    wavelengths_nm: tuple[int, ...]
    terms: tuple[LossTerm, ...] = Field(min_length=1)
    mean_db: Db
    sigma_db: Db
    worst_db: Db
    components: str
    assumptions: tuple[str, ...]


class Launch(Value):
    """What a transmitter launches: anywhere between two powers in dBm (rectangular), and where that is known from."""

    lowest_dbm: Dbm
    highest_dbm: Dbm
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Launch:
        if self.highest_dbm < self.lowest_dbm:
            raise ValueError(f"highest_dbm {self.highest_dbm} is below lowest_dbm {self.lowest_dbm}: exchange them")
        return self

    @property
    def mean_dbm(self) -> Dbm:
        """The middle of the range."""
        return Dbm((self.lowest_dbm.value + self.highest_dbm.value) / 2)

    @property
    def half_width_db(self) -> Db:
        """Half of the range."""
        return (self.highest_dbm - self.lowest_dbm) * 0.5


class ExpectedPower(Value):
    """What should arrive at the far end in dBm; ``worst_dbm`` is the weakest launch through the worst plant."""

    launch: Launch
    loss: ExpectedLoss
    mean_dbm: Dbm
    sigma_db: Db
    worst_dbm: Dbm


class MeasuredLoss(Value):
    """A measured attenuation in dB with its standard uncertainty from the readings alone, and what that rests on."""

    direction: Direction
    loss_db: Db
    u_db: Db
    basis: str

    @model_validator(mode="after")
    def _has_a_spread(self) -> MeasuredLoss:
        if self.u_db < Db(0):
            raise ValueError(f"u_db is {self.u_db}: a standard uncertainty is not negative")
        return self


class Explanation(Value):
    """One way to explain a measured loss. ``z`` is measured minus expected over the combined sigma.

    For ``extra_loss`` and ``less_loss``, which fit any number by themselves, ``z`` is the size of the extra loss in
    sigma: how surprising the record would be without it. ``steps`` counts how far the layout is from the record.
    """

    kind: ExplanationKind
    stages: tuple[int, ...]
    km: float
    expected_db: Db
    residual_db: Db
    sigma_db: Db
    z: float
    fits: bool
    steps: int
    text: str


class BudgetView(Value):
    """The norm's view: the measured loss against the worst value computed from the record (``<=`` is met)."""

    measured_db: Db
    worst_db: Db
    margin_db: Db
    met: bool
    text: str


class ClassView(Value):
    """A plant against its optical class's loss range, by the worst value and by the mean: they may disagree."""

    class_id: str
    max_loss_db: Db
    min_loss_db: Db
    mean_db: Db
    worst_db: Db
    mean_fits: bool
    worst_fits: bool
    too_strong: bool
    """The mean loss is below the class's minimum: the receiver may be overloaded."""
    text: str


class DistanceCheck(Value):
    """The OLT's ranging distance held against the recorded one.

    ``shift_db`` is what the difference changes in the expected loss. ``matters`` when that is more than the spread of
    the fibre's own dB per km explains.
    """

    record_km: float
    ranging_km: float
    difference_km: float
    shift_db: Db
    tolerance_db: Db
    matters: bool
    text: str


class DirectionCheck(Value):
    """Up minus down held against what the wavelengths explain. ``hint`` carries its own ``hint_status``."""

    difference_db: Db
    expected_db: Db
    band_db: Db
    agrees: bool
    text: str
    hint: str | None = None
    hint_status: Status | None = None


class PlantComparison(Value):
    """A measured loss against the plant as recorded: numbers first, explanations ranked, no verdict.

    ``sigma_db`` combines readings and plant. ``flagged_from_db`` is the smallest excess that is flagged, and
    ``found_with_90_db`` the excess that is found in nine of ten measurements.
    """

    expected: ExpectedLoss
    measured: MeasuredLoss
    excess_db: Db
    sigma_db: Db
    z: float
    k: float
    flagged_from_db: Db
    found_with_90_db: Db
    budget: BudgetView
    distance: DistanceCheck | None
    explanations: tuple[Explanation, ...] = Field(min_length=1)
    text: str


class Drop(Value):
    """The way from the splitter to the user: mean loss, standard uncertainty, and what they rest on."""

    name: str
    mean_db: Db
    sigma_db: Db
    worst_db: Db
    basis: str


class UserProjection(Value):
    """The power at a splitter taken on to the user: what should arrive, with what uncertainty, against which limit.

    ``probability`` is that of at least ``limit_dbm`` with normal errors and a flat prior; ``None`` where nothing is
    known about the uncertainty.
    """

    splitter_rx_dbm: Dbm
    drop: Drop
    user_rx_dbm: Dbm
    u_db: Db
    worst_dbm: Dbm
    limit_dbm: Dbm
    margin_db: Db
    met: bool
    probability: float | None
    text: str


class SplitterReading(Value):
    """The ONU Rx of one test ONU at one splitter. ``expected_db`` is the splitter's expected loss, where known."""

    splitter: str = Field(min_length=1)
    port: PonPort
    test_onu: Serial
    onu_rx_dbm: Dbm
    expected_db: Db | None = None
    at: AwareDatetime | None = None
    olt: str = ""
    """Which OLT, where a project has several: ports of two OLTs may have the same name."""


class SiblingDeviation(Value):
    """One splitter against its PON's median: positive is stronger than the siblings, negative weaker."""

    splitter: str
    deviation_db: Db
    flagged: bool
    text: str


class SiblingTable(Value):
    """Every splitter of one PON minus the median of them. ``statement`` says what the figures rest on."""

    olt: str
    port: PonPort
    test_onu: Serial
    n: Annotated[int, Field(ge=1)]
    median_dbm: Dbm | None
    """Median ONU Rx of the splitters in dBm, with the expected losses added where they were given; ``None`` for one."""
    expected_used: bool
    repeatability_db: Db
    line_db: Db
    deviations: tuple[SiblingDeviation, ...]
    statement: str


class PairedReading(Value):
    """One light measured twice in the same place: by the hand-held meter and by the test ONU."""

    meter_dbm: Dbm
    onu_rx_dbm: Dbm


class Calibration(Value):
    """A test ONU's certificate: how much its ONU Rx shows too much (``offset_db``), and how well that is known.

    ``u_db`` is the standard uncertainty (k = 1) that is left after the correction: the systematic part only; what a
    single reading scatters is ``repeatability_db`` and stays with the judge. Valid from ``calibrated_at`` to
    ``valid_until``, both included.
    """

    serial: Serial
    offset_db: Db
    u_db: Db
    meter_id: str = Field(min_length=1)
    meter_u_db: Db
    repeatability_db: Db
    pairs: tuple[PairedReading, ...] = Field(min_length=1)
    lowest_dbm: Dbm
    highest_dbm: Dbm
    certificate: str = Field(min_length=1)
    calibrated_at: AwareDatetime
    valid_until: AwareDatetime

    @model_validator(mode="after")
    def _makes_sense(self) -> Calibration:
        if self.valid_until <= self.calibrated_at:
            raise ValueError(f"certificate {self.certificate} ends before it begins: check valid_until")
        if self.u_db <= Db(0):
            raise ValueError(f"certificate {self.certificate} has u_db {self.u_db}: no meter is perfect")
        return self

    def valid_at(self, at: datetime) -> bool:
        """Whether the certificate covers this moment (aware)."""
        return self.calibrated_at <= at <= self.valid_until
