"""NETCONF: ratios of our session to ncclient with its defaults, and to a bare paramiko loop, within one run.

All three ask the same server for the same: one small question, one transaction that creates and one that deletes (seven
requests each), and an answer of 7.7 MB with Chinese text, in one chunk and in chunks of 4 kB. The server runs in a
process of its own and answers at once, so it is the client that is measured; its own time is in all three.

    python -m benchmarks.netconf [runs]
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
from ncclient import manager
from pydantic import SecretStr

from ponprobe.flow import NetconfEdit, NetconfGet
from ponprobe.transports.netconf import NetconfSettings, Step, get_config, steps_of
from ponprobe.transports.netconf_ncclient import NetconfSession

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "transports"))

import netconf_peer
from netconf_peer import OK, PASSWORD, NetconfPeer, NetconfServer

USER = "bench"
ROW = "<interface><name>PON.{0}</name><description>光交箱07号，分光器{0}</description></interface>"
HUGE = "".join(ROW.format(number) for number in range(78_000))
SMALL = NetconfGet("small", '<small xmlns="urn:bench"/>', "running")
ONE_CHUNK = NetconfGet("7.7 MB in one chunk", '<huge xmlns="urn:bench"/>', "running")
CHUNKS = NetconfGet("7.7 MB in chunks of 4 kB", '<pieces xmlns="urn:bench"/>', "running")
QUESTIONS = 50


def change(operation: str, number: int = 0) -> NetconfEdit:
    entry = f'<interface nc:operation="{operation}"><name>VANI.TEST</name></interface>'
    config = f'<interfaces xmlns="urn:x">{entry}</interfaces>'
    return NetconfEdit(f"{operation} VANI.TEST", config, f"BENCH_{operation}_{number}")


def serve() -> None:
    """The server's process: print the port, answer until stdin ends."""

    def script(peer: NetconfPeer) -> None:
        peer.hello()

        def answer(operation: str) -> str:
            peer.chunk = 4096 if "<pieces" in operation else 0
            if "<huge" in operation or "<pieces" in operation:
                return f"<data>{HUGE}</data>"
            return "<data><small/></data>" if "get-config" in operation else OK

        peer.answers(answer)

    netconf_peer.WAIT_S = 600  # while it is another client's turn
    server = NetconfServer(script, paramiko.ECDSAKey.generate())
    print(json.dumps(server.port), flush=True)
    sys.stdin.read()


class Ours:
    """ponprobe's session."""

    def __init__(self, port: int, folder: Path) -> None:
        settings = NetconfSettings(
            "127.0.0.1", USER, SecretStr(PASSWORD), port=port, known_hosts=folder / "known_hosts", reply_timeout_s=120
        )
        self._session = NetconfSession(settings)
        self._session.open()
        self.capabilities = self._session.capabilities
        self._changes = 0

    def ask(self, request: NetconfGet) -> int:
        return len(self._session.get(request).data)

    def transaction(self, operation: str) -> None:
        self._changes += 1
        self._session.edit(change(operation, self._changes))

    def close(self) -> None:
        self._session.close()


class Ncclient:
    """ncclient as its documentation shows it."""

    def __init__(self, port: int) -> None:
        self._manager = manager.connect(
            host="127.0.0.1", port=port, username=USER, password=PASSWORD, hostkey_verify=False, allow_agent=False,
            look_for_keys=False, timeout=300,
        )  # fmt: skip

    def ask(self, request: NetconfGet) -> int:
        return len(self._manager.get_config("running", filter=("subtree", request.filter)).data_xml)

    def transaction(self, operation: str) -> None:
        todo: Any = self._manager
        config = change(operation).config.replace(
            "nc:operation", 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation'
        )
        todo.lock("candidate")
        todo.discard_changes()
        todo.edit_config(
            target="candidate",
            default_operation="merge",
            error_option="rollback-on-error",
            config=f'<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">{config}</nc:config>',
        )
        todo.validate("candidate")
        todo.commit(confirmed=True, timeout="60", persist="BENCH")
        todo.commit(persist_id="BENCH")
        todo.unlock("candidate")

    def close(self) -> None:
        self._manager.close_session()


