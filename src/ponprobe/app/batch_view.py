"""A batch at its end, for people: every row in a table, what went wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ponprobe.app.glyphs import Glyphs, glyphs_for, plain
from ponprobe.app.render import word
from ponprobe.app.tables import Listing
from ponprobe.models.judgement import Outcome

_MOST_ROWS, _MOST_ERRORS = 200, 30


class Rows:
    """What became of every row; rows are those of ``--json``."""

    def __init__(
        self,
        rows: Sequence[dict[str, Any]],
        left: Sequence[dict[str, Any]],
        *,
        stopped: bool = False,
        repeated: bool = False,
        finish_with: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._rows = rows
        self._left = left
        self._stopped = stopped
        self._repeated = repeated
        self._finish_with = finish_with or "ponprobe recover"
        self._notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        for note in self._notes[:_MOST_ERRORS]:
            yield Text(f"note: {plain(note)}", style="dim")
        # what passed is the least interesting where there is too much for a screen
        ranked = (
            sorted(self._rows, key=lambda row: row["exit_code"] == 0) if len(self._rows) > _MOST_ROWS else self._rows
        )
        columns = ("Row", "OLT", "PON port", "Splitter", "Line", "ONU Rx", "Down", "Up", "Code")
        shown = [_cells(row, glyphs) for row in ranked[:_MOST_ROWS]]
        yield Listing(columns, shown, none="the file has no rows", right=("Row", *columns[5:]))
        if len(self._rows) > _MOST_ROWS:
            yield Text(f"and {len(self._rows) - _MOST_ROWS} more: --json and --output have all of them", style="dim")
        yield Text("powers in dBm, attenuations (Down, Up) in dB", style="dim")
        yield from self._errors(glyphs)
        if self._repeated:
            yield Text("answered before, and nothing was sent", style="bold")
        if self._stopped and not self._left:
            yield Text(f"{glyphs.bad} stopped: what was under way has been taken away, with proof", style="bold yellow")
        if self._left:
            runs = ", ".join(f"{each['run_id']} on {plain(each['olt'])}" for each in self._left[:_MOST_ERRORS])
            yield Text(f"{glyphs.bad} SOMETHING OF OURS MAY BE LEFT on an OLT: run {runs}", style="bold red")
            yield Text(f"{glyphs.arrow} finish it with: {plain(self._finish_with)}", style="bold")
        elif not self._stopped:
            text = "CLEAN  nothing of this batch is left: what had been changed was read back"
            yield Text(f"{glyphs.good} {text}", style="bold green")

    def _errors(self, glyphs: Glyphs) -> RenderResult:
        failed = [row for row in self._rows if row["error"] is not None]
        for row in failed[:_MOST_ERRORS]:
            error, name = row["error"], row["splitter"] or row["port"]
            yield Text(f"{glyphs.bad} row {row['row']}, {plain(name)} on {plain(row['olt'])}", style="bold red")
            yield Text(f"  {error['class']}: {plain(error['message'])}")
            if error.get("hint"):
                yield Text(f"  {glyphs.arrow} {plain(error['hint'])}", style="bold")
        if len(failed) > _MOST_ERRORS:
            yield Text(f"and {len(failed) - _MOST_ERRORS} more: --json has all of them", style="dim")


def _cells(row: dict[str, Any], glyphs: Glyphs) -> tuple[object, ...]:
    verdict = row["outcome"]
    line = "not done" if row.get("not_done") else "-" if verdict is None else word(Outcome(verdict), glyphs)
    powers = (row["onu_rx_dbm"], row["downstream_attenuation_db"], row["upstream_attenuation_db"])
    return (
        row["row"],
        row["olt"],
        row["port"],
        row["splitter"],
        line,
        *(None if value is None else f"{value:.2f}" for value in powers),
        "already" if row.get("repeated") else row["exit_code"] or None,
    )
