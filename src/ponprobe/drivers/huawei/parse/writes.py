"""Answers to changes. Silence is not success but the absence of a refusal; the caller reads back."""

from __future__ import annotations

import re

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.parse._text import board_of, cleaned
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import unknown
from ponprobe.errors import ParseError, Rejected
from ponprobe.flow import Cli
from ponprobe.models.parsed import WriteOutcome

_COUNTER = re.compile(
    r"\bsuccess(?:es)?\s*:\s*(?P<success>\d+)(?:.*?\bfail(?:ed|ure)?\s*:\s*(?P<failed>\d+))?", re.IGNORECASE
)
_DONE = re.compile(r"\bsuccessful(?:ly)?\b|\bsucceeded\b", re.IGNORECASE)
_DELETED = re.compile(r"\bhave been (?:deleted|released|operated)\s*:\s*(?P<success>\d+)", re.IGNORECASE)
_NOT_DONE = re.compile(r"\b(?:not|un)\s?successful|\bfail(?:ed|ure)\b|\berror\b", re.IGNORECASE)
_PATIENCE = re.compile(
    r"please wait|will take|being executed|in progress|during the course|^\s*\d+\s*%|^[-*=\s]*$|^\s*Notes?\s*:",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"Failure: Make configuration repeatedly", re.IGNORECASE)
_PLACE = re.compile(r"PortID\s*:\s*(?P<port>\d+)\s*,\s*ONTID\s*:\s*(?P<onu>\d+)", re.IGNORECASE)
_INDEX = re.compile(r"service virtual port (?:index|ID)\s*:\s*(?P<index>\d+)", re.IGNORECASE)


def write(text: str | Answer, request: Cli | None = None) -> WriteOutcome:
    """Read the answer to a change: silence, a counter, a sentence of success; a refusal or a zero counter raises.

    What the device calls a repeated configuration is in place already. A text that is none of these is a
    ``ParseError``, never a success.
    """
    answer = cleaned(text, request.line if request else None)
    if answer.refusal is not None and _REPEATED.match(answer.refusal.text):
        return WriteOutcome(outcome="ok", text=answer.refusal.text)
    return _accepted(answer, request)


def _accepted(answer: Answer, request: Cli | None) -> WriteOutcome:
    parsing.refuse(answer, request)
    outcome = outcome_of(answer)
    if outcome is None:
        raise unknown(str(request or "change"), answer)
    if outcome.outcome == "refused":
        raise _not_done(outcome, request, answer)
    return outcome


def ont_add(text: str | Answer, request: Cli | None = None) -> WriteOutcome:
    """Read ``ont add`` or ``ont confirm``: success is the counter ``success: 1`` and nothing else.

    ``onu`` is ``F/S/P:ID`` where the board is known from the request or the prompt, else ``P:ID``.
    """
    return _counted(text, request, "ont add")


def ont_delete(text: str | Answer, request: Cli | None = None) -> WriteOutcome:
    """Read ``ont delete``: success is the counter ``success: 1`` and nothing else."""
    return _counted(text, request, "ont delete")


def _counted(text: str | Answer, request: Cli | None, what: str) -> WriteOutcome:
    answer = cleaned(text, request.line if request else None)
    outcome = _accepted(answer, request)
    counter = _COUNTER.search(outcome.text)
    if counter is None or int(counter["success"]) != 1:
        raise ParseError(f"{what}: no counter that says success: 1", text=answer.body, hint="read the OLT back")
    place = _PLACE.search(answer.body)
    if place is None:
        return outcome
    board = board_of(request.view if request else None, answer.view)
    head = f"{board[0]}/{board[1]}/" if board else ""
    return outcome.model_copy(update={"onu": f"{head}{place['port']}:{place['onu']}"})


def outcome_of(answer: Answer, board: tuple[int, int] | None = None) -> WriteOutcome | None:
    """Read an answer that was not refused by a failure line; ``None`` if its words are unknown."""
    if answer.empty:
        first = next(line.strip() for line in answer.lines if line.strip())
        return WriteOutcome(outcome="ok", text=first)
    said = [line for line in _sentences(answer) if not _PATIENCE.search(line)]
    index = _INDEX.search(answer.body)
    place = _PLACE.search(answer.body)
    onu = f"{board[0]}/{board[1]}/{place['port']}:{place['onu']}" if board and place else None
    for line in said:
        if counter := _COUNTER.search(line):
            good = int(counter["success"]) > 0 and not int(counter["failed"] or 0)
            return WriteOutcome(outcome="ok" if good else "refused", onu=onu if good else None, text=line)
        if deleted := _DELETED.search(line):
            return WriteOutcome(outcome="ok" if int(deleted["success"]) else "refused", text=line)
        if _DONE.search(line) and not _NOT_DONE.search(line):
            return WriteOutcome(outcome="ok", text=line, index=int(index["index"]) if index else None)
    if said:
        return None
    return WriteOutcome(outcome="ok", text="")


def _sentences(answer: Answer) -> list[str]:
    """Join lines that were wrapped: a line that starts with a small letter goes on with the one before."""
    found: list[str] = []
    for line in answer.lines:
        bare = " ".join(line.split())
        if found and bare[:1].islower():
            found[-1] += f" {bare}"
        elif bare:
            found.append(bare)
    return found


def _not_done(outcome: WriteOutcome, request: Cli | None, answer: Answer) -> Rejected:
    asked = str(request or "the change")
    return Rejected(
        f"{asked}: the device answered {outcome.text!r}",
        command=asked,
        output=answer.body,
        hint="read the OLT before trying again",
    )
