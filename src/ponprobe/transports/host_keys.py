"""Which SSH host keys are trusted: a policy, and our own file in OpenSSH's known_hosts form. No SSH library here."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ponprobe.errors import ConfigError, HostKeyError

_PIN = "pin:"


def fingerprint(key: bytes) -> str:
    """SHA-256 fingerprint of a public key blob, as OpenSSH prints it (``SHA256:...``)."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def default_known_hosts() -> Path:
    """The file of SSH host keys that ponprobe knows; the user's ``~/.ssh/known_hosts`` is never read or written."""
    return Path.home() / ".ponprobe" / "known_hosts"


def check_policy(policy: str) -> None:
    """Raise ``ConfigError`` unless ``policy`` is ``strict``, ``accept-new`` or ``pin:SHA256:...``."""
    if policy not in ("strict", "accept-new") and not policy.startswith(_PIN + "SHA256:"):
        raise ConfigError(
            f"host_keys is {policy!r}", hint="it is 'strict', 'accept-new' or 'pin:SHA256:...' with a fingerprint"
        )


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Trust in one host's key. ``policy`` is ``strict``, ``accept-new`` or ``pin:SHA256:...``."""

    policy: str
    path: Path
    host: str
    port: int

    @property
    def name(self) -> str:
        """The name the file knows the host by: ports other than 22 stand beside it."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"

    def known(self) -> dict[str, bytes]:
        """The stored keys of this host, by type; empty where the file or the host is missing."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise self._error(f"cannot be checked: {self.path} cannot be read: {exc.strerror}", None) from exc
        found = {}
        for line in lines:
            fields = line.split()
            if len(fields) >= 3 and self.name in fields[0].split(","):
                try:
                    found[fields[1]] = base64.b64decode(fields[2], validate=True)
                except ValueError as exc:
                    raise HostKeyError(
                        f"The stored key of {self.name} in {self.path} cannot be read",
                        host=self.host,
                        access="ssh",
                        hint="remove that line from the file",
                    ) from exc
        return found

    def check(self, kind: str, key: bytes) -> None:
        """Return if the key offered now (its type and blob) is trusted, storing a new one where the policy says so.

        Raises ``HostKeyError`` otherwise.
        """
        offered = fingerprint(key)
        if self.policy.startswith(_PIN):
            pinned = self.policy.removeprefix(_PIN)
            if offered != pinned.rstrip("="):
                raise self._error(f"has the key {offered} ({kind}), but {pinned} is pinned", "if it is right, pin it")
            return
        if self._trusted(kind, key, offered):
            return
        if self.policy == "strict":
            raise self._error(
                f"is unknown; its key is {offered} ({kind})",
                f"compare it with the device, then connect once with host_keys = 'accept-new' or pin it: pin:{offered}",
            )
        self._store(kind, key, offered)

    def _trusted(self, kind: str, key: bytes, offered: str) -> bool:
        known = self.known()
        if known.get(kind) == key:
            return True
        if known:
            # another type counts as a change: the stored types were asked for first
            stored = ", ".join(f"{fingerprint(old)} ({name})" for name, old in known.items())
            raise self._error(
                f"has changed its key: {offered} ({kind}) is offered, {stored} is stored",
                f"if the device was replaced, remove {self.name!r} from {self.path} or pin it: pin:{offered}",
            )
        return False

    def _store(self, kind: str, key: bytes, offered: str) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.path.with_name(self.path.name + ".lock"), mode=0o600):
                # somebody else may have met the host meanwhile, and seen another key
                if self._trusted(kind, key, offered):
                    return
                old = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
                line = f"{self.name} {kind} {base64.b64encode(key).decode()}\n"
                _replace(self.path, old + ("" if old.endswith("\n") or not old else "\n") + line)
        except OSError as exc:
            raise self._error(
                f"has the new key {offered}, which cannot be stored in {self.path}: {exc.strerror}", None
            ) from exc

    def _error(self, what: str, hint: str | None) -> HostKeyError:
        return HostKeyError(f"The SSH host {self.name} {what}", host=self.host, access="ssh", hint=hint)


def _replace(path: Path, text: str) -> None:
    """Write a whole file that is either the old or the new one, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp creates with 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
