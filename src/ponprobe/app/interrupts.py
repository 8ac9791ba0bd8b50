"""Stop on Ctrl-C, SIGTERM, a lost terminal or a deadline in a way that leaves time to take the test ONU away again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ponprobe.app.options import WrongInput
from ponprobe.app.outcome import Interrupted, TimedOut

_HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""The terminal is gone; not on every system."""


class Stop:
    """What one command has heard of signals, and whether it still obeys the first of them."""

    def __init__(self) -> None:
        self.heard = 0
        self.hung_up = False
        self.settled: Callable[[], bool] = lambda: False
        """Whether nothing is left that a deadline could save: the result is there."""
        self._ending = False

    def ending(self) -> None:
        """Say that the end is being told: from now on only the third signal gets through."""
        self._ending = True

    @property
    def given_up(self) -> bool:
        """Whether somebody has insisted on an end without clean-up."""
        return self.heard > 2

    def obeys(self) -> bool:
        """Count a signal; the first raises, the second is held back, the third is obeyed whatever happens."""
        self.heard += 1
        return self.heard > 2 or (self.heard == 1 and not self._ending)


@contextmanager
def stoppable(stopping: Callable[[int], None], *, timeout_s: float | None = None) -> Iterator[Stop]:
    """Let the first signal raise ``Interrupted``, hold back the second, and obey the third.

    Removing an ONU from a device that answers slowly can last longer than a person's patience; one more Ctrl-C must
    not make a mess of it by accident. ``stopping`` is told how many there have been. After ``timeout_s`` seconds the
    same happens with ``TimedOut``, unless a signal came first or the work is ``settled``. Raises ``WrongInput`` for a
    ``timeout_s`` on a system without interval timers.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        if timeout_s is not None:
            raise WrongInput(["--timeout: works in the main thread of a process only"])
        yield stop  # signals reach the main thread only; whoever called from another one handles them
        return

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        stop.hung_up |= signum == _HANGUP
        obey = stop.obeys()
        stopping(stop.heard)
        if obey:
            raise Interrupted(signum)

    def on_deadline(_signum: int, _frame: FrameType | None) -> None:
        # the clean-up has no deadline: a test ONU that stays is worse than a command that ends late
        if stop.heard or stop.settled() or not stop.obeys():
            return
        stopping(stop.heard)
        raise TimedOut(timeout_s or 0.0)

    with _handled(on_signal), _deadline(on_deadline, timeout_s):
        yield stop


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    signals: list[int] = [signal.SIGINT, signal.SIGTERM]
    # nohup asks not to be told of a terminal that has gone
    if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
        signals.append(_HANGUP)
    before: dict[int, Any] = {signum: signal.signal(signum, handler) for signum in signals}
    try:
        yield
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)


@contextmanager
def _deadline(handler: Callable[[int, FrameType | None], None], timeout_s: float | None) -> Iterator[None]:
    if timeout_s is None:
        yield
        return
    if not hasattr(signal, "setitimer"):
        raise WrongInput(["--timeout: this system has no interval timer; let the scheduler end the command"])
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
