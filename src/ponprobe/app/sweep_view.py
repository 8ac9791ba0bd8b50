"""A sweep for the person who waits: one line while it runs, and at the end what was read and what was not."""

from __future__ import annotations

from itertools import groupby
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from ponprobe.app.glyphs import glyphs_for, plain
from ponprobe.app.tables import Listing
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepItem, SweepSummary, Tally

if TYPE_CHECKING:
    from typing_extensions import Self

_MOST_REASONS = 20


class SweepProgress:
    """A live line with a bar; its length is known when every OLT has said what ports it has."""

    def __init__(self, console: Console, olts: int, *, hidden: bool) -> None:
        self._olts = olts
        self._heard: set[str] = set()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[told]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[place]}", style="dim", markup=False),
            console=console,
            transient=True,
            disable=hidden or not console.is_terminal,
        )
        self._task = self._progress.add_task("connecting", total=None, told="", place="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stopping(self) -> None:
        """Say that the signal was heard: sessions log out before the command ends."""
        self._progress.update(self._task, description="stopping, logging out")

    def hear(self, item: SweepItem, tally: Tally) -> None:
        """Follow the sweep."""
        if not isinstance(item, OltStarted | PortDone | PortSkipped):
            return
        if isinstance(item, OltStarted) or item.port is None:
            self._heard.add(item.olt)
        told = f"{tally.ports_settled} ports" if tally.ports_settled != 1 else "1 port"
        known = len(self._heard) >= self._olts
        if known:
            told = f"{tally.ports_settled}/{tally.ports_expected} ports"
        told += f", {tally.onus} ONUs"
        if tally.skipped:
            told += f", {len(tally.skipped)} not read"
        self._progress.update(
            self._task,
            description="sweeping",
            completed=tally.ports_settled,
            total=tally.ports_expected if known else None,
            told=told,
            place=f"{plain(item.olt)} {'' if isinstance(item, OltStarted) else item.port or ''}",
        )


class SweepView:
    """The end of a sweep for people."""

    def __init__(self, summary: SweepSummary, skipped: list[PortSkipped], *, again: str | None) -> None:
        self._summary = summary
        self._skipped = skipped
        self._again = again

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, summary = glyphs_for(options), self._summary
        all_read = not self._skipped
        took = (summary.at - summary.started_at).total_seconds()
        read = f"{_many(summary.onus, 'ONU')} on {_many(summary.ports_read, 'port')} of {_many(summary.olts, 'OLT')}"
        sign, style = (glyphs.good, "bold green") if all_read else (glyphs.unsure, "bold yellow")
        if not summary.ports_read and not all_read:
            sign, style = glyphs.bad, "bold red"
        parts = [read, f"{took:.1f} s"]
        if summary.ports_done_before:
            parts.append(f"{_many(summary.ports_done_before, 'port')} had been read before")
        yield Text.assemble((f"{sign} {parts[0]}", style), *(f"{glyphs.dot}{part}" for part in parts[1:]))
        if all_read:
            return
        rows = list(_reasons(self._skipped, "..." if options.ascii_only else "…"))
        yield Text(f"{_many(len(self._skipped), 'port')} not read:", style=style)
        yield Listing(("OLT", "Ports", "Why", "Next"), rows[:_MOST_REASONS], none="")
        if len(rows) > _MOST_REASONS:
            yield Text(f"and {len(rows) - _MOST_REASONS} more: see the port_skipped lines", style="dim")
        if self._again:
            yield Text(f"{glyphs.arrow} read them with: {plain(self._again)}", style="bold")


def _reasons(skipped: list[PortSkipped], to: str) -> list[tuple[str, str, str, str | None]]:
    """Ports of an OLT that were left for the same reason, as one row."""
    found = []
    # what OLTs say alternates; each one's own order stays
    by_olt = sorted(skipped, key=lambda each: each.olt)
    for (olt, kind, why), group in groupby(by_olt, key=lambda each: (each.olt, each.error_class, each.error)):
        each = list(group)
        ports = [str(one.port) for one in each if one.port is not None]
        shown = "all of it" if not ports else ports[0] if len(ports) == 1 else f"{ports[0]} {to} {ports[-1]}"
        if len(ports) > 1:
            shown += f" ({len(ports)})"
        found.append((olt, shown, f"{kind}: {why}", each[0].hint))
    return found


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