class Bare:
    """The floor: send a message, receive until its end; nothing is parsed, checked or remembered."""

    def __init__(self, port: int, capabilities: frozenset[str]) -> None:
        self._capabilities = capabilities
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = paramiko.Transport(sock)
        self._transport.start_client()
        self._transport.auth_password(USER, PASSWORD)
        self._channel = self._transport.open_session()
        self._channel.invoke_subsystem("netconf")
        bases = "".join(f"<capability>urn:ietf:params:netconf:base:1.{minor}</capability>" for minor in (0, 1))
        head = '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">'
        self._channel.sendall(f"{head}<capabilities>{bases}</capabilities></hello>]]>]]>".encode())
        self._until(b"]]>]]>")

    def _until(self, end: bytes) -> int:
        size, tail = 0, b""
        while not tail.endswith(end):
            chunk = self._channel.recv(65536)
            if not chunk:
                raise EOFError
            size += len(chunk)
            tail = (tail + chunk)[-10:]
        return size

    def _send(self, step: Step) -> int:
        data = f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">{step.rpc}</rpc>'.encode()
        self._channel.sendall(b"\n#%d\n%b\n##\n" % (len(data), data))
        return self._until(b"\n##\n")

    def ask(self, request: NetconfGet) -> int:
        return self._send(get_config(request))

    def transaction(self, operation: str) -> None:
        for step in steps_of(change(operation), self._capabilities, ends_pending=False):
            self._send(step)

    def close(self) -> None:
        self._transport.close()


def questions(client: Any) -> None:
    for _ in range(QUESTIONS):
        client.ask(SMALL)


def both_transactions(client: Any) -> None:
    client.transaction("create")
    client.transaction("delete")


def huge(request: NetconfGet) -> Callable[[Any], None]:
    def ask(client: Any) -> None:
        assert client.ask(request) > 5_000_000

    return ask


def compare(name: str, job: Callable[[Any], None], clients: dict[str, Any], runs: int) -> None:
    """Run all clients in turns, so that the machine's moods hit all of them; print medians and ratios to ours."""
    found: dict[str, list[float]] = {each: [] for each in clients}
    for _ in range(runs):
        for each, client in clients.items():
            started = time.perf_counter()
            job(client)
            found[each].append(time.perf_counter() - started)
    ours = found["ponprobe"]
    parts = []
    for each, times in found.items():
        ratio = statistics.median(mine / other for mine, other in zip(ours, times, strict=True))
        parts.append(f"{each} {statistics.median(times) * 1e3:.1f} ms" + ("" if times is ours else f" (x{ratio:.3f})"))
    print(f"NETCONF, {name}: {', '.join(parts)}")


def main(runs: int) -> None:
    """Print times, and ours as a multiple of each of the others."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.netconf", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())
        with tempfile.TemporaryDirectory() as folder:
            ours = Ours(port, Path(folder))
            bare, stock = Bare(port, ours.capabilities), Ncclient(port)
            clients = {"ponprobe": ours, "bare paramiko": bare, "ncclient": stock}
            quick = {name: client for name, client in clients.items() if client is not stock}
            compare(f"{QUESTIONS} questions", questions, quick, runs)
            # ncclient's session thread looks for something to send ten times a second
            compare(f"{QUESTIONS} questions", questions, clients, max(1, runs // 10))
            compare("create and delete, 14 requests", both_transactions, quick, runs)
            compare("create and delete, 14 requests", both_transactions, clients, max(1, runs // 5))
            compare(ONE_CHUNK.what, huge(ONE_CHUNK), quick, max(1, runs // 3))
            compare(ONE_CHUNK.what, huge(ONE_CHUNK), clients, 1)
            # a character cut between two chunks breaks ncclient's parser, so it is not asked for this
            compare(CHUNKS.what, huge(CHUNKS), quick, max(1, runs // 3))
            for client in clients.values():
                client.close()
    finally:
        process.communicate()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
