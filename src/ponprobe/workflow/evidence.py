"""The evidence folder: originals byte for byte under their SHA-256, and what they say of time and place.

What a file says of itself can be edited and is often missing, so it supports a judgement and never decides one: it
becomes warnings. The bytes are what counts: they are never rewritten, and ``verify`` proves it.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, model_validator

from ponprobe.errors import EvidenceError
from ponprobe.models._base import Value
from ponprobe.models.engineering import Actor, EvidenceItem, EvidenceKind, Place, SplitterKey
from ponprobe.workflow.deadlines import aware, zone_of
from ponprobe.workflow.exif import Exif, read_exif

_CHUNK = 2**20
LARGEST = 256 * 2**20
"""Bytes of one piece of evidence, unless the store is made with another limit."""
NEAR_M = 1000.0
"""Metres below which a distance means nothing without a common datum: GCJ-02 is 100 to 700 m off WGS-84."""
_EARTH_M = 6_371_008.8  # mean radius (IUGG)
_PICTURES = frozenset(("position", "result", "label"))


class TestWindow(Value):
    """From when to when the test was made."""

    __test__ = False  # pytest takes every class named Test* for a test

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _forwards(self) -> TestWindow:
        if self.end < self.start:
            raise ValueError("a test cannot end before it starts")
        return self


class EvidenceStore:
    """A folder of originals. ``zone`` is taken for photos whose time has no offset, and that is said.

    Files are ``root/ab/ab12...`` with mode 0600; several processes may add at once. Same bytes are stored once.
    """

    def __init__(self, root: str | Path, *, zone: str | ZoneInfo = "Asia/Shanghai", largest: int = LARGEST) -> None:
        self.root = Path(root)
        self._zone = zone_of(zone)
        self._largest = largest

    def add(
        self,
        source: str | Path | bytes | BinaryIO,
        kind: EvidenceKind,
        *,
        splitter: SplitterKey | None = None,
        round: int | None = None,  # noqa: A002 - the item's own field
        name: str | None = None,
        window: TestWindow | None = None,
        site: Place | None = None,
        zone: str | ZoneInfo | None = None,
        actor: Actor | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> EvidenceItem:
        """Copy an original into the folder, sync it to disk, and give what is known of it.

        ``source`` is a path, the bytes, or a binary stream (read from where it stands). ``window`` is when the test was
        made and ``site`` where: what does not fit becomes a warning. ``zone`` replaces the store's for this file.
        Raises ``EvidenceError`` if the source cannot be read, is empty or too large, or cannot be stored.
        """
        shown = _shown_name(name if name is not None else _name_of(source))
        try:
            with _opened(source) as stream:
                digest, size = self._keep(stream, shown)
        except OSError as exc:
            raise EvidenceError(
                f"{shown} could not be stored in {self.root}: {exc.strerror or exc}",
                hint="check that the file can be read, and that the folder can be written and is not full",
            ) from exc
        with self._path(digest).open("rb") as stored:
            media_type = _media_type(stored.read(64 * 1024), whole=size <= 64 * 1024)
            stored.seek(0)
            exif = read_exif(stored, media_type)
        at = _captured(exif, self._zone if zone is None else zone_of(zone))
        warnings, notes, distance = _said(exif, at, media_type, kind=kind, window=window, site=site)
        if at is not None and exif.offset is None:
            notes.append(f"the file's time has no offset: {zone or self._zone} was assumed")
        return EvidenceItem(
            kind=kind,
            sha256=digest,
            bytes=size,
            file_name=shown,
            media_type=media_type,
            captured_at=at,
            offset=exif.offset if at is not None else None,
            place=exif.place,
            distance_m=distance,
            warnings=tuple(warnings),
            notes=tuple(notes),
            splitter=splitter,
            round=round,
            added_at=aware(now() if now else datetime.now(timezone.utc), "the time of adding"),
            actor=actor,
        )

    def path(self, item: EvidenceItem) -> Path:
        """Where the original of an item stands."""
        return self._path(item.sha256)

    def open(self, item: EvidenceItem) -> BinaryIO:
        """Open the original for reading, unchecked (see ``verify``); ``EvidenceError`` if it is gone."""
        try:
            return io.BufferedReader(io.FileIO(_regular(self.path(item)), closefd=True))
        except OSError as exc:
            raise self._gone(item, exc) from exc

    def verify(self, item: EvidenceItem) -> None:
        """Read the original again, whole; raise ``EvidenceError`` if it is missing or is not the same bytes."""
        with self.open(item) as stream:
            digest, size = _digest(stream)
        if (digest, size) != (item.sha256, item.bytes):
            raise EvidenceError(
                f"the original of {item.file_name} has changed: {size} bytes with SHA-256 {digest}, "
                f"and {item.bytes} bytes with {item.sha256} were stored",
                hint="get the original again from a backup or from who made it, and add it: the same bytes fit again",
            )

    def _gone(self, item: EvidenceItem, exc: OSError) -> EvidenceError:
        return EvidenceError(
            f"the original of {item.file_name} is not in {self.root} as {item.stored_as}: {exc.strerror or exc}",
            hint="get it again from a backup or from who made it, and add it: the same bytes fit again",
        )

    def _path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest

    def _keep(self, stream: BinaryIO, shown: str) -> tuple[str, int]:
        """Copy to a file of our own, sync, and move it to its name in one step; a crash leaves no half original."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600, and fails if the name is taken
        handle, temporary = tempfile.mkstemp(prefix=".adding-", dir=self.root)
        try:
            with os.fdopen(handle, "wb") as file:
                digest, size = _digest(stream, copy=file.write, largest=self._largest, shown=shown)
                file.flush()
                os.fsync(file.fileno())
            if not size:
                raise EvidenceError(f"{shown} is empty", hint="take the photo or the file again and add that")
            final = self._path(digest)
            final.parent.mkdir(mode=0o700, exist_ok=True)
            if not self._stands(final, digest, size):
                os.replace(temporary, final)  # noqa: PTH105 - the name is a text from mkstemp
                _sync(final.parent)
                _sync(self.root)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
        return digest, size

    @staticmethod
    def _stands(path: Path, digest: str, size: int) -> bool:
        """Whether the same bytes are stored already; a damaged copy is replaced by the good one."""
        try:
            with io.FileIO(_regular(path), closefd=True) as stored:
                return _digest(stored) == (digest, size)
        except OSError:
            return False


