"""The page: nothing from elsewhere, nothing that runs, and what to do next; in a real browser where there is one."""

from __future__ import annotations

import base64
import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_browser import CONTRASTS, OVERFLOWS, Browser, Tab, running
from report_samples import line_round, many, optical, photo, project_of, reported, splitter_named

from ponprobe.models.engineering import EvidenceItem
from ponprobe.reports import ReportData, write_html
from ponprobe.reports.thumbnails import SMALL, thumbnail
from ponprobe.workflow.evidence import EvidenceStore
from ponprobe.workflow.exif import small_copy

TINY = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def page_of(data: ReportData, **more: Any) -> str:
    target = io.BytesIO()
    write_html(data, target, **more)
    return target.getvalue().decode()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("which", ["everything", "hostile"])
def test_nothing_runs_and_nothing_is_fetched(request: pytest.FixtureRequest, which: str, lang: Any) -> None:
    page = page_of(request.getfixturevalue(which), lang=lang)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page
    assert "default-src 'none'" in page
    tags = re.findall(r"<([a-zA-Z]+)((?:\s+[^<>]*)?)>", page)
    assert not {name.lower() for name, _ in tags} & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert not [rest for _, rest in tags if re.search(r"\son\w+\s*=|javascript:|https?://(?!www\.w3\.org)", rest)]
    assert "@import" not in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[0]
    assert "url(" not in page


def test_a_failing_line_says_what_to_do_next(everything: ReportData) -> None:
    page = page_of(everything)
    sections = re.findall(r'<section class="card".*?</section>', page, re.DOTALL)
    assert len(sections) == 10
    for section in sections:
        done = "FAT-01-1<" in section or "FAT-01-3<" in section or "OBD-1<" in section
        assert ('class="next"' in section) is not done, section[:200]
    assert "先核对分光比" in sections[1]
    assert "测试ONU出现在其他PON口" in sections[5]
    assert "ponprobe recover" in sections[7]


def test_within_the_worst_value_the_design_is_asked_about() -> None:
    splitter = splitter_named("x", stages=(8, 8), distance_km=5.0)
    beyond = splitter_named("y", stages=(4, 8), distance_km=3.0)  # 23.54 dB, worst value 22.00
    by_design = page_of(project_of([reported(splitter, [line_round(splitter, [optical(-20.5)])])]))
    built = page_of(project_of([reported(beyond, [line_round(beyond, [optical(-20.1)])])]))
    assert "光衰与记录的设计相符" in by_design
    assert "光衰与记录的设计相符" not in built


def test_a_large_project_shows_what_needs_looking_at_first() -> None:
    page = page_of(many(30), details=4)
    shown = [int(each) for each in re.findall(r'<section class="card" id="s(\d+)"', page)]
    assert shown == [7, 14, 21, 28]
    assert "共 30 个分光器，以下为最需查看的 4 个" in page
    assert page.count('href="#s') == 30


def exif_jpeg(copy: bytes) -> bytes:
    """A JPEG whose EXIF holds a small copy: TIFF header, an empty first directory, a second one that points to it."""
    second = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, 14 + 30)
        + struct.pack("<HHII", 0x0202, 4, 1, len(copy))
        + bytes(4)
    )
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 14) + second + copy
    block = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + b"\xff\xda" + bytes(SMALL)


def test_a_copy_inside_a_photo_is_taken_only_if_it_is_sound_and_small() -> None:
    copy = b"\xff\xd8\xff\xdb" + b"small" * 20
    content = exif_jpeg(copy)
    assert small_copy(io.BytesIO(content), "image/jpeg", most=len(copy)) == copy
    assert small_copy(io.BytesIO(content), "image/jpeg", most=len(copy) - 1) is None
    assert small_copy(io.BytesIO(exif_jpeg(b"no picture" * 9)), "image/jpeg", most=SMALL) is None
    assert small_copy(io.BytesIO(content), "image/gif", most=SMALL) is None


