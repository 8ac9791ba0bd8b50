"""Work on many OLTs at once, as a command: heard while it happens, stopped on a signal, each splitter with its code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from ponprobe import errors
from ponprobe.app import outcome
from ponprobe.app.options import Road
from ponprobe.app.outcome import ExitCode, Interrupted
from ponprobe.app.progress import Phases
from ponprobe.app.project_options import Room, loaded_from, workflow_in
from ponprobe.store import refusals
from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.config import Config
    from ponprobe.models.engineering import Actor, OltRecord, SplitterKey
    from ponprobe.models.run import RunEvent
    from ponprobe.session.olt import Olt
    from ponprobe.workflow.process import Workflow

T = TypeVar("T")
_SAFETY = (
    errors.AlreadyExists,
    errors.WrongPort,
    errors.VlanInUse,
    errors.NotOurs,
    errors.LeaseConflict,
    errors.HostKeyError,
    errors.IllegalTransition,
    errors.ConfigError,
    refusals.NotReady,
)
"""What a splitter is refused for: by a rule, by its own state, or by its engineering data. Nothing was sent for it."""
_CLEAN_UP_WAIT_S = 5.0
"""How long the clean-up after a signal waits for an OLT that another process is working on."""


class Crew(Phases):
    """The OLTs of one command: connected to by its options, heard by its desk, and told to stop by its signals."""

    def __init__(self, desk: Desk, room: Room, what: str) -> None:
        super().__init__(desk.console, what)
        self.say(what)
        self._desk = desk
        self._room = room
        self._loaded: Config = loaded_from(room)
        self._about = what
        self._of = 0
        self._lock = Lock()
        self._open = ExitStack()
        self._seen: Counter[str] = Counter()
        self._stopped_by: Interrupted | None = None

    # ------------------------------------------------------------------ OLTs

    def connect(self, record: OltRecord) -> Olt:
        """Connect as the inventory says: by the name of the engineering data, else by the management address."""
        target = record.name if record.name in self._loaded.olts else record.host
        if self._stopped_by is not None:
            raise self._stopped_by
        with self._lock:
            olt = self._open.enter_context(self._desk.olt(target, Road(config=self._room.config)))
        olt.name = record.name  # the journal's name for it
        told = False

        def heard(event: RunEvent) -> None:
            nonlocal told
            with self._lock:
                self._desk.hear(event)
            # before a line is sent, and nowhere else: a session is prepared for an end there. And once for each OLT:
            # what follows is the clean-up, which must not be stopped
            if self._stopped_by is not None and event.event in {"planned", "command"} and not told:
                told = True
                raise self._stopped_by

        olt.on_event = heard
        return olt

    def check(self, records: Iterable[OltRecord]) -> None:
        """Find out, before anything is sent, that every OLT is in the inventory and every secret is there."""
        for record in records:
            with self.connect(record):
                pass

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Show what happens, and close every OLT at the end."""
        with self._open, self._desk.working(self):
            yield

    # ------------------------------------------------------------------ what people see

    def expect(self, splitters: int) -> None:
        """Say how many splitters there are to work on."""
        self._of = splitters

    def hear(self, event: RunEvent) -> None:
        """Count the steps of all runs; a line of one of them would flicker."""
        if event.event == "command":
            self._progress.update(self._task, line="")
            return
        self._seen[event.event] += 1
        if self._stopped_by is None:
            names = (("activated", "registered"), ("verdict", "judged"), ("residue_checked", "proven gone"))
            told = ", ".join(f"{self._seen[name]} {word}" for name, word in names if self._seen[name])
            of = f" {self._of} splitters" if self._of else ""
            self._progress.update(self._task, description=f"{self._about}{of}: {told}" if told else self._about)

    # ------------------------------------------------------------------ the work

    def do(self, project: str | None, work: Callable[[], T], *, actor: Actor) -> tuple[T | None, Interrupted | None]:
        """Do the work in a thread of its own, so that a signal reaches somebody who is free to hear it.

        On a signal every OLT stops at its next step; what was under way is taken away with proof, by ``resume``. Gives
        the outcome, if the work came to its end, and the signal, if there was one.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="batch") as crew:
            future = crew.submit(work)
            try:
                return future.result(), None
            except KeyboardInterrupt as signal:
                self._stopped_by = signal if isinstance(signal, Interrupted) else Interrupted(2)
                wait([future])
        stopped, self._stopped_by = self._stopped_by, None
        error = future.exception()
        if error is None:
            return future.result(), stopped
        with workflow_in(self._room, connect=self.connect, writer_wait_s=_CLEAN_UP_WAIT_S) as cleaning:
            cleaning.resume(project, actor=actor)
        if not isinstance(error, KeyboardInterrupt):
            raise error
        return None, stopped


# ---------------------------------------------------------------------- how it ended


def of_item(item: ItemOutcome, *, keeps: bool) -> ExitCode:
    """Return the code of one splitter. ``keeps``: a test ONU that stands there is what was asked for, or as it was."""
    live = item.state.live and not (keeps and item.state.value == "activated")
    failure = item.failure
    if failure is None:
        if live:
            return ExitCode.RESIDUE
        return ExitCode.DONE if item.line is None else outcome.of_verdict(item.line, clean=True)  # type: ignore[arg-type]
    if failure.residue or failure.rollback == "residue" or (live and item.state.value != "activated"):
        return ExitCode.RESIDUE
    if failure.rollback == "rolled_back":
        return ExitCode.ROLLED_BACK
    known: Any = getattr(errors, failure.error_class, None) or getattr(refusals, failure.error_class, None)
    kind = known if isinstance(known, type) else Exception
    if issubclass(kind, errors.SecretMissing):
        return ExitCode.NOTHING_CHANGED
    return ExitCode.REFUSED if issubclass(kind, _SAFETY) else ExitCode.NOTHING_CHANGED


def _settled(item: ItemOutcome) -> ExitCode:
    """Return the code of a splitter that ``resume`` looked at: what it settled is done, however it had ended."""
    if item.failure is not None and item.failure.error_class == "LeaseConflict":
        return ExitCode.REFUSED  # another process is at work there: it is not ours to settle
    if not item.state.live or (item.state.value == "activated" and item.failure is None):
        return ExitCode.DONE
    return ExitCode.RESIDUE


def told(
    desk: Desk,
    workflow: Workflow,
    outcome_: BatchOutcome | None,
    *,
    action: str,
    project: str | None,
    keys: Sequence[SplitterKey] | None,
    stopped: Interrupted | None = None,
    keeps: bool,
) -> ExitCode:
    """Print what became of every splitter, and return the worst code. After a signal the store says what there is."""
    from ponprobe.app.project_view import BatchView, light_of  # noqa: PLC0415 - rich loads when it is needed

    items = outcome_.items if outcome_ is not None else _as_recorded(workflow, project, keys)
    codes = [_settled(item) if action == "resume" else of_item(item, keeps=keeps) for item in items]
    code = outcome.worst(codes)
    if stopped is not None and code is not ExitCode.RESIDUE:
        code = outcome.of_error(stopped)
    light = light_of(workflow, project, items)
    shown: dict[str, Any] = {
        "action": action,
        "project": project,
        "items": [
            {
                **item.model_dump(mode="json"),
                "exported": item.state.exported,
                "flag": item.state.flag,
                "powers": each,
                "exit_code": int(its),
            }
            for item, each, its in zip(items, light, codes, strict=True)
        ],
        "exit_code": int(code),
    }
    if stopped is not None:
        shown["error"] = outcome.error_object(stopped)
    desk.data(shown)
    desk.show(BatchView(items, light, codes, stopped=stopped is not None, project=project))
    return code


def _as_recorded(
    workflow: Workflow, project: str | None, keys: Sequence[SplitterKey] | None
) -> tuple[ItemOutcome, ...]:
    """Tell where the splitters stand, where nobody could say what became of each."""
    projects = [project] if project is not None else [each.id for each in workflow.projects()]
    found = [each for name in projects for each in workflow.status(name).splitters]
    wanted = None if keys is None else set(keys)
    return tuple(
        ItemOutcome(splitter=each.splitter, state=each.state, vlans=each.vlans, fault=each.fault)
        for each in found
        if each.to_be_tested and (wanted is None or each.splitter in wanted)
    )
