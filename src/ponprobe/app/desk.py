"""Where a command meets its readers: JSON on stdout for programs, everything for people on stderr.

The desk also ends a command: it turns whatever happened into an exit code, an error object and a sentence, and asks the
journal, not its memory, whether something was left on a device.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ponprobe.app import outcome
from ponprobe.app.interrupts import stoppable
from ponprobe.app.options import Output, Problems, Road, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.errors import ConfigError, TransportError
from ponprobe.redact import Scrubber, ScrubbingFilter

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ponprobe.app.progress import Phases
    from ponprobe.config import SnmpEntry
    from ponprobe.models.run import RunEvent
    from ponprobe.session.olt import Olt
    from ponprobe.transports.record import Transcript


class Desk:
    """One command's readers and what they are told."""

    def __init__(self, output: Output, road: Road | None = None, *, about: str = "") -> None:
        self.json = output.json
        self.events = road is not None and road.events
        self.verbose = output.verbose
        self.scrubber = Scrubber()
        self.runs: list[str] = []
        self.phases: Phases | None = None
        self._road = road
        self._no_color = output.no_color
        self._console: Console | None = None
        self._about = about
        self._seq = 0
        self._journal: str | None = None
        self._transcript: TextIO | None = None
        self._heard_transcripts: list[Transcript] = []
        self._handler: logging.Handler | None = None
        self._connected = False
        self._finished: dict[str, Any] = {}

    # ------------------------------------------------------------------ people

    @property
    def console(self) -> Console:
        """The terminal of whoever started the command; colours only if it has them and nobody minds."""
        if self._console is None:
            from rich.console import Console  # noqa: PLC0415 - programs that read JSON need no terminal

            self._console = Console(
                stderr=True, no_color=True if self._no_color else None, highlight=False, markup=False, emoji=False
            )
        return self._console

    def show(self, *what: RenderableType) -> None:
        """Show something to people; with ``--json`` or ``--events`` they are not the ones who read."""
        if not self.json and not self.events:
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
            _write_json({"schema": outcome.SCHEMA, **payload})

    def hear(self, event: RunEvent) -> None:
        """Take an event from a session: to the progress display, and on as JSON Lines."""
        if event.event == "planned":
            self.runs.append(event.run_id)
        if self.phases is not None:
            self.phases.hear(event)
        if event.event == "finished":
            # the line that ends the stream is the desk's: only it knows the exit code
            return
        if event.event == "command" and not self._connected:
            self._connected = True
            self._event(event.model_copy(update={"event": "connected", "data": {}}))
        self._event(event)

    def _event(self, event: RunEvent) -> None:
        if not self.events:
            return
        self._seq += 1
        _write_json(event.model_copy(update={"seq": self._seq}).model_dump(mode="json", by_alias=True))

    def _finish(self, code: ExitCode, error: dict[str, Any] | None) -> None:
        if not self.events:
            return
        from ponprobe.models.run import RunEvent  # noqa: PLC0415 - only with --events

        last = RunEvent(
            ts=datetime.now(timezone.utc),
            run_id=self.runs[-1] if self.runs else "",
            seq=0,
            event="finished",
            olt=self._about,
            data={"exit_code": int(code), "result": self._finished or None},
            error=error,
        )
        self._event(last)

    # ------------------------------------------------------------------ devices

    @contextmanager
    def olt(self, name: str, road: Road | None = None) -> Iterator[Olt]:
        """Connect to an OLT by inventory name or host; log out at the end and keep the transcript."""
        olt = connected(name, road or self._road or Road())
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
                yield olt
        finally:
            if self._transcript is not None and not self._as_json_lines:
                self._transcript.write(transcript.text())
                self._transcript.flush()

    def cover(self, *secrets: str) -> None:
        """Make sure that these values appear in nothing that this command writes."""
        self.scrubber.add(*secrets)

    @property
    def _as_json_lines(self) -> bool:
        path = self._road.transcript if self._road else None
        return path is not None and path.suffix == ".jsonl"

    @contextmanager
    def _transcript_file(self) -> Iterator[None]:
        path = self._road.transcript if self._road else None
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
            with self._logging(), stoppable(self._stopping), self._transcript_file():
                code = command()
        except BaseException as error:  # noqa: BLE001 - everything ends here, Ctrl-C and bugs included
            return self._failed(error)
        self._finish(code, None)
        return code

    def _stopping(self, signals: int) -> None:
        """Tell people at once that the signal was heard: cleaning up takes a moment."""
        if not self.runs:
            return
        text = (
            "still taking the test ONU away; once more abandons it (then: ponprobe recover)"
            if signals > 1
            else "stopping: the test ONU is being taken away, please wait"
        )
        # this runs inside a signal handler: the terminal may be in the middle of a line
        with suppress(RuntimeError):
            if self.phases is not None and self.console.is_terminal:
                self.phases.stopping(text)
            else:
                self.console.print(text)

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
        if self.json:
            run = {"run_id": self.runs[-1]} if self.runs else {}
            _write_json({"schema": outcome.SCHEMA, "error": described, **run})
        self._finish(code, described)
        from ponprobe.app.failure import failure  # noqa: PLC0415 - rich loads only when there is something to show

        trace = self.scrubber.scrub(_traceback(error)) if self.verbose and code is ExitCode.BUG else None
        self.console.print(failure(error, code, described, self.runs, trace))
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


