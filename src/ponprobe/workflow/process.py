"""The acceptance process from engineering data to second review, for integrators, the command and schedulers alike."""

from __future__ import annotations

from ponprobe.workflow.decisions import Decisions
from ponprobe.workflow.records import Engineering

__all__ = ["Workflow"]


class Workflow(Engineering, Decisions):
    """The whole process on one store.

    ``connect`` opens the OLT of a record (default: by the inventory), ``journal`` is where its runs are written
    (default: that of the settings; it must be the one that ``connect`` uses). ``thresholds`` are the limits of the line
    test (default: those of the construction stage), ``runner`` measures many splitters of one OLT, ``naming`` names
    test ONUs, ``rules`` say what acceptance needs beside a passed line. ``parallel`` OLTs are worked on at a time;
    another writer of the same OLT is waited for ``writer_wait_s`` seconds; a test ONU that is activated for a field
    test is wanted for ``hold``.

    All of it is in the store, and nothing in this object: it may be thrown away and made again at any time, by several
    processes at once. Every method that changes something takes the ``actor`` and, where it should happen once however
    often it is asked for, a ``request_id``.
    """
