"""Where a command meets its readers: JSON on stdout for programs, everything for people on stderr.

The desk also ends a command: it turns whatever happened into an exit code, an error object and a sentence, and asks the
journal, not its memory, whether something was left on a device.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from ponprobe.app import outcome
from ponprobe.app.interrupts import Stop, stoppable
from ponprobe.app.options import Output, Road, Watched, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.roads import connected
from ponprobe.app.streams import Unfailing, silence
from ponprobe.errors import ConfigError, PonprobeError, TransportError
from ponprobe.redact import Scrubber, ScrubbingFilter

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ponprobe.app.progress import Phases
    from ponprobe.models.run import RunEvent
    from ponprobe.session.olt import Olt
    from ponprobe.transports.record import Transcript


_UNPROVEN = {"open", "residue"}


class Desk:
    """One command's readers and what they are told."""

    def __init__(
        self,
        output: Output,
        watched: Watched | None = None,
        *,
        about: str = "",
        request_id: str | None = None,
    ) -> None:
        self.json = output.json
        self.events = watched is not None and watched.events
        self.verbose = output.verbose
        self.scrubber = Scrubber()
        self.runs: list[str] = []
        self.phases: Phases | None = None
        self.finish_with: str | None = None
        """The command that settles what this one leaves, where it is not ``recover``."""
        self._watched = watched or Watched()
        self._road = watched if isinstance(watched, Road) else Road()
        self._request_id = request_id
        self.many = False
        """Whether several OLTs work at the same time: then no single verdict is the end of it."""
        self._olt_of: dict[str, str] = {}
        self._removing: set[str] = set()
        self._judged = False
        self._stop = Stop()
        self._no_color = output.no_color
        self._console: Console | None = None
        self._about = about
        self._seq = 0
        self._journal: str | None = None
        self._transcript: TextIO | None = None
        self._heard_transcripts: list[Transcript] = []
        self._handler: logging.Handler | None = None
        self._connected: set[str] = set()
        self._finished: dict[str, Any] = {}
        self._ended = False
        # asked now: one that has gone would say that it is none
        self._terminals = [each for each in (sys.stderr, sys.stdout) if each.isatty()]

    # ------------------------------------------------------------------ people

    @property
    def console(self) -> Console:
        """The terminal of whoever started the command; colours only if it has them and nobody minds."""
        if self._console is None:
            from rich.console import Console  # noqa: PLC0415 - programs that read JSON need no terminal

            self._console = Console(
                file=cast("TextIO", Unfailing(sys.stderr)),
                no_color=True if self._no_color else None,
                highlight=False,
                markup=False,
                emoji=False,
            )
        return self._console

    def show(self, *what: RenderableType) -> None:
        """Show something to people; with ``--json`` or ``--events`` they are not the ones who read."""
        if not self.json and not self.events:
            self.tell(*what)

    def tell(self, *what: RenderableType) -> None:
        """Tell people what they must know whoever else reads."""
        for each in what:
            self.console.print(each)

    @contextmanager
    def working(self, phases: Phases) -> Iterator[None]:
        """Keep people informed while the device works, if there is a terminal to do it on."""
        self.phases = phases
        try:
            with phases:
                yield
        finally:
            self.phases = None

    # ------------------------------------------------------------------ programs

    def data(self, payload: dict[str, Any]) -> None:
        """Print the command's one JSON object, if programs asked for it; the last event carries it, too."""
        self._finished = payload
        if self.json:
            self._write({"schema": outcome.SCHEMA, **payload})

    def hear(self, event: RunEvent) -> None:
        """Take an event from a session: to the progress display, and on as JSON Lines."""
        if event.event == "planned":
            self.runs.append(event.run_id)
            self._olt_of[event.run_id] = event.olt
        self._judged |= event.event == "verdict"
        if self.phases is not None:
            self.phases.hear(event)
        if event.event == "finished":
            # the line that ends the stream is the desk's: only it knows the exit code
            return
        if event.event == "command" and event.olt not in self._connected:
            self._connected.add(event.olt)
            self._event(event.model_copy(update={"event": "connected", "data": {}}))
        self._event(event)

    def watch(self, run_id: str, *, to_remove_from: str | None = None) -> None:
        """Mind a run that an earlier command began: if this one fails, the journal says what state it is in.

        ``to_remove_from`` names its OLT where this command removes just this run: then a signal waits for that.
        """
        self.runs.append(run_id)
        if to_remove_from is not None:
            self._olt_of[run_id] = to_remove_from
            self._removing.add(run_id)

    def unproven(self) -> list[tuple[str, str]]:
        """Give the runs of this command that the journal does not call clean, each with its OLT."""
        return [(run_id, self._olt_of.get(run_id, "")) for run_id in self.runs if self._state_of(run_id) in _UNPROVEN]

    def item(self, name: str, about: RunEvent, data: dict[str, Any], error: dict[str, Any] | None = None) -> None:
        """Tell the end of one item of a batch as a line of its own; ``about`` says which one, and when."""
        if self.events:
            line = {**about.model_dump(mode="json", by_alias=True), "event": name, "data": data, "error": error}
            self._numbered(line)

    def _event(self, event: RunEvent) -> None:
        if self.events:
            self._numbered(event.model_dump(mode="json", by_alias=True))

    def _numbered(self, line: dict[str, Any]) -> None:
        self._seq += 1
        self._write({**line, "seq": self._seq})

    def _write(self, payload: dict[str, Any]) -> None:
        if self._request_id is not None:
            payload = {**payload, "request_id": self._request_id}
        _write_json(payload)

    def _finish(self, code: ExitCode, error: dict[str, Any] | None) -> None:
        if not self.events or self._ended:
            return
        self._ended = True
        from ponprobe.models.run import RunEvent  # noqa: PLC0415 - only with --events

        last = RunEvent(
            ts=datetime.now(timezone.utc),
            run_id=self.runs[-1] if self.runs else "",
            seq=0,
            event="finished",
            olt=self._about,
            data={"exit_code": int(code), "result": self._finished or None},
            error=error or self._finished.get("error"),
        )
        self._event(last)

    # ------------------------------------------------------------------ devices

    @contextmanager
    def olt(self, name: str, road: Road | None = None) -> Iterator[Olt]:
        """Connect to an OLT by inventory name or host; log out at the end and keep the transcript.

        A signal that came in the middle of a removal does not end it: what it left is taken away before the log-out.
        """
        olt = connected(name, road or self._road)
        self._journal = olt.settings.journal
        olt.on_event = self.hear
        transcript = olt.transcript
        if transcript not in self._heard_transcripts:
            self._heard_transcripts.append(transcript)
            if self._transcript is not None and self._as_json_lines:
                transcript.sink = self._transcript
        if self._handler is not None:
            self._handler.addFilter(ScrubbingFilter(transcript.scrubber))
        try:
            with olt:
                try:
                    yield olt
                except KeyboardInterrupt as stop:
                    self._take_away(olt, stop)
                    raise
        finally:
            if self._transcript is not None and not self._as_json_lines:
                self._transcript.write(transcript.text())
                self._transcript.flush()

    def _take_away(self, olt: Olt, stop: KeyboardInterrupt) -> None:
        """Finish the removal that a signal has cut off, unless it was seen to, or somebody insists on the end."""
        if self._stop.given_up or getattr(stop, "after_change", None) is not None:
            return
        for run_id in self.runs:
            wanted = _UNPROVEN | ({"kept"} if run_id in self._removing else set())
            if self._olt_of.get(run_id) == olt.name and self._state_of(run_id) in wanted:
                # the journal keeps what could not be done, and the end asks it
                with suppress(PonprobeError):
                    olt.revoke(run_id)

    def cover(self, *secrets: str) -> None:
        """Make sure that these values appear in nothing that this command writes."""
        self.scrubber.add(*secrets)

    @property
    def _as_json_lines(self) -> bool:
        path = self._watched.transcript
        return path is not None and path.suffix == ".jsonl"

    @contextmanager
    def _transcript_file(self) -> Iterator[None]:
        path = self._watched.transcript
        if path is None:
            yield
            return
        try:
            # for the user alone: the dialogue holds no secrets, but the plant of a whole city
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as exc:
            raise ConfigError(f"--transcript: {path} cannot be written: {exc.strerror}") from exc
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            self._transcript = file
            try:
                yield
            finally:
                self._transcript = None
                for transcript in self._heard_transcripts:
                    transcript.sink = None

    # ------------------------------------------------------------------ the end

    def run(self, command: Callable[[], ExitCode]) -> ExitCode:
        """Run a command to its end, whatever that is, and return the exit code."""
        try:
            with self._logging(), stoppable(self._stopping, timeout_s=self._patience()) as self._stop:
                self._stop.settled = lambda: bool(self._finished) or (self._judged and not self.many)
                return self._to_its_end(command)
        except WrongInput as error:
            return self._failed(error)

    def _to_its_end(self, command: Callable[[], ExitCode]) -> ExitCode:
        try:
            with self._transcript_file():
                code = command()
        except BaseException as error:  # noqa: BLE001 - everything ends here, Ctrl-C and bugs included
            self._stop.ending()
            return self._failed(error)
        self._stop.ending()
        self._finish(code, None)
        return code

    def _patience(self) -> float | None:
        timeout_s = self._watched.timeout
        if timeout_s is not None and not 0 < timeout_s <= 86400:
            raise WrongInput(["--timeout: must be a number of seconds, more than 0 and at most a day"])
        return timeout_s

    def _stopping(self, signals: int) -> None:
        """Tell people at once that the signal was heard: cleaning up takes a moment."""
        if self._stop.hung_up:
            silence(*self._terminals)
        if not self.runs or signals > 2:
            return
        text = (
            f"still taking the test ONU away; once more abandons it (then: {self._recovery()})"
            if signals > 1
            else "stopping: the test ONU is being taken away, please wait"
        )
        # this runs inside a signal handler: the terminal may be in the middle of a line, or gone
        with suppress(RuntimeError):
            if self.phases is not None and self.console.is_terminal:
                self.phases.stopping(text)
            else:
                self.console.print(text)

    def _recovery(self) -> str:
        """Give the command that finishes what this one may leave; asks nobody, as a signal handler wants to know."""
        return self.finish_with or shlex.join(["ponprobe", "recover", *self._road.again()])

    def _settle_with(self) -> str:
        """Give that command when the end is told: what stands there on purpose is for ``revoke``."""
        kept = next((run_id for run_id in self._olt_of if self._state_of(run_id) == "kept"), None)
        if kept is None or self.finish_with is not None:
            return self._recovery()
        return shlex.join(["ponprobe", "revoke", self._olt_of[kept], *self._road.again(), kept])

    def _failed(self, error: BaseException) -> ExitCode:
        self._ask_the_journal(error)
        code = outcome.of_error(error)
        described = outcome.error_object(error)
        for key in ("message", "hint"):
            described[key] = self.scrubber.scrub(described[key]) if described[key] else None
        if isinstance(error, TransportError) and described["after_change"] is not None:
            # what the road's own hint is about has been done: the device was looked at again, or could not be
            described["hint"] = "run it again" if code is ExitCode.ROLLED_BACK else None
        if code is ExitCode.BUG:
            described["hint"] = "please report this with the output of -v; ponprobe recover proves the OLT clean"
        # a full disk behind stdout must not hide what became of the OLT
        with suppress(OSError):
            if self.json:
                run = {"run_id": self.runs[-1]} if self.runs else {}
                self._write({"schema": outcome.SCHEMA, "error": described, **run})
            self._finish(code, described)
        from ponprobe.app.failure import failure  # noqa: PLC0415 - rich loads only when there is something to show

        trace = self.scrubber.scrub(_traceback(error)) if self.verbose and code is ExitCode.BUG else None
        settle = self._settle_with() if code is ExitCode.RESIDUE else None
        self.tell(failure(error, code, described, self.runs, trace, settle=settle))
        return code

    def _ask_the_journal(self, error: BaseException) -> None:
        """Find out what became of the runs of this command, where the error itself does not say."""
        if getattr(error, "after_change", None) is not None or not self.runs or self._journal is None:
            return
        states = {state for state in map(self._state_of, self.runs) if state is not None}
        if states:
            left = states & {"open", "residue", "kept"}
            error.after_change = "residue" if left else "rolled_back"  # type: ignore[attr-defined]

    def _state_of(self, run_id: str) -> str | None:
        from ponprobe.connect import journal_at  # noqa: PLC0415 - the database loads slowly

        try:
            return journal_at(self._journal or "").run(run_id).state
        except ConfigError:
            return None  # stopped before the run was opened: nothing was sent
        except Exception:  # noqa: BLE001 - a journal that cannot be read proves nothing
            return "open"

    @contextmanager
    def _logging(self) -> Iterator[None]:
        if not self.verbose:
            yield
            return
        from rich.logging import RichHandler  # noqa: PLC0415 - only with -v

        logger = logging.getLogger("ponprobe")
        self._handler = handler = RichHandler(
            console=self.console, show_path=False, markup=False, rich_tracebacks=False
        )
        handler.addFilter(ScrubbingFilter(self.scrubber))
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if self.verbose > 1 else logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            self._handler = None
            logger.setLevel(before)


def _traceback(error: BaseException) -> str:
    import traceback  # noqa: PLC0415

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def _write_json(payload: dict[str, Any]) -> None:
    """Write one line of JSON that every reader can read: no NaN, and ASCII where the terminal has no UTF-8."""
    text = json.dumps(outcome.finite(payload), ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(outcome.finite(payload), allow_nan=False)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read has had enough; that is no reason to stop in the middle of a run, or to call it a failure
        silence(sys.stdout)


def file_text(path: Path | None) -> str:
    """Read a file of device text, or stdin for ``-``."""
    if path is None or str(path) == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as exc:
        raise ConfigError(f"FILE: {path} cannot be read: {exc.strerror}") from exc
