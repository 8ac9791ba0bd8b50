"""The acceptance process as values: engineering data, activation, tests, evidence, decisions, events.

Codes are stable ASCII for programs; ``label`` is the word of the specification. Every object here is frozen, goes to
JSON and back unchanged, and has a JSON Schema. None of them holds a password or a LOID. They stand in one file because
they are one vocabulary, which stores, processes, reports and integrators share.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from math import prod
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field, JsonValue, field_validator, model_validator

from ponprobe.errors import ConfigError, IllegalTransition
from ponprobe.models._base import Value
from ponprobe.models.acceptance import Residue
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial, Technology
from ponprobe.models.judgement import Finding, Verdict
from ponprobe.models.optical import Db, Dbm, OpticalReading
from ponprobe.models.service import Vlan, VlanStack

Text = Annotated[str, Field(min_length=1, max_length=200)]
"""Free text of engineering data, kept as it was written; any Unicode."""
Datum = Literal["wgs84", "gcj02", "unknown"]
EvidenceKind = Literal["position", "result", "label", "transcript", "handheld", "other"]
RollbackOutcome = Literal["nothing_done", "rolled_back", "residue", "unknown"]
"""What became of a change that failed; ``unknown`` until the device has been read."""


class Actor(Value):
    """Who did something. ``role`` is data: builder, acceptance_engineer, resource_admin, system or the user's own."""

    name: Text
    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"


class Place(Value):
    """A point on the earth, in degrees. ``datum`` matters: GCJ-02 stands 100 to 700 m away from WGS-84 in China."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Datum = "unknown"

    def __str__(self) -> str:
        return f"{self.latitude:.6f}, {self.longitude:.6f} ({self.datum})"


class OltRecord(Value):
    """An OLT of the engineering data. ``host`` is its management IP or host name, ``platform`` a driver's name."""

    name: Text
    host: str
    platform: str | None = None
    technology: Technology = "gpon"

    @field_validator("host")
    @classmethod
    def _an_address(cls, text: str) -> str:
        return management_host(text)


def management_host(text: str) -> str:
    """Check an IPv4 or IPv6 address or a host name and give it in its usual form; else ``ValueError``."""
    bare = text.strip()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    labels = bare.rstrip(".").split(".")
    named = all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9])?", label) for label in labels)
    # what ends in a number is a mistyped address (10.1.1.256, 10.1.1), never a host name (RFC 1123, 2.1)
    if not named or len(bare) > 253 or labels[-1].isdigit():
        raise ValueError(f"{text!r} is neither an IPv4 or IPv6 address nor a host name")
    return bare


class PonPortRecord(Value):
    """What the resource data know of a PON port: its SVLAN, its optics, and what a test ONU is registered with."""

    olt: Text
    port: PonPort
    svlan: Vlan
    optical_class: str | None = None
    line_profile: str | None = None
    service_profile: str | None = None
    onu_type: str | None = None
    tcont_profile: str | None = None
    gemport: Annotated[int, Field(ge=0, le=4095)] = 1

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the port: OLT and port."""
        return self.olt, str(self.port)


class SplitterKey(NamedTuple):
    """What identifies a splitter: OLT, PON port (``0/1/3``), name. The port of the splitter is not part of it."""

    olt: str
    port: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} on {self.olt} {self.port}"


class Splitter(Value):
    """A splitter (POS, 分光器) of a project: the unit of work.

    ``splitter_port`` is the port that is tested, any one; testing another one is a repeat, not a new job. ``ratio`` is
    this splitter's own N of 1:N, ``stages`` are the ratios of the whole path from the OLT, this one last.
    ``distance_km`` is the recorded fibre length from the OLT, ``connectors`` the number of connector pairs on the way.
    """

    project: Text
    name: Text
    olt: Text
    port: PonPort
    splitter_port: Annotated[int, Field(ge=1, le=256)] = 1
    ratio: Annotated[int, Field(ge=2, le=256)] | None = None
    stages: Annotated[tuple[Annotated[int, Field(ge=2, le=256)], ...], Field(min_length=1)] | None = None
    distance_km: Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)] | None = None
    connectors: Annotated[int, Field(ge=0, le=100)] | None = None
    address: str | None = None
    place: Place | None = None
    last_stage: bool = True
    ftth: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Splitter:
        if self.ratio is not None and self.splitter_port > self.ratio:
            raise ValueError(f"splitter port {self.splitter_port} does not exist on a 1:{self.ratio} splitter")
        if self.stages is not None:
            if self.ratio is not None and self.stages[-1] != self.ratio:
                raise ValueError(f"the last stage is 1:{self.stages[-1]}, but the splitter itself is 1:{self.ratio}")
            if self.splitter_port > self.stages[-1]:
                raise ValueError(f"splitter port {self.splitter_port} does not exist on a 1:{self.stages[-1]} splitter")
        return self

    @property
    def key(self) -> SplitterKey:
        """What identifies the splitter: ``(olt, str(port), name)``."""
        return SplitterKey(self.olt, str(self.port), self.name)

    @property
    def total_split(self) -> int | None:
        """The split ratio from the OLT to this splitter's output, where the stages are known."""
        return None if self.stages is None else prod(self.stages)

    @property
    def to_be_tested(self) -> bool:
        """Whether this is a splitter that is tested: FTTH, and the last one before the user."""
        return self.ftth and self.last_stage


