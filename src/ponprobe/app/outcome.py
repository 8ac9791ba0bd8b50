"""How a command ends: one exit code, one error object for programs, for every way a run can go.

Residue beats everything: whatever else happened, an object of ours on somebody's OLT must reach a person.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ponprobe.errors import (
    AlreadyExists,
    ConfigError,
    ConnectError,
    DriverNotFound,
    HostKeyError,
    IllegalTransition,
    LeaseConflict,
    NotOurs,
    PonprobeError,
    ResidueError,
    ResourceBusy,
    RevokeError,
    SessionLost,
    TransportTimeout,
    VlanInUse,
    WrongPort,
)

if TYPE_CHECKING:
    from ponprobe.models.judgement import Outcome

SCHEMA = 1
"""The major version of everything printed to stdout; additions keep it."""


class ExitCode(IntEnum):
    """What the command tells the shell. A verdict never uses 1 or 2, which Python and usage errors take."""

    DONE = 0
    BUG = 1
    USAGE = 2
    FAIL = 3
    UNDETERMINED = 4
    NOTHING_CHANGED = 5
    ROLLED_BACK = 6
    RESIDUE = 7
    REFUSED = 8
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done, 达标, OLT clean",
    ExitCode.BUG: "unexpected error, a bug",
    ExitCode.USAGE: "wrong option, configuration or secret reference, nothing sent",
    ExitCode.FAIL: "不达标, OLT clean",
    ExitCode.UNDETERMINED: "无法判定, OLT clean; of a sweep: some ports not read",
    ExitCode.NOTHING_CHANGED: "device or connection failure, or --timeout, nothing changed",
    ExitCode.ROLLED_BACK: "failure or --timeout after a change, rolled back and proven",
    ExitCode.RESIDUE: "RESIDUE: something of ours may be left, whatever else happened (ponprobe recover)",
    ExitCode.REFUSED: "refused by a safety rule: ONU registered or seen elsewhere, VLAN or run in use, not ours, "
    "host key not trusted",
    ExitCode.HUNG_UP: "SIGHUP (the terminal is gone), OLT clean",
    ExitCode.INTERRUPTED: "Ctrl-C, OLT clean",
    ExitCode.TERMINATED: "SIGTERM, OLT clean",
}
"""What each code means; ``ponprobe --help`` prints this table. A batch ends with its worst: see ``ORDER``."""

ORDER = (7, 1, 6, 143, 130, 129, 5, 8, 2, 3, 4, 0)
"""Which code of a batch a person has to look at first; the other codes are not those of an item."""

_SAFETY = (IllegalTransition, AlreadyExists, WrongPort, VlanInUse, NotOurs, LeaseConflict, HostKeyError)
_USAGE = (ConfigError, DriverNotFound)


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to stop; everything that reverts on Ctrl-C reverts on this."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    def again(self) -> Interrupted:
        """Make the same for another thread: what one of them notes on it must not be taken for another's."""
        return type(self)(self.signum)


class TimedOut(Interrupted):
    """The time of ``--timeout`` is over; what was under way is taken back, as on Ctrl-C."""

    def __init__(self, timeout_s: float) -> None:
        KeyboardInterrupt.__init__(self, f"--timeout {timeout_s:g}")
        self.signum = 0
        self.timeout_s = timeout_s

    def again(self) -> TimedOut:
        """Make the same for another thread."""
        return type(self)(self.timeout_s)


_BY_SIGNAL = {"SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HUNG_UP}


_RETRYABLE = (ConnectError, TransportTimeout, SessionLost, ResourceBusy, LeaseConflict, TimedOut)


def of_error(error: BaseException) -> ExitCode:
    """Return the exit code of a command that ended with this error."""
    after_change = getattr(error, "after_change", None)
    if after_change == "residue" or isinstance(error, ResidueError):
        return ExitCode.RESIDUE
    if isinstance(error, TimedOut):
        return ExitCode.NOTHING_CHANGED if after_change is None else ExitCode.ROLLED_BACK
    if isinstance(error, KeyboardInterrupt):
        return _BY_SIGNAL.get(str(error), ExitCode.INTERRUPTED)
    if not isinstance(error, PonprobeError):
        return ExitCode.BUG
    if after_change == "rolled_back":
        return ExitCode.ROLLED_BACK
    return of_kind(type(error))


def of_kind(kind: type[BaseException]) -> ExitCode:
    """Return the exit code that a class of our errors stands for, where nothing had been changed."""
    if issubclass(kind, _USAGE):
        return ExitCode.USAGE
    if issubclass(kind, _SAFETY):
        return ExitCode.REFUSED
    return ExitCode.RESIDUE if issubclass(kind, RevokeError) else ExitCode.NOTHING_CHANGED


def of_verdict(outcome: Outcome | None, *, clean: bool) -> ExitCode:
    """Return the exit code of a measurement that came to its end; ``clean`` is whether the OLT is as it should be."""
    if not clean:
        return ExitCode.RESIDUE
    words = {"pass": ExitCode.DONE, "fail": ExitCode.FAIL}
    return words.get(str(outcome), ExitCode.UNDETERMINED)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code of a batch: the one that a person has to look at first."""
    found = tuple(codes)
    return next((ExitCode(code) for code in ORDER if code in found), ExitCode.DONE)


def error_object(error: BaseException) -> dict[str, Any]:
    """Return what ``--json`` and the last line of ``--events`` print of an error; holds no secret."""
    after_change = getattr(error, "after_change", None)
    described: dict[str, Any] = {
        "class": name_of(error),
        "message": message_of(error),
        "hint": getattr(error, "hint", None),
        "retryable": isinstance(error, _RETRYABLE) and after_change != "residue" and not _for_another(error),
        "after_change": after_change,
    }
    if isinstance(error, WrongPort):
        described |= {"recorded": str(error.recorded), "found": str(error.found)}
    if isinstance(error, ResidueError):
        described["left"] = [str(getattr(left, "what", left)) for left in error.left]
    return described


def _for_another(error: BaseException) -> bool:
    """Whether a request id was used for something else: asking again will never help."""
    return name_of(error) == "RequestConflict" and "still running" not in str(error)


def name_of(error: BaseException) -> str:
    """Return the name of an error's class as the documentation has it."""
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """Return what went wrong, without the hint, which has its own place."""
    if isinstance(error, TimedOut):
        return f"it was not done within {error.timeout_s:g} s (--timeout)"
    if isinstance(error, KeyboardInterrupt):
        return f"by {error}" if str(error) in _BY_SIGNAL else "by Ctrl-C"
    if not isinstance(error, PonprobeError):
        return str(error) or name_of(error)
    host = getattr(error, "host", "")
    needs_host = host and host not in error.message
    return f"{host}: {error.message}" if needs_host else error.message


def finite(value: Any) -> Any:
    """Return JSON data without NaN and infinity, which JSON does not have: an absent number is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
