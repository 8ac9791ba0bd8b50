"""Any OLT that follows the Broadband Forum's models (TR-383, TR-385), over NETCONF alone.

What is asked is in ``questions``, what an order needs in ``orders``, what is sent in ``payloads``, what proves it in
``standing``, what the OLT must list in ``detection``. A vendor that follows the models in its own way is a
``NetconfProfile``.

A test ONU is one transaction: it is there with everything, or not at all. So it is one ``Write``, and giving it a
service is none.
"""

from __future__ import annotations

from typing import ClassVar

from ponprobe.drivers import checks
from ponprobe.drivers.base import OltDriver
from ponprobe.drivers.bbf import detection, filters, orders, reading, standing
from ponprobe.drivers.bbf.payloads import Payloads, secrets_of
from ponprobe.drivers.bbf.questions import Questions, waiting
from ponprobe.drivers.bbf.services import macs, service_ports
from ponprobe.errors import NotFound
from ponprobe.flow import NetconfEdit, NetconfFlow, Routes, Write, write
from ponprobe.models.acceptance import (
    ActivationOrder,
    Created,
    CreatedOnu,
    Ownership,
    Registration,
    Residue,
)
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.netconf import NetconfProfile, NetconfSupport
from ponprobe.models.optical import OpticalReading
from ponprobe.models.parsed import Parsed
from ponprobe.models.service import ServicePort

_FDB_FEATURES = ("forwarding-databases",)


