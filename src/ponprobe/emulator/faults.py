"""How an emulated OLT misbehaves: settings that a test changes while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["arrived", "executed"]
Mangle = Literal["truncated", "out_of_order", "wrong_id", "noise"]
Watcher = Callable[[int, str, Moment], None]


@dataclass
class Faults:
    """Settings of one OLT; plain attributes, read anew for every command, so they may be set at any time.

    Commands are numbered from 1 over all sessions of the OLT; every line that reaches the interpreter counts
    (``enable`` and ``undo smart`` too; answers to a question or to a smart prompt do not), and so does every request
    over NETCONF (not its hello).
    """

    delay_s: float = 0.0
    """Seconds before each answer."""
    cut_before: int | None = None
    """Drop the connection when this command arrives; it is not executed."""
    cut_after: int | None = None
    """Execute this command, then drop the connection without an answer."""
    silent_after: int | None = None
    """Execute this command, never answer again in that session, keep the connection open."""
    garbage_after: int | None = None
    """Random bytes instead of the answer to this command; the prompt follows."""
    garbage_bytes: int = 120
    on_command: Watcher | None = None
    """Called with (number, line, "arrived") before and (number, line, "executed") after execution, before the answer.

    A ``ConnectionAbortedError`` raised by it drops the connection at that point.
    """
    busy: int = 0
    """So many changing commands from now on are refused as busy and do nothing."""
    alarm_before: set[int] = field(default_factory=set)
    """An alarm block is printed in the middle of the answers to these commands."""
    alarm_every: int = 0
    """The same for every n-th command; 0 is never."""
    alarm_eats: bool = False
    """The alarm comes while the command is being typed and swallows the first letter of a later word.

    Letters only: a swallowed digit would be another valid command. A line without such a word is left alone."""
    alarm_heeds_infoswitch: bool = False
    """Whether ``infoswitch cli OFF`` silences the alarms above, as it does on a device; else they come regardless."""
    reenter_limit: int | None = None
    """Sessions at once per user; ``None``: the scenario's limit."""
    locked_users: set[str] = field(default_factory=set)
    password_notice: bool | None = None
    """The warning after the first prompt, and a second prompt; ``None``: as the personality does."""
    pager: bool = True
    """Whether long answers stop at ``---- More`` or `` --More--``."""
    terminal_length_ignored: bool = False
    """Whether ZTE's ``terminal length 0`` is accepted without effect, as has been seen on a C600."""
    snmp_drop_every: int = 0
    """Every n-th SNMP request is not answered; 0 is never. Counted from 1, without the engine discovery of SNMPv3."""
    snmp_delay_s: float = 0.0
    """Seconds before each SNMP answer; one agent answers one request after another."""
    snmp_slow_columns_s: float = 0.0
    """Seconds for each ONU that an SNMP answer has to ask: optics, versions and ports come over OMCI."""
    snmp_max_repetitions: int | None = None
    """A GETBULK gets so many repetitions at most, and one that asks for none gets no answer; ``None``: no limit."""
    snmp_getnext_only: bool = False
    """Whether a GETBULK is never answered."""
    snmp_mangle: Mangle | None = None
    """What is wrong with SNMP answers: the second half is missing; the bindings come backwards (a single one repeats
    the OID that was asked); the request-id is another one; random bytes come first."""
    snmp_mangle_every: int = 1
    """Only every n-th request is answered so."""
    snmp_no_such: set[str] = field(default_factory=set)
    """OIDs of columns (or of whole trees) that this build does not have: no such object."""

    def alarm_at(self, number: int) -> bool:
        """Whether an alarm disturbs this command."""
        return number in self.alarm_before or (self.alarm_every > 0 and number % self.alarm_every == 0)
