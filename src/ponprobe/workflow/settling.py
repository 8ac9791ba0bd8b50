"""Taking test ONUs away with proof: on request, when they are no longer wanted, and after a crash.

What was under way when a process died is settled by asking the journal what may be on the device, and the device what
is. Nothing is concluded from time or from silence: where the device cannot be asked, the state stays as unproven as it
is, and the CVLAN stays taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from ponprobe.errors import ConfigError, PonprobeError, ResidueError, TransportError
from ponprobe.models.addressing import Serial
from ponprobe.models.engineering import ActivationState, Actor, Failure, LineRound, RollbackOutcome, SplitterKey
from ponprobe.models.judgement import Finding
from ponprobe.models.run import Removal
from ponprobe.store.activations import Activation, activations_of, amend, in_states, move
from ponprobe.store.database import Change
from ponprobe.store.projects import StoredSplitter, splitter_by_id
from ponprobe.store.requests import running
from ponprobe.store.results import add_round, rounds_of
from ponprobe.workflow.base import SYSTEM, by_olt, failure_of, log, sorted_keys
from ponprobe.workflow.orders import Orders
from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome
from ponprobe.workflow.recording import end_removal, fault_of, outcome_of

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt
    from ponprobe.store.journal import JournalRun

_S = ActivationState
_BATCH: TypeAdapter[BatchOutcome] = TypeAdapter(BatchOutcome)
_UNDER_WAY = (_S.ACTIVATING, _S.REVOKING, _S.UNKNOWN, _S.REVOKE_FAILED)
_CUT_SHORT = Finding(
    code="cut_short",
    text="the process ended between this verdict and the proof of the removal; what was looked at after it is missing",
    next_step="test again if something about this round is in doubt",
)


class Settling(Orders):
    """Revoke, resume, sweep."""

    def revoke(
        self,
        project: str,
        keys: Iterable[SplitterKey] | None = None,
        *,
        actor: Actor,
        request_id: str | None = None,
    ) -> BatchOutcome:
        """Take test ONUs off their OLTs and prove it: the selected ones, or every live one of the project.

        Repeated, it is a success that says ``already``. What never was activated is refused, as an outcome of its own.
        """
        keys = None if keys is None else tuple(keys)
        body = [project, sorted_keys(keys)]
        with running(self.store, actor, request_id, name="revoke", body=body, answer=_BATCH) as request:
            if request.answer is not None:
                return request.answer
            rows = self._rows(project, keys)
            if keys is None:
                with self.store.read() as connection:
                    known = activations_of(connection, [row.id for row in rows])
                rows = tuple(row for row in rows if known.get(row.id, Activation()).state.live)
            return request.finish(self._settle("revoke", project, rows, actor, request_id=request_id))

    def resume(self, project: str | None = None, *, actor: Actor = SYSTEM) -> BatchOutcome:
        """Put right what a crash or a lost road left under way, in one project or in all.

        Whatever may be on a device is taken away there with proof; a verdict that was reached is kept as its round.
        What another process is working on is left to it. Where an OLT cannot be reached, nothing is concluded.
        """
        return self._settle("resume", project, self._rows_that(project, left_under_way), actor, only=left_under_way)

    def sweep_expired(self, project: str | None = None, *, actor: Actor = SYSTEM) -> BatchOutcome:
        """Take away every test ONU that was kept and whose time is over. A lease ends by this proof, never by time."""
        now = self.store.clock()

        def expired(each: Activation) -> bool:
            return each.state.live and each.hold_until is not None and each.hold_until <= now

        return self._settle("revoke", project, self._rows_that(project, expired), actor, only=expired)

    def keep(
        self, project: str, key: SplitterKey, until: datetime, *, actor: Actor, request_id: str | None = None
    ) -> datetime:
        """Keep a live test ONU for a re-test until a time; after it, ``sweep_expired`` takes it away."""
        if until.tzinfo is None:
            raise ConfigError(f"{until} has no time zone", hint="say until when with a zone")

        def work(change: Change) -> datetime:
            row = self._row(change.connection, project, key)
            state = activations_of(change.connection, [row.id]).get(row.id, Activation()).state
            if state is not _S.ACTIVATED:
                raise ConfigError(f"{row.key} is {state.label} ({state}): there is no live test ONU to keep")
            amend(change, row, "activation.kept", {"until": until.isoformat()}, hold_until=until)
            return until

        body = [project, list(key), until.isoformat()]
        found: datetime = self._once(actor, request_id, "keep", body, answer=datetime, work=work)
        return found

    # ------------------------------------------------------------------ which ones

    def _rows_that(self, project: str | None, are: Callable[[Activation], bool]) -> tuple[StoredSplitter, ...]:
        with self.store.read() as connection:
            live = in_states(connection, (*_UNDER_WAY, _S.ACTIVATED))
            rows = [splitter_by_id(connection, number) for number, now in live.items() if are(now)]
        return tuple(row for row in rows if project is None or row.splitter.project == project)

    # ------------------------------------------------------------------ each OLT

    def _settle(
        self,
        action: Literal["revoke", "resume"],
        project: str | None,
        rows: Collection[StoredSplitter],
        actor: Actor,
        *,
        request_id: str | None = None,
        only: Callable[[Activation], bool] = lambda _: True,
    ) -> BatchOutcome:
        def on_one(name: str, some: Sequence[StoredSplitter]) -> list[ItemOutcome]:
            try:
                with self._writing(name), self._connect(self._records([name])[name]) as olt:
                    # seen before this process was the OLT's writer: whoever was it may have gone on meanwhile
                    mine = [row for row in some if only(self._now(row))]
                    own = {row.id for row in mine}
                    rest = [outcome_of(row, self._now(row)) for row in some if row.id not in own]
                    return [*self._take_all(olt, mine, actor, request_id), *rest]
            except PonprobeError as exc:
                return [self._untouched(row, exc) for row in some]

        done = {each.splitter: each for each in self._each_olt(by_olt(rows), on_one)}
        return BatchOutcome(action=action, project=project, items=tuple(done[row.key] for row in rows))

    def _untouched(self, row: StoredSplitter, exc: PonprobeError) -> ItemOutcome:
        return outcome_of(row, self._now(row)).model_copy(update={"failure": failure_of(exc, "unknown")})

    def _now(self, row: StoredSplitter) -> Activation:
        with self.store.read() as connection:
            return activations_of(connection, [row.id]).get(row.id, Activation())

    def _take_all(
        self, olt: Olt, rows: Iterable[StoredSplitter], actor: Actor, request_id: str | None
    ) -> list[ItemOutcome]:
        """Take one after another; the first that finds no road speaks for the rest, which are not tried."""
        found: list[ItemOutcome] = []
        closed: TransportError | None = None
        for row in rows:
            if closed is not None and self._now(row).state.live:
                found.append(self._untouched(row, closed))
                continue
            try:
                found.append(self._take_away(olt, row, actor, request_id))
            except PonprobeError as exc:
                closed = exc if isinstance(exc, TransportError) else None
                found.append(self._untouched(row, exc))
        return found

    def _take_away(
        self,
        olt: Olt,
        row: StoredSplitter,
        actor: Actor,
        request_id: str | None,
        *,
        explain: Callable[[], tuple[Finding, ...]] = lambda: (_CUT_SHORT,),
    ) -> ItemOutcome:
        """Bring one splitter to a proven end. The caller is the OLT's one writer: nobody else is at work on it.

        ``explain`` is asked after the removal what else is known of a verdict whose round is still open.
        """
        now = self._now(row)
        if now.state is _S.REVOKED:
            return outcome_of(row, now).model_copy(update={"already": True})
        run = self._run_of(row, now) if now.state.live else None
        # a journal that does not know a planned run may be the wrong one: then the device has to say what is there
        stands = now.state.live and run is None and now.run_id is not None and _may_stand(olt, now)
        with self.store.change(actor, request_id) as change:
            change.idle = True  # one whose removal had begun already needs no step to begin it again
            if not now.state.live:
                refused = f"{row.key} is {now.state.label} ({now.state}): there is nothing of ours to revoke"
                failure = Failure(error_class="IllegalTransition", message=refused, rollback="nothing_done")
                return outcome_of(row, now).model_copy(update={"failure": failure})
            if now.state is _S.ACTIVATING and not stands:
                if run is None:
                    # a run is on disk before its first byte: without one, nothing was ever sent
                    cut = _interrupted("the process ended before anything was sent", "nothing_done")
                    return _settled(row, move(change, row, _S.ACTIVATION_FAILED, failure=cut))
                cut = _interrupted("the process ended while it was registering", "unknown")
                now = move(change, row, _S.UNKNOWN, failure=cut, run_id=run.run_id)
            elif now.state is not _S.REVOKING and run is not None:
                now = move(change, row, _S.REVOKING, run_id=run.run_id)
            elif run is None:
                lost = f"run {now.run_id} of {row.key} is not in the journal, so nothing can be proven about it"
                failure = _interrupted(lost, "unknown", "use the journal that the run was made with (PONPROBE_JOURNAL)")
                return outcome_of(row, now).model_copy(update={"failure": failure})
        assert run is not None  # noqa: S101 - every way without one has ended above
        return self._erase(olt, row, now, run.run_id, by=(actor, request_id), explain=explain)

    def _erase(
        self,
        olt: Olt,
        row: StoredSplitter,
        now: Activation,
        run_id: str,
        *,
        by: tuple[Actor, str | None],
        explain: Callable[[], tuple[Finding, ...]],
    ) -> ItemOutcome:
        removal: Removal | None = None
        failure: Failure | None = None
        closed: TransportError | None = None
        try:
            removal = olt.revoke(run_id)
        except PonprobeError as exc:
            failure = failure_of(exc, "residue" if isinstance(exc, ResidueError) else "unknown")
            closed = exc if isinstance(exc, TransportError) else None
            log.warning("%s: run %s is not proven gone: %s", row.key, run_id, exc)
        findings = (_CUT_SHORT,) if now.draft is None or closed is not None else explain()
        with self.store.change(*by) as change:
            tested = self._keep_draft(change, row, now, findings)
            if now.state is _S.UNKNOWN and now.draft is None:
                after = self._end_unknown(change, row, removal, failure)
            else:
                done = {"done": True} if tested is not None else {}
                after = end_removal(change, row, removal, failure, **done)
        if closed is not None:
            raise closed
        return _settled(row, after, tested)

    @staticmethod
    def _end_unknown(
        change: Change, row: StoredSplitter, removal: Removal | None, failure: Failure | None
    ) -> Activation:
        """End a registration that was cut short: proven gone, it never succeeded; else it stays to be settled."""
        if failure is None:
            rolled_back = _interrupted("the process ended while it was registering", "rolled_back")
            return move(change, row, _S.ACTIVATION_FAILED, failure=rolled_back, removal=removal)
        if failure.rollback == "residue":
            return move(change, row, _S.REVOKE_FAILED, failure=failure)
        return amend(change, row, "activation.unsettled", failure.model_dump(mode="json"), failure=failure)

    @staticmethod
    def _keep_draft(
        change: Change, row: StoredSplitter, now: Activation, findings: tuple[Finding, ...]
    ) -> LineRound | None:
        """A verdict that was reached is a round, whatever came after it."""
        if now.draft is None:
            return None
        for each in rounds_of(change.connection, row.id):
            # one run may have several rounds (a test ONU that was kept): the time tells the verdicts apart
            if each.run_id == now.run_id and each.verdict and each.verdict.judged_at == now.draft.judged_at:
                return None
        tested = LineRound(
            splitter=row.key,
            round=1,
            splitter_port=row.splitter.splitter_port,
            onu=now.onu,
            onu_name=now.onu_name,
            serial=_serial(now),
            vlans=now.vlans,
            readings=now.draft.readings,
            verdict=now.draft,
            findings=findings,
            fault=fault_of(now.draft, findings),
            run_id=now.run_id,
            actor=change.actor,
            at=now.draft.judged_at,
        )
        return add_round(change, row, tested)

    def _run_of(self, row: StoredSplitter, now: Activation) -> JournalRun | None:
        """Find a splitter's run in the journal: by its id, else by the name that its test ONU was to have."""
        journal = self._journal()
        if now.run_id is not None:
            try:
                return journal.run(now.run_id)
            except ConfigError:
                return None
        same = [
            run
            for run in journal.unfinished(row.splitter.olt)
            if run.order.get("description") == now.onu_name and run.order.get("port") == str(row.splitter.port)
        ]
        return same[-1] if same else None


