"""Frozen values: what is asked for, what devices say, what it means."""
