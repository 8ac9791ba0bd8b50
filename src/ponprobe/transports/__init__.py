"""Roads to a device: bytes and packets, no vendor names. What a device says and means is in its dialect."""

from ponprobe.transports.base import CliTransport

__all__ = ["CliTransport"]
