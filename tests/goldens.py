"""Synthetic fixtures and the captures of real devices, whatever the vendor: text in, records out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import yaml

from ponprobe.app.parse import parse_stream, parse_text

SOURCES = {"document", "public capture (shape only)", "emulator", "hardware"}
FIXTURES = Path(__file__).parent / "fixtures"


def cases(platform: str) -> list[str]:
    """The fixtures of a platform, as ``command/case``."""
    folder = FIXTURES / platform
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.raw"))


def raw(platform: str, case: str) -> str:
    return (FIXTURES / platform / f"{case}.raw").read_bytes().decode("utf-8")


def same(want: Any, have: Any) -> bool:
    if isinstance(want, (int, float)) and isinstance(have, (int, float)):
        return abs(want - have) < 1e-9
    return bool(want == have)


def check(platform: str, case: str) -> None:
    """Read one fixture and hold it against its golden answer."""
    want = yaml.safe_load((FIXTURES / platform / f"{case}.yml").read_text(encoding="utf-8"))
    assert want["source"] in SOURCES
    got = parse_text(platform, want["command"], want["context"], raw(platform, case))
    assert got["kind"] == want["kind"]
    assert set(want.get("events", [])) <= {event["type"] for event in got["events"]}
    if "refused" in want:
        assert got["refused"] is not None
        for key, value in want["refused"].items():
            assert got["refused"][key] == value
        return
    assert got["refused"] is None
    assert got["incomplete"] is want.get("incomplete", False)
    assert len(got["records"]) == want["rows"]
    for wanted, record in zip(want["records"], got["records"], strict=True):
        for key, value in wanted.items():
            if key == "absent":
                for name, reason in value.items():
                    assert name not in record
                    assert record["absent"].get(name) == reason
            else:
                assert same(value, record.get(key)), (key, record)


def differences(shared: Path, folder: str) -> tuple[int, list[str]]:
    """Read every capture of one folder; return how many there are and what is read wrong."""
    script = shared / "captures" / "check.py"
    scope: dict[str, Any] = {"__name__": "captures_check"}
    exec(compile(script.read_text(encoding="utf-8"), str(script), "exec"), scope)
    golds, lines = [], []
    for yml in sorted((shared / "captures" / folder).glob("*.yml")):
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
    return len(golds), wrong
