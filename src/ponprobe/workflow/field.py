"""The third stage, 现场挂测: line and service tests, evidence, and what goes back when they fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import tenacity
from pydantic import TypeAdapter

from ponprobe.errors import ConfigError, NotOurs, PonprobeError
from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models.device import OnuState
from ponprobe.models.engineering import (
    ActivationItem,
    ActivationState,
    Actor,
    EvidenceItem,
    Failure,
    FaultKind,
    HandheldReading,
    LineRound,
    ServiceTest,
    Splitter,
    SplitterKey,
)
from ponprobe.models.judgement import Finding, Verdict
from ponprobe.models.optical import OpticalReading
from ponprobe.session.diagnosis import why_offline
from ponprobe.store import results
from ponprobe.store.activations import Activation, activations_of, amend, move
from ponprobe.store.database import Change, utc_now
from ponprobe.store.projects import StoredSplitter
from ponprobe.store.refusals import NotReady
from ponprobe.store.requests import running
from ponprobe.workflow.base import by_olt, failure_of, sorted_keys
from ponprobe.workflow.dispatch import Dispatching
from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome
from ponprobe.workflow.recording import fault_of, outcome_of

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt
    from ponprobe.store.journal import JournalRun

_S = ActivationState
_BATCH: TypeAdapter[BatchOutcome] = TypeAdapter(BatchOutcome)
By: TypeAlias = "tuple[Actor, str | None]"


class ServiceTestProvider(Protocol):
    """Whatever makes a service test by itself: a probe, a dialler on the engineer's laptop."""

    name: str

    def run(self, splitter: Splitter, item: ActivationItem) -> ServiceTest:
        """Dial up behind this splitter's test ONU and say what came of it."""


