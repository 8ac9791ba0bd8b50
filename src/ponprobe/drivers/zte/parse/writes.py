"""Answers to changes. Only ``onu`` and ``no onu`` say that they succeeded; elsewhere silence means: not refused."""

from __future__ import annotations

import re

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import unknown
from ponprobe.drivers.zte.parse._text import cleaned
from ponprobe.errors import ParseError
from ponprobe.flow import Cli
from ponprobe.models.parsed import WriteOutcome

_DONE = re.compile(r"\.*\s*\[(?:Successful|OK)\]|.*\[OK\]", re.IGNORECASE)
_NOT_DONE = re.compile(r".*\[(?:Failed|Fail|Error)\]", re.IGNORECASE)
_PATIENCE = re.compile(
    r"%Info\b|\.+$|(?:Backuping|Collecting|Writing|Building|Saving)\b.*\.{2,}$|Enter configuration commands"
    r"|please wait",
    re.IGNORECASE,
)


def accepted(text: str | Answer, request: Cli | None = None) -> WriteOutcome:
    """Read the answer to a change: silence, or a word of success; a refusal raises, other text is a ``ParseError``."""
    answer = cleaned(text, request.line if request else None)
    parsing.refuse(answer, request)
    outcome = outcome_of(answer)
    if outcome is None or outcome.outcome == "refused":
        raise unknown(str(request or "change"), answer)
    return outcome


def confirmed(text: str | Answer, request: Cli | None = None) -> WriteOutcome:
    """Read the answer to ``onu`` or ``no onu``: success is ``[Successful]`` and nothing else."""
    outcome = accepted(text, request)
    if not outcome.text:
        body = cleaned(text, request.line if request else None).body
        raise ParseError(f"{request or 'change'}: no word of success", text=body, hint="read the OLT back")
    return outcome


def outcome_of(answer: Answer) -> WriteOutcome | None:
    """Read an answer that was not refused; ``None`` if its words are unknown."""
    said = [" ".join(line.split()) for line in answer.lines if line.strip()]
    if answer.empty:
        return WriteOutcome(outcome="ok", text=said[0])
    decisive = [line for line in said if _DONE.fullmatch(line) or _NOT_DONE.fullmatch(line)]
    rest = [line for line in said if line not in decisive and not _PATIENCE.match(line)]
    if rest:
        return None
    if not decisive:
        return WriteOutcome(outcome="ok", text="")
    refused = any(_NOT_DONE.fullmatch(line) for line in decisive)
    return WriteOutcome(outcome="refused" if refused else "ok", text=decisive[-1])
