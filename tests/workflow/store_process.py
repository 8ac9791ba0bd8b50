"""What the tests of the store do in processes of their own."""

from __future__ import annotations

import sys

from site_plan import PROJECT

from ponprobe.models.engineering import Actor
from ponprobe.store.database import Store
from ponprobe.store.journal import Journal
from ponprobe.store.leases import CvlanPoolExhausted, lease_cvlan, pools, release_cvlan
from ponprobe.store.projects import splitters_of


def main() -> None:
    what, place, *rest = sys.argv[1:]
    if what == "open":
        wait_for_the_others()
        # the journal, too: it is made by whoever is first
        Journal(journal_place(place)).close()
        with Store(place):
            say("opened")
    elif what == "lease":
        lease(place, int(rest[0]), int(rest[1]))
    elif what == "lock":
        with Store(place) as store, store.locks.hold("olt x"):
            say("held")
            sys.stdin.readline()


def journal_place(place: str) -> str:
    """In the same PostgreSQL database, or in a file beside the store's."""
    return place if "://" in place else f"{place}.journal"


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def wait_for_the_others() -> None:
    say("ready")
    sys.stdin.readline()


def lease(place: str, number: int, times: int) -> None:
    """Take a CVLAN and give it back, over and over."""
    who = Actor(name=f"process {number}", role="system")
    with Store(place) as store:
        with store.read() as connection:
            row, pool = splitters_of(connection, PROJECT)[number], next(iter(pools(connection).values()))
        wait_for_the_others()
        for _ in range(times):
            try:
                with store.change(who) as change:
                    lease_cvlan(change, pool, row, 2000)
            except CvlanPoolExhausted:
                continue
            say("taken")
            with store.change(who) as change:
                release_cvlan(change, row)


if __name__ == "__main__":
    main()
