"""The level diagram: sound XML, every number in it, nothing over anything else, nothing said by colour alone."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ponprobe.models.optical import Absence, Db, Dbm
from ponprobe.optics.picture import (
    HEIGHT,
    LIMITS,
    NOTES,
    WIDTH,
    DirectionLevels,
    End,
    ExpectedBand,
    LevelDiagram,
    LimitLine,
    draw,
)
from ponprobe.optics.svg import Box, Text, clean, number, shorten, spread, text_height, text_width, wrap
from ponprobe.optics.words import WORDS, State, exact, shown

SVG = "{http://www.w3.org/2000/svg}"
NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=timezone.utc)


def end(name: str, power: float | str) -> End:
    return End(name=name, absent=power) if isinstance(power, str) else End(name=name, power=Dbm(power))


def limit(level: float, *, upper: bool = False) -> LimitLine:
    return LimitLine(level=Dbm(level), upper=upper, label=f"limit {'≤' if upper else '≥'} {level:.2f} dBm")


def direction(launch: float | str, receive: float | str, *, names: str = "OLT ONU", **more: Any) -> DirectionLevels:
    sender, receiver = names.split()
    fields = {"launch": end(f"{sender} Tx", launch), "receive": end(f"{receiver} Rx", receive), **more}
    return DirectionLevels(**fields)


def diagram(**changes: Any) -> LevelDiagram:
    fields: dict[str, Any] = {
        "title": "ONU 0/1/2:7",
        "subtitle": "construction",
        "state": State.PASS,
        "downstream": direction(3.44, -18.38, loss=Db(21.82), limits=(limit(-20),), error=Db(2.85), state=State.PASS),
        "upstream": direction(2.17, -19.81, names="ONU OLT", loss=Db(21.98)),
        "notes": ("one note", "another"),
    }
    return LevelDiagram(**{**fields, **changes})


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in parsed(svg).iter(f"{SVG}text")]


def boxes(svg: str) -> list[tuple[str, Box]]:
    """The box of every text as it stands in the picture; a mark's question mark belongs to its mark."""
    found = []
    for each in parsed(svg).iter(f"{SVG}text"):
        words, size = "".join(each.itertext()), float(each.attrib["font-size"])
        if words == "?":
            continue
        width = text_width(words, size) * (1.08 if each.get("font-weight") else 1.0)
        base = float(each.attrib["y"])
        # ascent and descent of common fonts
        found.append((words, Box(float(each.attrib["x"]), base - 0.95 * size, width, 1.2 * size)))
    return found


def assert_apart(svg: str) -> None:
    found = boxes(svg)
    for words, box in found:
        assert box.left >= 0, words
        assert box.top >= 0, words
        assert box.left + box.width <= WIDTH, words
        assert box.top + box.height <= HEIGHT, words
    for (one, first), (other, second) in itertools.combinations(found, 2):
        assert not first.overlaps(second), f"{one!r} lies over {other!r}"


# -- the picture ------------------------------------------------------------------------------------------------------


def test_the_picture_is_one_image_with_a_title_and_a_description() -> None:
    root = parsed(draw(diagram(description="what it shows")))
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["viewBox"] == f"0 0 {WIDTH} {HEIGHT}"
    assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert (root[0].text, root[1].text) == ("ONU 0/1/2:7", "what it shows")
    assert parsed(draw(diagram()))[1].text == "ONU 0/1/2:7", "a description is never empty"


def test_the_language_is_marked() -> None:
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert parsed(draw(diagram())).attrib[lang] == "en"
    assert parsed(draw(diagram(lang="zh"))).attrib[lang] == "zh-CN"


def test_every_number_stands_in_the_picture_with_its_unit() -> None:
    found = texts(draw(diagram()))
    for expected in ("OLT Tx 3.44 dBm", "ONU Rx -18.38 dBm", "ONU Tx 2.17 dBm", "OLT Rx -19.81 dBm",
                     "attenuation 21.82 dB", "attenuation 21.98 dB", "limit ≥ -20.00 dBm", "pass ±2.85 dB",
                     "not judged", "one note", "another"):  # fmt: skip
        assert expected in found


