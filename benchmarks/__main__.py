"""What ``make bench`` prints: ratios within one run, never absolute promises.

The same exchanges with the same emulated OLT (in a process of its own) are made by ponprobe, by a raw paramiko loop
that reads until the prompt, and by netmiko's ``huawei_smartax`` with its defaults; and two imports are compared.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netmiko
import paramiko
from pydantic import SecretStr

import ponprobe
from benchmarks import batch, judging, netconf, process, reports, snmp
from ponprobe.session.olt import Olt

PROMPT = re.compile(rb"MA5683T(\([^)\r\n]*\))?[>#]\s*$")
LOGOUT = re.compile(rb"\(y/n\)\[n\]:\s*$")
ORDER = ponprobe.ActivationOrder(
    port=ponprobe.PonPort.parse("0/1/0"),
    auth=ponprobe.OnuAuth(serial=ponprobe.Serial("HWTC0B086EA9")),
    vlans=ponprobe.VlanStack(svlan=2000, cvlan=3001),
    line_profile=ponprobe.ProfileRef(id=20),
    service_profile=ponprobe.ProfileRef(id=20),
)


class Lab:
    """The emulated OLT's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.lab"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address: dict[str, Any] = json.loads(self._read())

    def say(self, line: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._read()
        return json.loads(answer) if answer[:1] in "[0123456789" else answer

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate()


def connected(lab: Lab, folder: Path) -> Olt:
    return ponprobe.connect(
        lab.address["host"],
        platform="huawei_smartax",
        username=lab.address["user"],
        password=SecretStr(lab.address["word"]),
        port=lab.address["port"],
        journal=str(folder / "journal.sqlite3"),
        known_hosts=folder / "known_hosts",
        samples=3,
    )


def whole_job(lab: Lab, folder: Path) -> None:
    """Activate, wait, read three times, judge, revoke, prove, log out."""
    with connected(lab, folder) as olt:
        assert olt.measure(ORDER).clean


def reading_job(lab: Lab, folder: Path) -> None:
    """Log in, twelve questions, log out; nothing is changed."""
    with connected(lab, folder) as olt:
        olt.boards()
        for onu in ("0/1/0:0", "0/1/0:1", "0/1/0:3"):
            olt.onu_state(onu)
            olt.macs(onu)
            olt.service_ports(ponprobe.OnuRef.parse(onu))
        olt.discovered()
        olt.onus("0/1/0")


def raw_paramiko(lab: Lab, lines: list[str]) -> None:
    """The floor: send a line, receive until the prompt; nothing is read, checked or remembered."""
    with socket.create_connection((lab.address["host"], lab.address["port"])) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock)
        transport.start_client()
        transport.auth_password(lab.address["user"], lab.address["word"])
        channel = transport.open_session()
        channel.get_pty(width=80, height=512)
        channel.invoke_shell()
        until(channel, PROMPT)
        for line in lines:
            channel.sendall(line.encode() + b"\n")
            until(channel, LOGOUT if line == "quit" and line is lines[-1] else PROMPT)
        channel.sendall(b"y\n")
        while channel.recv(65536):
            pass
        transport.close()


def until(channel: paramiko.Channel, pattern: re.Pattern[bytes]) -> None:
    tail = b""
    while not pattern.search(tail):
        chunk = channel.recv(65536)
        if not chunk:
            raise EOFError(tail[-200:])
        tail = (tail + chunk)[-300:]


def netmiko_defaults(lab: Lab, lines: list[str]) -> None:
    """netmiko's own type for this OLT as its documentation shows it; views are changed by its own methods.

    Its default check of the echo fails on lines that the device wraps, so changes are sent without it.
    """
    with netmiko.ConnectHandler(
        device_type="huawei_smartax",
        host=lab.address["host"],
        port=lab.address["port"],
        username=lab.address["user"],
        password=lab.address["word"],
    ) as connection:
        connection.enable()
        connection.config_mode()
        connection.send_command("scroll 512")  # without it the pager stops it for good
        for line in lines[6:-2]:  # it has its own set-up and farewell
            if line.startswith("display"):
                connection.send_command(line)
            else:
                connection.send_command(line, expect_string=r"[>#]\s*$", cmd_verify=False)


def seconds(job: Callable[[], None], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        job()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def paired(one: Callable[[], None], other: Callable[[], None], runs: int) -> tuple[float, float, float]:
    """Medians of both and of their ratio, run in turns so that the machine's moods hit both."""
    pairs = [(seconds(one, 1), seconds(other, 1)) for _ in range(runs)]
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return mine, theirs, statistics.median(a / b for a, b in pairs)


def compare_sessions(lab: Lab, folder: Path, runs: int) -> None:
    for name, job in (("whole job (activate .. revoke, prove)", whole_job), ("twelve questions", reading_job)):
        job(lab, folder)  # imports and journal are there
        for delay in (0.0, 0.005, 0.030):
            lab.say(f"delay {delay}")
            first = int(lab.say("lines"))
            job(lab, folder)
            lines: list[str] = lab.say(f"since {first}")
            mine, raw, ratio = paired(
                lambda job=job: job(lab, folder), lambda lines=lines: raw_paramiko(lab, lines), runs
            )  # type: ignore[misc]
            stock = seconds(lambda lines=lines: netmiko_defaults(lab, lines), max(1, runs // 5))  # type: ignore[misc]
            print(
                f"{name}, {len(lines)} lines, {delay * 1e3:2.0f} ms a command: "
                f"ponprobe {mine * 1e3:6.0f} ms, raw paramiko {raw * 1e3:6.0f} ms (x{ratio:.3f}), "
                f"netmiko defaults {stock * 1e3:6.0f} ms ({stock / mine:.1f} times ponprobe)"
            )


def compare_imports(runs: int) -> None:
    def importing(module: str) -> Callable[[], None]:
        return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True) and None

    mine, theirs, _ = paired(importing("ponprobe"), importing("pydantic"), runs)
    nothing = seconds(importing("sys"), runs)
    ours, base = max(mine - nothing, 0.0), theirs - nothing
    print(f"import ponprobe {ours * 1e3:.0f} ms, import pydantic {base * 1e3:.0f} ms (x{ours / base:.2f})")
    models, theirs, _ = paired(importing("ponprobe.models.run"), importing("pydantic"), runs)
    ours, base = models - nothing, theirs - nothing
    print(f"with all models {ours * 1e3:.0f} ms (x{ours / base:.2f} of pydantic)")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    compare_imports(runs)
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab()
        try:
            compare_sessions(lab, Path(folder), runs)
        finally:
            lab.close()
    snmp.main(runs)
    netconf.main(runs)
    judging.main(runs)
    batch.main(runs)
    reports.main(runs)
    process.main(runs)


if __name__ == "__main__":
    main()
