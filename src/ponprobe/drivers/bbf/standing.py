"""What stands on a device under our names and in our place: what proves a registration, a guard and a removal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ponprobe.drivers.bbf import filters
from ponprobe.drivers.bbf.payloads import Ours, registration_id
from ponprobe.drivers.bbf.questions import Questions
from ponprobe.drivers.bbf.running import Running, VAni
from ponprobe.errors import AlreadyExists, NotOurs, Rejected
from ponprobe.flow import NetconfFlow
from ponprobe.models.acceptance import MARK_PREFIX, Ownership, Registration, Residue
from ponprobe.models.addressing import OnuAuth, OnuRef
from ponprobe.models.device import OnuState


@dataclass(frozen=True)
class Standing:
    """What one reply showed: everything under our names, whoever has our place, whoever has our serial."""

    owner: Ownership
    ours: Ours
    config: Running

    @cached_property
    def v_ani(self) -> VAni | None:
        """The ONU under our name."""
        return self.config.v_anis.get(self.ours.v_ani)

    @property
    def is_ours(self) -> bool:
        """Whether the ONU under our name is ours, by mark and serial."""
        return self.v_ani is not None and self.owner.matches(
            description=self.v_ani.description, serial=self.v_ani.serial
        )

    @cached_property
    def leftovers(self) -> tuple[str, ...]:
        """What stands there under our other names; a name that is in the list holds our mark."""
        here: list[str] = [name for name in self.ours.interfaces[:-1] if name in self.config.types]
        here += [name for name in (self.ours.tcont,) if name in self.config.tconts]
        here += [name for name in (self.ours.gemport,) if name in self.config.gems]
        here += [name for name in (self.ours.forwarder,) if name in self.config.forwarders]
        return tuple(here)

    @property
    def strangers(self) -> list[VAni]:
        """Other ONUs in our place."""
        return [onu for onu in self.config.onu_at(self.owner.onu) if onu.name != self.ours.v_ani]

    @property
    def namesakes(self) -> list[VAni]:
        """Other ONUs with our serial."""
        if self.owner.serial is None:
            return []
        named = [onu for onu in self.config.v_anis.values() if onu.serial == self.owner.serial]
        return [onu for onu in named if onu.name != self.ours.v_ani]

    def demand_ours(self) -> bool:
        """Whether anything of ours is there; ``NotOurs`` if there is not, and somebody else's is."""
        if self.v_ani is not None and not self.is_ours:
            raise NotOurs(
                f"{_told(self.v_ani, self.owner.onu)} is not our {self.owner.mark}", hint="it was left untouched"
            )
        if self.v_ani is not None or self.leftovers:
            return True
        if self.strangers:
            raise NotOurs(
                f"{_told(self.strangers[0], self.owner.onu)} is not our {self.owner.mark}", hint="it was left untouched"
            )
        return False

    def residue(self) -> tuple[Residue, ...]:
        """Everything that is there, ours or not."""
        where = str(self.owner.onu)
        left = [Residue(what=f"{name}, which bears our mark", ours=True, where=where) for name in self.leftovers]
        if self.v_ani is not None:
            left.insert(0, Residue(what=_told(self.v_ani, self.owner.onu), ours=self.is_ours, where=where))
        left += [Residue(what=_told(onu, self.owner.onu), ours=False, where=where) for onu in self.strangers]
        for onu in self.namesakes:
            if onu not in self.strangers:
                place = self.config.place_of(onu)
                what = f"serial {self.owner.serial} configured as {onu.name} with description {onu.description!r}"
                ours = (onu.description or "").startswith(self.owner.mark)
                left.append(Residue(what=what, ours=ours, where=str(place or onu.name)))
        return tuple(left)


def look(ask: Questions, owner: Ownership, *, secrets: bool = False) -> NetconfFlow[Standing]:
    """Read everything that may be ours or in our way, in one request and a second for descriptions of others."""
    ours = Ours.of(ask.profile, owner.mark)
    wanted: list[filters.Wanted] = [{"name": each} for each in ours.interfaces[:-1]]
    wanted.append(filters.described(ours.v_ani, secrets=secrets))
    wanted += [*filters.ports(), filters.by_onu_id(owner.onu.onu_id)]
    wanted += filters.by_serial(owner.serial) if owner.serial is not None else []
    trees: list[filters.Wanted] = [filters.interfaces(*wanted)]
    lists = {"tconts": {"tcont": {"name": ours.tcont}}, "gemports": {"gemport": {"name": ours.gemport}}}
    trees.append({"bbf-xpongemtcont:xpongemtcont": lists})
    trees.append({"bbf-l2-forwarding:forwarding": {"forwarders": {"forwarder": {"name": ours.forwarder}}}})
    config = yield from ask.config(f"what bears {owner.mark}, and ONU {owner.onu}", *trees)
    standing = Standing(owner, ours, config)
    others = [onu for onu in (*standing.strangers, *standing.namesakes) if onu.description is None]
    if others:
        named = (filters.described(onu.name) for onu in others)
        texts = yield from ask.config("descriptions", filters.interfaces(*named))
        config.v_anis.update(texts.v_anis)
    return Standing(owner, ours, config)