def test_photos_are_shown_small_and_never_rewritten(tmp_path: Path) -> None:
    originals = EvidenceStore(tmp_path)
    small = originals.add(TINY, "position")
    assert thumbnail(originals, small) == f"data:image/gif;base64,{base64.b64encode(TINY).decode()}"
    copy = b"\xff\xd8\xff\xdb" + b"small" * 20
    large = originals.add(exif_jpeg(copy), "position")
    assert thumbnail(originals, large) == f"data:image/jpeg;base64,{base64.b64encode(copy).decode()}"
    originals.verify(large)
    # damaged in every place: no small picture or the same one, never an error
    content = exif_jpeg(copy)
    for cut in (*range(2, 120, 3), len(content) // 2):
        thumbnail(originals, originals.add(content[:cut] + b"\0" * SMALL, "position"))
    gone: EvidenceItem = photo("position")
    assert thumbnail(originals, gone) is None
    splitter = splitter_named("x")
    data = project_of([reported(splitter, [line_round(splitter, [optical(-15.0)])], evidence=[small, gone])])
    page = page_of(data, originals=originals)
    assert page.count('<img src="data:image/gif;base64,') == 1
    assert page.count("原件见证据包") == 1


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(
    browser: Browser, everything: ReportData, hostile: ReportData, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Tab]:
    """The same pages for every look at them."""
    folder = tmp_path_factory.mktemp("pages")
    tabs = {}
    for name, data, lang in (("hostile", hostile, "zh"), ("everything", everything, "en")):
        write_html(data, folder / f"{name}.html", lang=lang)
        tabs[name] = browser.tab()
        tabs[name].open(folder / f"{name}.html")
    return tabs


def test_a_browser_shows_it_without_complaint(shown: dict[str, Tab], hostile: ReportData) -> None:
    tab = shown["hostile"]
    text = tab.ask("document.body.innerText")
    assert "全部应测分光器的线路与业务均达标" in text
    assert "<script>alert(1)</script>" in text
    assert tab.ask("document.querySelectorAll('svg').length") == len(list(hostile.opened()))
    tab.look(1400)
    assert tab.ask("[...document.querySelectorAll('h1, .banner, h2, .card h3')].every(e => e.offsetHeight > 0)")
    assert tab.complaints == []


@pytest.mark.parametrize("name", ["hostile", "everything"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_stands_out_of_the_window_and_all_of_it_can_be_read(
    shown: dict[str, Tab], name: str, width: int, dark: bool
) -> None:
    tab = shown[name]
    tab.look(width, dark=dark)
    assert tab.ask("getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)"
    )
    assert tab.ask(OVERFLOWS) == []
    assert tab.ask(CONTRASTS) == []


def test_the_first_page_answers_a_stranger(shown: dict[str, Tab]) -> None:
    """What, against which limit in which unit, by whom, when, is the device clean, and what is left to do."""
    text = " ".join(shown["everything"].ask("document.body.innerText").split())
    first = text[: text.index("Results at a glance")]
    for words in (
        "✖ fail 不达标", "Overall", "OLTs clean ✖ no", "锦绣花园二期", "Coverage (tested / to be tested)",
        "Testers 验收乙 (acceptance engineer)", "Tested 2016-07-30 10:00 – 2016-08-01 10:05 Asia/Shanghai",
        '"-20DB"', "ONU Rx ≥ -20.00 dBm: a power in dBm", "not judged", "at the last splitter before the drop cable",
        "Open points",
    ):  # fmt: skip
        assert words in first, f"{words} is not in {first}"


def test_a_browser_prints_it(shown: dict[str, Tab]) -> None:
    content = shown["everything"].pdf()
    assert content.startswith(b"%PDF-")
    pages = max(int(each) for each in re.findall(rb"/Count (\d+)", content))
    # cover and tables, and two pages for a splitter at most
    assert 8 <= pages <= 4 + 2 * 10
