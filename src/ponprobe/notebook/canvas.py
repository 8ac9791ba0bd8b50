"""What all plots share: matplotlib where it is installed, black on white, and names that cannot break a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from ponprobe.errors import MissingExtra
from ponprobe.models.judgement import Band, Comparison, ThresholdSet
from ponprobe.models.optical import Dbm
from ponprobe.optics.svg import shorten

INK, SOFT, GOOD, BAD, NEAR = "#1c2530", "#5a6673", "#1f5fae", "#b42318", "#8a5a00"
"""Colours that repeat what shapes, hatches and words say; each is told from the others in grey as well."""
MARKERS: Mapping[Band, str] = MappingProxyType(
    {
        Band.PASS: "o",
        Band.MARGINAL_PASS: "h",
        Band.MARGINAL_FAIL: "D",
        Band.FAIL: "X",
        Band.UNDETERMINED: "s",
    }
)
COLOURS: Mapping[Band, str] = MappingProxyType(
    {
        Band.PASS: GOOD,
        Band.MARGINAL_PASS: NEAR,
        Band.MARGINAL_FAIL: NEAR,
        Band.FAIL: BAD,
        Band.UNDETERMINED: SOFT,
    }
)
_CHINESE = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei", "SimHei")
"""Fonts with Chinese, best first; the first that is installed is taken where matplotlib's own lacks a letter."""
_NAME_EM, _TITLE_SIZE = 34.0, 11.0
_UNKNOWN = "?"


def axes(ax: Any, *, width: float = 9.0, height: float = 4.5) -> Any:
    """The given axes, or new ones of this size in inches; ``MissingExtra`` without matplotlib."""
    if ax is not None:
        return ax
    try:
        pyplot: Any = import_module("matplotlib.pyplot")
    except ImportError as exc:
        raise MissingExtra("a plot (matplotlib)", "notebook") from exc
    _, new = pyplot.subplots(figsize=(width, height), layout="constrained", facecolor="white")
    return new


def dress(ax: Any, *, title: str, x: str = "", y: str = "") -> None:
    """Title and axes' names, and a light grid behind."""
    ax.set_facecolor("white")
    room = ax.figure.get_figwidth() * 72 / _TITLE_SIZE
    _readable(ax.set_title(legible(title, room), loc="left", fontsize=_TITLE_SIZE, color=INK))
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(visible=True, color="#d9dee4", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def settle(ax: Any) -> Any:
    """Give every text of the axes a font that has its letters."""
    legend = ax.get_legend()
    inside = () if legend is None else legend.get_texts()
    for text in (*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), *inside):
        _readable(text)
    return ax


def _readable(text: Any) -> None:
    """A font that has the letters; and the text is taken as it is: ``$`` begins no formula."""
    text.set_parse_math(False)
    path = _font_for(text.get_text()).path
    if path is not None:
        manager: Any = import_module("matplotlib.font_manager")
        text.set_fontproperties(manager.FontProperties(fname=path, size=text.get_fontsize()))


@dataclass(frozen=True)
class _Font:
    """A font's letters; ``path`` is ``None`` for matplotlib's own, which every text has anyway."""

    path: str | None
    letters: frozenset[int]

    def lacks(self, text: str) -> int:
        return sum(ord(each) not in self.letters for each in text if each != "\n")


def _font_for(text: str) -> _Font:
    """The font that lacks the fewest letters of a text; among equals matplotlib's own."""
    return min(_fonts(), key=lambda font: font.lacks(text))


@lru_cache(maxsize=1)
def _fonts() -> tuple[_Font, ...]:
    manager: Any = import_module("matplotlib.font_manager")
    own = manager.get_font(manager.findfont("DejaVu Sans")).get_charmap()
    installed = {each.name: each.fname for each in reversed(manager.fontManager.ttflist)}
    path = next((installed[name] for name in _CHINESE if name in installed), None)
    found = [_Font(None, frozenset(own))]
    return (*found, *([_Font(path, frozenset(manager.get_font(path).get_charmap()))] if path is not None else []))


def legible(name: object, em: float = _NAME_EM) -> str:
    """Foreign text for a picture: one line, not too long, and only letters that a font here has."""
    text = shorten(str(name), 1.0, em)
    letters = _font_for(text).letters
    return "".join(each if ord(each) in letters else _UNKNOWN for each in text)


def rx_limit(limits: ThresholdSet) -> Dbm:
    """The least ONU Rx that a set asks for; ``ValueError`` if it asks for none."""
    for each in limits.thresholds:
        if each.quantity == "onu_rx_dbm" and each.comparison is Comparison.AT_LEAST and isinstance(each.limit, Dbm):
            return each.limit
    raise ValueError(f"{limits.key} has no lower limit for onu_rx_dbm to draw: give limits that have one")
