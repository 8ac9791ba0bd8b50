"""What all vendors' parsers share: the screen, prompts and echoes, refusals, tables, pages, numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.dialect import MA5600T
from ponprobe.errors import AlreadyExists, NotFound, ParseError, PermissionDenied, Rejected, ResourceBusy
from ponprobe.flow import Cli
from ponprobe.models.optical import Absence, Dbm
from ponprobe.models.parsed import Refusal

MORE = "---- More ( Press 'Q' to break ) ----"
ERASER = "\x1b[37D" + " " * 37 + "\x1b[37D"


def clean(text: str, command: str | None = "display") -> parsing.Answer:
    return parsing.clean(text, MA5600T, command)


# ---------------------------------------------------------------------- the screen


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("ont-lineprof \x1b[1Dile-id 2", "ont-lineprofile-id 2"),
        (f"{MORE}{ERASER}  row", "  row" + " " * 32),
        ("abc\rX", "Xbc"),
        ("abc\b\bX", "aXc"),
        ('"Test\x07 VLAN"', '"Test VLAN"'),
        ("a\x1b[2Cb", "a  b"),
        ("abcdef\x1b[4D\x1b[K", "ab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[9Dleft", "left"),
    ],
)
def test_screen_line(raw: str, shown: str) -> None:
    assert parsing.screen_line(raw) == shown


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r", "\n\r"])
def test_line_ends_are_one(end: str) -> None:
    assert clean(end.join(["a#display x", " one", " two", "a#"])).body == " one\n two"


def test_pager_and_its_eraser_leave_no_blank() -> None:
    answer = clean(f"a#display x\n  one\n{MORE}{ERASER}  two\n" + " " * 37 + "  three\na#")
    assert answer.lines == ["  one", "  two", "  three"]
    assert [event.type for event in answer.events] == ["prompt", "pager", "prompt"]
    assert answer.complete


def test_a_pager_that_nobody_answered_cuts() -> None:
    assert clean(f"a#display x\n  one\n{MORE}").cut
    assert clean("a#display x\n  one\n" + " " * 37 + "\n\na#").cut
    assert clean(f"a#display x\n  one\n{MORE}{ERASER}\n\na#").cut
    assert clean(f"{ERASER}  two\na#").starts_late


def test_a_padded_page_is_not_cut() -> None:
    page = "".join(line.ljust(80) + "\n" for line in ("a#display x", "  one", "", "  two", ""))
    assert clean(page).complete


# ---------------------------------------------------------------------- echo, prompts, neighbours


def test_echo_with_a_wrap_that_lost_its_escape() -> None:
    answer = clean("a(config)#ont add 0 ont-lineprof ile-id 2\n  ok\na(config)#", "ont add 0 ont-lineprofile-id 2")
    assert answer.body == "  ok"
    assert answer.view == "config"


def test_only_the_answer_to_this_command() -> None:
    text = "a#first\n  one\na#second\n  two\na#third\n  three\na#"
    assert clean(text, "second").body == "  two"
    assert clean(text, None).body == "  one\n  two\n  three"


def test_an_echo_without_prompt_and_a_foreign_prefix() -> None:
    assert clean("display it all\n  one\na#", "display it all").body == "  one"
    assert clean("[ssh] Raw answer: display it all\n  one\na#", "display it all").body == "  one"


def test_prompts_tell_view_and_host() -> None:
    answer = clean("olt-1.a(config-if-gpon-0/1)#display x\n  one\n\nolt-1.a(config-if-gpon-0/1)#")
    assert (answer.view, answer.hostname) == ("config-if-gpon-0/1", "olt-1.a")
    assert answer.prompt_after == "olt-1.a(config-if-gpon-0/1)#"
    assert clean("a>display x\n b\na>").view == "user"
    assert clean("a(diagnose)%%display x\n b\na(diagnose)%%").view == "diagnose"


def test_smart_prompt_and_the_line_it_repeats() -> None:
    answer = clean(
        "a#display x\n{ <cr>|one<K>|a very long list of\nwords<K> }:\n\n  Command:\n          display x\n"
        "          deep\n  one\na#"
    )
    assert answer.lines == ["          deep", "  one"]
    assert answer.events[1].text == "{ <cr>|one<K>|a very long list of words<K> }:"


def test_what_was_typed_at_a_smart_prompt_is_no_answer() -> None:
    answer = clean("a#gem add 1\n{ <cr>|x<K> }:gem 1 0\n\n  Command:\n          gem add 1 gem 1 0\n\na#", "gem add 1")
    assert answer.body == ""


def test_alarm_and_warning_in_the_middle() -> None:
    answer = clean(
        "a#display x\n  one\n  ! 3 [01/01/2024 00:00:00+00:00]:\n\n  ALARM 1 FAULT\n  CAUSE : (1) Failure: of it\n"
        "  --- END-\n****\n  two\n! RUNNING WARNING 2024-01-01 00:00:00\nEVENT NAME :x\nPARAMETERS :FrameID: 0\n"
        "  VERSION : three\na#"
    )
    assert answer.lines == ["  one", "  two", "  VERSION : three"]
    assert [event.type for event in answer.events if event.type == "alarm"] == ["alarm", "alarm"]


def test_a_short_event_does_not_swallow_the_text_up_to_the_next_end() -> None:
    answer = clean(
        "a#display x\n! EVENT MINOR 2024-01-01\nEVENT NAME :x\n  one\n  ----------\n  two\n"
        "! 1 [now]:\n  CAUSE : y\n  --- END\n  three\na#"
    )
    assert answer.lines == ["  one", "  ----------", "  two", "  three"]


def test_remarks_of_a_publisher_cut() -> None:
    answer = clean("a#display x\n  one\n  [LEFT OUT BY THE AUTHOR: rows]\n  [vlan-srvprof]\n  two\na#")
    assert answer.lines == ["  one", "  [vlan-srvprof]", "  two"]
    assert answer.cut


_pieces = st.sampled_from(
    [
        "  row 1 two", "a#", "a(config)#display x", MORE, ERASER, "\r", "\n", "\r\n", "\b", "\x1b[1D", "\x07",
        "\n" + " " * 39 + "row 3\n",
        "{ <cr>|a<K> }:", "  Command:\n          display x\n", "  Failure: no\n", "  % Unknown command", "^",
        "-" * 10, "  ! 1 [x]:\n  --- END-\n", "Are you sure? (y/n)[n]:y", "\t", "description: Failure: Cafe",
        "[LEFT OUT]", "\x1b",
    ]
)  # fmt: skip


@given(st.lists(_pieces, max_size=12).map("".join) | st.text(max_size=80))
@example(f"a#display x\n{MORE}{ERASER}  Failure: x\n\na#")
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    once = clean(text, None)
    again = clean(once.body, None)
    assert again.body == once.body
    assert again.refusal is None or once.refusal is not None or once.empty


# ---------------------------------------------------------------------- refusals


def test_refusal_over_two_lines() -> None:
    refusal = clean("a#ont delete 0 1\n  Failure: The object has some service virtual\n  ports\n\na#", "ont").refusal
    assert refusal is not None
    assert refusal.text == "Failure: The object has some service virtual ports"


def test_a_second_sentence_is_not_part_of_the_first() -> None:
    refusal = clean("a#x\n  Failure: Service virtual port has existed already\n  Conflicted index: 4\na#", "x").refusal
    assert refusal is not None
    assert refusal.text == "Failure: Service virtual port has existed already"
    assert refusal.refused_class == "already_exists"


@pytest.mark.parametrize(
    "line",
    [
        "  0/ 1/0       0   Failure: Cafe",
        "  Description             : % Unknown command",
        "                          Failure: The ONT does not exist",
        "  Unfailure: none",
    ],
)
def test_words_in_a_description_refuse_nothing(line: str) -> None:
    answer = clean(f"a#display x\n{line}\na#")
    assert answer.refusal is None
    assert answer.body.strip() == line.strip()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a(config)#display ont optical-info0/100\n" + " " * 22 + "^\n  % Unknown command", "optical-info0/100"),
        ("display ont optical-info0/100\n" + " " * 22 + "^\n  % Unknown command", "optical-info0/100"),
        ("a(config)#x\n{ y<K> }:\n\n  Command:\n          port vlan 9 z\n" + " " * 22 + "^\n  % Parameter error", "z"),
        ("a(config)#port vlan\n" + " " * 19 + "^\n  % Incomplete command", None),
    ],
)
def test_the_caret_names_the_word(text: str, word: str | None) -> None:
    refusal = clean(f"{text}, the error locates at '^'\n\na(config)#", None if "{" in text else "display").refusal
    assert refusal is not None
    assert refusal.word == word


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        ("already_exists", AlreadyExists),
        ("not_found", NotFound),
        ("busy", ResourceBusy),
        ("permission", PermissionDenied),
        ("unknown_command", Rejected),
        ("conflict", Rejected),
        ("other", Rejected),
    ],
)
def test_each_class_of_refusal_has_its_error(refused: str, kind: type[Exception]) -> None:
    refusal = Refusal.model_validate({"refused_class": refused, "text": "Failure: no", "word": "w"})
    error = parsing.refused_error(refusal, Cli("show secret1", secrets=("secret1",)), "out")
    assert type(error) is kind
    assert error.refused == refused
    assert "secret1" not in str(error)
    assert "Failure: no" in str(error)


def test_a_refusal_on_the_line_of_its_echo_and_at_the_login() -> None:
    glued = clean("a(config)#display it0/2 ^ % Unknown command", "display it 0/2").refusal
    assert glued is not None
    assert glued.refused_class == "unknown_command"
    login = clean(">>User name:me\n>>User password:\n\n  Username or password invalid.\n", None)
    assert login.refusal is not None
    assert [event.type for event in login.events] == ["prompt", "prompt"]


def test_refuse_gives_the_dialects_advice() -> None:
    answer = clean("a#ont add\n  Failure: SN already exists\na#", "ont add")
    with pytest.raises(AlreadyExists, match="ponprobe onus --serial"):
        parsing.refuse(answer, "ont add")
    parsing.refuse(clean("a#ont add\n\na#", "ont add"), "ont add")


# ---------------------------------------------------------------------- tables and pages


def test_an_unknown_line_raises_with_the_line() -> None:
    with pytest.raises(ParseError, match="a stranger") as caught:
        parsing.rows("huawei_smartax_boards", "  SlotID  BoardName  Status\n  0  X  Normal\n  a stranger\n  1")
    assert caught.value.template == "huawei_smartax_boards"
    assert "a stranger" in caught.value.text


def test_a_table_reads_the_same_twice() -> None:
    body = "  SlotID  BoardName  Status\n  0  X  Normal\n  1"
    assert parsing.rows("huawei_smartax_boards", body) == parsing.rows("huawei_smartax_boards", body)


def test_only_the_last_line_may_be_cut() -> None:
    head = "  SlotID  BoardName  Status\n"
    assert parsing.rows_of_cut("huawei_smartax_boards", f"{head}  0  X  Normal\n  1  Y?!")[1] is True
    with pytest.raises(ParseError):
        parsing.rows_of_cut("huawei_smartax_boards", f"{head}  0  X?!\n  1  Y  Normal")


def test_fields_join_what_wraps() -> None:
    page = parsing.fields("  A  b      : one\n  Long       : start:\n                end\n  Empty      :\n  -----\n")
    assert [(field.label, field.value) for field in page] == [("A b", "one"), ("Long", "start:end"), ("Empty", "")]


def test_columns() -> None:
    assert parsing.columns("  TX power(dBm)      3.49\n  ----\n  Port Information\n") == (
        parsing.Field("TX power(dBm)", "3.49"),
    )


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "value", "absence"),
    [
        ("-18.18", Dbm(-18.18), None),
        (" +2 ", Dbm(2), None),
        ("-18.18(dBm)", Dbm(-18.18), None),
        ("-", None, Absence.NOT_REPORTED),
        ("--", None, Absence.NOT_REPORTED),
        ("N/A", None, Absence.NOT_REPORTED),
        ("", None, Absence.NOT_REPORTED),
        ("-50.00, out of range[-35.00, -15.00]", None, Absence.OUT_OF_RANGE),
        ("no signal", None, Absence.NO_SIGNAL),
        ("Not support", None, Absence.UNSUPPORTED),
        ("offline", None, Absence.OFFLINE),
    ],
)
def test_power(text: str, value: Dbm | None, absence: Absence | None) -> None:
    assert parsing.power(text) == (value, absence)


@pytest.mark.parametrize("text", ["-18.18 -20", "minus 3", "1e999", "nan", "-18,18", "0x10"])
def test_a_power_that_is_none_raises(text: str) -> None:
    with pytest.raises(ParseError):
        parsing.power(text)


def test_mac_address() -> None:
    assert parsing.mac_address("0200-5E00-5301") == "02:00:5e:00:53:01"
    with pytest.raises(ParseError):
        parsing.mac_address("0200-5E00-530")


def test_textfsm_is_loaded_only_for_a_table() -> None:
    code = "import sys, ponprobe.drivers.huawei.driver; sys.exit('textfsm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
