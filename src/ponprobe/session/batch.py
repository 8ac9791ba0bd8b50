"""Many splitters of one OLT at once: register all, wait once, read whole ports, judge each, revoke all.

Nearly all of a measurement's time is one ONU's ranging, so the waits are overlapped. Safety does not change: each test
ONU is a run of its own, registered by ``Olt.activate`` (journalled with its undo before its first byte, read back,
rolled back with proof) and taken away by ``TestOnu.revoke`` (guarded, proven). What a batch shares is questions only.

Each order looks at the device for itself before it is registered. Asking once for all what registering does not change
(profiles, VLANs, waiting ONUs) was measured to save a seventh of the lines on Huawei and a twentieth on ZTE, which is
little beside the ranging and not worth an older answer.
The phases are one class, and long, because every way out of each of them must know who is live.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from ponprobe.errors import (
    AuthError,
    ConnectError,
    HostKeyError,
    LeaseConflict,
    PonprobeError,
    RevokeError,
    TransportError,
)
from ponprobe.evaluate import CONSTRUCTION
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.batch import BatchItem, BatchPhase, BatchResult
from ponprobe.models.device import MacEntry, OnuState
from ponprobe.models.judgement import Finding, JudgeOptions, ThresholdSet, Verdict
from ponprobe.models.optical import OpticalReading
from ponprobe.models.plant import PlantComparison
from ponprobe.models.run import MeasureResult
from ponprobe.session.batch_access import BatchAccess
from ponprobe.session.diagnosis import service_seen
from ponprobe.session.judging import Plant, compared, judged
from ponprobe.session.test_onu import mark_after_change
from ponprobe.session.waves import refuse_twins, waves

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt
    from ponprobe.session.test_onu import TestOnu

__all__ = ["AT_ONCE", "BatchItem", "BatchResult", "measure_batch", "waves"]

log = logging.getLogger(__name__)

AT_ONCE = 64
"""How many test ONUs of a batch are on the OLT at once, unless the caller says otherwise."""
_FIRST_PAUSE_S, _PAUSE_GROWS, _LONGEST_PAUSE_S = 0.1, 1.6, 5.0
"""How long between two looks at the ONUs that are not online yet: the same steps as ``TestOnu.wait_online``."""
_CROWD = 4
"""A whole port is read where at least one in so many of its ONUs that are online is to be measured: for such an answer
the device asks every ONU of the port by OMCI, customers' too, and that is what takes its time."""
_CLOSED = (ConnectError, AuthError, HostKeyError, LeaseConflict)
"""What will not be better for the next order; trying on would knock at a closed door, or lock the user out."""
_FOR_A_PERSON = (AuthError, HostKeyError)
"""What must not be tried again even for a removal: a person has to look first."""
_LOST_IN_A_ROW = 3
"""So many orders or removals after each other that end with a lost road are a closed door, too."""


