"""Small pictures of photos for a page: the file itself, the small copy that cameras put into EXIF, or Pillow's.

The originals are only read. Files come from anybody: whatever is wrong with one means that there is no small picture.
"""

from __future__ import annotations

import base64
import io
from importlib import import_module
from typing import Any, BinaryIO, Protocol

from ponprobe.errors import EvidenceError
from ponprobe.models.engineering import EvidenceItem
from ponprobe.workflow.exif import small_copy

SMALL = 48 * 1024
"""Bytes of a file, or of a copy inside one, that a page carries as it is."""
_EDGE = 400
_LARGEST = 32 * 2**20
"""Bytes of a photo that Pillow is given."""
_SHOWN = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp"))


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
            found = small_copy(stream, item.media_type, most=SMALL)
            if found is None and item.bytes <= _LARGEST:
                stream.seek(0)
                found = _by_pillow(stream)
    except (OSError, EvidenceError):
        return None
    return None if found is None else _uri("image/jpeg", found)


def _uri(media_type: str, data: bytes) -> str | None:
    # the file may have changed since it was recorded: no more is put into a page than was meant
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}" if 0 < len(data) <= SMALL else None


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
