"""Work on many OLTs at once, as a command: heard while it happens, stopped on a signal, each splitter with its code."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ponprobe import errors
from ponprobe.app import outcome
from ponprobe.app.options import Road
from ponprobe.app.outcome import ExitCode, Interrupted
from ponprobe.app.project_options import Room, loaded_from, workflow_in
from ponprobe.app.team import Team
from ponprobe.store import refusals
from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.config import Config
    from ponprobe.models.engineering import Actor, OltRecord, SplitterKey
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


class Crew(Team):
    """The OLTs of one project command: connected to as the engineering data and the inventory have them."""

    def __init__(self, desk: Desk, room: Room, what: str, *, project: str | None = None) -> None:
        super().__init__(desk, what)
        self._room = room
        self._loaded: Config = loaded_from(room)
        # what a crash or a signal leaves here is more than runs of the journal: the process has to learn of it, too
        named = [] if project is None else [project]
        desk.finish_with = shlex.join(["ponprobe", "project", "resume", *named, *room.again()])

    def connect(self, record: OltRecord) -> Olt:
        """Connect as the inventory says: by the name of the engineering data, else by the management address."""
        target = record.name if record.name in self._loaded.olts else record.host
        return self.hire(target, Road(config=self._room.config), name=record.name)

    def check(self, records: Iterable[OltRecord]) -> None:
        """Find out, before anything is sent, that every OLT is in the inventory and every secret is there."""
        for record in records:
            with self.connect(record):
                pass

    def do(self, project: str | None, work: Callable[[], T], *, actor: Actor) -> tuple[T | None, Interrupted | None]:
        """Do the work; what a signal leaves under way is taken away with proof, by ``resume``."""

        def settle() -> None:
            with workflow_in(self._room, connect=self.connect, writer_wait_s=_CLEAN_UP_WAIT_S) as cleaning:
                cleaning.resume(project, actor=actor)

        return self.work(work, settle)


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
        if desk.runs:
            # every run that was begun has been taken away, or had been left on purpose before the signal came
            stopped.after_change = "rolled_back"  # type: ignore[attr-defined]
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