def measure_batch(
    olt: Olt,
    orders: Iterable[ActivationOrder],
    *,
    thresholds: ThresholdSet | None = None,
    samples: int | None = None,
    online_timeout_s: float | None = None,
    keep: bool = False,
    on_item: Callable[[BatchItem], None] | None = None,
    at_once: int = AT_ONCE,
    judging: JudgeOptions | None = None,
    plant_of: Callable[[ActivationOrder], Plant | None] | None = None,
) -> BatchResult:
    """Measure many splitters of one OLT, each with a test ONU of its own that is plugged in already.

    Defaults are those of ``Olt.measure``; ``online_timeout_s`` (seconds) runs for each ONU from its registration, and
    ends with a last look. At most ``at_once`` test ONUs are on the OLT at a time; more orders follow as those are done.
    Whoever is online is read, judged and revoked while others still range, so that one that never comes up delays
    nobody else.

    ``on_item`` gets each ``BatchItem`` as soon as its removal is proven, in that order, which is not the order of the
    orders; what could not be registered comes first. It is called in this thread, between two removals, so it should be
    quick; with it nothing is collected, and memory does not grow with the batch.

    An order that fails does not stop the others, nor does a removal that fails. If the road to the OLT is closed (no
    connection, login refused, host key changed, another writer that does not end), the orders that have not begun are
    reported as not tried. Whatever ends the batch early (Ctrl-C, an ``on_item`` that raises), every test ONU is revoked
    first; the exception's ``after_change`` and its note say whether something is left, and ``recover`` finishes that.
    ``keep`` leaves every ONU that was measured for a re-test. ``judging`` is how to judge all of them, ``plant_of``
    tells the recorded plant of one, as ``Olt.measure`` takes them.

    Raises ``ConfigError`` before anything is sent if one test ONU is in two orders: see ``waves``. Raises
    ``TransportError`` and ``ParseError`` if not even the OLT's model could be asked; nothing has been changed then.
    """
    wanted = tuple(orders)
    if at_once < 1:
        raise ValueError(f"{at_once} test ONUs at once: at least one is needed to measure anything")
    refuse_twins(wanted)
    batch = _Batch(
        olt,
        thresholds or CONSTRUCTION,
        samples or olt.settings.samples,
        online_timeout_s or olt.settings.online_timeout_s,
        keep=keep,
        on_item=on_item,
        judging=judging or JudgeOptions(),
        plant_of=plant_of or (lambda _: None),
    )
    return batch.run(wanted, at_once)


