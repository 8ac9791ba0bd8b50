"""What every vendor's readers share once an answer is clean: wholeness, counts, places for numbers, and the dispatch.

A vendor gives a ``Language``: which reader reads the answer to which question, which lines only move about, what an
accepted change says. Text that fits none of it raises ``ParseError``; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ponprobe.dialect import CliDialect
from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.errors import ParseError
from ponprobe.models._base import Value
from ponprobe.models.addressing import Serial
from ponprobe.models.optical import Absence
from ponprobe.models.parsed import Kind, Parsed, Refusal, WriteOutcome

T = TypeVar("T")
Records: TypeAlias = "tuple[tuple[Value, ...], bool]"
"""What was read, and whether the answer goes to its end."""


def demand_whole(answer: Answer, what: str, *, whole: bool) -> None:
    """Raise if part of an answer is missing: a list that was cut would be taken for a shorter list."""
    if not (whole and answer.complete):
        raise ParseError(f"{what}: the answer is incomplete", text=answer.body, hint="ask again")


def demand_count(found: int, told: int, what: str, answer: Answer) -> None:
    """Raise if the device's own total differs from the rows that were read."""
    if found != told:
        raise ParseError(f"{what}: incomplete, {found} read but the device counts {told}", text=answer.body)


def demand_totals(rows: Iterable[Mapping[str, str]], found: int, what: str, answer: Answer) -> bool:
    """Hold the rows that were read against the totals that the table prints; return whether it prints any."""
    totals = [int(row["total"]) for row in rows if row["total"]]
    if totals and answer.complete:
        demand_count(found, sum(totals), what, answer)
    return bool(totals)


def listed(answer: Answer, what: str, read: Callable[[Answer], tuple[tuple[T, ...], bool]]) -> tuple[T, ...]:
    """Read a list that must be whole."""
    found, whole = read(answer)
    demand_whole(answer, what, whole=whole)
    return found


def unknown(what: str, answer: Answer) -> ParseError:
    """Make the error for a text that is not the answer that was expected."""
    first = next((line.strip() for line in answer.lines if line.strip()), "")
    return ParseError(f"{what}: unknown text, starting {first!r}", template=what, text=answer.body)


def serial_or_none(text: str) -> Serial | None:
    """Read a serial; ``None`` for a MAC address, dashes and anything else that is no serial."""
    try:
        return Serial(text)
    except ValueError:
        return None


def aside(printed: str) -> tuple[float | None, Absence | None]:
    """Read what nobody judges by: a form that is unknown costs this value, not the powers beside it."""
    try:
        return parsing.number(printed)
    except ParseError:
        return None, Absence.UNSUPPORTED


def forget_zeros(values: MutableMapping[str, object], absent: MutableMapping[str, Absence], *names: str) -> None:
    """Take zeros away that a device prints for an ONU whose powers it could not read: they are no readings."""
    if values.get("onu_rx_dbm") is None and values.get("onu_tx_dbm") is None:
        for name in names:
            if values.get(name) == 0:
                values[name], absent[name] = None, absent.get("onu_rx_dbm", Absence.NOT_REPORTED)


# ---------------------------------------------------------------------- dispatch


@dataclass(frozen=True, slots=True)
class Asked:
    """A command in lower case without surplus blanks and filters, and the contexts that may name a place."""

    line: str
    contexts: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Which questions (matched at their start) are read how, and what kind of records that gives."""

    question: re.Pattern[str]
    kind: Kind
    read: Callable[[Answer, Asked], Records]


def _nobody(_answer: Answer) -> Reader | None:
    return None


def _never(_line: str, _refusal: Refusal) -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One vendor's questions, changes and the words between them.

    ``asks`` is the word that starts every question, ``moves`` what only changes view or session, ``changes`` the
    changes whose answers are known: another text after them raises. ``recognise`` finds the reader of a text whose
    command does not tell; ``says_none`` whether a refusal means an empty list.
    """

    asks: str
    readers: tuple[Reader, ...]
    moves: re.Pattern[str]
    changes: re.Pattern[str]
    clean: Callable[[str, str | None], Answer]
    outcome: Callable[[Answer, Asked], WriteOutcome | None]
    recognise: Callable[[Answer], Reader | None] = field(default=_nobody)
    says_none: Callable[[str, Refusal], bool] = field(default=_never)

    def parse(self, command: str | None, context: str | None, text: str) -> Parsed:
        """Read one raw answer; a refusal is part of the result, an unreadable text raises ``ParseError``."""
        line = plain(command)
        answer = self.clean(text, command or None)
        asked = Asked(line, (context, answer.view))
        reader = self._reader(line, answer)
        question = reader is not None or not line or line.startswith(self.asks) or bool(self.moves.match(line))
        kind: Kind = reader.kind if reader is not None else "session" if question else "write"
        if answer.refusal is not None:
            if self.says_none(line, answer.refusal):
                return Parsed(kind=kind, events=answer.events)
            outcome = (WriteOutcome(outcome="refused", text=answer.refusal.text),) if kind == "write" else ()
            return Parsed(kind=kind, records=outcome, refused=answer.refusal, events=answer.events)
        if reader is not None and not answer.body.strip() and not answer.empty:
            return Parsed(kind="session", events=answer.events, incomplete=True)
        if reader is not None:
            records, whole = reader.read(answer, asked)
            return Parsed(kind=kind, records=records, events=answer.events, incomplete=not (whole and answer.complete))
        return self._written(answer, asked) if kind == "write" else Parsed(kind="session", events=answer.events)

    def _reader(self, line: str, answer: Answer) -> Reader | None:
        found = self.recognise(answer)
        if found is not None and (not line or line.startswith(self.asks)):
            return found
        return next((reader for reader in self.readers if reader.question.match(line)), None)

    def _written(self, answer: Answer, asked: Asked) -> Parsed:
        outcome = self.outcome(answer, asked)
        if outcome is None:
            if self.changes.match(asked.line):
                raise unknown(asked.line, answer)
            return Parsed(kind="session", events=answer.events)
        refused = Refusal(refused_class="other", text=outcome.text) if outcome.outcome == "refused" else None
        return Parsed(kind="write", records=(outcome,), refused=refused, events=answer.events)


def plain(command: str | None) -> str:
    """Reduce a command to what decides its reader: no filter, no surplus blanks, lower case."""
    return " ".join(re.sub(r"\|.*$", "", command or "").split()).lower()


def cleaned_by(dialect: CliDialect, text: str | Answer, command: str | None) -> Answer:
    """Clean a raw answer; one that has been cleaned already stays as it is."""
    return text if isinstance(text, Answer) else parsing.clean(text, dialect, command)
