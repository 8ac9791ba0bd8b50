"""SNMP of the emulated OLTs (v2c and v3, read-only), and of recorded walks: :func:`serve_walk`."""

from ponprobe.emulator.snmp.agent import Agent, Engine, Request
from ponprobe.emulator.snmp.usm import SnmpUser
from ponprobe.emulator.snmp.walk import Recording, WalkError, read_walk, serve_walk

__all__ = ["Agent", "Engine", "Recording", "Request", "SnmpUser", "WalkError", "read_walk", "serve_walk"]
