"""What a notebook's cells show, in a real browser: nothing runs, nothing is fetched, all of it can be read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "reports"))  # the browser

from real_browser import CONTRASTS, Tab, running
from shown_values import HOSTILE, plan, reading, result, swept, verdict

from ponprobe.display import html_of, table_of
from ponprobe.optics.palette import DARK, LIGHT, STATES

LAB = """
body{margin:0;padding:8px;background:var(--jp-layout-color0);font:13px sans-serif}
[data-jp-theme-light='true']{--jp-layout-color0:#fff;--jp-content-font-color1:rgba(0,0,0,.87);--jp-border-color1:#bdbdbd}
[data-jp-theme-light='false']{--jp-layout-color0:#111;--jp-content-font-color1:#fff;--jp-border-color1:#616161}
"""
"""JupyterLab's own variables, as its two themes set them."""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Every kind of value, with hostile names, on one page."""
    values = [verdict(), verdict(-26.0), verdict(None), reading(None), plan(), swept()]
    values += [result(splitter=name) for name in HOSTILE]
    shown = [html_of(each) for each in values] + [table_of([result(splitter=name) for name in HOSTILE])]
    assert all(shown)
    folder = tmp_path_factory.mktemp("cells")
    cells = "".join(f'<div class="jp-OutputArea-output">{each}</div>' for each in shown)
    page = f"<!DOCTYPE html><meta charset='utf-8'><title>cells</title><style>{LAB}</style><body>{cells}</body>"
    (folder / "cells.html").write_text(page, "utf-8")
    with running(folder) as browser:
        tab = browser.tab()
        tab.open(folder / "cells.html")
        yield tab


def test_cells_are_shown_without_complaint(tab: Tab) -> None:
    text = tab.ask("document.body.innerText")
    assert "<script>alert(1)</script>" in text
    assert "✘ fail 不达标" in text
    assert tab.ask("document.querySelectorAll('script, img, iframe').length") == 0
    assert tab.complaints == []


@pytest.mark.parametrize("theme", ["", "light", "dark"])
@pytest.mark.parametrize("system", ["light", "dark"])
def test_cells_can_be_read_in_every_theme(tab: Tab, theme: str, system: str) -> None:
    """A notebook's own theme counts more than the system's; without one the system's is taken."""
    value = {"light": "true", "dark": "false"}.get(theme)
    tab.ask("delete document.body.dataset.jpThemeLight")
    if value:
        tab.ask(f"document.body.dataset.jpThemeLight = '{value}'")
    tab.look(1000, dark=system == "dark")
    assert tab.ask(CONTRASTS) == []
    paper = tab.ask("getComputedStyle(document.querySelector('.ponprobe')).backgroundColor")
    dark = (theme or system) == "dark"
    assert (sum(int(each) for each in paper[4:-1].split(",")) < 3 * 64) is dark


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["ink", *STATES])
def test_the_palette_stands_out_from_its_paper(name: str) -> None:
    for theme in (LIGHT, DARK):
        assert contrast(theme[name], theme["paper"]) >= 4.5
