"""Transcripts and their replay."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe.drivers.huawei.dialect import MA5800
from ponprobe.errors import SessionLost
from ponprobe.flow import Cli
from ponprobe.redact import Scrubber
from ponprobe.transports import CliTransport
from ponprobe.transports.record import Transcript, read_jsonl
from ponprobe.transports.replay import ReplaySession, UnexpectedLine

PASSWORD = "Canary-7pass"
LOID = "loid-Secret-99"


def script(peer: Any) -> None:
    peer.line("enable", "\r\nOLT-1#")
    peer.expect("display version\n")
    peer.say("display version\r\n{ <cr>|backplane<K> }:")
    peer.expect("\n")
    peer.say("\r\n  Password : 0x4142\r\n  VERSION : X\r\n---- More ( Press 'Q' to break ) ----")
    peer.expect(b" ")
    peer.say("\x1b[37D" + " " * 37 + "\x1b[37D  end\r\n\r\nOLT-1#")
    peer.line(f"ont add 0 loid-auth {LOID}", f"  success: 1 {LOID}\r\n\r\nOLT-1#")


LINES = (Cli("enable"), Cli("display version"), Cli(f"ont add 0 loid-auth {LOID}", secrets=(LOID,)))


def test_recorded_dialogue_is_redacted_and_replays(talk: Any, chunked: int) -> None:
    sink = io.StringIO()
    transcript = Transcript(Scrubber(), sink=sink)
    session = talk(script, transcript=transcript, enable_password=SecretStr("other-Secret"))
    replies = [session.ask(line) for line in LINES]
    assert LOID in replies[2].text  # parsers get what the device said
    session.close()

    stored = transcript.to_jsonl()
    assert stored == sink.getvalue()
    for secret in (PASSWORD, LOID, "0x4142"):
        assert secret not in stored
        assert secret not in transcript.text()
    assert ">> " in transcript.text()
    assert [(e.role, e.text) for e in transcript if e.direction == "sent" and e.role != "login"] == [
        ("line", "enable"),
        ("line", "display version"),
        ("answer", "\n" if session._settings.access == "ssh" else "\r\n"),
        ("answer", " "),
        ("line", "ont add 0 loid-auth ***"),
        ("logout", "quit"),
    ]

    replay: CliTransport = ReplaySession(read_jsonl(stored.splitlines()), MA5800)
    assert "OLT-1>" in replay.open()
    again = [replay.ask(line) for line in LINES]
    assert [reply.view for reply in again] == ["enable"] * 3
    assert again[0].text == replies[0].text
    assert again[1].text == replies[1].text.replace("0x4142", "***")
    assert again[1].at <= replies[1].at
    assert (replay.hostname, replay.lines_sent, replay.is_open) == ("OLT-1", 3, True)
    assert [entry.text for entry in replay.transcript] == [entry.text for entry in transcript][:-1]
    replay.close()
    assert not replay.is_open


def recorded() -> Transcript:
    transcript = Transcript()
    transcript.add("received", "\r\nOLT-1>", "login")
    transcript.add("sent", "enable", "line")
    transcript.add("received", "enable\r\n\r\nOLT-1#")
    transcript.add("sent", "display time", "line")
    transcript.add("received", "display time\r\n")
    return transcript


def test_replay_is_strict() -> None:
    replay = ReplaySession(recorded(), MA5800)
    with pytest.raises(SessionLost, match="not open"):
        replay.ask(Cli("enable"))
    replay.open()
    with pytest.raises(UnexpectedLine, match="'display time' was asked where the recording has 'enable'"):
        replay.ask(Cli("display time"))
    replay.ask(Cli("enable"))
    assert replay.left == ("display time",)
    with pytest.raises(SessionLost, match="ends in the middle"):
        replay.ask(Cli("display time"))
    replay.open()
    with pytest.raises(UnexpectedLine, match="nothing more"):
        replay.ask(Cli("display time"))


def test_memory_is_bounded_and_the_sink_is_not() -> None:
    sink = io.StringIO()
    transcript = Transcript(limit_chars=50, sink=sink)
    for number in range(10):
        transcript.add("received", f"{number}" * 20)
    assert [entry.text[0] for entry in transcript] == ["8", "9"]
    assert (len(transcript), transcript.forgotten) == (2, 8)
    assert "first 8 entries" in transcript.text()
    assert [json.loads(line)["text"][0] for line in sink.getvalue().splitlines()] == list("0123456789")


def test_text_for_people() -> None:
    text = recorded().text()
    assert text.splitlines()[0] == ""
    assert "enable\n\nOLT-1#\n>> " in text
    assert "\r" not in text
