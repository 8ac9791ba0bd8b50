"""What every project command is told: where the store is, who acts, which splitters, which test ONUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ponprobe.app import completing
from ponprobe.app.answers import store_place
from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.options import Configured, Problems, WrongInput, check_request_id
from ponprobe.app.outcome import ExitCode, error_object
from ponprobe.app.root import project_app
from ponprobe.errors import ConfigError, ImportProblem
from ponprobe.store.refusals import NotReady

if TYPE_CHECKING:
    from ponprobe.config import Config
    from ponprobe.models.engineering import Actor, Splitter, SplitterKey
    from ponprobe.workflow.base import Connect
    from ponprobe.workflow.process import Workflow

F = TypeVar("F", bound=Callable[..., ExitCode])
_WHERE, _WHO, WHAT = "Store", "Who asks", "Splitters and test ONUs"

ProjectId = Annotated[
    str,
    typer.Argument(
        metavar="PROJECT", help="Id of the project.", show_default=False, autocompletion=completing.projects
    ),
]
SplitterText = Annotated[
    str,
    typer.Argument(
        metavar="SPLITTER",
        help="Name, or 'NAME on OLT PORT'.",
        show_default=False,
        autocompletion=completing.splitters,
    ),
]
Comment = Annotated[str | None, typer.Option("--comment", help="Kept with the record.")]


@dataclass(frozen=True, kw_only=True)
class Room(Configured):
    """Where the process is kept."""

    store: Annotated[
        str | None,
        typer.Option(
            "--store", metavar="PATH|URL", help="Or setting store; else the journal's.", rich_help_panel=_WHERE
        ),
    ] = None

    def again(self) -> list[str]:
        """Give the options that lead to the same store in another command."""
        given = (("--config", self.config), ("--store", self.store))
        return [word for option, value in given if value is not None for word in (option, str(value))]


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asks for a change."""

    actor: Annotated[
        str | None, typer.Option("--actor", metavar="NAME", help="Or setting actor.", rich_help_panel=_WHO)
    ] = None
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="Or setting role: builder, acceptance_engineer, resource_admin, or your own.",
            rich_help_panel=_WHO,
        ),
    ] = None
    request_id: Annotated[
        str | None,
        typer.Option(
            "--request-id", metavar="ID", help="Asked again, the stored answer is given.", rich_help_panel=_WHO
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Selected:
    """Which splitters."""

    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="TEXT",
            help="NAME, 'NAME on OLT PORT', 'OLT PORT' or OLT; repeat for more.",
            rich_help_panel=WHAT,
            autocompletion=completing.splitters,
        ),
    ] = None


# ---------------------------------------------------------------------- commands


def project_command(name: str, **more: Any) -> Callable[[F], F]:
    """Register a command of the group. What the process refuses is told with every reason, and ends with 8."""

    def register(function: F) -> F:
        @wraps(function)
        def told(desk: Desk, *args: Any, **given: Any) -> ExitCode:
            try:
                return function(desk, *args, **given)
            except NotReady as exc:
                return refused(desk, exc)
            except ImportProblem as exc:
                # no device was spoken to: what cannot be read is what was typed in
                raise WrongInput([str(exc.message)]) if exc.hint is None else _unreadable(exc) from exc

        command(project_app, name, **more)(told)
        return function

    return register


def _unreadable(exc: ImportProblem) -> WrongInput:
    error = WrongInput([exc.message])
    error.hint = exc.hint
    return error


def refused(desk: Desk, exc: NotReady, code: ExitCode = ExitCode.REFUSED) -> ExitCode:
    """Tell everything that stands against a step."""
    from ponprobe.app.project_view import Refusal  # noqa: PLC0415 - rich loads when it is needed

    described = {**error_object(exc), "reasons": list(exc.reasons)}
    desk.data({"error": described, "exit_code": int(code)})
    desk.show(Refusal(exc))
    return code


# ---------------------------------------------------------------------- who and where


