"""A refused login is remembered: devices lock a user out after a few, and a batch would try again at every splitter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ponprobe.errors import AuthError

_LOCKED_FOR_S = 60.0


@dataclass(slots=True)
class Lockout:
    """The last refused login of one user on one road, and until when nobody tries again."""

    refused: AuthError | None = None
    until: float = 0.0

    def enter(self, log_in: Callable[[], object]) -> None:
        """Log in, unless that was refused a moment ago: then raise the same refusal without asking."""
        if self.refused is not None and time.monotonic() < self.until:
            raise self.refused.again()
        try:
            log_in()
        except AuthError as exc:
            self.refused, self.until = exc, time.monotonic() + _LOCKED_FOR_S
            raise
        self.refused = None
