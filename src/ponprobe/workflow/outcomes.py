"""What came of a batch of activations, tests or revokes: an outcome for each splitter."""

from __future__ import annotations

from typing import Literal

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef
from ponprobe.models.engineering import ActivationState, Failure, FaultKind, SplitterKey
from ponprobe.models.service import VlanStack


class ItemOutcome(Value):
    """What became of one splitter. ``failure`` tells class and rollback; ``line`` is the round's outcome."""

    splitter: SplitterKey
    state: ActivationState
    onu: OnuRef | None = None
    run_id: str | None = None
    vlans: VlanStack | None = None
    clashes: tuple[VlanStack, ...] = ()
    round: int | None = None
    line: str | None = None
    fault: FaultKind | None = None
    failure: Failure | None = None
    already: bool = False
    """Whether there was nothing to do, as it was so already."""

    @property
    def ok(self) -> bool:
        """Whether what was asked for was done."""
        return self.failure is None


class BatchOutcome(Value):
    """What became of every splitter of a batch, in the order of the engineering data."""

    action: Literal["activate", "measure", "test", "revoke", "resume"]
    project: str | None = None
    items: tuple[ItemOutcome, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all of it was done."""
        return all(item.ok for item in self.items)

    def of(self, key: SplitterKey) -> ItemOutcome:
        """The outcome of one splitter; ``KeyError`` if it was not in the batch."""
        for item in self.items:
            if item.splitter == SplitterKey(*key):
                return item
        raise KeyError(str(key))
