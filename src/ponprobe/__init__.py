"""Accept newly built fibre-to-the-home plant by asking the network itself.

>>> import ponprobe
>>> with ponprobe.connect("lab") as olt:          # doctest: +SKIP
...     for onu in olt.discovered():
...         print(onu.port, onu.serial)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ponprobe._version import __version__

if TYPE_CHECKING:
    from ponprobe.connect import connect as connect
    from ponprobe.errors import PonprobeError as PonprobeError
    from ponprobe.evaluate import CONSTRUCTION as CONSTRUCTION
    from ponprobe.evaluate import USER_SIDE as USER_SIDE
    from ponprobe.evaluate import judge as judge
    from ponprobe.evaluate import link_loss as link_loss
    from ponprobe.evaluate import load_threshold_sets as load_threshold_sets
    from ponprobe.evaluate import rejudge as rejudge
    from ponprobe.models.acceptance import ActivationOrder as ActivationOrder
    from ponprobe.models.addressing import Loid as Loid
    from ponprobe.models.addressing import OnuAuth as OnuAuth
    from ponprobe.models.addressing import OnuRef as OnuRef
    from ponprobe.models.addressing import Password as Password
    from ponprobe.models.addressing import PonPort as PonPort
    from ponprobe.models.addressing import Serial as Serial
    from ponprobe.models.judgement import Band as Band
    from ponprobe.models.judgement import JudgeOptions as JudgeOptions
    from ponprobe.models.judgement import Outcome as Outcome
    from ponprobe.models.judgement import Policy as Policy
    from ponprobe.models.judgement import ThresholdSet as ThresholdSet
    from ponprobe.models.judgement import Verdict as Verdict
    from ponprobe.models.optical import Db as Db
    from ponprobe.models.optical import Dbm as Dbm
    from ponprobe.models.optical import OpticalReading as OpticalReading
    from ponprobe.models.optical import Reading as Reading
    from ponprobe.models.plant import Calibration as Calibration
    from ponprobe.models.plant import PlantRecord as PlantRecord
    from ponprobe.models.run import MeasureResult as MeasureResult
    from ponprobe.models.service import ProfileRef as ProfileRef
    from ponprobe.models.service import VlanStack as VlanStack
    from ponprobe.optics.calibration import calibrate as calibrate
    from ponprobe.optics.comparison import compare as compare
    from ponprobe.optics.diagram import level_diagram as level_diagram
    from ponprobe.optics.explain import explain as explain
    from ponprobe.optics.plant import expected_loss as expected_loss
    from ponprobe.optics.siblings import siblings as siblings
    from ponprobe.session.olt import Olt as Olt
    from ponprobe.session.test_onu import TestOnu as TestOnu

# loaded when first used: an integrator who only needs the models does not pay for the rest
_WHERE = {
    "ActivationOrder": "models.acceptance",
    "Band": "models.judgement",
    "CONSTRUCTION": "evaluate",
    "Calibration": "models.plant",
    "Db": "models.optical",
    "Dbm": "models.optical",
    "JudgeOptions": "models.judgement",
    "Loid": "models.addressing",
    "MeasureResult": "models.run",
    "Olt": "session.olt",
    "OnuAuth": "models.addressing",
    "OnuRef": "models.addressing",
    "OpticalReading": "models.optical",
    "Outcome": "models.judgement",
    "Password": "models.addressing",
    "PlantRecord": "models.plant",
    "Policy": "models.judgement",
    "PonPort": "models.addressing",
    "PonprobeError": "errors",
    "ProfileRef": "models.service",
    "Reading": "models.optical",
    "Serial": "models.addressing",
    "TestOnu": "session.test_onu",
    "ThresholdSet": "models.judgement",
    "USER_SIDE": "evaluate",
    "Verdict": "models.judgement",
    "VlanStack": "models.service",
    "calibrate": "optics.calibration",
    "compare": "optics.comparison",
    "connect": "connect",
    "expected_loss": "optics.plant",
    "explain": "optics.explain",
    "judge": "evaluate",
    "level_diagram": "optics.diagram",
    "link_loss": "evaluate",
    "load_threshold_sets": "evaluate",
    "rejudge": "evaluate",
    "siblings": "optics.siblings",
}

__all__ = ["__version__", *sorted(_WHERE)]  # noqa: PLE0604 - all are strings

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only needed here

    value = globals()[name] = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
