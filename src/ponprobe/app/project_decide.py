"""Decisions: acceptance, second review, and the front office."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.options import Watched, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_options import (
    Comment,
    ProjectId,
    Room,
    Selected,
    Who,
    actor_of,
    chosen,
    project_command,
    refused,
    workflow_in,
)
from ponprobe.errors import ConfigError
from ponprobe.store.refusals import NotReady

if TYPE_CHECKING:
    from ponprobe.models.engineering import Decision
    from ponprobe.workflow.decisions import Message
    from ponprobe.workflow.process import Workflow

_PATIENCE_S = 60.0
"""How long a program may take to accept one message."""


class Fault(str, Enum):
    """What is wrong: the records, or the plant."""

    DATA = "data"
    SITE = "site"


Reject = Annotated[
    Fault | None, typer.Option("--reject", help="Send it back instead: its data, or its site, are wrong.")
]


@project_command("accept")
def accept(
    desk: Desk,
    project: ProjectId,
    *,
    which: Selected,
    who: Who,
    room: Room,
    watched: Watched,
    reject: Reject = None,
    comment: Comment = None,
) -> ExitCode:
    """Accept a project: confirm it, revoke what is still live, and prove that; or reject it."""
    del watched  # the desk has seen to it
    from ponprobe.app.project_work import Crew  # noqa: PLC0415 - help needs no models
    from ponprobe.models.engineering import FaultKind  # noqa: PLC0415

    actor = actor_of(who, room)
    if which.select and reject is None:
        raise WrongInput(["--select: belongs to --reject; a project is accepted as a whole"])
    crew = Crew(desk, room, "accepting", project=project)
    with workflow_in(room, connect=crew.connect) as workflow, crew.at_work():
        if reject is not None:
            keys = chosen(workflow.splitters(project), which.select) or ()
            decision = workflow.reject(
                project, FaultKind(reject.value), actor=actor, comment=comment, keys=keys, request_id=who.request_id
            )
            return _decided(desk, workflow, project, decision)
        try:
            decided, stopped = crew.do(
                project,
                lambda: workflow.accept(project, actor=actor, comment=comment, request_id=who.request_id),
                actor=actor,
            )
        except NotReady as exc:
            return refused(desk, exc, ExitCode.RESIDUE if _left(workflow, project) else ExitCode.REFUSED)
        if stopped is not None:
            # the confirmation stands or does not, as the store says; what was under way has been settled
            stopped.after_change = "residue" if _left(workflow, project) else "stopped"  # type: ignore[attr-defined]
            raise stopped
        assert decided is not None  # the work came to its end  # noqa: S101
        return _decided(desk, workflow, project, decided)


def _left(workflow: Workflow, project: str) -> bool:
    """Whether something may be left on an OLT that nobody has asked to stay."""
    return any(each.state.live and each.state.value != "activated" for each in workflow.status(project).splitters)


@project_command("review")
def review(
    desk: Desk,
    project: ProjectId,
    *,
    which: Selected,
    who: Who,
    room: Room,
    passed: Annotated[bool, typer.Option("--pass", help="The second review passes it.")] = False,
    reject: Reject = None,
    comment: Comment = None,
) -> ExitCode:
    """Review an accepted project a second time, by somebody who made none of its tests."""
    from ponprobe.models.engineering import FaultKind  # noqa: PLC0415 - help needs no models

    actor = actor_of(who, room)
    if passed == (reject is not None):
        raise WrongInput(["--pass: say what the review came to: --pass, or --reject data|site"])
    if which.select and reject is None:
        raise WrongInput(["--select: belongs to --reject; a project is passed as a whole"])
    with workflow_in(room) as workflow:
        decision = workflow.review(
            project,
            accepted=passed,
            actor=actor,
            fault=None if reject is None else FaultKind(reject.value),
            comment=comment,
            keys=chosen(workflow.splitters(project), which.select) or (),
            request_id=who.request_id,
        )
        return _decided(desk, workflow, project, decision)


def _decided(desk: Desk, workflow: Workflow, project: str, decision: Decision) -> ExitCode:
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415

    now = workflow.status(project)
    desk.data(
        {
            "project": project,
            "decision": decision.model_dump(mode="json"),
            "stage": now.stage.value,
            "stage_label": now.stage.label,
            "clean": now.clean,
            "exit_code": 0,
        }
    )
    glyphs = glyphs_for(desk.console.options)
    words = {"acceptance": "工程验收", "review": "二次审核"} if glyphs.chinese else {}
    both = None if decision.fault is None else f"{decision.fault.label} ({decision.fault})"
    fault = "" if decision.fault is None else f": {both if glyphs.chinese else decision.fault}"
    stage = f"{now.stage.label} ({now.stage})" if glyphs.chinese else now.stage.value
    sign, verb = (glyphs.good, "passed") if decision.accepted else (glyphs.bad, f"sent back{fault}")
    desk.show(
        Text(
            f"{sign} {project}: {words.get(decision.kind, decision.kind)} {verb} by {plain(decision.actor)}",
            style="bold green" if decision.accepted else "bold yellow",
        ),
        Text(f"it is in {stage} now"),
    )
    return ExitCode.DONE


# ---------------------------------------------------------------------- front office


@project_command("push")
def push(
    desk: Desk,
    project: ProjectId,
    *,
    who: Who,
    room: Room,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Acceptance report; its SHA-256 goes along.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Deliver now: append JSON Lines to this file.")
    ] = None,
    program: Annotated[
        str | None,
        typer.Option("--exec", metavar="COMMAND", help="Deliver now: one JSON message on its stdin, 0 takes it."),
    ] = None,
) -> ExitCode:
    """Tell the front office of a reviewed project, at least once; without --to or --exec the message waits."""
    from ponprobe.models.engineering import Stage  # noqa: PLC0415 - help needs no models

    actor = actor_of(who, room)
    if to is not None and program is not None:
        raise WrongInput(["--to: and --exec are two ways for one message: give one of them"])
    callback = _file(to) if to is not None else None if program is None else _program(program)
    described = None if report is None else _report(report)
    with workflow_in(room) as workflow:
        message = workflow.push(project, actor=actor, report=described, request_id=who.request_id)
        brought = None if callback is None else workflow.deliver(callback, actor=actor)
        arrived = workflow.status(project).stage is Stage.PUSHED
    code = ExitCode.DONE if arrived or callback is None else ExitCode.NOTHING_CHANGED
    desk.data(
        {
            "project": project,
            "message": message.model_dump(mode="json"),
            "arrived": arrived,
            "delivered": [] if brought is None else list(brought.delivered),
            "failed": [] if brought is None else [{"event_id": each, "reason": why} for each, why in brought.failed],
            "exit_code": int(code),
        }
    )
    _tell_push(desk, project, message, dict(brought.failed) if brought else {}, arrived=arrived, tried=bool(callback))
    return code


def _tell_push(
    desk: Desk, project: str, message: Message, failed: dict[str, str], *, arrived: bool, tried: bool
) -> None:
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415

    glyphs = glyphs_for(desk.console.options)
    if arrived:
        desk.show(
            Text(
                f"{glyphs.good} {project}: {'入库' if glyphs.chinese else 'pushed'}, event {message.event_id}",
                style="bold green",
            )
        )
        return
    if tried:
        why = failed.get(message.event_id, "it is not due yet: it was tried before, and is tried again later")
        desk.show(Text(f"{glyphs.bad} {project} did not arrive: {plain(why)}", style="bold red"))
        desk.show(Text(f"{glyphs.arrow} the message waits; push again", style="bold"))
        return
    desk.show(Text(f"{project}: event {message.event_id} waits to be delivered", style="bold"))
    desk.show(Text(f"{glyphs.arrow} push again with --to FILE or --exec COMMAND", style="bold"))


def _report(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"--report: {path} cannot be read: {exc.strerror}") from exc
    return {"file_name": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _file(path: Path) -> Callable[[Message], None]:
    """Append a message as one line, and have it on disk before it counts as delivered."""
    if not path.absolute().parent.is_dir():
        raise WrongInput([f"--to: there is no directory {path.absolute().parent}"])

    def deliver(message: Message) -> None:
        line = json.dumps(message.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) + "\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    return deliver


def _program(text: str) -> Callable[[Message], None]:
    """Hand a message to a program; anything but exit code 0 means that it was not taken."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise WrongInput([f"--exec: {exc}"]) from exc
    if not words:
        raise WrongInput(["--exec: is empty"])

    def deliver(message: Message) -> None:
        ended = subprocess.run(
            words, input=message.model_dump_json().encode(), capture_output=True, timeout=_PATIENCE_S, check=False
        )
        if ended.returncode:
            said = ended.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise RuntimeError(f"{words[0]} ended with {ended.returncode}{': ' + said[0] if said else ''}")

    return deliver
