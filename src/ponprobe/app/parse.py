"""Reading device text without a device: one text, or a stream of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from pydantic import SecretStr

from ponprobe.drivers import driver_for
from ponprobe.errors import PonprobeError
from ponprobe.models._base import Value
from ponprobe.models.parsed import Parsed


def parse_text(platform: str, command: str | None, context: str | None, text: str) -> dict[str, Any]:
    """Read one raw answer of a device and return it as plain data; raises ``DriverNotFound`` and ``ParseError``."""
    return _plain(driver_for(platform).parse(command, context, text))


def parse_stream(lines: Iterable[str], out: TextIO) -> None:
    """Answer one JSON object a line with one JSON object a line, in order, each flushed.

    A line asks ``{"id", "platform", "command", "context", "text"}`` and is answered with ``{"id", "kind", "records",
    "refused", "events", "error"}``; an answer that cannot be read has ``error: {"class", "message"}`` and no records.
    Nothing in a line ends the stream.
    """
    for line in lines:
        if line.strip():
            out.write(json.dumps(_answer(line), ensure_ascii=False) + "\n")
            out.flush()


def _answer(line: str) -> dict[str, Any]:
    key: Any = None
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            return _failed(None, "ValueError", "a line must hold one JSON object")
        key = asked.get("id")
        found = parse_text(asked["platform"], asked.get("command"), asked.get("context"), asked["text"])
    except PonprobeError as exc:
        return _failed(key, type(exc).__name__, str(exc))
    except KeyError as exc:
        return _failed(key, "ValueError", f"the line has no {exc}")
    except Exception as exc:  # noqa: BLE001 - whatever happens to one line, the others are answered
        return _failed(key, type(exc).__name__, str(exc))
    return {"id": key, **found, "error": None}


def _failed(key: Any, kind: str, message: str) -> dict[str, Any]:
    return {"id": key, "error": {"class": kind, "message": message}}


def _plain(parsed: Parsed) -> dict[str, Any]:
    return {
        "kind": parsed.kind,
        "records": [_record(record) for record in parsed.records],
        "refused": parsed.refused.model_dump(mode="json", by_alias=True, exclude_none=True) if parsed.refused else None,
        "events": [event.model_dump(mode="json") for event in parsed.events],
        "incomplete": parsed.incomplete,
    }


def _record(record: Value) -> dict[str, Any]:
    plain = record.model_dump(mode="json", exclude_none=True)
    for name in type(record).model_fields:
        secret = getattr(record, name)
        if isinstance(secret, SecretStr):
            # here, and only here, a password or LOID is shown: the user typed this text in and gets it back sorted
            plain[name] = secret.get_secret_value()
    return plain