def _digest(
    stream: Any,
    *,
    copy: Callable[[bytes], object] | None = None,
    largest: int | None = None,
    shown: str = "",
) -> tuple[str, int]:
    found, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        if not isinstance(chunk, bytes):
            raise EvidenceError(f"{shown} was opened as text", hint="open it in binary mode: open(path, 'rb')")
        size += len(chunk)
        if largest is not None and size > largest:
            raise EvidenceError(f"{shown} has more than {largest} bytes", hint="add a photo, not a film or an archive")
        found.update(chunk)
        if copy is not None:
            copy(chunk)
    return found.hexdigest(), size


def _regular(path: Path) -> int:
    """Open a plain file for reading: a link put in its place is not followed, a pipe or device does not block."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a plain file")
    return handle


@contextmanager
def _opened(source: str | Path | bytes | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, (str, Path)):
        # a link that the user names is the user's choice; what it leads to must be a plain file
        with io.BufferedReader(io.FileIO(_regular(Path(source).resolve()), closefd=True)) as file:
            yield file
    else:
        yield source


def _sync(folder: Path) -> None:
    """Make a new name durable; systems that cannot sync a folder do without."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _name_of(source: str | Path | bytes | BinaryIO) -> str:
    named = source if isinstance(source, (str, Path)) else getattr(source, "name", "")
    return str(named) if isinstance(named, (str, Path)) else ""


def _shown_name(text: str) -> str:
    """A file name to show: the last part, without control and direction characters; never used as a path."""
    last = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    clean = "".join(char for char in last if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    clean = clean.strip()[:200]
    return clean if clean.strip(".") else "unnamed"


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
)
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"))


def _media_type(head: bytes, *, whole: bool) -> str:
    """What the first bytes say the file is; its name says nothing."""
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"\0" in head:
        return "application/octet-stream"
    for encoding in ("utf-8", "gb18030"):
        try:
            # the head of a longer file may end inside a character
            text = head.decode(encoding, "strict" if whole else "ignore")
        except UnicodeDecodeError:
            continue
        if whole or len(text.encode(encoding)) >= len(head) - 4:
            return "text/plain"
    return "application/octet-stream"


def _captured(exif: Exif, zone: ZoneInfo) -> datetime | None:
    if exif.taken_at is None:
        return None
    try:
        if exif.offset is not None:
            return datetime.fromisoformat(f"{exif.taken_at.isoformat()}{exif.offset}").astimezone(timezone.utc)
        return exif.taken_at.replace(tzinfo=zone).astimezone(timezone.utc)
    except OverflowError:
        # the year 1 in the east lies before all time
        return None


def _said(
    exif: Exif, at: datetime | None, media_type: str, *, kind: str, window: TestWindow | None, site: Place | None
) -> tuple[list[str], list[str], float | None]:
    """What to warn of, what to note, and the distance to the site in metres."""
    warnings = list(exif.problems)
    notes: list[str] = []
    if not media_type.startswith("image/"):
        if kind in _PICTURES:
            warnings.append(f"not a picture: {media_type}")
        return warnings, notes, None
    if at is None:
        warnings.append("no capture time")
    elif window is not None and at < window.start:
        warnings.append(f"captured {_span((window.start - at).total_seconds())} before the test")
    elif window is not None and at > window.end:
        warnings.append(f"captured {_span((at - window.end).total_seconds())} after the test")
    if exif.place is None:
        notes.append("no place in the file")
        return warnings, notes, None
    if site is None:
        notes.append("no site coordinate to compare the place with")
        return warnings, notes, None
    distance = distance_m(exif.place, site)
    far = f"{distance / 1000:.1f} km from site" if distance >= 950 else f"{distance:.0f} m from site"
    (warnings if distance >= NEAR_M else notes).append(far)
    if "unknown" in {exif.place.datum, site.datum}:
        warnings.append("datum unknown: distance means little below 1 km")
    elif exif.place.datum != site.datum:
        warnings.append(f"datums differ ({exif.place.datum}, {site.datum}): distance means little below 1 km")
    return warnings, notes, distance


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"


def distance_m(one: Place, other: Place) -> float:
    """Give the great-circle distance of two places in metres, as if both had the same datum."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(other.longitude - one.longitude) / 2
    part = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    # rounding may give a hair more than 1 for two ends of the earth
    return 2 * _EARTH_M * math.asin(math.sqrt(min(part, 1.0)))
