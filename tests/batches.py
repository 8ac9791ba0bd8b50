"""Several test ONUs on one emulated OLT, each plugged in, with an order for each: what the batch suites share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from personalities import Personality
from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.emulator.scenario import OntSpec
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, PonPort, Serial
from ponprobe.models.service import VlanStack
from ponprobe.session.olt import Olt


@dataclass(frozen=True)
class Many:
    """An OLT's scenario with as many test ONUs as orders, in turn on two ports (or all on one)."""

    personality: Personality
    scenario: emulator.Scenario
    orders: tuple[ActivationOrder, ...]

    def connected(self, olt: emulator.EmulatedOlt, folder: Path, **settings: object) -> Olt:
        return connect(
            olt.host,
            platform=self.personality.platform,
            username=olt.username,
            password=SecretStr(olt.password),
            enable_password=SecretStr(olt.enable_password),
            access=self.personality.access,
            port=self.personality.port_of(olt),
            journal=str(folder / "journal.sqlite3"),
            known_hosts=folder / "known_hosts",
            **{"online_timeout_s": 60, "samples": 2, **settings},  # type: ignore[arg-type]
        )


def many(personality: Personality, count: int, *, ports: int = 2, unplugged: tuple[int, ...] = ()) -> Many:
    """``count`` orders for ``count`` different ONUs; those whose index is in ``unplugged`` are nowhere."""
    scenario = personality.lab
    (spec,) = scenario.olts
    orders = []
    for index in range(count):
        name = (personality.port, personality.elsewhere)[index % ports]
        port = PonPort.parse(name)
        serial = Serial(f"{personality.serial[:4]}0D{index:06X}")
        if index not in unplugged:
            like = spec.ports[str(port)].onts[0] if spec.ports[str(port)].onts else None
            splitter = like.splitter if like is not None else spec.ports[str(port)].splitters[-1].name
            spec.ports[str(port)].onts.append(
                OntSpec(
                    serial=serial,
                    splitter=splitter,
                    rx_bias_db=0.1,
                    tx_bias_db=0.0,
                    online_after_s=0.0,
                    macs=(f"00e0-fcdd-{index:04x}",),
                )
            )
        orders.append(
            personality.order.model_copy(
                update={
                    "port": port,
                    "auth": OnuAuth(serial=serial),
                    "vlans": VlanStack(svlan=personality.svlan, cvlan=personality.cvlan + index),
                    "splitter": f"分光器 {index + 1}",
                }
            )
        )
    return Many(personality, scenario, tuple(orders))
