"""Raw clients for the emulator: bytes as they come, in awkward chunks; everything waits for a text, never for time."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import paramiko
import pytest

from parts import missing
from ponprobe.emulator import EmulatedOlt, Lab, SnmpUser, serve
from ponprobe.emulator.snmp import ber

LIMIT_S = 20.0
IAC = re.compile(rb"\xff[\xfb-\xfe].|\xff\xfa.*?\xff\xf0", re.DOTALL)


class Talk:
    """One session; ``read`` and ``send`` are the only means."""

    def __init__(self, olt: EmulatedOlt, recv: Callable[[int], bytes], send: Callable[[bytes], object]) -> None:
        self.olt = olt
        self._recv = recv
        self._send = send
        self._sizes = iter(range(1, 10**9))
        self.buffer = ""

    def send(self, text: str) -> None:
        self._send(text.encode("latin-1"))

    def more(self) -> bool:
        data = self._recv(next(self._sizes) % 7 * 13 + 1)
        self.buffer += IAC.sub(b"", data).decode("latin-1")
        return bool(data)

    def until(self, pattern: str) -> str:
        """Read until the pattern; gives and removes everything up to its end."""
        while True:
            if found := re.search(pattern, self.buffer):
                text, self.buffer = self.buffer[: found.end()], self.buffer[found.end() :]
                return text
            assert self.more(), f"the connection ended before {pattern!r}; there was {self.buffer!r}"

    def to_the_end(self) -> str:
        try:
            while self.more():
                pass
        except OSError:
            pass
        return self.buffer

    @property
    def prompt(self) -> str:
        return rf"{re.escape(self.olt.world.name)}(\([^)]*\))?[>#]\Z"

    def do(self, line: str) -> str:
        """Send a line; what comes back up to the next prompt."""
        self.send(line + "\r")
        self.until(r"\n")
        return self.until(self.prompt)

    def lines(self, line: str) -> list[str]:
        """The same, as lines, without the prompt at the end (and the empty line that Huawei prints before it)."""
        return self.do(line).replace("\r", "").split("\n")[: -2 if self.olt.platform == "huawei_smartax" else -1]

    def setup(self, *, view: str = "config", paging: bool = False) -> Talk:
        """Go to a view without smart prompts (and without pages)."""
        self.do("enable")
        self.do("undo smart")
        self.do("config")
        if not paging:
            self.do("mmi-mode original-output")
        if view != "config":
            self.do(f"interface gpon {view}")
        return self

    def privileged(self, *, paging: bool = False) -> Talk:
        """On a ZTE OLT: to exec, without pages."""
        if self.olt.personality.lands_in == "user":
            self.send("enable\r")
            self.until("Password:")
            self.send(self.olt.enable_password + "\r")
            self.until(self.prompt)
        if not paging:
            self.do("terminal length 0")
        return self

    def several(self, *lines: str) -> str:
        """The answers to several lines, one after another."""
        return "".join(self.do(line) for line in lines)

    def repeat(self, line: str, until: str) -> str:
        """Ask again until the answer has the text; the emulator's clock decides, not this test's."""
        while until not in (answer := self.do(line)):
            pass
        return answer


@pytest.fixture(scope="session")
def demo_lab() -> Iterator[Lab]:
    """A lab for tests that change nothing."""
    with serve("demo_huawei") as lab:
        yield lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab of its own for a test that changes something."""
    with serve("demo_huawei") as fresh:
        yield fresh


@dataclass(frozen=True)
class ZteCase:
    """One of the emulated ZTE OLTs and how its names are written."""

    id: str
    olt: str
    port: str
    serial: str

    def name(self, kind: str, port: str | None = None) -> str:
        """An interface: ``olt``, ``onu``."""
        where = port or self.port
        return f"gpon_{kind}-{where}" if self.olt == "c600" else f"gpon-{kind}_{where}"

    @property
    def gemport(self) -> str:
        return "gemport 1 unicast tcont 1 dir both" if self.olt == "c300" else "gemport 1 tcont 1"

    def provision(self, cvlan: int = 3001, svlan: int | None = 2000, profile: str = "TEST-100M") -> list[str]:
        """Register ONU 9 and give it a service; begins in exec, ends in exec."""
        outer = f" svlan {svlan}" if svlan else ""
        onu, vport = f"{self.name('onu')}:9", ""
        lines = ["configure terminal", f"interface {self.name('olt')}", f"onu 9 type TEST-1GE sn {self.serial}", "exit"]
        lines += [f"interface {onu}", f"tcont 1 profile {profile}", self.gemport]
        if self.olt == "c600":
            lines += ["exit", f"interface vport-{self.port}.9:1"]
        else:
            vport = " vport 1"
        lines += [f"service-port 1{vport} user-vlan {cvlan} vlan {cvlan}{outer}", "exit", f"pon-onu-mng {onu}"]
        return [*lines, f"service 1 gemport 1 vlan {cvlan}", f"vlan port eth_0/1 mode tag vlan {cvlan}", "end"]