class FieldTests(Dispatching):
    """Tests on live test ONUs, and results that people bring."""

    # ------------------------------------------------------------------ line

    def test(
        self,
        project: str,
        keys: Iterable[SplitterKey] | None = None,
        *,
        actor: Actor,
        keep_failed: timedelta | None = None,
        request_id: str | None = None,
    ) -> BatchOutcome:
        """Read and judge the lines of live test ONUs (all of the project if ``None``); each test is a new round.

        A test ONU whose line passed stays for the service test. One that did not is revoked, unless ``keep_failed``
        says how long to keep it for a re-test. A splitter without a live one is refused, as an outcome of its own.
        """
        keys = None if keys is None else tuple(keys)
        body = [project, sorted_keys(keys), None if keep_failed is None else keep_failed.total_seconds()]
        with running(self.store, actor, request_id, name="test", body=body, answer=_BATCH) as request:
            if request.answer is not None:
                return request.answer
            rows = self._rows(project, keys)
            if keys is None:
                with self.store.read() as connection:
                    known = activations_of(connection, [row.id for row in rows])
                rows = tuple(row for row in rows if known.get(row.id, Activation()).state is _S.ACTIVATED)

            def on_one(name: str, some: Sequence[StoredSplitter]) -> list[ItemOutcome]:
                found: list[ItemOutcome] = []
                try:
                    with self._writing(name), self._connect(self._records([name])[name]) as olt:
                        found.extend(self._test_one(olt, row, actor, request_id, keep_failed) for row in some)
                except PonprobeError as exc:
                    # what was done before the road was lost stays done
                    found += [self._untouched(row, exc) for row in some[len(found) :]]
                return found

            done = {each.splitter: each for each in self._each_olt(by_olt(rows), on_one)}
            items = tuple(done[row.key] for row in rows)
            return request.finish(BatchOutcome(action="test", project=project, items=items))

    def _test_one(
        self, olt: Olt, row: StoredSplitter, actor: Actor, request_id: str | None, keep_failed: timedelta | None
    ) -> ItemOutcome:
        now = self._now(row)
        if now.state is not _S.ACTIVATED or now.run_id is None:
            exc = ConfigError(f"{row.key} is {now.state.label} ({now.state}): it has no live test ONU to read")
            return outcome_of(row, now).model_copy(update={"failure": failure_of(exc, "nothing_done")})
        by = (actor, request_id)
        run = self._journal().run(now.run_id)
        try:
            state, verdict = self._read(olt, run)
        except PonprobeError as exc:
            return self._not_read(row, now, run, exc, by)
        if verdict.passed or keep_failed is not None:
            findings = () if state.online else self._why_offline(olt, row, run, state)
            hold = None if verdict.passed else keep_failed
            return self._stays(row, now, _round(row, now, run, actor, verdict=verdict, findings=findings), by, hold)
        with self.store.change(*by) as change:
            data = {"outcome": str(verdict.outcome), "run_id": now.run_id}
            amend(change, row, "line.judged", data, draft=verdict)
        # after the removal: what is registered nowhere shows up among those that wait, on its true port
        explain = partial(self._why_offline, olt, row, run, state) if not state.online else tuple[Finding, ...]
        return self._take_away(olt, row, actor, request_id, explain=explain)

    def _read(self, olt: Olt, run: JournalRun) -> tuple[OnuState, Verdict]:
        """Read a kept test ONU, once it is online or its time is over; ``NotOurs`` if it is not ours (any more)."""
        timeout_s = olt.settings.online_timeout_s if self.online_timeout_s is None else self.online_timeout_s
        patience = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda state: not state.online),
            wait=tenacity.wait_exponential(multiplier=0.1, exp_base=1.6, max=5),
            stop=tenacity.stop_after_delay(timeout_s),
            retry_error_callback=lambda attempt: attempt.outcome.result() if attempt.outcome else None,
        )
        state: OnuState = patience(_our_state, olt, run)
        samples = (self.samples or olt.settings.samples) if state.online else 1
        readings = tuple(olt.optical(run.owner.onu) for _ in range(samples))
        return state, judge(readings, self.thresholds or CONSTRUCTION, judged_at=self.store.clock())

    @staticmethod
    def _why_offline(olt: Olt, row: StoredSplitter, run: JournalRun, state: OnuState) -> tuple[Finding, ...]:
        """Where the OLT sees the ONU instead, or what is in its way; nothing if it cannot be asked."""
        serial, port, cause = run.owner.serial, run.owner.onu.port, state.last_down_cause
        try:
            return (why_offline(olt, serial=serial, port=port, splitter=row.splitter.name, cause=cause),)
        except PonprobeError:
            return ()

    def _stays(
        self, row: StoredSplitter, now: Activation, tested: LineRound, by: By, hold: timedelta | None
    ) -> ItemOutcome:
        """Add a round; the test ONU stays where it is, for the service test or for a re-test."""
        with self.store.change(*by) as change:
            added = results.add_round(change, row, tested)
            if hold is not None:
                until = change.at + hold
                now = amend(change, row, "activation.kept", {"until": until.isoformat()}, hold_until=until)
        return outcome_of(row, now, added)

    def _not_read(
        self, row: StoredSplitter, now: Activation, run: JournalRun, exc: PonprobeError, by: By
    ) -> ItemOutcome:
        """A round without a reading. What stands on the OLT is not ours to say, unless the OLT said that it is gone."""
        failure = failure_of(exc, "unknown")
        with self.store.change(*by) as change:
            added = results.add_round(change, row, _round(row, now, run, by[0], at=change.at, failure=failure))
            if isinstance(exc, NotOurs):
                now = move(change, row, _S.UNKNOWN, failure=failure)
        return outcome_of(row, now, added).model_copy(update={"failure": failure})

    def enter_round(
        self,
        project: str,
        key: SplitterKey,
        readings: Sequence[OpticalReading],
        *,
        actor: Actor,
        handheld: Sequence[HandheldReading] = (),
        findings: Sequence[Finding] = (),
        comment: str | None = None,
        request_id: str | None = None,
    ) -> LineRound:
        """Add a round whose readings a person brought, where a step had to be done outside; marked as ``manual``."""
        verdict = judge(readings, self.thresholds or CONSTRUCTION, judged_at=self.store.clock())

        def work(change: Change) -> LineRound:
            row = self._row(change.connection, project, key)
            tested = LineRound(
                splitter=row.key,
                round=1,
                splitter_port=row.splitter.splitter_port,
                readings=tuple(readings),
                verdict=verdict,
                findings=tuple(findings),
                fault=fault_of(verdict, findings),
                handheld=tuple(handheld),
                source="manual",
                comment=comment,
                actor=actor,
                at=change.at,
            )
            return results.add_round(change, row, tested)

        given = [each.model_dump(mode="json") for each in (*readings, *handheld, *findings)]
        body = [project, list(key), given, comment]
        found: LineRound = self._once(actor, request_id, "line.enter", body, answer=LineRound, work=work)
        return found

    def rounds(self, project: str, key: SplitterKey) -> tuple[LineRound, ...]:
        """Every line round of a splitter, first to last, those of earlier builds included."""
        with self.store.read() as connection:
            return results.rounds_of(connection, self._row(connection, project, key).id)

    # ------------------------------------------------------------------ service and evidence

    def service_test(
        self,
        project: str,
        key: SplitterKey,
        test: ServiceTest | ServiceTestProvider,
        *,
        actor: Actor,
        corroborate: bool = False,
        request_id: str | None = None,
    ) -> ServiceTest:
        """Record a service test, typed in or made by a provider; a provider runs once per request id.

        ``corroborate`` adds the addresses that the OLT has learnt behind the live test ONU. They support the record and
        never decide. ``NotReady`` if the splitter has never been activated: there was nothing to dial through.
        """
        given = test.model_dump(mode="json") if isinstance(test, ServiceTest) else test.name
        adapter = TypeAdapter(ServiceTest)
        body = [project, list(key), given]
        with running(self.store, actor, request_id, name="service_test", body=body, answer=adapter) as request:
            if request.answer is not None:
                return request.answer
            row = self._rows(project, [key])[0]
            now = self._now(row)
            if now.attempt == 0:
                raise NotReady(
                    f"no service test of {row.key} can be recorded",
                    reasons=("its test ONU has never been activated",),
                    hint="dispatch it first",
                )
            if isinstance(test, ServiceTest):
                made = test
            else:
                (item,) = self.activation_list(project, [key])
                made = test.run(row.splitter, item).model_copy(update={"provider": test.name})
            updates: dict[str, Any] = {"splitter": row.key, "actor": actor}
            if corroborate and now.onu is not None and now.state is _S.ACTIVATED:
                with self._connect(self._records([row.splitter.olt])[row.splitter.olt]) as olt:
                    updates["macs_learnt"] = tuple(entry.mac for entry in olt.macs(now.onu))
            made = made.model_copy(update=updates)
            with self.store.change(actor, request_id) as change:
                results.add_service_test(change, self._row(change.connection, project, key), made)
            return request.finish(made)

    def service_tests(self, project: str, key: SplitterKey) -> tuple[ServiceTest, ...]:
        """Every service test of a splitter, first to last."""
        with self.store.read() as connection:
            return results.service_tests_of(connection, self._row(connection, project, key).id)

    def add_evidence(
        self, project: str, key: SplitterKey, item: EvidenceItem, *, actor: Actor, request_id: str | None = None
    ) -> EvidenceItem:
        """Record a piece of evidence whose bytes are in the evidence folder; the same file again adds nothing."""
        placed = item.model_copy(update={"splitter": SplitterKey(*key), "actor": item.actor or actor})

        def work(change: Change) -> EvidenceItem:
            results.add_evidence(change, self._row(change.connection, project, key), placed)
            return placed

        body = [project, list(key), item.model_dump(mode="json", exclude={"added_at"})]
        found: EvidenceItem = self._once(actor, request_id, "evidence.add", body, answer=EvidenceItem, work=work)
        return found

    def evidence(self, project: str, key: SplitterKey) -> tuple[EvidenceItem, ...]:
        """Every piece of evidence of a splitter, in the order in which it came."""
        with self.store.read() as connection:
            return results.evidence_of(connection, self._row(connection, project, key).id)

    # ------------------------------------------------------------------ back to engineering data

    def send_back(
        self,
        project: str,
        key: SplitterKey,
        fault: FaultKind,
        *,
        actor: Actor,
        comment: str | None = None,
        request_id: str | None = None,
    ) -> FaultKind:
        """Send a splitter back to engineering data: its record is wrong (``data``) or its plant is (``site``)."""

        def work(change: Change) -> FaultKind:
            row = self._row(change.connection, project, key)
            results.note_fault(change, row, fault, actor=actor, comment=comment, name="splitter.sent_back")
            return fault

        body = [project, list(key), fault.value, comment]
        found: FaultKind = self._once(actor, request_id, "send_back", body, answer=FaultKind, work=work)
        return found

    def rectified(
        self, project: str, key: SplitterKey, *, actor: Actor, comment: str | None = None, request_id: str | None = None
    ) -> SplitterKey:
        """Say that the plant has been put right: earlier tests stay in the history and no longer count."""

        def work(change: Change) -> SplitterKey:
            row = self._row(change.connection, project, key)
            results.note_fault(change, row, None, actor=actor, comment=comment, name="splitter.rectified")
            return row.key

        body = [project, list(key), comment]
        found: SplitterKey = self._once(actor, request_id, "rectified", body, answer=SplitterKey, work=work)
        return found


