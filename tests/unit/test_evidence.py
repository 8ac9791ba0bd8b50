"""The evidence folder: bytes untouched and proven, hostile names and files harmless, time and place only ever warn."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ponprobe.errors import ConfigError, EvidenceError
from ponprobe.models.engineering import Actor, EvidenceItem, Place, SplitterKey
from ponprobe.workflow import evidence
from ponprobe.workflow.evidence import EvidenceStore, TestWindow, distance_m
from ponprobe.workflow.exif import read_exif

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
KEY = SplitterKey("A", "0/1/3", "一号楼")
SITE = Place(latitude=31.2304, longitude=121.4737, datum="wgs84")
WINDOW = TestWindow(
    start=datetime(2026, 3, 2, 2, 0, tzinfo=timezone.utc), end=datetime(2026, 3, 2, 2, 30, tzinfo=timezone.utc)
)
IN_WINDOW = "2026:03:02 10:15:00"  # in Shanghai


# --- photos, made here byte by byte from the format's own text -------------------------------------------------------


def tiff(
    time: str | None = IN_WINDOW,
    offset: str | None = "+08:00",
    gps: tuple[float, float] | None = None,
    order: str = "<",
    datum: str | None = None,
) -> bytes:
    """A TIFF block with the tags that a phone writes."""

    def ascii_value(text: str) -> bytes:
        return text.encode() + b"\0"

    def degrees(value: float) -> bytes:
        seconds = round(abs(value) * 3600 * 1000)
        return struct.pack(f"{order}6I", seconds // 3_600_000, 1, seconds // 60_000 % 60, 1, seconds % 60_000, 1000)

    photo: list[tuple[int, int, int, bytes]] = []
    if time is not None:
        photo.append((0x9003, 2, len(time) + 1, ascii_value(time)))
    if offset is not None:
        photo.append((0x9011, 2, len(offset) + 1, ascii_value(offset)))
    place: list[tuple[int, int, int, bytes]] = []
    if gps is not None:
        place = [
            (1, 2, 2, b"N\0" if gps[0] >= 0 else b"S\0"),
            (2, 5, 3, degrees(gps[0])),
            (3, 2, 2, b"E\0" if gps[1] >= 0 else b"W\0"),
            (4, 5, 3, degrees(gps[1])),
        ]
        if datum is not None:
            place.append((18, 2, len(datum) + 1, ascii_value(datum)))

    def directory(at: int, entries: list[tuple[int, int, int, bytes]]) -> bytes:
        head, tail = struct.pack(f"{order}H", len(entries)), b""
        behind = at + 2 + 12 * len(entries) + 4
        for tag, kind, count, value in entries:
            head += struct.pack(f"{order}HHI", tag, kind, count)
            if len(value) <= 4:
                head += value.ljust(4, b"\0")
            else:
                head += struct.pack(f"{order}I", behind + len(tail))
                tail += value
        return head + b"\0\0\0\0" + tail

    pointers = [tag for tag, entries in ((0x8769, photo), (0x8825, place)) if entries]
    at = 8 + 2 + 12 * len(pointers) + 4
    below, root = b"", []
    for tag in pointers:
        root.append((tag, 4, 1, struct.pack(f"{order}I", at + len(below))))
        below += directory(at + len(below), photo if tag == 0x8769 else place)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}I", 8) + directory(8, root) + below


def jpeg(block: bytes | None) -> bytes:
    head = b"\xff\xd8" + b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    if block is not None:
        head += b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    return head + b"\xff\xda" + b"\0\2" + b"picture" + b"\xff\xd9"


def png(block: bytes | None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + b"\0\0\0\0"

    middle = chunk(b"eXIf", block) if block is not None else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13) + middle + chunk(b"IEND", b"")


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def heic(block: bytes | None, *, version: int = 1) -> bytes:
    ftyp = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    if block is None:
        return ftyp + box(b"mdat", b"picture")
    picture = box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", 1, 0, b"hvc1") + b"\0")
    metadata = box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", 2, 0, b"Exif") + b"\0")
    iinf = box(b"iinf", b"\0\0\0\0" + struct.pack(">H", 2) + picture + metadata)
    payload = b"\0\0\0\6" + b"Exif\0\0" + block

    def iloc(offset: int) -> bytes:
        items = b""
        for item, start, length in ((1, 0, 7), (2, offset, len(payload))):
            method = b"\0\0" if version else b""
            items += struct.pack(">H", item) + method + b"\0\0" + struct.pack(">HII", 1, start, length)
        return box(b"iloc", bytes([version, 0, 0, 0]) + b"\x44\x00" + struct.pack(">H", 2) + items)

    def meta(offset: int) -> bytes:
        return box(b"meta", b"\0\0\0\0" + iinf + iloc(offset))

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + box(b"mdat", payload)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def add(store: EvidenceStore, data: bytes, **more: Any) -> EvidenceItem:
    return store.add(data, more.pop("kind", "position"), **{"name": "a.jpg", "now": lambda: NOW, **more})


# --- the bytes -------------------------------------------------------------------------------------------------------


def test_an_original_is_stored_byte_for_byte_under_its_hash(store: EvidenceStore, tmp_path: Path) -> None:
    data = jpeg(tiff()) + os.urandom(3 * 2**20)
    photo = tmp_path / "照片 1.JPG"
    photo.write_bytes(data)
    item = store.add(photo, "result", splitter=KEY, round=2, actor=Actor(name="王", role="builder"), now=lambda: NOW)
    assert item.sha256 == hashlib.sha256(data).hexdigest()
    assert (item.bytes, item.file_name, item.media_type) == (len(data), "照片 1.JPG", "image/jpeg")
    assert (item.kind, item.splitter, item.round, item.added_at) == ("result", KEY, 2, NOW)
    assert store.path(item).read_bytes() == data
    assert photo.read_bytes() == data
    with store.open(item) as stream:
        assert stream.read() == data
    store.verify(item)
    assert EvidenceItem.model_validate_json(item.model_dump_json()) == item


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_nobody_else_may_read_the_originals(store: EvidenceStore) -> None:
    path = store.path(add(store, jpeg(None)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_the_file_is_on_disk_before_it_has_its_name(store: EvidenceStore, mocker: Any) -> None:
    synced: list[int] = []
    real_replace, real_sync = os.replace, os.fsync

    moved: list[Path] = []

    def replace(source: str, target: Path) -> None:
        moved.append(target)
        assert Path(source).stat().st_ino in synced
        real_replace(source, target)

    mocker.patch.object(
        evidence.os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_ino), real_sync(handle))
    )
    mocker.patch.object(evidence.os, "replace", replace)
    item = add(store, b"text")
    assert moved == [store.path(item)]
    assert store.path(item).parent.stat().st_ino in synced


def test_bytes_a_path_and_a_stream_give_the_same_item(store: EvidenceStore, tmp_path: Path) -> None:
    data = jpeg(tiff())
    (tmp_path / "a.jpg").write_bytes(data)
    with (tmp_path / "a.jpg").open("rb") as stream:
        items = [
            store.add(source, "label", now=lambda: NOW, name="a.jpg")
            for source in (data, tmp_path / "a.jpg", str(tmp_path / "a.jpg"), stream, io.BytesIO(data))
        ]
    assert len(set(items)) == 1
    assert [path.name for path in store.root.rglob("*") if path.is_file()] == [items[0].sha256]


def test_duplicates_share_the_bytes_and_keep_their_own_facts(store: EvidenceStore) -> None:
    data = jpeg(None)
    one, other = add(store, data, name="one.jpg", round=1), add(store, data, name="two.jpg", round=2)
    assert (one.file_name, other.file_name) == ("one.jpg", "two.jpg")
    assert store.path(one) == store.path(other)
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 1


def test_a_stored_duplicate_is_not_written_again(store: EvidenceStore) -> None:
    item = add(store, jpeg(None))
    before = store.path(item).stat()
    add(store, jpeg(None))
    assert (store.path(item).stat().st_ino, store.path(item).stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_many_threads_may_add_the_same_at_once(store: EvidenceStore) -> None:
    data, items, start = jpeg(None) + os.urandom(2**20), [], threading.Barrier(8)

    def work() -> None:
        start.wait()
        items.append(add(store, data))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(items) == 8
    store.verify(items[0])
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 1


def _change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _link(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(other)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_change, "has changed"),
        (_cut, "has changed"),
        (Path.unlink, "is not in"),
        (_link, "is not in"),
        (_folder, "is not in"),
    ],
)
def test_a_changed_or_missing_original_is_found(
    store: EvidenceStore, damage: Callable[[Path], None], words: str
) -> None:
    item = add(store, jpeg(tiff()), name="证据.jpg")
    store.verify(item)
    damage(store.path(item))
    with pytest.raises(EvidenceError, match=rf"证据\.jpg .*{words}|证据\.jpg {words}"):
        store.verify(item)


def test_adding_the_good_bytes_again_repairs_a_damaged_original(store: EvidenceStore) -> None:
    item = add(store, jpeg(None))
    _change(store.path(item))
    add(store, jpeg(None))
    store.verify(item)


def test_an_item_of_another_size_is_not_the_stored_one(store: EvidenceStore) -> None:
    item = add(store, jpeg(None))
    with pytest.raises(EvidenceError, match="has changed"):
        store.verify(item.model_copy(update={"bytes": item.bytes + 1}))


@pytest.mark.parametrize("source", [b"", "empty"])
def test_nothing_is_no_evidence(store: EvidenceStore, tmp_path: Path, source: Any) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(EvidenceError, match="is empty"):
        store.add(tmp_path / source if source else source, "other")
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_what_is_too_large_or_text_or_missing_leaves_nothing_behind(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "e", largest=10)
    with pytest.raises(EvidenceError, match="more than 10 bytes"):
        store.add(b"x" * 11, "other")
    with pytest.raises(EvidenceError, match="opened as text"):
        store.add(io.StringIO("x"), "other")  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match="No such file"):
        store.add(tmp_path / "absent", "other")
    with pytest.raises(EvidenceError, match="not a plain file"):
        store.add(tmp_path, "other")
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    assert store.add(b"x" * 10, "other").bytes == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX")
def test_a_pipe_does_not_block(store: EvidenceStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EvidenceError, match="not a plain file"):
        store.add(tmp_path / "pipe", "other")


def test_a_full_disk_leaves_nothing_behind(store: EvidenceStore, mocker: Any) -> None:
    mocker.patch.object(evidence.os, "fsync", side_effect=OSError(28, "No space left on device"))
    with pytest.raises(EvidenceError, match="No space left"):
        add(store, jpeg(None))
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/etc/cron.d/x", "x"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
        ("a\x00b\n\x1b[2J.jpg", "ab[2J.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("照片.jpg", "照片.jpg"),
        ("x" * 5000, "x" * 200),
        ("C:\\照片\\一号楼.jpg", "一号楼.jpg"),
    ],
)
def test_a_hostile_name_never_leaves_the_folder(store: EvidenceStore, tmp_path: Path, name: str, shown: str) -> None:
    item = add(store, jpeg(None), name=name)
    assert item.file_name == shown
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [store.root / item.sha256[:2] / item.sha256]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (jpeg(None), "image/jpeg"),
        (png(None), "image/png"),
        (heic(None), "image/heic"),
        (b"%PDF-1.7\n...", "application/pdf"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"PK\x03\x04rest", "application/zip"),
        ("OLT(config)#display 一号楼\r\n".encode(), "text/plain"),
        ("光功率".encode("gb18030"), "text/plain"),
        (("光" * 40_000).encode(), "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xff\xd9\xfe\xff\x81", "application/octet-stream"),
    ],
)
def test_the_first_bytes_say_what_it_is_and_not_the_name(store: EvidenceStore, data: bytes, media_type: str) -> None:
    assert add(store, data, kind="other", name="photo.png").media_type == media_type


def test_a_position_that_is_no_picture_is_warned_of(store: EvidenceStore) -> None:
    assert add(store, b"%PDF-1.7", kind="position").warnings == ("not a picture: application/pdf",)
    assert add(store, b"log", kind="transcript").warnings == ()


# --- time and place --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap", [jpeg, png, heic, lambda block: heic(block, version=0)], ids=["jpeg", "png", "heic1", "heic0"]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_time_and_place_are_read(store: EvidenceStore, wrap: Callable[[bytes], bytes], order: str) -> None:
    data = wrap(tiff(gps=(-31.2304, -121.4737), order=order))
    item = add(store, data, window=WINDOW)
    assert item.captured_at == datetime(2026, 3, 2, 2, 15, tzinfo=timezone.utc)
    assert item.offset == "+08:00"
    assert item.place is not None
    assert (item.place.latitude, item.place.longitude) == pytest.approx((-31.2304, -121.4737), abs=1e-6)
    assert item.place.datum == "wgs84"
    assert item.warnings == ()


def test_a_time_without_an_offset_is_taken_in_the_projects_zone_and_that_is_said(store: EvidenceStore) -> None:
    item = add(store, jpeg(tiff(offset=None)), window=WINDOW)
    assert item.captured_at == datetime(2026, 3, 2, 2, 15, tzinfo=timezone.utc)
    assert item.offset is None
    assert "the file's time has no offset: Asia/Shanghai was assumed" in item.notes
    other = add(store, jpeg(tiff(offset=None)), zone="UTC")
    assert other.captured_at == datetime(2026, 3, 2, 10, 15, tzinfo=timezone.utc)
    assert "the file's time has no offset: UTC was assumed" in other.notes


@pytest.mark.parametrize(
    ("time", "warning"),
    [
        ("2026:03:02 04:00:00", "captured 6 h before the test"),
        ("2026:03:02 09:59:00", "captured 60 s before the test"),
        ("2026:03:02 10:00:00", None),
        ("2026:03:02 10:30:00", None),
        ("2026:03:02 10:50:00", "captured 20 min after the test"),
        ("2026:03:09 10:30:00", "captured 7 days after the test"),
        ("0000:00:00 00:00:00", "no capture time"),
        ("    :  :     :  :  ", "no capture time"),
        (None, "no capture time"),
    ],
)
def test_time_is_held_against_the_test(store: EvidenceStore, time: str | None, warning: str | None) -> None:
    item = add(store, jpeg(tiff(time=time)), window=WINDOW)
    assert [each for each in item.warnings if "captur" in each] == ([warning] if warning else [])


def test_without_a_window_or_without_metadata_nothing_is_compared(store: EvidenceStore) -> None:
    assert add(store, jpeg(tiff())).warnings == ()
    bare = add(store, jpeg(None), window=WINDOW, site=SITE)
    assert bare.warnings == ("no capture time",)
    assert bare.notes == ("no place in the file",)


@pytest.mark.parametrize(
    ("gps", "site", "warnings", "notes"),
    [
        ((31.2304, 121.4737), SITE, (), ("0 m from site",)),
        ((31.2466, 121.4737), SITE, ("1.8 km from site",), ()),
        (
            (31.2466, 121.4737),
            SITE.model_copy(update={"datum": "unknown"}),
            ("1.8 km from site", "datum unknown: distance means little below 1 km"),
            (),
        ),
        (
            (31.2304, 121.4737),
            SITE.model_copy(update={"datum": "gcj02"}),
            ("datums differ (wgs84, gcj02): distance means little below 1 km",),
            ("0 m from site",),
        ),
        ((31.2304, 121.4737), None, (), ("no site coordinate to compare the place with",)),
        (None, SITE, (), ("no place in the file",)),
    ],
)
def test_place_is_held_against_the_site(
    store: EvidenceStore, gps: Any, site: Place | None, warnings: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    item = add(store, jpeg(tiff(gps=gps)), site=site)
    assert (item.warnings, item.notes) == (warnings, notes)
    assert (item.distance_m is None) == (gps is None or site is None)


def test_another_datum_in_the_photo_is_not_taken_for_wgs84(store: EvidenceStore) -> None:
    named = add(store, jpeg(tiff(gps=(31.0, 121.0), datum="WGS-84")))
    other = add(store, jpeg(tiff(gps=(31.0, 121.0), datum="TOKYO")))
    assert named.place is not None
    assert other.place is not None
    assert (named.place.datum, other.place.datum) == ("wgs84", "unknown")


def test_distances_agree_with_the_globe() -> None:
    def at(latitude: float, longitude: float) -> Place:
        return Place(latitude=latitude, longitude=longitude)

    # a degree of latitude is pi/180 of the mean radius; half the equator is pi times it
    assert distance_m(at(0, 0), at(1, 0)) == pytest.approx(111_195, abs=1)
    assert distance_m(at(0, 0), at(0, 180)) == pytest.approx(20_015_115, abs=10)
    assert distance_m(at(0, 179.5), at(0, -179.5)) == pytest.approx(111_195, abs=1)
    assert distance_m(at(90, 0), at(90, 90)) == pytest.approx(0, abs=1e-6)


def test_a_window_runs_forwards_and_has_a_zone() -> None:
    with pytest.raises(ValidationError, match="before it starts"):
        TestWindow(start=NOW, end=NOW - timedelta(seconds=1))
    with pytest.raises(ValidationError, match="timezone"):
        TestWindow(start=datetime(2026, 3, 2), end=NOW)  # noqa: DTZ001
    with pytest.raises(ConfigError, match="no time zone"):
        EvidenceStore("x", zone="Asia/Nowhere")


# --- hostile files ---------------------------------------------------------------------------------------------------


def exif_of(data: bytes, media_type: str = "image/jpeg") -> Any:
    return read_exif(io.BytesIO(data), media_type)


def patched(block: bytes, at: int, form: str, value: int) -> bytes:
    data = bytearray(block)
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"XX*\0" + b"\0" * 20,
        patched(tiff(), 4, "<I", 0),
        patched(tiff(), 4, "<I", 0xFFFFFFFF),
        patched(tiff(), 8, "<H", 0xFFFF),
        b"II*\0" + struct.pack("<IH", 8, 500) + b"\0" * 40,
    ],
)
def test_broken_metadata_are_a_warning_and_no_failure(store: EvidenceStore, block: bytes) -> None:
    item = add(store, jpeg(block))
    assert item.captured_at is None
    assert any("cannot be read" in warning for warning in item.warnings)
    assert "no capture time" in item.warnings


def test_directories_that_point_in_a_circle_end() -> None:
    loop = (
        b"II*\0"
        + struct.pack("<IH", 8, 2)
        + struct.pack("<HHII", 0x8769, 4, 1, 8)
        + struct.pack("<HHII", 0x8825, 4, 1, 8)
    )
    assert exif_of(jpeg(loop + b"\0\0\0\0")).taken_at is None


def test_huge_counts_and_offsets_outside_are_passed_over() -> None:
    entries = [(0x9003, 2, 0xFFFFFFFF, 8), (0x9011, 2, 7, 0xFFFFFFF0)]
    body = struct.pack("<H", 2) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0\0\0\0"
    root = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8769, 4, 1, 26) + b"\0\0\0\0"
    found = exif_of(jpeg(root + body))
    assert (found.taken_at, found.offset, found.problems) == (None, None, ())


def test_a_coordinate_with_a_zero_below_is_unknown_and_one_off_the_earth_is_told() -> None:
    good = tiff(gps=(31.0, 121.0))
    at = good.index(struct.pack("<6I", 31, 1, 0, 1, 0, 1000))
    assert exif_of(jpeg(patched(good, at + 4, "<I", 0))).place is None
    off = exif_of(jpeg(patched(good, at, "<I", 91)))
    assert off.place is None
    assert off.problems == ("the photo's place is none on earth",)


@pytest.mark.parametrize("damage", ["directory", "value"])
def test_a_broken_place_does_not_take_the_time_with_it(damage: str) -> None:
    good = tiff(gps=(31.0, 121.0))
    pointer = good.index(struct.pack("<HHI", 0x8825, 4, 1)) + 8
    gps = struct.unpack_from("<I", good, pointer)[0]
    if damage == "directory":
        found = exif_of(jpeg(patched(good, gps, "<H", 400)))
        assert "longer than the metadata" in found.problems[0]
    else:
        # the second entry is the latitude: its value is moved outside
        found = exif_of(jpeg(patched(good, gps + 2 + 12 + 8, "<I", len(good) - 4)))
        assert found.problems == ()
    assert (found.place, found.offset) == (None, "+08:00")
    assert found.taken_at is not None


@pytest.mark.parametrize("offset", ["+99:00", "0800", "+08:60", "Z", "+14:01"])
def test_an_offset_that_is_none_is_not_believed(offset: str) -> None:
    assert exif_of(jpeg(tiff(offset=offset))).offset is None


def test_a_time_at_the_edge_of_time_is_no_failure(store: EvidenceStore) -> None:
    assert add(store, jpeg(tiff(time="0001:01:01 00:00:00"))).warnings == ("no capture time",)
    assert add(store, jpeg(tiff(time="9999:12:31 23:59:59", offset="-12:00"))).warnings == ("no capture time",)


def test_segments_without_end_are_given_up() -> None:
    filler = b"\xff\xe2\0\2"
    assert "too many" in exif_of(b"\xff\xd8" + filler * 100_000).problems[0]
    assert "impossible length" in exif_of(b"\xff\xd8\xff\xe2\0\1").problems[0]
    chunks = (b"\0\0\0\0tEXt" + b"\0" * 4) * 100_000
    assert "too many" in exif_of(b"\x89PNG\r\n\x1a\n" + chunks, "image/png").problems[0]


def test_a_heic_with_impossible_numbers_is_given_up() -> None:
    photo = heic(tiff())
    at = photo.index(b"iloc") + 4
    # a million items, sixty thousand extents without width: nothing of it is worked through
    many = bytearray(photo)
    many[at : at + 6] = b"\2\0\0\0\0\0"
    assert exif_of(bytes(many), "image/heic").problems
    extents = bytearray(photo)
    struct.pack_into(">H", extents, at + 4 + 2 + 2 + 2 + 2 + 2, 0xFFFF)
    assert "impossible number" in exif_of(bytes(extents), "image/heic").problems[0]


PHOTOS = {
    "image/jpeg": jpeg(tiff(gps=(31.2, 121.4))),
    "image/png": png(tiff(gps=(31.2, 121.4))),
    "image/heic": heic(tiff()),
}


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(PHOTOS)),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 500),
)
@example("image/heic", [], 60)
def test_no_damage_to_a_photo_raises(media_type: str, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(PHOTOS[media_type])
    for at, value in changes:
        data[at % len(data)] = value
    found = exif_of(bytes(data[: cut or None]), media_type)
    assert found.place is None or abs(found.place.latitude) <= 90


@given(st.binary(max_size=200), st.sampled_from(sorted(PHOTOS)))
def test_no_bytes_at_all_raise(data: bytes, media_type: str) -> None:
    exif_of(jpeg(None)[:2] + data, media_type)
    exif_of(jpeg(b"II*\0\x08\0\0\0" + data), "image/jpeg")
