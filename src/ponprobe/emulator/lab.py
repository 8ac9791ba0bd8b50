"""A lab: the OLTs of a scenario, alive on loopback until it is closed."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ponprobe.emulator import huawei, zte
from ponprobe.emulator.access import LOGIN_TRIES
from ponprobe.emulator.build import build_faults, build_world
from ponprobe.emulator.scenario import OltSpec, Scenario, ScenarioError
from ponprobe.emulator.servers.ssh import HostKey, SshSettings, serve_ssh
from ponprobe.emulator.servers.telnet import serve_telnet
from ponprobe.emulator.snmp import Agent, Engine, Request
from ponprobe.emulator.snmp import huawei as snmp_huawei
from ponprobe.emulator.snmp import zte as snmp_zte
from ponprobe.emulator.terminal import Closed, Terminal, Wire
from ponprobe.emulator.world import OltWorld

if TYPE_CHECKING:
    from typing_extensions import Self

    from ponprobe.emulator.netconf.server import NetconfServer

HUAWEI_ENTERPRISE, ZTE_ENTERPRISE = 2011, 3902


class EmulatedOlt:
    """One OLT of a lab: where to reach it, what it holds, how it misbehaves, what it was told."""

    def __init__(self, spec: OltSpec, *, seed: int, host: str) -> None:
        self.name = spec.name
        self.host = host
        self.username = spec.username
        self.password = spec.password
        self.enable_password = spec.enable_password or spec.password
        self.personality: huawei.Personality | zte.Personality = spec.model
        self.save_s = spec.save_s
        self.world: OltWorld = build_world(spec, seed)
        self.faults = build_faults(spec)
        self.closing = threading.Event()
        self._reenter_limit = spec.reenter_limit
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._sessions: dict[str, int] = {}
        self._netconf_sessions = 0
        self._logins: list[datetime] = []
        self.refused_logins = 0
        """How often a user or a password was wrong; a device would lock the user out after a few."""
        self._ssh_settings = SshSettings(
            HostKey(spec.crypto), spec.crypto, self._may_enter, self._talk_ssh, self.closing
        )
        self._ssh = serve_ssh(host, self._ssh_settings)
        self._telnet = serve_telnet(host, self.personality.access.telnet_offers, self._talk_telnet)
        self.ssh_port = self._ssh.port
        self.telnet_port = self._telnet.port
        self.snmp_community = spec.snmp.community
        self.snmp_v3 = tuple(each.built() for each in spec.snmp.v3)
        self._agent = self._serve_snmp(seed) if spec.snmp.enable else None
        self.netconf: NetconfServer | None = None
        self.netconf = self._serve_netconf(spec) if spec.netconf.enable else None

    # ------------------------------------------------------------------ what users see

    @property
    def platform(self) -> str:
        """The family, as ponprobe names it: ``huawei_smartax``, ``zte_zxan``, ``zte_titan``."""
        return self.personality.platform

    @property
    def host_key_fingerprint(self) -> str:
        """``SHA256:...`` of the SSH host key, as OpenSSH prints it."""
        digest = hashlib.sha256(self._ssh_settings.host_key.key.asbytes()).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")

    def regenerate_host_key(self) -> None:
        """Take a new SSH host key, as a replaced control board would; for connections from now on."""
        self._ssh_settings.host_key.renew()

    @property
    def snmp_port(self) -> int:
        """The agent's UDP port; 0 where the scenario says that there is none."""
        return 0 if self._agent is None else self._agent.port

    @property
    def netconf_port(self) -> int:
        """The TCP port of NETCONF over SSH; 0 where the scenario says that there is none."""
        return 0 if self.netconf is None else self.netconf.port

    @property
    def snmp_requests(self) -> list[Request]:
        """Every SNMP request that was let in, in order, answered or not."""
        return [] if self._agent is None else self._agent.requests

    @property
    def commands(self) -> list[str]:
        """Every command line that reached the interpreter, executed or refused, in order, over all sessions.

        A NETCONF request is one too, in one line: its operation, the datastore, and its content.
        """
        with self._lock:
            return list(self._lines)

    @property
    def sessions_open(self) -> int:
        """Sessions that are logged in now."""
        with self._lock:
            return sum(self._sessions.values()) + self._netconf_sessions

    def snapshot(self) -> dict[str, Any]:
        """Everything configurable, as JSON values; equal before and after a run that left nothing behind."""
        found = self.world.snapshot()
        if self.netconf is not None:
            found["netconf"] = self.netconf.snapshot()
        return found

    # ------------------------------------------------------------------ what sessions use

    @property
    def reenter_limit(self) -> int:
        """Sessions at once per user."""
        limit = self.faults.reenter_limit
        return self._reenter_limit if limit is None else limit

    @property
    def next_number(self) -> int:
        """The number that the next command will get."""
        with self._lock:
            return len(self._lines) + 1

    def arrived(self, line: str) -> int:
        """Count and record a command line; may drop the connection by raising ``Closed``."""
        with self._lock:
            self._lines.append(line)
            number = len(self._lines)
        if self.faults.on_command is not None:
            try:
                self.faults.on_command(number, line, "arrived")
            except ConnectionAbortedError as exc:
                raise Closed from exc
        if self.faults.cut_before == number:
            raise Closed
        return number

    def corrected(self, number: int, line: str) -> None:
        """Record what a command became after its smart prompt."""
        with self._lock:
            self._lines[number - 1] = line

    def executed(self, number: int, line: str) -> None:
        """Tell that a command was executed; may drop the connection by raising ``Closed``."""
        if self.faults.on_command is not None:
            try:
                self.faults.on_command(number, line, "executed")
            except ConnectionAbortedError as exc:
                raise Closed from exc
        if self.faults.cut_after == number:
            raise Closed

    def session_opened(self, user: str) -> bool:
        """Count a session; false if this user has too many."""
        with self._lock:
            if self._sessions.get(user, 0) >= self.reenter_limit:
                return False
            self._sessions[user] = self._sessions.get(user, 0) + 1
            return True

    def netconf_opened(self) -> None:
        """Count a NETCONF session; the limit per user is one of command lines."""
        with self._lock:
            self._netconf_sessions += 1

    def netconf_closed(self) -> None:
        """Count it off."""
        with self._lock:
            self._netconf_sessions -= 1

    def session_closed(self, user: str) -> None:
        """Count it off."""
        with self._lock:
            self._sessions[user] -= 1

    def last_login(self) -> tuple[str, datetime, datetime]:
        """Address and times of the login before and of this one."""
        now = self.world.wall()
        with self._lock:
            before = self._logins[-1] if self._logins else now
            self._logins.append(now)
        return self.host, before, now

    # ------------------------------------------------------------------ SNMP

    def _serve_snmp(self, seed: int) -> Agent:
        """The agent over this world. Its engine's ID is of the vendor's enterprise, then the emulator's own octets."""
        of, zero_hangs = self.personality, False
        enterprise = ZTE_ENTERPRISE if isinstance(of, zte.Personality) else HUAWEI_ENTERPRISE
        own = hashlib.sha256(f"{seed}/{self.name}".encode()).digest()[:8]
        engine_id = (enterprise | 1 << 31).to_bytes(4, "big") + b"\x05" + own
        if isinstance(of, zte.Personality):
            tree = snmp_zte.build(self.world, of, engine_id)
            zero_hangs = not of.titan
        else:
            tree = snmp_huawei.build(self.world, of, engine_id)
        return Agent(
            self.host,
            tree,
            community=self.snmp_community,
            engine=Engine(engine_id, silent_on_zero=zero_hangs),
            users=self.snmp_v3,
            faults=self.faults,
        )

    # ------------------------------------------------------------------ NETCONF

    def _serve_netconf(self, spec: OltSpec) -> NetconfServer:
        """The server over this world, with the host key and the users of SSH. Imported late: it needs lxml."""
        try:
            from ponprobe.emulator.netconf.lint import LintError  # noqa: PLC0415
            from ponprobe.emulator.netconf.server import NetconfServer  # noqa: PLC0415
        except ImportError as exc:
            self.close()
            raise ScenarioError(f"{spec.name}: NETCONF needs lxml, which is not installed ({exc})") from exc

        of = self.personality
        maker = "ZTE" if isinstance(of, zte.Personality) else "Huawei"
        about = {"mfg-name": maker, "model-name": of.product, "software-rev": of.version}
        try:
            server = NetconfServer(self, spec.netconf, about)
        except LintError as exc:
            self.close()
            raise ScenarioError(f"{spec.name}: {exc}") from exc
        server.serve(lambda talk: serve_ssh(self.host, replace(self._ssh_settings, talk=talk, subsystem="netconf")))
        return server

    # ------------------------------------------------------------------ login

    def _may_enter(self, user: str, password: str) -> bool:
        if (user, password) == (self.username, self.password) and user not in self.faults.locked_users:
            return True
        with self._lock:
            self.refused_logins += 1
        return False

    def _talk_ssh(self, wire: Wire, user: str) -> None:
        with contextlib.suppress(Closed):
            terminal = Terminal(wire, self.personality.access.ssh)
            self._session(terminal, user, "SSH")
            terminal.flush()
            return
        wire.close()

    def _talk_telnet(self, wire: Wire) -> None:
        with contextlib.suppress(Closed):
            terminal = Terminal(wire, self.personality.access.telnet)
            user = self._ask_for_user(terminal)
            if user is not None:
                self._session(terminal, user, "Telnet")
            terminal.flush()
            return
        wire.close()

    def _ask_for_user(self, terminal: Terminal) -> str | None:
        """Telnet login: three tries; the password is not echoed."""
        texts = self.personality.access
        for _ in range(LOGIN_TRIES):
            terminal.write(texts.user_prompt)
            user = terminal.read_line().strip()
            terminal.write(texts.password_prompt)
            password = terminal.read_line(echo=False)
            if user in self.faults.locked_users:
                terminal.write(texts.locked)
                return None
            if self._may_enter(user, password):
                return user
            terminal.write(texts.bad_login)
        return None

    def _session(self, terminal: Terminal, user: str, access: str) -> None:
        if isinstance(self.personality, zte.Personality):
            zte.Shell(terminal, self, self.personality, user, access).run()
        else:
            huawei.Shell(terminal, self, self.personality, user, access).run()

    def close(self) -> None:
        """Drop every connection and stop listening; returns when every thread has ended."""
        self.closing.set()
        self._ssh.close()
        self._telnet.close()
        if self._agent is not None:
            self._agent.close()
        if self.netconf is not None:
            self.netconf.close()


class Lab:
    """All OLTs of a scenario. A context manager; ``close`` ends everything."""

    def __init__(self, scenario: Scenario, *, host: str = "127.0.0.1") -> None:
        self.scenario = scenario
        self.olts: dict[str, EmulatedOlt] = {}
        try:
            for number, spec in enumerate(scenario.olts):
                self.olts[spec.name] = EmulatedOlt(spec, seed=scenario.seed * 1000 + number, host=host)
        except BaseException:
            self.close()
            raise

    @property
    def olt(self) -> EmulatedOlt:
        """The first OLT."""
        return next(iter(self.olts.values()))

    def close(self) -> None:
        """End everything; may be called again."""
        for olt in self.olts.values():
            olt.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(scenario: str | Path | Scenario, *, host: str = "127.0.0.1") -> Lab:
    """Bring up the OLTs of a scenario: a file, a packaged scenario's name, or a :class:`Scenario`.

    The servers listen on free ports of ``host``. Raises ``ScenarioError``.
    """
    return Lab(Scenario.load(scenario), host=host)