class BbfXpon(OltDriver):
    """The driver that all vendors share; ``support`` is what the OLT lists, ``None`` before it was asked."""

    platform: ClassVar[str] = "bbf_xpon"
    models: ClassVar[tuple[str, ...]] = ("TR-385",)

    def __init__(self, profile: NetconfProfile | None = None, support: NetconfSupport | None = None) -> None:
        self.profile = profile or NetconfProfile()
        self.support = support
        self.ask = Questions(self.profile, support)
        self._payloads = Payloads(self.ask.names, self.profile)

    def adapted_to(self, facts: OltFacts) -> BbfXpon:
        """The driver that knows what this OLT lists, and refuses what would need more."""
        return self if facts.netconf is None else BbfXpon(self.profile, facts.netconf)

    # ------------------------------------------------------------------ questions

    def facts(self) -> Routes[OltFacts]:
        return {"netconf": detection.facts(self.ask.names, self.profile)}

    def boards(self) -> Routes[tuple[Board, ...]]:
        return {"netconf": self.ask.boards()}

    def pon_ports(self) -> Routes[tuple[PonPort, ...]]:
        return {"netconf": self.ask.ports()}

    def pon_port(self, port: PonPort) -> Routes[PonPortState]:
        return {"netconf": self.ask.pon_port(port)}

    def discovered(self, port: PonPort | None = None) -> Routes[tuple[DiscoveredOnu, ...]]:
        return {"netconf": self.ask.discovered(port)}

    def onus(self, port: PonPort) -> Routes[tuple[OnuState, ...]]:
        return {"netconf": self.ask.onus(port)}

    def find(self, serial: Serial) -> Routes[OnuState | None]:
        return {"netconf": self.ask.find(serial)}

    def onu_state(self, onu: OnuRef) -> Routes[OnuState | None]:
        return {"netconf": self.ask.onu_state(onu)}

    def optical(self, onu: OnuRef) -> Routes[OpticalReading]:
        return {"netconf": self.ask.optical(onu)}

    def optical_port(self, port: PonPort) -> Routes[tuple[OpticalReading, ...]]:
        return {"netconf": self.ask.optical_port(port)}

    def optical_board(self, frame: int, slot: int) -> Routes[tuple[OpticalReading, ...]]:
        return {"netconf": self.ask.optical_board(frame, slot)}

    def service_ports(self, where: PonPort | OnuRef) -> Routes[tuple[ServicePort, ...]]:
        return {"netconf": service_ports(self.ask, where)}

    def macs(self, onu: OnuRef) -> Routes[tuple[MacEntry, ...]]:
        """No route where the OLT does not list forwarding databases."""
        if self.support is not None and not set(_FDB_FEATURES) <= set(self.support.features):
            return {}
        return {"netconf": macs(self.ask, onu)}

    # ------------------------------------------------------------------ before a change

    def prepare(self, order: ActivationOrder, mark: str) -> NetconfFlow[Registration]:
        orders.refuse_impossible(order, self.support)
        # an ONU that registers by password or LOID alone is told from others by nothing else
        v_ani_with_secrets = {**filters.V_ANI, **filters.SECRETS}
        whole: filters.Wanted = {
            **{key: content for each in filters.ports() for key, content in each.items()},
            "bbf-xponvani:v-ani": filters.V_ANI if order.auth.serial is not None else v_ani_with_secrets,
            "bbf-xponvani:olt-v-enet": None,
            **filters.TAGS,
        }
        # which interface is an Ethernet one is asked only where nobody says which one leads to the network
        uplink: filters.Wanted = {"name": self.profile.uplink} if self.profile.uplink else {"name": None, "type": None}
        gemtcont: filters.Wanted = {"bbf-xpongemtcont:xpongemtcont": filters.GEMTCONT}
        config = yield from self.ask.config(
            "everything that a test ONU needs", filters.interfaces(whole, uplink), gemtcont
        )
        termination = self.ask.known_port(config, order.port)
        pair, partition = termination.pair, config.partition_of(order.port)
        if pair is None or partition is None:
            raise NotFound(
                f"{termination.name} serves no channel pair with a channel partition",
                command=orders.QUESTION,
                refused="not_found",
                hint="the PON is not set up; have channel group, partition and pair configured",
            )
        known = orders.namesake(order.auth, config.v_anis.values())
        if known is not None:
            texts = yield from self.ask.config("descriptions", filters.interfaces(filters.described(known.name)))
            orders.refuse_known_onu(order, config.place_of(known), texts.v_anis.get(known.name, known))
        orders.refuse_method(order, config, partition)
        resolved = {"partition": partition, "pair": pair}
        if order.service_model != "none":
            resolved |= {
                "tcont_profile": orders.traffic_profile(order, config),
                "uplink": orders.uplink(self.profile, config),
            }
            orders.refuse_carried_vlans(order, config, resolved["uplink"])
            alloc_id, gemport_id = orders.free_numbers(order, config, partition)
            resolved |= {"alloc_id": str(alloc_id)} if self._lists("configurable-alloc-id") else {}
            resolved |= {"gemport_id": str(gemport_id)} if self._lists("configurable-gemport-id") else {}
        lists = yield from self.ask.presence()
        checks.refuse_other_port(order, waiting(config, lists, None), "get-data: ONUs present")
        place = orders.free_place(order, config, partition, lists)
        return Registration(order=order, onu=place, mark=mark, resolved=resolved)

    def _lists(self, feature: str) -> bool:
        return self.support is None or feature in self.support.features

    # ------------------------------------------------------------------ changes

    def register(self, registration: Registration) -> NetconfFlow[None]:
        mark, secrets = registration.mark, secrets_of(registration.order.auth)
        path = "" if registration.order.service_model == "none" else f" with {registration.order.vlans}"
        what = f"register test ONU {registration.onu} ({registration.order.auth}){path} as {mark}"
        owner = registration.ownership
        edit = NetconfEdit(
            what=what,
            config=self._payloads.create(registration),
            persist=mark,
            revoke_after_s=self.profile.revoke_after_s,
            secrets=secrets,
        )
        yield from write(Write(what=what, request=edit, creates=CreatedOnu(owner=owner), undo=(self._removal(owner),)))

    def add_service(self, registration: Registration) -> NetconfFlow[None]:
        """Nothing: the service came with the ONU, in the same transaction."""
        del registration
        yield from ()

    def _removal(self, owner: Ownership) -> NetconfEdit:
        modules = None if self.support is None else self.support.modules
        bare = modules is not None and not {"bbf-xpongemtcont", "bbf-l2-forwarding"} <= set(modules)
        return NetconfEdit(
            what=f"remove ONU {owner.onu} and all else that bears {owner.mark}",
            config=self._payloads.remove(owner.mark, bare=bare),
            persist=None,
            # a session that ended between the two halves of a confirmed commit leaves the first one pending
            ends=owner.mark,
        )

    def read_back(self, registration: Registration) -> NetconfFlow[OnuState]:
        return standing.read_back(self.ask, registration)

    def guard(self, owner: Ownership, created: tuple[Created, ...]) -> NetconfFlow[tuple[Created, ...]]:
        del created  # one transaction made it all: what bears our mark decides
        found = yield from standing.look(self.ask, owner)
        return (CreatedOnu(owner=owner),) if found.demand_ours() else ()

    def remove(self, owner: Ownership, present: tuple[Created, ...]) -> NetconfFlow[None]:
        for item in present:
            # 'remove' does not mind what is gone already: guard tells that something is ours, not which of the seven
            yield from write(Write(what=f"remove {item}", request=self._removal(owner), removes=item))

    def residue(self, owner: Ownership, created: tuple[Created, ...]) -> NetconfFlow[tuple[Residue, ...]]:
        del created
        found = yield from standing.look(self.ask, owner)
        return found.residue()

    # ------------------------------------------------------------------ reading without a device

    def parse(self, command: str | None, context: str | None, text: str) -> Parsed:
        """Read a stored reply; ``command`` and ``context`` say nothing that the reply does not."""
        del command, context
        return reading.parse(text, self.profile)
