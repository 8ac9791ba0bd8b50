"""A process that has everything imported and forks a fresh ``ponprobe`` command for each line on stdin.

Killing hundreds of commands is affordable this way: each is a real process with its own memory, sockets and locks, but
pays for the imports once. Lines are JSON: ``{"argv": [...], "env": {...}, "output": path}``; answers are
``started PID`` and ``ended PID STATUS`` (a negative status is a signal).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for what several suites share

import ponprobe.app
from preloaded import preload


def command(request: dict[str, object]) -> None:
    os.environ.update(request["env"])
    with open(str(request["output"]), "wb", buffering=0) as output, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = ["ponprobe", *request["argv"]]
    status = 1
    try:
        ponprobe.app.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    preload(command=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            command(json.loads(line))
        print("started", pid, flush=True)  # noqa: T201
        _, status = os.waitpid(pid, 0)
        print("ended", pid, os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