class HangTest(Value):
    """Whether a project is tested (是否进行工程挂测), what the data say, and the reason if somebody said otherwise."""

    required: bool
    derived: bool
    reason: str | None = None

    @property
    def label(self) -> str:
        """``是`` or ``否``."""
        return "是" if self.required else "否"


class Project(Value):
    """One construction project. ``builder`` is the 施工单位; ``time_zone`` an IANA name, the zone of its people.

    ``hang_test`` is what a person chose for 是否进行工程挂测; ``None`` takes what the data say.
    """

    id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")]
    name: Text
    builder: str | None = None
    time_zone: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$")] = "Asia/Shanghai"
    hang_test: bool | None = None
    hang_test_reason: str | None = None
    created_at: AwareDatetime

    def hang_test_of(self, splitters: Iterable[Splitter]) -> HangTest:
        """Decide whether the project is tested: yes, if it has any FTTH splitter.

        Raises ``ConfigError`` if somebody said no although there are splitters and gave no reason.
        """
        count = sum(splitter.ftth for splitter in splitters)
        derived = count > 0
        required = derived if self.hang_test is None else self.hang_test
        reason = (self.hang_test_reason or "").strip() or None
        if derived and not required and reason is None:
            raise ConfigError(
                f"project {self.id} has {count} FTTH splitter{'s' if count > 1 else ''}, but is set not to be tested",
                hint="state why in hang_test_reason, or leave hang_test empty: with splitters 100 % are tested",
            )
        return HangTest(required=required, derived=derived, reason=reason)


class _Code(str, Enum):
    def __str__(self) -> str:
        return str(self.value)


class ActivationState(_Code):
    """How far the test ONU of a splitter is. The specification has four states; the others are inner ones.

    Nothing but a revoke that the device has proven is ``REVOKED``. ``ACTIVATION_FAILED`` means that the device has
    been read back and shows nothing of ours: a failed activation that may have left something is ``REVOKE_FAILED``
    (it has) or ``UNKNOWN`` (nobody has looked yet).
    """

    NOT_ACTIVATED = "not_activated"
    ACTIVATING = "activating"
    ACTIVATED = "activated"
    ACTIVATION_FAILED = "activation_failed"
    REVOKING = "revoking"
    REVOKE_FAILED = "revoke_failed"
    UNKNOWN = "unknown"
    REVOKED = "revoked"

    @property
    def label(self) -> str:
        """The Chinese word of this very state."""
        return _STATE_LABELS[self]

    @property
    def exported(self) -> str:
        """The one of the specification's four words that stands for this state outside."""
        return _EXPORTED[self].label

    @property
    def flag(self) -> str | None:
        """What must be shown beside ``exported`` because that word does not tell all; ``None`` if it does."""
        return None if _EXPORTED[self] is self else self.label

    @property
    def live(self) -> bool:
        """Whether a test ONU of ours stands on the device, or may: VLANs and data must not be given away."""
        return self in _LIVE

    @property
    def next_states(self) -> frozenset[ActivationState]:
        """The states that may follow."""
        return TRANSITIONS[self]

    def to(self, new: ActivationState, *, what: str = "the port") -> ActivationState:
        """Give ``new`` if it may follow this state; else raise ``IllegalTransition``, which names ``what``."""
        if new not in TRANSITIONS[self]:
            raise IllegalTransition(
                f"{what} is {self.label} ({self}), which {new.label} ({new}) cannot follow",
                old=self.value,
                new=new.value,
                hint=_way_on(sorted(map(str, TRANSITIONS[self]))),
            )
        return new