ZTE_CASES = (
    ZteCase("c300_v12", "c300", "1/2/1", "ZTEG0A000EA9"),
    ZteCase("c320_v21", "c320", "1/1/1", "ZTEG0B000EA9"),
    ZteCase("c600_titan", "c600", "1/3/1", "ZTEG0C000EA9"),
)


@pytest.fixture(params=ZTE_CASES, ids=lambda case: case.id)
def zte(request: pytest.FixtureRequest) -> ZteCase:
    """Each of the ZTE personalities in turn."""
    chosen: ZteCase = request.param
    return chosen


@pytest.fixture(scope="session")
def demo_zte() -> Iterator[Lab]:
    """ZTE OLTs for tests that change nothing."""
    with serve("demo_zte") as lab:
        # many tests at it, and one of its own for the limit
        for olt in lab.olts.values():
            olt.faults.reenter_limit = 20
        yield lab


@pytest.fixture
def zte_lab() -> Iterator[Lab]:
    """ZTE OLTs of its own for a test that changes something."""
    with serve("demo_zte") as fresh:
        yield fresh


@pytest.fixture
def telnet() -> Iterator[Callable[..., Talk]]:
    with ExitStack() as stack:

        def connect(
            olt: EmulatedOlt, *, login: bool = True, user: str | None = None, columns: int | None = None
        ) -> Talk:
            connection = stack.enter_context(socket.create_connection((olt.host, olt.telnet_port), timeout=LIMIT_S))
            talk = Talk(olt, connection.recv, connection.sendall)
            if columns is not None:
                connection.sendall(b"\xff\xfb\x1f\xff\xfa\x1f" + columns.to_bytes(2, "big") + b"\x00\x32\xff\xf0")
            if login:
                talk.until(re.escape(olt.personality.access.user_prompt.strip()))
                talk.send(f"{user or olt.username}\r\n")
                talk.until(re.escape(olt.personality.access.password_prompt.strip()))
                talk.send(f"{olt.password}\r\n")
                talk.until(talk.prompt)
            return talk

        yield connect


@pytest.fixture
def ssh() -> Iterator[Callable[..., Talk]]:
    with ExitStack() as stack:

        def connect(olt: EmulatedOlt, *, first_prompt: bool = True) -> Talk:
            transport = stack.enter_context(
                paramiko.Transport(socket.create_connection((olt.host, olt.ssh_port), timeout=LIMIT_S))
            )
            transport.start_client(timeout=LIMIT_S)
            transport.auth_password(olt.username, olt.password)
            channel = transport.open_session()
            channel.settimeout(LIMIT_S)
            channel.get_pty(width=200, height=50)
            channel.invoke_shell()
            talk = Talk(olt, channel.recv, channel.sendall)
            if first_prompt:
                if olt.personality.password_notice:
                    talk.until("change the password")
                talk.until(talk.prompt)
            return talk

        yield connect


# ---------------------------------------------------------------------- SNMP


class SnmpError(Exception):
    """What the client says, or the error status that came back."""


PYSNMP = "pysnmp.hlapi.v3arch.asyncio"
NO_OBJECT, NO_INSTANCE, END = "no such object", "no such instance", "end of MIB"


class Snmp:
    """pysnmp as a client, synchronous; OIDs as text, values as int, bytes or text (OIDs and what is not there)."""

    def __init__(
        self, port: int, auth: Any, *, host: str = "127.0.0.1", timeout: float = LIMIT_S, retries: int = 0
    ) -> None:
        self._api, self._auth = importlib.import_module(PYSNMP), auth
        self._address, self._options = (host, port), {"timeout": timeout, "retries": retries}
        self._loop = asyncio.new_event_loop()
        self._engine = self._loop.run_until_complete(self._made())

    async def _made(self) -> Any:
        return self._api.SnmpEngine()

    def close(self) -> None:
        self._loop.run_until_complete(self._closed())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _closed(self) -> None:
        self._engine.close_dispatcher()

    def _run(self, command: str, oids: tuple[str, ...], *numbers: int, value: Any = None) -> list[tuple[str, Any]]:
        api = self._api

        async def ask() -> tuple[Any, ...]:
            transport = await api.UdpTransportTarget.create(self._address, **self._options)
            values = [] if value is None else [value]
            objects = [api.ObjectType(api.ObjectIdentity(oid), *values) for oid in oids]
            call = getattr(api, command)
            return await call(
                self._engine, self._auth, transport, api.ContextData(), *numbers, *objects, lookupMib=False
            )

        trouble, status, _, bindings = self._loop.run_until_complete(ask())
        if trouble or status:
            raise SnmpError(str(trouble or status.prettyPrint()))
        return [(str(name), self._plain(found)) for name, found in bindings]

    @staticmethod
    def _plain(value: Any) -> Any:
        kind = type(value).__name__
        if kind in {"NoSuchObject", "NoSuchInstance", "EndOfMibView"}:
            return {"NoSuchObject": NO_OBJECT, "NoSuchInstance": NO_INSTANCE, "EndOfMibView": END}[kind]
        if kind == "Null":
            return None
        if kind in {"OctetString", "IpAddress", "Opaque"}:
            return bytes(value)
        return str(value) if kind in {"ObjectIdentifier", "ObjectIdentity"} else int(value)

    def get(self, *oids: str) -> list[Any]:
        return [value for _, value in self._run("get_cmd", oids)]

    def next(self, *oids: str) -> list[tuple[str, Any]]:
        return self._run("next_cmd", oids)

    def bulk(self, *oids: str, fixed: int = 0, repeat: int = 10) -> list[tuple[str, Any]]:
        return self._run("bulk_cmd", oids, fixed, repeat)

    def set(self, oid: str, value: Any) -> list[tuple[str, Any]]:
        return self._run("set_cmd", (oid,), value=value)

    def walk(self, base: str, *, repeat: int = 40) -> dict[str, Any]:
        """Everything below an OID, by the rest of its OID; GETNEXT with ``repeat`` 0."""
        found: dict[str, Any] = {}
        at = base
        while True:
            for oid, value in self.bulk(at, repeat=repeat) if repeat else self.next(at):
                if value == END or not oid.startswith(base + "."):
                    return found
                assert oid not in found
                found[oid] = value
                at = oid

    def column(self, base: str) -> dict[str, Any]:
        return {oid.removeprefix(base + "."): value for oid, value in self.walk(base).items()}


