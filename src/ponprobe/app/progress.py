"""What is going on right now, for the person who waits: one line on the terminal, never in a file."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from ponprobe.app.glyphs import plain

if TYPE_CHECKING:
    from typing_extensions import Self

    from ponprobe.models.run import RunEvent


class Phases:
    """A live line with a spinner, the phase, how long it has lasted, and the command that was sent last."""

    def __init__(self, console: Console, what: str, *, samples: int = 1, online_timeout_s: float = 0) -> None:
        self._samples = samples
        self._online_timeout_s = online_timeout_s
        self._taken = 0
        self._planned = False
        self._stopping = False
        ascii_only = console.options.ascii_only
        self._progress = Progress(
            SpinnerColumn("line" if ascii_only else "dots"),
            _Elapsed(),
            TextColumn("{task.description}", markup=False),
            _LastLine(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._what = what
        self._task = self._progress.add_task(f"connecting to {plain(what)}", total=None, line="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Show another phase; its clock starts anew."""
        self._progress.reset(self._task, description=text)

    def stopping(self, text: str) -> None:
        """Say that the run is being stopped; what still happens does not change that."""
        self._stopping = True
        self.say(text)

    def hear(self, event: RunEvent) -> None:
        """Follow a run."""
        if event.event == "command":
            if not self._planned and self._taken == 0:
                self._planned = True
                self.say(f"asking {plain(self._what)}")
            self._progress.update(self._task, line=plain(event.data.get("line", "")))
        text = None if self._stopping else self._phase(event)
        if text:
            self.say(text)

    def _phase(self, event: RunEvent) -> str | None:
        match event.event:
            case "planned":
                return f"registering the test ONU as {event.data.get('onu', '')}"
            case "activated":
                limit = f", at most {self._online_timeout_s:g} s" if self._online_timeout_s else ""
                return f"waiting until the ONU is online{limit}"
            case "online":
                return f"reading powers, sample 1 of {self._samples}"
            case "sample":
                self._taken += 1
                if self._taken < self._samples:
                    return f"reading powers, sample {self._taken + 1} of {self._samples}"
            case "verdict":
                return "revoking, and proving that nothing is left"
        return None


class _Elapsed(ProgressColumn):
    """How long this phase has lasted."""

    def render(self, task: Task) -> Text:
        """Whole seconds: the eye should rest on the words."""
        return Text(f"{task.elapsed or 0:3.0f} s", style="cyan")


class _LastLine(ProgressColumn):
    """The last command, cut to what is left of the line."""

    def render(self, task: Task) -> Text:
        """Dim, as it is for the curious."""
        return Text(task.fields.get("line", ""), style="dim", no_wrap=True, overflow="ellipsis")
