"""The evidence package: originals byte for byte, a manifest that proves it, and nothing that names can break."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from report_samples import HOSTILE, line_round, optical, photo, project_of, reported, splitter_named

from ponprobe.errors import EvidenceError
from ponprobe.redact import Scrubber
from ponprobe.reports import ReportData, verify_package, write_package
from ponprobe.workflow.evidence import EvidenceStore

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
SECRET = "CNRYcommunity88"


@pytest.fixture
def originals(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


@pytest.fixture
def data(originals: EvidenceStore) -> ReportData:
    splitter = splitter_named("=<b>../../etc\n")
    other = splitter_named("FAT-2")
    shared = originals.add(JPEG, "position", splitter=splitter.key, round=1, name="../../x=1.jpg")
    said = originals.add(f"snmp community {SECRET}\n".encode(), "transcript", splitter=splitter.key, name="t.txt")
    reports = [
        reported(splitter, [line_round(splitter, [optical(-15.0)])], number=1, evidence=[shared, said]),
        reported(
            other,
            [line_round(other, [optical(-16.0)])],
            number=2,
            evidence=[shared.model_copy(update={"splitter": other.key})],
        ),
    ]
    return project_of(reports)


def made(data: ReportData, originals: EvidenceStore | None, **more: Any) -> tuple[bytes, Any]:
    target = io.BytesIO()
    package = write_package(data, target, originals=originals, **more)
    return target.getvalue(), package


def changed(package: bytes, change: Any) -> io.BytesIO:
    """The package again, with its entries passed through ``change``."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(target, "w") as new:
        for name, content in change({each: old.read(each) for each in old.namelist()}).items():
            new.writestr(name, content)
    return target


def test_a_package_proves_itself(data: ReportData, originals: EvidenceStore) -> None:
    content, package = made(data, originals)
    assert verify_package(io.BytesIO(content)) == package.manifest
    assert (package.sha256, package.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        photos = [each for each in package.manifest.files if each.kind == "position"]
        assert [each.splitter.name for each in photos if each.splitter] == ["=<b>../../etc\n", "FAT-2"]
        assert len({each.path for each in photos}) == 1
        assert read.read(photos[0].path) == JPEG
        assert all(name.isascii() and ".." not in name and not name.startswith("/") for name in read.namelist())
        assert "report/report.xlsx" in read.namelist()
        assert b"The required ONT does not exist" in read.read("transcripts/proof-00001.txt")


def test_the_same_facts_give_the_same_bytes(data: ReportData, originals: EvidenceStore) -> None:
    again = ReportData.model_validate_json(data.model_dump_json())
    assert made(data, originals)[0] == made(again, originals)[0]


def test_secrets_are_covered_in_transcripts_and_the_original_is_named(
    data: ReportData, originals: EvidenceStore
) -> None:
    content, package = made(data, originals, scrubber=Scrubber([SECRET]), transcripts={"r0001": f"set {SECRET}"})
    (covered,) = [each for each in package.manifest.files if each.redacted]
    assert covered.original_sha256 is not None
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        assert all(SECRET.encode() not in read.read(name) for name in read.namelist())
        assert read.read(covered.path) == b"snmp community ***\n"
    verify_package(io.BytesIO(content))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda files: {name: body + b"x" if name.endswith(".jpg") else body for name, body in files.items()},
            "altered",
        ),
        (lambda files: {name: body for name, body in files.items() if not name.endswith(".jpg")}, "is missing"),
        (lambda files: {**files, "originals/extra.jpg": b"x"}, "not in the manifest"),
        (lambda files: {name: body for name, body in files.items() if name != "manifest.json"}, "no manifest"),
        (lambda files: {**files, "manifest.json": b"{}"}, "cannot be read"),
        (lambda files: {**files, "report/report.csv": b""}, "not in the manifest"),
    ],
)
def test_what_was_done_to_a_package_shows(
    data: ReportData, originals: EvidenceStore, change: Any, problem: str
) -> None:
    content, _ = made(data, originals)
    with pytest.raises(EvidenceError, match=problem):
        verify_package(changed(content, change))


def test_no_package_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(EvidenceError, match="no readable package"):
        verify_package(path)


def test_a_changed_or_lost_original_is_never_packed_in_silence(data: ReportData, originals: EvidenceStore) -> None:
    item = next(each for line in data.opened() for each in line.evidence)
    originals.path(item).write_bytes(JPEG[:-1] + b"!")
    with pytest.raises(EvidenceError, match="has changed"):
        made(data, originals)
    content, package = made(data, originals, complete=False)
    assert len(package.manifest.missing) == 2
    assert verify_package(io.BytesIO(content)).missing == package.manifest.missing
    with pytest.raises(EvidenceError, match="no evidence folder"):
        made(data, None)


def test_hostile_names_stay_in_the_manifest(hostile: ReportData) -> None:
    content, package = made(hostile, None, complete=False)
    assert len(package.manifest.missing) == len(HOSTILE)
    proofs = {each.splitter.name for each in package.manifest.files if each.kind == "proof" and each.splitter}
    assert proofs == set(HOSTILE.values())
    verify_package(io.BytesIO(content))
    assert photo("position").stored_as
