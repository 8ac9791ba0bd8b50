"""Steps that speak to OLTs: activate, test, revoke, resume. Many splitters, an outcome and a code for each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app import completing, outcome
from ponprobe.app.desk import Desk
from ponprobe.app.judging import Judging, judging_from
from ponprobe.app.options import Watched, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_onus import TestOnus, onus_for
from ponprobe.app.project_options import (
    ProjectId,
    Room,
    Selected,
    Who,
    actor_of,
    chosen,
    loaded_from,
    project_command,
    workflow_in,
)
from ponprobe.errors import ConfigError, PonprobeError

if TYPE_CHECKING:
    from ponprobe.app.project_work import Crew
    from ponprobe.models.engineering import OltRecord, SplitterKey
    from ponprobe.models.judgement import ThresholdSet
    from ponprobe.workflow.orders import Onus
    from ponprobe.workflow.process import Workflow

_PANEL = "Measurement"


@dataclass(frozen=True, kw_only=True)
class LineTest:
    """How lines are tested."""

    samples: Annotated[
        int | None, typer.Option("--samples", min=1, max=100, help="Readings of each line.", rich_help_panel=_PANEL)
    ] = None
    online_timeout: Annotated[
        float | None,
        typer.Option("--online-timeout", metavar="SECONDS", help="For each ONU.", rich_help_panel=_PANEL),
    ] = None
    stage: Annotated[
        str, typer.Option("--stage", metavar="ID", help="Limits: construction, user_side...", rich_help_panel=_PANEL)
    ] = "construction"
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE", help="Your own limits (TOML, YAML).", rich_help_panel=_PANEL),
    ] = None


@project_command("activate")
def activate(
    desk: Desk,
    project: ProjectId,
    *,
    onus: TestOnus,
    how: LineTest,
    who: Who,
    room: Room,
    watched: Watched,
    pool: Annotated[str | None, typer.Option("--pool", help="Of CVLANs, if there are several.")] = None,
    hold: Annotated[
        float | None, typer.Option("--hold", metavar="HOURS", help="How long the test ONUs are wanted (72).")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Test each line at once, and revoke: no field test.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the commands; nothing is changed.")] = False,
) -> ExitCode:
    """Activate test ONUs behind the selected splitters, or behind all that wait."""
    del watched  # the desk has seen to it
    limits, options = _how(how)
    actor = None if dry_run else actor_of(who, room)
    wanted_for = _hours("--hold", hold)
    what = "planning" if dry_run else "measuring" if measure else "activating"
    with _crew(desk, room, what, project, **options, thresholds=limits) as (workflow, crew):
        workflow.project(project)
        splitters = workflow.splitters(project)
        auths, keys = onus_for(desk, onus, splitters)
        selected = keys if keys is not None else workflow.waiting(project)
        crew.check(_olts_of(workflow, selected))
        if actor is None:
            return _planned(desk, workflow, project, selected, onus=auths, pool=pool)
        crew.expect(len(selected))
        done, stopped = crew.do(
            project,
            lambda: workflow.dispatch(
                project,
                keys,
                onus=auths,
                mode="measure" if measure else "activate",
                pool=pool,
                hold=wanted_for,
                actor=actor,
                request_id=who.request_id,
            ),
            actor=actor,
        )
        from ponprobe.app.project_work import told  # noqa: PLC0415 - loads models

        action = "measure" if measure else "activate"
        return told(
            desk, workflow, done, action=action, project=project, keys=selected, stopped=stopped, keeps=not measure
        )


@project_command("test")
def line_test(
    desk: Desk,
    project: ProjectId,
    *,
    which: Selected,
    how: LineTest,
    who: Who,
    room: Room,
    watched: Watched,
    keep_failed: Annotated[
        float | None,
        typer.Option("--keep-failed", metavar="HOURS", help="Keep what fails for a re-test; else it is revoked."),
    ] = None,
) -> ExitCode:
    """Test the lines of live test ONUs: one round each. What fails is revoked."""
    del watched  # the desk has seen to it
    limits, options = _how(how)
    actor, kept = actor_of(who, room), _hours("--keep-failed", keep_failed)
    with _crew(desk, room, "testing", project, **options, thresholds=limits) as (workflow, crew):
        workflow.project(project)
        keys = chosen(workflow.splitters(project), which.select)
        done, stopped = crew.do(
            project,
            lambda: workflow.test(project, keys, actor=actor, keep_failed=kept, request_id=who.request_id),
            actor=actor,
        )
        from ponprobe.app.project_work import told  # noqa: PLC0415 - loads models

        return told(desk, workflow, done, action="test", project=project, keys=keys, stopped=stopped, keeps=True)


@project_command("revoke")
def revoke(
    desk: Desk,
    project: ProjectId,
    *,
    which: Selected,
    who: Who,
    room: Room,
    watched: Watched,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only test ONUs that were kept and are no longer wanted.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell from the records what would be taken away.")
    ] = False,
) -> ExitCode:
    """Take test ONUs away and prove it: the selected ones, or every live one; repeatable."""
    del watched  # the desk has seen to it
    if expired and (which.select or who.request_id):
        raise WrongInput(["--expired: decides itself which ones; leave --select and --request-id out"])
    if dry_run:
        return _planned_removals(desk, project, which, room, expired=expired)
    actor = actor_of(who, room)
    with _crew(desk, room, "revoking", project) as (workflow, crew):
        workflow.project(project)
        keys = chosen(workflow.splitters(project), which.select)
        done, stopped = crew.do(
            project,
            lambda: (
                workflow.sweep_expired(project, actor=actor)
                if expired
                else workflow.revoke(project, keys, actor=actor, request_id=who.request_id)
            ),
            actor=actor,
        )
        from ponprobe.app.project_work import told  # noqa: PLC0415 - loads models

        return told(desk, workflow, done, action="revoke", project=project, keys=keys, stopped=stopped, keeps=False)


@project_command("resume")
def resume(
    desk: Desk,
    project: Annotated[
        str | None,
        typer.Argument(metavar="[PROJECT]", help="All of the store if left out.", autocompletion=completing.projects),
    ] = None,
    *,
    who: Who,
    room: Room,
    watched: Watched,
) -> ExitCode:
    """Settle what a crash or a lost road left under way; what is kept on purpose stays."""
    del watched  # the desk has seen to it
    from ponprobe.app.project_work import told  # noqa: PLC0415 - loads models
    from ponprobe.workflow.base import SYSTEM  # noqa: PLC0415

    if who.request_id is not None:
        raise WrongInput(["--request-id: resume finds out by itself what is left to do; leave it out"])
    actor = actor_of(who, room) if who.actor or who.role else SYSTEM
    with _crew(desk, room, "resuming", project) as (workflow, crew):
        if project is not None:
            workflow.project(project)
        done, stopped = crew.do(project, lambda: workflow.resume(project, actor=actor), actor=actor)
        return told(desk, workflow, done, action="resume", project=project, keys=None, stopped=stopped, keeps=True)


# ---------------------------------------------------------------------- shared


class _crew:  # noqa: N801 - reads as what it gives: with _crew(...) as (workflow, crew)
    """The process and the OLTs that it works on, closed on every way out."""

    def __init__(self, desk: Desk, room: Room, what: str, project: str | None, **more: Any) -> None:
        from ponprobe.app.project_work import Crew  # noqa: PLC0415 - help needs no models

        self._crew = Crew(desk, room, what, project=project)
        self._workflow = workflow_in(room, connect=self._crew.connect, **more)
        self._at_work = self._crew.at_work()

    def __enter__(self) -> tuple[Workflow, Crew]:
        workflow = self._workflow.__enter__()
        self._at_work.__enter__()
        return workflow, self._crew

    def __exit__(self, *ended: object) -> None:
        try:
            self._at_work.__exit__(*ended)  # type: ignore[arg-type]
        finally:
            self._workflow.__exit__(*ended)  # type: ignore[arg-type]


def _how(how: LineTest) -> tuple[ThresholdSet, dict[str, Any]]:
    if how.online_timeout is not None and not 0 < how.online_timeout <= 86400:
        raise WrongInput(["--online-timeout: must be a number of seconds, more than 0"])
    limits = judging_from(Judging(stage=how.stage, thresholds=how.thresholds)).limits
    return limits, {"samples": how.samples, "online_timeout_s": how.online_timeout}


def _hours(option: str, hours: float | None) -> timedelta | None:
    if hours is not None and not 0 < hours <= 24 * 366:
        raise WrongInput([f"{option}: must be a number of hours, more than 0 and at most a year"])
    return None if hours is None else timedelta(hours=hours)


def _olts_of(workflow: Workflow, keys: tuple[SplitterKey, ...]) -> list[OltRecord]:
    from ponprobe.store.projects import all_olts  # noqa: PLC0415 - the database loads slowly

    with workflow.store.read() as connection:
        known = all_olts(connection)
    return [known[name] for name in dict.fromkeys(key.olt for key in keys) if name in known]


def _planned_removals(desk: Desk, project: str, which: Selected, room: Room, *, expired: bool) -> ExitCode:
    """Tell which test ONUs a revocation would take away, as store and journal have it; no OLT is asked."""
    from ponprobe.app.recovery import planned_removal  # noqa: PLC0415
    from ponprobe.connect import journal_at  # noqa: PLC0415 - the database loads slowly
    from ponprobe.store.activations import activations_of  # noqa: PLC0415
    from ponprobe.store.projects import splitters_of  # noqa: PLC0415

    runs = []
    with workflow_in(room) as workflow:
        workflow.project(project)
        keys = chosen(workflow.splitters(project), which.select)
        with workflow.store.read() as connection:
            rows = splitters_of(connection, project, keys)
            known = activations_of(connection, [row.id for row in rows])
        journal, now = journal_at(loaded_from(room).settings.journal), workflow.store.clock()
    for each in (known[row.id] for row in rows if row.id in known):
        over = each.hold_until is not None and each.hold_until <= now
        if each.state.live and each.run_id is not None and (over or not expired):
            # an attempt that was stopped before its first change has no run
            with suppress(ConfigError):
                runs.append(journal.run(each.run_id))
    return planned_removal(desk, None, runs)


def _planned(
    desk: Desk, workflow: Workflow, project: str, keys: tuple[SplitterKey, ...], *, onus: Onus, pool: str | None
) -> ExitCode:
    """List the exact lines for every splitter; one that cannot be planned does not stop the others."""
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.app.tables import PlanView  # noqa: PLC0415

    shown: list[dict[str, Any]] = []
    codes: list[ExitCode] = []
    for key in keys:
        desk.show(Text(plain(key), style="bold"))
        try:
            plan = workflow.plan(project, key, onus=onus, pool=pool)
        except PonprobeError as exc:
            code = outcome.of_error(exc)
            # what was typed in has been checked: here, engineering data are what is wrong
            code = ExitCode.REFUSED if code is ExitCode.USAGE else code
            item: dict[str, Any] = {"error": outcome.error_object(exc)}
            desk.show(Text(plain(exc), style="bold red"))
        else:
            code, item = ExitCode.DONE, {"plan": plan.model_dump(mode="json")}
            desk.show(PlanView(plan))
        codes.append(code)
        shown.append({"splitter": list(key), **item, "exit_code": int(code)})
    code = outcome.worst(codes)
    desk.data({"action": "plan", "project": project, "items": shown, "exit_code": int(code)})
    if not keys:
        desk.show(Text("no splitter waits for an activation", style="dim"))
    elif len(keys) > 1:
        desk.show(
            Text(
                "Each is planned as if it came alone: behind one port, every one gets its own ONU ID and CVLAN.", "dim"
            )
        )
    return code
