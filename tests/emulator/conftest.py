"""Raw clients for the emulator: bytes as they come, in awkward chunks; everything waits for a text, never for time."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

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
        """The same, as lines, without the empty one and the prompt at the end."""
        return self.do(line).replace("\r", "").split("\n")[:-2]

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


@pytest.fixture
def telnet() -> Iterator[Callable[..., Talk]]:
    with ExitStack() as stack:

        def connect(olt: EmulatedOlt, *, login: bool = True, user: str | None = None) -> Talk:
            connection = stack.enter_context(socket.create_connection((olt.host, olt.telnet_port), timeout=LIMIT_S))
            talk = Talk(olt, connection.recv, connection.sendall)
            if login:
                talk.until(">>User name:")
                talk.send(f"{user or olt.username}\r\n")
                talk.until(">>User password:")
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
                    talk.until("recommended to change the password")
                talk.until(talk.prompt)
            return talk

        yield connect
