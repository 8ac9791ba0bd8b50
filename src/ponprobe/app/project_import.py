"""``project import``: engineering data and test CVLANs out of spreadsheets, with every problem by its cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.options import Problems, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_options import Room, Who, actor_of, project_command, workflow_in
from ponprobe.errors import ConfigError, ImportProblem

if TYPE_CHECKING:
    from ponprobe.models.engineering import OltRecord, Project, Splitter
    from ponprobe.store.leases import CvlanPool, Scope
    from ponprobe.workflow.importing import Imported
    from ponprobe.workflow.process import Workflow
    from ponprobe.workflow.sheets import Problem
    from ponprobe.workflow.vlans import CvlanRange

_PROJECT, _FILES = "Project", "Files"
_SCOPES = ("olt+port", "olt+svlan", "olt")


@dataclass(frozen=True, kw_only=True)
class About:
    """The project's own data; what is left out stays as it is."""

    project: Annotated[
        str | None, typer.Option("--project", metavar="ID", help="Made if it is new.", rich_help_panel=_PROJECT)
    ] = None
    name: Annotated[str | None, typer.Option("--name", help="Of a new project: its id.", rich_help_panel=_PROJECT)] = (
        None
    )
    builder: Annotated[str | None, typer.Option("--builder", help="施工单位.", rich_help_panel=_PROJECT)] = None
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", metavar="ZONE", help="New: Asia/Shanghai.", rich_help_panel=_PROJECT),
    ] = None
    hang_test: Annotated[
        bool | None,
        typer.Option(
            "--hang-test/--no-hang-test", help="是否进行工程挂测; else by the data.", rich_help_panel=_PROJECT
        ),
    ] = None
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why not, where there are splitters.", rich_help_panel=_PROJECT)
    ] = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the files are read."""

    cvlan_file: Annotated[
        Path | None,
        typer.Option("--cvlan-file", metavar="FILE", help="Test CVLAN ranges (xlsx, CSV).", rich_help_panel=_FILES),
    ] = None
    scope: Annotated[
        str,
        typer.Option("--scope", metavar="|".join(_SCOPES), help="Where a CVLAN is used once.", rich_help_panel=_FILES),
    ] = "olt+port"
    column_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COL=FIELD", help="Header, letter or number of a column.", rich_help_panel=_FILES
        ),
    ] = None
    cvlan_map: Annotated[
        list[str] | None,
        typer.Option("--cvlan-map", metavar="COL=FIELD", help="The same for --cvlan-file.", rich_help_panel=_FILES),
    ] = None
    sheet: Annotated[str | None, typer.Option("--sheet", help="Only this sheet.", rich_help_panel=_FILES)] = None
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of CSV, if not found out.", rich_help_panel=_FILES)
    ] = None
    datum: Annotated[
        str, typer.Option("--datum", metavar="wgs84|gcj02|unknown", help="Of coordinates.", rich_help_panel=_FILES)
    ] = "unknown"


@dataclass(frozen=True)
class Found:
    """What the files hold. ``problems`` name their file."""

    data: Imported
    splitters: tuple[Splitter, ...]
    ranges: tuple[CvlanRange, ...]
    pools: tuple[CvlanPool, ...]
    problems: tuple[tuple[str, Problem], ...]
    notes: tuple[str, ...]


@project_command("import")
def import_(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Engineering data: xlsx or CSV.", show_default=False)],
    *,
    about: About,
    how: Reading,
    who: Who,
    room: Room,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check; store nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Store what is right, list what is left out (exit code 4).")
    ] = False,
) -> ExitCode:
    """Read engineering data into a project: all of it, or nothing (see --partial)."""
    if about.project is None:
        raise WrongInput(["--project: name the project that the data belong to"])
    actor = None if dry_run else actor_of(who, room)
    maps = _maps(how)
    with workflow_in(room) as workflow:
        found = _read(workflow, file, about.project, how, maps)
        project, old = _project(workflow, about)
        stored = not dry_run and (partial or not found.problems)
        shown = _compared(workflow, old, found)
        if stored and actor is not None:
            if old is None:
                workflow.create_project(project, actor=actor, request_id=_part(who, "project"))
            elif project != old:
                workflow.change_project(project, actor=actor, request_id=_part(who, "project"))
            recorded = workflow.record(
                project.id,
                olts=found.data.olts,
                pon_ports=found.data.ports,
                splitters=found.splitters,
                actor=actor,
                request_id=who.request_id,
            )
            if found.ranges:
                scope = cast("Scope", how.scope)
                workflow.take_ranges(found.ranges, scope=scope, actor=actor, request_id=_part(who, "ranges"))
            shown = recorded.model_dump(mode="json")
    code = ExitCode.DONE if not found.problems else ExitCode.UNDETERMINED if stored else ExitCode.USAGE
    desk.data(
        {
            "project": project.model_dump(mode="json"),
            "stored": stored,
            "dry_run": dry_run,
            "recorded": shown,
            "pools": [each.model_dump(mode="json") for each in found.pools],
            "problems": [{"file": name, **each.model_dump(mode="json")} for name, each in found.problems],
            "notes": list(found.notes),
            "exit_code": int(code),
        }
    )
    _show(desk, project, found, shown, stored=stored, dry_run=dry_run)
    return code


def _part(who: Who, name: str) -> str | None:
    """One request of the command is several of the process; each has its own id, made of the command's."""
    return None if who.request_id is None else f"{who.request_id} {name}"


