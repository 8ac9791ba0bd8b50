"""Sweep whole OLTs: every ONU with its powers, as lines for programs or as a file that can be continued."""

from __future__ import annotations

import shlex
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from ponprobe.app import completing, outcome
from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.options import Problems, Road
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import ASK, app
from ponprobe.app.sweep_output import Format, ReaderGone, opened

if TYPE_CHECKING:
    from typing_extensions import Self

    from ponprobe.app.sweep_output import Sink
    from ponprobe.app.sweep_view import SweepProgress
    from ponprobe.models.addressing import PonPort
    from ponprobe.models.sweep import PortSkipped, SweepItem, SweepSummary, Tally
    from ponprobe.session.olt import Olt

_KEPT_CHARS = 200_000
"""What is kept of each dialogue in memory where nobody wants the transcript: there may be hundreds of OLTs."""
_ROWS = "Rows"
_ENDS = {"HostKeyError": ExitCode.REFUSED, "ConfigError": ExitCode.USAGE, "SecretMissing": ExitCode.USAGE}


@command(app, "sweep", rich_help_panel=ASK)
def sweep(
    desk: Desk,
    olts: Annotated[
        list[str],
        typer.Argument(
            metavar="OLT...",
            help="Inventory names or hosts of OLTs.",
            show_default=False,
            autocompletion=completing.olts,
        ),
    ],
    *,
    road: Road,
    pon: Annotated[
        list[str] | None,
        typer.Option("--pon", metavar="F/S/P", help="Only this PON port; repeat for more.", rich_help_panel=_ROWS),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="JSON Lines, or a table.", rich_help_panel=_ROWS)
    ] = Format.JSONL,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Instead of stdout.", rich_help_panel=_ROWS),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where FILE ends; ports in it are not read.", rich_help_panel=_ROWS),
    ] = False,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=256, help="OLTs at a time.", rich_help_panel="Output")
    ] = 8,
    with_distance: Annotated[
        bool,
        typer.Option(
            "--with-distance", help="Ask each ONU's page for distance and last down cause.", rich_help_panel=_ROWS
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no summary.", rich_help_panel="Output")
    ] = False,
) -> ExitCode:
    """Every ONU of whole OLTs: powers, losses, state. 4: some ports not read, 5: none."""
    names = tuple(dict.fromkeys(olts))
    started = datetime.now(timezone.utc)
    try:
        ports = _checked(desk, road, names, pon or [], output, resume=resume)
        stack = ExitStack()
        sink, done = stack.enter_context(opened(output, form, resume=resume))
        hired = _opened_with(stack, desk, names, road)
    except Exception as error:
        from ponprobe.models.sweep import Tally  # noqa: PLC0415 - help and version need no models

        # whoever reads the stream waits for its last line, also where there is no other
        if output is None and form is Format.JSONL and not (desk.events or desk.json):
            with opened(None, form, resume=False) as (lines, _), suppress(ReaderGone):
                lines.finish(_summary(Tally(), started, outcome.of_error(error), _told(desk, error)))
        raise
    from ponprobe.app.sweep_view import SweepProgress, SweepView  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.models.sweep import Tally  # noqa: PLC0415
    from ponprobe.session.sweep import sweep_many  # noqa: PLC0415

    tally = Tally()
    with stack:
        # rows on the same terminal would run into the bar
        hidden = quiet or (output is None and sys.stdout.isatty())
        try:
            with SweepProgress(desk.console, len(names), hidden=hidden) as progress:
                crew = min(parallel, len(hired))
                stream = sweep_many(hired, ports=ports, done=done, with_distance=with_distance, parallel=crew)
                _pass_on(stream, sink, tally, progress)
        except ReaderGone:
            return ExitCode.DONE
        except BaseException as error:
            # the first error is the one to tell of, whatever the last line meets
            with suppress(Exception):
                sink.finish(_summary(tally, started, outcome.of_error(error), _told(desk, error)))
            raise
        code = _code(tally)
        summary = _summary(tally, started, code, None)
        with suppress(ReaderGone):
            sink.finish(summary)
    desk.data({**summary.model_dump(mode="json", exclude={"schema_version"}), "not_read": _dumps(tally.skipped)})
    if not quiet:
        again = None if output is None else _again(names, road, ports, form, output, with_distance=with_distance)
        desk.show(SweepView(summary, tally.skipped, again=again))
    return code


def _opened_with(stack: ExitStack, desk: Desk, names: tuple[str, ...], road: Road) -> _Hired:
    """Check every OLT; where one cannot be connected to, what is open already is closed."""
    try:
        return stack.enter_context(_Hired(desk, names, road))
    except BaseException:
        stack.close()
        raise


