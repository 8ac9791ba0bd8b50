"""The composition root: settings, transport, driver and journal become an ``Olt``."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import SecretStr, ValidationError

from ponprobe import config
from ponprobe.drivers import driver_for, netconf_driver_for
from ponprobe.errors import ConfigError, NotSupported
from ponprobe.session.agent import Agent
from ponprobe.session.engine import Conversation, Engine
from ponprobe.session.netconf import NetconfConversation, NetconfRoad
from ponprobe.session.olt import Olt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ponprobe.dialect import SnmpDialect
    from ponprobe.drivers.base import OltDriver
    from ponprobe.models.netconf import NetconfProfile
    from ponprobe.store.journal import Journal
    from ponprobe.transports import CliTransport
    from ponprobe.transports.record import Transcript
    from ponprobe.transports.snmp_session import SnmpSession

T = TypeVar("T")
_Key: TypeAlias = "tuple[str, int | None, str, str | None]"
"""Host, port, access, user."""

_TRANSCRIPT_CHARS = 16_000_000
"""What is kept of a dialogue in memory: many acceptance runs, and the end of a sweep of days."""


class _Shared(Generic[T]):
    """Conversations with OLTs, one for each road and user, and how many ``Olt``s hold each; devices allow few sessions.

    Used under ``_sessions_lock``.
    """

    def __init__(self) -> None:
        self._held: dict[_Key, tuple[T, int]] = {}

    def find(self, key: _Key, make: Callable[[], T]) -> T:
        """The conversation that others hold, or a new one; nobody holds it yet."""
        return self._held[key][0] if key in self._held else make()

    def hold(self, key: _Key, conversation: T) -> None:
        """Count one more user."""
        self._held[key] = conversation, self._held.get(key, (conversation, 0))[1] + 1

    def let_go(self, key: _Key) -> T | None:
        """Count one user off; the conversation, if that was the last."""
        conversation, users = self._held.pop(key)
        if users == 1:
            return conversation
        self._held[key] = conversation, users - 1
        return None


_sessions = _Shared[Conversation]()
_netconf_sessions = _Shared[NetconfConversation]()
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
    netconf: config.NetconfEntry | None = None,
    config_file: str | Path | None = None,
    **settings: Any,
) -> Olt:
    """Make an ``Olt`` from an inventory name, or from a host with ``platform``, ``username`` and ``password``.

    ``password`` is a reference (``env:NAME``, ``file:PATH``, ``ask:``) or a ``SecretStr``. ``snmp`` adds a road for
    questions; with it alone, without ``username``, an OLT is only read. ``netconf`` adds another, for changes too where
    it says so, and the only one of a family without a command line. Other keywords are fields of ``Settings``.
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
        "netconf": netconf,
    }
    entry = _entry(loaded, olt, {name: value for name, value in given.items() if value is not None})
    driver = driver_for(entry.platform)
    if entry.snmp is not None and driver.snmp is None:
        raise NotSupported(f"the driver {entry.platform} does not read by SNMP", hint="take its SNMP settings away")
    by_netconf = entry.netconf
    if driver.cli is None:
        # a family without a command line has NETCONF, and makes its changes there
        by_netconf = by_netconf or config.NetconfEntry(**({} if entry.port is None else {"port": entry.port}))
        by_netconf = by_netconf.model_copy(update={"changes": True})
    key = (entry.host, entry.port, entry.access if driver.cli is not None else "", entry.username)
    netconf_key: _Key | None = None
    with _sessions_lock:
        conversation = _sessions.find(key, lambda: Conversation(_transport(entry, driver, loaded.settings)))
        transcript = conversation.transport.transcript
        agent = None if entry.snmp is None else _agent(entry, entry.snmp, driver, transcript)
        road = None
        if by_netconf is not None:
            netconf_key = (entry.host, by_netconf.port, "netconf", by_netconf.username or entry.username)
            make = partial(_netconf, entry, by_netconf, loaded.settings, transcript)
            road = NetconfRoad(
                netconf_driver_for(driver, _profile(by_netconf)),
                _netconf_sessions.find(netconf_key, make),
                changes=by_netconf.changes,
                busy_wait_s=loaded.settings.busy_wait_s,
            )
        engine = Engine(
            driver,
            conversation,
            agent=agent,
            netconf=road,
            routes=loaded.settings.routes if entry.username is not None else ("snmp", "netconf"),
            busy_wait_s=loaded.settings.busy_wait_s,
        )
        _sessions.hold(key, conversation)
        if road is not None and netconf_key is not None:
            _netconf_sessions.hold(netconf_key, road.conversation)
    return Olt(
        entry.name or entry.host,
        engine,
        partial(journal_at, loaded.settings.journal),
        loaded.settings,
        on_close=partial(_release, key, netconf_key),
    )


