"""What a user installs: the wheel, without and with its extras, in a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    (found,) = folder.glob("*.whl")
    return found


def run(argv: list[str], *, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_what_the_code_reads_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "ponprobe/py.typed" in names
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    wanted = {name for name in sources if "__pycache__" not in name}
    assert wanted <= set(names)
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_the_library_installs_alone_and_the_command_names_its_extra(wheel: Path, tmp_path: Path) -> None:
    """No mark of the checkout: the installed package is all there is."""
    run([sys.executable, "-m", "venv", str(tmp_path / "venv")])
    python = str(tmp_path / "venv" / "bin" / "python")
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)])
    code = (
        "import ponprobe, ponprobe.connect, ponprobe.session, ponprobe.store.journal;"
        "from ponprobe.drivers import driver_for, platforms;"
        "print(ponprobe.__file__, [driver_for(name).platform for name in platforms()])"
    )
    shown = run([python, "-c", code])
    assert str(tmp_path) in shown
    assert "huawei_smartax" in shown
    for absent in ("typer", "pandas", "IPython"):
        run([python, "-c", f"import {absent}"], code=1)
    told = run([str(tmp_path / "venv" / "bin" / "ponprobe"), "facts", "lab"], code=2)
    assert "pip install 'ponprobe[app]'" in told
    assert "Traceback" not in told
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[app]"])
    assert "identical" in run([str(tmp_path / "venv" / "bin" / "ponprobe"), "demo"])
