"""Every error ponprobe raises, as one tree.

::

    PonprobeError
    ├─ ConfigError                 SecretMissing  MissingExtra  UnitAmbiguity
    ├─ DriverNotFound  NotSupported
    ├─ TransportError(host, access)  ConnectError  AuthError  SessionLimit  HostKeyError  TransportTimeout  SessionLost
    ├─ DeviceError(host, command, output)
    │                              AlreadyExists  NotFound  ResourceBusy  PermissionDenied  VlanInUse  Rejected
    ├─ ParseError(template, text)
    ├─ WrongPort(recorded, found)
    ├─ PoolExhausted  LeaseConflict
    ├─ IllegalTransition(old, new)
    ├─ ImportProblem(problems)
    ├─ EvidenceError
    └─ RevokeError                 ResidueError(left)  NotOurs

A message says what was done, to which OLT and port, what it answered (first line), and what to do next. Whoever raises
an error has already removed secrets from the text.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


class PonprobeError(Exception):
    """Anything that went wrong in ponprobe.

    ``hint`` is the next step for a person; it is part of the message. ``after_change`` is set by the session when the
    error came after something had been changed on a device: ``None`` (nothing changed), ``"rolled_back"`` or
    ``"residue"``.
    """

    hint: str | None = None
    after_change: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} - {self.hint}" if self.hint else self.message

    def again(self) -> Self:
        """The same error for another caller: what became of one run must not stick to the next."""
        fresh = copy(self)
        fresh.after_change = None
        fresh.__traceback__ = fresh.__context__ = None
        return fresh

    def redact(self, scrub: Callable[[str], str]) -> None:
        """Cover secrets in everything this error can show; a cause that shows one is dropped."""
        for name in ("message", "hint", "command", "output", "text"):
            value = getattr(self, name, None)
            if isinstance(value, str):
                setattr(self, name, scrub(value))
        self.args = (self.message,)
        for cause in (self.__cause__, self.__context__):
            if cause is not None and not isinstance(cause, PonprobeError) and scrub(str(cause)) != str(cause):
                self.__cause__, self.__context__ = None, None


class ConfigError(PonprobeError):
    """A setting, an inventory entry or an argument is wrong; nothing has been sent to a device."""


class SecretMissing(ConfigError):
    """A secret reference (``env:``, ``file:``, ``ask:``) leads nowhere."""


class MissingExtra(ConfigError):
    """An optional part of ponprobe is used but its packages are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra!r}", hint=f"pip install 'ponprobe[{extra}]'")
        self.extra = extra


class UnitAmbiguity(ConfigError):
    """A limit is written in another unit than its quantity has, or in none, and nobody said what is meant."""


class DriverNotFound(PonprobeError):
    """No driver has the platform name that was asked for."""


class NotSupported(PonprobeError):
    """The device or its driver cannot do this; the reason is in the message."""


class TransportError(PonprobeError):
    """The road to the device failed. ``host`` is where, ``access`` is how (``ssh``, ``telnet``, ``snmp``...)."""

    def __init__(self, message: str, *, host: str = "", access: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.access = access


class ConnectError(TransportError):
    """No connection could be made."""


class AuthError(TransportError):
    """The device did not accept the user: wrong password or locked. Never retried, to avoid a lock-out."""


class SessionLimit(ConnectError):
    """The user has no free session on the device, and none became free within the deadline."""


class HostKeyError(TransportError):
    """The SSH host key is unknown under ``strict``, differs from the pinned one, or has changed."""


class TransportTimeout(TransportError):
    """The device did not answer in time."""


class SessionLost(TransportError):
    """The session ended in the middle of a dialogue; what was sent last may or may not have been executed."""


UNNAMED_COMMAND = "the command"


class DeviceError(PonprobeError):
    """The device refused a command. ``refused`` is the class of the refusal in the words of ``ponprobe parse``."""

    def __init__(
        self,
        message: str,
        *,
        host: str = "",
        command: str = "",
        output: str = "",
        refused: str = "other",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.command = command
        self.output = output
        self.refused = refused

    def __str__(self) -> str:
        text = super().__str__()
        return f"{self.host}: {text}" if self.host else text

    def name_command(self, command: str) -> None:
        """Say which line was refused, where whoever raised this did not know."""
        if self.command == UNNAMED_COMMAND:
            self.command = command
            self.message = self.message.replace(UNNAMED_COMMAND, command, 1)
            self.args = (self.message,)


class AlreadyExists(DeviceError):
    """What we wanted to create is there already, ours or somebody else's."""


class NotFound(DeviceError):
    """What the command speaks of does not exist: a port, a profile, an ONU."""


class ResourceBusy(DeviceError):
    """The device is busy (saving, loading, another configuration running) and stayed so until the deadline."""


class PermissionDenied(DeviceError):
    """The user may not run this command."""


class VlanInUse(DeviceError):
    """The CVLAN asked for is carried by somebody else's service on the same port."""


class Rejected(DeviceError):
    """Any other refusal; the device's own words are in the message."""


class ParseError(PonprobeError):
    """Device text that ponprobe does not know. Never guessed at; the text is kept in ``text``."""

    def __init__(self, message: str, *, template: str = "", text: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.template = template
        self.text = text


class WrongPort(PonprobeError):
    """The test ONU was seen, but not on the recorded port: the resource record is wrong, not the splice."""

    def __init__(self, message: str, *, recorded: object, found: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.recorded = recorded
        self.found = found


class PoolExhausted(PonprobeError):
    """A pool (ONU IDs, service-port indexes, CVLANs) has nothing free."""


class LeaseConflict(PonprobeError):
    """Somebody else holds what was asked for, or works on the same OLT now."""


class IllegalTransition(PonprobeError):
    """A step of the process that may not follow the present one; ``old`` and ``new`` are the codes of the states."""

    def __init__(self, message: str, *, old: str, new: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.old = old
        self.new = new


class ImportProblem(PonprobeError):
    """A file of engineering data cannot be taken as it is. ``problems`` names every cell that is in the way."""

    def __init__(self, message: str, *, problems: tuple[Any, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class EvidenceError(PonprobeError):
    """An original in the evidence folder is missing, changed, or could not be stored."""


class RevokeError(PonprobeError):
    """A removal did not end with the proof that nothing is left."""


class ResidueError(RevokeError):
    """Something of ours is still on the device. ``left`` names each object."""

    def __init__(self, message: str, *, left: tuple[Any, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.left = left


class NotOurs(RevokeError):
    """The object that should be removed is not the one we created. It has not been touched."""