def _way_on(codes: list[str]) -> str:
    return f"what may follow: {', '.join(codes)}" if codes else "nothing may follow: this is the end"


_S = ActivationState
TRANSITIONS: Mapping[ActivationState, frozenset[ActivationState]] = {
    _S.NOT_ACTIVATED: frozenset({_S.ACTIVATING}),
    _S.ACTIVATING: frozenset({_S.ACTIVATED, _S.ACTIVATION_FAILED, _S.REVOKE_FAILED, _S.UNKNOWN}),
    _S.ACTIVATED: frozenset({_S.REVOKING, _S.UNKNOWN}),
    _S.ACTIVATION_FAILED: frozenset({_S.ACTIVATING}),
    _S.REVOKING: frozenset({_S.REVOKED, _S.REVOKE_FAILED, _S.UNKNOWN}),
    _S.REVOKE_FAILED: frozenset({_S.REVOKING, _S.UNKNOWN}),
    # what is unknown is read back first: it stands there, it never got there, or it has to be taken away
    _S.UNKNOWN: frozenset({_S.ACTIVATED, _S.ACTIVATION_FAILED, _S.REVOKING, _S.REVOKE_FAILED}),
    _S.REVOKED: frozenset({_S.ACTIVATING}),
}
"""Which activation state may follow which."""
_STATE_LABELS: Mapping[ActivationState, str] = {
    _S.NOT_ACTIVATED: "未激活",
    _S.ACTIVATING: "激活中",
    _S.ACTIVATED: "激活成功",
    _S.ACTIVATION_FAILED: "激活失败",
    _S.REVOKING: "撤销中",
    _S.REVOKE_FAILED: "撤销失败",
    _S.UNKNOWN: "状态未知",
    _S.REVOKED: "已撤销激活",
}
_EXPORTED: Mapping[ActivationState, ActivationState] = {
    **{state: state for state in (_S.NOT_ACTIVATED, _S.ACTIVATED, _S.ACTIVATION_FAILED, _S.REVOKED)},
    _S.ACTIVATING: _S.NOT_ACTIVATED,
    # as long as something of ours may stand on the device, nobody may read that it is gone
    **dict.fromkeys((_S.REVOKING, _S.REVOKE_FAILED, _S.UNKNOWN), _S.ACTIVATED),
}
_LIVE = frozenset({_S.ACTIVATING, _S.ACTIVATED, _S.REVOKING, _S.REVOKE_FAILED, _S.UNKNOWN})


class TestState(_Code):
    """Whether line and service test both have a result, pass or fail (端口挂测状态)."""

    __test__ = False  # pytest takes every class named Test* for a test

    DONE = "done"
    NOT_DONE = "not_done"

    @property
    def label(self) -> str:
        """``已完成`` or ``未完成``."""
        return "已完成" if self is TestState.DONE else "未完成"


