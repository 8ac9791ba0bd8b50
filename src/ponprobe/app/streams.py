"""Streams that nobody reads any more: what the OLT is told does not depend on them, nor does the exit code."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, TextIO


def silence(*streams: TextIO) -> None:
    """Lead streams into nothing, so that what is still written to them fails nowhere."""
    for stream in streams:
        with suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


class Unfailing:
    """A stream for people: what cannot be written to it, as its terminal is gone, is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, text: str) -> int:
        """Write, or drop."""
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Bring what was written to its reader, if there is one."""
        self._try(self._stream.flush)

    def _try(self, act: Any, *what: str) -> None:
        if self._gone:
            return
        try:
            act(*what)
        except UnicodeEncodeError:
            raise
        except (OSError, ValueError):
            # what is buffered would be tried again when Python ends
            self._gone = True
            silence(self._stream)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in everything else."""
        return getattr(self._stream, name)
