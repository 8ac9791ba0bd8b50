"""Parts of an SVG picture: safe text, estimated text boxes, labels that keep apart. Pure text, no library."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS = "…"
_NO_BREAK_BEFORE = frozenset("，。；：、）》”’！？,.;:)]!?…")
_LINE = 1.3
"""Height of a line of text in its own font size."""
_EM = {"i": 0.33, "j": 0.33, "l": 0.33, " ": 0.34, ".": 0.36, ",": 0.36, ":": 0.38, ";": 0.38, "'": 0.34, "|": 0.38}
_EM |= dict.fromkeys("-()[]/rtfI", 0.47) | dict.fromkeys("mwMW%@", 1.0) | dict.fromkeys("≥≤±+<>=~", 0.86)
_EM |= dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.8)


def clean(text: str) -> str:
    """One line of text that no name can break: what XML 1.0 forbids and what turns text around becomes U+FFFD.

    Runs of white space become one space.
    """
    return " ".join("".join(_safe(character) for character in text).split())


def _safe(character: str) -> str:
    if character.isspace():
        return " "
    # control, format (bidirectional overrides among them), surrogate, private use and not-a-character
    return _REPLACEMENT if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


def escape(text: str) -> str:
    """Text as XML, for content and for attribute values."""
    return html.escape(clean(text), quote=True)


def number(value: float) -> str:
    """A coordinate with one decimal at most, as short as it goes."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def text_width(text: str, size: float) -> float:
    """An estimate of the width that leans to the wide side, in the unit of ``size``: no font is at hand to measure."""
    return size * sum(_em(character) for character in text)


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.0
    # letters that are not in the table may be wide: scripts differ
    return _EM.get(character, 0.66 if character.isascii() else 1.0)


def shorten(text: str, size: float, width: float) -> str:
    """The text, or as much of its beginning as fits with an ellipsis."""
    text = clean(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + _ELLIPSIS, size) > width:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS


def wrap(text: str, size: float, width: float, lines: int) -> tuple[str, ...]:
    """The text in at most ``lines`` lines; what does not fit is cut with an ellipsis. Chinese breaks anywhere."""
    rest = clean(text)
    found: list[str] = []
    while rest and len(found) < lines - 1 and text_width(rest, size) > width:
        cut = _cut(rest, size, width)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*found, shorten(rest, size, width))


def _cut(text: str, size: float, width: float) -> int:
    """Where to break: the last allowed place that fits, or the last character that fits."""
    fits = max(1, next((end - 1 for end in range(1, len(text) + 1) if text_width(text[:end], size) > width), len(text)))
    for cut in range(fits, 0, -1):
        before, after = text[cut - 1], text[cut : cut + 1]
        wide = any(unicodedata.east_asian_width(each) in {"W", "F"} for each in (before, after) if each)
        if (" " in (before, after) or wide) and after not in _NO_BREAK_BEFORE:
            return cut
    return fits


@dataclass(frozen=True)
class Box:
    """A rectangle in the units of the picture; ``y`` grows downwards."""

    left: float
    top: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share area; touching edges do not."""
        apart = (
            self.left + self.width <= other.left + 1e-6
            or other.left + other.width <= self.left + 1e-6
            or self.top + self.height <= other.top + 1e-6
            or other.top + other.height <= self.top + 1e-6
        )
        return not apart


@dataclass(frozen=True)
class Text:
    """Lines of text whose box is known before anything is drawn. ``x`` is the left edge, ``top`` the upper one."""

    x: float
    top: float
    lines: tuple[str, ...]
    size: float = 12
    bold_first: bool = False
    css: str = ""

    @property
    def box(self) -> Box:
        """The estimated box around all lines."""
        width = max((self._width(row, line) for row, line in enumerate(self.lines)), default=0.0)
        return Box(self.x, self.top, width, text_height(len(self.lines), self.size))

    def _width(self, row: int, line: str) -> float:
        # bold runs wider
        return text_width(line, self.size) * (1.08 if self.bold_first and row == 0 else 1.0)

    def svg(self) -> str:
        """One ``<text>`` element a line."""
        found = []
        for row, line in enumerate(self.lines):
            css = f' class="{self.css}"' if self.css else ""
            bold = ' font-weight="700"' if self.bold_first and row == 0 else ""
            base = number(self.top + (row * _LINE + 1.0) * self.size)
            place = f'x="{number(self.x)}" y="{base}" font-size="{number(self.size)}"'
            found.append(f"<text {place}{bold}{css}>{escape(line)}</text>")
        return "".join(found)


def text_height(lines: int, size: float) -> float:
    """The height of so many lines."""
    return lines * size * _LINE


def spread(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Upper edges for boxes that would like their middles at ``wanted``: in that order, apart, inside, moved the least.

    Least squares under an order is isotonic regression once each box is shifted by the heights above it; clamping its
    solution keeps it the best one inside the bounds. Boxes that are together higher than the room begin at ``top``.
    """
    order = sorted(range(len(wanted)), key=lambda each: (wanted[each], each))
    above, height = [], 0.0
    for each in order:
        above.append(height)
        height += heights[each]
    blocks: list[tuple[float, int]] = []  # mean, members
    for each, shift in zip(order, above, strict=True):
        mean, members = wanted[each] - heights[each] / 2 - shift, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean = (mean * members + before * count) / (members + count)
            members += count
        blocks.append((mean, members))
    levels = [mean for mean, members in blocks for _ in range(members)]
    found = [0.0] * len(order)
    for each, shift, level in zip(order, above, levels, strict=True):
        found[each] = max(top, min(level, bottom - height)) + shift
    return found