@dataclass(slots=True, eq=False)
class _Live:
    """A test ONU that is on the OLT, and what is known of it so far."""

    index: int
    order: ActivationOrder
    onu: TestOnu
    started: datetime
    registered: datetime
    deadline: float
    online_after_s: float | None = None
    readings: list[OpticalReading] = field(default_factory=list)
    verdict: Verdict | None = None
    comparisons: tuple[PlantComparison, ...] = ()
    macs: tuple[MacEntry, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    phase: BatchPhase | None = None
    error: PonprobeError | None = None
    left: bool = False
    """Whether it could not be proven that the ONU is gone."""

    @property
    def online(self) -> bool:
        return self.online_after_s is not None


class _Batch:
    def __init__(
        self,
        olt: Olt,
        thresholds: ThresholdSet,
        samples: int,
        online_timeout_s: float,
        *,
        keep: bool,
        on_item: Callable[[BatchItem], None] | None,
        judging: JudgeOptions,
        plant_of: Callable[[ActivationOrder], Plant | None],
    ) -> None:
        self._id = secrets.token_hex(6)
        self._olt = olt
        self._access = BatchAccess(olt, self._id)
        self._thresholds = thresholds
        self._samples = samples
        self._timeout_s = online_timeout_s
        self._keep = keep
        self._on_item = on_item
        self._judging = judging
        self._plant_of = plant_of
        self._live: list[_Live] = []
        self._items: list[BatchItem] = []
        self._measured = self._failed = 0
        self._left: list[str] = []
        self._kept: list[str] = []
        self._lost_orders = self._lost_removals = 0
        self._closed: PonprobeError | None = None
        self._changed = False
        self._crowd: dict[PonPort, int] = {}

    def run(self, orders: Sequence[ActivationOrder], at_once: int) -> BatchResult:
        started = _now()
        self._access.facts()  # an OLT that cannot be reached refuses the batch, not each of its orders
        try:
            self._work(deque(enumerate(orders)), at_once)
        except BaseException as error:
            self._abandon(error)
            raise
        return BatchResult(
            batch_id=self._id,
            olt=self._olt.name,
            host=self._olt.host,
            orders=len(orders),
            measured=self._measured,
            failed=self._failed,
            left=tuple(self._left),
            kept=tuple(self._kept),
            items=tuple(sorted(self._items, key=lambda item: item.index)),
            lines_sent=self._access.lines_sent,
            started_at=started,
            finished_at=_now(),
        )

    def _work(self, orders: deque[tuple[int, ActivationOrder]], at_once: int) -> None:
        """Register while there is room, look at all that range, and finish those that are up when no more come."""
        ready: list[_Live] = []
        pause = _FIRST_PAUSE_S
        while orders or self._live:
            if orders and len(self._live) <= at_once // 2:
                self._register(orders, at_once)
                pause = _FIRST_PAUSE_S
            waiting = [live for live in self._live if live not in ready]
            came = self._look(waiting)
            ready += came
            still = len(waiting) - len(came)
            if ready and not (came and still):
                self._finish(ready)
                ready = []
            elif still:
                # no OLT tells anybody that an ONU is up: asking again, ever less often, is the only way
                soonest = min(live.deadline for live in waiting if live not in came) - time.monotonic()
                time.sleep(min(pause, max(soonest, 0.0)))
                pause = min(pause * _PAUSE_GROWS, _LONGEST_PAUSE_S)

    def _try(self, live: _Live, phase: BatchPhase, act: Callable[[_Live], None], *, anyway: bool = False) -> None:
        """Do something for one ONU: its failure is its own, and ends what is done for it, save ``anyway``."""
        if live.error is not None and not anyway:
            return
        try:
            with self._access.speaking_of(live.onu.run_id, live.order):
                act(live)
        except PonprobeError as exc:
            if isinstance(exc, _FOR_A_PERSON):
                self._closed = exc
            if live.error is None:
                live.error, live.phase = exc, phase
            else:
                log.warning("%s: %s, after an earlier failure: %s", self._olt.host, live.onu.ref, exc)

    # ------------------------------------------------------------------ registering

    def _register(self, orders: deque[tuple[int, ActivationOrder]], at_once: int) -> None:
        while orders and (self._closed is not None or len(self._live) < at_once):
            index, order = orders.popleft()
            if self._closed is not None:
                self._give(_not_tried(index, order, self._closed))
                continue
            started = _now()
            try:
                onu = self._access.activate(order)
            except PonprobeError as exc:
                self._lost_orders = self._lost_orders + 1 if isinstance(exc, TransportError) else 0
                if isinstance(exc, _CLOSED) or self._lost_orders >= _LOST_IN_A_ROW:
                    self._closed = exc
                self._changed |= exc.after_change is not None
                self._access.forget(self._access.last_run, clean=exc.after_change != "residue")
                self._give(_not_registered(index, order, exc, self._access.last_run))
            else:
                self._lost_orders, self._changed = 0, True
                self._live.append(_Live(index, order, onu, started, _now(), time.monotonic() + self._timeout_s))

    # ------------------------------------------------------------------ waiting

    def _look(self, waiting: Sequence[_Live]) -> list[_Live]:
        """Those of ``waiting`` that are online, out of time, or lost: one question for each port tells."""
        came = []
        for port, lives in _by_port(waiting).items():
            # a single one's own page says as much as the whole table
            table = self._table(port, lives) if len(lives) > 1 else {}
            for live in lives:
                row = table.get(live.onu.ref)
                late = time.monotonic() >= live.deadline
                if row is None or row.online or late or not _may_be(row, live.order):
                    # up, gone, a stranger's, out of time, or not told: its own page decides, which shows our mark
                    self._try(live, "online", self._see)
                if live.online or late or live.error is not None:
                    came.append(live)
        return came

    def _see(self, live: _Live) -> None:
        if live.onu.refresh().online:
            live.online_after_s = (_now() - live.registered).total_seconds()
            self._access.came_online(live.onu)

    def _table(self, port: PonPort, lives: Sequence[_Live]) -> dict[OnuRef, OnuState]:
        """Every ONU of a port; nothing if the device does not tell. A lost road is a failure of all that wait there."""
        try:
            rows = self._access.states(port)
        except TransportError as exc:
            for live in lives:
                live.error, live.phase = exc, "online"
            return {}
        except PonprobeError as exc:
            log.warning("%s: the ONUs of %s are asked one by one: %s", self._olt.host, port, exc)
            return {}
        self._crowd[port] = sum(row.online for row in rows)
        return {row.onu: row for row in rows if row.onu is not None}

    # ------------------------------------------------------------------ reading and judging

    def _finish(self, ready: Sequence[_Live]) -> None:
        for port, lives in _by_port(ready).items():
            self._read(port, [live for live in lives if live.error is None])
        for live in ready:
            self._try(live, "read", self._judge)
        for live in ready:
            self._end(live)

    def _read(self, port: PonPort, lives: Sequence[_Live]) -> None:
        online = [live for live in lives if live.online]
        whole = len(online) > 1 and len(online) * _CROWD >= self._crowd.get(port, 0)
        for _ in range(self._samples):
            rows = self._rows(port) if whole else {}
            whole = bool(rows)
            for live in online:
                self._try(live, "read", partial(self._sample, row=rows.get(live.onu.ref)))
        for live in lives:
            if not live.online:
                self._try(live, "read", self._sample)

    def _sample(self, live: _Live, row: OpticalReading | None = None) -> None:
        """Take an ONU's row of a whole port, or read it alone."""
        if row is None:
            row = live.onu.optical()
        else:
            self._access.emit("sample", row.model_dump(mode="json"))
        live.readings.append(row)

    def _rows(self, port: PonPort) -> dict[OnuRef, OpticalReading]:
        try:
            return {reading.onu: reading for reading in self._olt.optical_port(port)}
        except PonprobeError as exc:
            log.warning("%s: the ONUs of %s are read one by one: %s", self._olt.host, port, exc)
            return {}

    def _judge(self, live: _Live) -> None:
        live.verdict = judged(
            live.readings,
            self._thresholds,
            self._judging,
            platform=self._olt.platform,
            serial=live.order.auth.serial,
            plant=(plant := self._plant_of(live.order)),
            at=_now(),
        )
        live.comparisons = compared(live.verdict, plant, live.onu.state)
        self._access.emit("verdict", live.verdict.model_dump(mode="json"))
        if live.online and live.order.service_model != "none":
            live.macs, unseen = service_seen(live.onu)
            live.findings += unseen

    # ------------------------------------------------------------------ the end

    def _end(self, live: _Live) -> None:
        if self._keep and live.error is None:
            self._try(live, "revoke", lambda live: live.onu.keep())
        else:
            self._try(live, "revoke", self._revoke, anyway=True)
        if not live.online:
            # after the removal: what is registered nowhere shows up among those that wait, on its true port
            self._try(live, "read", self._explain)
        self._live.remove(live)
        item = self._item(live)
        if item.result is not None and item.result.verdict is not None:
            with self._access.speaking_of(live.onu.run_id, live.order):
                self._access.emit("finished", {"outcome": str(item.result.verdict.outcome), "clean": item.clean})
        self._access.forget(live.onu.run_id, clean=item.clean)
        self._give(item)

    def _revoke(self, live: _Live) -> None:
        """Take one away. After a removal that found no road, the next get one attempt each, and then none."""
        live.left = True
        if isinstance(self._closed, _FOR_A_PERSON) or self._lost_removals >= _LOST_IN_A_ROW:
            self._access.give_up(live.onu)
            raise RevokeError(f"{self._olt.host}: {live.onu.ref} was not removed, as the road to the OLT is closed")
        try:
            self._access.revoke(live.onu, patient=self._lost_removals == 0)
        except TransportError as exc:
            self._lost_removals += 1
            self._closed = exc if isinstance(exc, _CLOSED) else self._closed
            raise
        self._lost_removals = 0
        live.left = False

    def _explain(self, live: _Live) -> None:
        live.findings.append(self._access.why_offline(live.order, live.onu.state))

    def _item(self, live: _Live) -> BatchItem:
        onu = live.onu
        return BatchItem(
            index=live.index,
            order=live.order,
            run_id=onu.run_id,
            onu=onu.ref,
            result=None if live.verdict is None else self._result(live, live.verdict),
            phase=live.phase,
            **_told(live.error, live.onu.run_id if live.left else None),
            after_change=None if live.error is None else "residue" if live.left else "rolled_back",
            removal=onu.removal,
            kept=onu.kept,
            at=_now(),
        )

    def _result(self, live: _Live, verdict: Verdict) -> MeasureResult:
        onu = live.onu
        return MeasureResult(
            run_id=onu.run_id,
            olt=self._olt.name,
            host=self._olt.host,
            facts=self._access.facts(),
            order=live.order,
            onu=onu.ref,
            state=onu.state,
            readings=tuple(live.readings),
            verdict=verdict,
            macs=live.macs,
            comparisons=live.comparisons,
            removal=onu.removal,
            findings=tuple(live.findings),
            started_at=live.started,
            finished_at=_now(),
            online_after_s=live.online_after_s,
            lines_sent=self._access.lines_of(onu.run_id),
        )

    def _give(self, item: BatchItem) -> None:
        self._measured += item.measured
        self._failed += not item.measured
        if not item.clean and item.run_id is not None:
            self._left.append(item.run_id)
            self._kept += [item.run_id] if item.kept else []
        if self._on_item is None:
            self._items.append(item)
        else:
            self._on_item(item)

    def _abandon(self, error: BaseException) -> None:
        """On the way out: revoke all that is live, and say on the exception whether something is left."""
        try:
            while self._live:
                self._try(self._live[0], "revoke", self._revoke, anyway=True)
                self._live.pop(0)
        except BaseException as again:
            error = again  # that is the one which whoever called will see
            raise
        finally:
            for live in self._live:  # cut short once more: the runs stay open, and nobody holds them any longer
                self._access.give_up(live.onu)
            left = self._access.unfinished(but=self._kept)
            if left:
                log.error("%s: the batch was cut short; runs that may be left: %s", self._olt.host, ", ".join(left))
                mark_after_change(error, "residue", f"runs that may be left: {', '.join(left)} (ponprobe recover)")
            elif self._changed:
                kept = f", but for those that were kept on purpose: {', '.join(self._kept)}" if self._kept else ""
                mark_after_change(error, "rolled_back", f"every test ONU of the batch was revoked{kept}")


def _not_registered(index: int, order: ActivationOrder, exc: PonprobeError, run_id: str) -> BatchItem:
    after = exc.after_change
    return BatchItem(
        index=index,
        order=order,
        run_id=None if after is None else run_id,
        phase="register",
        **_told(exc, run_id if after == "residue" else None),
        after_change=None if after is None else "rolled_back" if after == "rolled_back" else "residue",
        at=_now(),
    )


def _not_tried(index: int, order: ActivationOrder, why: PonprobeError) -> BatchItem:
    told = {**_told(why), "error": f"not tried, as an earlier order found the road closed: {why.message}"}
    return BatchItem(index=index, order=order, phase="register", **told, at=_now())


def _told(error: PonprobeError | None, left: str | None = None) -> dict[str, str | None]:
    if error is None:
        return {}
    hints = [error.hint, f"its test ONU may be left: ponprobe recover (run {left})" if left else None]
    hint = "; ".join(filter(None, hints)) or None
    return {"error_class": type(error).__name__, "error": error.message, "hint": hint}


def _by_port(lives: Iterable[_Live]) -> dict[PonPort, list[_Live]]:
    found: dict[PonPort, list[_Live]] = defaultdict(list)
    for live in lives:
        found[live.order.port].append(live)
    return found


def _may_be(row: OnuState, order: ActivationOrder) -> bool:
    """Whether a row of a table does not speak against being our test ONU."""
    serial = order.auth.serial
    return serial is None or row.serial is None or row.serial == serial


def _now() -> datetime:
    return datetime.now(timezone.utc)
