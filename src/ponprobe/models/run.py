"""One run of a test ONU: what was planned, what happened, what came out, what is left."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from ponprobe.models._base import Value
from ponprobe.models.acceptance import ActivationOrder, Registration, Residue
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.device import MacEntry, OltFacts, OnuState
from ponprobe.models.judgement import Finding, Verdict
from ponprobe.models.optical import OpticalReading
from ponprobe.models.plant import PlantComparison

EventName = Literal[
    "planned",
    "connected",
    "command",
    "activated",
    "online",
    "sample",
    "verdict",
    "verified",
    "revoked",
    "residue_checked",
    "item",
    "finished",
]


class RunEvent(Value):
    """One step of a run, as it happens: what progress bars show and ``--events`` prints as JSON Lines."""

    schema_version: Literal[1] = Field(default=1, serialization_alias="schema")
    ts: AwareDatetime
    run_id: str
    seq: int
    event: EventName
    olt: str
    pon: PonPort | None = None
    item: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None


class PlannedLine(Value):
    """One line that will be sent; a ``move`` changes the view, an ``undo`` takes a write back, a ``proof`` reads."""

    line: str
    view: str
    purpose: Literal["move", "read", "write", "undo", "proof"]
    what: str = ""


class Plan(Value):
    """The exact lines of a run, in order, against the device's present state; nothing has been changed.

    ``reads_done`` were already asked to make the plan; ``lines`` come after them. Reading the ONU's state repeats until
    it is online; it stands here once.
    """

    registration: Registration
    reads_done: tuple[PlannedLine, ...]
    lines: tuple[PlannedLine, ...]


class Removal(Value):
    """The end of a removal: what was taken away, what proves that nothing of ours is left, what is left.

    ``proof`` holds each question of the final check with the device's answer (secrets covered).
    """

    onu: OnuRef
    removed: tuple[str, ...] = ()
    already_absent: bool = False
    residue: tuple[Residue, ...] = ()
    proof: tuple[tuple[str, str], ...] = ()
    note: str | None = None
    at: AwareDatetime

    @property
    def clean(self) -> bool:
        """Whether the device was read back and shows nothing of ours."""
        return bool(self.proof) and not any(left.ours for left in self.residue)


class Verification(Value):
    """What another road (SNMP) said about the test ONU, and where it disagrees; no findings: the roads agree."""

    route: Literal["snmp"] = "snmp"
    state: OnuState | None = None
    reading: OpticalReading | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the other road was read and says the same."""
        return not self.findings


class MeasureResult(Value):
    """One splitter measured: the order, the readings, the verdict, and whether the device is clean."""

    run_id: str
    olt: str
    host: str
    facts: OltFacts | None = None
    order: ActivationOrder
    onu: OnuRef
    state: OnuState | None = None
    readings: tuple[OpticalReading, ...] = ()
    verdict: Verdict | None = None
    macs: tuple[MacEntry, ...] = ()
    removal: Removal | None = None
    comparisons: tuple[PlantComparison, ...] = ()
    """Each direction's loss against the plant as recorded, where it was given."""
    verification: Verification | None = None
    """What ``verify`` brought; its findings are among ``findings``."""
    findings: tuple[Finding, ...] = ()
    started_at: AwareDatetime
    finished_at: AwareDatetime
    online_after_s: float | None = None
    lines_sent: int = 0

    @property
    def clean(self) -> bool:
        """Whether the device was proven clean after the run."""
        return self.removal is not None and self.removal.clean


class Recovery(Value):
    """How one unfinished run of the journal ended: with a removal, or with the error that stopped it."""

    run_id: str
    onu: OnuRef
    removal: Removal | None = None
    error: str | None = None
    error_class: str | None = None

    @property
    def in_use(self) -> bool:
        """Whether another process is working on this run: it is not ours to finish."""
        return self.error_class == "LeaseConflict"

    @property
    def clean(self) -> bool:
        """Whether the device was read back and shows nothing of this run."""
        return self.removal is not None and self.removal.clean
