"""A listening socket with one thread per connection, all of which end at ``close``."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

LINGER_S = 2.0
"""How long a logged-out client may take to close its end."""


class Listener:
    """Accepts on a free port of the host; ``handle`` gets each accepted socket in its own thread and closes it."""

    def __init__(self, host: str, name: str, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._name = name
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._socket = socket.create_server((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name=f"{name} accept", daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                if self._closing:
                    accepted.close()
                    return
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.add(accepted)
                thread = threading.Thread(target=self._serve, args=(accepted,), name=self._name, daemon=True)
                self._threads = [each for each in self._threads if each.is_alive()] + [thread]
                thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            self._handle(accepted)
        finally:
            with self._lock:
                self._open.discard(accepted)
            accepted.close()

    def close(self) -> None:
        """Stop accepting, drop every connection, wait for every thread."""
        with self._lock:
            self._closing = True
            opened, threads = list(self._open), list(self._threads)
        # a closed socket does not wake a thread that waits in accept; a shut-down one does
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._accepting.join()
        for each in opened:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