class Stage(_Code):
    """Where a project is; the order is that of the specification's section 5 (revoke after acceptance)."""

    ENGINEERING = "engineering"
    ACTIVATION = "activation"
    FIELD_TEST = "field_test"
    ACCEPTANCE = "acceptance"
    REVOKE = "revoke"
    REVIEW = "review"
    PUSHED = "pushed"

    @property
    def label(self) -> str:
        """The Chinese word."""
        return _STAGE_LABELS[self]

    @property
    def next_stages(self) -> frozenset[Stage]:
        """The stages that may follow."""
        return STAGE_TRANSITIONS[self]

    def to(self, new: Stage, *, what: str = "the project") -> Stage:
        """Give ``new`` if it may follow this stage; else raise ``IllegalTransition``, which names ``what``."""
        if new not in STAGE_TRANSITIONS[self]:
            raise IllegalTransition(
                f"{what} is in {self.label} ({self}), which {new.label} ({new}) cannot follow",
                old=self.value,
                new=new.value,
                hint=_way_on(sorted(map(str, STAGE_TRANSITIONS[self]))),
            )
        return new


STAGE_TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    # a project without splitters has nothing to test and goes straight to acceptance
    Stage.ENGINEERING: frozenset({Stage.ACTIVATION, Stage.ACCEPTANCE}),
    Stage.ACTIVATION: frozenset({Stage.FIELD_TEST, Stage.ENGINEERING}),
    Stage.FIELD_TEST: frozenset({Stage.ACCEPTANCE, Stage.ACTIVATION, Stage.ENGINEERING}),
    Stage.ACCEPTANCE: frozenset({Stage.REVOKE, Stage.ENGINEERING}),
    Stage.REVOKE: frozenset({Stage.REVIEW, Stage.ENGINEERING}),
    Stage.REVIEW: frozenset({Stage.PUSHED, Stage.ENGINEERING}),
    Stage.PUSHED: frozenset(),
}
"""Which stage may follow which; whatever fails goes straight back to engineering data."""
_STAGE_LABELS: Mapping[Stage, str] = {
    Stage.ENGINEERING: "工程资料录入",
    Stage.ACTIVATION: "端口激活",
    Stage.FIELD_TEST: "现场挂测",
    Stage.ACCEPTANCE: "工程验收",
    Stage.REVOKE: "撤销激活",
    Stage.REVIEW: "二次审核",
    Stage.PUSHED: "入库",
}


class FaultKind(_Code):
    """Why something goes back: the records are wrong (``data``), or the plant is (``site``)."""

    DATA = "data"
    SITE = "site"

    @property
    def label(self) -> str:
        """``资源修改`` or ``现场整改``, the specification's two ways on."""
        return "资源修改" if self is FaultKind.DATA else "现场整改"


class Failure(Value):
    """Why a step on a device failed, and what became of it: never "failed" alone.

    ``error_class`` is the name of the ponprobe error, ``message`` its text (secrets covered), ``residue`` what is left.
    """

    error_class: str
    message: str
    hint: str | None = None
    rollback: RollbackOutcome
    residue: tuple[Residue, ...] = ()

    @model_validator(mode="after")
    def _residue_is_named(self) -> Failure:
        if self.residue and self.rollback in {"nothing_done", "rolled_back"}:
            raise ValueError(f"something is left on the device, so this was not {self.rollback}")
        return self


class HandheldReading(Value):
    """A power read by hand with an optical power meter at the splitter's port.

    ``meter`` is make and model, ``serial`` the meter's own, ``accuracy_db`` what its maker states or its calibration
    says (plus or minus), ``wavelength_nm`` the wavelength it was set to.
    """

    meter: Text
    serial: str | None = None
    accuracy_db: Db | None = None
    dbm: Dbm
    wavelength_nm: Annotated[float, Field(ge=600, le=1800, allow_inf_nan=False)] | None = None
    at: AwareDatetime
    actor: Actor

    @field_validator("accuracy_db")
    @classmethod
    def _plus_or_minus(cls, value: Db | None) -> Db | None:
        if value is not None and value < Db(0):
            raise ValueError("an accuracy is a plus-or-minus in dB and never negative")
        return value


