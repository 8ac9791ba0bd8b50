"""A session on a Huawei OLT: banner, prompts, smart prompts, pager, errors, alarms, questions, logout."""

from __future__ import annotations

from functools import lru_cache

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.grammar import Command, Grammar, Parse, listed
from ponprobe.emulator.huawei.answer import CONFIG, ENABLE, GPON, LINE, SERVICE, USER, Context, SessionState
from ponprobe.emulator.huawei.commands import grammar
from ponprobe.emulator.huawei.personality import ALARM, BUSY, Personality
from ponprobe.emulator.shell import BaseShell, Device
from ponprobe.emulator.terminal import Completion, Terminal

EXIT = "  Configuration console exit, please retry to log on"
REENTER = "  Reenter times have reached the upper limit"
NOTICE = """
  Warning: The user password is set by other administrator or NMS, it is
recommended to change the password.

"""
INDENT = " " * 10


@lru_cache
def _grammar(of: Personality) -> Grammar:
    return grammar(of)


class Shell(BaseShell[Personality, SessionState]):
    """One logged-in session."""

    too_many = REENTER
    farewell = f"{EXIT}\n"
    after_answer = "\n"

    def __init__(self, terminal: Terminal, device: Device, personality: Personality, user: str, access: str) -> None:
        super().__init__(terminal, device, personality, SessionState(user), _grammar(personality))
        self._access = access

    def _greet(self) -> None:
        years, model, rule = self._of.banner_years, self._of.banner_model, "  " + "-" * 77
        lines = ["", f"  Huawei Integrated Access Software ({model})."]
        lines += [f"  Copyright(C) Huawei Technologies Co., Ltd. {years}. All rights reserved.", ""]
        if self._of.login_tables:
            address, *times = self._device.last_login()
            came, went = (at.isoformat(sep=" ", timespec="seconds") for at in times)
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
        return self._execute(number, parse, indent)

    def _run(self, command: Command, parse: Parse) -> Answer:
        answer: Answer = command.run(Context(self._device.world, self._of, self._session, parse, self._device))
        return answer

    def _wrong(self, parse: Parse, indent: int) -> list[str]:
        return [" " * (indent + parse.at) + "^", f"  % {parse.refused}, the error locates at '^'"]

    def _busy(self) -> list[str]:
        return [f"  Failure: {BUSY}"]
