"""What a process does once before it forks workers that are killed by the hundred: import and build everything.

A forked worker is a process of its own, with its own memory, sockets and locks; what it need not pay for again are the
imports, the parsed templates, the compiled patterns and the built command line.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import pkgutil
from functools import cache
from importlib.resources import files

import sqlalchemy as sa

import ponprobe

_NOT_HERE = ("ponprobe.notebook", "ponprobe.emulator", "ponprobe.testing", "ponprobe.store.migrations.")
"""What no worker uses, or what does something when it is imported."""


def preload(*, command: bool = False) -> None:
    """Import all that a worker may need; ``command``: also build the ``ponprobe`` command."""
    for module in pkgutil.walk_packages(ponprobe.__path__, "ponprobe."):
        if not module.name.startswith(_NOT_HERE) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    sa.create_engine("sqlite://").dispose()
    if importlib.util.find_spec("psycopg"):
        sa.create_engine("postgresql+psycopg://").dispose()
    from ponprobe.drivers.parsing import _template  # noqa: PLC0415

    for template in files("ponprobe.templates").iterdir():
        if template.name.endswith(".textfsm"):
            _template(template.name.removesuffix(".textfsm"))
    if command:
        import typer.main  # noqa: PLC0415

        from ponprobe.app import cli  # noqa: PLC0415

        typer.main.get_command = cache(typer.main.get_command)
        typer.main.get_command(cli.app)
    gc.freeze()
