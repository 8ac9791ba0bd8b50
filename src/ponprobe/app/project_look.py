"""Looking at projects: list, status, show, events, schema. Nothing is changed and no OLT is asked."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app import completing
from ponprobe.app.desk import Desk
from ponprobe.app.options import WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_options import ProjectId, Room, Selected, chosen, one_splitter, project_command, workflow_in

if TYPE_CHECKING:
    from pydantic import BaseModel

_FORMULA = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for the beginning of a formula; names of splitters are written by anybody."""


@project_command("list")
def list_(
    desk: Desk,
    project: Annotated[
        str | None,
        typer.Argument(metavar="[PROJECT]", help="Its activation list; else all.", autocompletion=completing.projects),
    ] = None,
    *,
    which: Selected,
    room: Room,
    as_csv: Annotated[bool, typer.Option("--csv", help="The activation list as CSV on stdout.")] = False,
) -> ExitCode:
    """Every project, or the activation list of one with its ten columns."""
    from ponprobe.app.glyphs import glyphs_for  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.app.project_view import activation_table, projects_table  # noqa: PLC0415 - rich loads when needed

    if project is None and (as_csv or which.select):
        raise WrongInput(["--csv: and --select need a PROJECT"])
    if as_csv and desk.json:
        raise WrongInput(["--csv: and --json both want stdout"])
    with workflow_in(room) as workflow:
        if project is None:
            found = [workflow.status(each.id) for each in workflow.projects()]
            shown = [{**each.model_dump(mode="json", exclude={"splitters", "reasons"})} for each in found]
            desk.data({"projects": shown})
            desk.show(projects_table(found, glyphs_for(desk.console.options)))
            return ExitCode.DONE
        workflow.project(project)
        items = workflow.activation_list(project, chosen(workflow.splitters(project), which.select))
    rows = [item.to_row() for item in items]
    if as_csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        from ponprobe.models.engineering import ROW_HEADERS  # noqa: PLC0415 - help needs no models

        writer.writerow(ROW_HEADERS)
        writer.writerows([_cell(row[name]) for name in ROW_HEADERS] for row in rows)
        _print(text.getvalue())
        return ExitCode.DONE
    desk.data(
        {
            "project": project,
            "rows": rows,
            "items": [{**item.model_dump(mode="json"), "flag": item.state.flag} for item in items],
        }
    )
    desk.show(activation_table(items))
    return ExitCode.DONE


def _cell(value: str | int | None) -> str | int:
    if not isinstance(value, str):
        return "" if value is None else value
    text = " ".join(value.splitlines())
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _print(text: str) -> None:
    """Write to stdout whatever encoding it has: programs that read CSV and schemas read UTF-8."""
    out = getattr(sys.stdout, "buffer", None)
    if out is None:
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        out.write(text.encode())
    sys.stdout.flush()


@project_command("status")
def status(desk: Desk, project: ProjectId, *, room: Room) -> ExitCode:
    """Where a project stands, and every reason against its acceptance."""
    from ponprobe.app.project_view import StatusView  # noqa: PLC0415 - rich loads when it is needed

    with workflow_in(room) as workflow:
        found = workflow.status(project)
        decisions = workflow.decisions(project)
    desk.data(
        {
            **found.model_dump(mode="json"),
            "stage_label": found.stage.label,
            "clean": found.clean,
            "decisions": [each.model_dump(mode="json") for each in decisions],
        }
    )
    desk.show(StatusView(found))
    return ExitCode.DONE


@project_command("show")
def show(
    desk: Desk,
    project: ProjectId,
    splitter: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPLITTER]",
            help="Name, or 'NAME on OLT PORT'; else as status.",
            autocompletion=completing.splitters,
        ),
    ] = None,
    *,
    room: Room,
) -> ExitCode:
    """Everything that is known of one splitter: rounds, service tests, evidence, history."""
    from ponprobe.app.project_view import SplitterView  # noqa: PLC0415 - rich loads when it is needed

    if splitter is None:
        return status(desk, project, room=room)
    with workflow_in(room) as workflow:
        one = one_splitter(workflow.splitters(project), splitter)
        now = next(each for each in workflow.status(project).splitters if each.splitter == one.key)
        rounds, services = workflow.rounds(project, one.key), workflow.service_tests(project, one.key)
        evidence, history = workflow.evidence(project, one.key), workflow.history(project, one.key)
    desk.data(
        {
            "splitter": one.model_dump(mode="json"),
            "status": now.model_dump(mode="json"),
            "rounds": [each.model_dump(mode="json") for each in rounds],
            "service_tests": [each.model_dump(mode="json") for each in services],
            "evidence": [each.model_dump(mode="json") for each in evidence],
            "history": [each.model_dump(mode="json") for each in history],
        }
    )
    desk.show(SplitterView(now, rounds, services, evidence, history))
    return ExitCode.DONE


