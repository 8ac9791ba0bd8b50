"""What a batch of measurements on one OLT gives: one item for each order, and the batch at its end."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime

from ponprobe.models._base import Value
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuRef
from ponprobe.models.run import MeasureResult, Removal

BatchPhase: TypeAlias = Literal["register", "online", "read", "revoke"]


class BatchItem(Value):
    """What became of one order of a batch.

    ``index`` is its place among the orders, from 0. ``result`` is there as soon as there is a verdict; its
    ``lines_sent`` counts the lines of this order alone, not the questions that it shared, and ``online_after_s``
    (seconds) runs from the registration to the look that first saw the ONU online. ``error_class``, ``error`` and
    ``hint`` say what went wrong in ``phase``; then ``after_change`` is ``None`` (nothing had been changed),
    ``rolled_back`` (all taken back, with proof) or ``residue`` (something may be left: ``run_id`` names it for
    ``recover``).
    """

    index: int
    order: ActivationOrder
    run_id: str | None = None
    onu: OnuRef | None = None
    result: MeasureResult | None = None
    phase: BatchPhase | None = None
    error_class: str | None = None
    error: str | None = None
    hint: str | None = None
    after_change: Literal["rolled_back", "residue"] | None = None
    removal: Removal | None = None
    kept: bool = False
    at: AwareDatetime

    @property
    def measured(self) -> bool:
        """Whether there is a verdict and nothing went wrong beside it."""
        return self.result is not None and self.error_class is None

    @property
    def clean(self) -> bool:
        """Whether the OLT is known to hold nothing of this order: it was read back, or nothing was ever sent."""
        if self.removal is not None:
            return self.removal.clean
        return not self.kept and self.after_change != "residue"


class BatchResult(Value):
    """A batch at its end.

    ``items`` stand in the order of the orders; empty where ``on_item`` took them. ``left`` names the runs that are
    still on the OLT, or may be; those among them that are there on purpose are in ``kept``. ``lines_sent`` counts every
    line of the batch on the command line.
    """

    batch_id: str
    olt: str
    host: str
    orders: int
    measured: int
    failed: int
    left: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    items: tuple[BatchItem, ...] = ()
    lines_sent: int
    started_at: AwareDatetime
    finished_at: AwareDatetime

    @property
    def clean(self) -> bool:
        """Whether the OLT was proven to hold nothing of this batch."""
        return not self.left
