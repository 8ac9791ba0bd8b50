"""ZTE OLTs: C300 with ZXAN V1.2, C320 with ZXAN V2.1, C600 with TITAN V2.0."""

from ponprobe.emulator.zte.personality import PERSONALITIES, Personality
from ponprobe.emulator.zte.shell import Shell

__all__ = ["PERSONALITIES", "Personality", "Shell"]