@project_command("events")
def events(
    desk: Desk,
    project: Annotated[
        str | None,
        typer.Argument(metavar="[PROJECT]", help="All projects if left out.", autocompletion=completing.projects),
    ] = None,
    *,
    room: Room,
    after: Annotated[str | None, typer.Option("--after", metavar="ID", help="Only events behind this one.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One event a line on stdout, as they are read.")] = False,
) -> ExitCode:
    """Everything that changed, in order: who, when, on whose request."""
    from ponprobe.app.project_view import events_table  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.store.events import event_number  # noqa: PLC0415 - the database loads slowly

    if jsonl and desk.json:
        raise WrongInput(["--jsonl: and --json both want stdout"])
    if after is not None:
        try:
            event_number(after)
        except ValueError as exc:
            raise WrongInput([f"--after: {exc}"]) from exc
    with workflow_in(room) as workflow:
        if project is not None:
            workflow.project(project)
        stream = workflow.events(after=after, project=project, limit=limit)
        if jsonl:
            for each in stream:
                _print(each.model_dump_json() + "\n")
            return ExitCode.DONE
        found = tuple(stream)
    last = found[-1].id if found else after
    desk.data({"project": project, "events": [each.model_dump(mode="json") for each in found], "last": last})
    desk.show(events_table(found))
    return ExitCode.DONE


@project_command("schema")
def schema(
    desk: Desk,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Its name; all names if left out.")] = None,
) -> ExitCode:
    """JSON Schemas of the models that other systems exchange; one model's on stdout."""
    from rich.text import Text  # noqa: PLC0415

    known = _models()
    if model is None:
        desk.data({"models": {name: kind.model_json_schema(mode="serialization") for name, kind in known.items()}})
        desk.show(*(Text(f"{name}  {(kind.__doc__ or '').splitlines()[0]}") for name, kind in known.items()))
        return ExitCode.DONE
    if model not in known:
        raise WrongInput([f"MODEL: there is no model {model!r}; known are {', '.join(known)}"])
    found = known[model].model_json_schema(mode="serialization")
    if desk.json:
        desk.data({"model": model, "json_schema": found})
    else:
        _print(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    return ExitCode.DONE


def _models() -> dict[str, type[BaseModel]]:
    """Every model that goes in or out, by name."""
    from ponprobe.models import engineering  # noqa: PLC0415 - help needs no models
    from ponprobe.models.judgement import Verdict  # noqa: PLC0415
    from ponprobe.models.run import Plan, Removal  # noqa: PLC0415
    from ponprobe.store.leases import CvlanLease, CvlanPool  # noqa: PLC0415
    from ponprobe.workflow.decisions import Delivered, Message  # noqa: PLC0415
    from ponprobe.workflow.importing import Imported  # noqa: PLC0415
    from ponprobe.workflow.outcomes import BatchOutcome, ItemOutcome  # noqa: PLC0415
    from ponprobe.workflow.records import Recorded  # noqa: PLC0415
    from ponprobe.workflow.sheets import Problem  # noqa: PLC0415
    from ponprobe.workflow.status import ProjectStatus, SplitterStatus  # noqa: PLC0415
    from ponprobe.workflow.vlans import ImportedRanges  # noqa: PLC0415

    process: tuple[Any, ...] = (
        engineering.Actor, engineering.Place, engineering.OltRecord, engineering.PonPortRecord, engineering.Splitter,
        engineering.Project, engineering.ActivationItem, engineering.LineRound, engineering.ServiceTest,
        engineering.HandheldReading, engineering.EvidenceItem, engineering.Failure, engineering.Decision,
        engineering.Event,
    )  # fmt: skip
    others: tuple[Any, ...] = (
        Verdict, Plan, Removal, CvlanPool, CvlanLease, Imported, ImportedRanges, Problem, Recorded, BatchOutcome,
        ItemOutcome, ProjectStatus, SplitterStatus, Message, Delivered,
    )  # fmt: skip
    return {kind.__name__: kind for kind in (*process, *others)}
