"""Measure one splitter from your own program: activate a test ONU, read, judge, revoke, prove.

Run it with a ``ponprobe.toml`` that knows the OLT::

    python examples/01_measure.py OLT PORT SERIAL SVLAN CVLAN
    python examples/01_measure.py lab 0/1/3 HWTC0B086EA9 100 3901
"""

from __future__ import annotations

import sys

import ponprobe


def main(olt_name: str, port: str, serial: str, svlan: str, cvlan: str) -> int:
    """Measure, print what an acceptance record needs, and tell by the exit code."""
    order = ponprobe.ActivationOrder(
        port=ponprobe.PonPort.parse(port),
        auth=ponprobe.OnuAuth(serial=ponprobe.Serial(serial)),
        vlans=ponprobe.VlanStack(svlan=int(svlan), cvlan=int(cvlan)),
        line_profile=ponprobe.ProfileRef(id=20),
        service_profile=ponprobe.ProfileRef(id=20),
        splitter="Splitter 7, riser 2",
    )
    with ponprobe.connect(olt_name) as olt:
        result = olt.measure(order, thresholds=ponprobe.CONSTRUCTION, samples=3)

    verdict = result.verdict
    assert verdict is not None  # noqa: S101 - a result that was returned has been judged
    for name, reading in verdict.reading.powers.items():
        print(f"{name:12} {reading}")
    print("downstream  ", verdict.loss.downstream_attenuation_db or verdict.loss.downstream_absence)
    print("upstream    ", verdict.loss.upstream_attenuation_db or verdict.loss.upstream_absence)
    print("verdict     ", verdict.outcome.label, "-", verdict.judgements[0].reason)
    print("device clean", result.clean)
    return 0 if verdict.passed and result.clean else 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