def _settled(row: StoredSplitter, now: Activation, tested: LineRound | None = None) -> ItemOutcome:
    """Tell how it ended: what is proven gone has been settled, however it had failed before."""
    outcome = outcome_of(row, now, tested)
    return outcome if now.state.live else outcome.model_copy(update={"failure": None})


def _serial(now: Activation) -> Serial | None:
    """The serial of a test ONU that registers by one."""
    try:
        return Serial((now.auth or "").split(" + ")[0])
    except ValueError:
        return None


def _may_stand(olt: Olt, now: Activation) -> bool:
    """Whether the device shows something that may be a planned test ONU: by its serial, or by our mark in its place."""
    serial = _serial(now)
    if serial is not None and olt.find(serial) is not None:
        return True
    state = None if now.onu is None else olt.onu_state(now.onu)
    if state is None:
        return False
    told = state.description or ""
    return not told or now.mark is None or now.mark in told


def left_under_way(now: Activation) -> bool:
    """Whether nobody waits for this test ONU: one that nobody asked to keep belongs to a batch that is gone."""
    return now.state in _UNDER_WAY or (now.state is _S.ACTIVATED and now.hold_until is None)


def _interrupted(message: str, rollback: RollbackOutcome, hint: str | None = None) -> Failure:
    return Failure(error_class="Interrupted", message=message, rollback=rollback, hint=hint)