class LineRound(Value):
    """One round of the line test on one splitter. Rounds are added, never changed.

    ``readings`` are all samples, ``verdict`` what came of them; without readings there is no verdict but a ``failure``.
    ``source`` is ``manual`` where a person typed the readings in (a step done outside).
    """

    splitter: SplitterKey
    round: Annotated[int, Field(ge=1)]
    splitter_port: Annotated[int, Field(ge=1, le=256)] | None = None
    onu: OnuRef | None = None
    onu_name: str | None = None
    serial: Serial | None = None
    vlans: VlanStack | None = None
    readings: tuple[OpticalReading, ...] = ()
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    fault: FaultKind | None = None
    run_id: str | None = None
    actor: Actor
    at: AwareDatetime
    handheld: tuple[HandheldReading, ...] = ()
    source: Literal["device", "manual"] = "device"
    comment: str | None = None

    @model_validator(mode="after")
    def _has_a_result(self) -> LineRound:
        if self.verdict is None and self.failure is None:
            raise ValueError("a round ends with a verdict or with the failure that prevented one")
        if self.verdict is not None and not self.readings:
            raise ValueError("a round with a verdict keeps the readings that it came from")
        if self.passed and self.fault is not None:
            raise ValueError("a round that passed has no fault")
        return self

    @property
    def passed(self) -> bool:
        """Whether the line passed; undetermined or failed before a reading is not passed."""
        return self.verdict is not None and self.verdict.passed


