"""Every command, in the order of the help."""

from ponprobe.app import acceptance, judging, project, questions, standalone, sweep
from ponprobe.app.root import app

__all__ = ["acceptance", "app", "judging", "project", "questions", "standalone", "sweep"]
