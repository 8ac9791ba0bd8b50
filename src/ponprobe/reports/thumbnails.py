"""Small pictures of photos for a page: the file itself, the small copy that cameras put into EXIF, or Pillow's.

The originals are only read. Files come from anybody: each count and offset is held against the bytes that are there,
and whatever is wrong means that there is no small picture.
"""

from __future__ import annotations

import base64
import io
import struct
from importlib import import_module
from typing import Any, BinaryIO, Protocol

from ponprobe.errors import EvidenceError
from ponprobe.models.engineering import EvidenceItem

SMALL = 48 * 1024
"""Bytes of a file, or of a copy inside one, that a page carries as it is."""
_EDGE = 400
_LARGEST = 32 * 2**20
"""Bytes of a photo that Pillow is given."""
_SHOWN = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp"))
_MOST_SEGMENTS, _MOST_ENTRIES = 64, 256
_OFFSET, _LENGTH = 0x0201, 0x0202  # JPEGInterchangeFormat and its length, in IFD1 (CIPA DC-008)


class Originals(Protocol):
    """Where originals are read; ``ponprobe.workflow.evidence.EvidenceStore`` is one."""

    def open(self, item: EvidenceItem) -> BinaryIO:
        """Open one for reading; ``EvidenceError`` if it is gone."""


def thumbnail(originals: Originals, item: EvidenceItem) -> str | None:
    """A ``data:`` URI of a small picture of a photo; ``None`` if there is none, or if the original is gone."""
    if not item.media_type.startswith("image/"):
        return None
    try:
        with originals.open(item) as stream:
            if item.bytes <= SMALL and item.media_type in _SHOWN:
                return _uri(item.media_type, stream.read(SMALL + 1))
            found = _in_exif(stream) if item.media_type == "image/jpeg" else None
            if found is None and item.bytes <= _LARGEST:
                stream.seek(0)
                found = _by_pillow(stream)
    except (OSError, EvidenceError):
        return None
    return None if found is None else _uri("image/jpeg", found)


def _uri(media_type: str, data: bytes) -> str | None:
    # the file may have changed since it was recorded: no more is put into a page than was meant
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}" if 0 < len(data) <= SMALL else None


def _in_exif(stream: BinaryIO) -> bytes | None:
    try:
        block = _exif_block(stream)
        return None if block is None else _copy_in(block)
    except (struct.error, IndexError):
        return None


def _exif_block(stream: BinaryIO) -> bytes | None:
    """The TIFF part of a JPEG's EXIF segment."""
    if stream.read(2) != b"\xff\xd8":
        return None
    for _ in range(_MOST_SEGMENTS):
        marker, kind, length = struct.unpack(">BBH", stream.read(4))
        if marker != 0xFF or kind in {0xD9, 0xDA} or length < 2:
            return None
        data = stream.read(length - 2)
        if kind == 0xE1 and data.startswith(b"Exif\0\0"):
            return data[6:]
    return None


def _copy_in(block: bytes) -> bytes | None:
    """The JPEG that the second directory points to."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    (first,) = struct.unpack_from(f"{order}I", block, 4)
    (entries,) = struct.unpack_from(f"{order}H", block, first)
    (second,) = struct.unpack_from(f"{order}I", block, first + 2 + 12 * entries)
    if not second:
        return None
    (entries,) = struct.unpack_from(f"{order}H", block, second)
    if entries > _MOST_ENTRIES:
        return None
    found: dict[int, int] = {}
    for number in range(entries):
        tag, _, _, value = struct.unpack_from(f"{order}HHII", block, second + 2 + 12 * number)
        found[tag] = value
    start, length = found.get(_OFFSET, 0), found.get(_LENGTH, 0)
    copy = block[start : start + length]
    return copy if 0 < length <= SMALL and len(copy) == length and copy.startswith(b"\xff\xd8\xff") else None


def _by_pillow(stream: BinaryIO) -> bytes | None:
    try:
        image: Any = import_module("PIL.Image")
    except ImportError:
        return None
    made = io.BytesIO()
    try:
        with image.open(stream) as picture:
            if picture.width * picture.height > 2**27:
                return None
            picture.draft("RGB", (_EDGE, _EDGE))
            small = import_module("PIL.ImageOps").exif_transpose(picture.convert("RGB"))
            small.thumbnail((_EDGE, _EDGE))
            small.save(made, "JPEG", quality=70)
    except Exception:  # noqa: BLE001 - what a damaged picture makes Pillow raise is not one kind of error
        return None
    return made.getvalue()
