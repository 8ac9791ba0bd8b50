"""How a family's connections begin: first Telnet bytes, login texts, what its terminal does. Data; no vendor here."""

from __future__ import annotations

from dataclasses import dataclass

from ponprobe.emulator.terminal import Habits

LOGIN_TRIES = 3


@dataclass(frozen=True)
class Access:
    """Texts are written as they stand, newlines as the device's line ends."""

    user_prompt: str
    password_prompt: str
    bad_login: str
    locked: str
    telnet_offers: bytes
    """Option negotiation that the device sends first."""
    ssh: Habits
    telnet: Habits
