"""A process with everything imported that forks a fresh worker for each line on stdin, so that killing many is cheap.

Lines are JSON: ``place`` and ``folder`` (the site), ``call`` (a method of ``Workflow``) with its ``keywords``, and
``die_at``: kill yourself before or after that commit of the store (``[number, "before" | "after"]``), or null. Answers
are ``started PID`` and ``ended PID STATUS`` (a negative status is a signal).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from site_plan import ENGINEER, ONUS, PROJECT, workflow_on

from ponprobe.models.addressing import OnuAuth, Serial
from ponprobe.models.engineering import SplitterKey
from ponprobe.store.database import Store

sys.path.append(str(Path(__file__).parents[1]))  # for what several suites share

from preloaded import preload


def work(request: dict[str, Any]) -> None:
    """Do what is asked in this process, or die on the way."""
    folder = Path(request["folder"])
    with (folder / "worker.log").open("a") as log:
        os.dup2(log.fileno(), 2)
    logging.basicConfig(level=logging.WARNING)
    store = Store(request["place"])
    if request["die_at"] is not None:
        number, moment = request["die_at"]
        die_at_commit(store, number, moment)
    keywords = {name: value for name, value in request["keywords"].items() if name != "keys"}
    if "keys" in request["keywords"]:
        keywords["keys"] = [SplitterKey(*key) for key in request["keywords"]["keys"]]
    if request["call"] == "dispatch":
        named = keywords.pop("onus", None)
        given = None if named is None else {SplitterKey(*key): OnuAuth(serial=Serial(text)) for *key, text in named}
        keywords["onus"] = given or ONUS
    getattr(workflow_on(store, folder), request["call"])(PROJECT, actor=ENGINEER, **keywords)


def die_at_commit(store: Store, number: int, moment: str) -> None:
    """Count the commits of all threads; the one whose turn it is ends the process, as a power cut would."""
    lock, counted = Lock(), [0]

    def commits(_: object) -> None:
        with lock:
            counted[0] += 1
            mine = counted[0] == number
        if mine and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    engine = store._engine
    sa.event.listen(engine, "commit", commits)
    original = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        original(connection)
        if counted[0] >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment == "after":
        engine.dialect.do_commit = do_commit


def main() -> None:
    preload()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(json.loads(line))
                status = 0
            finally:
                os._exit(status)
        sys.stdout.write(f"started {pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"ended {pid} {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
