"""One test ONU, one splitter at a time: which orders can be measured together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from ponprobe.errors import ConfigError
from ponprobe.models.acceptance import ActivationOrder


def waves(orders: Iterable[ActivationOrder]) -> tuple[tuple[ActivationOrder, ...], ...]:
    """Split orders so that no test ONU stands twice in one wave; the order is kept.

    One device cannot be behind two splitters: somebody has to plug it in elsewhere between two waves, so
    ``measure_batch`` takes one wave at a time and never goes on to the next by itself.
    """
    found: list[list[ActivationOrder]] = []
    uses: dict[Hashable, int] = defaultdict(int)
    for order in orders:
        device = _device_of(order)
        if uses[device] == len(found):
            found.append([])
        found[uses[device]].append(order)
        uses[device] += 1
    return tuple(map(tuple, found))


def _device_of(order: ActivationOrder) -> Hashable:
    """By what the device that an order needs is known: two orders with the same need the same device."""
    auth = order.auth
    if auth.serial is not None:
        return "serial", auth.serial
    if auth.loid is not None:
        return "loid", auth.loid.value.get_secret_value()
    if auth.password is not None:
        return "password", auth.password.value.get_secret_value()
    return "mac", auth.mac


def refuse_twins(orders: Sequence[ActivationOrder]) -> None:
    """Raise ``ConfigError`` that names both orders if two need the same test ONU; secrets are not shown."""
    seen: dict[Hashable, int] = {}
    for index, order in enumerate(orders):
        first = seen.setdefault(_device_of(order), index)
        if first != index:
            before, places = orders[first], f"orders {first + 1} and {index + 1} of the batch"
            raise ConfigError(
                f"{places} ({before.splitter or before.port} and {order.splitter or order.port}) need the same test "
                f"ONU, {order.auth}: one device cannot be behind two splitters at once; nothing was sent",
                hint="use another test ONU, or measure in waves (ponprobe.session.batch.waves) and move it in between",
            )