def test_same_values_same_bytes() -> None:
    assert draw(diagram()) == draw(diagram())
    assert draw(diagram()) != draw(diagram(upstream=direction(2.17, -19.82, names="ONU OLT")))


def test_a_picture_is_small() -> None:
    assert len(draw(diagram()).encode()) < 12_000


def test_nothing_is_fetched_and_nothing_runs() -> None:
    svg = draw(diagram())
    assert not re.search(r"<script|<image|<use|href|url\(|@import|javascript:", svg)
    assert svg.count("http") == 1, "only the name of the format"


def test_the_styles_touch_nothing_but_the_picture() -> None:
    style = parsed(draw(diagram())).find(f"{SVG}style")
    assert style is not None
    assert style.text is not None
    selectors = re.findall(r"([^{};]+)\{(?!\s*\.)", re.sub(r"@media[^{]*\{", "", style.text))
    assert len(selectors) > 10
    for selector in ",".join(selectors).split(","):
        assert selector.lstrip("} ").startswith(".ponprobe-levels"), selector
    assert "prefers-color-scheme:dark" in style.text
    assert "@media print" in style.text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_state_has_its_own_shape_and_its_own_word(lang: str) -> None:
    shapes = {}
    for state in State:
        svg = draw(diagram(lang=lang, state=state, downstream=direction(3.0, -18.0, state=state)))
        word = WORDS["zh" if lang == "zh" else "en"].states[state]
        assert word in texts(svg)
        # the mark at the head, without colours and classes
        head = svg[svg.index("<g class=") : svg.index('font-size="20"')]
        shapes[re.sub(r' (class|fill|stroke)="[^"]*"', "", head)] = state
    assert len(shapes) == len(State)


def test_an_absent_power_is_drawn_as_absent_and_never_as_a_number() -> None:
    svg = draw(
        diagram(
            downstream=direction(3.44, "no light was received", limits=(limit(-20),), state=State.UNDETERMINED),
            upstream=direction("it was not read", "the device cannot report it", names="ONU OLT"),
        )
    )
    found = texts(svg)
    assert "ONU Rx: no value" in found
    assert "no light was received" in found
    assert "ONU Tx: no value" in found
    assert "it was not read" in found
    assert "the device cannot report it" in " ".join(found)
    assert "?" in found
    assert found.count("attenuation unknown") == 2
    assert not [each for each in found if re.search(r"Rx.*\d|ONU Tx.*\d", each)]
    assert svg.count('stroke-dasharray="2 5"') == 2, "both receivers have a dotted line over all heights"
    assert_apart(svg)


def test_an_absent_launch_leaves_the_received_level() -> None:
    svg = draw(diagram(downstream=direction("the ONU is offline", -18.38)))
    assert "ONU Rx -18.38 dBm" in texts(svg)
    assert svg.count('stroke-dasharray="2 6"') == 1


def test_an_absence_without_a_reason_is_still_an_absence() -> None:
    empty = DirectionLevels(launch=End(name="OLT Tx"), receive=End(name="ONU Rx"))
    assert texts(draw(diagram(downstream=empty))).count("OLT Tx: no value") == 1


def level_of(svg: str, words: str) -> float:
    """The height that a label is tied to by its line."""
    match = re.search(r'<path d="M[\d.]+ ([\d.]+)L[^>]*/>(?:<g[^>]*>)?<text[^>]*>' + re.escape(words), svg)
    assert match, words
    return float(match[1])


def test_heights_are_to_scale() -> None:
    svg = draw(diagram(downstream=direction(5.0, -15.0, limits=(limit(-20), limit(-10, upper=True)))))
    at = {name: level_of(svg, text) for name, text in
          {"rx": "ONU Rx -15.00", "low": "limit ≥ -20.00", "high": "limit ≤ -10.00"}.items()}  # fmt: skip
    assert at["high"] < at["rx"] < at["low"]
    assert at["rx"] - at["high"] == pytest.approx(at["low"] - at["rx"], abs=0.2)


