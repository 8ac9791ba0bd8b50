"""What a level diagram is drawn with: one shape a state, the limit line, the colours for light, dark and paper."""

from __future__ import annotations

from ponprobe.optics.palette import DARK, LIGHT, STATES
from ponprobe.optics.svg import Text, number, text_width
from ponprobe.optics.words import State

_PICTURE = ".ponprobe-levels"
_FONTS = (
    "'DejaVu Sans','Noto Sans','Segoe UI',Arial,'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',"
    "'WenQuanYi Zen Hei',sans-serif"
)


def _style() -> str:
    r, light, dark = _PICTURE, LIGHT, DARK
    lit, dim = ("".join(f"{r} .{each}{{color:{theme[each]}}}" for each in STATES) for theme in (light, dark))
    black = ",".join((r, *(f"{r} .{each}" for each in STATES)))
    return (
        f"{r}{{color:{light['ink']};font-family:{_FONTS}}}{r} .paper{{fill:{light['paper']}}}"
        f"{r} .halo{{stroke:{light['paper']};stroke-width:4px;stroke-linejoin:round;paint-order:stroke}}{lit}"
        f"@media (prefers-color-scheme:dark){{{r}{{color:{dark['ink']}}}{r} .paper{{fill:{dark['paper']}}}"
        f"{r} .halo{{stroke:{dark['paper']}}}{dim}}}"
        f"@media print{{{black}{{color:#000}}{r} .paper{{fill:#fff}}{r} .halo{{stroke:#fff}}}}"
    )


STYLE = _style()
# every rule names the picture: put into a page, it leaves the rest of the page alone


def css_class(state: State) -> str:
    """The class that colours a state."""
    return {
        State.PASS: "good",
        State.MARGINAL_PASS: "near",
        State.MARGINAL_FAIL: "near",
        State.FAIL: "bad",
        State.UNDETERMINED: "soft",
        State.NOT_JUDGED: "soft",
    }[state]


def mark(state: State, x: float, y: float, size: float) -> str:
    """One shape a state, so that a black and white print still tells them apart."""
    around = f'cx="{number(x)}" cy="{number(y)}" r="{number(size)}"'
    open_line = 'fill="none" stroke="currentColor" stroke-width="2"'
    if state is State.PASS:
        return f"<circle {around}/>"
    r, minus = number(size), number(-size)
    if state is State.MARGINAL_PASS:
        half = f"M{number(x - size)} {number(y)}a{r} {r} 0 0 0 {number(2 * size)} 0z"
        return f'<circle {around} class="paper" fill="#fff"/><circle {around} {open_line}/><path d="{half}"/>'
    if state is State.MARGINAL_FAIL:
        half = f"M{number(x - size)} {number(y)}h{number(2 * size)}l{minus} {r}z"
        edge = f"M{number(x)} {number(y - size)}l{r} {r}l{minus} {r}l{minus} {minus}z"
        return f'<path d="{edge}" class="paper" fill="#fff"/><path d="{edge}" {open_line}/><path d="{half}"/>'
    if state is State.FAIL:
        arm, back = number(1.6 * size), number(-1.6 * size)
        cross = f"M{number(x - 0.8 * size)} {number(y - 0.8 * size)}l{arm} {arm}m0 {back}l{back} {arm}"
        return f'<path d="{cross}" fill="none" stroke="currentColor" stroke-width="{number(max(3, size * 0.4))}"/>'
    side = number(2 * size)
    around = f'x="{number(x - size)}" y="{number(y - size)}" width="{side}" height="{side}"'
    square = f'<rect {around} class="paper" fill="#fff"/><rect {around} {open_line}/>'
    if state is State.UNDETERMINED:
        square += Text(x - text_width("?", size * 1.6) / 2, y - size * 1.05, ("?",), size * 1.6, bold_first=True).svg()
    return square


def limit_line(x: float, y: float, length: float = 26, *, upper: bool = False) -> str:
    """A heavy line with strokes on the side where the light must not be."""
    beside = number(y - 4 if upper else y + 4)
    return (
        f'<path d="M{number(x)} {number(y)}h{number(length)}" fill="none" stroke="currentColor" stroke-width="2"/>'
        f'<path d="M{number(x + 4)} {beside}h{number(length - 4)}" fill="none" stroke="currentColor" stroke-width="6" '
        'stroke-dasharray="1.4 6.6" stroke-opacity=".7"/>'
    )


BAND_SIGN = (
    '<rect y="-6" width="26" height="12" fill="currentColor" fill-opacity=".16" stroke="currentColor" '
    'stroke-dasharray="4 2"/>'
)
ERROR_SIGN = '<path d="M6 -7v14M0 -7h12M0 7h12" fill="none" stroke="currentColor" stroke-width="1.6"/>'