def _our_state(olt: Olt, run: JournalRun) -> OnuState:
    """Read the state of a run's ONU; ``NotOurs`` if it is gone or somebody else stands there."""
    owner = run.owner
    state = olt.onu_state(owner.onu)
    if state is None:
        raise NotOurs(
            f"the test ONU {owner.onu} is gone from {olt.host}", hint="somebody removed it; resume settles it"
        )
    # not every road tells descriptions; to read (and no more) the right serial is enough
    untold = state.description is None and owner.serial is not None and state.serial == owner.serial
    if not untold and not owner.matches(description=state.description, serial=state.serial):
        raise NotOurs(
            f"{owner.onu} on {olt.host} now holds {state.serial} {state.description!r}, which is not our test ONU",
            hint="find out who works on this OLT; resume settles what is left of ours",
        )
    return state


def _round(
    row: StoredSplitter,
    now: Activation,
    run: JournalRun,
    actor: Actor,
    *,
    verdict: Verdict | None = None,
    findings: tuple[Finding, ...] = (),
    failure: Failure | None = None,
    at: datetime | None = None,
) -> LineRound:
    """Make a round of a live test ONU; the store numbers it."""
    return LineRound(
        splitter=row.key,
        round=1,
        splitter_port=row.splitter.splitter_port,
        onu=run.owner.onu,
        onu_name=now.onu_name,
        serial=run.owner.serial,
        vlans=now.vlans,
        readings=() if verdict is None else verdict.readings,
        verdict=verdict,
        findings=findings,
        failure=failure,
        fault=None if verdict is None else fault_of(verdict, findings),
        run_id=run.run_id,
        actor=actor,
        at=verdict.judged_at if verdict is not None else at or utc_now(),
    )
