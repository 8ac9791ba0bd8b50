"""At which commands of a run a kill or a cut leaves something else behind than at the command before.

What a killed process leaves is the device and the journal. Two points at which both are the same are one kind of point:
whoever recovers cannot tell them apart. So a sweep over kinds of points misses no state, in a fraction of the time of
one over all commands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from ponprobe import emulator

Moment = Literal["arrived", "executed"]


def journal_rows(journal: Path) -> list[tuple[Any, ...]]:
    """Everything that a journal holds now."""
    if not journal.exists():
        return []
    with closing(sqlite3.connect(journal, timeout=20)) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        return [(table, *row) for table in sorted(tables) for row in connection.execute(f"select * from {table}")]


@contextmanager
def kinds_of_points(olt: emulator.EmulatedOlt, journal: Path) -> Iterator[dict[Moment, list[int]]]:
    """Watch the run inside, undisturbed; gives the numbers (from 1) of the commands at which something is different.

    ``arrived``: the line is there and not executed; ``executed``: it is, and not answered.
    """
    first = len(olt.commands)
    found: dict[Moment, list[int]] = {"arrived": [], "executed": []}
    before: list[Any] = [None]

    def watch(number: int, _line: str, at: Moment) -> None:
        now = (olt.snapshot(), journal_rows(journal))
        if now != before[0]:
            found[at].append(number - first)
            before[0] = now

    olt.faults.on_command = watch
    try:
        yield found
    finally:
        olt.faults.on_command = None
