"""Sessions: an OLT that answers questions, a test ONU that is always taken away again."""

from ponprobe.session.olt import Olt
from ponprobe.session.test_onu import TestOnu

__all__ = ["Olt", "TestOnu"]
