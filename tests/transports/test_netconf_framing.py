"""Bytes in, whole messages out: both framings, cut anywhere, and everything that is no framing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.transports.netconf_framing import FramingError, Unframer, framed

CHINESE = "<a>光交箱07号，分光器-22.1 dBm 𠮷</a>"


def chunks_of(text: str, size: int) -> bytes:
    data = text.encode()
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"\n#%d\n%b" % (len(part), part) for part in parts) + b"\n##\n"


def messages(data: bytes, reads: list[int], *, chunked: bool) -> list[str]:
    unframer = Unframer()
    unframer.chunked = chunked
    found = []
    for start, end in pairwise([0, *reads, len(data)]):
        unframer.feed(data[start:end])
        while (message := unframer.next()) is not None:
            found.append(message)
    return found


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: f"<a>{text}</a>")


@given(st.data(), st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_any_text_in_any_chunks_by_any_reads(data: st.DataObject, sent: list[str], chunked: bool) -> None:
    sizes = [data.draw(st.integers(1, 50)) for _ in sent]
    sent = [text if chunked else text.replace("]]>]]>", "") for text in sent]
    stream = b"".join(
        chunks_of(text, size) if chunked else framed(text, chunked=False)
        for text, size in zip(sent, sizes, strict=True)
    )
    reads = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    assert messages(stream, reads, chunked=chunked) == sent


@pytest.mark.parametrize("chunked", [False, True])
def test_every_single_cut(chunked: bool) -> None:
    stream = chunks_of(CHINESE, 7) if chunked else framed(CHINESE, chunked=False)
    for cut in range(len(stream)):
        assert messages(stream * 2, [cut], chunked=chunked) == [CHINESE] * 2
        unframer = Unframer()
        unframer.chunked = chunked
        unframer.feed(stream[:cut])
        assert unframer.next() is None, "a message is complete with its last byte, not before"


@pytest.mark.parametrize("inner", ["]]>]]>", "\n##\n", "\n#5\nhello\n##\n"])
def test_what_looks_like_an_end_inside_a_chunk(inner: str) -> None:
    text = f"<a><![CDATA[{inner.replace(']]>', ']] >')}]]></a>" if "]]>" not in inner else f"<a>{inner}</a>"
    for size in (1, 2, 3, len(text)):
        assert messages(chunks_of(text, size), [], chunked=True) == [text]


def test_what_we_send_is_what_we_read() -> None:
    for chunked in (False, True):
        assert messages(framed(CHINESE, chunked=chunked), [], chunked=chunked) == [CHINESE]


def test_the_framing_changes_behind_the_hello() -> None:
    unframer = Unframer()
    unframer.feed(b"<hello/>]]>]]>\n" + chunks_of(CHINESE, 5))
    assert unframer.next() == "<hello/>"
    unframer.chunked = True
    assert unframer.next() == CHINESE


def test_blanks_between_messages_and_marks_of_byte_order() -> None:
    assert messages(b"\xef\xbb\xbf<a/>\n]]>]]>\r\n<b/>\0]]>]]>", [], chunked=False) == ["<a/>", "<b/>"]
    assert messages(b"\n#4\n<a/>\n##\n\n\r\n \n#4\n<b/>\n##\n\n", [], chunked=True) == ["<a/>", "<b/>"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"<a/>", b"\n#0\n", b"\n#05\n<a/>", b"\n#-1\n", b"\n#x\n", b"\n##\n", b"\n#99999999999\n", b"\n#4294967295\n",
        b"\n#4\n<a/>\n#", b"\n#4\n<a/>X#2\n", b"\n#4\n<a/> \n#4\n", b"\xff\xff\xff", b"\n#4\n<\xff/>\n##\n",
    ],
)  # fmt: skip
def test_garbage_is_an_error_and_no_message(garbage: bytes) -> None:
    unframer = Unframer()
    unframer.chunked = True
    if garbage == b"\n#4\n<a/>\n#":
        unframer.feed(garbage)
        assert unframer.next() is None
        unframer.feed(b"#?")
    else:
        unframer.feed(garbage)
    with pytest.raises(FramingError):
        unframer.next()


@pytest.mark.parametrize(
    "message",
    [
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0"?>\n<!-- <a> --> <!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"  <?x <a> ?><!-- - ->--><!-- <b --><!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    ],
)
def test_document_types_are_refused_before_anything_parses_them(message: bytes) -> None:
    with pytest.raises(FramingError, match="document type"):
        messages(message + b"]]>]]>", [], chunked=False)


def test_a_doctype_in_the_text_is_text() -> None:
    text = "<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE b>]]></a>"
    assert messages(framed(text, chunked=False), [], chunked=False) == [text]


def test_another_encoding_is_not_guessed() -> None:
    with pytest.raises(FramingError, match=r"not UTF-8 .*byte 3"):
        messages("<a>光</a>".encode("gbk") + b"]]>]]>", [], chunked=False)


def test_a_message_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ponprobe.transports.netconf_framing._LARGEST", 1000)
    for chunked in (False, True):
        unframer = Unframer()
        unframer.chunked = chunked
        for _ in range(9):
            unframer.feed(b"\n#100\n" * chunked + b"x" * 100)
            assert unframer.next() is None
        unframer.feed(b"\n#200\n" * chunked + b"x" * 200)
        with pytest.raises(FramingError, match="MB"):
            unframer.next()


def test_what_has_come_of_a_message_can_be_shown() -> None:
    unframer = Unframer()
    unframer.chunked = True
    unframer.feed(chunks_of(CHINESE, 5)[:30])
    assert unframer.next() is None
    assert unframer.pending().startswith("<a>光交")
