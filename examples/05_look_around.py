"""Look around on an OLT without changing anything: what waits, what is registered, which ONUs are weak.

::

    python examples/05_look_around.py OLT PORT
"""

from __future__ import annotations

import sys

import ponprobe


def main(olt_name: str, port: str) -> None:
    """Print discovered ONUs, and every ONU of a port with its powers and losses, weakest first."""
    with ponprobe.connect(olt_name) as olt:
        facts = olt.facts()
        print(f"{olt.name}: {facts.model} {facts.version}")
        for waiting in olt.discovered():
            print(f"  waiting on {waiting.port}: {waiting.serial} ({waiting.model or 'unknown model'})")
        names = {state.onu: state.description for state in olt.onus(port)}
        readings = olt.optical_port(port)

    def weakness(reading: ponprobe.OpticalReading) -> float:
        value = reading.onu_rx_dbm.value
        return float("inf") if value is None else float(value)

    for reading in sorted(readings, key=weakness):
        loss = ponprobe.link_loss(reading)
        print(
            f"  {reading.onu}  ONU Rx {reading.onu_rx_dbm}  OLT Rx {reading.olt_rx_dbm}  "
            f"down {loss.downstream_attenuation_db or '-'}  up {loss.upstream_attenuation_db or '-'}  "
            f"{names.get(reading.onu) or ''}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
