"""The evidence package: one zip file with a manifest, the originals byte for byte, transcripts, and the report.

Names of files come from hashes and numbers, never from engineering data. The same facts give the same bytes, so the
package's own SHA-256 can be quoted elsewhere. ``verify_package`` proves a package with nothing but the file itself.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, BinaryIO, Literal

from pydantic import AwareDatetime, Field, ValidationError

from ponprobe.errors import EvidenceError
from ponprobe.models._base import Value
from ponprobe.models.engineering import EvidenceItem, SplitterKey
from ponprobe.redact import Scrubber
from ponprobe.reports.facts import ReportData, SplitterReport
from ponprobe.reports.html import write_html
from ponprobe.reports.plain import Target, opened, write_csv, write_json
from ponprobe.reports.tables import TABLES
from ponprobe.reports.thumbnails import Originals
from ponprobe.reports.words import Lang
from ponprobe.reports.xlsx import timeless, write_xlsx

MANIFEST = "manifest.json"
_CHUNK = 2**20
_LARGEST_MANIFEST = 256 * 2**20
_MOST_IN_MEMORY = 8 * 2**20
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "text/plain": ".txt",
}
_PACKED_ALREADY = frozenset((".jpg", ".png", ".gif", ".webp", ".heic", ".pdf", ".zip", ".xlsx"))
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PackedFile(Value):
    """One line of the manifest. ``path`` is inside the package; a file that proves two things has two lines.

    ``kind`` is that of the evidence, ``report``, or ``proof`` (what the OLT answered when it was read back).
    ``redacted`` tells that secrets were covered, so that the bytes are not those of ``original_sha256``.
    """

    path: Annotated[str, Field(pattern=r"^[a-z]+/[A-Za-z0-9_./-]+$")]
    bytes: Annotated[int, Field(ge=0)]
    sha256: _Sha256
    kind: str
    media_type: str
    file_name: str | None = None
    splitter: SplitterKey | None = None
    round: int | None = None
    captured_at: AwareDatetime | None = None
    redacted: bool = False
    original_sha256: _Sha256 | None = None


class Manifest(Value):
    """What a package holds. ``missing`` names evidence whose original could not be read: told, never left out."""

    schema_version: Literal[1] = 1
    report_id: str
    project: str
    project_name: str
    generated_at: AwareDatetime
    tool_version: str
    files: tuple[PackedFile, ...] = ()
    missing: tuple[str, ...] = ()


class Package(Value):
    """A package that was written: its manifest, its size, and the SHA-256 of the whole file."""

    manifest: Manifest
    bytes: int
    sha256: str


def write_package(
    data: ReportData,
    target: Target,
    *,
    originals: Originals | None = None,
    transcripts: Mapping[str, str] | None = None,
    scrubber: Scrubber | None = None,
    lang: Lang = "zh",
    details: int | None = None,
    complete: bool = True,
) -> Package:
    """Write the evidence package and give its manifest and SHA-256.

    ``originals`` is the ``EvidenceStore``; each original is checked against its recorded SHA-256 while it is copied.
    ``transcripts`` are more device transcripts by run (already redacted by the session). ``scrubber`` covers secrets in
    every transcript once more; photos and documents are never changed. ``details`` is passed to ``write_html``.
    With ``complete`` an original that is missing or has changed raises ``EvidenceError``; without, the package is made
    and its manifest names what is missing. ``ConfigError`` if the target cannot be written.
    """
    scrub = scrubber.scrub if scrubber is not None else _same
    with opened(target) as file:
        hashed = _Hashed(file)
        packer = _Packer(hashed, data)
        packer.reports(lang, originals, details)
        for report in data.opened():
            packer.proof(report, scrub)
            for item in report.evidence:
                packer.evidence(item, originals, scrub)
        for number, (run, text) in enumerate(sorted((transcripts or {}).items()), 1):
            packer.text(f"transcripts/run-{number:05d}.txt", scrub(text), kind="transcript", file_name=run)
        if complete and packer.missing:
            raise EvidenceError(
                f"{len(packer.missing)} originals of project {data.project.id} cannot be packed: {packer.missing[0]}",
                hint="bring them back, or pack without them (complete=False): the manifest then says what is missing",
            )
        manifest = packer.finish()
    return Package(manifest=manifest, bytes=hashed.size, sha256=hashed.digest)


def _same(text: str) -> str:
    return text


class _Hashed(io.RawIOBase):
    """Passes bytes on and hashes them; it cannot seek, so a zip file is written from front to back."""

    def __init__(self, target: IO[bytes]) -> None:
        super().__init__()
        self._target, self._hash, self.size = target, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class _Packer:
    def __init__(self, file: _Hashed, data: ReportData) -> None:
        self._data = data
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._files: list[PackedFile] = []
        self._written: dict[str, tuple[int, str]] = {}
        self.missing: list[str] = []

    def reports(self, lang: Lang, originals: Originals | None, details: int | None) -> None:
        """The report in every form."""
        data = self._data
        more: dict[str, Any] = {} if details is None else {"details": details}
        page = partial(write_html, data, lang=lang, originals=originals, **more)
        self._report("report/report.html", "text/html", page)
        self._report("report/report.json", "application/json", partial(write_json, data, lang=lang))
        sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        self._report("report/report.xlsx", sheet, partial(write_xlsx, data, lang=lang))
        for table in TABLES:
            self._report(f"report/{table.name}.csv", "text/csv", partial(write_csv, data, table=table, lang=lang))

    def _report(self, path: str, media_type: str, write: Callable[[Any], None]) -> None:
        with tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY) as made:
            write(made)
            made.seek(0)
            size, digest = self._copy(path, made)
        self._files.append(PackedFile(path=path, bytes=size, sha256=digest, kind="report", media_type=media_type))

    def evidence(self, item: EvidenceItem, originals: Originals | None, scrub: Callable[[str], str]) -> None:
        """One piece of evidence: byte for byte, but for a transcript that holds a secret."""
        name = f"{item.file_name} ({item.sha256[:12]}…, {item.splitter})"
        if originals is None:
            self.missing.append(f"{name}: no evidence folder was given")
            return
        path = f"originals/{item.sha256[:2]}/{item.sha256}{_ENDINGS.get(item.media_type, '.bin')}"
        about = {
            "kind": item.kind,
            "media_type": item.media_type,
            "file_name": item.file_name,
            "splitter": item.splitter,
            "round": item.round,
            "captured_at": item.captured_at,
        }
        try:
            if item.kind == "transcript" and self._redacted(item, originals, scrub, about):
                return
            if path not in self._written:
                with _checked(originals, item) as stream:
                    self._copy(path, stream)
        except (EvidenceError, OSError) as exc:
            self.missing.append(f"{name}: {exc}")
            return
        size, digest = self._written[path]
        self._files.append(PackedFile.model_validate({"path": path, "bytes": size, "sha256": digest, **about}))

    def _redacted(
        self,
        item: EvidenceItem,
        originals: Originals,
        scrub: Callable[[str], str],
        about: dict[str, Any],
    ) -> bool:
        """Pack a transcript with its secrets covered; false if there are none, and the original is packed."""
        with _checked(originals, item) as stream:
            text = stream.read().decode("utf-8", "replace")
        covered = scrub(text)
        if covered == text:
            return False
        place = f"transcripts/{item.sha256[:2]}/{item.sha256}.txt"
        if place not in self._written:
            self._copy(place, io.BytesIO(covered.encode()))
        size, digest = self._written[place]
        facts = {**about, "path": place, "bytes": size, "sha256": digest, "redacted": True}
        self._files.append(PackedFile.model_validate({**facts, "original_sha256": item.sha256}))
        return True

    def proof(self, report: SplitterReport, scrub: Callable[[str], str]) -> None:
        """What the OLT answered when it was read back after the removal."""
        removal = report.activation.removal
        if removal is None or not removal.proof:
            return
        lines = [f"{report.olt.host} {removal.onu} {removal.at.isoformat()}"]
        lines += [f"\n> {asked}\n{answer}" for asked, answer in removal.proof]
        path = f"transcripts/proof-{report.number:05d}.txt"
        self.text(path, scrub("\n".join(lines) + "\n"), kind="proof", splitter=report.key)

    def text(self, path: str, text: str, **about: Any) -> None:
        """A text of our own."""
        size, digest = self._copy(path, io.BytesIO(text.encode()))
        facts = {"path": path, "bytes": size, "sha256": digest, "media_type": "text/plain", **about}
        self._files.append(PackedFile.model_validate(facts))

    def _copy(self, path: str, stream: Any) -> tuple[int, str]:
        found, size = hashlib.sha256(), 0
        with self._zip.open(
            timeless(path, stored=Path(path).suffix in _PACKED_ALREADY), "w", force_zip64=True
        ) as entry:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
                size += len(chunk)
                entry.write(chunk)
        self._written[path] = size, found.hexdigest()
        return self._written[path]

    def finish(self) -> Manifest:
        """Write the manifest last, as it holds all hashes."""
        data = self._data
        manifest = Manifest(
            report_id=data.report_id,
            project=data.project.id,
            project_name=data.project.name,
            generated_at=data.generated_at,
            tool_version=data.tool_version,
            files=tuple(sorted(self._files, key=lambda each: (each.path, str(each.splitter), each.kind))),
            missing=tuple(self.missing),
        )
        self._copy(MANIFEST, io.BytesIO(manifest.model_dump_json(indent=1).encode()))
        self._zip.close()
        return manifest


class _checked:  # noqa: N801 - used as a function
    """An original whose bytes have been held against the recorded SHA-256 and size before they are used."""

    def __init__(self, originals: Originals, item: EvidenceItem) -> None:
        self._originals, self._item = originals, item

    def __enter__(self) -> BinaryIO:
        item = self._item
        self._stream = self._originals.open(item)
        found, size = hashlib.sha256(), 0
        while chunk := self._stream.read(_CHUNK):
            found.update(chunk)
            size += len(chunk)
        if (size, found.hexdigest()) != (item.bytes, item.sha256):
            self._stream.close()
            raise EvidenceError(
                f"the original of {item.file_name} has changed: {size} bytes with SHA-256 {found.hexdigest()}"
            )
        self._stream.seek(0)
        return self._stream

    def __exit__(self, *_: object) -> None:
        self._stream.close()


# -- proof of a package -----------------------------------------------------------------------------------------------


def verify_package(source: str | Path | BinaryIO) -> Manifest:
    """Read a package whole and give its manifest; nothing is unpacked to disk.

    Raises ``EvidenceError`` that names every file that is altered, missing, not in the manifest, or there twice.
    """
    try:
        with zipfile.ZipFile(source) as package:
            manifest = _manifest(package)
            problems = list(_problems(package, manifest))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as exc:
        raise EvidenceError(f"{_named(source)} is no readable package: {exc}", hint="get it again") from exc
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise EvidenceError(
            f"{_named(source)} is not the package that was made: {problems[0]}{more}",
            hint="get it again from who made it; problems: " + "; ".join(problems[:20]),
        )
    return manifest


def _named(source: object) -> str:
    return str(source) if isinstance(source, (str, Path)) else "the file"


def _manifest(package: zipfile.ZipFile) -> Manifest:
    try:
        info = package.getinfo(MANIFEST)
        if info.file_size > _LARGEST_MANIFEST:
            raise EvidenceError(f"the manifest has {info.file_size} bytes, more than any package has")
        return Manifest.model_validate_json(package.read(info))
    except KeyError:
        raise EvidenceError("the package has no manifest.json", hint="this is no evidence package") from None
    except (ValueError, ValidationError) as exc:
        raise EvidenceError(f"the manifest cannot be read: {exc}", hint="get the package again") from exc


def _problems(package: zipfile.ZipFile, manifest: Manifest) -> Iterator[str]:
    names = package.namelist()
    yield from (f"{name} is in it more than once" for name in sorted({each for each in names if names.count(each) > 1}))
    listed: dict[str, tuple[int, str]] = {}
    for each in manifest.files:
        if listed.setdefault(each.path, (each.bytes, each.sha256)) != (each.bytes, each.sha256):
            yield f"{each.path} has two different hashes in the manifest"
    yield from (f"{name} is not in the manifest" for name in sorted(set(names) - listed.keys() - {MANIFEST}))
    for path, (size, digest) in listed.items():
        if path not in names:
            yield f"{path} is missing"
        elif _digest(package, path, size) != (size, digest):
            yield f"{path} has been altered"


def _digest(package: zipfile.ZipFile, path: str, size: int) -> tuple[int, str] | None:
    """Size and hash of an entry; ``None`` as soon as it is longer than it may be, or cannot be read."""
    found, count = hashlib.sha256(), 0
    try:
        with package.open(path) as entry:
            while chunk := entry.read(_CHUNK):
                count += len(chunk)
                if count > size:
                    return None
                found.update(chunk)
    except (zipfile.BadZipFile, EOFError):
        return None
    return count, found.hexdigest()
