"""Limits, losses and verdicts: what is held against what, what came out, and how sure that is.

A ``Verdict`` is a record. It carries the readings, the limits and every number that it rests on with its source, is
never edited, and judging again makes a new one that names the old one's ``digest``.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef
from ponprobe.models.components import Status
from ponprobe.models.optical import POWERS, Db, Dbm, OpticalReading
from ponprobe.models.plant import Calibration

ATTENUATIONS = ("downstream_attenuation_db", "upstream_attenuation_db")
QUANTITIES = (*POWERS, *ATTENUATIONS)
"""Everything that a limit can be put on."""
K_ONE_SIDED_95 = 1.645
"""How many standard uncertainties a guard band is wide: 95 % one-sided."""


class LinkLoss(Value):
    """Both attenuations of a link in dB; ``None`` with a reason where a power is missing.

    Downstream is OLT Tx - ONU Rx, upstream is ONU Tx - OLT Rx; positive on any passive line.
    """

    downstream_attenuation_db: Db | None = None
    downstream_absence: str | None = None
    upstream_attenuation_db: Db | None = None
    upstream_absence: str | None = None


class Outcome(str, Enum):
    """The result of a judgement, with the specification's own words."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNDETERMINED = "undetermined"

    def __str__(self) -> str:
        return self.value

    @property
    def label(self) -> str:
        """The Chinese word of the acceptance specification."""
        return {"pass": "达标", "fail": "不达标", "undetermined": "无法判定"}[self.value]


class Band(str, Enum):
    """How sure a judgement is: outside the guard band on either side of the limit, or inside it."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    MARGINAL_PASS = "marginal_pass"  # noqa: S105
    MARGINAL_FAIL = "marginal_fail"
    FAIL = "fail"
    UNDETERMINED = "undetermined"

    def __str__(self) -> str:
        return self.value

    @property
    def label(self) -> str:
        """The trade's Chinese word."""
        return _BAND_LABELS[self.value]

    @property
    def marginal(self) -> bool:
        """Whether the number is nearer to its limit than its own uncertainty."""
        return self in {Band.MARGINAL_PASS, Band.MARGINAL_FAIL}


_BAND_LABELS = {
    "pass": "达标",
    "marginal_pass": "临界达标",
    "marginal_fail": "临界不达标",
    "fail": "不达标",
    "undetermined": "无法判定",
}


class Policy(str, Enum):
    """Which bands the official verdict passes."""

    SIMPLE = "simple"
    """The number itself at or inside its limit passes; the uncertainty is only told."""
    GUARD_ACCEPT = "guard_accept"
    """Only what is inside its limit by the whole guard band passes: protects whoever takes the line over."""
    GUARD_REJECT = "guard_reject"
    """Only what misses its limit by more than the guard band fails: protects whoever built the line."""

    def __str__(self) -> str:
        return self.value


class Comparison(str, Enum):
    """How a quantity is held against a limit; equality passes."""

    AT_LEAST = ">="
    AT_MOST = "<="

    def __str__(self) -> str:
        return self.value


