"""The parts that everything shown is made of: safe text, numbers with their units, badges, tables. Well-formed XML."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum

from pydantic import BaseModel, SecretStr

from ponprobe.display.style import STYLE
from ponprobe.models._base import Value
from ponprobe.models.judgement import Band, Outcome, Verdict
from ponprobe.models.optical import Absence, Db, Dbm, Reading
from ponprobe.optics.words import WORDS, State

ROWS = 100
"""So many rows of a table are shown; a page with ten thousand would stop the browser."""
_ITEMS = 20
"""So many parts of one cell."""
_ONE_LINE, _SHORT = 24, ' class="pp-short"'
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_UNITS = {
    "dbm": "dBm",
    "db": "dB",
    "km": "km",
    "m": "m",
    "s": "s",
    "c": "°C",
    "v": "V",
    "ma": "mA",
    "nm": "nm",
    "mbps": "Mbit/s",
}
_SIGNS = {
    State.PASS: ("✔", "good", "达标"),
    State.MARGINAL_PASS: ("◒", "near", "临界达标"),
    State.MARGINAL_FAIL: ("◇", "near", "临界不达标"),
    State.FAIL: ("✘", "bad", "不达标"),
    State.UNDETERMINED: ("?", "soft", "无法判定"),
    State.NOT_JUDGED: ("–", "soft", "不作判定"),
}


class Markup(str):
    """HTML that is safe to stand in a page as it is."""

    __slots__ = ()


def safe(value: object) -> Markup:
    """Foreign text on one line, as HTML: no markup, no control, nothing that turns the text around."""
    return Markup(html.escape("".join(map(_safe, str(value))).strip(), quote=True))


def _safe(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zl", "Zp"} or (category == "Cc" and character.isspace()):
        return " "
    bad = category in {"Cc", "Cf", "Cs"} and character not in _JOINERS
    return "\N{REPLACEMENT CHARACTER}" if bad or character in "\ufffe\uffff" else character


def block(value: str) -> Markup:
    """Foreign text with its lines, as it would look in a terminal."""
    lines = (
        "".join(character if character == " " else _safe(character) for character in line) for line in value.split("\n")
    )
    return Markup(f"<pre>{html.escape(chr(10).join(lines), quote=True)}</pre>")


def page(title: str, *parts: str) -> Markup:
    """One object: the style, a title (HTML) and its parts."""
    head = f'<div class="pp-title">{title}</div>' if title else ""
    return Markup(f'<div class="ponprobe" lang="en"><style>{STYLE}</style>{head}{"".join(parts)}</div>')


def paragraph(content: str) -> Markup:
    """A paragraph of HTML; nothing for nothing."""
    return Markup(f"<p>{content}</p>" if content else "")


def bullets(contents: Iterable[str]) -> Markup:
    """A list of HTML; nothing for nothing."""
    found = "".join(f"<li>{each}</li>" for each in contents)
    return Markup(f"<ul>{found}</ul>" if found else "")


def folded(summary: str, content: str) -> Markup:
    """Something long that opens on demand; nothing for nothing."""
    return Markup(f"<details><summary>{safe(summary)}</summary>{content}</details>" if content else "")


def badge(sign: str, words: str, kind: str) -> Markup:
    """A word with a sign; ``kind`` is ``good``, ``near``, ``bad`` or ``soft`` and only colours it."""
    return Markup(f'<span class="pp-badge pp-{kind}"><span aria-hidden="true">{safe(sign)}</span> {safe(words)}</span>')


def state_badge(state: State) -> Markup:
    """A confidence band in both languages, each with a sign of its own."""
    sign, kind, chinese = _SIGNS[state]
    return badge(sign, f"{WORDS['en'].states[state]} {chinese}", kind)


def verdict_badge(verdict: Verdict) -> Markup:
    """The official outcome; beside it the band, where that says more."""
    if not verdict.band.marginal:
        return state_badge(State(verdict.outcome.value))
    if verdict.band.value.endswith(verdict.outcome.value):
        return state_badge(State(verdict.band.value))
    official = state_badge(State(verdict.outcome.value))
    return Markup(f"{official} {state_badge(State(verdict.band.value))}")


def clean_badge(clean: bool, *, known: bool = True) -> Markup:  # noqa: FBT001 - read as a fact
    """Whether the device was proven clean."""
    if not known:
        return badge("?", "device not proven clean", "near")
    return badge("✔", "device clean", "good") if clean else badge("✘", "something of ours may be left", "bad")


# -- values -----------------------------------------------------------------------------------------------------------


def heading(name: str) -> Markup:
    """A field's name for people, with its unit: ``onu_rx_dbm`` is ``ONU Rx [dBm]``."""
    stem, _, suffix = name.rpartition("_")
    unit = _UNITS.get(suffix) if stem else None
    known = WORDS["en"].names.get(name)
    words = known or (stem if unit else name).replace("_", " ")
    return safe(f"{words} [{unit}]" if unit else words)


