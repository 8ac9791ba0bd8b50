"""What the store and the process refuse, beside the errors of the whole library."""

from __future__ import annotations

from ponprobe.errors import LeaseConflict, PonprobeError


class StoreError(PonprobeError):
    """The database did not do what was asked; nothing of the change is in it."""


class RequestConflict(LeaseConflict):
    """A request id is used a second time with another body, or while the first one is still running."""


class NotReady(PonprobeError):
    """A step of the process is refused; ``reasons`` names everything that stands against it, not just the first."""

    def __init__(self, message: str, *, reasons: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(f"{message}: {'; '.join(reasons)}", hint=hint)
        self.reasons = reasons
