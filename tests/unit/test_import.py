"""The package as an integrator meets it: light to import, complete in its names, honest about extras."""

from __future__ import annotations

import subprocess
import sys

import ponprobe

HEAVY = (
    "netmiko",
    "paramiko",
    "ncclient",
    "pysnmp",
    "pyasn1",
    "gufo",
    "sqlalchemy",
    "textfsm",
    "typer",
    "rich",
    "yaml",
)


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_ponprobe_and_its_models_loads_no_network_library() -> None:
    loaded = python(
        "import sys, ponprobe; ponprobe.ActivationOrder; ponprobe.judge; ponprobe.connect;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_importing_ponprobe_alone_does_not_even_load_pydantic() -> None:
    assert python("import sys, ponprobe; print('pydantic' in sys.modules)") == "False"


def test_every_public_name_is_there_sorted_and_listed() -> None:
    names = [name for name in ponprobe.__all__ if name != "__version__"]
    assert names == sorted(names)
    for name in ponprobe.__all__:
        assert getattr(ponprobe, name) is not None
    assert set(dir(ponprobe)) == set(ponprobe.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(ponprobe, "get_facts")


def test_importing_the_module_connect_leaves_the_function_callable() -> None:
    told = python(
        "import ponprobe.connect, ponprobe\n"
        "try: ponprobe.connect('no-such-olt')\n"
        "except ponprobe.PonprobeError as exc: print(type(exc).__name__)"
    )
    assert told == "ConfigError"