def _in_unit_of(
    quantity: str | None, value: Any, keep: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> Dbm | Db | None:
    """Read a JSON number in the unit of its quantity: tried as a union it would always become the first unit."""
    if info.mode == "json" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return Dbm(value) if quantity in POWERS else Db(value)
    kept: Dbm | Db | None = keep(value)
    return kept


class Threshold(Value):
    """One limit: which quantity, which comparison, which number, and the words it came from.

    ``quantity`` is one of the power names (limit in dBm) or ``downstream_attenuation_db`` /
    ``upstream_attenuation_db`` (limit in dB). ``source_text`` is the specification's wording, ``interpretation`` what
    ponprobe takes it to mean, ``source`` and ``status`` where the number itself was found and how well.
    """

    quantity: str
    comparison: Comparison
    limit: Dbm | Db
    source_text: str
    interpretation: str
    source: str | None = None
    status: Status | None = None

    @field_validator("limit", mode="wrap")
    @classmethod
    def _unit_of_a_json_number(
        cls, value: Any, keep: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Dbm | Db | None:
        return _in_unit_of(info.data.get("quantity"), value, keep, info)

    @model_validator(mode="after")
    def _unit_fits(self) -> Threshold:
        if self.quantity in POWERS:
            if not isinstance(self.limit, Dbm):
                raise ValueError(f"{self.quantity} is a power: its limit is in dBm")
            if self.quantity.endswith("rx_dbm") and self.limit > Dbm(0):
                raise ValueError(f"a positive limit for {self.quantity} has lost its sign")
        elif self.quantity in ATTENUATIONS:
            if not isinstance(self.limit, Db):
                raise ValueError(f"{self.quantity} is a loss: its limit is in dB")
            if self.limit < Db(0):
                raise ValueError(f"a negative limit for {self.quantity} cannot bound a loss")
        else:
            raise ValueError(f"{self.quantity!r} is not a quantity that ponprobe judges")
        return self


class ThresholdSet(Value):
    """The limits of one stage, as one named value with a version.

    ``replaces`` is the ``key`` of the set that was in force before. ``optical_class`` names the class whose
    sensitivity the limits are compared with. What has no limit is not judged, and is told as such.
    """

    id: str = Field(min_length=1)
    stage: str
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    version: int = Field(default=1, ge=1)
    replaces: str | None = None
    source: str | None = None
    optical_class: str | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> ThresholdSet:
        seen: dict[tuple[str, Comparison], Threshold] = {}
        for threshold in self.thresholds:
            kind = threshold.quantity, threshold.comparison
            if kind in seen:
                raise ValueError(f"{threshold.quantity} has two limits with {threshold.comparison}: keep one")
            seen[kind] = threshold
        for quantity in QUANTITIES:
            low, high = (seen.get((quantity, each)) for each in (Comparison.AT_LEAST, Comparison.AT_MOST))
            if low is not None and high is not None and low.limit.value > high.limit.value:
                raise ValueError(f"{quantity} cannot be >= {low.limit} and <= {high.limit}: exchange them")
        if self.replaces == self.key:
            raise ValueError(f"{self.key} cannot replace itself: raise its version")
        return self

    @property
    def key(self) -> str:
        """Id and version, ``construction@1``."""
        return f"{self.id}@{self.version}"

    @property
    def judged(self) -> tuple[str, ...]:
        """The quantities that have a limit."""
        return tuple(each for each in QUANTITIES if any(limit.quantity == each for limit in self.thresholds))

    @property
    def not_judged(self) -> tuple[str, ...]:
        """The quantities that have no limit: never passed, never failed."""
        return tuple(each for each in QUANTITIES if each not in self.judged)


class Accuracy(Value):
    """How far a reported power may be off, as a standard uncertainty in dB, and who says so.

    ``resolution_included``: the figure was taken from readings that were already rounded by the module, so the
    module's resolution is not added again.
    """

    id: str = Field(min_length=1)
    u_db: Db
    statement: str
    source: str
    status: Status | None = None
    resolution_included: bool = False

    @model_validator(mode="after")
    def _is_a_spread(self) -> Accuracy:
        if self.u_db <= Db(0):
            raise ValueError(f"accuracy {self.id} has u_db {self.u_db}: no reading is exact")
        return self


class UncertaintyTerm(Value):
    """One part of an uncertainty: of which power, of which kind, how much (standard uncertainty), and from where."""

    quantity: str
    kind: Literal["systematic", "repeatability", "quantisation"]
    u_db: Db
    source: str
    status: Status | None = None


class Uncertainty(Value):
    """The standard uncertainty ``u_db`` of one judged number, its parts, and the guard band ``w_db = k * u_db``."""

    terms: tuple[UncertaintyTerm, ...] = Field(min_length=1)
    u_db: Db
    k: float
    w_db: Db


class Judgement(Value):
    """One threshold held against one number.

    ``margin_db`` is how far inside the limit the number is, negative outside. ``probability`` is P(the true value meets
    the limit) for a normal error and a flat prior: nothing but this reading is known. ``None`` where there is no number
    or it is not trusted.
    """

    threshold: Threshold
    measured: Dbm | Db | None
    outcome: Outcome
    reason: str
    band: Band
    margin_db: Db | None = None
    uncertainty: Uncertainty | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    probability_prior: Literal["flat"] = "flat"

    @field_validator("measured", mode="wrap")
    @classmethod
    def _unit_of_a_json_number(
        cls, value: Any, keep: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Dbm | Db | None:
        threshold: Threshold | None = info.data.get("threshold")
        return _in_unit_of(threshold.quantity if threshold else None, value, keep, info)

    @model_validator(mode="after")
    def _says_nothing_without_a_number(self) -> Judgement:
        if (self.outcome is Outcome.UNDETERMINED) != (self.band is Band.UNDETERMINED):
            raise ValueError(f"outcome {self.outcome} and band {self.band} contradict each other")
        if self.outcome is not Outcome.UNDETERMINED and None in (self.measured, self.margin_db, self.uncertainty):
            raise ValueError(f"{self.outcome} needs a number, a margin and an uncertainty")
        return self


class Finding(Value):
    """Something a person should know: a code, a sentence, and what to do next.

    ``values`` are the names and numbers of the sentence, with their units, as pairs of a name and a text: with the code
    they say the same in another language (``ponprobe.optics.findings``). A name that comes again begins the next group.
    """

    code: str
    text: str
    next_step: str | None = None
    values: tuple[tuple[str, str], ...] = ()

    @model_serializer(mode="wrap")
    def _without_nothing(self, keep: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # a verdict that was stored before there were values keeps its digest
        kept: dict[str, Any] = keep(self)
        if not kept.get("values"):
            kept.pop("values", None)
        return kept

    @classmethod
    def __get_pydantic_json_schema__(cls, fields: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # told by the fields: a serializer of one's own would be any object
        return handler({name: part for name, part in fields.items() if name != "serialization"})


class NextAction(Value):
    """What to do with a verdict: a code for programs and a sentence for people."""

    code: Literal["none", "hand_held_reading", "read_again", "other_instrument", "inspect_line"]
    text: str


class JudgeOptions(Value):
    """Everything beside readings and limits that a verdict depends on, so that it can be made again.

    ``family`` is the platform name that a default accuracy is taken for, ``accuracy`` one that is used instead of
    declared and default ones, ``split`` the total split ratio N of 1:N. ``k`` is the coverage factor.
    """

    policy: Policy = Policy.SIMPLE
    k: float = Field(default=K_ONE_SIDED_95, gt=0, le=10, allow_inf_nan=False)
    optical_class: str | None = None
    family: str | None = None
    accuracy: Accuracy | None = None
    calibration: Calibration | None = None
    split: int | None = Field(default=None, ge=1, le=1024)


class Verdict(Value):
    """What the readings say against a threshold set. Cannot be built without readings."""

    outcome: Outcome
    onu: OnuRef
    threshold_set: ThresholdSet
    readings: tuple[OpticalReading, ...] = Field(min_length=1)
    reading: OpticalReading
    """The reading that was judged: the only one, or the medians of the samples; corrected if calibrated."""
    loss: LinkLoss
    judgements: tuple[Judgement, ...] = Field(min_length=1)
    findings: tuple[Finding, ...] = ()
    judged_at: AwareDatetime
    band: Band
    """The worst band of the judgements."""
    next_action: NextAction
    not_judged: tuple[str, ...] = ()
    """The quantities without a limit: not judged, which is not passed."""
    options: JudgeOptions = JudgeOptions()
    replaces: str | None = None
    """The ``digest`` of the verdict on the same readings that this one was made after."""

    @model_validator(mode="after")
    def _passes_only_what_passed(self) -> Verdict:
        if self.outcome is Outcome.PASS and any(each.outcome is not Outcome.PASS for each in self.judgements):
            raise ValueError("a verdict passes only if every judgement does")
        return self

    @property
    def passed(self) -> bool:
        """Whether the link passes; an undetermined link does not."""
        return self.outcome is Outcome.PASS

    @property
    def policy(self) -> Policy:
        """The rule that made the official outcome."""
        return self.options.policy

    @property
    def digest(self) -> str:
        """``sha256:`` of the verdict's JSON: names exactly this verdict."""
        return "sha256:" + hashlib.sha256(self.model_dump_json().encode()).hexdigest()
