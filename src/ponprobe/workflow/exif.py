"""When and where a photo says it was taken, and the small copy that cameras put beside it: EXIF of JPEG, PNG, HEIC.

Files come from anybody: every count and offset is checked against the bytes that are there, each of the three
directories is read at most once, and nothing that is wrong with a file raises; ``read_exif`` names it in ``problems``.
Sources: CIPA DC-008 (EXIF 2.32), TIFF 6.0, PNG's eXIf chunk, ISO 14496-12 and 23008-12 (HEIF) for boxes and items.
"""

from __future__ import annotations

import math
import re
import struct
from datetime import datetime
from typing import BinaryIO

from ponprobe.models._base import Value
from ponprobe.models.engineering import Place

_MOST_SEGMENTS = 512
_MOST_ENTRIES = 512
_LARGEST_BLOCK = 2 * 2**20
_LARGEST_META = 4 * 2**20
_MOST_ITEMS = 4096
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_ORIGINAL_TIME, _ORIGINAL_OFFSET = 0x9003, 0x9011
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _MAP_DATUM = 1, 2, 3, 4, 18
_COPY_AT, _COPY_BYTES = 0x0201, 0x0202  # JPEGInterchangeFormat and its length, in IFD1 (CIPA DC-008)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_ASCII, _LONG, _RATIONAL = 2, 4, 5


class Exif(Value):
    """What a photo claims of itself. ``taken_at`` is local time without a zone, ``offset`` its zone if it is told."""

    taken_at: datetime | None = None
    offset: str | None = None
    place: Place | None = None
    problems: tuple[str, ...] = ()


class _Bad(Exception):
    """Something in the file is not as the format wants it."""


def read_exif(stream: BinaryIO, media_type: str) -> Exif:
    """Read time, offset and place of a photo; absent, with the reason in ``problems``, where they cannot be read."""
    try:
        tiff = _tiff(stream, media_type)
        return Exif() if tiff is None else tiff.exif()
    except (_Bad, struct.error) as exc:
        return Exif(problems=(f"the photo's metadata cannot be read: {exc}",))


def small_copy(stream: BinaryIO, media_type: str, *, most: int) -> bytes | None:
    """The small JPEG of at most ``most`` bytes in a photo's metadata; ``None`` where there is no sound one."""
    try:
        tiff = _tiff(stream, media_type)
        return None if tiff is None else tiff.small_copy(most)
    except (_Bad, struct.error):
        return None


def _tiff(stream: BinaryIO, media_type: str) -> _Tiff | None:
    finder = {"image/jpeg": _in_jpeg, "image/png": _in_png, "image/heic": _in_heic}.get(media_type)
    block = None if finder is None else finder(stream)
    return None if block is None else _Tiff(block)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise _Bad("the file ends too early")
    return data


def _in_jpeg(stream: BinaryIO) -> bytes | None:
    stream.seek(2)
    for _ in range(_MOST_SEGMENTS):
        marker = _exactly(stream, 2)
        if marker[0] != 0xFF:
            raise _Bad("a JPEG segment does not begin where it should")
        while marker[1] == 0xFF:  # fill bytes may stand before a marker
            marker = b"\xff" + _exactly(stream, 1)
        if marker[1] in {0xD9, 0xDA}:
            return None  # the picture itself begins (or ends): metadata stand before it
        if marker[1] == 0x01 or 0xD0 <= marker[1] <= 0xD7:
            continue
        length = struct.unpack(">H", _exactly(stream, 2))[0]
        if length < 2:
            raise _Bad("a JPEG segment has an impossible length")
        if marker[1] == 0xE1:
            data = _exactly(stream, length - 2)
            if data.startswith(b"Exif\0\0"):
                return data[6:]
        else:
            stream.seek(length - 2, 1)
    raise _Bad("too many JPEG segments")


def _in_png(stream: BinaryIO) -> bytes | None:
    stream.seek(8)
    for _ in range(_MOST_SEGMENTS * 16):
        length, kind = struct.unpack(">I4s", _exactly(stream, 8))
        if kind == b"eXIf":
            if length > _LARGEST_BLOCK:
                raise _Bad("the metadata are too large")
            return _exactly(stream, length)
        if kind == b"IEND":
            return None
        stream.seek(length + 4, 1)
    raise _Bad("too many PNG chunks")


# --- HEIC: boxes, an item of the type Exif, and where it lies --------------------------------------------------------


