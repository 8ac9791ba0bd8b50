"""Raw clients for the emulator: bytes as they come, in awkward chunks; everything waits for a text, never for time."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import paramiko
import pytest

from ponprobe.emulator import EmulatedOlt, Lab, serve

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
