"""What every part of the process works with: the store, the road to OLTs, the journal, and the rules in force."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from ponprobe import config
from ponprobe.connect import connect as connect_to
from ponprobe.connect import journal_at
from ponprobe.errors import ConfigError, PonprobeError
from ponprobe.models._base import Value
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.batch import BatchItem, BatchResult
from ponprobe.models.engineering import (
    Actor,
    EvidenceKind,
    Failure,
    OltRecord,
    RollbackOutcome,
    SplitterKey,
)
from ponprobe.models.judgement import ThresholdSet
from ponprobe.session.batch import measure_batch
from ponprobe.session.judging import Plant
from ponprobe.store.database import Change, Store
from ponprobe.store.projects import StoredSplitter, all_olts, splitters_of
from ponprobe.store.requests import once
from ponprobe.workflow.naming import OnuNaming, default_naming

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt
    from ponprobe.store.journal import Journal

log = logging.getLogger(__name__)
T = TypeVar("T")
S = TypeVar("S")

Connect: TypeAlias = "Callable[[OltRecord], Olt]"
SYSTEM = Actor(name="ponprobe", role="system")
"""Who acts where nobody in particular does: recovery, expiry."""


class BatchRunner(Protocol):
    """How many splitters of one OLT are measured; ``ponprobe.session.batch.measure_batch`` is one.

    ``on_item`` gets each order's result once its removal is proven, or once it has failed. The runner registers by
    ``Olt.activate``, so that the OLT's ``on_event`` hears of each run before its first change.
    """

    def __call__(
        self,
        olt: Olt,
        orders: Iterable[ActivationOrder],
        *,
        thresholds: ThresholdSet | None = None,
        samples: int | None = None,
        online_timeout_s: float | None = None,
        on_item: Callable[[BatchItem], None] | None = None,
        plant_of: Callable[[ActivationOrder], Plant | None] | None = None,
    ) -> BatchResult:
        """Measure them all."""


class AcceptanceRules(Value):
    """What every splitter needs before its project is accepted, beside a passed line test and a clean OLT."""

    service_test: bool = True
    evidence: tuple[EvidenceKind, ...] = ("position", "result")


def connect_by_inventory(record: OltRecord) -> Olt:
    """Connect to an OLT of the engineering data by the inventory entry of its name, else of its management address."""
    known = config.load().olts
    return connect_to(record.name if record.name in known else record.host)


class Process:
    """The parts' common ground; use ``ponprobe.workflow.process.Workflow``."""

    def __init__(
        self,
        store: Store,
        *,
        connect: Connect = connect_by_inventory,
        journal: Callable[[], Journal] | None = None,
        thresholds: ThresholdSet | None = None,
        runner: BatchRunner = measure_batch,
        naming: OnuNaming = default_naming,
        rules: AcceptanceRules | None = None,
        samples: int | None = None,
        online_timeout_s: float | None = None,
        parallel: int = 8,
        writer_wait_s: float = 60.0,
        hold: timedelta = timedelta(days=3),
    ) -> None:
        self.store = store
        self.thresholds = thresholds
        self.rules = rules or AcceptanceRules()
        self.naming = naming
        self.samples = samples
        self.online_timeout_s = online_timeout_s
        self.hold = hold
        self._connect = connect
        self._journal = journal or (lambda: journal_at(config.load().settings.journal))
        self._runner = runner
        self._parallel = parallel
        self._writer_wait_s = writer_wait_s

    # ------------------------------------------------------------------ requests and transactions

    def _once(
        self,
        actor: Actor,
        request_id: str | None,
        name: str,
        body: Any,
        *,
        answer: Any,
        work: Callable[[Change], Any],
    ) -> Any:
        return once(self.store, actor, request_id, name=name, body=body, answer=_adapter(answer), work=work)

    def _rows(self, project: str, keys: Iterable[SplitterKey] | None = None) -> tuple[StoredSplitter, ...]:
        with self.store.read() as connection:
            return splitters_of(connection, project, keys)

    @staticmethod
    def _row(connection: sa.Connection, project: str, key: SplitterKey) -> StoredSplitter:
        return splitters_of(connection, project, [key])[0]

    # ------------------------------------------------------------------ OLTs

    @contextmanager
    def _writing(self, olt: str) -> Iterator[None]:
        """Be the one writer of an OLT, over all processes that share the store."""
        busy = f"another process is working on OLT {olt}"
        with self.store.locks.hold(f"olt {olt}", timeout_s=self._writer_wait_s, busy=busy):
            yield

    def _records(self, names: Iterable[str]) -> dict[str, OltRecord]:
        with self.store.read() as connection:
            known = all_olts(connection)
        missing = sorted(set(names) - known.keys())
        if missing:
            raise ConfigError(f"OLT {', '.join(missing)} is not in the store", hint="import its engineering data")
        return {name: known[name] for name in names}

    def _each_olt(
        self,
        work: Mapping[str, Sequence[S]],
        do: Callable[[str, Sequence[S]], Iterable[T]],
        *,
        stop: Event | None = None,
    ) -> list[T]:
        """Do the work of each OLT in a thread of its own; a bug in one surfaces when all have ended.

        Interrupted (Ctrl-C), ``stop`` is set and what has not begun is left; it ends when every thread has cleaned up.
        """
        if not work:
            return []
        found: list[T] = []
        with ThreadPoolExecutor(max_workers=min(self._parallel, len(work)), thread_name_prefix="olt") as crew:
            running = [crew.submit(do, olt, items) for olt, items in work.items()]
            try:
                for each in running:
                    found.extend(each.result())
            except BaseException:
                if stop is not None:
                    stop.set()
                for each in running:
                    each.cancel()
                raise
        return found


def _adapter(answer: Any) -> TypeAdapter[Any]:
    return answer if isinstance(answer, TypeAdapter) else TypeAdapter(answer)


def failure_of(error: PonprobeError, rollback: RollbackOutcome) -> Failure:
    """Tell an error as the process keeps it; what a removal left is named."""
    residue = tuple(getattr(error, "left", ())) if rollback in {"residue", "unknown"} else ()
    return Failure(
        error_class=type(error).__name__, message=error.message, hint=error.hint, rollback=rollback, residue=residue
    )


def sorted_keys(keys: Iterable[SplitterKey] | None) -> list[list[str]] | None:
    """Name the splitters of a request, in whatever order they were given."""
    return None if keys is None else sorted(list(SplitterKey(*key)) for key in set(map(tuple, keys)))


def by_olt(rows: Iterable[StoredSplitter]) -> dict[str, list[StoredSplitter]]:
    """Group splitters by OLT, in their order."""
    found: dict[str, list[StoredSplitter]] = {}
    for row in rows:
        found.setdefault(row.splitter.olt, []).append(row)
    return found
