"""Validation of a configuration by libyang, where a folder with the YANG modules is given.

``yanglint`` (Debian: libyang2-tools) is run as a program of its own: it needs no compiler and no library of one certain
version, as the Python binding does, and a fault in it cannot end the emulator.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from lxml import etree

from ponprobe.emulator.netconf.errors import RpcError, failed
from ponprobe.emulator.netconf.modules import MODULES
from ponprobe.emulator.netconf.tree import Node, write

LIMIT_S = 60.0
NOISE = re.compile(r"expects all includes")
TEXT = re.compile(r"^libyang(?:\[\d\]| err :):?\s*(?P<text>.*?)\s*(?:\((?P<where>(?:Schema|Data|path).*)\))?$")
REFERENCE = re.compile(r'Invalid leafref value "(?P<value>[^"]*)" - no target instance')
FIRST = (
    *("iana-if-type", "iana-hardware", "ietf-interfaces", "ietf-hardware", "bbf-yang-types", "bbf-if-type"),
    *("bbf-xpon-types", "bbf-xpon-if-type", "bbf-hardware-types", "bbf-dot1q-types", "bbf-frame-processing-types"),
)
"""Modules whose identities others refer to: they must be loaded first."""


class LintError(RuntimeError):
    """yanglint cannot be used here; the message says why."""


@cache
def _files(folder: Path) -> tuple[tuple[str, str], ...]:
    found = []
    rest = [name for name, each in MODULES.items() if each.implemented and name not in FIRST]
    for name in (*FIRST, *rest):
        file = next((each for each in sorted(folder.glob(f"{name}*.yang")) if each.stem.split("@")[0] == name), None)
        if file is not None:
            found.append((name, str(file)))
    if not found:
        raise LintError(f"netconf.modules_dir: {folder} has none of the YANG modules that the emulated OLT implements")
    return tuple(found)


def usable(folder: Path) -> str:
    """Where yanglint is; raises :class:`LintError` if it is not, or if the folder has no modules for it."""
    _files(folder)
    program = shutil.which("yanglint")
    if program is None:
        raise LintError("netconf.modules_dir needs yanglint, which is not installed (Debian: libyang2-tools)")
    return program


def lint(tree: Node, folder: Path) -> list[RpcError]:
    """What libyang says of a configuration; parts of modules that the folder does not have are left out."""
    program, files = usable(folder), dict(_files(folder))
    kept = tree.copy()
    _without_others(kept, set(files))
    data = etree.Element("data")
    for node in kept.children:
        write(node, data)
    text = "".join(etree.tostring(each, encoding="unicode") for each in data)
    if not text:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "config.xml"
        file.write_text(text, encoding="utf-8")
        argv = [program, "-p", str(folder), "-t", "config", *files.values(), str(file)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode == 0:
        return []
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("libyang")]
    return [_error(line) for line in lines if not NOISE.search(line)] or [failed(done.stderr.strip()[-500:])]


def _without_others(node: Node, modules: set[str]) -> None:
    for child in list(node.children):
        if child.schema.module not in modules or (child.name == "type" and child.value.endswith(":ani")):
            node.remove(child)
        else:
            _without_others(child, modules)


def _error(line: str) -> RpcError:
    found = TEXT.match(line)
    text, where = (found["text"], found["where"]) if found else (line, None)
    if reference := REFERENCE.search(text):
        message = f'Required leafref target with value "{reference["value"]}" missing.'
        return RpcError("protocol", "data-missing", message, "instance-required")
    return failed(f"{text} ({where})" if where else text)
