"""Public objects as HTML, for notebooks: no IPython, no script, no network, no device asked, no secret shown.

Every model shows itself when a cell ends with it (``Value._repr_html_`` comes here). Text from devices and engineering
data is escaped, the picture follows JupyterLab's and VS Code's themes, and no meaning hangs on a colour alone.
"""

from ponprobe.display.objects import olt_html, onu_html
from ponprobe.display.views import html_of, table_of

__all__ = ["html_of", "olt_html", "onu_html", "table_of"]
