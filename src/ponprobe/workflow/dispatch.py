"""Activation orders on their way: many OLTs at once, one writer on each, an outcome for every splitter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from ponprobe.errors import PonprobeError, TransportError
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, PonPort
from ponprobe.models.batch import BatchItem
from ponprobe.models.engineering import ActivationState, Actor, OltRecord, Splitter, SplitterKey
from ponprobe.models.plant import PlantRecord
from ponprobe.models.run import RunEvent
from ponprobe.session.judging import Plant, plant_findings
from ponprobe.store.activations import Mode, activations_of
from ponprobe.store.database import Store
from ponprobe.store.leases import choose_pool, identity_of, pools
from ponprobe.store.projects import StoredSplitter, ports_of, splitters_of
from ponprobe.store.refusals import StoreError
from ponprobe.store.requests import running
from ponprobe.store.results import rounds_of
from ponprobe.workflow.base import by_olt, failure_of, log, sorted_keys
from ponprobe.workflow.orders import Onus, auth_for, waiting_rows
from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome
from ponprobe.workflow.recording import Batch, Job, Recorder, outcome_of
from ponprobe.workflow.settling import Settling

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt

_BATCH: TypeAdapter[BatchOutcome] = TypeAdapter(BatchOutcome)
_CHUNK = 256
"""So many splitters of one OLT hold leases ahead of their turn; a crash leaves no more than these to be settled."""


class Dispatching(Settling):
    """The second stage: 端口激活."""

    def dispatch(
        self,
        project: str,
        keys: Iterable[SplitterKey] | None = None,
        *,
        onus: Onus,
        mode: Mode = "measure",
        pool: str | None = None,
        hold: timedelta | None = None,
        actor: Actor,
        request_id: str | None = None,
    ) -> BatchOutcome:
        """Activate the selected splitters (all that wait if ``None``); in mode ``measure`` also test and revoke them.

        ``activate`` leaves each test ONU for the field test, wanted for ``hold`` (default: the workflow's); ``measure``
        runs registration, line test and proven removal in one go, with the waits overlapped. Each splitter has its own
        outcome, and one that fails stops no other. OLTs are worked on in parallel, each by one writer.

        A request id that is given again after a crash goes on with what is left, after ``resume`` has settled what was
        under way. Raises ``ConfigError`` before anything is done for keys, pools or test ONUs that do not exist, and
        ``RequestConflict``.
        """
        keys = None if keys is None else tuple(keys)
        seconds = (self.hold if hold is None else hold).total_seconds()
        devices = _named_onus(self.store, onus)
        body = [project, sorted_keys(keys), devices, mode, pool, seconds if mode == "activate" else None]
        with running(self.store, actor, request_id, name=f"dispatch.{mode}", body=body, answer=_BATCH) as request:
            if request.answer is not None:
                return request.answer
            jobs = self._jobs(project, keys, onus, pool, request_id)
            wanted = [job.row for job in jobs]
            olts = self._records({job.row.splitter.olt for job in jobs})
            stop = Event()
            by_row = {job.row.id: job for job in jobs}

            def on_one(name: str, rows: Sequence[StoredSplitter]) -> Iterable[ItemOutcome]:
                batch = Batch(
                    store=self.store,
                    olt=olts[name],
                    naming=self.naming,
                    actor=actor,
                    request_id=request_id,
                    mode=mode,
                    hold=timedelta(seconds=seconds),
                    stop=stop,
                )
                return self._on_olt(batch, [by_row[row.id] for row in rows])

            done = {each.splitter: each for each in self._each_olt(by_olt(wanted), on_one, stop=stop)}
            items = tuple(done[row.key] for row in wanted)
            return request.finish(BatchOutcome(action=mode, project=project, items=items))

    def _jobs(
        self, project: str, keys: Sequence[SplitterKey] | None, onus: Onus, pool: str | None, request_id: str | None
    ) -> list[Job]:
        """Find what an order for each splitter needs; ``ConfigError`` for what is missing, before anything is done."""
        with self.store.read() as connection:
            known = pools(connection)
            rows = waiting_rows(connection, project) if keys is None else splitters_of(connection, project, keys)
            if keys is None and request_id is not None:
                rows = _begun_or_waiting(connection, project, rows, request_id)
            ports = ports_of(connection, {row.splitter.olt for row in rows})
        jobs = []
        for row in rows:
            port = ports[row.splitter.olt, str(row.splitter.port)]
            drawn_from = choose_pool(known, pool, row.splitter, port.svlan)
            jobs.append(Job(row, port, drawn_from, auth_for(onus, row.splitter)))
        return jobs

    # ------------------------------------------------------------------ one OLT

    def _on_olt(self, batch: Batch, jobs: Sequence[Job]) -> list[ItemOutcome]:
        recorder = Recorder(batch)
        try:
            with self._writing(batch.olt.name), self._listening(batch.olt, recorder) as olt:
                left = [job for job in jobs if not self._done_before(olt, batch, job)]
                try:
                    self._work(olt, batch, recorder, left)
                except StoreError:
                    raise
                except PonprobeError as exc:
                    self._settle_begun(olt, batch, recorder, left, exc)
                    raise
        except PonprobeError as exc:
            # what could not be settled here is resume's; what had not begun is said to have failed, with the reason
            log.warning("%s: the batch ended early: %s", batch.olt.name, exc)
            for job in jobs:
                if job.outcome is None:
                    self._ended_early(recorder, job, exc)
        return [job.outcome or outcome_of(job.row, self._now(job.row)) for job in jobs]

    def _settle_begun(
        self, olt: Olt, batch: Batch, recorder: Recorder, jobs: Sequence[Job], exc: PonprobeError
    ) -> None:
        """The batch has ended early and has taken away what was live: prove it once more, and record how each ended."""
        begun = []
        for job in jobs:
            now = self._now(job.row)
            if job.outcome is not None or not now.state.live:
                continue
            if now.state is ActivationState.ACTIVATING and now.run_id is None:
                # a run is recorded before its first byte: nothing was sent for this one
                recorder.never_registered(job, failure_of(exc, "nothing_done"))
            else:
                begun.append(job)
        ended = self._take_all(olt, [job.row for job in begun], batch.actor, batch.request_id)
        for job, outcome in zip(begun, ended, strict=True):
            cut_short = None if outcome.state.live else failure_of(exc, "rolled_back")
            job.outcome = outcome if cut_short is None else outcome.model_copy(update={"failure": cut_short})

    def _ended_early(self, recorder: Recorder, job: Job, exc: PonprobeError) -> None:
        now = self._now(job.row)
        if not now.state.live:
            recorder.refuse(job, exc)
            return
        job.outcome = outcome_of(job.row, now).model_copy(update={"failure": failure_of(exc, "unknown")})

    def _done_before(self, olt: Olt, batch: Batch, job: Job) -> bool:
        """Whether this very request has finished the job already; what it had under way when it died is settled."""
        if batch.request_id is None:
            return False
        now = self._now(job.row)
        if now.request_id != batch.request_id:
            return False
        if now.state.live and not (now.state is ActivationState.ACTIVATED and now.hold_until is not None):
            settled = self._take_away(olt, job.row, batch.actor, batch.request_id)
            now = self._now(job.row)
            job.outcome = settled if now.state.live else None
        if now.done:
            with self.store.read() as connection:
                rounds = [each for each in rounds_of(connection, job.row.id) if each.run_id == now.run_id]
            tested = rounds[-1] if rounds else None
            job.outcome = outcome_of(job.row, now, tested).model_copy(update={"already": True})
        return job.outcome is not None

    @contextmanager
    def _listening(self, record: OltRecord, recorder: Recorder) -> Iterator[Olt]:
        """Hold an OLT whose runs are recorded; whoever listened to it before hears on."""
        with self._connect(record) as olt:
            before = olt.on_event

            def hear(event: RunEvent) -> None:
                recorder.on_event(event)
                if before is not None:
                    before(event)

            olt.on_event = hear
            try:
                yield olt
            finally:
                olt.on_event = before

    def _work(self, olt: Olt, batch: Batch, recorder: Recorder, jobs: Sequence[Job]) -> None:
        self._avoid_customers(olt, jobs)
        left = list(jobs)
        while left:
            batch.go_on()
            turn, left = left[:_CHUNK], left[_CHUNK:]
            waiting = recorder.begin(turn)
            ready = [job for job in turn if job.order is not None and job.outcome is None]
            if waiting and not ready:
                _give_up(recorder, waiting)
                continue
            self._run(olt, batch, recorder, ready)
            if batch.mode == "measure":
                left = [*waiting, *left]
                continue
            # their CVLANs stay in use: waiting would not help
            _give_up(recorder, waiting)

    def _avoid_customers(self, olt: Olt, jobs: Sequence[Job]) -> None:
        """Read what is in use on each port; where the device does not tell, the session refuses what is in the way."""
        used: dict[PonPort, set[tuple[int | None, int | None]]] = {}
        for port in dict.fromkeys(job.row.splitter.port for job in jobs):
            used[port] = set()
            # a port that cannot be asked is the registration's to complain about; a road that is closed is no port
            with self._but_the_road():
                for service in olt.service_ports(port):
                    used[port] |= {(service.svlan, service.cvlan), (service.svlan, service.inner_vlan)}
        for job in jobs:
            job.avoid |= {
                cvlan for svlan, cvlan in used[job.row.splitter.port] if cvlan is not None and svlan == job.port.svlan
            }

    @staticmethod
    @contextmanager
    def _but_the_road() -> Iterator[None]:
        try:
            yield
        except TransportError:
            raise
        except PonprobeError as exc:
            log.warning("whose CVLANs are in use was not told: %s", exc)

    def _run(self, olt: Olt, batch: Batch, recorder: Recorder, jobs: Sequence[Job]) -> None:
        """Run jobs, and again those whose CVLAN turned out to be a customer's, with the next one."""
        while jobs:
            turn, again = list(jobs), list[Job]()

            def on_item(item: BatchItem, turn: list[Job] = turn, again: list[Job] = again) -> None:
                job = turn[item.index]
                if item.error_class == "VlanInUse" and item.after_change is None and item.onu is None:
                    if recorder.clash(job, item):
                        again.append(job)
                    return
                compared = item.result.comparisons if item.result is not None else ()
                recorder.close(job, item, plant_findings(compared))
                batch.go_on()

            plants = {(job.row.splitter.port, job.row.splitter.name): _plant(job.row.splitter) for job in turn}
            orders = [job.order for job in turn if job.order is not None]
            if batch.mode == "activate":
                _activate(olt, orders, on_item)
            else:
                self._runner(
                    olt,
                    orders,
                    thresholds=self.thresholds,
                    samples=self.samples,
                    online_timeout_s=self.online_timeout_s,
                    on_item=on_item,
                    plant_of=partial(_plant_of, plants),
                )
            jobs = again


def _plant_of(plants: Mapping[tuple[PonPort, str], Plant | None], order: ActivationOrder) -> Plant | None:
    return plants.get((order.port, order.splitter or ""))


def _plant(splitter: Splitter) -> Plant | None:
    """What the engineering data say about the way to a splitter, where they say enough for an expected loss."""
    if splitter.stages is None:
        return None
    if splitter.distance_km is None:
        return splitter.stages
    return PlantRecord(stages=splitter.stages, record_km=splitter.distance_km, connectors=splitter.connectors)


def _activate(olt: Olt, orders: Sequence[ActivationOrder], on_item: Callable[[BatchItem], None]) -> None:
    """Register test ONUs and leave them; no waiting, as nobody has plugged one in yet."""
    for index, order in enumerate(orders):
        try:
            with olt.activate(order) as onu:
                onu.keep()
        except PonprobeError as exc:
            after = exc.after_change
            item = BatchItem(
                index=index,
                order=order,
                phase="register",
                error_class=type(exc).__name__,
                error=exc.message,
                hint=exc.hint,
                after_change=None if after is None else "rolled_back" if after == "rolled_back" else "residue",
                at=_now(),
            )
        else:
            item = BatchItem(index=index, order=order, run_id=onu.run_id, onu=onu.ref, kept=True, at=_now())
        on_item(item)


def _give_up(recorder: Recorder, waiting: Sequence[Job]) -> None:
    """Nothing will become free: say of each which pool has nothing for it, and who holds it."""
    for job in waiting:
        if job.exhausted is not None:
            recorder.refuse(job, job.exhausted)


def _begun_or_waiting(
    connection: sa.Connection, project: str, waiting: Sequence[StoredSplitter], request_id: str
) -> tuple[StoredSplitter, ...]:
    """What a request that was cut short had begun, and what it had not."""
    rows = splitters_of(connection, project)
    known = activations_of(connection, [row.id for row in rows])
    numbers = {row.id for row in waiting}
    begun = {number for number, now in known.items() if now.request_id == request_id}
    return tuple(row for row in rows if row.id in numbers | begun)


def _named_onus(store: Store, onus: Onus) -> Any:
    """Name the test ONUs that a request names, without their secrets; a rule cannot be named."""
    if isinstance(onus, OnuAuth):
        return identity_of(store, onus)
    if isinstance(onus, Mapping):
        return sorted([*key, identity_of(store, auth)] for key, auth in onus.items())
    return None


def _now() -> datetime:
    return datetime.now(timezone.utc)
