"""Stores on both databases, a real PostgreSQL server, and a small project on emulated OLTs of both vendors."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import tenacity

from ponprobe.store.database import Store

sys.path.append(str(Path(__file__).parent))  # for what these tests share

from site_plan import Site, open_site

from parts import missing

_numbers = itertools.count(1)


class Postgres:
    """A PostgreSQL server of our own, reachable through a socket file only."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        # the server refuses to run as root
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        data = self.folder / "data"
        init = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "ponprobe",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(init, check=True, capture_output=True, user=self._user, cwd=self.folder)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "max_connections": 100,
        }
        options = [each for name, value in settings.items() for each in ("-c", f"{name}={value}")]
        self._log = (self.folder / "log").open("wb")
        self._server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            user=self._user,
            cwd=self.folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._ready()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://ponprobe@/{database}?host={self.folder}"

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(sa.exc.OperationalError),
        wait=tenacity.wait_fixed(0.05),
        stop=tenacity.stop_after_delay(30),
        reraise=True,
    )
    def _ready(self) -> None:
        with self._admin.connect():
            pass

    def fresh(self) -> str:
        name = f"test_{next(_numbers)}"
        with self._admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return self.url(name)

    def close(self) -> None:
        self._admin.dispose()
        self._server.send_signal(signal.SIGINT)  # end now, without waiting for sessions
        self._server.wait(timeout=30)
        self._log.close()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("there is no PostgreSQL server here (Debian package postgresql)")
    server = Postgres(found[-1].parent)
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store is to be: each database in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as store:
        yield store


@pytest.fixture
def site(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The example project, not yet dispatched, on emulated OLTs."""
    with open_site(place, tmp_path, monkeypatch.setenv) as site:
        yield site


@pytest.fixture
def run_python(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python processes that import from beside these tests; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name(script)), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
