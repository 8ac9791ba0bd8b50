"""The drivers, by platform name. Third parties add theirs with an entry point in the group ``ponprobe.drivers``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from ponprobe.errors import DriverNotFound

if TYPE_CHECKING:
    from ponprobe.drivers.base import OltDriver
    from ponprobe.models.netconf import NetconfProfile

_BUILT_IN = {
    "bbf_xpon": "ponprobe.drivers.bbf.driver:BbfXpon",
    "huawei_smartax": "ponprobe.drivers.huawei.driver:HuaweiSmartAX",
    "zte_titan": "ponprobe.drivers.zte.driver:ZteTitan",
    "zte_zxan": "ponprobe.drivers.zte.driver:ZteZxan",
}


def platforms() -> tuple[str, ...]:
    """Every platform name that has a driver, sorted."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group="ponprobe.drivers"))}))


def driver_for(platform: str) -> OltDriver:
    """Make the driver of a platform; ``DriverNotFound`` names those that exist."""
    target = _BUILT_IN.get(platform)
    if target is None:
        for point in entry_points(group="ponprobe.drivers", name=platform):
            target = point.value
    if target is None:
        raise DriverNotFound(f"no driver for platform {platform!r}", hint=f"known are: {', '.join(platforms())}")
    module, _, name = target.partition(":")
    driver: OltDriver = getattr(import_module(module), name)()
    return driver


def netconf_driver_for(driver: OltDriver, profile: NetconfProfile) -> OltDriver:
    """What speaks NETCONF to a family's devices: its own driver, else the one for the Broadband Forum's models."""
    own = driver.netconf_driver(profile)
    if own is not None:
        return own
    # by name, as in driver_for: the registry imports no driver
    shared: OltDriver = import_module("ponprobe.drivers.bbf.driver").BbfXpon(profile)
    return shared
