"""An emulated OLT with both of its roads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from personalities import PERSONALITIES, Personality
from ponprobe import config, emulator
from ponprobe.connect import connect
from ponprobe.session.olt import Olt

Opener = Callable[..., Olt]


@pytest.fixture(params=[each for each in PERSONALITIES if each.snmp], ids=lambda personality: personality.id)
def personality(request: pytest.FixtureRequest) -> Personality:
    """Each emulated OLT in turn whose driver has a command line and SNMP."""
    chosen: Personality = request.param
    return chosen


@pytest.fixture
def emulated(personality: Any) -> Iterator[emulator.EmulatedOlt]:
    with emulator.serve(personality.lab) as lab:
        yield lab.olt


@pytest.fixture
def open_olt(personality: Any, emulated: emulator.EmulatedOlt, tmp_path: Path) -> Iterator[Opener]:
    """Connect; ``cli=False``: without a user; ``agent_of``: SNMP goes to this OLT."""
    with ExitStack() as stack:

        def open_it(*, cli: bool = True, agent_of: emulator.EmulatedOlt = emulated, **more: Any) -> Olt:
            agent = {"community": SecretStr(agent_of.snmp_community), "port": agent_of.snmp_port, "timeout_s": 0.5}
            user: dict[str, Any] = {
                "username": emulated.username,
                "password": SecretStr(emulated.password),
                "enable_password": SecretStr(emulated.enable_password),
                "access": personality.access,
                "port": personality.port_of(emulated),
            }
            olt = connect(
                emulated.host,
                platform=personality.platform,
                snmp=config.SnmpEntry(**{**agent, **more.pop("snmp", {})}),
                journal=str(tmp_path / "journal.sqlite3"),
                known_hosts=tmp_path / "known_hosts",
                online_timeout_s=20,
                samples=1,
                **(user if cli else {}),
                **more,
            )
            return stack.enter_context(olt)

        yield open_it
