"""What people bring back from the site: service tests, photos, and that a line has been put right."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.options import Problems, Watched, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_options import (
    Comment,
    ProjectId,
    Room,
    Selected,
    SplitterText,
    Who,
    actor_of,
    chosen,
    loaded_from,
    one_splitter,
    project_command,
    workflow_in,
)

if TYPE_CHECKING:
    from ponprobe.models.engineering import EvidenceItem, ServiceTest, Splitter
    from ponprobe.workflow.evidence import EvidenceStore, TestWindow
    from ponprobe.workflow.process import Workflow

_TEST, _FILES = "Service test", "Files"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the service test brought."""

    dial: Annotated[
        bool | None, typer.Option("--dial-ok/--dial-failed", help="The PPPoE dial-up.", rich_help_panel=_TEST)
    ] = None
    reach: Annotated[
        bool | None, typer.Option("--reach-ok/--reach-failed", help="The network behind it.", rich_help_panel=_TEST)
    ] = None
    account: Annotated[str | None, typer.Option("--account", help="Never its password.", rich_help_panel=_TEST)] = None
    down: Annotated[float | None, typer.Option("--down", metavar="MBPS", help="Speed.", rich_help_panel=_TEST)] = None
    up: Annotated[float | None, typer.Option("--up", metavar="MBPS", help="Speed.", rich_help_panel=_TEST)] = None
    min_down: Annotated[
        float | None, typer.Option("--min-down", metavar="MBPS", help="Limit, if any.", rich_help_panel=_TEST)
    ] = None
    min_up: Annotated[
        float | None, typer.Option("--min-up", metavar="MBPS", help="Limit, if any.", rich_help_panel=_TEST)
    ] = None
    address: Annotated[str | None, typer.Option("--address", help="That was given.", rich_help_panel=_TEST)] = None
    gateway: Annotated[str | None, typer.Option("--gateway", help="That was given.", rich_help_panel=_TEST)] = None
    server: Annotated[str | None, typer.Option("--server", help="Speed-test site.", rich_help_panel=_TEST)] = None
    started_at: Annotated[
        str | None,
        typer.Option("--started-at", metavar="TIME", help="ISO 8601 with offset; else now.", rich_help_panel=_TEST),
    ] = None
    error: Annotated[str | None, typer.Option("--error", help="What the dialler said.", rich_help_panel=_TEST)] = None


@project_command("service-test")
def service_test(
    desk: Desk,
    project: ProjectId,
    splitter: SplitterText,
    *,
    facts: Facts,
    who: Who,
    room: Room,
    watched: Watched,
    comment: Comment = None,
    corroborate: Annotated[
        bool, typer.Option("--corroborate", help="Ask the OLT which MACs it has learnt; supports, never decides.")
    ] = False,
) -> ExitCode:
    """Record a service test that was made by hand behind a splitter."""
    del watched  # the desk has seen to it
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415
    from ponprobe.app.project_work import Crew  # noqa: PLC0415

    made, actor = _service_test(facts, who, comment), actor_of(who, room)
    crew = Crew(desk, room, "asking for learnt addresses", project=project)
    with workflow_in(room, connect=crew.connect) as workflow, crew.at_work():
        one = one_splitter(workflow.splitters(project), splitter)
        kept = workflow.service_test(
            project, one.key, made, actor=actor, corroborate=corroborate, request_id=who.request_id
        )
    code = ExitCode.DONE if kept.passed else ExitCode.FAIL
    desk.data({"project": project, "service_test": kept.model_dump(mode="json"), "exit_code": int(code)})
    glyphs = glyphs_for(desk.console.options)
    words = ("达标", "不达标") if glyphs.chinese else ("pass", "fail")
    against = f": {plain('; '.join(kept.against))}" if kept.against else ""
    desk.show(
        Text(
            f"{glyphs.good if kept.passed else glyphs.bad} {plain(one.key)}: service test "
            f"{words[not kept.passed]}{against}",
            style="bold green" if kept.passed else "bold red",
        )
    )
    if corroborate:
        macs = ", ".join(kept.macs_learnt) or "none"
        desk.show(Text(f"learnt on the test service port: {plain(macs)}", style="dim"))
    return code