class ServiceTest(Value):
    """The service test: dialled, got an address, reached the network, measured a speed.

    Speeds in Mbit/s. ``account`` is the test account's name; its password is not kept anywhere. ``provider`` says who
    made the record (``manual``: typed in). ``macs_learnt`` are the addresses that the OLT learnt on the test service
    port meanwhile, which corroborate but do not decide. ``min_speed_*`` are limits, unset by default and then not
    judged. ``passed`` may be left out; it never contradicts the facts.
    """

    dial_ok: bool
    reach_ok: bool | None = None
    address: str | None = None
    gateway: str | None = None
    speed_down_mbps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    speed_up_mbps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    min_speed_down_mbps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    min_speed_up_mbps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    server: str | None = None
    started_at: AwareDatetime
    account: str | None = None
    provider: str = "manual"
    macs_learnt: tuple[str, ...] = ()
    passed: bool
    error: str | None = None
    splitter: SplitterKey | None = None
    round: Annotated[int, Field(ge=1)] | None = None
    actor: Actor | None = None
    comment: str | None = None

    @field_validator("address", "gateway")
    @classmethod
    def _an_ip(cls, text: str | None) -> str | None:
        return None if text is None else str(ipaddress.ip_address(text.strip()))

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("passed") is None:
            return {**data, "passed": not _against(data)}
        return data

    @model_validator(mode="after")
    def _does_not_contradict(self) -> ServiceTest:
        against = _against(dict(self))
        if self.passed and against:
            raise ValueError(f"a service test cannot have passed: {'; '.join(against)}")
        return self

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against a pass, in words."""
        return tuple(_against(dict(self)))


def _against(facts: Mapping[str, Any]) -> list[str]:
    found = []
    if facts.get("dial_ok") is not True:
        found.append("the dial-up did not succeed")
    elif facts.get("reach_ok") is False:
        found.append("the network was not reached")
    elif facts.get("reach_ok") is None and not facts.get("speed_down_mbps"):
        found.append("nothing shows that the network was reached (reach_ok or a measured speed)")
    for way in ("down", "up"):
        limit, speed = facts.get(f"min_speed_{way}_mbps"), facts.get(f"speed_{way}_mbps")
        if isinstance(limit, (int, float)) and not (isinstance(speed, (int, float)) and speed >= limit):
            shown = "not measured" if speed is None else f"{speed} Mbit/s"
            found.append(f"speed {way} is {shown}, below the limit of {limit} Mbit/s")
    return found


class EvidenceItem(Value):
    """One piece of evidence: the untouched original under its SHA-256, and what it says of itself.

    ``bytes`` is its size, ``file_name`` the name it came with (shown, never used as a path). ``captured_at`` is the
    time that the file claims, in UTC; ``offset`` the UTC offset that the file states (``+08:00``) and ``None`` where
    the project's zone was assumed. ``place`` is where the file says it was taken. ``warnings`` support a judgement,
    they never decide one.
    """

    kind: EvidenceKind
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    file_name: str
    media_type: str
    captured_at: AwareDatetime | None = None
    offset: Annotated[str, Field(pattern=r"^[+-]\d{2}:\d{2}$")] | None = None
    place: Place | None = None
    distance_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    splitter: SplitterKey | None = None
    round: Annotated[int, Field(ge=1)] | None = None
    added_at: AwareDatetime | None = None
    actor: Actor | None = None

    @property
    def stored_as(self) -> str:
        """Where the bytes stand inside the evidence folder, made of the hash alone."""
        return f"{self.sha256[:2]}/{self.sha256}"


class Decision(Value):
    """A decision of a person: the acceptance of a project, or its second review."""

    kind: Literal["acceptance", "review"]
    accepted: bool
    fault: FaultKind | None = None
    actor: Actor
    at: AwareDatetime
    comment: str | None = None

    @model_validator(mode="after")
    def _a_refusal_says_why(self) -> Decision:
        if self.accepted and self.fault is not None:
            raise ValueError("what is accepted has no fault")
        if not self.accepted and self.fault is None:
            raise ValueError("a refusal says what is wrong: fault 'data' (records) or 'site' (plant)")
        return self


ROW_HEADERS = (
    "OLT设备管理IP",
    "OLT PON口名称",
    "分光器设备名称",
    "分光器端口号",
    "ONU设备名称",
    "ONU端口SVLAN",
    "ONU端口CVLAN",
    "PASSWORD",
    "激活状态",
    "端口挂测状态",
)
"""The ten columns of the activation list under their names in the specification (its ``SLVAN`` is a misprint)."""


class ActivationItem(Value):
    """One line of the activation list: the ten fields of the specification.

    ``password`` is what the test ONU registers by, covered (``HWTC0B086EA9 + password ***``). VLANs are ``None`` until
    they have been drawn.
    """

    olt_host: str
    port: PonPort
    splitter: Text
    splitter_port: Annotated[int, Field(ge=1, le=256)]
    onu_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/@#+\-]{1,40}$")]
    svlan: Vlan | None = None
    cvlan: Vlan | None = None
    password: str = "***"  # noqa: S105 - the cover, not a password
    state: ActivationState = ActivationState.NOT_ACTIVATED
    test_state: TestState = TestState.NOT_DONE

    @classmethod
    def of(
        cls,
        splitter: Splitter,
        olt: OltRecord,
        *,
        onu_name: str,
        auth: OnuAuth | None = None,
        vlans: VlanStack | None = None,
        state: ActivationState = ActivationState.NOT_ACTIVATED,
        test_state: TestState = TestState.NOT_DONE,
    ) -> ActivationItem:
        """Make the line of a splitter; the secrets of ``auth`` are covered here and go no further."""
        return cls(
            olt_host=olt.host,
            port=splitter.port,
            splitter=splitter.name,
            splitter_port=splitter.splitter_port,
            onu_name=onu_name,
            svlan=vlans.svlan if vlans else None,
            cvlan=vlans.cvlan if vlans else None,
            password="***" if auth is None else str(auth),
            state=state,
            test_state=test_state,
        )

    def to_row(self) -> dict[str, str | int | None]:
        """Give the ten fields under their original names; see ``state.flag`` for what the four words do not tell."""
        values = (
            self.olt_host,
            str(self.port),
            self.splitter,
            self.splitter_port,
            self.onu_name,
            self.svlan,
            self.cvlan,
            self.password,
            self.state.exported,
            self.test_state.label,
        )
        return dict(zip(ROW_HEADERS, values, strict=True))


class Event(Value):
    """Something that happened, kept for ever: who, when, on whose request, to what. ``data`` is plain JSON."""

    id: str
    at: AwareDatetime
    actor: Actor
    request_id: str | None = None
    project: str | None = None
    splitter: SplitterKey | None = None
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    data: dict[str, JsonValue] = Field(default_factory=dict)
