"""What one OLT's batch tells the store, as it happens: from the lease to the proof that nothing is left.

Each step is on disk before the next one can begin. Killed anywhere, the store has the run that may be on the device,
the CVLAN that it holds, and the verdict if there was one; ``resume`` finishes from there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from pydantic import ValidationError

from ponprobe.errors import LeaseConflict, PonprobeError
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, OnuRef
from ponprobe.models.batch import BatchItem
from ponprobe.models.engineering import (
    ActivationState,
    Actor,
    Failure,
    FaultKind,
    LineRound,
    OltRecord,
    PonPortRecord,
    RollbackOutcome,
)
from ponprobe.models.judgement import Finding, Outcome, Verdict
from ponprobe.models.run import Removal, RunEvent
from ponprobe.models.service import VlanStack
from ponprobe.store.activations import Activation, Mode, activations_of, amend, move
from ponprobe.store.database import Change, Store
from ponprobe.store.leases import CvlanPool, CvlanPoolExhausted, identity_of, lease_cvlan, lease_onu, release_cvlan
from ponprobe.store.projects import StoredSplitter
from ponprobe.store.results import add_round
from ponprobe.workflow.base import failure_of
from ponprobe.workflow.naming import OnuNaming
from ponprobe.workflow.orders import name_for, order_of
from ponprobe.workflow.outcomes import ItemOutcome

log = logging.getLogger(__name__)
_S = ActivationState


@dataclass(slots=True, eq=False)
class Job:
    """One splitter that is to be worked on, and what is known of it so far."""

    row: StoredSplitter
    port: PonPortRecord
    pool: CvlanPool
    auth: OnuAuth
    order: ActivationOrder | None = None
    avoid: set[int] = field(default_factory=set)
    outcome: ItemOutcome | None = None
    exhausted: CvlanPoolExhausted | None = None
    """Why it waits for a CVLAN."""


@dataclass(slots=True)
class Batch:
    """What a batch on one OLT was asked to do."""

    store: Store
    olt: OltRecord
    naming: OnuNaming
    actor: Actor
    request_id: str | None
    mode: Mode
    hold: timedelta
    stop: Event = field(default_factory=Event)

    def go_on(self) -> None:
        """Raise once the batch has been interrupted: nothing new is begun, and what is live is taken away."""
        if self.stop.is_set():
            raise PonprobeError("the batch was interrupted", hint="dispatch the rest again")


class Recorder:
    """Writes down what happens to the jobs of one OLT."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._by_place: dict[tuple[str, str], Job] = {}

    def change(self) -> Any:
        """Begin a change in the name of whoever asked for the batch."""
        return self._batch.store.change(self._batch.actor, self._batch.request_id)

    # ------------------------------------------------------------------ before the first byte

    def begin(self, jobs: Sequence[Job]) -> list[Job]:
        """Take CVLAN and test ONU for each job and say that it is being activated; give those that wait for a CVLAN.

        A job that is refused has its outcome then. Nothing has been sent to the device yet.
        """
        identities = [identity_of(self._batch.store, job.auth) for job in jobs]
        with self.change() as change:
            waiting = [
                job for job, identity in zip(jobs, identities, strict=True) if not self._begun(change, job, identity)
            ]
            change.idle = True
        return waiting

    def _begun(self, change: Change, job: Job, identity: str) -> bool:
        """Begin a job, or refuse it; false if it has to wait for a CVLAN."""
        try:
            with change.connection.begin_nested():
                job.order = self._activating(change, job, identity)
        except CvlanPoolExhausted as exc:
            job.exhausted = exc
            return False
        except (PonprobeError, ValidationError) as exc:
            self._refused(change, job, exc)
        return True

    def _activating(self, change: Change, job: Job, identity: str) -> ActivationOrder:
        before = activations_of(change.connection, [job.row.id]).get(job.row.id, Activation())
        attempt = before.attempt + 1
        name = name_for(self._batch.naming, job.row.splitter, attempt)
        # refused before anything is leased where the state does not allow it
        before.state.to(_S.ACTIVATING, what=f"the test ONU of {job.row.key}")
        lease_onu(change, identity, job.row)
        vlans = lease_cvlan(change, job.pool, job.row, job.port.svlan, avoid=job.avoid)
        move(
            change,
            job.row,
            _S.ACTIVATING,
            attempt=attempt,
            mode=self._batch.mode,
            run_id=None,
            onu=None,
            mark=None,
            onu_name=name,
            vlans=vlans,
            clashes=(),
            auth=str(job.auth),
            request_id=self._batch.request_id,
            hold_until=None,
            failure=None,
            removal=None,
            draft=None,
            done=False,
        )
        self._by_place[str(job.row.splitter.port), job.row.splitter.name] = job
        return self._order(job, vlans, name)

    def _order(self, job: Job, vlans: VlanStack, name: str) -> ActivationOrder:
        batch, splitter = self._batch, job.row.splitter
        return order_of(splitter, batch.olt, job.port, auth=job.auth, vlans=vlans, onu_name=name)

    def refuse(self, job: Job, error: PonprobeError) -> None:
        """Record that a job could not even begin."""
        with self.change() as change:
            self._refused(change, job, error)

    def _refused(self, change: Change, job: Job, error: PonprobeError | ValidationError) -> None:
        """A state that forbids an activation is left as it is; otherwise the activation has failed."""
        state = activations_of(change.connection, [job.row.id]).get(job.row.id, Activation()).state
        if isinstance(error, ValidationError):
            problem = error.errors(include_input=False, include_url=False)[0]
            failure = Failure(error_class="ConfigError", message=str(problem["msg"]), rollback="nothing_done")
        else:
            failure = failure_of(error, "nothing_done")
        if _S.ACTIVATING in state.next_states and not isinstance(error, LeaseConflict):
            before = {"failure": failure, "request_id": self._batch.request_id, "run_id": None, "removal": None}
            move(change, job.row, _S.ACTIVATING, **before)
            state = move(change, job.row, _S.ACTIVATION_FAILED, **before).state
        else:
            data = failure.model_dump(mode="json")
            project = job.row.splitter.project
            change.event("activation.refused", data, project=project, splitter=job.row.id, item=job.row.item)
        job.outcome = ItemOutcome(splitter=job.row.key, state=state, failure=failure)

    # ------------------------------------------------------------------ while it runs

    def on_event(self, event: RunEvent) -> None:
        """Hear of the steps of each run. Only before the first change may a failure of the store stop the run."""
        job = self._by_place.get((str(event.pon), event.item or ""))
        if job is None or event.event not in {"planned", "activated", "verdict"}:
            return
        if event.event == "planned":
            self._batch.go_on()
            self._note_run(job, event)
            return
        try:
            with self.change() as change:
                if event.event == "activated":
                    move(change, job.row, _S.ACTIVATED, run_id=event.run_id, onu=OnuRef.parse(event.data["onu"]))
                else:
                    verdict = Verdict.model_validate_json(json.dumps(event.data))
                    data = {"outcome": str(verdict.outcome), "run_id": event.run_id}
                    amend(change, job.row, "line.judged", data, draft=verdict)
        except Exception:
            # the ONU is on the device: it must be taken away, whatever went wrong here; the end is recorded as a whole
            log.exception("%s: %s of run %s could not be recorded", job.row.key, event.event, event.run_id)

    def _note_run(self, job: Job, event: RunEvent) -> None:
        with self.change() as change:
            data = {"run_id": event.run_id, **event.data}
            place = {"onu": OnuRef.parse(event.data["onu"]), "mark": event.data["mark"]}
            amend(change, job.row, "activation.planned", data, run_id=event.run_id, **place)

    # ------------------------------------------------------------------ afterwards

    def clash(self, job: Job, item: BatchItem) -> bool:
        """A customer has the CVLAN: record that and take the next one; false if there is none, and the job is over."""
        order = job.order
        if order is None or order.vlans is None:
            return False
        job.avoid.add(order.vlans.cvlan)
        with self.change() as change:
            before = activations_of(change.connection, [job.row.id])[job.row.id]
            release_cvlan(change, job.row)
            try:
                with change.connection.begin_nested():
                    vlans = lease_cvlan(change, job.pool, job.row, order.vlans.svlan, avoid=job.avoid)
            except CvlanPoolExhausted as exc:
                self._end_unregistered(change, job, failure_of(exc, "nothing_done"), run_id=None)
                return False
            data = {"clash": order.vlans.model_dump(), "vlans": vlans.model_dump(), "message": item.error}
            clashes = (*before.clashes, order.vlans)
            amend(change, job.row, "lease.clash", data, vlans=vlans, clashes=clashes, run_id=None, onu=None, mark=None)
        job.order = self._order(job, vlans, before.onu_name or "")
        return True

    def close(self, job: Job, item: BatchItem, findings: Sequence[Finding] = ()) -> None:
        """Record how a job ended: its round, whether its ONU is proven gone or stays on purpose, what failed."""
        with self.change() as change:
            if item.onu is None or item.phase == "register":
                rollback: RollbackOutcome = "nothing_done" if item.after_change is None else item.after_change
                failure = _failure(item, rollback)
                self._end_unregistered(change, job, failure, run_id=item.run_id)
                return
            now = activations_of(change.connection, [job.row.id])[job.row.id]
            if now.state is _S.ACTIVATING:
                now = move(change, job.row, _S.ACTIVATED, run_id=item.run_id, onu=item.onu)
            if item.kept and self._batch.mode == "activate":
                until = change.at + self._batch.hold
                now = amend(
                    change, job.row, "activation.kept", {"until": until.isoformat()}, hold_until=until, done=True
                )
                job.outcome = outcome_of(job.row, now)
                return
            tested = add_round(change, job.row, self._round(job, item, change.at, findings))
            left = None if item.clean else _failure(item, "residue" if item.after_change else "unknown")
            now = end_removal(change, job.row, item.removal, left, done=tested.verdict is not None)
            failed = tested.failure or left
            job.outcome = outcome_of(job.row, now, tested).model_copy(update={"failure": failed})

    def never_registered(self, job: Job, failure: Failure) -> None:
        """Record that a job that had begun is proven to have left nothing."""
        with self.change() as change:
            self._end_unregistered(change, job, failure, run_id=None)

    def _end_unregistered(self, change: Change, job: Job, failure: Failure, *, run_id: str | None) -> None:
        states: dict[RollbackOutcome, ActivationState] = {
            "nothing_done": _S.ACTIVATION_FAILED,
            "rolled_back": _S.ACTIVATION_FAILED,
            "residue": _S.REVOKE_FAILED,
            "unknown": _S.UNKNOWN,
        }
        more = {} if run_id is None else {"run_id": run_id}
        now = activations_of(change.connection, [job.row.id])[job.row.id]
        if now.state is _S.ACTIVATED:
            # registered by then, and given up again: its end is that of a removal
            now = end_removal(change, job.row, None, None if failure.rollback == "rolled_back" else failure)
        else:
            now = move(change, job.row, states[failure.rollback], failure=failure, **more)
        tested = None
        if failure.error_class == "WrongPort":
            tested = add_round(change, job.row, self._failed_round(job, failure, change.at, FaultKind.DATA))
        job.outcome = outcome_of(job.row, now, tested).model_copy(update={"failure": failure})

    def _round(self, job: Job, item: BatchItem, at: datetime, findings: Sequence[Finding]) -> LineRound:
        result = item.result
        if result is None or result.verdict is None:
            failure = _failure(item, "rolled_back" if item.clean else "residue")
            return self._failed_round(job, failure, at, None, item)
        found = (*result.findings, *findings)
        return LineRound(
            **self._about(job, item),
            readings=result.readings,
            verdict=result.verdict,
            findings=found,
            fault=fault_of(result.verdict, found),
            at=at,
        )

    def _failed_round(
        self, job: Job, failure: Failure, at: datetime, fault: FaultKind | None, item: BatchItem | None = None
    ) -> LineRound:
        return LineRound(**self._about(job, item), failure=failure, fault=fault, at=at)

    def _about(self, job: Job, item: BatchItem | None) -> dict[str, Any]:
        order = job.order
        return {
            "splitter": job.row.key,
            "round": 1,
            "splitter_port": job.row.splitter.splitter_port,
            "onu": None if item is None else item.onu,
            "onu_name": None if order is None else order.description,
            "serial": job.auth.serial,
            "vlans": None if order is None else order.vlans,
            "run_id": None if item is None else item.run_id,
            "actor": self._batch.actor,
        }


