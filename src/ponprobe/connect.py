"""The composition root: settings, transport, driver and journal become an ``Olt``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import SecretStr, ValidationError

from ponprobe import config
from ponprobe.drivers import driver_for
from ponprobe.errors import ConfigError, NotSupported
from ponprobe.session.agent import Agent
from ponprobe.session.engine import Conversation, Engine
from ponprobe.session.olt import Olt

if TYPE_CHECKING:
    from ponprobe.dialect import CliDialect, SnmpDialect
    from ponprobe.drivers.base import OltDriver
    from ponprobe.store.journal import Journal
    from ponprobe.transports import CliTransport
    from ponprobe.transports.record import Transcript
    from ponprobe.transports.snmp_session import SnmpSession

_Key: TypeAlias = "tuple[str, int | None, str, str | None]"

_TRANSCRIPT_CHARS = 16_000_000
"""What is kept of a dialogue in memory: many acceptance runs, and the end of a sweep of days."""


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
    snmp: config.SnmpEntry | None = None,
    config_file: str | Path | None = None,
    **settings: Any,
) -> Olt:
    """Make an ``Olt`` from an inventory name, or from a host with ``platform``, ``username`` and ``password``.

    ``password`` is a reference (``env:NAME``, ``file:PATH``, ``ask:``) or a ``SecretStr``. ``snmp`` adds a road for
    questions; with it alone, without ``username``, an OLT is only read. Other keywords are fields of ``Settings``.
    Nothing is sent yet: the session opens at the first question; ``Olt``s for the same device and user share it.
    Raises ``ConfigError``, ``SecretMissing``, ``DriverNotFound``.
    """
    loaded = config.load(config_file, **settings)
    given = {
        "platform": platform,
        "username": username,
        "password": password,
        "enable_password": enable_password,
        "access": access,
        "port": port,
        "snmp": snmp,
    }
    entry = _entry(loaded, olt, {name: value for name, value in given.items() if value is not None})
    driver = driver_for(entry.platform)
    if driver.cli is None:
        raise NotSupported(f"the driver {entry.platform} has no command line")
    if entry.snmp is not None and driver.snmp is None:
        raise NotSupported(f"the driver {entry.platform} does not read by SNMP", hint="take its SNMP settings away")
    key = (entry.host, entry.port, entry.access, entry.username)
    with _sessions_lock:
        shared = _sessions.get(key) or _Shared(Conversation(_transport(entry, driver.cli, loaded.settings)))
        transcript = shared.conversation.transport.transcript
        agent = None if entry.snmp is None else _agent(entry, entry.snmp, driver, transcript)
        routes = loaded.settings.routes if entry.username is not None else ("snmp",)
        patience_s = loaded.settings.busy_wait_s
        engine = Engine(driver, shared.conversation, agent=agent, routes=routes, busy_wait_s=patience_s)
        _sessions[key] = shared
        shared.users += 1
    return Olt(
        entry.name or entry.host,
        engine,
        partial(journal_at, loaded.settings.journal),
        loaded.settings,
        on_close=partial(_release, key),
    )


def _entry(loaded: config.Config, olt: str, given: dict[str, Any]) -> config.OltEntry:
    known = olt in loaded.olts or any(entry.host == olt for entry in loaded.olts.values())
    enough = ({"platform", "username", "password"}, {"platform", "snmp"})
    if known or not any(names <= given.keys() for names in enough):
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
    if entry.username is None:
        from ponprobe.transports.closed import NoCommandLine  # noqa: PLC0415

        return NoCommandLine(entry.host)
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
    return CliSession(how, dialect, Transcript(limit_chars=_TRANSCRIPT_CHARS))


def _agent(entry: config.OltEntry, snmp: config.SnmpEntry, driver: OltDriver, transcript: Transcript) -> Agent:
    """The SNMP road; its secrets are read now, so that a missing one stops nothing in the middle."""
    from ponprobe.transports.snmp import SnmpSettings, open_snmp  # noqa: PLC0415 - not everybody reads by SNMP

    how = SnmpSettings(
        host=entry.host,
        port=snmp.port,
        version=snmp.version,
        community=snmp.secret("community", entry.host),
        user=snmp.user,
        auth_protocol=snmp.auth_protocol,
        auth_key=snmp.secret("auth_key", entry.host),
        priv_protocol=snmp.priv_protocol,
        priv_key=snmp.secret("priv_key", entry.host),
        context=snmp.context,
    )

    def open_agent(dialect: SnmpDialect) -> SnmpSession:
        if snmp.timeout_s is not None:
            dialect = replace(dialect, timeout_s=snmp.timeout_s, slow_timeout_s=3 * snmp.timeout_s)
        if snmp.retries is not None:
            dialect = replace(dialect, retries=snmp.retries)
        return open_snmp(how, dialect, backend=snmp.backend, transcript=transcript)

    return Agent(driver, open_agent)


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


class _Module(ModuleType):
    """``import ponprobe.connect`` puts this module in the place of ``ponprobe.connect``, the function: call either."""

    def __call__(self, olt: str, **how: Any) -> Olt:
        return connect(olt, **how)


sys.modules[__name__].__class__ = _Module
