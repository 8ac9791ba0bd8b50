"""What ``%load_ext ponprobe.notebook`` does, and undoes. IPython is never imported: it hands itself in."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ponprobe.display import olt_html, onu_html, table_of
from ponprobe.errors import PonprobeError
from ponprobe.session.olt import Olt
from ponprobe.session.test_onu import TestOnu

log = logging.getLogger(__name__)

Formatter: TypeAlias = Callable[[Any], "str | None"]


@dataclass
class _Loaded:
    """What one shell was told, so that it can be taken back."""

    before: dict[type, Formatter | None] = field(default_factory=dict)
    at_exit: Callable[[], None] = lambda: None


_shells: dict[int, _Loaded] = {}


def load_ipython_extension(shell: Any) -> None:
    """Show tuples and lists of values as tables; revoke what is left of test ONUs when the kernel ends; twice is once.

    A test ONU outside of a ``with`` block is found by the name that it was given in the notebook. What could not be
    revoked in time stays in the journal, and ``olt.recover()`` takes it away.
    """
    if id(shell) in _shells:
        return
    loaded = _shells[id(shell)] = _Loaded()
    html = shell.display_formatter.formatters["text/html"]
    shown: dict[type, Callable[[Formatter | None], Formatter]] = {
        tuple: lambda before: _sequences(tuple, before),
        list: lambda before: _sequences(list, before),
        Olt: lambda _: olt_html,
        TestOnu: lambda _: onu_html,
    }
    for kind, formatter in shown.items():
        before = loaded.before[kind] = html.type_printers.get(kind)
        html.for_type(kind, formatter(before))

    def at_exit() -> None:
        revoke_all(shell.user_ns)

    loaded.at_exit = at_exit
    atexit.register(at_exit)


def unload_ipython_extension(shell: Any) -> None:
    """Take everything back that ``load_ipython_extension`` did."""
    loaded = _shells.pop(id(shell), None)
    if loaded is None:
        return
    atexit.unregister(loaded.at_exit)
    html = shell.display_formatter.formatters["text/html"]
    for kind, before in loaded.before.items():
        html.type_printers.pop(kind, None)
        if before is not None:
            html.for_type(kind, before)


def _sequences(kind: type, before: Formatter | None) -> Formatter:
    """Tables of our values; a formatter of somebody else's for the same type goes on working for all others."""

    def shown(items: Any) -> str | None:
        if isinstance(items, (tuple, list)) and type(items) is kind:
            found = table_of(items)
            if found is not None:
                return found
        elif callable(own := getattr(items, "_repr_html_", None)):
            # IPython asks a registered type before the object's own method: a subclass must not lose it
            return str(text) if (text := own()) is not None else None
        return None if before is None else before(items)

    return shown


def revoke_all(namespace: dict[str, Any]) -> None:
    """Revoke every test ONU that a notebook's names still hold on a device; failures are logged, not raised."""
    live = {id(each): each for each in list(namespace.values()) if isinstance(each, TestOnu)}
    for onu in live.values():
        if onu.kept or (onu.removal is not None and onu.removal.clean):
            continue
        try:
            onu.revoke()
        except PonprobeError as exc:
            log.warning("test ONU %s is left on the OLT (run %s): %s", onu.ref, onu.run_id, exc)
