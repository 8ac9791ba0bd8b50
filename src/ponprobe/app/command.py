"""How a function becomes a command: option groups are spread out, and a desk sees to its end.

typer reads signatures, and a dozen commands share three dozen options. A parameter annotated with a dataclass of
options stands for all of its fields.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, get_type_hints

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.options import Output, Watched
from ponprobe.app.outcome import ExitCode

F = TypeVar("F", bound=Callable[..., ExitCode])


def command(app: typer.Typer, name: str, **more: Any) -> Callable[[F], F]:
    """Register a function as a command. Its first parameter is the desk, which every command has."""

    def register(function: F) -> F:
        groups: dict[str, type] = {"output": Output}
        spread: list[inspect.Parameter] = []
        # not get_type_hints: on Python 3.10 it hides an Annotated behind Optional where the default is None
        for parameter in inspect.signature(function, eval_str=True).parameters.values():
            kind = parameter.annotation
            if dataclasses.is_dataclass(kind) and isinstance(kind, type):
                groups[parameter.name] = kind
            elif kind is not Desk:
                spread.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))
        for kind in (*(kind for key, kind in groups.items() if key != "output"), Output):
            spread += _fields(kind)

        def call(**given: Any) -> ExitCode:
            made = {
                key: kind(**{field.name: given.pop(field.name) for field in dataclasses.fields(kind)})
                for key, kind in groups.items()
            }
            watched = next((group for group in made.values() if isinstance(group, Watched)), None)
            request_id = next((group.request_id for group in made.values() if hasattr(group, "request_id")), None)
            desk = Desk(made.pop("output"), watched, about=str(given.get("olt") or ""), request_id=request_id)
            return desk.run(partial(function, desk, **given, **made))

        call.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]  # what typer reads
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
        call.__doc__ = function.__doc__
        app.command(name, **more)(call)
        return function

    return register


def _fields(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(group)
    ]
