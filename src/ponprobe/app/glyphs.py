"""Text that a terminal can show: signs with an ASCII fallback, and foreign text without control characters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import ConsoleOptions


@dataclass(frozen=True)
class Glyphs:
    """The signs of one encoding. No meaning hangs on a colour: each sign differs from every other in shape."""

    launch: str = "●"
    fibre: str = "━"
    receive: str = "◆"
    limit: str = "┃"
    missed: str = "╳"
    spare: str = "╌"
    track: str = "·"
    arrow: str = "→"
    bullet: str = "•"
    good: str = "✔"
    bad: str = "✘"
    unsure: str = "?"
    dot: str = " · "
    at_least: str = "≥"
    at_most: str = "≤"
    chinese: bool = True


ASCII = Glyphs(
    launch="o",
    fibre="=",
    receive="#",
    limit="|",
    missed="x",
    spare="-",
    track=".",
    arrow="->",
    bullet="*",
    good="ok",
    bad="!!",
    dot=" - ",
    at_least=">=",
    at_most="<=",
    chinese=False,
)
UNICODE = Glyphs()


def glyphs_for(options: ConsoleOptions) -> Glyphs:
    """The signs that this terminal's encoding has."""
    return ASCII if options.ascii_only else UNICODE


def plain(text: object) -> str:
    """Foreign text on one line, harmless: a splitter's name or a device's answer must not steer the terminal."""
    shown = []
    for char in str(text):
        category = unicodedata.category(char)
        if char in "\t\n\r":
            shown.append(" ")
        elif category in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            # as a code, so that nothing is hidden: a bidirectional override can turn a name around
            shown.append(f"<U+{ord(char):04X}>")
        else:
            shown.append(char)
    return "".join(shown)
