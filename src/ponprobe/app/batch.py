"""``ponprobe batch``: many splitters of many OLTs from one file, each with its own result and code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from ponprobe.app import completing
from ponprobe.app.acceptance import Measuring, check_patience
from ponprobe.app.answers import body_of, requested
from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.judging import Judging, Limits, judging_from
from ponprobe.app.options import Asked, Configured, ServicePath, Watched, WrongInput
from ponprobe.app.outcome import ExitCode, error_object
from ponprobe.app.root import ACCEPT, app
from ponprobe.errors import ConfigError, ImportProblem

if TYPE_CHECKING:
    from ponprobe.app.batch_file import Batch, Entry
    from ponprobe.app.judging import Judged

_FILE, _MEASURE = "File", "Measurement"
_MOST_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the file is read."""

    olt: Annotated[
        str | None,
        typer.Option(
            "--olt",
            metavar="OLT",
            help="Of rows that name none.",
            rich_help_panel=_FILE,
            autocompletion=completing.olts,
        ),
    ] = None
    column_map: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COL=FIELD", help="Header, letter or number of a column.", rich_help_panel=_FILE),
    ] = None
    sheet: Annotated[str | None, typer.Option("--sheet", help="Only this sheet.", rich_help_panel=_FILE)] = None
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of text, if not found out.", rich_help_panel=_FILE)
    ] = None
    wave: Annotated[
        int | None,
        typer.Option(
            "--wave", min=1, metavar="N", help="Rows of test ONUs that are moved: 1, then 2...", rich_help_panel=_FILE
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Whole results as JSON Lines, as they come.", rich_help_panel=_FILE
        ),
    ] = None


@command(app, "batch", rich_help_panel=ACCEPT)
def batch(
    desk: Desk,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, xlsx or JSON Lines, a splitter a row; - is stdin.")
    ],
    *,
    reading: Reading,
    path: ServicePath,
    how: Measuring,
    limits: Limits,
    asked: Asked,
    given: Configured,
    watched: Watched,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=256, help="OLTs at a time.", rich_help_panel=_MEASURE)
    ] = 8,
    at_once: Annotated[
        int,
        typer.Option("--at-once", min=1, max=1024, help="Test ONUs on one OLT at a time.", rich_help_panel=_MEASURE),
    ] = 64,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row, and list the commands.", rich_help_panel=_MEASURE)
    ] = False,
) -> ExitCode:
    """Measure many splitters of many OLTs: a row each, with its own result and code."""
    from ponprobe.app.batch_work import Gang, measure_all, plan_all  # noqa: PLC0415 - help needs no models

    del watched  # the desk has seen to it
    check_patience(how)
    judging = Judging(**vars(limits))
    judged = judging_from(judging)
    try:
        found = _found(file, given, path, reading)
    except ImportProblem as exc:
        return _refused(desk, file, [(exc.message, exc.hint)], exc)
    for entry in found.entries:
        desk.cover(*entry.order.auth.secrets)
    if found.problems:
        return _refused(desk, file, [], found)
    gang = Gang(desk, given, "planning" if dry_run else "measuring", found.entries, parallel=parallel)
    if dry_run:
        with gang.at_work():
            gang.check()
            return plan_all(gang, how=how, notes=found.notes)
    body = {
        "rows": [[entry.olt, entry.sheet, entry.row, body_of(entry.order)] for entry in found.entries],
        "how": [how.samples, how.online_timeout],
        "judged": judged.body(),
    }
    with (
        requested(asked.request_id, given.config, name="batch", body=body) as request,
        _results(reading.output) as results,
        gang.at_work(),
    ):
        if request.answer is not None:
            return gang.told_again(request.answer)
        gang.check()
        return measure_all(
            gang,
            how=how,
            judged=judged,
            judging=judging,
            at_once=at_once,
            request=request,
            request_id=asked.request_id,
            results=results,
            notes=found.notes,
        )


def _found(file: Path, given: Configured, path: ServicePath, reading: Reading) -> Batch:
    from ponprobe import config  # noqa: PLC0415 - help needs none of these
    from ponprobe.app.batch_file import column_map_of, read_batch  # noqa: PLC0415
    from ponprobe.workflow.sheets import LARGEST_FILE  # noqa: PLC0415

    loaded = config.load(given.config)
    if reading.olt is not None:
        loaded.olt(reading.olt)
    return read_batch(
        sys.stdin.buffer.read(LARGEST_FILE + 1) if str(file) == "-" else file,
        loaded,
        path,
        olt=reading.olt,
        sheet=reading.sheet,
        column_map=column_map_of(reading.column_map or ()),
        encoding=reading.encoding,
        wave=reading.wave,
    )


def _refused(desk: Desk, file: Path, whole: list[tuple[str, str | None]], why: Batch | ImportProblem) -> ExitCode:
    """Tell everything that is wrong with a file, cell by cell; nothing was sent."""
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.failure import failure  # noqa: PLC0415
    from ponprobe.app.project_view import ProblemsView  # noqa: PLC0415

    problems, notes = why.problems, () if isinstance(why, ImportProblem) else why.notes
    rows = len({(each.sheet, each.row) for each in problems})
    message = whole[0][0] if whole else f"{len(problems)} problems in {rows} rows of {file.name}; nothing was sent"
    error = WrongInput([f"FILE: {message}"])
    error.hint = whole[0][1] if whole else None
    desk.data(
        {
            "file": str(file),
            "error": error_object(error),
            "problems": [each.model_dump(mode="json") for each in problems],
            "notes": list(notes),
            "exit_code": int(ExitCode.USAGE),
        }
    )
    shown = [(file.name, each) for each in problems[:_MOST_SHOWN]]
    if shown:
        desk.show(ProblemsView(shown, notes))
    if len(problems) > len(shown):
        desk.show(Text(f"and {len(problems) - len(shown)} more: --json has all of them", style="dim"))
    desk.tell(failure(error, ExitCode.USAGE, error_object(error)))
    return ExitCode.USAGE


@contextmanager
def _results(path: Path | None) -> Iterator[TextIO | None]:
    """Open the file for whole results; what stands there already is not touched."""
    if path is None:
        yield None
        return
    try:
        if path.exists() and path.stat().st_size:
            raise ConfigError(f"--output: {path} is there", hint="name another file: results are not overwritten")
        # for the user alone: results hold no secrets, but the plant of a whole city
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as exc:
        raise ConfigError(f"--output: {path} cannot be written: {exc.strerror or exc}") from exc
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file


def part_of(request_id: str, entry: Entry) -> str:
    """Name the request of one row, whatever else its file holds."""
    return f"{request_id} {entry.where}"[:200]


def row_body(entry: Entry, judged: Judged, how: Measuring) -> dict[str, Any]:
    """Tell what a row asks for, for its digest."""
    return {
        "olt": entry.olt,
        **body_of(entry.order),
        "judged": judged.body(),
        "how": [how.samples, how.online_timeout],
    }
