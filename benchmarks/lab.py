"""An emulated OLT in a process of its own, so that it does not share the measured program's interpreter lock.

Prints its address as JSON, then obeys lines on stdin: ``delay SECONDS``, ``lines`` (prints how many commands it has
seen), ``since N`` (prints them from the Nth on).
"""

from __future__ import annotations

import json
import sys

from ponprobe import emulator


def main() -> None:
    with emulator.serve("demo_huawei") as lab:
        olt = lab.olts["ma5683t"]
        for ont in olt.world.onts.values():
            ont.online_after_s = 0.0
        print(
            json.dumps({"host": olt.host, "port": olt.ssh_port, "user": olt.username, "word": olt.password}), flush=True
        )
        for line in sys.stdin:
            verb, _, value = line.strip().partition(" ")
            if verb == "delay":
                olt.faults.delay_s = float(value)
                print("ok", flush=True)
            elif verb == "lines":
                print(len(olt.commands), flush=True)
            elif verb == "since":
                print(json.dumps(olt.commands[int(value) :]), flush=True)


if __name__ == "__main__":
    main()