def connected(name: str, road: Road) -> Olt:
    """Make the ``Olt`` that a name and the connection options mean; options go over the inventory entry."""
    from ponprobe import config  # noqa: PLC0415 - help and version need neither
    from ponprobe.connect import connect  # noqa: PLC0415

    problems = Problems()
    references = (road.password, road.enable_password, road.community)
    for option, reference in zip(("--password", "--enable-password", "--snmp-community"), references, strict=True):
        if reference is not None and not config.is_secret_reference(reference):
            problems.add(option, "write env:NAME, file:PATH or ask: - a secret on the command line is seen by all")
    if road.timeout is not None and not 0 < road.timeout <= 86400:
        problems.add("--timeout", "must be a number of seconds, more than 0")
    problems.stop_if_any()
    given: dict[str, Any] = {
        "platform": road.platform,
        "username": road.username,
        "password": road.password,
        "enable_password": road.enable_password,
        "access": road.access.value if road.access else None,
        "port": road.tcp_port,
    }
    if road.community is not None:
        given["snmp"] = config.SnmpEntry.model_validate({"community": road.community})
    if road.snmp_port is not None:
        snmp = given.get("snmp") or _known_snmp(name, road)
        if snmp is None:
            raise WrongInput(["--snmp-port: needs --snmp-community, or SNMP settings in the inventory"])
        given["snmp"] = snmp.model_copy(update={"port": road.snmp_port})
    behaviour: dict[str, Any] = (
        {} if road.timeout is None else {"connect_timeout_s": road.timeout, "reply_timeout_s": road.timeout}
    )
    if road.routes is not None:
        behaviour["routes"] = road.routes
    target = name
    if road.host is not None:
        target = road.host
        entry = config.load(road.config).olts.get(name)
        if entry is not None:
            known = {key: getattr(entry, key) for key in (*given, "snmp")}
            given = {key: value if given.get(key) is None else given[key] for key, value in known.items()}
    olt = connect(target, **given, config_file=road.config, **behaviour)
    if road.host is not None:
        olt.name = name
    return olt


def _known_snmp(name: str, road: Road) -> SnmpEntry | None:
    from ponprobe import config  # noqa: PLC0415

    entry = config.load(road.config).olts.get(name)
    return None if entry is None else entry.snmp


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def file_text(path: Path | None) -> str:
    """Read a file of device text, or stdin for ``-``."""
    if path is None or str(path) == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as exc:
        raise ConfigError(f"FILE: {path} cannot be read: {exc.strerror}") from exc
