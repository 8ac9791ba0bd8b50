"""The JSON lines protocol: in order, one answer a line, and no line ends the stream."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ponprobe.app.parse import parse_stream, parse_text
from ponprobe.errors import DriverNotFound

ASK = {"platform": "huawei_smartax", "command": "display version", "context": None}
TEXT = "lab#display version\n  VERSION : V1\n  PRODUCT : M1\n\nlab#"


class Flushed(io.StringIO):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def answers(*lines: str) -> list[dict[str, Any]]:
    out = Flushed()
    parse_stream(lines, out)
    assert out.flushes == len(out.getvalue().splitlines())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_answer_a_line_in_order() -> None:
    found = answers(
        json.dumps({**ASK, "id": 1, "text": TEXT}),
        "\n",
        "{not json",
        "[]",
        json.dumps({**ASK, "id": 2, "text": "lab#display version\n  strange\n\nlab#"}),
        json.dumps({**ASK, "id": 3, "platform": "nobody", "text": ""}),
        json.dumps({**ASK, "id": 4}),
        json.dumps({**ASK, "id": 5, "text": 7}),
        json.dumps({**ASK, "id": "six", "text": TEXT}),
    )
    assert [answer.get("id") for answer in found] == [1, None, None, 2, 3, 4, 5, "six"]
    assert found[0]["records"][0]["model"] == "M1"
    assert found[0]["error"] is None
    assert [answer["error"]["class"] for answer in found[3:5]] == ["ParseError", "DriverNotFound"]
    assert all(answer["error"] for answer in found[1:7])
    assert found[7]["kind"] == "facts"


def test_refusals_carry_class_text_and_word() -> None:
    text = (
        "lab(config)#display ont info 0/1 0\n"
        + " " * 29
        + "^\n  % Parameter error, the error locates at '^'\n\nlab(config)#"
    )
    got = parse_text("huawei_smartax", "display ont info 0/1 0", None, text)
    assert got["refused"] == {
        "class": "parameter_error",
        "text": "% Parameter error, the error locates at '^'",
        "word": "0/1",
    }


def test_what_was_typed_in_comes_back_readable() -> None:
    rule = "   " + "-" * 76 + "\n"
    text = (
        f"lab#display ont autofind all\n{rule}   Number   : 1\n   F/S/P    : 0/1/0\n"
        f"   Ont SN   : 4C41425500000B01\n   Password : 0x31\n   Loid     : me\n{rule}\nlab#"
    )
    (record,) = parse_text("huawei_smartax", "display ont autofind all", None, text)["records"]
    assert (record["password"], record["loid"]) == ("0x31", "me")


def test_an_unknown_platform() -> None:
    with pytest.raises(DriverNotFound):
        parse_text("nobody", None, None, "")
