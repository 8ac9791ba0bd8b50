"""The acceptance report of a project: what inspectors hold in their hands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.judging import Language
from ponprobe.app.options import WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.project_options import ProjectId, Room, project_command, workflow_in
from ponprobe.app.project_results import evidence_folder
from ponprobe.errors import ConfigError

if TYPE_CHECKING:
    from ponprobe.reports import ReportData
    from ponprobe.workflow.evidence import EvidenceStore

_SUFFIXES = (".xlsx", ".html", ".json", ".csv", ".zip")


@project_command("report")
def report(
    desk: Desk,
    project: ProjectId,
    *,
    room: Room,
    output: Annotated[
        list[Path],
        typer.Option("--output", "-o", metavar="FILE", help=".xlsx, .html, .json, .csv or .zip; repeat for more."),
    ],
    lang: Annotated[Language, typer.Option("--lang", help="Of the words in it.")] = Language.ZH,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Of originals: setting evidence; else beside a SQLite store."),
    ] = None,
) -> ExitCode:
    """Write the acceptance report from stored facts; .zip is the evidence package with the originals."""
    from rich.text import Text  # noqa: PLC0415 - rich loads when it is needed

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.reports import report_data  # noqa: PLC0415
    from ponprobe.workflow.evidence import EvidenceStore  # noqa: PLC0415

    for path in output:
        if path.suffix.lower() not in _SUFFIXES:
            raise WrongInput([f"--output: {path.name} names no format: end it in {', '.join(_SUFFIXES)}"])
        if not path.absolute().parent.is_dir():
            raise WrongInput([f"--output: there is no directory {path.absolute().parent}"])
    with workflow_in(room) as workflow:
        data = report_data(workflow, project)
        photos = any(each.suffix.lower() == ".zip" for each in output)
        originals = None
        if photos or folder is not None:
            originals = EvidenceStore(evidence_folder(workflow, folder, room), zone=workflow.project(project).time_zone)
    for path in output:
        _write(data, path, lang, originals)
    desk.data(
        {
            "project": project,
            "report_id": data.report_id,
            "digest": data.digest,
            "files": [str(each) for each in output],
        }
    )
    desk.show(Text(f"{data.report_id}: {', '.join(plain(each) for each in output)}"))
    return ExitCode.DONE


def _write(data: ReportData, path: Path, lang: Language, originals: EvidenceStore | None) -> None:
    from ponprobe.reports import write_csv, write_html, write_json, write_package, write_xlsx  # noqa: PLC0415

    words: Literal["en", "zh"] = "zh" if lang is Language.ZH else "en"
    try:
        match path.suffix.lower():
            case ".xlsx":
                write_xlsx(data, path, lang=words)
            case ".html":
                write_html(data, path, lang=words, originals=originals)
            case ".json":
                write_json(data, path, lang=words)
            case ".csv":
                write_csv(data, path, lang=words)
            case _:
                write_package(data, path, lang=words, originals=originals)
    except OSError as exc:
        raise ConfigError(f"--output: {path} cannot be written: {exc.strerror or exc}") from exc