def actor_of(who: Who, room: Room) -> Actor:
    """Say who acts, by option, environment or file; ``WrongInput`` if nobody says so."""
    from ponprobe.models.engineering import Actor  # noqa: PLC0415 - help needs no models

    problems = Problems()
    settings = loaded_from(room).settings
    name, role = who.actor or settings.actor, who.role or settings.role
    if not name:
        problems.add(
            "--actor",
            "say who does this, or set PONPROBE_ACTOR, or actor in ponprobe.toml: every change keeps its author",
        )
    if not role:
        problems.add(
            "--role",
            "say in which role, or set PONPROBE_ROLE, or role in ponprobe.toml: builder, acceptance_engineer, "
            "resource_admin...",
        )
    check_request_id(who.request_id, problems)
    problems.stop_if_any()
    actor = problems.attempt("--role", lambda: Actor(name=name or "", role=role or ""), {"name": "--actor"})
    problems.stop_if_any()
    assert actor is not None  # what kept it from being made has been raised  # noqa: S101
    return actor


def loaded_from(room: Room) -> Config:
    """Read settings and inventory."""
    from ponprobe import config  # noqa: PLC0415 - help needs neither

    return config.load(room.config)


@contextmanager
def workflow_in(room: Room, *, connect: Connect | None = None, **more: Any) -> Iterator[Workflow]:
    """Open the process; ``ConfigError`` where its store cannot be opened."""
    from ponprobe.connect import journal_at  # noqa: PLC0415 - the database loads slowly
    from ponprobe.store.database import Store  # noqa: PLC0415
    from ponprobe.workflow.process import Workflow  # noqa: PLC0415

    loaded = loaded_from(room)
    given: dict[str, Any] = {"connect": connect or _no_devices, **more}
    with Store(store_place(room.store, loaded)) as store:
        yield Workflow(store, journal=lambda: journal_at(loaded.settings.journal), **given)


def _no_devices(record: Any) -> Any:
    raise ConfigError(f"this command speaks to no OLT, and {record.name} was to be connected to")


# ---------------------------------------------------------------------- splitters


class Names:
    """What the splitters of a project are called: by name, by their full name as it is shown, by OLT and PON port."""

    def __init__(self, splitters: Sequence[Splitter]) -> None:
        self._full = {str(each.key): each.key for each in splitters}
        self._named: dict[str, list[SplitterKey]] = {}
        self._placed: dict[str, list[SplitterKey]] = {}
        for key in self._full.values():
            self._named.setdefault(key.name, []).append(key)
            self._placed.setdefault(key.olt, []).append(key)
            self._placed.setdefault(f"{key.olt} {key.port}", []).append(key)

    def matching(self, text: str, option: str, problems: Problems) -> list[SplitterKey]:
        """Find the splitters that a text means; note what is nothing, or the name of several."""
        if text in self._full:
            return [self._full[text]]
        named = self._named.get(text, [])
        if len(named) > 1:
            problems.add(option, f"{text!r} is the name of several: {', '.join(map(repr, map(str, named[:5])))}")
        found = named or self._placed.get(text, [])
        if not found:
            problems.add(option, f"there is no splitter {text!r} in this project (see: ponprobe project list PROJECT)")
        return found

    def single(self, text: str, option: str, problems: Problems) -> SplitterKey | None:
        """Find the splitter that a text means; note if it is none, or not one."""
        keys = self.matching(text, option, problems)
        if len(keys) > 1 and keys[0].name != text:
            problems.add(option, f"{text!r} is {len(keys)} splitters, and one is meant")
        return keys[0] if len(keys) == 1 else None


def chosen(splitters: Sequence[Splitter], texts: Sequence[str] | None) -> tuple[SplitterKey, ...] | None:
    """Find what ``--select`` names; ``None`` if it was not given, ``WrongInput`` for what is nothing or ambiguous."""
    if not texts:
        return None
    names, problems = Names(splitters), Problems()
    found: dict[SplitterKey, None] = {}
    for text in texts:
        found.update(dict.fromkeys(names.matching(text, "--select", problems)))
    problems.stop_if_any()
    return tuple(found)


def one_splitter(splitters: Sequence[Splitter], text: str) -> Splitter:
    """Find the one splitter that a text names; ``WrongInput`` otherwise."""
    problems = Problems()
    key = Names(splitters).single(text, "SPLITTER", problems)
    problems.stop_if_any()
    return next(each for each in splitters if each.key == key)
