"""Many OLTs at work for one command: heard while it happens, and stopped at their next line when a signal comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ponprobe.app.outcome import Interrupted
from ponprobe.app.progress import Phases

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.app.options import Road
    from ponprobe.models.run import RunEvent
    from ponprobe.session.olt import Olt

T = TypeVar("T")


class Team(Phases):
    """The OLTs of one command, worked on by threads; its signals reach all of them."""

    def __init__(self, desk: Desk, what: str) -> None:
        super().__init__(desk.console, what)
        desk.many = True
        self.say(what)
        self._desk = desk
        self._about = what
        self._of = 0
        self._lock = Lock()
        self._open = ExitStack()
        self._seen: Counter[str] = Counter()
        self._stopped_by: Interrupted | None = None

    # ------------------------------------------------------------------ OLTs

    def hire(self, target: str, road: Road, *, name: str | None = None) -> Olt:
        """Connect to an OLT for as long as the command lasts; nothing is sent yet. ``name`` is the journal's for it."""
        if self._stopped_by is not None:
            raise self._stopped_by.again()
        with self._lock:
            olt = self._open.enter_context(self._desk.olt(target, road))
        olt.name = name or olt.name
        told = False

        def heard(event: RunEvent) -> None:
            nonlocal told
            with self._lock:
                self._desk.hear(event)
            # before a line is sent, and nowhere else: a session is prepared for an end there. And once for each OLT:
            # what follows is the clean-up, which must not be stopped
            if self._stopped_by is not None and event.event in {"planned", "command"} and not told:
                told = True
                raise self._stopped_by.again()

        olt.on_event = heard
        return olt

    @property
    def hearing(self) -> Lock:
        """Held while something is told: threads take turns."""
        return self._lock

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Show what happens, and close every OLT at the end."""
        with self._open, self._desk.working(self):
            yield

    # ------------------------------------------------------------------ what people see

    def expect(self, splitters: int) -> None:
        """Say how many splitters there are to work on."""
        self._of = splitters

    def hear(self, event: RunEvent) -> None:
        """Count the steps of all runs; a line of one of them would flicker."""
        if event.event == "command":
            self._progress.update(self._task, line="")
            return
        self._seen[event.event] += 1
        if self._stopped_by is None:
            names = (("activated", "registered"), ("verdict", "judged"), ("residue_checked", "proven gone"))
            told = ", ".join(f"{self._seen[name]} {word}" for name, word in names if self._seen[name])
            of = f" {self._of} splitters" if self._of else ""
            self._progress.update(self._task, description=f"{self._about}{of}: {told}" if told else self._about)

    # ------------------------------------------------------------------ the work

    def work(
        self, work: Callable[[], T], settle: Callable[[], object] = lambda: None
    ) -> tuple[T | None, Interrupted | None]:
        """Do the work in a thread of its own, so that a signal reaches somebody who is free to hear it.

        On a signal every OLT stops at its next step; if the work did not come to its end by itself, ``settle`` takes
        away with proof what was under way. Gives the outcome, if the work came to its end, and the signal, if any.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="batch") as crew:
            future = crew.submit(work)
            try:
                return future.result(), None
            except KeyboardInterrupt as signal:
                self._stopped_by = signal if isinstance(signal, Interrupted) else Interrupted(2)
                wait([future])
        stopped, self._stopped_by = self._stopped_by, None
        error = future.exception()
        if error is None:
            return future.result(), stopped
        settle()
        if not isinstance(error, KeyboardInterrupt):
            raise error
        return None, stopped
