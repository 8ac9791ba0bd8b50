"""The acceptance process: engineering data in, test ONUs up and down, evidence, decisions; over Olt and store only.

>>> from ponprobe.workflow import Workflow                               # doctest: +SKIP
>>> workflow = Workflow(Store("acceptance.sqlite3"), journal=...)        # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ponprobe.store.database import Store as Store
    from ponprobe.store.leases import CvlanPool as CvlanPool
    from ponprobe.store.refusals import NotReady as NotReady
    from ponprobe.store.refusals import RequestConflict as RequestConflict
    from ponprobe.workflow.base import AcceptanceRules as AcceptanceRules
    from ponprobe.workflow.importing import read_engineering as read_engineering
    from ponprobe.workflow.process import Workflow as Workflow
    from ponprobe.workflow.vlans import read_cvlan_ranges as read_cvlan_ranges

# loaded when first used: the values and readers need no database
_WHERE = {
    "AcceptanceRules": "ponprobe.workflow.base",
    "CvlanPool": "ponprobe.store.leases",
    "NotReady": "ponprobe.store.refusals",
    "RequestConflict": "ponprobe.store.refusals",
    "Store": "ponprobe.store.database",
    "Workflow": "ponprobe.workflow.process",
    "read_cvlan_ranges": "ponprobe.workflow.vlans",
    "read_engineering": "ponprobe.workflow.importing",
}

__all__ = sorted(_WHERE)  # noqa: PLE0605 - all are strings


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only needed here

    value = globals()[name] = getattr(import_module(_WHERE[name]), name)
    return value
