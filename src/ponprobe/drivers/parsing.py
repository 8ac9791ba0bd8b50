"""What every vendor's parsers share: cleaning a raw answer, refusals, tables, label pages, numbers with absences.

Nothing here knows a vendor: how a device talks comes from its ``CliDialect``, what its tables look like from a
TextFSM template. A text that does not fit raises ``ParseError``; nothing is guessed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from ponprobe.dialect import CliDialect, ErrorRule
from ponprobe.errors import (
    UNNAMED_COMMAND,
    AlreadyExists,
    DeviceError,
    NotFound,
    ParseError,
    PermissionDenied,
    Rejected,
    ResourceBusy,
)
from ponprobe.flow import Cli
from ponprobe.models.optical import Absence, Db, Dbm
from ponprobe.models.parsed import Event, Refusal

if TYPE_CHECKING:
    import textfsm

_INDENT = 8
"""A refusal stands near the left margin; further right the same words are somebody's description."""
_BLANK_PAGE_LINE = 20
"""A line of at least so many blanks and nothing else is what a pager leaves when it is broken off."""
_DEEP_INDENT = 34
"""A line that starts so much further right than the one before it stands behind the blanks of an erased pager."""
_LONGEST_QUESTION = 700
_WIDEST_PROMPT = 140


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a device, cleaned.

    ``body`` is what the device said to the command: no echo, prompts, pager, alarms or questions; lines end in LF.
    ``refusal`` is set if the device said no, ``empty`` if it worded "none" as a failure. ``cut`` means that the text
    stops or starts in the middle (a pager broken off, a remark in place of lines), ``starts_late`` that its beginning
    is missing. ``view`` is where the command ran as far as the prompts show it.
    """

    body: str
    events: tuple[Event, ...] = ()
    refusal: Refusal | None = None
    advice: str | None = None
    empty: bool = False
    cut: bool = False
    starts_late: bool = False
    view: str | None = None
    hostname: str | None = None
    prompt_after: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing shows that part of the answer is missing."""
        return not (self.cut or self.starts_late)

    @property
    def lines(self) -> list[str]:
        """The lines of the body."""
        return self.body.split("\n")


# ---------------------------------------------------------------------- the screen


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_STEP = re.compile(r"\x1b\[[?]?(?P<count>\d*)[\d;]*(?P<move>[A-Za-z])|\x1b[@-Z\\-_]|(?P<one>[\s\S])")


def screen_line(line: str) -> str:
    """Play one line on a terminal: cursor moves, overwriting, backspace, carriage return; other controls vanish."""
    if not _CONTROL.search(line):
        return line
    cells: list[str] = []
    at = 0
    for step in _STEP.finditer(line):
        char = step["one"]
        if char is None:
            count = int(step["count"] or 1) if step["move"] else 0
            if step["move"] == "D":
                at = max(0, at - count)
            elif step["move"] == "C":
                at += count
            elif step["move"] == "K":
                del cells[at:]
        elif char == "\r":
            at = 0
        elif char == "\b":
            at = max(0, at - 1)
        elif char == "\t" or char >= " ":
            cells.extend(" " * (at - len(cells)))
            cells[at : at + 1] = [char]
            at += 1
    return "".join(cells)


def _screen(raw: str) -> str:
    text = raw.replace("\x00", "").replace("\r\n", "\n")
    if "\r" in text:
        text = re.sub(r"\r*\n\r*", "\n", text) if "\n" in text else re.sub(r"\r+", "\n", text)
    if not _CONTROL.search(text):
        return text
    return "\n".join(screen_line(line) for line in text.split("\n"))


# ---------------------------------------------------------------------- lines and what they are


@dataclass(slots=True)
class _Line:
    text: str
    mark: str = "text"  # text | prompt | echo | question | completed
    echo: str = ""
    prompt: re.Match[str] | None = None


def _squashed(text: str) -> str:
    return re.sub(r"[\s\"']+", "", text).casefold()


