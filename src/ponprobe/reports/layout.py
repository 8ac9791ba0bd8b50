"""How much room a text takes in a cell: spreadsheets open as they are written, so each row must bring its height."""

from __future__ import annotations

import re
from functools import lru_cache

LINE_PT = 15.0
"""The height of a line in the default font, in points."""
_MOST_LINES = 27  # Excel's highest row is 409 points
_WORDS = re.compile(r"\s+|[^\s\u2e80-\uffff\U00010000-\U0010ffff]+|.", re.DOTALL)


@lru_cache(8192)
def lines_of(text: str, width: int) -> int:
    """How many lines a text takes in a column of ``width`` characters, words kept whole where they fit."""
    if len(text) * 2 <= width and "\n" not in text:
        return 1
    return sum(_wrapped(line, width) for line in text.split("\n"))


def height_pt(lines: int) -> float | None:
    """The height of a row in points; ``None`` for one line, which every row has."""
    return None if lines <= 1 else LINE_PT * min(lines, _MOST_LINES)


def width_of(text: str) -> int:
    """The width of a text in characters; a Chinese one is as wide as two others."""
    return len(text) if text.isascii() else sum(2 if each >= "\u2e80" else 1 for each in text)


def _wrapped(line: str, width: int) -> int:
    if width_of(line) <= width:
        return 1
    lines, at = 1, 0
    for word in _WORDS.findall(line):
        room = width_of(word)
        if at + room <= width:
            at += room
        elif word.isspace():
            at = width
        else:
            lines += at > 0
            # a word longer than a line is broken where the line ends
            lines += (room - 1) // width
            at = (room - 1) % width + 1
    return lines
