"""Every command, in the order of the help."""

from ponprobe.app import acceptance, questions, standalone
from ponprobe.app.root import app

__all__ = ["acceptance", "app", "questions", "standalone"]
