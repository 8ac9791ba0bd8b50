"""The scrubber: secrets go, everything else stays."""

from __future__ import annotations

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.drivers.huawei.dialect import MA5800
from ponprobe.redact import Scrubber, ScrubbingFilter

SECRET = "Canary-7pass"


@pytest.mark.parametrize(
    "text",
    [
        "password Canary-7pass end",
        "password Cana \x1b[1Dry-7pass end",
        "password Cana\r\nry-7pass end",
        "password Cana\r\r\n$ry-7pass end",
        "password Canary-7\x08pass end",
        "password 43616e6172792d3770617373 end",
        "password 0x43616E6172792D3770617373 end",
        "password 0x43616E6172 \x1b[1D792D3770617373 end",
    ],
)
def test_value_in_all_its_forms(text: str) -> None:
    assert Scrubber([SECRET]).scrub(text) == "password *** end"


def test_longest_first() -> None:
    assert Scrubber(["Canary", SECRET]).scrub("Canary-7pass Canary") == "*** ***"


@pytest.mark.parametrize("secret", ["", "1", "ab"])
def test_tiny_secrets_do_not_destroy_text(secret: str) -> None:
    assert Scrubber([secret]).scrub("1 ab 11\r\nabc") == "1 ab 11\r\nabc"


def test_three_characters_only_where_they_stand_alone() -> None:
    assert Scrubber(["abc"]).scrub("abc abcd xabc 'abc' ab\r\nc 616263") == "*** abcd xabc '***' ab\r\nc 616263"


def test_other_text_is_untouched() -> None:
    page = "  a \x1b[1Db\r\r\n 光缆 \x1b[37D" + " " * 37
    assert Scrubber([SECRET]).scrub(page) == page


def test_fields_of_a_dialect() -> None:
    page = (
        "  SN                  : 4857544300000001\r\n"
        "  Password            : 0x31323334 (1234)\r\n"
        "  Loid                : \r\n"
        "  Checkcode           : -\r\n"
        "  Description         : keep me\r\n\r\nOLT-1#"
    )
    scrubber = Scrubber(fields=[MA5800.secret_fields] if MA5800.secret_fields else [])
    assert scrubber.scrub(page) == page.replace("0x31323334 (1234)", "***")


def test_fields_without_the_multiline_flag() -> None:
    scrubber = Scrubber(fields=[re.compile(r"(pin=)(\w+)(.*)")])
    assert scrubber.scrub("a\nb pin=1234 c\nd") == "a\nb pin=*** c\nd"
    scrubber.add_fields(None)


def test_value_behind_a_broken_escape_sequence() -> None:
    assert SECRET not in Scrubber([SECRET]).scrub(f"\x1b[{SECRET}")
    assert SECRET.encode().hex() not in Scrubber([SECRET]).scrub(f"\x1b[{SECRET.encode().hex()}")


@given(st.text(alphabet="abC- \r\n1\x1b[D", max_size=60), st.text(alphabet="abC-1 ", max_size=20))
def test_a_value_never_survives(text: str, secret: str) -> None:
    scrubbed = Scrubber([secret]).scrub(text + secret + text)
    if len(secret) >= 4:
        assert secret not in scrubbed


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.INFO, __file__, 1, message, args, None)
    made.__dict__.update(more)
    return made


def test_filter_covers_message_and_arguments() -> None:
    hide = ScrubbingFilter(Scrubber([SECRET]))
    made = record("login %s with %r", "tester", {"password": SECRET}, stack_info=f"at {SECRET}")
    assert hide.filter(made)
    assert made.getMessage() == "login tester with {'password': '***'}"
    assert made.stack_info == "at ***"


def test_filter_covers_tracebacks() -> None:
    hide = ScrubbingFilter(Scrubber([SECRET]))
    exc = ValueError(f"refused {SECRET}")
    made = record("failed", exc_info=(type(exc), exc, exc.__traceback__))
    assert hide.filter(made)
    text = logging.Formatter().format(made)
    assert "refused ***" in text
    assert SECRET not in text


def test_filter_by_name_still_filters() -> None:
    assert not ScrubbingFilter(Scrubber(), "other").filter(record("x"))