def _service_test(facts: Facts, who: Who, comment: str | None) -> ServiceTest:
    from ponprobe.models.engineering import ServiceTest  # noqa: PLC0415 - help needs no models

    problems = Problems()
    if facts.dial is None:
        problems.add("--dial-ok", "say whether the dial-up succeeded: --dial-ok or --dial-failed")
    started = datetime.now(timezone.utc)
    if facts.started_at is not None:
        try:
            started = datetime.fromisoformat(facts.started_at.replace("Z", "+00:00"))
            if started.tzinfo is None:
                problems.add("--started-at", f"{facts.started_at!r} has no offset: write 2016-08-01T10:00+08:00")
        except ValueError:
            problems.add("--started-at", f"{facts.started_at!r} is no time: write 2016-08-01T10:00+08:00")
    elif who.request_id is not None:
        problems.add("--started-at", "belongs to --request-id: asked again, the request must be the same")
    problems.stop_if_any()
    values: dict[str, Any] = {
        "dial_ok": facts.dial,
        "reach_ok": facts.reach,
        "account": facts.account,
        "speed_down_mbps": facts.down,
        "speed_up_mbps": facts.up,
        "min_speed_down_mbps": facts.min_down,
        "min_speed_up_mbps": facts.min_up,
        "address": facts.address,
        "gateway": facts.gateway,
        "server": facts.server,
        "started_at": started,
        "error": facts.error,
        "comment": comment,
    }
    options = {
        "speed_down_mbps": "--down",
        "speed_up_mbps": "--up",
        "min_speed_down_mbps": "--min-down",
        "min_speed_up_mbps": "--min-up",
        "address": "--address",
        "gateway": "--gateway",
    }
    made = problems.attempt("--dial-ok", lambda: ServiceTest(**values), options)
    problems.stop_if_any()
    assert made is not None  # what kept it from being made has been raised  # noqa: S101
    return made


