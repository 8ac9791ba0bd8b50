"""Stop on Ctrl-C and SIGTERM in a way that leaves time to take the test ONU away again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ponprobe.app.outcome import Interrupted


@contextmanager
def stoppable(stopping: Callable[[int], None]) -> Iterator[None]:
    """Let the first signal raise ``Interrupted``, hold back the second, and obey the third.

    Removing an ONU from a device that answers slowly can last longer than a person's patience; one more Ctrl-C must
    not make a mess of it by accident. ``stopping`` is told how many there have been, with the first and the second.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only; whoever called from another one handles them
        return
    heard = 0

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1
        if heard <= 2:
            stopping(heard)
        if heard != 2:
            raise Interrupted(signum)

    before = {signum: signal.signal(signum, on_signal) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