def _told(desk: Desk, error: BaseException) -> dict[str, object]:
    told = outcome.error_object(error)
    told["message"] = desk.scrubber.scrub(told["message"])
    return told


def _checked(
    desk: Desk, road: Road, names: tuple[str, ...], pon: list[str], output: Path | None, *, resume: bool
) -> tuple[PonPort, ...] | None:
    from ponprobe.models.addressing import PonPort  # noqa: PLC0415

    problems = Problems()
    ports = [problems.attempt("--pon", lambda text=text: PonPort.parse(text)) for text in pon]  # type: ignore[misc]
    if resume and output is None:
        problems.add("--resume", "needs --output: what was read is looked for there")
    if desk.events:
        problems.add("--events", "a sweep's rows are JSON Lines already; leave it out")
    if desk.json and output is None:
        problems.add("--json", "needs --output: stdout has the rows, and their last line is the summary")
    if road.host is not None and len(names) > 1:
        problems.add("--host", "is one address, and several OLTs are named")
    problems.stop_if_any()
    return tuple(port for port in ports if port is not None) or None


def _pass_on(stream: Iterator[SweepItem], sink: Sink, tally: Tally, progress: SweepProgress) -> None:
    with closing(stream):  # type: ignore[type-var]  # a generator; its type does not say so
        try:
            for item in stream:
                sink.write(item)
                tally.count(item)
                progress.hear(item, tally)
        except KeyboardInterrupt:
            progress.stopping()
            raise


class _Held:
    """One OLT that waits for its turn; left, its session and its transcript are closed."""

    def __init__(self, olt: Olt, stack: ExitStack, desk_lock: Lock) -> None:
        self._olt: Olt | None = olt
        self._stack = stack
        self._lock = desk_lock

    def __enter__(self) -> Olt:
        olt, self._olt = self._olt, None
        assert olt is not None  # each is entered once  # noqa: S101
        return olt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stack.close()


class _Hired(Iterator[_Held]):
    """The OLTs of the command line in order. All are checked before anything is sent; none is held when it is done."""

    def __init__(self, desk: Desk, names: tuple[str, ...], road: Road) -> None:
        lock = Lock()
        self._waiting: deque[_Held] = deque()
        self._desk_lock = lock
        try:
            for name in names:
                stack = ExitStack()
                olt = stack.enter_context(desk.olt(name))
                olt.on_event = None  # threads, and a sweep's lines are not events of one run
                if road.transcript is None or road.transcript.suffix == ".jsonl":
                    olt.transcript.limit_chars = _KEPT_CHARS
                self._waiting.append(_Held(olt, stack, lock))
        except BaseException:
            self.__exit__()
            raise

    def __len__(self) -> int:
        return len(self._waiting)

    def __next__(self) -> _Held:
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # those that nobody has begun; the others close themselves
        while self._waiting:
            self._waiting.popleft().__exit__(None, None, None)


def _summary(tally: Tally, started: datetime, code: ExitCode, error: dict[str, object] | None) -> SweepSummary:
    from ponprobe.models.sweep import SweepSummary  # noqa: PLC0415

    return SweepSummary(
        olts=len(tally.olts),
        onus=tally.onus,
        ports_read=tally.ports_read,
        ports_done_before=tally.ports_done_before,
        ports_not_read=len(tally.skipped),
        started_at=started,
        at=datetime.now(timezone.utc),
        exit_code=int(code),
        error=error,
    )


def _code(tally: Tally) -> ExitCode:
    """All read: 0. Some not: 4, there is no telling about those. None: what kept us from it."""
    if not tally.skipped:
        return ExitCode.DONE
    if tally.ports_read or tally.ports_done_before:
        return ExitCode.UNDETERMINED
    codes = {_ENDS.get(each.error_class, ExitCode.NOTHING_CHANGED) for each in tally.skipped}
    return codes.pop() if len(codes) == 1 else ExitCode.NOTHING_CHANGED


def _dumps(skipped: list[PortSkipped]) -> list[dict[str, object]]:
    return [each.model_dump(mode="json", exclude={"schema_version", "event"}) for each in skipped]


def _again(
    names: tuple[str, ...],
    road: Road,
    ports: tuple[PonPort, ...] | None,
    form: Format,
    output: Path,
    *,
    with_distance: bool,
) -> str:
    words = ["ponprobe", "sweep", *names, *road.again()]
    words += [word for port in ports or () for word in ("--pon", str(port))]
    words += [] if form is Format.JSONL else ["--format", form.value]
    words += ["--with-distance"] if with_distance else []
    return shlex.join([*words, "--output", str(output), "--resume"])