def _maps(how: Reading) -> tuple[dict[str, str | int], dict[str, str | int]]:
    from ponprobe.workflow.columns import CVLAN_RANGES, ENGINEERING  # noqa: PLC0415 - help needs no columns

    problems = Problems()
    found = tuple(
        read_map(option, words or (), fields, problems)
        for option, words, fields in (
            ("--map", how.column_map, ENGINEERING),
            ("--cvlan-map", how.cvlan_map, CVLAN_RANGES),
        )
    )
    if how.cvlan_map and how.cvlan_file is None:
        problems.add("--cvlan-map", "needs --cvlan-file")
    if how.scope not in _SCOPES:
        problems.add("--scope", f"must be one of {', '.join(_SCOPES)}")
    if how.datum not in {"wgs84", "gcj02", "unknown"}:
        problems.add("--datum", "must be wgs84, gcj02 or unknown")
    problems.stop_if_any()
    return found[0], found[1]


def read_map(
    option: str, words: Iterable[str], fields: Mapping[str, object], problems: Problems
) -> dict[str, str | int]:
    """Read ``COL=FIELD``, once for each column that is mapped; what cannot be meant is noted."""
    found: dict[str, str | int] = {}
    for word in words:
        column, sign, field = word.rpartition("=")
        if not sign or not column:
            problems.add(option, f"{word!r} is no COL=FIELD, such as C=svlan")
        elif field not in fields:
            problems.add(option, f"there is no field {field!r}; known are {', '.join(fields)}")
        elif field in found:
            problems.add(option, f"gives {field} two columns")
        else:
            found[field] = int(column) if column.isascii() and column.isdigit() else column
    return found


