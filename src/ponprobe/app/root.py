"""The command's root: its help, its panels, its version."""

from __future__ import annotations

from typing import Annotated

import typer

from ponprobe.app import outcome

EPILOG = (
    "Exit codes: " + "; ".join(f"{int(code)} {meaning}" for code, meaning in outcome.MEANINGS.items()) + "."
    "\n\nPeople read stderr; stdout is for programs: --json, --events."
)
app = typer.Typer(
    name="ponprobe",
    help="Accept newly built FTTH plant: register a test ONU, read four optical powers, judge, revoke, prove.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(name="config", help="Settings and inventory.", no_args_is_help=True)
project_app = typer.Typer(
    name="project", help="Whole projects: engineering data, tests, acceptance, second review.", no_args_is_help=True
)
ACCEPT, ASK, MORE = "Acceptance", "Questions (nothing is changed)", "Without an OLT"
app.add_typer(project_app, rich_help_panel=ACCEPT)
app.add_typer(config_app, rich_help_panel=MORE)


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002
) -> None:
    if version:
        from ponprobe import __version__  # noqa: PLC0415

        typer.echo(f"ponprobe {__version__}")
        raise typer.Exit
