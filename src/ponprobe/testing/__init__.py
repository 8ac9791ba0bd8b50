"""For third parties: the contract that every driver must keep, as tests to inherit. Needs pytest."""

from ponprobe.testing.contract import Device, DriverContract, Fault

__all__ = ["Device", "DriverContract", "Fault"]
