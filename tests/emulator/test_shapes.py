"""What the emulator prints has the shape of real devices' text: labels, table heads, rulers, in their order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LABEL = re.compile(r"^ {2,3}[A-Z][^:|]{2,38}?(?=\s*:| {2,})")


def capture(shared: Path, name: str) -> list[str]:
    text = (shared / "captures" / "huawei_smartax" / f"{name}.txt").read_bytes().decode("latin-1")
    body = text.replace("\r", "").split("\n---\n", 1)[1]
    return [line.rstrip() for line in body.split("\n")]


@pytest.fixture
def ask(demo_lab, ssh):
    """(OLT, view, line) -> the answer's lines, without blanks at their ends."""
    return lambda olt, view, line: [text.rstrip() for text in ssh(demo_lab.olts[olt]).setup(view=view).lines(line)]


def labels(lines: list[str]) -> list[str]:
    return [found[0].strip() for line in lines if (found := LABEL.match(line))]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("r015_display_ont_info_P_ID", ("ma5683t", "0/1", "display ont info 0 0")),
        ("r015_optical_more_swallows_q_of_quit", ("ma5683t", "0/1", "display ont optical-info 0 0")),
        ("r015_display_ont_autofind_all", ("ma5683t", "config", "display ont autofind all")),
        ("r015_display_vlan_888", ("ma5683t", "config", "display vlan 800")),
        ("r015_display_version", ("ma5683t", "config", "display version")),
        ("display_port_state_single_manual_ma5680t", ("ma5683t", "0/1", "display port state 0")),
        ("nesi_display_port_state_single", ("ma5683t", "0/1", "display port state 0")),
    ],
)
def test_labels_in_the_order_of_a_real_page(ask, shared, name, asked):
    theirs = [label for label in labels(capture(shared, name)) if label not in {"Command", "Uptime is"}]
    ours = labels(ask(*asked))
    position = -1
    for label in theirs:
        assert label in ours[position + 1 :], f"{label!r} is missing or out of place"
        position = ours.index(label, position + 1)
    assert len(theirs) > 5


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("r015_display_ont_info_0_0_all_more_q", ("ma5683t", "config", "display ont info 0 1 0 all")),
        ("r015_display_board_0", ("ma5683t", "config", "display board 0")),
        ("r015_display_vlan_all", ("ma5683t", "config", "display vlan all")),
        ("r015_display_lineprofile_all", ("ma5683t", "config", "display ont-lineprofile gpon all")),
        ("display_service_port_port_ont_ma5608t", ("ma5683t", "config", "display service-port port 0/1/0 ont 0")),
        ("ntc_display_ont_optical_info_all", ("ma5683t", "0/1", "display ont optical-info 0 all")),
        ("ntc_display_ont_info_summary_2", ("ma5800", "config", "display ont info summary 0/1/0")),
        ("ntc_display_mac_address", ("ma5683t", "config", "display mac-address port 0/1/0 ont 0")),
        ("ntc_display_mac_address_ont_1", ("ma5683t", "config", "display mac-address ont 0/1/0 0")),
        ("display_terminal_user_reenter", ("ma5683t", "config", "display terminal user name probe")),
    ],
)
def test_table_heads_and_rulers_are_a_real_tables(ask, shared, name, asked):
    theirs = capture(shared, name)
    ours = ask(*asked)
    first = next(at for at, text in enumerate(ours) if re.match(r"\s*-{20}", text))
    ruler = next(at for at, text in enumerate(ours[first + 1 :], first + 1) if re.match(r"\s*-{20}", text))
    for text in ours[first : ruler + 1]:
        shape = re.sub(r"In port.*", "In port", text)
        assert any(re.sub(r"In port.*", "In port", their) == shape for their in theirs), repr(text)


@pytest.mark.parametrize(
    ("name", "asked", "row"),
    [
        (
            "display_service_port_port_ont_ma5608t",
            ("ma5683t", "config", "display service-port port 0/1/0 ont 0"),
            r"^ +\d+ +\d+ common",
        ),
        (
            "r015_display_ont_info_0_0_all_more_q",
            ("ma5683t", "config", "display ont info 0 1 0 all"),
            r"^  0/ \d/\d +\d+  4857",
        ),
        ("r015_display_lineprofile_all", ("ma5683t", "config", "display ont-lineprofile gpon all"), r"^  \d+ +\w"),
        ("ntc_display_ont_optical_info_all", ("ma5683t", "0/1", "display ont optical-info 0 all"), r"^ +\d+ +-\d\d"),
        ("r015_display_board_0", ("ma5683t", "config", "display board 0"), r"^  \d+ +H80"),
        ("ntc_display_mac_address", ("ma5683t", "config", "display mac-address port 0/1/0 ont 0"), r"^ +\d+ +-  gpon"),
    ],
)
def test_cells_stand_in_the_columns_of_a_real_row(ask, shared, name, asked, row):
    def columns(lines: list[str]) -> set[int]:
        """Where the left-aligned cells of the first matching row begin."""
        found = next(text for text in lines if re.search(row, text))
        return {cell.start() for cell in re.finditer(r"\S+", found) if not re.fullmatch(r"[-.\d]+", cell[0])}

    theirs = columns(capture(shared, name))
    ours = columns(ask(*asked))
    assert ours == theirs