def _read(
    workflow: Workflow,
    file: Path,
    project: str,
    how: Reading,
    maps: tuple[dict[str, str | int], dict[str, str | int]],
) -> Found:
    from ponprobe.store.projects import all_olts, ports_of  # noqa: PLC0415 - the database loads slowly
    from ponprobe.workflow.importing import read_engineering  # noqa: PLC0415
    from ponprobe.workflow.records import pools_of  # noqa: PLC0415
    from ponprobe.workflow.vlans import read_cvlan_ranges  # noqa: PLC0415

    with workflow.store.read() as connection:
        olts = all_olts(connection)
        ports = set(ports_of(connection, olts.keys()))
    with _naming(file):
        data = read_engineering(
            file,
            column_map=maps[0] or None,
            sheet=how.sheet,
            encoding=how.encoding,
            project=project,
            olts=olts.values(),
            datum=cast("Any", how.datum),
        )
    ports |= {each.key for each in data.ports}
    lost = [each for each in data.splitters if (each.olt, str(each.port)) not in ports]
    problems = [(file.name, each) for each in (*data.problems, *_without_port(data, lost))]
    notes = list(data.notes)
    ranges: tuple[CvlanRange, ...] = ()
    if how.cvlan_file is not None:
        with _naming(how.cvlan_file):
            found = read_cvlan_ranges(how.cvlan_file, column_map=maps[1] or None, encoding=how.encoding)
        homeless = _homeless(found.ranges, (*olts.values(), *data.olts))
        problems += [(how.cvlan_file.name, each) for each in (*found.problems, *homeless)]
        notes += found.notes
        rows = {(each.sheet, each.row) for each in homeless}
        ranges = tuple(each for each in found.ranges if (each.sheet, each.row) not in rows)
    everywhere = {**olts, **{each.name: each for each in data.olts}}
    pools = pools_of(ranges, everywhere, cast("Scope", how.scope))
    kept = tuple(each for each in data.splitters if each not in lost)
    return Found(data, kept, ranges, pools, tuple(problems), tuple(notes))


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Say of a file that cannot be read at all which one it is: there may be two."""
    try:
        yield
    except ImportProblem as exc:
        message = exc.message if str(file) in exc.message else f"{file.name}: {exc.message}"
        raise ImportProblem(message, problems=exc.problems, hint=exc.hint) from exc


def _without_port(data: Imported, lost: Sequence[Splitter]) -> list[Problem]:
    """A splitter whose PON port nobody has described cannot be activated: its SVLAN is not known."""
    from ponprobe.workflow.sheets import Problem  # noqa: PLC0415

    keys = {each.key for each in lost}
    return [
        Problem(
            sheet=row.sheet,
            row=row.row,
            value=row.splitter.name,
            message=f"its PON port {row.splitter.olt} {row.splitter.port} has no record, and so no SVLAN",
            hint="add a column SVLAN, or a sheet of PON ports with it",
        )
        for row in data.rows
        if row.splitter in keys
    ]


def _homeless(ranges: Sequence[CvlanRange], olts: Iterable[OltRecord]) -> list[Problem]:
    """A range for an OLT that nobody knows is for nothing."""
    from ponprobe.workflow.sheets import Problem  # noqa: PLC0415

    known = {text for each in olts for text in (each.name, each.host)}
    return [
        Problem(
            sheet=each.sheet,
            row=each.row,
            value=each.olt,
            message="is an OLT that neither the store nor the engineering data have",
            hint="correct its name or management IP, or leave it out: the range is for any OLT then",
        )
        for each in ranges
        if each.olt is not None and each.olt not in known
    ]


def _project(workflow: Workflow, about: About) -> tuple[Project, Project | None]:
    """The project as it is to be, and as it is."""
    from ponprobe.models.engineering import Project  # noqa: PLC0415

    old = next((each for each in workflow.projects() if each.id == about.project), None)
    given = {
        "name": about.name,
        "builder": about.builder,
        "time_zone": about.time_zone,
        "hang_test": about.hang_test,
        "hang_test_reason": about.reason,
    }
    given = {name: value for name, value in given.items() if value is not None}
    before = (
        {"id": about.project, "name": about.project, "created_at": datetime.now(timezone.utc)}
        if old is None
        else dict(old)
    )
    problems = Problems()
    options = {"id": "--project", "time_zone": "--time-zone", "name": "--name"}
    project = problems.attempt("--project", lambda: Project(**{**before, **given}), options)
    if project is not None and about.time_zone is not None:
        _check_zone(project.time_zone, problems)
    problems.stop_if_any()
    assert project is not None  # what kept it from being made has been raised  # noqa: S101
    return project, old


def _check_zone(name: str, problems: Problems) -> None:
    from ponprobe.workflow.deadlines import zone_of  # noqa: PLC0415

    try:
        zone_of(name)
    except (ConfigError, ValueError) as exc:
        problems.add("--time-zone", str(exc))


def _compared(workflow: Workflow, old: Project | None, found: Found) -> dict[str, Any]:
    """What storing the files would do, for a dry run."""
    known = {} if old is None else {each.key: each for each in workflow.splitters(old.id)}
    added = [each.key for each in found.splitters if each.key not in known]
    changed = [each.key for each in found.splitters if each.key in known and each != known[each.key]]
    return {
        "olts": len(found.data.olts),
        "pon_ports": len(found.data.ports),
        "added": [list(key) for key in added],
        "changed": [list(key) for key in changed],
        "unchanged": len(found.splitters) - len(added) - len(changed),
    }


def _show(desk: Desk, project: Project, found: Found, shown: Mapping[str, Any], *, stored: bool, dry_run: bool) -> None:
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import glyphs_for, plain  # noqa: PLC0415
    from ponprobe.app.project_view import ProblemsView  # noqa: PLC0415

    glyphs = glyphs_for(desk.console.options)
    desk.show(ProblemsView(found.problems, found.notes))
    counts = f"{len(shown['added'])} added, {len(shown['changed'])} changed, {shown['unchanged']} as before"
    pools = "".join(f"{glyphs.dot}pool {plain(each.name)} of {each.size} CVLANs" for each in found.pools)
    rows = len({(name, each.sheet, each.row) for name, each in found.problems})
    left = f"{glyphs.dot}{rows} rows left out" if found.problems else ""
    if stored:
        style = "bold yellow" if found.problems else "bold green"
        desk.show(Text(f"{glyphs.good} {project.id}: splitters {counts}{pools}{left}", style=style))
    elif dry_run and not found.problems:
        desk.show(Text(f"{project.id}: splitters {counts}{pools}{glyphs.dot}nothing was stored", style="bold"))
    else:
        text = f"{glyphs.bad} {len(found.problems)} problems: nothing was stored"
        desk.show(Text(text, style="bold red"), Text(f"{glyphs.arrow} correct the file, or --partial", style="bold"))
