"""A command grammar as data: patterns of words and typed values, walked all at once.

A pattern is written as ``ont delete <portid:U0-15> { all | <ontid:U0-127> }`` with ``[...]`` for what may be left out
and ``{a|b}`` for alternatives; ``PIPE`` stands for the word ``|``. Types: ``U0-15`` number, ``S1-40`` text, ``Ea,b``
one of the words, ``L1-64`` the rest of the line, ``Rregex`` what a pattern matches, or a name of :data:`SHAPES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "fs": (re.compile(r"\d{1,2}/\d{1,2}"), "<S><Length 3-15>"),
    "f_or_fs": (re.compile(r"\d{1,2}(/\d{1,2})?"), "<S><Length 1-15>"),
    "fsp": (re.compile(r"\d{1,2}/\d{1,2}/\d{1,3}"), "<S><Length 5-18>"),
    "any_fsp": (re.compile(r"\d{1,2}(/\d{1,2}(/\d{1,3})?)?"), "<S><Length 1-18>"),
    "sn": (re.compile(r"[0-9A-Fa-f]{16}|[A-Za-z0-9]{4}-?[0-9A-Fa-f]{8}"), "<S><Length 12,16>"),
    "mac": (re.compile(r"[0-9A-Fa-f]{4}(-[0-9A-Fa-f]{4}){2}"), "<M><XXXX-XXXX-XXXX>"),
}

RefusalKind = Literal[
    "Unknown command", "Parameter error", "Too many parameters", "Incomplete command", "Ambiguous command"
]


@dataclass(frozen=True)
class Keyword:
    """A fixed word."""

    word: str

    @property
    def help(self) -> str:
        """As a smart prompt lists it."""
        return f"{self.word}<K>"


@dataclass(frozen=True)
class Typed:
    """A value with a name and a type."""

    name: str
    type: str

    def accepts(self, word: str) -> bool:
        """Whether the word is of this type; quotes around it do not count."""
        text = unquoted(word)
        kind, rest = self.type[0], self.type[1:]
        if self.type in SHAPES:
            return SHAPES[self.type][0].fullmatch(text) is not None
        if kind == "U":
            low, high = map(int, rest.split("-"))
            return text.isascii() and text.isdigit() and low <= int(text) <= high
        if kind in "SL":
            low, high = map(int, rest.split("-"))
            return low <= len(text) <= high
        if kind == "R":
            return re.fullmatch(rest, text, re.IGNORECASE) is not None
        return text.lower() in rest.split(",")

    @property
    def help(self) -> str:
        """As a smart prompt lists it."""
        kind, rest = self.type[0], self.type[1:]
        if self.type in SHAPES:
            return f"{self.name}{SHAPES[self.type][1]}"
        if kind == "U":
            return f"{self.name}<U><{rest.replace('-', ',')}>"
        return f"{self.name}<S><Length {rest}>" if kind == "S" else f"{self.name}<E><{rest}>"


Token = Keyword | Typed


@dataclass(eq=False)
class _State:
    edges: list[tuple[Token, _State]] = field(default_factory=list)
    free: list[_State] = field(default_factory=list)
    command: Command | None = None


@dataclass(frozen=True)
class Command:
    """One pattern: in which views it is known, whether it changes the device, and who answers it."""

    pattern: str
    views: frozenset[str]
    run: Callable[..., Any]
    changes: bool = False


@dataclass(frozen=True)
class Word:
    """A word of a line and the offset where it starts; quotes are part of it."""

    text: str
    at: int


@dataclass(frozen=True)
class Parse:
    """What a line is: a complete command (``command``), or what is wrong with it (``refused`` at ``at``).

    ``options`` are the tokens that may follow; ``words`` is the line with its keywords completed.
    """

    line: str
    words: tuple[str, ...]
    options: tuple[Token, ...] = ()
    command: Command | None = None
    values: dict[str, str] = field(default_factory=dict)
    keywords: frozenset[str] = frozenset()
    refused: RefusalKind | None = None
    at: int = 0

    @property
    def completed(self) -> str:
        """The line with every keyword written out."""
        return " ".join(self.words)


def unquoted(word: str) -> str:
    """The word without the quotes around it."""
    return word[1:-1] if len(word) >= 2 and word[0] == word[-1] == '"' else word


def split(line: str) -> list[Word]:
    """Split at blanks; a quoted text is one word."""
    return [Word(found[0], found.start()) for found in re.finditer(r'"[^"]*"?|[^\s"]\S*', line)]


def _tokens(pattern: str) -> list[str]:
    return re.findall(r"<[^>]+>|[\[\]{}|]|[^\s\[\]{}|<>]+", pattern)


class _Compiler:
    def __init__(self, pattern: str) -> None:
        self._rest = _tokens(pattern)
        self._pattern = pattern

    def build(self, start: _State) -> _State:
        end = self._sequence(start, closing=None)
        if self._rest:
            raise ValueError(f"pattern {self._pattern!r}: {self._rest[0]!r} is left over")
        return end

    def _sequence(self, state: _State, closing: str | None) -> _State:
        while self._rest and self._rest[0] not in {closing, "|"}:
            state = self._element(state)
        return state

    def _element(self, state: _State) -> _State:
        part = self._rest.pop(0)
        end = _State()
        if part in {"[", "{"}:
            closing = "]" if part == "[" else "}"
            while True:
                begin = _State()
                state.free.append(begin)
                self._sequence(begin, closing).free.append(end)
                if self._rest.pop(0) == closing:
                    break
            if part == "[":
                state.free.append(end)
        elif part.startswith("<"):
            name, _, kind = part[1:-1].partition(":")
            state.edges.append((Typed(name, kind), end))
        else:
            state.edges.append((Keyword("|" if part == "PIPE" else part), end))
        return end


def _closure(states: Iterable[_State]) -> list[_State]:
    seen: list[_State] = []
    todo = list(states)
    while todo:
        state = todo.pop(0)
        if state not in seen:
            seen.append(state)
            todo.extend(state.free)
    return seen


@dataclass
class _Walk:
    """Where a line has got to: the states it may be in, and for each the values that lead there."""

    states: list[tuple[_State, tuple[tuple[str, str], ...]]]

    def edges(self) -> list[tuple[Token, _State, tuple[tuple[str, str], ...]]]:
        return [
            (token, target, bound)
            for start, bound in self.states
            for state in _closure([start])
            for token, target in state.edges
        ]

    def accepted(self) -> tuple[Command, tuple[tuple[str, str], ...]] | None:
        for start, bound in self.states:
            for state in _closure([start]):
                if state.command is not None:
                    return state.command, bound
        return None


class Grammar:
    """All commands of one device. Immutable; shared by its sessions."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._roots: dict[str, list[_State]] = {}
        for command in commands:
            start = _State()
            _Compiler(command.pattern).build(start).command = command
            for view in command.views:
                self._roots.setdefault(view, []).append(start)

    def _start(self, view: str) -> _Walk:
        return _Walk([(root, ()) for root in self._roots.get(view, [])])

    @staticmethod
    def _choose(word: str, walk: _Walk) -> tuple[list[tuple[Token, _State, tuple[tuple[str, str], ...]]], str, bool]:
        """Pick the edges that a word follows, the word written out, and whether several keywords begin with it."""
        edges = walk.edges()
        low = word.lower()
        exact = [edge for edge in edges if isinstance(edge[0], Keyword) and edge[0].word.lower() == low]
        if exact:
            return exact, word, False
        typed = [edge for edge in edges if isinstance(edge[0], Typed) and edge[0].accepts(word)]
        if typed:
            return typed, word, False
        begun = [edge for edge in edges if isinstance(edge[0], Keyword) and edge[0].word.lower().startswith(low)]
        names = {edge[0].word for edge in begun if isinstance(edge[0], Keyword)}
        if len(names) == 1:
            return begun, word + next(iter(names))[len(word) :], False
        return [], word, len(names) > 1

    @staticmethod
    def _step(edges: list[tuple[Token, _State, tuple[tuple[str, str], ...]]], word: str) -> _Walk:
        states = []
        for token, target, bound in edges:
            entry = ("", token.word) if isinstance(token, Keyword) else (token.name, unquoted(word))
            states.append((target, (*bound, entry)))
        return _Walk(states)

    def parse(self, view: str, line: str) -> Parse:
        """Read a whole line in a view; never raises."""
        walk = self._start(view)
        done: list[str] = []
        for word in split(line):
            edges, written, ambiguous = self._choose(word.text, walk)
            if any(isinstance(token, Typed) and token.type[0] == "L" for token, _, _ in edges):
                rest = line[word.at :].strip()
                edges = [edge for edge in edges if isinstance(edge[0], Typed) and edge[0].accepts(rest)]
                if edges:
                    done.append(rest)
                    walk = self._step(edges, rest)
                    break
            if not edges:
                return Parse(line, (*done, word.text), refused=self._why(walk, ambiguous=ambiguous), at=word.at)
            done.append(written)
            walk = self._step(edges, written)
        options = tuple({token.help: token for token, _, _ in walk.edges()}.values())
        found = walk.accepted()
        if found is None:
            return Parse(line, tuple(done), options, refused="Incomplete command", at=len(line.rstrip()) + 1)
        command, bound = found
        return Parse(
            line,
            tuple(done),
            options,
            command,
            values={name: value for name, value in bound if name},
            keywords=frozenset(value for name, value in bound if not name),
        )

    @staticmethod
    def _why(walk: _Walk, *, ambiguous: bool) -> RefusalKind:
        if ambiguous:
            return "Ambiguous command"
        if walk.accepted() is not None:
            return "Too many parameters"
        if any(isinstance(token, Typed) for token, _, _ in walk.edges()):
            return "Parameter error"
        return "Unknown command"

    def complete(self, view: str, line: str) -> str | None:
        """What a space key does after this line: the letters it adds to the last word, or ``None`` if it is dropped.

        Blanks inside an open quote and after a blank stay as they are.
        """
        words = split(line)
        if not words or line[-1] in " \t":
            return ""
        last = words[-1].text
        if last.startswith('"') and (len(last) == 1 or not last.endswith('"')):
            return ""
        walk = self._start(view)
        for word in words[:-1]:
            edges, written, _ = self._choose(word.text, walk)
            if not edges:
                return None
            walk = self._step(edges, written)
        edges, written, _ = self._choose(last, walk)
        return written[len(last) :] if edges else None


def listed(options: Iterable[Token], *, complete: bool) -> str:
    """The options as a smart prompt prints them: ``{ <cr>|all<K>|ontid<U><0,127> }:``; filters last."""
    names = sorted(token.help for token in options if token != Keyword("|"))
    if complete:
        names.insert(0, "<cr>")
    if Keyword("|") in set(options):
        names.append("|<K>")
    return "{ " + "|".join(names) + " }:"