def _in_heic(stream: BinaryIO) -> bytes | None:
    meta = _top_box(stream, b"meta")
    if meta is None:
        return None
    boxes = _boxes(meta[4:])
    item = _exif_item(boxes.get(b"iinf", b""))
    if item is None:
        return None
    start, length = _location(boxes.get(b"iloc", b""), item)
    if not 4 < length <= _LARGEST_BLOCK:
        raise _Bad("the metadata have an impossible size")
    stream.seek(start)
    data = _exactly(stream, length)
    # four bytes say how far behind them the TIFF header stands
    skip: int = struct.unpack(">I", data[:4])[0]
    return data[4 + skip :]


def _top_box(stream: BinaryIO, wanted: bytes) -> bytes | None:
    position = 0
    for _ in range(_MOST_SEGMENTS):
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return None
        size, kind = struct.unpack(">I4s", head)
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", _exactly(stream, 8))[0], 16
        if kind == wanted:
            if not header + 4 <= size <= _LARGEST_META:
                raise _Bad("the metadata are too large")
            return _exactly(stream, size - header)
        if size < header or size > 2**48:
            return None
        position += size
    raise _Bad("too many boxes")


def _boxes(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if not 8 <= size <= len(data) - position:
            break
        found.setdefault(kind, data[position + 8 : position + size])
        position += size
    return found


def _exif_item(iinf: bytes) -> int | None:
    if len(iinf) < 8:
        return None
    # version 0 counts in two bytes, later ones in four
    position = 6 if iinf[0] == 0 else 8
    while position + 16 <= len(iinf):
        size, kind, version = struct.unpack_from(">I4sB", iinf, position)
        if not 16 <= size <= len(iinf) - position:
            break
        entry = iinf[position + 12 : position + size]
        if kind == b"infe" and version in {2, 3}:
            item, name = struct.unpack_from(">H2x4s" if version == 2 else ">I2x4s", entry)
            if name == b"Exif":
                return int(item)
        position += size
    return None


class _Bytes:
    """Reads numbers of a given width one after the other."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def number(self, width: int) -> int:
        end = self.position + width
        if end > len(self._data):
            raise _Bad("the file ends too early")
        value = int.from_bytes(self._data[self.position : end], "big")
        self.position = end
        return value


def _at_most(limit: int, count: int) -> int:
    if count > limit:
        raise _Bad("the metadata have an impossible number of parts")
    return count


def _location(iloc: bytes, wanted: int) -> tuple[int, int]:
    """Where an item's only extent lies in the file."""
    if len(iloc) < 8:
        raise _Bad("the place of the metadata is not told")
    version = iloc[0]
    read = _Bytes(iloc, 4)
    widths = read.number(2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version else 0
    count = _at_most(_MOST_ITEMS, read.number(2 if version < 2 else 4))
    for _ in range(count):
        item = read.number(2 if version < 2 else 4)
        method = read.number(2) & 15 if version else 0
        read.number(2)
        base = read.number(base_width)
        extents = []
        for _ in range(_at_most(_MOST_ENTRIES, read.number(2))):
            read.number(index_width)
            extents.append((read.number(offset_width), read.number(length_width)))
        if item == wanted:
            if method != 0 or len(extents) != 1 or base + extents[0][0] > 2**62:
                raise _Bad("the metadata are stored in a way that is not known here")
            return base + extents[0][0], extents[0][1]
    raise _Bad("the place of the metadata is not told")


# --- TIFF ------------------------------------------------------------------------------------------------------------


class _Tiff:
    """The TIFF structure inside: a header, and directories that point to others."""

    def __init__(self, data: bytes) -> None:
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
        if order is None or len(data) < 8:
            raise _Bad("there is no TIFF header")
        self._data = data
        self._order = order
        self._problems: list[str] = []

    def exif(self) -> Exif:
        """Follow the three directories, each once: a pointer back cannot make a circle."""
        root = self._directory(self._number(4))
        photo = self._below(root, _EXIF_IFD)
        gps = self._below(root, _GPS_IFD)
        return Exif(
            taken_at=self._time(photo),
            offset=self._offset(photo),
            place=self._place(gps),
            problems=tuple(self._problems),
        )

    def small_copy(self, most: int) -> bytes | None:
        """What the second directory, which stands behind the first, points to."""
        first = self._number(4)
        # a directory is a count, entries of twelve bytes, and where the next one stands
        count = struct.unpack_from(f"{self._order}H", self._data, first)[0]
        second = self._number(first + 2 + 12 * count)
        if not second:
            return None
        entries = self._directory(second)
        start, length = self._whole(entries, _COPY_AT), self._whole(entries, _COPY_BYTES)
        if start is None or length is None:
            return None
        copy = self._data[start : start + length]
        return copy if 0 < length <= most and len(copy) == length and copy.startswith(b"\xff\xd8\xff") else None

    def _number(self, at: int) -> int:
        return int(struct.unpack_from(f"{self._order}I", self._data, at)[0])

    def _whole(self, entries: dict[int, tuple[int, int, int]], tag: int) -> int | None:
        kind, count, where = entries.get(tag, (0, 0, 0))
        return self._number(where) if kind == _LONG and count == 1 else None

    def _directory(self, offset: int) -> dict[int, tuple[int, int, int]]:
        """Tag -> (type, count, where the value stands), of what lies inside the data."""
        if not 8 <= offset <= len(self._data) - 2:
            raise _Bad("a directory lies outside the metadata")
        count = struct.unpack_from(f"{self._order}H", self._data, offset)[0]
        if count > _MOST_ENTRIES or offset + 2 + 12 * count > len(self._data):
            raise _Bad("a directory is longer than the metadata")
        entries: dict[int, tuple[int, int, int]] = {}
        for index in range(count):
            at = offset + 2 + 12 * index
            tag, kind, length = struct.unpack_from(f"{self._order}HHI", self._data, at)
            size = _SIZES.get(kind, 0) * length
            where = at + 8 if size <= 4 else struct.unpack_from(f"{self._order}I", self._data, at + 8)[0]
            if size and where + size <= len(self._data):
                entries.setdefault(tag, (kind, length, where))
        return entries

    def _below(self, root: dict[int, tuple[int, int, int]], tag: int) -> dict[int, tuple[int, int, int]]:
        kind, count, where = root.get(tag, (0, 0, 0))
        if kind not in {4, 13} or count != 1:
            return {}
        try:
            return self._directory(self._number(where))
        except _Bad as exc:
            self._problems.append(f"the photo's metadata cannot be read in full: {exc}")
            return {}

    def _text(self, entries: dict[int, tuple[int, int, int]], tag: int) -> str | None:
        kind, count, where = entries.get(tag, (0, 0, 0))
        if kind != _ASCII or count > 64:
            return None
        return self._data[where : where + count].split(b"\0")[0].decode("ascii", "replace").strip() or None

    def _time(self, photo: dict[int, tuple[int, int, int]]) -> datetime | None:
        text = self._text(photo, _ORIGINAL_TIME)
        if text is None:
            return None
        try:
            return datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the tag has no zone: see offset
        except ValueError:
            self._problems.append(f"the photo's time is none: {text!r}")
            return None

    def _offset(self, photo: dict[int, tuple[int, int, int]]) -> str | None:
        text = self._text(photo, _ORIGINAL_OFFSET)
        if text is None or not (match := re.fullmatch(r"([+-])(\d\d):(\d\d)", text)):
            return None
        # the widest offset on earth is +14:00
        return text if int(match[2]) * 60 + int(match[3]) <= 14 * 60 and int(match[3]) < 60 else None

    def _degrees(self, gps: dict[int, tuple[int, int, int]], tag: int, ref: str | None, signs: str) -> float | None:
        kind, count, where = gps.get(tag, (0, 0, 0))
        if kind != _RATIONAL or not 1 <= count <= 3 or ref is None or ref[:1].upper() not in signs:
            return None
        parts = struct.unpack_from(f"{self._order}{2 * count}I", self._data, where)
        degrees = 0.0
        for place, (top, bottom) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
            if bottom == 0:
                # 0/0 is how cameras write "unknown"
                return None
            degrees += top / bottom / 60**place
        return -degrees if ref[:1].upper() == signs[1] else degrees

    def _place(self, gps: dict[int, tuple[int, int, int]]) -> Place | None:
        latitude = self._degrees(gps, _LATITUDE, self._text(gps, _LATITUDE_REF), "NS")
        longitude = self._degrees(gps, _LONGITUDE, self._text(gps, _LONGITUDE_REF), "EW")
        if latitude is None or longitude is None:
            return None
        if not (math.isfinite(latitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
            self._problems.append("the photo's place is none on earth")
            return None
        # EXIF takes WGS-84 for granted unless the file names another datum
        datum = (self._text(gps, _MAP_DATUM) or "WGS84").upper().replace("-", "").replace(" ", "")
        return Place(latitude=latitude, longitude=longitude, datum="wgs84" if datum == "WGS84" else "unknown")
