"""Commands that need no OLT: demonstration, emulation, reading device text, looking at the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ponprobe.app import completing
from ponprobe.app.command import command
from ponprobe.app.desk import Desk, file_text
from ponprobe.app.options import Configured, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import MORE, app, config_app


@command(app, "demo", rich_help_panel=MORE)
def demo(desk: Desk) -> ExitCode:
    """Show the main job on emulated OLTs on this machine; nothing else is touched."""
    from ponprobe.app.demo import show  # noqa: PLC0415

    return show(desk)


@command(app, "emulate", rich_help_panel=MORE)
def emulate(
    desk: Desk,
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help="A packaged name or a YAML file.", autocompletion=completing.scenarios),
    ] = "demo_huawei",
) -> ExitCode:
    """Serve emulated OLTs until Ctrl-C; stdout is a ready ponprobe.toml."""
    from ponprobe.app.emulate import serve_until_stopped  # noqa: PLC0415

    return serve_until_stopped(desk, scenario)


@command(app, "parse", rich_help_panel=MORE)
def parse(
    desk: Desk,
    *,
    platform: Annotated[
        str | None,
        typer.Option("--platform", help="Driver, such as huawei_smartax.", autocompletion=completing.platforms),
    ] = None,
    command_line: Annotated[str | None, typer.Option("--command", help="The command that was sent.")] = None,
    context: Annotated[str | None, typer.Option("--context", help="The view that it ran in.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON Lines in and out, a text a line.")] = False,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Device text; - or nothing is stdin.")] = None,
) -> ExitCode:
    """Read what an OLT printed; JSON on stdout."""
    from ponprobe.app.parse import parse_text  # noqa: PLC0415

    del jsonl  # ``main`` serves it before typer loads
    if platform is None:
        raise WrongInput(["--platform: is required: the name of a driver, such as huawei_smartax"])
    desk.json = True
    desk.data(parse_text(platform, command_line, context, file_text(file)))
    return ExitCode.DONE


@command(config_app, "show")
def config_show(desk: Desk, given: Configured) -> ExitCode:
    """Each setting, its value and where it comes from; the inventory."""
    from ponprobe import config  # noqa: PLC0415
    from ponprobe.app.tables import config_tables, without_password  # noqa: PLC0415

    loaded = config.load(given.config)
    settings = loaded.settings.model_dump(mode="json")
    for name in ("journal", "store"):
        settings[name] = settings[name] and without_password(settings[name])
    shown: dict[str, Any] = {
        "file": None if loaded.file is None else str(loaded.file),
        "settings": {name: {"value": value, "origin": loaded.origins[name]} for name, value in settings.items()},
        "olts": [entry.shown() for entry in loaded.olts.values()],
    }
    desk.data(shown)
    desk.show(config_tables(shown))
    return ExitCode.DONE
