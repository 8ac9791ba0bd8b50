"""A PON's splitter tree with its losses: which branch loses more than it should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from ponprobe.models._base import Value
from ponprobe.models.plant import PlantComparison
from ponprobe.notebook.canvas import BAD, INK, SOFT, axes, dress, legible, settle

_NAME_EM = 18.0
"""As much of a name as a box has room for."""


class TreeSplitter(Value):
    """A splitter in a tree: ``fed_by`` names the one before it (``None``: the OLT).

    ``comparison`` is the measured loss from the OLT to an output of it against the plant as recorded, where one was
    measured (``MeasureResult.comparisons`` has it).
    """

    name: str = Field(min_length=1)
    ratio: Annotated[int, Field(ge=2)]
    fed_by: str | None = None
    comparison: PlantComparison | None = None

    @property
    def flagged(self) -> bool:
        """Whether more is lost than readings and plant leave open."""
        return self.comparison is not None and self.comparison.excess_db >= self.comparison.flagged_from_db


def plot_tree(splitters: Iterable[TreeSplitter], *, title: str = "Splitter tree", ax: Any = None) -> Any:
    """The tree from the OLT to the right: each splitter with its ratio, measured and expected loss in dB.

    A splitter that loses too much has a heavy dashed frame, and its excess is written in it. Raises ``ValueError`` for
    no splitters, for a name that stands there twice, an unknown ``fed_by`` and a circle; ``MissingExtra`` without
    matplotlib.
    """
    nodes = _checked(splitters)
    children: dict[str | None, list[TreeSplitter]] = {}
    for node in nodes.values():
        children.setdefault(node.fed_by, []).append(node)
    places: dict[str, tuple[float, float]] = {}
    leaves = 0
    for root in children[None]:
        leaves = _place(root, 1, leaves, children, places)
    depth = max(x for x, _ in places.values())
    ax = axes(ax, width=2.2 + 2.6 * depth, height=1.0 + 0.85 * leaves)
    olt = (0.0, sum(places[each.name][1] for each in children[None]) / len(children[None]))
    for node in nodes.values():
        x, y = places[node.name]
        left, low = olt if node.fed_by is None else places[node.fed_by]
        # from middle to middle: the boxes stand on the lines
        bend = left + 0.5
        ax.plot([left, bend, bend, x], [low, low, y, y], color=INK, linewidth=1.3, zorder=1)
    _box(ax, olt, "OLT", flagged=False)
    for node in nodes.values():
        _box(ax, places[node.name], _told(node), flagged=node.flagged)
    ax.set_xlim(-0.35, depth + 0.5)
    ax.set_ylim(leaves - 0.45, -0.55)
    dress(ax, title=title)
    ax.set_axis_off()
    return settle(ax)


def _checked(splitters: Iterable[TreeSplitter]) -> Mapping[str, TreeSplitter]:
    given = list(splitters)
    if not given:
        raise ValueError("there is no splitter to draw: give at least one")
    nodes = {node.name: node for node in given}
    if len(nodes) < len(given):
        raise ValueError("a splitter stands there twice: give each name once")
    for node in given:
        seen, following = {node.name}, node.fed_by
        while following is not None:
            if following not in nodes:
                raise ValueError(f"{node.name!r} is fed by {following!r}, which is not among the splitters")
            if following in seen:
                raise ValueError(f"{node.name!r} feeds itself: correct fed_by")
            seen.add(following)
            following = nodes[following].fed_by
    return nodes


def _place(
    node: TreeSplitter,
    depth: int,
    leaves: int,
    children: Mapping[str | None, Sequence[TreeSplitter]],
    places: dict[str, tuple[float, float]],
) -> int:
    """Leaves in rows of their own, a splitter at the middle of what it feeds; returns the rows used so far."""
    fed = children.get(node.name, ())
    if not fed:
        places[node.name] = (float(depth), float(leaves))
        return leaves + 1
    for each in fed:
        leaves = _place(each, depth + 1, leaves, children, places)
    places[node.name] = (float(depth), (places[fed[0].name][1] + places[fed[-1].name][1]) / 2)
    return leaves


def _told(node: TreeSplitter) -> str:
    head = f"{legible(node.name, _NAME_EM)}  1:{node.ratio}"
    if node.comparison is None:
        return head
    found, expected = node.comparison.measured.loss_db, node.comparison.expected.mean_db
    excess = f"{_signed(node.comparison.excess_db.value)} dB ({_signed(node.comparison.z)} sigma)"
    lines = [head, f"measured {found}", f"expected {expected}", excess]
    return "\n".join([*lines, "LOOK HERE"] if node.flagged else lines)


def _signed(value: float) -> str:
    """One decimal with a sign, and no sign for nothing."""
    text = f"{value:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def _box(ax: Any, at: tuple[float, float], text: str, *, flagged: bool) -> None:
    patch = {
        "boxstyle": "round,pad=0.35",
        "facecolor": "white",
        "edgecolor": BAD if flagged else (INK if "\n" in text else SOFT),
        "linewidth": 2.6 if flagged else 1.2,
        "linestyle": "--" if flagged else "-",
    }
    ax.text(*at, text, ha="center", va="center", fontsize=8, bbox=patch, zorder=2)
