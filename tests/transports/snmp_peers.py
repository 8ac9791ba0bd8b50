"""net-snmp's own programs as the other side: its daemon for version 3, its client for comparison."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

AUTH_KEY, PRIV_KEY = "Canary-auth-key-7", "Canary-priv-key-8"
USERS = {
    "plain": "plain",
    "md5": f'md5 MD5 "{AUTH_KEY}"',
    "sha1": f'sha1 SHA "{AUTH_KEY}"',
    "sha1des": f'sha1des SHA "{AUTH_KEY}" DES "{PRIV_KEY}"',
    "sha1aes": f'sha1aes SHA "{AUTH_KEY}" AES "{PRIV_KEY}"',
    "sha224aes": f'sha224aes SHA-224 "{AUTH_KEY}" AES "{PRIV_KEY}"',
    "sha256aes": f'sha256aes SHA-256 "{AUTH_KEY}" AES "{PRIV_KEY}"',
    "sha384aes": f'sha384aes SHA-384 "{AUTH_KEY}" AES "{PRIV_KEY}"',
    "sha512aes": f'sha512aes SHA-512 "{AUTH_KEY}" AES "{PRIV_KEY}"',
    "sha1aes192": f'sha1aes192 SHA "{AUTH_KEY}" AES-192 "{PRIV_KEY}"',
    "sha1aes256": f'sha1aes256 SHA "{AUTH_KEY}" AES-256 "{PRIV_KEY}"',
    "sha512aes256": f'sha512aes256 SHA-512 "{AUTH_KEY}" AES-256 "{PRIV_KEY}"',
}
DESCRIPTION = "Integrated Access Software"


class Daemon:
    """snmpd on loopback with one user for each combination. A new start counts its engine's boots up."""

    def __init__(self, folder: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        lines = [f"sysDescr {DESCRIPTION}", "rocommunity community-of-snmpd 127.0.0.1 .1.3.6.1.2.1.1"]
        for name, line in USERS.items():
            level = "noauth" if name == "plain" else "priv" if " AES" in line or " DES" in line else "auth"
            lines += [f"createUser {line}", f"rouser {name} {level} .1.3.6.1.2.1.1"]
        (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(shutil.which("snmpd", path=path())), "-f", "-Lo", "-c", str(self._folder / "snmpd.conf"),
             f"udp:127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(self._folder / "kept"), "MIBS": "",
                 "SNMPCONFPATH": str(self._folder / "none")},
        )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "NET-SNMP version" in line:
                return
        raise AssertionError("snmpd did not start")

    def stop(self, *, forget: bool = False) -> None:
        """``forget``: the engine will have another identity next time, like a device that was exchanged."""
        self._process.terminate()
        self._process.communicate()
        if forget:
            shutil.rmtree(self._folder / "kept")


def path() -> str:
    return os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"


def installed() -> bool:
    return all(shutil.which(name, path=path()) for name in ("snmpd", "snmpbulkwalk"))


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[Daemon]:
    peer = Daemon(folder)
    try:
        yield peer
    finally:
        peer.stop()


def bulkwalk(port: int, community: str, oid: str, repetitions: int = 50) -> list[str]:
    """``OID = value`` lines as net-snmp prints them, numbers only."""
    return subprocess.run(
        ["snmpbulkwalk", "-v2c", "-c", community, "-m", "", "-On", "-Oq", "-Oe", f"-Cr{repetitions}",
         f"127.0.0.1:{port}", oid],
        check=True, capture_output=True, text=True, env={**os.environ, "MIBS": ""},
    ).stdout.splitlines()  # fmt: skip
