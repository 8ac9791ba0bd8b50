"""The composition root: settings, transport, driver and journal become an ``Olt``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import SecretStr, ValidationError

from ponprobe import config
from ponprobe.drivers import driver_for
from ponprobe.errors import ConfigError, NotSupported
from ponprobe.session.engine import Conversation, Engine
from ponprobe.session.olt import Olt

if TYPE_CHECKING:
    from ponprobe.dialect import CliDialect
    from ponprobe.store.journal import Journal
    from ponprobe.transports import CliTransport

_Key: TypeAlias = "tuple[str, int | None, str, str]"


@dataclass(slots=True)
class _Shared:
    """One conversation with one OLT as one user, and how many ``Olt``s hold it; devices allow few sessions."""

    conversation: Conversation
    users: int = 0


_sessions: dict[_Key, _Shared] = {}
_sessions_lock = Lock()


def connect(
    olt: str,
    *,
    platform: str | None = None,
    username: str | None = None,
    password: SecretStr | str | None = None,
    enable_password: SecretStr | str | None = None,
    access: Literal["ssh", "telnet"] | None = None,
    port: int | None = None,
    config_file: str | Path | None = None,
    **settings: Any,
) -> Olt:
    """Make an ``Olt`` from an inventory name, or from a host with ``platform``, ``username`` and ``password``.

    ``password`` is a reference (``env:NAME``, ``file:PATH``, ``ask:``) or a ``SecretStr``. Other keywords are fields of
    ``Settings``. Nothing is sent yet: the session opens at the first question; ``Olt``s for the same device and user
    share it. Raises ``ConfigError``, ``SecretMissing``, ``DriverNotFound``.
    """
    loaded = config.load(config_file, **settings)
    given = {
        "platform": platform,
        "username": username,
        "password": password,
        "enable_password": enable_password,
        "access": access,
        "port": port,
    }
    entry = _entry(loaded, olt, {name: value for name, value in given.items() if value is not None})
    driver = driver_for(entry.platform)
    if driver.cli is None:
        raise NotSupported(f"the driver {entry.platform} has no command line")
    key = (entry.host, entry.port, entry.access, entry.username)
    with _sessions_lock:
        shared = _sessions.get(key) or _Shared(Conversation(_transport(entry, driver.cli, loaded.settings)))
        _sessions[key] = shared
        shared.users += 1
    return Olt(
        entry.name or entry.host,
        Engine(driver, shared.conversation, busy_wait_s=loaded.settings.busy_wait_s),
        partial(journal_at, loaded.settings.journal),
        loaded.settings,
        on_close=partial(_release, key),
    )


def _entry(loaded: config.Config, olt: str, given: dict[str, Any]) -> config.OltEntry:
    known = olt in loaded.olts or any(entry.host == olt for entry in loaded.olts.values())
    if known or not {"platform", "username", "password"} <= given.keys():
        base: dict[str, Any] = dict(loaded.olt(olt))
    else:
        base = {"host": olt, "name": olt}
    for name in ("password", "enable_password"):
        if isinstance(given.get(name), str):
            what = f"the {name.replace('_', ' ')} of {given.get('username', 'the user')}"
            given[name] = config.resolve(given[name], what)
    try:
        return config.OltEntry(**{**base, **given})
    except ValidationError as exc:
        problem = exc.errors(include_input=False, include_url=False)[0]
        raise ConfigError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from exc


def _transport(entry: config.OltEntry, dialect: CliDialect, settings: config.Settings) -> CliTransport:
    from ponprobe.transports.cli_netmiko import CliSession, CliSettings  # noqa: PLC0415 - netmiko loads slowly
    from ponprobe.transports.record import Transcript  # noqa: PLC0415

    how = CliSettings(
        host=entry.host,
        port=entry.port,
        access=entry.access,
        username=entry.username,
        password=entry.secret,
        enable_password=entry.enable_secret,
        host_keys=entry.host_keys or settings.host_keys,
        known_hosts=settings.known_hosts,
        connect_timeout_s=settings.connect_timeout_s,
        reply_timeout_s=settings.reply_timeout_s,
        session_wait_s=settings.session_wait_s,
        session_retry_s=settings.session_retry_s,
    )
    return CliSession(how, dialect, Transcript())


def _release(key: _Key) -> None:
    with _sessions_lock:
        shared = _sessions[key]
        shared.users -= 1
        if shared.users:
            return
        del _sessions[key]
    with shared.conversation.lock:
        shared.conversation.transport.close()


@lru_cache(maxsize=8)
def journal_at(place: str) -> Journal:
    """Open the journal at a path or SQLAlchemy URL; one object per place and process."""
    from ponprobe.store.journal import Journal  # noqa: PLC0415 - SQLAlchemy loads slowly and questions need none

    if "://" not in place:
        path = Path(place).expanduser()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Journal(path)
    return Journal(place)