def read_back(ask: Questions, registration: Registration) -> NetconfFlow[OnuState]:
    """Hold what the device has against the registration.

    Raises ``AlreadyExists`` if somebody took the same place or registered the same serial meanwhile: a device may take
    both, and only one of the two ONUs will work. Raises ``Rejected`` for any other difference.
    """
    standing = yield from look(ask, registration.ownership, secrets=bool(registration.order.auth.secrets))
    place, onu = registration.onu, standing.v_ani
    if onu is None:
        raise _differs(f"ONU {place} was accepted but {standing.ours.v_ani} is not there")
    if standing.strangers:
        raise AlreadyExists(
            f"ONU-ID {place.onu_id} on {place.port} is taken: {_told(standing.strangers[0], place)}",
            command=_READING_BACK,
            refused="already_exists",
            hint="take another ONU-ID",
        )
    if standing.namesakes:
        other = standing.namesakes[0]
        raise AlreadyExists(
            f"serial {onu.serial} is registered twice: {_told(other, standing.config.place_of(other))}, too",
            command=_READING_BACK,
            refused="already_exists",
            hint="have one of the two removed",
        )
    _compare_onu(registration, onu, standing)
    _compare_service(registration, standing)
    order = registration.order
    return OnuState(onu=place, serial=onu.serial or order.auth.serial, description=onu.description)


_READING_BACK = "reading back the test ONU"


def _compare_onu(registration: Registration, onu: VAni, standing: Standing) -> None:
    auth, resolved = registration.order.auth, registration.resolved
    differences = {
        "description": (onu.description, registration.device_description),
        "onu-id": (onu.onu_id, registration.onu.onu_id),
        "channel-partition": (onu.partition, resolved["partition"]),
        "preferred-channel-pair": (onu.pair, resolved["pair"]),
        "expected-serial-number": (onu.serial, auth.serial),
    }
    for leaf, (found, wanted) in differences.items():
        if found != wanted:
            raise _differs(f"{leaf} of {standing.ours.v_ani} is {found}, not {wanted}")
    if not _same_secrets(onu, auth):
        raise _differs(f"{standing.ours.v_ani} does not register by the password or LOID of the order")


def _same_secrets(onu: VAni, auth: OnuAuth) -> bool:
    password = "" if auth.password is None else registration_id(auth.password.value.get_secret_value())
    loid = None if auth.loid is None else auth.loid.value.get_secret_value()
    return (onu.registration_id or "").lower() == password and onu.loid == loid


def _compare_service(registration: Registration, standing: Standing) -> None:
    order, config, ours = registration.order, standing.config, standing.ours
    if order.service_model == "none" or order.vlans is None:
        return
    stack = (str(order.vlans.svlan), str(order.vlans.cvlan))
    user, network = config.sub_interfaces.get(ours.user), config.sub_interfaces.get(ours.network)
    entering = () if order.native_vlan else (str(order.user_vlan or order.vlans.cvlan),)
    wanted_user = [(rule.untagged, rule.matched, rule.pushed) for rule in user.rules] if user is not None else []
    if wanted_user != [(order.native_vlan, entering, stack)]:
        raise _differs(f"{ours.user} does not push {order.vlans} as requested")
    if network is None or [rule.matched for rule in network.rules] != [stack]:
        raise _differs(f"{ours.network} does not match {order.vlans}")
    chain = {
        ours.v_enet: (config.v_enets.get(ours.v_enet), ours.v_ani),
        ours.user: (None if user is None else user.lower, ours.v_enet),
        ours.network: (network.lower, registration.resolved["uplink"]),
        ours.tcont: (config.tconts[ours.tcont].interface if ours.tcont in config.tconts else None, ours.v_ani),
        ours.gemport: (config.gems[ours.gemport].interface if ours.gemport in config.gems else None, ours.v_enet),
    }
    for name, (found, wanted) in chain.items():
        if found != wanted:
            raise _differs(f"{name} stands on {found}, not on {wanted}")
    if set(config.forwarders.get(ours.forwarder, {}).values()) != {ours.user, ours.network}:
        raise _differs(f"{ours.forwarder} does not join {ours.user} and {ours.network}")


def _differs(message: str) -> Rejected:
    return Rejected(message, command=_READING_BACK, hint="read the OLT before trying again")


def _told(onu: VAni, place: OnuRef | None) -> str:
    mark = " of a test run" if (onu.description or "").startswith(MARK_PREFIX) else ""
    return f"ONU {place or '(no place)'}{mark} ({onu.name}, {onu.serial or 'no serial'}, {onu.description!r})"