def test_the_strokes_of_a_limit_are_on_the_forbidden_side() -> None:
    for upper in (False, True):
        svg = draw(diagram(downstream=direction(3.0, -9.0, limits=(limit(-8, upper=upper),))))
        match = re.search(r'd="M54 ([\d.]+)h224"[^>]*stroke-width="2"/><path d="M58 ([\d.]+)h', svg)
        assert match
        # y grows downwards
        assert (float(match[2]) < float(match[1])) == upper


def test_the_expected_band_shows_mean_two_sigma_and_the_worst_value() -> None:
    band = ExpectedBand(mean=Dbm(-14.86), half_width=Db(1.04), worst=Dbm(-16.62))
    svg = draw(diagram(downstream=direction(3.44, -18.38, expected=band)))
    found = texts(svg)
    assert "expected -14.86 ± 1.04 dB" in found
    assert "worst case -16.62 dBm" in found
    assert "expected from the plant, mean ± 2σ" in found
    assert level_of(svg, "expected") < level_of(svg, "worst case") < level_of(svg, "ONU Rx -18.38")


def test_the_error_bar_is_as_long_as_the_uncertainty() -> None:
    def length(half: float) -> float:
        svg = draw(diagram(downstream=direction(3.0, -15.0, error=Db(half), state=State.PASS)))
        match = re.search(r'd="M[\d.]+ ([\d.]+)V([\d.]+)M', svg[svg.index("Downstream") :])
        assert match
        return float(match[2]) - float(match[1])

    assert length(4.0) == pytest.approx(2 * length(2.0), abs=0.3)
    assert length(4.0) == pytest.approx(8 * 300 / 40, abs=0.3)


def test_without_a_reading_there_is_no_error_bar() -> None:
    assert "uncertainty of the reading" not in texts(draw(diagram(downstream=direction(3.0, "x", error=Db(2.0)))))


def test_a_limit_of_what_is_launched_ends_where_the_fibre_begins() -> None:
    low = LimitLine(level=Dbm(1.5), at_launch=True, label="OLT Tx limit ≥ 1.50 dBm")
    svg = draw(diagram(downstream=direction(3.0, -18.0, limits=(low,))))
    assert re.search(r'd="M54 [\d.]+h104" fill="none" stroke="currentColor" stroke-width="2"', svg)
    assert "OLT Tx limit ≥ 1.50 dBm" in texts(svg)


def test_what_is_off_the_scale_is_said_to_be() -> None:
    found = texts(draw(diagram(downstream=direction(32.5, -75.0, limits=(limit(-20),)))))
    assert "OLT Tx 32.50 dBm ↑" in found
    assert "ONU Rx -75.00 dBm ↓" in found


def test_a_line_that_amplifies_rises_and_its_label_keeps_clear() -> None:
    svg = draw(diagram(downstream=direction(-20.0, -3.0, loss=Db(-17.0))))
    assert "attenuation -17.00 dB" in texts(svg)
    assert_apart(svg)


def test_hostile_texts_stay_text() -> None:
    evil = '</text><script>alert("1")</script>\x00\x1b[31m\u202e\ud800&amp; ' + "W" * 500
    svg = draw(
        diagram(
            title=evil, subtitle=evil, description=evil, notes=(evil, evil),
            downstream=DirectionLevels(
                launch=End(name=evil, absent=evil), receive=End(name=evil, absent=evil),
                limits=(LimitLine(level=Dbm(-20), label=evil),),
            ),
            upstream=DirectionLevels(launch=End(name=evil, power=Dbm(1)), receive=End(name=evil, power=Dbm(-20))),
        )
    )  # fmt: skip
    root = parsed(svg)
    assert root[0].text is not None
    assert root[0].text.startswith('</text><script>alert("1")</script>\ufffd\ufffd[31m\ufffd\ufffd&amp; W')
    assert not list(root.iter(f"{SVG}script"))
    assert_apart(svg)


