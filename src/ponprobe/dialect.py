"""How a device family talks, as data: prompts, views, pager, questions, error table, set-up, farewell; SNMP manners.

A family is ``replace()``d data, never a copied class. Transports follow a dialect; drivers own one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from re import Pattern

from ponprobe.models.parsed import RefusedClass


@dataclass(frozen=True, slots=True)
class View:
    r"""One mode of the command line. ``name`` may hold groups; ``enter`` is a template over them.

    ``View(r"config-if-gpon-(?P<board>\d+/\d+)", parent="config", enter="interface gpon {board}")``

    ``shows`` is what the prompt says there, where that is less than the name (some devices print ``(config-if)#`` in
    every interface); a template over the groups, too.
    """

    name: str
    parent: str | None
    enter: str
    leave: str = "quit"
    shows: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """A line sent once after login. ``optional``: a refusal is fine (older or newer firmware)."""

    line: str
    view: str | None = None
    optional: bool = True


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """A text by which a device refuses. ``empty`` rules are no refusals: the answer is an empty list."""

    pattern: Pattern[str]
    refused: RefusedClass = "other"
    empty: bool = False
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class LoginTexts:
    """What a device says before its first prompt (Telnet asks here; SSH may still print failures)."""

    username: Pattern[str]
    password: Pattern[str]
    bad_login: Pattern[str]
    locked: Pattern[str]
    session_limit: Pattern[str]
    questions: tuple[tuple[Pattern[str], str], ...] = ()
    """Banner questions and their answers, e.g. a YES/NO notice."""


@dataclass(frozen=True, slots=True, eq=False)
class CliDialect:
    """Everything a transport must know to hold a conversation, and a parser to clean its text.

    Compared and hashed by identity, so that what is derived from a dialect can be kept.

    ``prompt`` has the groups ``host``, ``view`` (may be empty) and ``mark`` and is matched against the last line.
    ``view_by_mark`` names the view where the prompt shows none.
    """

    name: str
    prompt: Pattern[str]
    view_by_mark: dict[str, str]
    login: LoginTexts
    views: tuple[View, ...]
    errors: tuple[ErrorRule, ...]
    pager: Pattern[str]
    pager_answer: str = " "
    eraser: Pattern[str] | None = None
    smart_prompt: Pattern[str] | None = None
    smart_prompt_default: str = "<cr>"
    smart_prompt_break: str = "\x03"
    """What leaves a smart prompt that wants a value (no line end is added)."""
    smart_prompt_echo: Pattern[str] | None = None
    """The ``Command:`` block that repeats the completed line after a smart prompt."""
    confirm: Pattern[str] = field(default_factory=lambda: re.compile(r"\(y/n\)\s*(\[[yn]\])?\s*:?\s*$", re.IGNORECASE))
    confirm_yes: str = "y"
    confirm_no: str = "n"
    alarms: tuple[Pattern[str], ...] = ()
    warnings: tuple[Pattern[str], ...] = ()
    echo_wrap: Pattern[str] | None = None
    closed: Pattern[str] = field(default_factory=lambda: re.compile(r"(?!)"))
    secret_fields: Pattern[str] | None = None
    """Fields of answers that hold passwords: group 1 is the label, group 2 the secret, group 3 the rest."""
    setup: tuple[Setup, ...] = ()
    logout: tuple[str, ...] = ("quit",)
    logout_answer: str = "y"
    line_end: str = "\n"
    telnet_line_end: str = "\r\n"
    """The Enter key on a Telnet connection: the network's own line end unless a family needs another."""
    width: int = 80
    height: int = 512

    def view_of(self, prompt: re.Match[str]) -> str:
        """Name the view that a matched prompt shows."""
        return prompt["view"] or self.view_by_mark[prompt["mark"]]

    def _known(self, view: str) -> tuple[View, dict[str, str]] | None:
        for known in self.views:
            if match := re.fullmatch(known.name, view):
                return known, match.groupdict()
        return None

    def shown(self, view: str) -> str:
        """What the prompt shows in a view; a view that is not known is what was shown."""
        found = self._known(view)
        return view if found is None or found[0].shows is None else found[0].shows.format(**found[1])

    def trail(self, view: str) -> tuple[tuple[str, str, str], ...]:
        """The way from the outermost view down to ``view``: (view, line that enters it, line that leaves it)."""
        steps: list[tuple[str, str, str]] = []
        name: str | None = view
        while name is not None:
            found = self._known(name)
            if found is None:
                raise ValueError(f"{self.name}: no view named {name!r}")
            known, groups = found
            steps.append((name, known.enter.format(**groups), known.leave))
            name = known.parent
        return tuple(reversed(steps))

    def moves(self, current: str, target: str) -> tuple[tuple[str, str], ...]:
        """The lines that lead from one view to another, each with the view that must show afterwards."""
        here, there = self.trail(current), self.trail(target)
        common = 0
        while common < min(len(here), len(there)) and here[common][0] == there[common][0]:
            common += 1
        up = [(here[i][2], here[i - 1][0]) for i in range(len(here) - 1, common - 1, -1)]
        down = [(enter, name) for name, enter, _ in there[common:]]
        return tuple(up + down)


@dataclass(frozen=True, slots=True)
class SnmpDialect:
    """How an agent wants to be asked. Times in seconds, for one answer each.

    ``max_repetitions`` is the rows asked for in one GETBULK; never 0, which hangs some agents. ``use_bulk`` is false
    for agents that only do GETNEXT well. ``get_chunk`` is the OIDs in one GET. ``slow_timeout_s`` is what drivers give
    columns that the device fetches from its ONUs (``SnmpGet.timeout_s``). ``retries`` are further attempts after the
    first. ``max_concurrent`` is how many requests may be under way at once. Raises ``ValueError``.
    """

    name: str = "snmp"
    max_repetitions: int = 20
    use_bulk: bool = True
    get_chunk: int = 8
    timeout_s: float = 3.0
    slow_timeout_s: float = 15.0
    retries: int = 1
    max_concurrent: int = 4

    def __post_init__(self) -> None:
        for field_name in ("max_repetitions", "get_chunk", "max_concurrent"):
            if getattr(self, field_name) < 1:
                raise ValueError(f"{self.name}: {field_name} is at least 1")
        if self.retries < 0:
            raise ValueError(f"{self.name}: retries is at least 0")
        if self.timeout_s <= 0 or self.slow_timeout_s <= 0:
            raise ValueError(f"{self.name}: a timeout is more than 0 s")
