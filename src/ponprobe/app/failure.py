"""An error for people: what happened, what state the device is in, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from ponprobe.app.glyphs import glyphs_for, plain
from ponprobe.app.options import WrongInput
from ponprobe.app.outcome import ExitCode

_STOPPED = {ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HUNG_UP}
_STATE = {
    "rolled_back": "everything was taken back, and the OLT was read: nothing is left",
    "residue": "SOMETHING OF OURS MAY BE LEFT on the OLT",
}


class failure:  # noqa: N801 - reads as the verb that it stands for: print(failure(...))
    """The end of a command that did not do what was asked."""

    def __init__(
        self,
        error: BaseException,
        code: ExitCode,
        described: dict[str, Any],
        runs: Sequence[str] = (),
        trace: str | None = None,
        *,
        settle: str | None = None,
    ) -> None:
        self._error = error
        self._code = code
        self._described = described
        self._runs = runs
        self._trace = trace
        self._settle = settle or "ponprobe recover"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        style = "bold yellow" if self._code is ExitCode.REFUSED or self._code in _STOPPED else "bold red"
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        if isinstance(self._error, WrongInput):
            for problem in self._error.problems:
                table.add_row(Text(glyphs.bad, style), Text(plain(problem)))
        else:
            message = Text.assemble((self._title(), style), "  ", plain(self._described["message"]))
            table.add_row(Text(glyphs.bad, style), message)
        if self._described["hint"]:
            table.add_row(Text(glyphs.arrow, "bold"), Text(plain(self._described["hint"])))
        state = self._state()
        if state:
            table.add_row("", Text(f"OLT: {state}", style=style if self._code is ExitCode.RESIDUE else "green"))
        if self._code is ExitCode.RESIDUE:
            for each in self._described.get("left", ()):
                table.add_row("", Text(f"left: {plain(each)}"))
            run = f"  (run {self._runs[-1]})" if self._runs else ""
            table.add_row("", Text(f"finish it with: {plain(self._settle)}{run}", style="bold"))
        if self._trace:
            yield Text(self._trace)
        yield from console.render(table, options)

    def _title(self) -> str:
        if self._code in _STOPPED:
            return "stopped"
        if self._code is ExitCode.BUG:
            return f"unexpected {self._described['class']}"
        return str(self._described["class"])

    def _state(self) -> str | None:
        if self._described["after_change"] is None and self._code in {
            ExitCode.NOTHING_CHANGED, ExitCode.REFUSED, *_STOPPED,
        }:  # fmt: skip
            return "nothing was changed"
        return _STATE.get(self._described["after_change"])
