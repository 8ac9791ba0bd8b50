"""A session on a ZTE OLT: banner, prompts, errors with their caret."""

from __future__ import annotations

from functools import lru_cache

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.grammar import Command, Grammar, Parse, RefusalKind
from ponprobe.emulator.records import Refused
from ponprobe.emulator.shell import BaseShell, Device
from ponprobe.emulator.terminal import Terminal
from ponprobe.emulator.zte.answer import EXEC, MNG, BadParameterError, Context, SessionState
from ponprobe.emulator.zte.commands import grammar
from ponprobe.emulator.zte.personality import TOO_MANY, WEAK_PASSWORD, Personality


@lru_cache
def _grammar(of: Personality) -> Grammar:
    return grammar(of)


class Shell(BaseShell[Personality, SessionState]):
    """One logged-in session."""

    too_many = TOO_MANY

    def __init__(self, terminal: Terminal, device: Device, personality: Personality, user: str, access: str) -> None:
        session = SessionState(user, personality.lands_in)
        super().__init__(terminal, device, personality, session, _grammar(personality))
        self._access = access.upper()
        self._indent = 0

    def _greet(self) -> None:
        host, before, now = self._device.last_login()
        facts = {"access": self._access, "host": host}
        facts |= {"before": f"{before:%H:%M:%S %m-%d-%Y}", "now": f"{now:%H:%M:%S %m-%d-%Y}"}
        lines = [line.format(**facts) for line in self._of.banner]
        notice = self._device.faults.password_notice
        if self._of.password_notice if notice is None else notice:
            lines.append(WEAK_PASSWORD)
        self._terminal.write("".join(f"{line}\n" for line in lines))

    def _prompt(self) -> str:
        session, titan = self._session, self._of.titan
        name = self._device.world.name
        match session.view:
            case "user" | "exec":
                return name + ("#" if session.view == EXEC else ">")
            case "config":
                return f"{name}(config)#"
            case "mng" if titan:
                return f"{name}(config-gpon-onu-mng)#"
            case "mng" if not self._of.old:
                return f"{name}(gpon-onu-mng {session.port}:{session.onu_id})#"
            case "mng" | "epon-mng":
                return f"{name}({'gpon' if session.view == MNG else 'epon'}-onu-mng)#"
        return f"{name}(config-if-{session.where})#" if titan else f"{name}(config-if)#"

    def _command(self) -> bool:
        prompt = self._prompt()
        self._terminal.write(prompt)
        line = self._terminal.read_line()
        if not line.strip():
            return True
        self._terminal.flush()
        number = self._device.arrived(line.strip())
        self._indent = len(prompt)
        parse = self._grammar.parse(self._session.view, line)
        return self._execute(number, self._in_full(parse), self._indent)

    def _in_full(self, parse: Parse) -> Parse:
        """TITAN V2.0.10 takes ``configure terminal`` in full only."""
        if self._of.titan and parse.words == ("configure", "terminal") and parse.line.split() != list(parse.words):
            return Parse(parse.line, parse.words, refused="Ambiguous command")
        return parse

    def _run(self, command: Command, parse: Parse) -> Answer:
        try:
            answer: Answer = command.run(Context(self._device.world, self._of, self._session, parse, self._device))
        except Refused as refused:
            return Answer(self._of.words(refused.reason))
        except BadParameterError as bad:
            return Answer(self._marked("Parameter error", parse, self._indent + parse.line.find(bad.value)))
        return answer

    def _wrong(self, parse: Parse, indent: int) -> list[str]:
        return self._marked(parse.refused or "Unknown command", parse, indent + parse.at)

    def _marked(self, kind: RefusalKind, parse: Parse, column: int) -> list[str]:
        text, caret = self._of.error(kind, parse.line.strip())
        return [" " * column + "^", text] if caret else [text]

    def _busy(self) -> list[str]:
        return [self._of.busy]

    def _alarm(self) -> str:
        """A log line among the answers; no device text was found, so its words are the emulator's own."""
        return f"%LOG {self._device.world.wall():%H:%M:%S %m-%d-%Y}: An ONU is LOS."
