"""The diagnosing notebook runs as it stands, tells what it promises, and is committed without outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "03_diagnose.ipynb"


@pytest.fixture(scope="module")
def story() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return notebook


def said(story: Any, cell_id: str) -> str:
    """Everything that a cell gave, as one text."""
    (cell,) = [each for each in story.cells if each.id == cell_id]
    found = []
    for output in cell.outputs:
        found += [output.get("text", ""), *(str(form) for form in output.get("data", {}).values())]
    return "\n".join(found)


def test_it_is_committed_without_outputs_and_valid() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []


def test_the_weak_splitter_is_found_explained_mended_and_accepted(story: Any) -> None:
    outcomes = re.findall(r"<td[^>]*>(FAT-\d)</td>.*?(marginal pass|pass|marginal fail|fail) ", said(story, "measure"))
    assert dict(outcomes) == dict.fromkeys(("FAT-1", "FAT-2", "FAT-4"), "marginal pass") | {"FAT-3": "fail"}
    assert "at least -20.00 dBm is asked" in said(story, "verdict")
    assert "ponprobe-levels" in said(story, "verdict")
    assert "Check recorded ratio first, then joints" in said(story, "comparison")
    assert "beyond 1.00 dB: FAT-3" in said(story, "siblings")
    assert "device clean" in said(story, "second")
    assert said(story, "accepted").startswith("accepted\nthe OLT holds what it held before: True")


def test_every_plot_is_a_picture_and_nothing_complains(story: Any) -> None:
    for name in ("plot-sweep", "plot-port", "tree", "drift", "tree-after"):
        (cell,) = [each for each in story.cells if each.id == name]
        assert ["image/png" in output.get("data", {}) for output in cell.outputs] == [True], name
    errors = [output for cell in story.cells for output in cell.get("outputs", ()) if output.get("name") == "stderr"]
    assert errors == []


def test_the_removal_is_proven_and_no_password_is_shown(story: Any) -> None:
    assert "proof: 3 questions to the OLT" in said(story, "removal")
    outputs = "".join(said(story, cell.id) for cell in story.cells if cell.cell_type == "code")
    assert "emulated" not in outputs, "the emulated OLT's password and community"
