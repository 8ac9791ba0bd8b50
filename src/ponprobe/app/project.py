"""``ponprobe project``: the acceptance process on the command line, in the order of its help."""

# ruff: noqa: I001 - the order of the imports is the order of the help

from ponprobe.app import project_import, project_look, project_batch, project_results, project_decide, project_report

__all__ = ["project_batch", "project_decide", "project_import", "project_look", "project_report", "project_results"]