def test_more_than_has_room_is_refused() -> None:
    with pytest.raises(ValidationError):
        direction(3.0, -18.0, limits=tuple(limit(-20) for _ in range(LIMITS + 1)))
    with pytest.raises(ValidationError):
        diagram(notes=("x",) * (NOTES + 1))


powers = st.one_of(
    st.decimals(-50, 11, places=3).map(float), st.decimals(-300, 300, places=9).map(float), st.floats(-300, 300)
)
words = st.text(max_size=60) | st.sampled_from([*WORDS["en"].absences.values(), *WORDS["zh"].absences.values()])
losses = st.floats(-80, 80).map(Db)
limits = st.builds(
    lambda level, upper, launch: limit(level, upper=upper).model_copy(update={"at_launch": launch}),
    st.one_of(powers, st.sampled_from([-20.0, -20.01])),
    st.booleans(),
    st.booleans(),
)
bands = st.builds(
    ExpectedBand, mean=powers.map(Dbm), half_width=st.floats(0, 9).map(Db), worst=powers.map(Dbm)
)  # fmt: skip


@st.composite
def directions(draw_from: Any) -> DirectionLevels:
    ends = []
    for name in ("OLT发送光功率", "ONU Rx"):
        power = draw_from(st.none() | powers)
        ends.append(End(name=name, power=None if power is None else Dbm(power), absent=draw_from(words)))
    return DirectionLevels(
        loss_notes=tuple(draw_from(st.lists(words, max_size=2))),
        launch=ends[0],
        receive=ends[1],
        loss=draw_from(st.none() | losses),
        error=draw_from(st.none() | st.floats(0, 12).map(Db)),
        limits=tuple(draw_from(st.lists(limits, max_size=LIMITS))),
        expected=draw_from(st.none() | bands),
        state=draw_from(st.sampled_from(State)),
    )


@settings(deadline=None, max_examples=200)
@given(
    st.builds(
        LevelDiagram, title=words, subtitle=words, state=st.sampled_from(State), headline=words,
        downstream=directions(), upstream=directions(), notes=st.lists(words, max_size=NOTES).map(tuple),
        description=words, lang=st.sampled_from(["en", "zh"]),
    )
)  # fmt: skip
def test_labels_never_lie_over_each_other_and_never_leave_the_picture(one: LevelDiagram) -> None:
    svg = draw(one)
    assert_apart(svg)
    assert len(svg.encode()) < 24_000
    found = "".join(texts(svg)).replace(" ", "")
    for each in (one.downstream, one.upstream):
        for power in (each.launch.power, each.receive.power):
            # nine decimals are more than any device or median has
            if power is not None and round(power.value, 9) == power.value:
                against = (
                    [other.level for other in each.limits if not other.at_launch] if power is each.receive.power else []
                )
                assert shown(power, against=against).replace(" ", "") in found, "a number is never cut short"


# -- its parts --------------------------------------------------------------------------------------------------------


def test_clean_keeps_letters_and_replaces_what_breaks_documents() -> None:
    assert clean("光衰  é\n\tx") == "光衰 é x"
    assert clean("\x00\x7f\u200b\ud800\ufffe\ue000") == "\ufffd" * 6


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (-0.04, "0"), (2.25, "2.2"), (-3.96, "-4"), (10.0, "10")])
def test_coordinates_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_widths_count_chinese_as_full_and_marks_as_nothing() -> None:
    assert text_width("光衰", 10) == 20
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("ж", 10) == 10


@given(st.text(max_size=80), st.floats(20, 300))
def test_shortened_text_fits(text: str, width: float) -> None:
    short = shorten(text, 12, width)
    assert text_width(short, 12) <= width
    assert short == clean(text) or short.endswith("…")


