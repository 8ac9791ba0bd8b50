"""One scrubber for everything that is stored, logged or raised.

It knows secrets in two ways: by value (registered by whoever holds one) and by place (the fields in which a device
family prints passwords). What a device sends back is not always what was typed, so a value is found through the
artefacts of a terminal that wraps long lines, and in the hexadecimal forms that devices print identities in.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from re import Pattern

MASK = "***"

_SHORTEST = 3
"""Secrets of one or two characters are not replaced by value: they stand in every number and word, and hiding them all
would destroy the text without hiding anything. They are still covered where a dialect knows the field."""
_SHORTEST_ANYWHERE = 4
"""A secret of three characters is replaced only where it stands alone, not inside a longer word or number."""

# what a terminal may put between two characters of a long line: a blank that the cursor steps back over,
# cursor movements, backspaces, line ends, the sign that marks a continued line
_WRAP = r"(?: ?\x1b\[[0-9;?]*[A-Za-z]|[\b\r]|\n\$?)"
_WRAP_RUN = re.compile(_WRAP + "+")


def _broken(form: str) -> str:
    """A pattern for ``form`` with wrap artefacts between any two characters."""
    return f"{_WRAP}*".join(re.escape(character) for character in form)


class _Form:
    """One spelling of one secret."""

    __slots__ = ("_hexadecimal", "needle", "pattern")

    def __init__(self, form: str, *, hexadecimal: bool = False) -> None:
        self._hexadecimal = hexadecimal
        self.needle = form.lower() if hexadecimal else form
        if hexadecimal:
            self.pattern = re.compile("(?:0x)?" + _broken(form), re.IGNORECASE)
        elif len(form) < _SHORTEST_ANYWHERE:
            self.pattern = re.compile(rf"(?<!\w){re.escape(form)}(?!\w)")
        else:
            self.pattern = re.compile(_broken(form))

    def may_be_in(self, text: str, unwrapped: str, both_lower: str) -> bool:
        # in both: taking a broken artefact away may take the first letter of a secret with it
        if self._hexadecimal:
            return self.needle in both_lower
        return self.needle in text or self.needle in unwrapped


class Scrubber:
    """Replace secrets in text by ``***``.

    ``secrets`` are values; ``fields`` are patterns with three groups, label, secret and rest of the line, of which only
    the secret is replaced. A field pattern is applied to each line alone, so it can never reach into the next one.
    """

    def __init__(self, secrets: Iterable[str] = (), fields: Iterable[Pattern[str]] = ()) -> None:
        self._values: set[str] = set()
        self._forms: tuple[_Form, ...] = ()
        # a pattern that knows only the start of the text must see each line alone; the others are searched for first
        self._fields: tuple[tuple[Pattern[str], bool], ...] = ()
        self.add(*secrets)
        self.add_fields(*fields)

    def add(self, *secrets: str) -> None:
        """Register values. Empty ones and those of one or two characters are ignored (they would destroy text)."""
        new = {secret for secret in secrets if len(secret) >= _SHORTEST} - self._values
        if not new:
            return
        self._values |= new
        forms: list[tuple[int, _Form]] = []
        for value in self._values:
            forms.append((len(value), _Form(value)))
            if len(value) >= _SHORTEST_ANYWHERE:
                coded = value.encode().hex()
                forms.append((len(coded), _Form(coded, hexadecimal=True)))
        # longest first, so that a secret that contains another one is replaced whole
        forms.sort(key=lambda item: -item[0])
        self._forms = tuple(form for _, form in forms)

    def add_fields(self, *patterns: Pattern[str] | None) -> None:
        """Register field patterns (groups: label, secret, rest); ``None`` is ignored."""
        for pattern in patterns:
            if pattern is not None and all(pattern != known for known, _ in self._fields):
                self._fields = (*self._fields, (pattern, not pattern.flags & re.MULTILINE))

    def scrub(self, text: str) -> str:
        """Return ``text`` with every known secret replaced by ``***``; everything else is left as it is."""
        if self._forms:
            # plain strings in the unwrapped text are found much faster than patterns, and there are nearly always none
            unwrapped = _unwrap(text)
            both_lower = f"{text}\n{unwrapped}".lower()
            for form in self._forms:
                if form.may_be_in(text, unwrapped, both_lower):
                    text = form.pattern.sub(MASK, text)
        for pattern, lines_alone in self._fields:
            if lines_alone or pattern.search(text):
                text = _scrub_fields(pattern, text)
        return text


def _unwrap(text: str) -> str:
    """``text`` without wrap artefacts; the common case, line ends only, without a regular expression."""
    if "\x1b" in text or "\b" in text:
        return _WRAP_RUN.sub("", text)
    return text.replace("\r", "").replace("\n$", "").replace("\n", "")


def _scrub_fields(pattern: Pattern[str], text: str) -> str:
    return "".join(_scrub_line(pattern, line) for line in text.splitlines(keepends=True))


def _scrub_line(pattern: Pattern[str], line: str) -> str:
    match = pattern.search(line)
    # '-' and the like mean that there is no value; hiding that helps nobody
    if match is None or not any(character.isalnum() for character in match[2]):
        return line
    return line[: match.start(2)] + MASK + line[match.end(2) :]


_format_exception: Callable[..., str] = logging.Formatter().formatException


class ScrubbingFilter(logging.Filter):
    """Scrubs log records: message, arguments, traceback and stack text. Put it on handlers (they see every record)."""

    def __init__(self, scrubber: Scrubber, name: str = "") -> None:
        super().__init__(name)
        self._scrubber = scrubber

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one that the name lets through."""
        if not super().filter(record):
            return False
        # the arguments are folded into the message: only the finished text shows what a formatted argument contains
        record.msg = self._scrubber.scrub(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = _format_exception(record.exc_info)
        if record.exc_text:
            record.exc_text = self._scrubber.scrub(record.exc_text)
        if record.stack_info:
            record.stack_info = self._scrubber.scrub(record.stack_info)
        return True