def _entry(loaded: config.Config, olt: str, given: dict[str, Any]) -> config.OltEntry:
    known = olt in loaded.olts or any(entry.host == olt for entry in loaded.olts.values())
    enough = ({"platform", "username", "password"}, {"platform", "snmp"}, {"platform", "netconf"})
    if known or not any(names <= given.keys() for names in enough):
        base: dict[str, Any] = dict(loaded.olt(olt))
        if given.get("platform", base["platform"]) != base["platform"]:
            # another way to the same address: the other roads were written down for the other platform
            base |= {"snmp": None, "netconf": None}
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


def _transport(entry: config.OltEntry, driver: OltDriver, settings: config.Settings) -> CliTransport:
    if entry.username is None or driver.cli is None:
        from ponprobe.transports.closed import NoCommandLine  # noqa: PLC0415

        return NoCommandLine(entry.host, None if driver.cli is not None else driver.platform)
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
    return CliSession(how, driver.cli, Transcript(limit_chars=_TRANSCRIPT_CHARS))


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


def _profile(entry: config.NetconfEntry) -> NetconfProfile:
    """The vendor's profile, with what the site says in its own words."""
    from ponprobe.drivers.bbf.profiles import load_profile  # noqa: PLC0415 - not everybody speaks NETCONF

    own = {name: getattr(entry, name) for name in ("uplink", "outer_tag", "revoke_after_s")}
    return load_profile(entry.profile).model_copy(update={k: v for k, v in own.items() if v is not None})


def _netconf(
    entry: config.OltEntry,
    netconf: config.NetconfEntry,
    settings: config.Settings,
    transcript: Transcript,
) -> NetconfConversation:
    """The NETCONF session; its secret is read now, so that a missing one stops nothing in the middle."""
    from ponprobe.transports.netconf import NetconfSettings  # noqa: PLC0415
    from ponprobe.transports.netconf_ncclient import NetconfSession  # noqa: PLC0415 - ncclient loads slowly

    username = netconf.username or entry.username
    if username is None:
        raise ConfigError(f"{entry.host}: NETCONF has no user", hint="set username and password in [olts.NAME.netconf]")
    own, profile = netconf.password, _profile(netconf)
    how = NetconfSettings(
        host=entry.host,
        port=netconf.port,
        username=username,
        password=entry.secret if own is None else config.resolve(own, f"the NETCONF password of {username}"),
        handler=profile.handler,
        secret_leaves=profile.secret_leaves,
        host_keys=netconf.host_keys or entry.host_keys or settings.host_keys,
        known_hosts=settings.known_hosts,
        connect_timeout_s=settings.connect_timeout_s,
        reply_timeout_s=netconf.timeout_s or settings.reply_timeout_s,
    )
    return NetconfConversation(NetconfSession(how, transcript=transcript))


def _release(key: _Key, netconf_key: _Key | None) -> None:
    with _sessions_lock:
        ended = _sessions.let_go(key)
        ended_netconf = None if netconf_key is None else _netconf_sessions.let_go(netconf_key)
    for conversation in (ended, ended_netconf):
        if conversation is not None:
            with conversation.lock:
                conversation.transport.close()


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