@pytest.fixture
def snmp() -> Iterator[Callable[..., Snmp]]:
    """A client of an OLT or of a port: v2c with its community, or as an SNMPv3 user."""
    if importlib.util.find_spec("pysnmp") is None:
        missing("pysnmp is not installed")
    api = importlib.import_module(PYSNMP)

    def connect(to: Any, *, community: str | None = None, user: SnmpUser | None = None, **more: Any) -> Snmp:
        port = to if isinstance(to, int) else to.snmp_port if isinstance(to, EmulatedOlt) else to.port
        if user is None:
            known = to.snmp_community if isinstance(to, EmulatedOlt) else "public"
            return kept(Snmp(port, api.CommunityData(community or known), **more))
        auths = {
            None: api.USM_AUTH_NONE,
            "sha1": api.USM_AUTH_HMAC96_SHA,
            "sha224": api.USM_AUTH_HMAC128_SHA224,
            "sha256": api.USM_AUTH_HMAC192_SHA256,
            "sha384": api.USM_AUTH_HMAC256_SHA384,
            "sha512": api.USM_AUTH_HMAC384_SHA512,
        }
        privs = {
            None: api.USM_PRIV_NONE,
            "aes128": api.USM_PRIV_CFB128_AES,
            "aes256": api.USM_PRIV_CFB256_AES_BLUMENTHAL,
        }
        data = api.UsmUserData(
            user.user,
            user.auth_key or None,
            user.priv_key or None,
            authProtocol=auths[user.auth],
            privProtocol=privs[user.priv],
        )
        return kept(Snmp(port, data, **more))

    with ExitStack() as stack:

        def kept(client: Snmp) -> Snmp:
            stack.callback(client.close)
            return client

        yield connect


@pytest.fixture(scope="session")
def net_snmp() -> Callable[..., str]:
    """net-snmp's tools: what one prints, errors included."""

    def run(tool: str, *words: str) -> str:
        if shutil.which(tool) is None:
            missing(f"net-snmp's {tool} is not installed")
        argv = [tool, "-t", str(int(LIMIT_S)), "-r", "0", "-On", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr

    return run


class Datagrams:
    """A bare UDP client: an agent answers in order, so what comes first tells what was passed over in silence."""

    def __init__(self, port: int, community: str) -> None:
        self.community = community
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(LIMIT_S)
        self._socket.connect(("127.0.0.1", port))

    def close(self) -> None:
        self._socket.close()

    @staticmethod
    def pdu(kind: int, request_id: int, *oids: str, first: int = 0, second: int = 0) -> bytes:
        rows = [ber.binding(ber.parse_oid(oid), ber.NOTHING) for oid in oids]
        return ber.write_pdu(kind, request_id, first, second, rows)

    def request(self, kind: int, request_id: int, *oids: str, version: int = 1, **more: Any) -> bytes:
        head = ber.tlv(ber.INTEGER, bytes([version])) + ber.tlv(ber.OCTETS, self.community.encode())
        return ber.sequence(head, self.pdu(kind, request_id, *oids, **more))

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def recv(self) -> bytes:
        return self._socket.recv(65_535)

    def answer(self) -> ber.Pdu:
        reader = ber.Reader(self.recv()).inside()
        reader.number()
        reader.content()
        return ber.read_pdu(reader)

    def passes_over(self, data: bytes, *, marker: int = 4242) -> bool:
        """Whether something sent before a good request is not answered."""
        self.send(data)
        self.send(self.request(ber.GET, marker, "1.3.6.1.2.1.1.5.0"))
        return self.answer().request_id == marker


@pytest.fixture
def datagrams() -> Iterator[Callable[[EmulatedOlt], Datagrams]]:
    with ExitStack() as stack:

        def connect(olt: EmulatedOlt) -> Datagrams:
            client = Datagrams(olt.snmp_port, olt.snmp_community)
            stack.callback(client.close)
            return client

        yield connect
