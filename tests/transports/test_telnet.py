"""Telnet negotiation: on the codec alone, split anywhere, and over a socket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ponprobe.drivers.huawei.dialect import MA5800
from ponprobe.transports.telnet import TelnetCodec

IAC, DONT, DO, WONT, WILL, SB, SE = (bytes((n,)) for n in (255, 254, 253, 252, 251, 250, 240))
ECHO, SGA, TTYPE, TSPEED, NAWS, LINEMODE = (bytes((n,)) for n in (1, 3, 24, 32, 31, 34))
SIZE = IAC + SB + NAWS + b"\x00\xc8\x02\x00" + IAC + SE


def feed(codec: TelnetCodec, data: bytes, chunk: int) -> tuple[bytes, bytes]:
    pairs = [codec.feed(data[i : i + chunk]) for i in range(0, len(data), chunk)]
    return b"".join(text for text, _ in pairs), b"".join(reply for _, reply in pairs)


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("sent", "text", "reply"),
    [
        (b"plain", b"plain", b""),
        (b"a" + IAC + DO + LINEMODE + b"b", b"ab", IAC + WONT + LINEMODE),
        (IAC + WILL + LINEMODE, b"", IAC + DONT + LINEMODE),
        (IAC + DO + NAWS, b"", IAC + WILL + NAWS + SIZE),
        (IAC + WILL + NAWS, b"", IAC + DO + NAWS + IAC + WILL + NAWS + SIZE),
        (IAC + WILL + ECHO + IAC + WILL + SGA, b"", IAC + DO + ECHO + IAC + DO + SGA),
        (IAC + DO + ECHO + IAC + DO + SGA, b"", IAC + WONT + ECHO + IAC + WILL + SGA),
        (IAC + DO + TTYPE + IAC + SB + TTYPE + b"\1" + IAC + SE, b"",
         IAC + WILL + TTYPE + IAC + SB + TTYPE + b"\0VT100" + IAC + SE),
        (IAC + DO + TSPEED, b"", IAC + WONT + TSPEED),
        (IAC + IAC + b"x\0" + IAC + b"\xf1y", b"\xffxy", b""),
        (IAC + SB + NAWS + b"\0" + IAC + IAC + b"\0\1" + IAC + SE + b"z", b"z", b""),
        (IAC + WILL + ECHO + IAC + WONT + ECHO, b"", IAC + DO + ECHO + IAC + DONT + ECHO),
        (IAC + DO + SGA + IAC + DONT + SGA, b"", IAC + WILL + SGA + IAC + WONT + SGA),
    ],
)  # fmt: skip
def test_negotiation(chunk: int, sent: bytes, text: bytes, reply: bytes) -> None:
    assert feed(TelnetCodec(200, 512), sent, chunk) == (text, reply)


def test_what_is_agreed_is_not_acknowledged_again() -> None:
    codec = TelnetCodec(80, 24)
    codec.feed(IAC + WILL + ECHO + IAC + DO + SGA + IAC + WILL + NAWS)
    assert codec.feed((IAC + WILL + ECHO + IAC + DO + SGA + IAC + WILL + NAWS) * 3) == (b"", b"")
    assert codec.feed(IAC + DONT + TTYPE + IAC + WONT + LINEMODE) == (b"", b"")


def test_size_with_the_escape_byte_in_it() -> None:
    assert (
        TelnetCodec(255, 511)
        .feed(IAC + DO + NAWS)[1]
        .endswith(IAC + SB + NAWS + b"\0" + IAC + IAC + b"\x01" + IAC + IAC + IAC + SE)
    )


def test_over_a_socket(serve: Any, session_to: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        # what one device was seen to send first; it offers its window size and means ours
        peer.say(IAC + WILL + ECHO + IAC + WILL + NAWS + IAC + WILL + TTYPE + IAC + DO + TSPEED + IAC + DO + SGA)
        peer.expect(IAC + DO + ECHO + IAC + DO + NAWS + IAC + WILL + NAWS + SIZE)
        peer.expect(IAC + DONT + TTYPE + IAC + WONT + TSPEED + IAC + WILL + SGA)
        peer.say(IAC + DO + LINEMODE)
        peer.expect(IAC + WONT + LINEMODE)
        peer.greet()
        peer.gone()

    session = session_to(serve("telnet", script), dialect=replace(MA5800, width=200, height=512))
    assert "\ufffd" not in session.open()


def test_byte_255_is_doubled_when_sent(serve: Any, session_to: Any) -> None:
    def script(peer: Any) -> None:
        peer.greet()
        peer.expect(b"a\xff\xffb")

    session = session_to(serve("telnet", script))
    session.open()
    session._pipe.send(b"a\xffb")
