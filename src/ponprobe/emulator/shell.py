"""A session on an emulated OLT, whatever the vendor: commands, questions, faults, pager, logout."""

from __future__ import annotations

import random
import threading
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from ponprobe.emulator.answer import Answer, BaseSession
from ponprobe.emulator.faults import Faults
from ponprobe.emulator.grammar import Command, Grammar, Parse
from ponprobe.emulator.terminal import Closed, Terminal
from ponprobe.emulator.world import OltWorld


class Device(Protocol):
    """What a session needs of the emulated OLT."""

    world: OltWorld
    faults: Faults
    username: str
    enable_password: str
    save_s: float
    closing: threading.Event

    def arrived(self, line: str) -> int:
        """Count and record a command line; may drop the connection by raising ``Closed``."""

    def corrected(self, number: int, line: str) -> None:
        """Record what a command became after its smart prompt."""

    def executed(self, number: int, line: str) -> None:
        """Tell that a command was executed; may drop the connection by raising ``Closed``."""

    @property
    def reenter_limit(self) -> int:
        """Sessions at once per user."""

    @property
    def next_number(self) -> int:
        """The number that the next command will get."""

    @property
    def sessions_open(self) -> int:
        """Sessions that are logged in now."""

    def session_opened(self, user: str) -> bool:
        """Count a session; false if this user has too many."""

    def session_closed(self, user: str) -> None:
        """Count it off."""

    def last_login(self) -> tuple[str, datetime, datetime]:
        """Address and times of the login before and of this one."""


P = TypeVar("P")
S = TypeVar("S", bound=BaseSession)


class BaseShell(Generic[P, S]):
    """One logged-in session; ``run`` returns when it ends, ``Closed`` if the connection goes first."""

    too_many: str
    """What a session above the limit is told."""
    farewell = ""
    after_answer = ""
    """What follows every answer, before the prompt."""

    def __init__(self, terminal: Terminal, device: Device, personality: P, session: S, grammar: Grammar) -> None:
        self._terminal = terminal
        self._device = device
        self._of = personality
        self._session = session
        self._grammar = grammar
        self._disturbed = False

    def run(self) -> None:
        """Banner, then commands until logout."""
        if not self._device.session_opened(self._session.user):
            self._terminal.write(f"\n{self.too_many}\n")
            return
        try:
            self._greet()
            while self._command():
                pass
        finally:
            self._device.session_closed(self._session.user)

    # ------------------------------------------------------------------ what each vendor does in its own way

    def _greet(self) -> None:
        raise NotImplementedError

    def _prompt(self) -> str:
        raise NotImplementedError

    def _command(self) -> bool:
        """One prompt and what is typed at it; false at logout."""
        raise NotImplementedError

    def _run(self, command: Command, parse: Parse) -> Answer:
        """Execute a complete command; the caller holds the world's lock."""
        raise NotImplementedError

    def _wrong(self, parse: Parse, indent: int) -> list[str]:
        """What is wrong with a line that began in column ``indent``."""
        raise NotImplementedError

    def _busy(self) -> list[str]:
        raise NotImplementedError

    def _alarm(self) -> str:
        raise NotImplementedError

    # ------------------------------------------------------------------ what all do alike

    def _alarm_due(self, number: int) -> bool:
        faults = self._device.faults
        silenced = faults.alarm_heeds_infoswitch and not self._session.alarms
        return faults.alarm_at(number) and not silenced

    def _execute(self, number: int, parse: Parse, indent: int) -> bool:
        """Answer a line; false at logout."""
        faults = self._device.faults
        if parse.command is None:
            answer = Answer(self._wrong(parse, indent))
        elif parse.command.changes and faults.busy > 0:
            faults.busy -= 1
            answer = Answer(self._busy())
        else:
            # one command at a time looks at the world, so what it prints hangs together
            with self._device.world.lock:
                answer = self._run(parse.command, parse)
        return self._give(number, parse, answer)

    def _give(self, number: int, parse: Parse, answer: Answer) -> bool:
        while answer.question is not None and answer.then is not None:
            self._terminal.write("".join(f"{line}\n" for line in answer.lines) + answer.question)
            reply = self._terminal.read_line(echo=not answer.secret)
            with self._device.world.lock:
                answer = answer.then(reply)
        self._device.executed(number, parse.line.strip())
        faults = self._device.faults
        if faults.silent_after == number or answer.hangs:
            self._terminal.discard_forever()
        if self._device.closing.wait(faults.delay_s + answer.wait_s):
            raise Closed
        if answer.logout:
            self._terminal.write(self.farewell)
            return False
        self._print(number, answer.lines)
        self._terminal.write(self.after_answer)
        return True

    def _print(self, number: int, lines: list[str]) -> None:
        faults = self._device.faults
        if faults.garbage_after == number:
            noise = random.Random(f"{self._device.world.seed}/{number}")  # noqa: S311 - reproducible noise
            self._terminal.write_raw(noise.randbytes(faults.garbage_bytes) + b"\r\n")
            return
        if self._alarm_due(number) and not self._disturbed:
            middle = len(lines) // 2
            lines = [*lines[:middle], *self._alarm().rstrip("\n").split("\n"), *lines[middle:]]
        self._terminal.page(lines, height=self._session.height if faults.pager else None)
