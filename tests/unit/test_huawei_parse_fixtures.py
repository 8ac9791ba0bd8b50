"""Every synthetic fixture: raw text in, records out; and the captures of real devices, where they are at hand."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ponprobe.app.parse import parse_stream, parse_text

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "huawei_smartax"
CASES = sorted(path.relative_to(FIXTURES).with_suffix("").as_posix() for path in FIXTURES.rglob("*.raw"))
SOURCES = {"document", "public capture (shape only)", "emulator", "hardware"}


def same(want: Any, have: Any) -> bool:
    if isinstance(want, (int, float)) and isinstance(have, (int, float)):
        return abs(want - have) < 1e-9
    return want == have


def load(case: str) -> tuple[dict[str, Any], str]:
    path = FIXTURES / case
    want = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
    return want, path.with_suffix(".raw").read_bytes().decode("utf-8")


def test_there_are_fixtures() -> None:
    assert len(CASES) > 40
    assert all((FIXTURES / case).with_suffix(".yml").exists() for case in CASES)


@pytest.mark.parametrize("case", CASES)
def test_fixture(case: str) -> None:
    want, text = load(case)
    assert want["source"] in SOURCES
    got = parse_text("huawei_smartax", want["command"], want["context"], text)
    assert got["kind"] == want["kind"]
    seen = {event["type"] for event in got["events"]}
    assert set(want.get("events", [])) <= seen
    if "refused" in want:
        assert got["refused"] is not None
        for key, value in want["refused"].items():
            assert got["refused"][key] == value
    else:
        assert got["refused"] is None
        assert got["incomplete"] is want.get("incomplete", False)
        assert len(got["records"]) == want["rows"]
    if got["refused"] is None or "records" in want:
        for wanted, record in zip(want["records"], got["records"], strict=True):
            for key, value in wanted.items():
                if key == "absent":
                    for name, reason in value.items():
                        assert name not in record
                        assert record["absent"].get(name) == reason
                else:
                    assert same(value, record.get(key)), (key, record)


def test_every_capture_of_a_real_device(shared: Path) -> None:
    check = shared / "captures" / "check.py"
    scope: dict[str, Any] = {"__name__": "captures_check"}
    exec(compile(check.read_text(encoding="utf-8"), str(check), "exec"), scope)
    golds, lines = [], []
    for yml in sorted((shared / "captures" / "huawei_smartax").glob("*.yml")):
        body = scope["body_of"](yml.with_suffix(".txt"))
        for gold in filter(None, yaml.safe_load_all(yml.read_text(encoding="utf-8"))):
            ask = {key: gold.get(key) for key in ("platform", "command", "context")}
            ask |= {"id": len(golds), "text": scope["slice_of"](body, gold.get("lines"))}
            golds.append((yml.stem, gold))
            lines.append(json.dumps(ask))
    out = io.StringIO()
    parse_stream(lines, out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    wrong = [
        f"{name} {gold['command']}: {text}"
        for (name, gold), answer in zip(golds, answers, strict=True)
        for text in scope["differences"](gold, answer)
    ]
    assert golds
    assert wrong == []
