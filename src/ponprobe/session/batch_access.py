"""What a batch needs of an ``Olt`` beyond its questions: whose turn it is, and how many lines each run has cost.

An ``Olt`` speaks of one run at a time. A batch has many, so it says which one each step is for: events carry that run's
id and go on counting where that run had stopped, and lines are counted for it. Between two runs the batch speaks for
itself, under an id of its own.
"""

# ruff: noqa: SLF001 - an Olt and its batch are one thing in two files

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.models.addressing import PonPort
    from ponprobe.models.device import OltFacts, OnuState
    from ponprobe.models.judgement import Finding
    from ponprobe.models.run import EventName
    from ponprobe.session.olt import Olt
    from ponprobe.session.test_onu import TestOnu


class BatchAccess:
    """One batch's hold on one ``Olt``. ``last_run`` is the run that was begun last."""

    def __init__(self, olt: Olt, batch_id: str) -> None:
        self.last_run = ""
        self._olt = olt
        self._id = batch_id
        self._first_line = olt._lines
        self._seqs: dict[str, int] = defaultdict(int)
        self._lines: dict[str, int] = defaultdict(int)
        self._begun: set[str] = set()
        self._speak(batch_id)

    # ------------------------------------------------------------------ the OLT

    def facts(self) -> OltFacts:
        """Model and version, asked once."""
        return self._olt._engine.facts()

    def states(self, port: PonPort) -> tuple[OnuState, ...]:
        """Every ONU of a port, on the road that registers: an agent's table may be older than the registration."""
        return self._olt._engine.look(lambda driver: driver.onus(port))

    def why_offline(self, order: ActivationOrder, state: OnuState) -> Finding:
        """Where else the ONU was seen, or what keeps it from coming up."""
        return self._olt._why_offline(order, state)

    @property
    def lines_sent(self) -> int:
        """Every line of the batch on the command line."""
        return self._olt._lines - self._first_line

    # ------------------------------------------------------------------ one run

    def activate(self, order: ActivationOrder) -> TestOnu:
        """Register one test ONU, exactly as a single measurement does."""
        olt, lines = self._olt, self._olt._lines
        self._seqs[self._id] = olt._seq
        try:
            return olt.activate(order)
        finally:
            self.last_run = olt._run_id
            self._begun.add(self.last_run)
            self._seqs[self.last_run] = olt._seq
            self._lines[self.last_run] += olt._lines - lines
            self._speak(self._id)

    @contextmanager
    def speaking_of(self, run_id: str, order: ActivationOrder) -> Iterator[None]:
        """Say that what follows is for this run."""
        olt, lines = self._olt, self._olt._lines
        self._seqs[self._id] = olt._seq
        self._speak(run_id, order)
        try:
            yield
        finally:
            self._seqs[run_id] = olt._seq
            self._lines[run_id] += olt._lines - lines
            self._speak(self._id)

    def _speak(self, run_id: str, order: ActivationOrder | None = None) -> None:
        olt = self._olt
        olt._run_id, olt._seq = run_id, self._seqs[run_id]
        olt._port, olt._splitter = (None, None) if order is None else (order.port, order.splitter)

    def forget(self, run_id: str, *, clean: bool) -> None:
        """A run has ended: memory does not grow with those that are clean."""
        self._seqs.pop(run_id, None)
        self._lines.pop(run_id, None)
        if clean:
            self._begun.discard(run_id)

    def lines_of(self, run_id: str) -> int:
        """The lines that one run has cost so far, without those that it shared."""
        return self._lines[run_id]

    def emit(self, event: EventName, data: dict[str, Any]) -> None:
        """Tell an event of the run that is being spoken of."""
        self._olt._emit(event, data=data)

    def came_online(self, onu: TestOnu) -> None:
        """Tell that an ONU is up, as ``TestOnu.wait_online`` does."""
        self.emit("online", {"distance_m": onu.state.distance_m, "config_state": onu.state.config_state})

    # ------------------------------------------------------------------ the end of a run

    def revoke(self, onu: TestOnu, *, patient: bool) -> None:
        """Take a test ONU away with proof; not ``patient``: one attempt, as the road has just been found closed."""
        if not patient:
            onu._removal_wait_s = 0.0
        onu.revoke()

    def give_up(self, onu: TestOnu) -> None:
        """Leave a run open in the journal, and free for whoever recovers it."""
        if not onu.kept:
            onu._changes.journal.release_run(onu.run_id, onu._lock)

    def unfinished(self, *, but: Collection[str]) -> tuple[str, ...]:
        """The runs of this batch that the journal does not call clean, except those in ``but``."""
        ours = self._begun - set(but)
        return tuple(run.run_id for run in self._olt._open_journal().unfinished(self._olt.name) if run.run_id in ours)
