"""Huawei SmartAX OLTs: MA5683T with V800R015, MA5800 with V100R022."""

from ponprobe.emulator.huawei.personality import PERSONALITIES, Personality
from ponprobe.emulator.huawei.shell import Shell

__all__ = ["PERSONALITIES", "Personality", "Shell"]
