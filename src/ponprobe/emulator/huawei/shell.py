"""A session on a Huawei OLT: banner, prompts, smart prompts, pager, errors, alarms, questions, logout."""

from __future__ import annotations

import random
import threading
from functools import lru_cache
from typing import Protocol

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.grammar import Grammar, Parse, listed
from ponprobe.emulator.huawei.answer import (
    CONFIG,
    ENABLE,
    GPON,
    LINE,
    SERVICE,
    USER,
    Answer,
    Context,
    SessionState,
)
from ponprobe.emulator.huawei.commands import grammar
from ponprobe.emulator.huawei.personality import ALARM, BUSY, Personality
from ponprobe.emulator.terminal import Closed, Completion, Terminal
from ponprobe.emulator.world import OltWorld

EXIT = "  Configuration console exit, please retry to log on"
REENTER = "  Reenter times have reached the upper limit"
NOTICE = """
  Warning: The user password is set by other administrator or NMS, it is
recommended to change the password.

"""
INDENT = " " * 10


class Device(Protocol):
    """What a session needs of the emulated OLT."""

    world: OltWorld
    faults: Faults
    username: str
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

    def session_opened(self, user: str) -> bool:
        """Count a session; false if this user has too many."""

    def session_closed(self, user: str) -> None:
        """Count it off."""

    def last_login(self) -> tuple[str, str, str]:
        """Address and times of the login before."""


@lru_cache
def _grammar(of: Personality) -> Grammar:
    return grammar(of)


class Shell:
    """One logged-in session; ``run`` returns when it ends, ``Closed`` if the connection goes first."""

    def __init__(self, terminal: Terminal, device: Device, personality: Personality, user: str, access: str) -> None:
        self._terminal = terminal
        self._device = device
        self._of = personality
        self._grammar = _grammar(personality)
        self._access = access
        self._session = SessionState(user=user)
        self._disturbed = False

    def run(self) -> None:
        """Banner, then commands until logout."""
        if not self._device.session_opened(self._session.user):
            self._terminal.write(f"\n{REENTER}\n")
            return
        try:
            self._greet()
            while self._command():
                pass
        finally:
            self._device.session_closed(self._session.user)

    def _greet(self) -> None:
        years, model, rule = self._of.banner_years, self._of.banner_model, "  " + "-" * 77
        lines = ["", f"  Huawei Integrated Access Software ({model})."]
        lines += [f"  Copyright(C) Huawei Technologies Co., Ltd. {years}. All rights reserved.", ""]
        if self._of.login_tables:
            address, came, went = self._device.last_login()
            lines += [rule, "  User last login information:", rule]
            lines += [f"  Access Type : {self._access}", f"  IP-Address  : {address}"]
            lines += [f"  Login  Time : {came}", f"  Logout Time : {went}", rule]
            lines += [rule, "  All user fail login information:", rule]
            lines += ["  Access Type IP-Address           Time                          Login Times", rule]
            lines += [f"  {'SSH':<12}{'192.0.2.77':<21}{went:<30}{3:>11}", rule, ""]
        else:
            lines.append("")
        self._terminal.write("\n".join(lines) + "\n")
        notice = self._device.faults.password_notice
        if self._of.password_notice if notice is None else notice:
            self._terminal.write(self._prompt() + NOTICE)

    def _prompt(self) -> str:
        session, name = self._session, self._device.world.name
        number = session.profile.id if session.profile else 0
        suffix = {
            USER: ">",
            ENABLE: "#",
            CONFIG: "(config)#",
            GPON: f"(config-if-gpon-{session.slot[0]}/{session.slot[1]})#",
            LINE: f"(config-gpon-lineprofile-{number})#",
            SERVICE: f"(config-gpon-srvprofile-{number})#",
        }
        return name + suffix[session.view]

    def _command(self) -> bool:
        """One prompt and what is typed at it; false at logout."""
        prompt = self._prompt()
        self._terminal.write(prompt)
        self._disturbed = False
        line = self._terminal.read_line(complete=self._complete(""), disturb=self._disturb)
        if not line.strip():
            self._terminal.write("\n")
            return True
        self._terminal.flush()
        number = self._device.arrived(line.strip())
        return self._answer(number, self._grammar.parse(self._session.view, line), indent=len(prompt))

    def _complete(self, before: str) -> Completion:
        def complete(typed: str) -> str | None:
            return self._grammar.complete(self._session.view, before + typed)

        return complete

    def _disturb(self, line: str, key: str) -> str | None:
        """An alarm that comes while a command is typed and swallows one character, as netmiko users have seen."""
        begins_a_word = len(line) >= 8 and line.endswith(" ") and key.isalpha()
        if self._disturbed or not self._device.faults.alarm_eats or not begins_a_word:
            return None
        if not self._alarm_due(self._device.next_number):
            return None
        self._disturbed = True
        return f"\n{self._alarm()}{self._prompt()}{line}"

    def _alarm_due(self, number: int) -> bool:
        faults = self._device.faults
        silenced = faults.alarm_heeds_infoswitch and not self._session.alarms
        return faults.alarm_at(number) and not silenced

    def _alarm(self) -> str:
        return ALARM.format(now=self._device.world.wall().isoformat(sep=" ", timespec="seconds"))

    def _answer(self, number: int, parse: Parse, indent: int) -> bool:
        while self._session.smart and parse.options and parse.refused in {None, "Incomplete command"}:
            self._terminal.write(listed(parse.options, complete=parse.refused is None))
            before = parse.completed + " "
            typed = self._terminal.read_line(complete=self._complete(before))
            whole = before + typed.strip()
            self._terminal.write(f"\n  Command:\n{INDENT}{whole}\n")
            indent = len(INDENT)
            if not typed.strip():
                break
            parse = self._grammar.parse(self._session.view, whole)
            self._device.corrected(number, whole.strip())
        faults = self._device.faults
        answer = Answer()
        if parse.command is None:
            lines = [" " * (indent + parse.at) + "^", f"  % {parse.refused}, the error locates at '^'"]
            answer.lines = lines
        elif parse.command.changes and faults.busy > 0:
            faults.busy -= 1
            answer.lines = [f"  Failure: {BUSY}"]
        else:
            # one command at a time looks at the world, so what it prints hangs together
            with self._device.world.lock:
                answer = parse.command.run(Context(self._device.world, self._of, self._session, parse, self._device))
        return self._give(number, parse, answer)

    def _give(self, number: int, parse: Parse, answer: Answer) -> bool:
        while answer.question is not None and answer.then is not None:
            self._terminal.write("".join(f"{line}\n" for line in answer.lines) + answer.question)
            reply = self._terminal.read_line()
            with self._device.world.lock:
                answer = answer.then(reply)
        self._device.executed(number, parse.line.strip())
        faults = self._device.faults
        if faults.silent_after == number:
            self._terminal.discard_forever()
        if self._device.closing.wait(faults.delay_s + answer.wait_s):
            raise Closed
        if answer.logout:
            self._terminal.write(f"{EXIT}\n")
            return False
        self._print(number, answer.lines)
        self._terminal.write("\n")
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