def fault_of(verdict: Verdict, findings: Collection[Finding]) -> FaultKind | None:
    """Tell what has to be put right: the record of an ONU that sits on another port, else the line that failed."""
    if any(finding.code == "wrong_port" for finding in findings):
        return FaultKind.DATA
    return FaultKind.SITE if verdict.outcome is Outcome.FAIL else None


def end_removal(
    change: Change, row: StoredSplitter, removal: Removal | None, failure: Failure | None, **updates: Any
) -> Activation:
    """Record the end of a removal: revoked with its proof, or not."""
    now = activations_of(change.connection, [row.id])[row.id]
    if now.state is not _S.REVOKING:
        move(change, row, _S.REVOKING)
    if failure is None:
        return move(change, row, _S.REVOKED, removal=removal, failure=None, draft=None, hold_until=None, **updates)
    return move(change, row, _S.REVOKE_FAILED, removal=removal, failure=failure, draft=None, **updates)


def _failure(item: BatchItem, rollback: RollbackOutcome) -> Failure:
    residue = () if item.removal is None else tuple(left for left in item.removal.residue if left.ours)
    return Failure(
        error_class=item.error_class or "RevokeError",
        message=item.error or "it could not be proven that nothing is left",
        hint=item.hint,
        rollback=rollback,
        residue=residue if rollback in {"residue", "unknown"} else (),
    )


def outcome_of(row: StoredSplitter, now: Activation, tested: LineRound | None = None) -> ItemOutcome:
    """Tell what became of a splitter."""
    verdict = None if tested is None else tested.verdict
    return ItemOutcome(
        splitter=row.key,
        state=now.state,
        onu=now.onu,
        run_id=now.run_id,
        vlans=now.vlans,
        clashes=now.clashes,
        round=None if tested is None else tested.round,
        line=None if verdict is None else str(verdict.outcome),
        fault=None if tested is None else tested.fault,
        failure=now.failure,
    )