# ---------------------------------------------------------------------- evidence


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Originals by kind; each may be given several times."""

    position: Annotated[
        list[Path] | None,
        typer.Option("--position", metavar="FILE", help="Photo of the position.", rich_help_panel=_FILES),
    ] = None
    result: Annotated[
        list[Path] | None,
        typer.Option("--result", metavar="FILE", help="Photo of the result.", rich_help_panel=_FILES),
    ] = None
    label: Annotated[
        list[Path] | None, typer.Option("--label", metavar="FILE", help="Photo of a label.", rich_help_panel=_FILES)
    ] = None
    transcript: Annotated[
        list[Path] | None,
        typer.Option("--transcript", metavar="FILE", help="Dialogue with the OLT.", rich_help_panel=_FILES),
    ] = None
    handheld: Annotated[
        list[Path] | None,
        typer.Option("--handheld", metavar="FILE", help="Of a power meter.", rich_help_panel=_FILES),
    ] = None
    other: Annotated[
        list[Path] | None, typer.Option("--other", metavar="FILE", help="Anything else.", rich_help_panel=_FILES)
    ] = None


@project_command("evidence")
def evidence(
    desk: Desk,
    project: ProjectId,
    splitter: SplitterText,
    *,
    photos: Photos,
    who: Who,
    room: Room,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Of originals: setting evidence; else beside a SQLite store."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every original again; 5 if one is not whole.")] = False,
) -> ExitCode:
    """Add photos and other evidence byte for byte; without files, list what there is."""
    from ponprobe.app.project_view import evidence_table  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.workflow.evidence import EvidenceStore  # noqa: PLC0415

    given: list[tuple[Any, Path]] = [
        (field.name, path) for field in fields(Photos) for path in getattr(photos, field.name) or ()
    ]
    actor = actor_of(who, room) if given else None
    with workflow_in(room) as workflow:
        one = one_splitter(workflow.splitters(project), splitter)
        originals = EvidenceStore(evidence_folder(workflow, folder, room), zone=workflow.project(project).time_zone)
        if given and actor is not None:
            window, newest = _newest(workflow, project, one)
            for number, (kind, path) in enumerate(given, 1):
                request = None if who.request_id is None else f"{who.request_id} {number}"
                item = originals.add(
                    path,
                    kind,
                    splitter=one.key,
                    round=newest,
                    window=window,
                    site=one.place,
                    actor=actor,
                    now=workflow.store.clock,
                )
                if request is not None:
                    # asked again, it must be the same request: the record that there is, with its first time
                    item = next((each for each in workflow.evidence(project, one.key) if _same(each, item)), item)
                workflow.add_evidence(project, one.key, item, actor=actor, request_id=request)
        items = workflow.evidence(project, one.key)
    damaged = _damaged(originals, items) if verify else {}
    code = ExitCode.NOTHING_CHANGED if damaged else ExitCode.DONE
    shown = [{**each.model_dump(mode="json"), "stored_as": each.stored_as} for each in items]
    desk.data(
        {
            "project": project,
            "splitter": list(one.key),
            "folder": str(originals.root),
            "evidence": shown,
            "verified": verify,
            "damaged": [{"sha256": digest, "message": why} for digest, why in damaged.items()],
            "exit_code": int(code),
        }
    )
    desk.show(evidence_table(items))
    _tell_damage(desk, damaged, verify=verify)
    return code


def evidence_folder(workflow: Workflow, folder: Path | None, room: Room) -> Path:
    """Where the originals are: as asked, as the setting ``evidence`` says, or beside a SQLite store."""
    named = folder or loaded_from(room).settings.evidence
    if named:
        return Path(named).expanduser()
    url = workflow.store.url
    if url.get_backend_name() != "sqlite" or not url.database:
        raise WrongInput(["--folder: say where the originals are kept (or setting evidence): this store has no place"])
    path = Path(url.database).expanduser()
    return path.with_name(f"{path.name}.evidence")


def _newest(workflow: Workflow, project: str, one: Splitter) -> tuple[TestWindow | None, int | None]:
    """Give the time from the newest line round or service test until now, and the number of that round."""
    from ponprobe.workflow.evidence import TestWindow  # noqa: PLC0415

    rounds, services = workflow.rounds(project, one.key), workflow.service_tests(project, one.key)
    times = [each.at for each in rounds[-1:]] + [each.started_at for each in services[-1:]]
    window = TestWindow(start=min(times), end=max(*times, workflow.store.clock())) if times else None
    return window, rounds[-1].round if rounds else None


def _same(one: EvidenceItem, other: EvidenceItem) -> bool:
    return (one.kind, one.sha256, one.actor) == (other.kind, other.sha256, other.actor)


def _damaged(originals: EvidenceStore, items: tuple[EvidenceItem, ...]) -> dict[str, str]:
    found = {item.sha256: _damage(originals, item) for item in items}
    return {digest: why for digest, why in found.items() if why is not None}


def _damage(originals: EvidenceStore, item: EvidenceItem) -> str | None:
    from ponprobe.errors import EvidenceError  # noqa: PLC0415

    try:
        originals.verify(item)
    except EvidenceError as exc:
        return exc.message
    return None


def _tell_damage(desk: Desk, damaged: dict[str, str], *, verify: bool) -> None:
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415

    glyphs = glyphs_for(desk.console.options)
    for why in damaged.values():
        desk.show(Text(f"{glyphs.bad} {plain(why)}", style="bold red"))
    if verify and not damaged:
        desk.show(Text(f"{glyphs.good} every original was read again and is whole", style="green"))


# ---------------------------------------------------------------------- put right


@project_command("rectified")
def rectified(
    desk: Desk, project: ProjectId, *, which: Selected, who: Who, room: Room, comment: Comment = None
) -> ExitCode:
    """Say that lines have been put right on site: earlier tests stay in the history and no longer count."""
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415

    actor = actor_of(who, room)
    if not which.select:
        raise WrongInput(["--select: name the splitters that have been put right"])
    with workflow_in(room) as workflow:
        keys = chosen(workflow.splitters(project), which.select) or ()
        for number, key in enumerate(keys, 1):
            request = None if who.request_id is None else f"{who.request_id} {number}"
            workflow.rectified(project, key, actor=actor, comment=comment, request_id=request)
    desk.data({"project": project, "rectified": [list(key) for key in keys], "exit_code": 0})
    glyphs = glyphs_for(desk.console.options)
    desk.show(*(Text(f"{glyphs.good} {plain(key)}: to be tested anew", style="green") for key in keys))
    return ExitCode.DONE