@given(st.text(max_size=120), st.floats(40, 300), st.integers(1, 4))
def test_wrapped_text_fits_and_loses_nothing_unless_it_says_so(text: str, width: float, lines: int) -> None:
    found = wrap(text, 12, width, lines)
    assert 1 <= len(found) <= lines
    assert all(text_width(line, 12) <= width for line in found)
    if not found[-1].endswith("…"):
        assert "".join(found).replace(" ", "") == clean(text).replace(" ", "")


def test_wrapping_breaks_at_spaces_and_between_chinese_characters_but_not_before_a_stop() -> None:
    assert wrap("the device printed no value", 12, 100, 3) == ("the device", "printed no", "value")
    assert wrap("设备未上报，数值", 10, 50, 3) == ("设备未上", "报，数值")
    assert wrap("W" * 12, 10, 60, 3) == ("WWWWWW", "WWWWWW")


@given(st.lists(st.tuples(st.floats(-500, 900), st.floats(5, 40)), max_size=8))
def test_spread_boxes_are_inside_apart_and_in_order(boxes: list[tuple[float, float]]) -> None:
    wanted, heights = [each for each, _ in boxes], [height for _, height in boxes]
    tops = spread(wanted, heights, 0, 400)
    rows = sorted(zip(tops, heights, wanted, strict=True))
    for (top, height, one), (below, _, other) in itertools.pairwise(rows):
        assert top + height <= below + 1e-6
        assert one <= other
    for top, height, _ in rows:
        assert top >= 0
        assert top + height <= 400 + 1e-6


def test_spread_leaves_alone_what_is_apart_and_shares_the_way_otherwise() -> None:
    assert spread([50, 100], [10, 10], 0, 400) == [45, 95]
    assert spread([100, 100], [10, 10], 0, 400) == [90, 100]
    assert spread([0, 0], [10, 10], 0, 400) == [0, 10]
    assert spread([], [], 0, 400) == []


def test_boxes_that_touch_do_not_overlap() -> None:
    assert Box(0, 0, 10, 10).overlaps(Box(9, 9, 10, 10))
    assert not Box(0, 0, 10, 10).overlaps(Box(10, 0, 10, 10))
    assert not Box(0, 0, 10, 10).overlaps(Box(0, 10, 10, 10))
    assert Text(1, 2, ("ab", "a"), 10).box == Box(1, 2, text_width("ab", 10), text_height(2, 10))
    assert Text(1, 2, (), 10).box.width == 0


def test_numbers_have_two_decimals_unless_two_would_hide_the_comparison() -> None:
    assert shown(Dbm(-18.384)) == "-18.38 dBm"
    assert shown(Dbm(-20.001), against=[Dbm(-20)]) == "-20.001 dBm"
    assert shown(Dbm(-19.99600123), against=[Dbm(-20)]) == "-19.996 dBm", "as many decimals as needed and no more"
    assert shown(Dbm(-20.0), against=[Dbm(-20)]) == "-20.00 dBm"
    assert shown(Dbm(-19.996), against=[Dbm(-20)]) == "-19.996 dBm"
    assert shown(Dbm(-20.000000000000004), against=[Dbm(-20)]) == "-20.000000000000004 dBm"
    assert shown(Db(1e-20), against=[Db(0)]) == "1e-20 dB"
    assert shown(Db(1.5e-20), against=[Db(1.4e-20)]) == "1.5e-20 dB"
    assert shown(Db(1.50002e-20), against=[Db(1.50001e-20)]) == "1.50002e-20 dB"
    assert shown(Db(-0.001)) == "0.00 dB"
    assert shown(Dbm(-1e300)) == "-1e+300 dBm"
    assert [exact(Dbm(value)) for value in (-20, -20.5, -20.125)] == ["-20.00 dBm", "-20.50 dBm", "-20.125 dBm"]


def test_every_absence_and_state_has_words_in_both_languages() -> None:
    for lang in ("en", "zh"):
        assert set(WORDS[lang].absences) == set(Absence)
        assert set(WORDS[lang].states) == set(State)