def _prompt_at(line: str, dialect: CliDialect) -> re.Match[str] | None:
    """Find the prompt at the start of a line; what was typed may follow it."""
    if line[:1] in {"", " ", "-"}:
        return None  # nearly every line of an answer, and no prompt
    for end in _prompt_marks(dialect).finditer(line, 0, _WIDEST_PROMPT):
        if match := dialect.prompt.fullmatch(line, 0, end.end()):
            return match
    return None


@cache
def _prompt_marks(dialect: CliDialect) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, dialect.view_by_mark)))


@cache
def _anywhere(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern without the end that anchors it, to see at once that a text does not hold it."""
    return re.compile(re.sub(r"(?:\\s\*)?\$$", "", pattern.pattern), pattern.flags)


def _questions(text: str, pattern: re.Pattern[str], ends: str) -> Iterator[tuple[int, int, str]]:
    """Find questions that are matched at the end of a live buffer, also where a typed answer follows them."""
    if not _anywhere(pattern).search(text):
        return
    done = 0
    for stop in re.finditer(ends, text, re.MULTILINE):
        start = max(done, stop.end() - _LONGEST_QUESTION)
        if match := pattern.search(text[start : stop.end()]):
            yield start + match.start(), stop.end(), match[0].strip()
            done = stop.end()


def _without(text: str, pattern: re.Pattern[str], kind: str, events: list[tuple[int, Event]]) -> str:
    """Take blocks out of the text and keep what they said as events."""

    def drop(match: re.Match[str]) -> str:
        events.append((match.start(), _event(kind, match[0])))
        return ""

    return pattern.sub(drop, text)


def _event(kind: str, text: str) -> Event:
    return Event.model_validate({"type": kind, "text": " ".join(text.split())})


def _mark_spans(lines: list[_Line], text: str, spans: list[tuple[int, int]], mark: str) -> None:
    if not spans:
        return
    starts: list[int] = []
    at = 0
    for shown in text.split("\n"):
        starts.append(at)
        at += len(shown) + 1
    for begin, end in spans:
        for line, start in zip(lines, starts, strict=True):
            if start < end and start + len(line.text) > begin:
                line.mark = mark


def _looks_like(echo: str, command: str) -> bool:
    typed, wanted = _squashed(echo), _squashed(command)
    if not typed or not wanted:
        return False
    return typed.startswith(wanted) or (len(typed) >= 4 and wanted.startswith(typed))


def _segment(lines: list[_Line], command: str | None) -> tuple[int, int]:
    """Choose the lines that answer the command: from its echo, or the first thing said, up to the next prompt."""
    if command is None:
        return 0, len(lines)
    start = None
    for i, line in enumerate(lines):
        if line.mark == "prompt" and _looks_like(line.echo, command):
            start = i
    if start is None:
        said = [i for i, line in enumerate(lines) if line.mark != "prompt" and line.text.strip()]
        if not said:
            return 0, len(lines)
        first = lines[said[0]]
        bare = first.text.strip()
        at_margin = first.text[:1].strip() != ""
        ends_with_it = " " in command.strip() and _squashed(bare).endswith(_squashed(command)) and bare[0] != "%"
        if first.mark == "text" and ((at_margin and _looks_like(bare, command)) or ends_with_it):
            first.mark, first.echo = "echo", bare
            start = said[0]
        else:
            start = next((i for i in range(said[0], -1, -1) if lines[i].mark == "prompt"), 0)
    stop = next((i for i in range(start + 1, len(lines)) if lines[i].mark == "prompt"), len(lines))
    return start, stop


# ---------------------------------------------------------------------- cleaning


def clean(raw: str, dialect: CliDialect, command: str | None = None) -> Answer:
    """Reduce a raw answer to what the device said.

    ``raw`` may hold the echo, prompts, pager lines and their eraser, wraps, questions, alarms, and neighbouring
    commands. ``command`` is the line that was sent, or its first word; ``None`` keeps everything between prompts.
    """
    text, events, cut, late = _without_interruptions(raw, dialect)
    lines = [_Line(line) for line in text.split("\n")]

    at = 0
    for line in lines:
        match = _prompt_at(line.text, dialect)
        if match is not None:
            line.mark, line.prompt, line.echo = "prompt", match, line.text[match.end() :].strip()
            events.append((at, _event("prompt", match[0])))
        at += len(line.text) + 1
    if dialect.smart_prompt is not None:
        found = list(_questions(text, dialect.smart_prompt, r":"))
        events += [(begin, _event("smart_prompt", said)) for begin, _, said in found]
        _mark_spans(lines, text, [(begin, end) for begin, end, _ in found], "question")
    confirms = list(_questions(text, dialect.confirm, r"\]?\s*:|$"))
    asked = [found for ask in (dialect.login.username, dialect.login.password) for found in _questions(text, ask, r":")]
    events += [(begin, _event("prompt", said)) for begin, _, said in asked]
    _mark_spans(lines, text, [(begin, end) for begin, end, _ in asked], "question")
    for question, _ in dialect.login.questions:
        confirms += list(_questions(text, question, r"$"))
    events += [(begin, _event("confirm", said)) for begin, _, said in confirms]
    _mark_spans(lines, text, [(begin, end) for begin, end, _ in confirms], "question")
    if dialect.smart_prompt_echo is not None:
        spans = [match.span() for match in dialect.smart_prompt_echo.finditer(text)]
        _mark_spans(lines, text, spans, "completed")

    start, stop = _segment(lines, command)
    after = lines[stop].prompt if stop < len(lines) else None
    if command is None:
        after = next((line.prompt for line in reversed(lines) if line.prompt), None)
    own = next((line.prompt for line in lines[start:stop] if line.prompt and line.echo), None)
    shown = own or after
    refusal, rule = _refusal(lines, start, stop, dialect)
    body, remarks = _without_remarks(
        [line.text.expandtabs().rstrip() for line in lines[start:stop] if line.mark == "text"]
    )
    broken = cut or _broken_off(lines, start, stop)
    return Answer(
        body=body,
        events=tuple(event for _, event in sorted(events, key=lambda found: found[0])),
        refusal=refusal,
        advice=rule.advice if rule is not None and not rule.empty else None,
        empty=rule is not None and rule.empty,
        cut=broken or remarks,
        starts_late=late,
        view=dialect.view_of(shown) if shown is not None else None,
        hostname=shown["host"] if shown is not None else None,
        prompt_after=after[0].strip() if after is not None else None,
    )


def _without_interruptions(raw: str, dialect: CliDialect) -> tuple[str, list[tuple[int, Event]], bool, bool]:
    """Play the screen and take out pagers, alarms and warnings; tell whether an end or a beginning is missing."""
    events: list[tuple[int, Event]] = []
    head = raw.lstrip("\r\n")
    late = bool(dialect.pager.match(head.lstrip()) or (dialect.eraser and dialect.eraser.match(head)))
    events += [(match.start(), _event("pager", match[0])) for match in dialect.pager.finditer(raw)]
    stripped = raw.rstrip()
    cut = any(match.end() == len(stripped) for match in dialect.pager.finditer(stripped))
    text = _plain_dashes(_screen(raw))
    # a refusal that was published on the line of its echo: "...#display it ^ % Unknown command"
    if "^" in text:
        text = re.sub(r"(?<=\S)[ \t]+\^[ \t]+(?=% ?[A-Z])", "\n", text)
    while dialect.pager.search(text):
        text = dialect.pager.sub("", text)
    for pattern in dialect.alarms:
        text = _without(text, pattern, "alarm", events)
    for pattern in dialect.warnings:
        text = _without(text, pattern, "warning", events)
    first = next((line for line in text.split("\n") if line.strip()), "")
    deep = len(first) - len(first.lstrip()) >= _DEEP_INDENT and first.strip() != "^"
    return _left_aligned(text), events, cut, late or deep


def _plain_dashes(text: str) -> str:
    """Undo what word processors do to a published text: rules and lone dashes that became typographic ones."""
    if not re.search(r"[\u2013\u2014]{5}", text):
        return text
    text = re.sub(r"[-\u2013\u2014]{5,}", lambda match: "-" * max(10, len(match[0])), text)
    return re.sub(r"(?<!\S)[\u2013\u2014](?!\S)", "-", text)


_FAR_IN = " " * _DEEP_INDENT


def _left_aligned(text: str) -> str:
    """Move lines back that stand behind the blanks of an erased pager."""
    if "\t" not in text and f"\n{_FAR_IN}" not in f"\n{text}":
        return text
    moved: list[str] = []
    before = 0
    for line in text.split("\n"):
        bare = line.lstrip()
        indent = len(line[: len(line) - len(bare)].expandtabs())
        if bare and bare.rstrip() != "^":
            if indent - before >= _DEEP_INDENT:
                moved.append(" " * before + bare)
                continue
            before = indent
        moved.append(line)
    return "\n".join(moved)


def _broken_off(lines: list[_Line], start: int, stop: int) -> bool:
    """Whether the last thing before the prompt is the blank that a pager leaves behind when it is broken off."""
    blank = 0
    for line in reversed(lines[start:stop]):
        if line.text.strip():
            break
        if len(line.text) >= _BLANK_PAGE_LINE:
            blank = len(line.text)
    if not blank:
        return False
    # a published text may be padded to the width of the page, its empty lines as well
    padded = any(len(line.text) == blank and line.text != line.text.rstrip() for line in lines if line.text.strip())
    return not padded


_REMARK = re.compile(r"\s*\[[A-Z]+(?: [A-Z]+)+(?:: [^\[\]]*)?\]\s*")


def _without_remarks(lines: list[str]) -> tuple[str, bool]:
    """Drop remarks in square brackets and capitals: whoever published the text left lines out there."""
    kept = [line for line in lines if not _REMARK.fullmatch(line)]
    remarks = len(kept) < len(lines)
    while kept and not kept[0].strip():
        kept.pop(0)
    while kept and not kept[-1].strip():
        kept.pop()
    return _left_aligned("\n".join(kept)), remarks


# ---------------------------------------------------------------------- refusals


def _normalised(text: str) -> str:
    words = " ".join(text.split())
    return re.sub(r"^(\w+)\s*:\s*", r"\1: ", words) if ":" in words else words


@cache
def _any_rule(dialect: CliDialect) -> re.Pattern[str]:
    """All rules in one pattern: nearly every line of an answer is ruled out by one look."""
    each = [f"(?{'i' if rule.pattern.flags & re.IGNORECASE else ''}:{rule.pattern.pattern})" for rule in dialect.errors]
    return re.compile("|".join(each) or r"(?!)")


@cache
def _first_words(dialect: CliDialect) -> re.Pattern[str]:
    """Match the lines that start as some rule does."""
    starts = {re.match(r"\^?([^\s\\.^$*+?{}\[\]()|:]*)", rule.pattern.pattern) for rule in dialect.errors}
    words = {start[1] for start in starts if start is not None}
    return re.compile(rf"^[ \t]*(?:{'|'.join(sorted(map(re.escape, words)))})", re.MULTILINE | re.IGNORECASE)


def may_refuse(raw: str, dialect: CliDialect) -> bool:
    """Whether a line of a raw answer starts as a refusal does; if none does, there is none."""
    return bool(_first_words(dialect).search(raw))


def _rule_for(text: str, dialect: CliDialect) -> ErrorRule | None:
    if not _any_rule(dialect).match(text):
        return None
    return next((rule for rule in dialect.errors if rule.pattern.match(text)), None)


def _refusal(lines: list[_Line], start: int, stop: int, dialect: CliDialect) -> tuple[Refusal | None, ErrorRule | None]:
    """Find the first line that a rule of the dialect knows; a sentence may go on in the next line."""
    suspects = (i for i in range(start, stop) if _first_words(dialect).match(lines[i].text))
    for i in suspects:
        if lines[i].mark not in {"text", "question"}:
            continue
        line = lines[i].text.expandtabs()
        if len(line) - len(line.lstrip()) > _INDENT:
            continue
        text = _normalised(line)
        if _rule_for(text, dialect) is None:
            continue
        following = lines[i + 1] if i + 1 < stop else None
        if following is not None and following.mark == "text" and _goes_on(text, following.text):
            text = _normalised(f"{line} {following.text}")
        rule = _rule_for(text, dialect)
        if rule is None or rule.empty:
            return None, rule
        word = _pointed_at(lines, i, start, stop)
        return Refusal(refused_class=rule.refused, text=text, word=word), rule
    return None, None


def _goes_on(text: str, following: str) -> bool:
    """Whether a line continues a sentence: it has no end yet and the next line starts with a small letter or digit."""
    bare = following.strip()
    return bool(bare) and text[-1] not in ".!" and bool(re.match(r"[a-z0-9]", bare)) and ":" not in bare


def _pointed_at(lines: list[_Line], at: int, start: int, stop: int) -> str | None:
    """Name the word over the caret. Columns count from the left edge of the screen, the prompt included."""
    caret = next((i for i in range(at - 1, max(start, at - 4) - 1, -1) if lines[i].text.strip() == "^"), None)
    if caret is None:
        return None
    column = lines[caret].text.expandtabs().index("^")
    for i in range(caret - 1, start - 1, -1):
        line = lines[i]
        if not line.text.strip():
            continue
        text = line.text
        if line.prompt is None and line.mark in {"echo", "text"}:
            after = lines[stop].prompt if stop < len(lines) else None
            if after is None:
                return None
            text = after[0].strip() + text
        word = re.match(r"\S+", text[column:]) if column < len(text) else None
        return word[0] if word else None
    return None


_REFUSED: dict[str, type[DeviceError]] = {
    "already_exists": AlreadyExists,
    "not_found": NotFound,
    "busy": ResourceBusy,
    "permission": PermissionDenied,
}


def refused_error(refusal: Refusal, command: str | Cli | None, output: str, *, hint: str | None = None) -> DeviceError:
    """Make the exception for a refusal: what was asked, the device's decisive line, and what to do next."""
    asked = str(command or "").strip() or UNNAMED_COMMAND
    kind = _REFUSED.get(refusal.refused_class, Rejected)
    pointed = f" (at {refusal.word!r})" if refusal.word else ""
    return kind(
        f"{asked}: the device answered {refusal.text!r}{pointed}",
        command=asked,
        output=output,
        refused=refusal.refused_class,
        hint=hint,
    )


def refuse(answer: Answer, request: str | Cli | None = None) -> None:
    """Raise the ``DeviceError`` of a refused answer; do nothing for any other."""
    if answer.refusal is not None:
        raise refused_error(answer.refusal, request, answer.body, hint=answer.advice)


# ---------------------------------------------------------------------- tables


_lock = threading.Lock()


@cache
def _template(name: str) -> textfsm.TextFSM:
    import textfsm  # noqa: PLC0415 - only parsers need it, and `import ponprobe` stays light

    with resources.files("ponprobe.templates").joinpath(f"{name}.textfsm").open(encoding="utf-8") as file:
        return textfsm.TextFSM(file)


def rows(template: str, body: str) -> list[dict[str, str]]:
    """Read a table with a TextFSM template of ``ponprobe.templates``: one mapping a row, names in lower case.

    A line that the template does not know raises ``ParseError`` with the line.
    """
    import textfsm  # noqa: PLC0415 - as above

    with _lock:  # a template keeps its state while it reads
        machine = _template(template)
        machine.Reset()
        try:
            found = machine.ParseText(body + "\n")
        except textfsm.TextFSMError as exc:
            match = re.search(r"Input Line: (?P<line>.*?)\.?$", str(exc), re.DOTALL)
            line = match["line"] if match else str(exc)
            raise ParseError(f"{template}: unknown line {line!r}", template=template, text=body) from exc
        header = [name.lower() for name in machine.header]
    return [dict(zip(header, row, strict=True)) for row in found]


def rows_of_cut(template: str, body: str) -> tuple[list[dict[str, str]], bool]:
    """Read a table whose text may stop inside its last line; the second value tells whether it does."""
    try:
        return rows(template, body), False
    except ParseError:
        rest, _, last = body.rpartition("\n")
        if not rest or re.fullmatch(r"\s*-{5,}\s*", last):
            raise
        return rows(template, rest), True


def closed(body: str) -> bool:
    """Whether a table or page has its closing rule: the last rule has no more rows than a trailer after it."""
    lines = [line.strip() for line in body.split("\n") if line.strip()]
    return bool(lines) and any(re.fullmatch(r"-{5,}", line) for line in lines[-1:])


# ---------------------------------------------------------------------- label pages


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a label page, in order; ``label`` has single blanks."""

    label: str
    value: str


_COLUMN_GAP = re.compile(r"\s{2,}")


def fields(body: str) -> tuple[Field, ...]:
    """Read a page of ``label : value`` lines. A value that wraps is joined without a blank, as devices cut by width.

    A line that starts right of the colon above continues its value; other lines without a colon are no fields.
    """
    found: list[Field] = []
    colon = None
    for line in body.split("\n"):
        indent = len(line) - len(line.lstrip())
        if colon is not None and line.strip() and indent > colon:
            found[-1] = Field(found[-1].label, found[-1].value + line.strip())
            continue
        left, sign, value = line.partition(":")
        label = " ".join(left.split())
        if sign and label and "|" not in label:
            found.append(Field(label, value.strip()))
            colon = len(left)
        else:
            colon = None
    return tuple(found)


def columns(body: str) -> tuple[Field, ...]:
    """Read a page of two columns without colons: label, at least two blanks, value."""
    pairs = (_COLUMN_GAP.split(line.strip(), maxsplit=1) for line in body.split("\n"))
    return tuple(Field(" ".join(pair[0].split()), pair[1].strip()) for pair in pairs if len(pair) == 2)


def first_of(page: tuple[Field, ...]) -> dict[str, str]:
    """Index a page by label in lower case; of labels that come twice the first counts."""
    index: dict[str, str] = {}
    for field in page:
        index.setdefault(field.label.casefold(), field.value)
    return index


# ---------------------------------------------------------------------- numbers that may be absent


_NOTHING = re.compile(r"-{0,16}|n/?a|null|none", re.IGNORECASE)
_NUMBER = re.compile(r"(?P<number>[-+]?\d+(?:\.\d+)?)\s*(?:\(?\s*[A-Za-z%°]+\s*\)?)?")
_REASONS = (
    (re.compile(r"no\s*signal", re.IGNORECASE), Absence.NO_SIGNAL),
    (re.compile(r"out\s+of\s+range", re.IGNORECASE), Absence.OUT_OF_RANGE),
    (re.compile(r"not\s*support|unsupported", re.IGNORECASE), Absence.UNSUPPORTED),
    (re.compile(r"off-?line", re.IGNORECASE), Absence.OFFLINE),
)


def number(text: str, what: str = "a number") -> tuple[float | None, Absence | None]:
    """Read a number with or without a unit, or the reason why there is none; anything else is a ``ParseError``."""
    bare = text.strip()
    if _NOTHING.fullmatch(bare):
        return None, Absence.NOT_REPORTED
    for pattern, reason in _REASONS:
        if pattern.search(bare):
            return None, reason
    match = _NUMBER.fullmatch(bare)
    if match is None:
        raise ParseError(f"{bare!r} is not {what}", text=text)
    return float(match["number"]), None


def power(text: str) -> tuple[Dbm | None, Absence | None]:
    """Read a power in dBm, or why there is none. Whether a power is plausible is not decided here."""
    value, absence = number(text, "a power in dBm")
    return (None if value is None else Dbm(value)), absence


def ratio(text: str) -> tuple[Db | None, Absence | None]:
    """Read a ratio in dB, or why there is none."""
    value, absence = number(text, "a ratio in dB")
    return (None if value is None else Db(value)), absence


def whole(text: str) -> int | None:
    """Read a whole number; ``None`` for anything else, such as ``-``."""
    return int(text) if re.fullmatch(r"\d+", text.strip()) else None


def word(text: str | None) -> str | None:
    """Return the text, or ``None`` if it only says that there is none."""
    bare = (text or "").strip()
    return None if re.fullmatch(r"-*", bare) else bare


def mac_address(text: str) -> str:
    """Write a MAC address as ``aa:bb:cc:dd:ee:ff``; anything that is none is a ``ParseError``."""
    digits = re.sub(r"[-.:]", "", text.strip()).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ParseError(f"{text!r} is not a MAC address", text=text)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
