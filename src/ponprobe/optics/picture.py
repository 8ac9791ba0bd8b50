"""The plain values of a level diagram and their layout as one SVG picture.

The picture needs no font file, no script and no network, has its own background for light, dark and paper, says in
words and shapes what it says in colours, and is the same bytes for the same values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from ponprobe.models._base import Value
from ponprobe.models.optical import Db, Dbm
from ponprobe.optics.marks import BAND_SIGN, ERROR_SIGN, STYLE, css_class, limit_line, mark
from ponprobe.optics.svg import Text, escape, number, shorten, spread, text_height, text_width, wrap
from ponprobe.optics.words import WORDS, Lang, State, Words, shown

WIDTH, HEIGHT = 960, 580
"""The fixed view box."""
_TOP, _BOTTOM = 118.0, 418.0
_GUTTER, _PANEL, _GAP = 54.0, 440.0, 12.0
# where things stand inside a panel, from its left edge
_LAUNCH, _FALL, _FELL, _RECEIVE, _LABELS = 30.0, 104.0, 182.0, 214.0, 246.0
_FULL_SCALE = (-60.0, 20.0)
"""The widest scale in dBm: past it no PON optics work, and what is past it is drawn as off the scale."""
_USUAL_SCALE = (-30.0, 10.0)
LIMITS, NOTES = 6, 2
"""How many limits of a direction and how many notes have room; more are refused, not left out."""


class End(Value):
    """One end of a direction: a power in dBm, or why there is none."""

    name: str
    power: Dbm | None = None
    absent: str | None = None


class LimitLine(Value):
    """A limit as a power: ``upper`` is one that must not be exceeded. ``label`` is what is written at it.

    ``at_launch`` is a limit of the launched power: it ends where the fibre begins.
    """

    level: Dbm
    upper: bool = False
    at_launch: bool = False
    label: str


class ExpectedBand(Value):
    """What the plant should let arrive: mean, mean ± 2 sigma and the worst value, all in dBm."""

    mean: Dbm
    half_width: Db
    worst: Dbm


class DirectionLevels(Value):
    """One direction of a link. ``error`` is half the length of the error bar of the received power."""

    launch: End
    receive: End
    loss: Db | None = None
    error: Db | None = None
    limits: tuple[LimitLine, ...] = Field(default=(), max_length=LIMITS)
    expected: ExpectedBand | None = None
    state: State = State.NOT_JUDGED
    loss_notes: tuple[str, ...] = Field(default=(), max_length=2)
    """What is written under the loss: what was expected."""


class LevelDiagram(Value):
    """All that a picture says, before it is laid out."""

    title: str
    subtitle: str = ""
    state: State
    headline: str = ""
    """The word at the head; that of the state unless given."""
    downstream: DirectionLevels
    upstream: DirectionLevels
    notes: tuple[str, ...] = Field(default=(), max_length=NOTES)
    """Sentences at the foot of the picture."""
    description: str = ""
    """What a reader who does not see the picture is told."""
    lang: Lang = "en"


def draw(diagram: LevelDiagram) -> str:
    """The picture as one line of SVG: about 8 kB, deterministic."""
    return _Picture(diagram).svg()


@dataclass(frozen=True)
class _Scale:
    """Powers in dBm to heights in the picture."""

    low: float
    high: float

    @classmethod
    def of(cls, powers: Sequence[float]) -> _Scale:
        low = math.floor(max(min((*powers, _USUAL_SCALE[0])), _FULL_SCALE[0]) / 5) * 5
        high = math.ceil(min(max((*powers, _USUAL_SCALE[1])), _FULL_SCALE[1]) / 5) * 5
        return cls(low, high)

    def y(self, power: float) -> float:
        return _TOP + (self.high - min(max(power, self.low), self.high)) / (self.high - self.low) * (_BOTTOM - _TOP)

    def beyond(self, power: float) -> int:
        """1 above the scale, -1 below it, 0 on it."""
        return (power > self.high) - (power < self.low)


class _Picture:
    def __init__(self, diagram: LevelDiagram) -> None:
        self.diagram = diagram
        self.words = WORDS[diagram.lang]
        directions = (diagram.downstream, diagram.upstream)
        self.scale = _Scale.of([power for direction in directions for power in _powers(direction)])
        self.panels = tuple(
            _Panel(direction, _GUTTER + side * (_PANEL + _GAP), self.scale, self.words, upstream=side == 1)
            for side, direction in enumerate(directions)
        )

    def svg(self) -> str:
        title, description = escape(self.diagram.title), escape(self.diagram.description or self.diagram.title)
        language = "zh-CN" if self.diagram.lang == "zh" else "en"
        about = f'class="ponprobe-levels" role="img" xml:lang="{language}" font-family="sans-serif"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {about}>',
            f"<title>{title}</title><desc>{description}</desc><style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            '<g fill="currentColor">',
            *self._head(),
            *self._axis(),
        ]
        for panel, name in zip(self.panels, (self.words.downstream, self.words.upstream), strict=True):
            parts += panel.svg(name)
        parts += [*self._foot(), "</g></svg>"]
        return "".join(parts)

    def _head(self) -> Iterator[str]:
        word = shorten(self.diagram.headline or self.words.states[self.diagram.state], 20, WIDTH / 2)
        word = word[:1].upper() + word[1:]
        width = text_width(word, 20) * 1.08
        room = WIDTH - 20 - (_GUTTER + width + 22)
        yield f'<g class="{css_class(self.diagram.state)}">'
        yield mark(self.diagram.state, 36, 31, 11)
        yield Text(_GUTTER, 16, (word,), 20, bold_first=True).svg() + "</g>"
        yield Text(_GUTTER + width + 22, 19, (shorten(self.diagram.title, 16, room),), 16).svg()
        yield Text(_GUTTER, 48, (shorten(self.diagram.subtitle, 11, WIDTH - _GUTTER - 20),), 11, css="soft").svg()

    def _axis(self) -> Iterator[str]:
        step = 5 if self.scale.high - self.scale.low <= 50 else 10
        ticks = [power for power in range(int(self.scale.low), int(self.scale.high) + 1) if power % step == 0]
        lines = "".join(
            f"M{number(panel.left)} {number(self.scale.y(power))}h{number(_LABELS - 22)}"
            for panel in self.panels
            for power in ticks
        )
        yield '<g class="soft" fill="currentColor">'
        yield f'<path d="{lines}" fill="none" stroke="currentColor" stroke-opacity=".25"/>'
        for power in ticks:
            label = f"{power:+d}" if power else "0"
            yield Text(_GUTTER - 8 - text_width(label, 11), self.scale.y(power) - 8, (label,), 11).svg()
        yield Text(10, 80, ("dBm",), 11).svg() + "</g>"

    def _foot(self) -> Iterator[str]:
        used = {panel.direction.state for panel in self.panels if panel.direction.receive.power is not None}
        if any(panel.direction.receive.power is None for panel in self.panels):
            used.add(State.UNDETERMINED)
        signs: list[tuple[str, str, float, str]] = [
            (mark(state, 6, 0, 6), css_class(state), 17, self.words.states[state]) for state in State if state in used
        ]
        if any(panel.limits for panel in self.panels):
            signs.append((limit_line(0, 0), "", 32, self.words.legend_limit))
        if any(panel.expected for panel in self.panels):
            signs.append((BAND_SIGN, "plan", 32, self.words.legend_expected))
        if any(panel.error is not None for panel in self.panels):
            signs.append((ERROR_SIGN, "", 20, self.words.legend_error))
        x, y = _GUTTER, 486.0
        for sign, css, indent, word in signs:
            width = indent + text_width(word, 12) + 18
            if x + width > WIDTH:
                x, y = _GUTTER, y + 21
            yield f'<g class="{css}" transform="translate({number(x)} {number(y + 8)})">{sign}</g>'
            yield Text(x + indent, y, (word,), 12).svg()
            x += width
        top = 530.0
        for note in self.diagram.notes:
            yield Text(_GUTTER, top, (shorten(note, 11, WIDTH - _GUTTER - 20),), 11, css="soft").svg()
            top += text_height(1, 12) + 3


def _powers(direction: DirectionLevels) -> Iterator[float]:
    """Every power that the scale must show."""
    for end in (direction.launch, direction.receive):
        if end.power is not None:
            yield end.power.value
    if direction.receive.power is not None and direction.error is not None:
        yield direction.receive.power.value - direction.error.value
        yield direction.receive.power.value + direction.error.value
    yield from (limit.level.value for limit in direction.limits)
    if direction.expected is not None:
        yield direction.expected.worst.value
        yield direction.expected.mean.value + direction.expected.half_width.value
        yield direction.expected.mean.value - direction.expected.half_width.value


class _Panel:
    """One direction: the path on the left, the numbers in a column on the right, each tied to its level."""

    def __init__(self, direction: DirectionLevels, left: float, scale: _Scale, words: Words, *, upstream: bool) -> None:
        self.direction = direction
        self.upstream = upstream
        self.left = left
        self.scale = scale
        self.words = words
        self.limits = direction.limits
        self.expected = direction.expected
        self.error = direction.error if direction.receive.power is not None else None
        self.labels = self._labels()

    def svg(self, name: str) -> Iterator[str]:
        yield Text(self.left, 74, (name,), 14, bold_first=True).svg()
        for limit in self.limits:
            length, y = _FALL if limit.at_launch else _LABELS - 22, self.scale.y(limit.level.value)
            yield limit_line(self.left, y, length, upper=limit.upper)
            if limit.at_launch:
                line = f"M{number(self.left + _FALL)} {number(y)}H{number(self.left + _LABELS - 22)}"
                yield f'<path d="{line}" fill="none" stroke="currentColor" stroke-opacity=".45"/>'
        if self.expected is not None:
            yield self._band(self.expected)
        yield self._path()
        yield self._receive()
        yield from self._stations()
        yield self._launch_label().svg()
        for label, css, level in self.labels:
            if level is not None:
                middle = label.top + label.size * 0.65
                line = f"M{number(self.left + _LABELS - 20)} {number(level)}L{number(label.x - 4)} {number(middle)}"
                yield f'<path d="{line}" fill="none" stroke="currentColor" stroke-opacity=".45"/>'
            yield f'<g class="{css}">{label.svg()}</g>' if css else label.svg()

    def _y(self, end: End) -> float | None:
        return None if end.power is None else self.scale.y(end.power.value)

    def _labels(self) -> list[tuple[Text, str, float | None]]:
        """The column on the right: what is written, its colour, and the height that it belongs to."""
        room = _PANEL - _LABELS
        entries: list[tuple[float, float | None, tuple[str, ...], str]] = []
        receive, y = self.direction.receive, self._y(self.direction.receive)
        lines: tuple[str, ...]
        if receive.power is None or y is None:
            lines = (shorten(f"{receive.name}: {self.words.no_value}", 12, room / 1.08),)
            lines += wrap(receive.absent or "", 12, room, 3) if receive.absent else ()
            entries.append(((_TOP + _BOTTOM) / 2, None, lines, "soft"))
        else:
            detail = self.words.states[self.direction.state]
            if self.error is not None:
                detail += f" ±{shown(self.error)}"
            first = f"{receive.name} {shown(receive.power, against=self._compared())}{self._off(receive.power)}"
            lines = (*wrap(first, 12, room / 1.08, 2), shorten(detail, 12, room))
            entries.append((y, y, lines, css_class(self.direction.state)))
        for limit in self.limits:
            level = self.scale.y(limit.level.value)
            entries.append((level, level, wrap(limit.label + self._off(limit.level), 12, room, 2), ""))
        if self.expected is not None:
            mean, worst = self.scale.y(self.expected.mean.value), self.scale.y(self.expected.worst.value)
            text = f"{self.words.expected} {self.expected.mean.value:.2f} ± {shown(self.expected.half_width)}"
            entries.append((mean, mean, (shorten(text, 12, room),), "plan"))
            text = f"{self.words.worst} {shown(self.expected.worst)}"
            entries.append((worst, worst, (shorten(text, 12, room),), "plan"))
        heights = [text_height(len(lines), 12) + 2 for _, _, lines, _ in entries]
        # a block's first line is level with its mark
        wanted = [
            middle + (height - text_height(1, 12)) / 2 for (middle, *_), height in zip(entries, heights, strict=True)
        ]
        tops = spread(wanted, heights, _TOP - 16, _BOTTOM + 8)
        return [
            # the received power is the first entry
            (Text(self.left + _LABELS, place, lines, 12, bold_first=number_of == 0, css="halo"), css, level)
            for number_of, (place, (_, level, lines, css)) in enumerate(zip(tops, entries, strict=True))
        ]

    def _compared(self) -> tuple[Dbm, ...]:
        return tuple(limit.level for limit in self.direction.limits if not limit.at_launch)

    def _off(self, power: Dbm) -> str:
        return {1: " ↑", 0: "", -1: " ↓"}[self.scale.beyond(power.value)]

    def _launch_label(self) -> Text:
        launch, y = self.direction.launch, self._y(self.direction.launch)
        room, x = _LABELS - 18, self.left + 6
        if launch.power is None or y is None:
            reason = wrap(launch.absent, 12, room * 0.75, 3) if launch.absent else ()
            lines = (shorten(f"{launch.name}: {self.words.no_value}", 12, room / 1.08), *reason)
            return Text(x, _TOP + 6, lines, 12, bold_first=True, css="halo")
        received = self._y(self.direction.receive)
        rising = received is not None and received < y
        line = shorten(f"{launch.name} {shown(launch.power)}{self._off(launch.power)}", 12, room / 1.08)
        return Text(x, y + 8 if rising else y - 25, (line,), 12, bold_first=True, css="halo")

    def _path(self) -> str:
        """The light: level, falling through the ODN, level; dotted where an end is not known."""
        start, end = self._y(self.direction.launch), self._y(self.direction.receive)
        x = self.left
        solid, dotted = "", ""
        if start is not None:
            solid += f"M{number(x + _LAUNCH)} {number(start)}H{number(x + _FALL)}"
        if start is not None and end is not None:
            solid += f"L{number(x + _FELL)} {number(end)}H{number(x + _RECEIVE)}"
        elif start is not None:
            dotted = f"M{number(x + _FALL)} {number(start)}H{number(x + _FELL)}"
        elif end is not None:
            solid = f"M{number(x + _FELL)} {number(end)}H{number(x + _RECEIVE)}"
            dotted = f"M{number(x + _FALL)} {number(end)}H{number(x + _FELL)}"
        found = f'<path d="{solid}" fill="none" stroke="currentColor" stroke-width="2.5"/>' if solid else ""
        if dotted:
            found += f'<path d="{dotted}" fill="none" stroke="currentColor" stroke-width="2.5" stroke-dasharray="2 6"/>'
        if start is not None:
            found += f'<circle cx="{number(x + _LAUNCH)}" cy="{number(start)}" r="4.5"/>'
        return found

    def _receive(self) -> str:
        x, y = self.left + _RECEIVE, self._y(self.direction.receive)
        power = self.direction.receive.power
        if power is None or y is None:
            # no height is drawn that could be taken for a power: a dotted line over all of them, and a question mark
            middle = self.labels[0][0].top + 8
            line = (
                f"M{number(x)} {number(_TOP)}V{number(middle - 12)}M{number(x)} {number(middle + 12)}V{number(_BOTTOM)}"
            )
            return (
                f'<g class="soft"><path d="{line}" fill="none" stroke="currentColor" stroke-dasharray="2 5"/>'
                f"{mark(State.UNDETERMINED, x, middle, 9)}</g>"
            )
        found = ""
        if self.error is not None:
            found += self._error_bar(x, power.value, self.error.value)
        return f'<g class="{css_class(self.direction.state)}">{found}{mark(self.direction.state, x, y, 7)}</g>'

    def _error_bar(self, x: float, power: float, half: float) -> str:
        high, low = self.scale.y(power + half), self.scale.y(power - half)
        bar = f"M{number(x)} {number(high)}V{number(low)}"
        bar += "".join(f"M{number(x - 6)} {number(cap)}h12" for cap in (high, low))
        return f'<path d="{bar}" fill="none" stroke="currentColor" stroke-width="1.6"/>'

    def _band(self, expected: ExpectedBand) -> str:
        half, mean = expected.half_width.value, expected.mean.value
        high, low = self.scale.y(mean + half), self.scale.y(mean - half)
        worst = self.scale.y(expected.worst.value)
        x = self.left + _RECEIVE - 16
        height = number(max(low - high, 1))
        return (
            f'<g class="plan"><rect x="{number(x)}" y="{number(high)}" width="32" height="{height}" '
            'fill="currentColor" fill-opacity=".16" stroke="currentColor" stroke-dasharray="4 2"/>'
            f'<path d="M{number(x)} {number(self.scale.y(mean))}h32" fill="none" stroke="currentColor"/>'
            f'<path d="M{number(x)} {number(worst)}h32" fill="none" stroke="currentColor" stroke-width="2" '
            'stroke-dasharray="6 3"/></g>'
        )

    def _stations(self) -> Iterator[str]:
        """OLT, ODN and ONU under the path, in the order in which the light meets them."""
        y, first, last = 450.0, self.left + _LAUNCH, self.left + _RECEIVE
        middle, side = self.left + (_FALL + _FELL) / 2, -14 if self.upstream else 14
        fibre = f"M{number(first + 24)} {y:g}H{number(middle - 14)}M{number(middle + 14)} {y:g}H{number(last - 32)}"
        yield (
            f'<path d="{fibre}" '
            'fill="none" stroke="currentColor" stroke-width="1.5"/>'
            f'<path d="M{number(last - 24)} {y:g}l-9 -5v10z"/>'
            # the splitter's single fibre is on the OLT's side
            f'<path d="M{number(middle - side)} {y:g}l{2 * side} -14v28z" fill="none" stroke="currentColor" '
            'stroke-width="1.5"/>'
        )
        for x, end in ((first, self.direction.launch), (last, self.direction.receive)):
            word = shorten(end.name[:3], 11, 40)
            box = f'x="{number(x - 24)}" y="{y - 13:g}" width="48" height="26" rx="4"'
            yield f'<rect {box} fill="none" stroke="currentColor"/>'
            yield Text(x - text_width(word, 11) / 2, y - 8, (word,), 11).svg()
        loss = self.direction.loss
        text = f"{self.words.no_loss}" if loss is None else f"{self.words.loss} {shown(loss)}"
        room = _PANEL - _LABELS
        top = y - 22 if self.direction.loss_notes else y - 9
        yield Text(self.left + _LABELS, top, (shorten(text, 13, room / 1.08),), 13, bold_first=True).svg()
        notes = tuple(shorten(note, 12, room) for note in self.direction.loss_notes)
        yield f'<g class="plan">{Text(self.left + _LABELS, top + 18, notes, 12).svg()}</g>'
