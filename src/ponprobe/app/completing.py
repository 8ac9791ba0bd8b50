"""What the shell offers after a Tab: names that are at hand, in files; no device and no database server is asked.

Whatever goes wrong here is silent: a completion that fails must not write into somebody's command line.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ponprobe.config import Config

_PLAIN = re.compile(r"[\w.:/@+,-]+")
"""Shells put what they are given into a command line as it is: nothing that one of them would take for its own."""
_MOST = 200


def _offered(find: Callable[[dict[str, Any]], Iterable[str]]) -> Callable[[typer.Context, str], list[str]]:
    """Make a completion of a function that finds names, given what was typed before."""

    @wraps(find)
    def offer(ctx: typer.Context, incomplete: str) -> list[str]:
        found: list[str] = []
        with suppress(Exception):
            # while an option waits for its value, the words before it have not been given to their parameters
            words = {"words": [word for word in ctx.args if not word.startswith("-")]}
            names = find({**(ctx.parent.params if ctx.parent else {}), **ctx.params, **words})
            for name in dict.fromkeys(names):
                if name.startswith(incomplete) and _PLAIN.fullmatch(name) and len(found) < _MOST:
                    found.append(name)
        return found

    # typer asks the annotations what it may pass
    offer.__annotations__ = {"ctx": typer.Context, "incomplete": str, "return": list[str]}
    del offer.__wrapped__  # or it would look at the signature of what is inside
    return offer


def _loaded(given: dict[str, Any]) -> Config:
    from ponprobe import config  # noqa: PLC0415 - only where names of the inventory are wanted

    return config.load(given.get("config"))


def _rows(place: str | None, query: str, *values: str) -> Iterator[str]:
    """Read a column of a SQLite file without changing it; nothing from a database server: it may be far."""
    if place is None or "://" in place:
        return
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        return
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)) as connection:
        yield from (str(row[0]) for row in connection.execute(query, values))


@_offered
def olts(given: dict[str, Any]) -> Iterable[str]:
    """Names of the inventory."""
    return _loaded(given).olts


@_offered
def unfinished_runs(given: dict[str, Any]) -> Iterable[str]:
    """Runs of the journal that may still be on an OLT, of the OLT that was named, newest first."""
    settings = _loaded(given).settings
    where = "FROM runs WHERE state IN ('open', 'kept', 'residue')"
    if olt := given.get("olt"):
        return _rows(settings.journal, f"SELECT run_id {where} AND olt = ? ORDER BY opened_at DESC", str(olt))
    return _rows(settings.journal, f"SELECT run_id {where} ORDER BY opened_at DESC")


@_offered
def stages(given: dict[str, Any]) -> Iterable[str]:
    """Threshold sets: those of the user's own file first."""
    from ponprobe.optics.thresholds import load_threshold_sets, threshold_sets  # noqa: PLC0415

    own: tuple[str, ...] = ()
    with suppress(Exception):
        own = tuple(each.id for each in load_threshold_sets(given["thresholds"]))
    return (*own, *threshold_sets())


@_offered
def classes(_given: dict[str, Any]) -> Iterable[str]:
    """Optical classes."""
    from ponprobe.optics.classes import optical_classes  # noqa: PLC0415

    return optical_classes()


@_offered
def platforms(_given: dict[str, Any]) -> Iterable[str]:
    """Drivers that are installed."""
    from ponprobe.drivers import platforms as known  # noqa: PLC0415

    return known()


@_offered
def routes(_given: dict[str, Any]) -> Iterable[str]:
    """Roads for questions, in the orders that make sense."""
    return ("snmp,cli", "snmp,netconf,cli", "netconf,cli", "cli,snmp", "cli", "snmp", "netconf")


@_offered
def scenarios(_given: dict[str, Any]) -> Iterable[str]:
    """Packaged scenarios of the emulator."""
    from importlib import resources  # noqa: PLC0415

    folder = resources.files("ponprobe") / "emulator" / "scenarios"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml"))


@_offered
def projects(given: dict[str, Any]) -> Iterable[str]:
    """Projects of a store that is a file."""
    return _rows(_store(given), "SELECT id FROM projects ORDER BY id")


@_offered
def splitters(given: dict[str, Any]) -> Iterable[str]:
    """Splitters of the project that was named, of a store that is a file."""
    query = "SELECT name FROM splitters WHERE project = ? AND deleted_at IS NULL ORDER BY id"
    named = given.get("project") or next(iter(given["words"]), "")
    return _rows(_store(given), query, str(named))


def _store(given: dict[str, Any]) -> str | None:
    settings = _loaded(given).settings
    return given.get("store") or settings.store or settings.journal
