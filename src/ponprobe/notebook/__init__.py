"""ponprobe in Jupyter: ``%load_ext ponprobe.notebook``, DataFrames with fixed types, plots.

Single values show themselves without this. The extension adds what IPython has to be told: tuples and lists of values
as tables, and test ONUs that are revoked when the kernel is shut down or restarted.
"""

from ponprobe.notebook.extension import load_ipython_extension, unload_ipython_extension
from ponprobe.notebook.frames import to_frame
from ponprobe.notebook.plots import plot_drift, plot_port, plot_sweep
from ponprobe.notebook.tree import TreeSplitter, plot_tree

__all__ = [
    "TreeSplitter",
    "load_ipython_extension",
    "plot_drift",
    "plot_port",
    "plot_sweep",
    "plot_tree",
    "to_frame",
    "unload_ipython_extension",
]
