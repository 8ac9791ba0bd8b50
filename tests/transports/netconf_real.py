"""A NETCONF server that nobody here wrote: Debian's ``netconfd`` (yuma123 2.13), reached over SSH.

It cannot load the Broadband Forum's modules, so it serves a small one of our own. What it shows is the protocol: locks,
the candidate, confirmed commits and their end, as an independent implementation understands RFC 6241. Its hello loses
``:validate``: after a ``<validate>``, this server answers a commit with ``<ok/>`` and changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko

PASSWORD = "lab-secret"
MODULE = """module lab {
  namespace "urn:ponprobe:lab"; prefix lab;
  revision 2026-11-25;
  container things {
    list thing {
      key name;
      leaf name { type string; }
      leaf text { type string; }
      leaf vlan { type uint16 { range "1..4094"; } }
      leaf after { type leafref { path "../../thing/name"; } }
    }
  }
}
"""


def why_not() -> str | None:
    """Why the server cannot run here; ``None`` if it can."""
    for tool in ("netconfd", "netconf-subsystem"):
        if shutil.which(tool, path=_path()) is None:
            return f"{tool} (Debian package netconfd) is not installed"
    return None


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"


@contextmanager
def netconfd(folder: Path) -> Iterator[int]:
    """Run the server with its SSH front on a free port of the loopback address; gives the port."""
    (folder / "lab.yang").write_text(MODULE, encoding="utf-8")
    place = folder / "n"
    environment = {"YUMA_MODPATH": f"{folder}:/usr/share/yuma/modules", "PATH": _path(), "HOME": str(folder)}
    server = subprocess.Popen(
        [
            *(str(shutil.which("netconfd", path=_path())), "--target=candidate", "--no-startup", "--superuser=root"),
            *("--module=lab", "--access-control=off", f"--ncxserver-sockname={place}"),
        ],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not place.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("netconfd did not come up")
            time.sleep(0.02)
        with _front(place, environment) as port:
            yield port
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def _front(place: Path, environment: dict[str, str]) -> Iterator[int]:
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closing = threading.Event()

        def accept() -> None:
            while not closing.is_set():
                with suppress(OSError):
                    peer, _ = listener.accept()
                    threading.Thread(target=_serve, args=(peer, key, place, environment), daemon=True).start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield listener.getsockname()[1]
        closing.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)


class _Login(paramiko.ServerInterface):
    def __init__(self) -> None:
        self.asked = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.asked.set()
        return name == "netconf"


def _serve(peer: socket.socket, key: paramiko.PKey, place: Path, environment: dict[str, str]) -> None:
    transport, login = paramiko.Transport(peer), _Login()
    transport.add_server_key(key)
    with suppress(paramiko.SSHException, EOFError, OSError):
        transport.start_server(server=login)
        channel = transport.accept(10)
        if channel is not None and login.asked.wait(10):
            _join(channel, place, environment)
    transport.close()


def _join(channel: paramiko.Channel, place: Path, environment: dict[str, str]) -> None:
    """Pass bytes between the channel and the server's own subsystem until either ends."""
    of_ssh = {"SSH_CONNECTION": "127.0.0.1 40000 127.0.0.1 830", "USER": "root", "LOGNAME": "root"}
    subsystem = subprocess.Popen(
        [str(shutil.which("netconf-subsystem", path=_path())), f"--ncxserver-sockname=830@{place}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, **of_ssh},
        bufsize=0,
    )
    assert subsystem.stdin is not None
    assert subsystem.stdout is not None
    into, out = subsystem.stdin, subsystem.stdout

    def back() -> None:
        hello = b""
        # either end may go first
        with suppress(OSError, ValueError, EOFError):
            while b"</hello>" not in hello and (data := out.read(4096)):
                hello += data
            channel.sendall(re.sub(rb"<capability>[^<]*:validate:[^<]*</capability>", b"", hello))
            while data := out.read(4096):
                channel.sendall(data)
            channel.close()

    threading.Thread(target=back, daemon=True).start()
    with suppress(OSError):
        while data := channel.recv(4096):
            into.write(data)
    subsystem.terminate()
    subsystem.wait(10)
    into.close()
    out.close()