def has_unit(name: str) -> bool:
    """Whether a field's name says its unit."""
    stem, _, suffix = name.rpartition("_")
    return bool(stem) and suffix in _UNITS


def is_number(value: object) -> bool:
    """Whether a value stands to the right, under its like."""
    quantity = value.value if isinstance(value, Reading) else value
    return isinstance(quantity, (int, float, Dbm, Db)) and not isinstance(quantity, bool)


def none(why: object = "") -> Markup:
    """No value, and the reason if there is one."""
    return Markup(f'<span class="pp-none">— {safe(why)}</span>' if why else '<span class="pp-none">—</span>')


def why(absence: Absence | str) -> str:
    """The reason of an absence in words."""
    return WORDS["en"].absences[absence] if isinstance(absence, Absence) else str(absence)


def cell(name: str, value: object, absence: Absence | None = None) -> Markup:
    """One value of a field as HTML: two decimals for powers and losses, UTC for times, a reason for an absence."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, Reading):
        return cell(name, value.value, value.absence)
    if value is None or value in ((), {}, ""):
        return none("" if absence is None else why(absence))
    if isinstance(value, (Dbm, Db)):
        return safe(f"{value.value:.2f}" if has_unit(name) else value)
    if isinstance(value, float) and name.endswith("_s"):
        return safe(f"{value:.1f}")
    return _plain(value)


def _plain(value: object) -> Markup:
    if isinstance(value, bool):
        return safe("yes" if value else "no")
    if isinstance(value, float):
        return safe(f"{value:.10g}")
    if isinstance(value, datetime):
        return safe(f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC")
    if isinstance(value, SecretStr):
        return safe("***")
    if isinstance(value, (Outcome, Band)):
        return state_badge(State(value.value))
    if isinstance(value, Enum):
        return safe(value.value)
    if isinstance(value, Mapping):
        return safe("; ".join(f"{key}: {_short(each)}" for key, each in value.items()))
    if isinstance(value, (tuple, list, frozenset, set)):
        shown = [_short(each) for each in list(value)[:_ITEMS]]
        more = f" and {len(value) - _ITEMS} more" if len(value) > _ITEMS else ""
        return safe(", ".join(shown) + more)
    return safe(_short(value))


def _short(value: object) -> str:
    """A nested value on one line; its own words where it has any, else its fields. Secrets cover themselves."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Value) and type(value).__str__ is BaseModel.__str__:
        text = repr(value)
        return text if len(text) <= 160 else text[:159] + "…"
    return str(value)


def table(
    rows: Sequence[Mapping[str, object]],
    *,
    caption: str = "",
    absences: Sequence[Mapping[str, Absence]] = (),
    strong: Sequence[bool] = (),
) -> Markup:
    """Rows under their headings; a column that is empty everywhere is left out, a missing value has its reason.

    At most ``ROWS`` rows are shown, and the number of the others is told. ``strong`` rows stand out by their weight.
    """
    names = [name for name in (rows[0] if rows else {}) if any(row[name] not in (None, (), {}, "") for row in rows)]
    right = {name for name in names if any(is_number(row[name]) for row in rows)}
    css = {name: ' class="pp-num"' if name in right else "" for name in names}
    head = "".join(f'<th scope="col"{css[name]}>{heading(name)}</th>' for name in names)
    body = []
    for number, row in enumerate(rows[:ROWS]):
        reasons = absences[number] if absences else {}
        cells = "".join(_td(css[name], cell(name, row[name], reasons.get(name))) for name in names)
        body.append(f'<tr class="pp-act">{cells}</tr>' if strong and strong[number] else f"<tr>{cells}</tr>")
    above = f"<caption>{safe(caption)}</caption>" if caption else ""
    found = f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    if len(rows) > ROWS:
        found += paragraph(f"{ROWS} of {len(rows)} rows are shown; to_frame() has all of them.")
    return Markup(found)


def _td(css: str, content: Markup) -> str:
    # what is short must not be broken to make room for what is long
    return f"<td{css or (_SHORT if len(content) <= _ONE_LINE else '')}>{content}</td>"


def pairs(items: Mapping[str, object], *, absences: Mapping[str, Absence] | None = None) -> Markup:
    """One object's fields, a row each; empty ones are left out unless a reason is known."""
    reasons = absences or {}
    found = []
    for name, value in items.items():
        if value in (None, (), {}, "") and name not in reasons:
            continue
        found.append(f'<tr><th scope="row">{heading(name)}</th><td>{cell(name, value, reasons.get(name))}</td></tr>')
    return Markup(f"<table><tbody>{''.join(found)}</tbody></table>" if found else "")
