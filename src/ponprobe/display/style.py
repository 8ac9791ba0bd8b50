"""The looks of everything that is shown: JupyterLab's and VS Code's colours where they are known, own ones elsewhere.

Paper and ink are always set together, so that text stays readable on a page that does not follow the system's theme.
A notebook's own theme counts more than the system's: the last two blocks say it again for both.
"""

from __future__ import annotations

from collections.abc import Mapping

from ponprobe.optics.palette import DARK, LIGHT, STATES

_PAPER = "var(--jp-layout-color0,var(--vscode-editor-background,{}))"


def _theme(selector: str, colours: Mapping[str, str]) -> str:
    """One theme: the variables of our own parts, and the level diagram that stands among them."""
    own = "".join(f"--pp-{name}:{colour};" for name, colour in colours.items())
    picture = f"{selector} .ponprobe-levels"
    paper = _PAPER.format(colours["paper"])
    marks = "".join(f"{picture} .{name}{{color:{colours[name]}}}" for name in STATES)
    return (
        f"{selector}{{{own}}}{picture}{{color:{colours['ink']}}}{picture} .paper{{fill:{paper}}}"
        f"{picture} .halo{{stroke:{paper}}}{marks}"
    )


_PARTS = """
.ponprobe.ponprobe{background:var(--jp-layout-color0,var(--vscode-editor-background,var(--pp-paper)));
color:var(--jp-content-font-color1,var(--vscode-editor-foreground,var(--pp-ink)));
font:13px/1.45 var(--jp-content-font-family,system-ui,'Segoe UI','Noto Sans','Noto Sans CJK SC','Microsoft YaHei',
'PingFang SC',sans-serif);padding:4px 2px;overflow-x:auto}
.ponprobe .pp-title{font-weight:600;font-size:14px;margin:0 0 4px}
.ponprobe p{margin:4px 0;max-width:110ch;overflow-wrap:anywhere}
.ponprobe ul{margin:4px 0;padding-left:20px}.ponprobe li{max-width:110ch;overflow-wrap:anywhere}
.ponprobe.ponprobe table{border-collapse:collapse;border:0;margin:6px 0;font-size:12.5px;table-layout:auto}
.ponprobe.ponprobe caption{caption-side:top;text-align:left;font-weight:600;padding:2px 0;color:inherit}
.ponprobe.ponprobe th,.ponprobe.ponprobe td{text-align:left;vertical-align:top;padding:2px 10px 2px 4px;border:0;
border-bottom:1px solid var(--jp-border-color2,var(--pp-line));max-width:44ch;overflow-wrap:anywhere;white-space:normal;
background:transparent;color:inherit}
.ponprobe.ponprobe thead th{font-weight:600;border-bottom:2px solid var(--jp-border-color1,var(--pp-soft))}
.ponprobe.ponprobe tbody th{font-weight:600}
.ponprobe.ponprobe .pp-short{white-space:nowrap}
.ponprobe.ponprobe .pp-num{text-align:right;font-variant-numeric:tabular-nums}
.ponprobe.ponprobe td.pp-num{white-space:nowrap}.ponprobe.ponprobe th{overflow-wrap:break-word}
.ponprobe.ponprobe .pp-act td{font-weight:600}
.ponprobe .pp-none{color:var(--pp-soft);white-space:normal}
.ponprobe .pp-badge{display:inline-block;border:1.5px solid currentColor;border-radius:9px;padding:0 8px;
font-weight:600;white-space:nowrap}
.ponprobe .pp-good{color:var(--pp-good)}.ponprobe .pp-near{color:var(--pp-near)}
.ponprobe .pp-bad{color:var(--pp-bad)}.ponprobe .pp-soft{color:var(--pp-soft)}
.ponprobe pre{background:transparent;color:inherit;font:12px/1.35 var(--jp-code-font-family,monospace);margin:2px 0 8px;
white-space:pre-wrap;overflow-wrap:anywhere}
.ponprobe.ponprobe td:has(>code){min-width:26ch}
.ponprobe code{background:transparent;color:inherit;font-family:var(--jp-code-font-family,monospace);padding:0}
.ponprobe details{margin:4px 0}.ponprobe summary{cursor:pointer}
.ponprobe svg.ponprobe-levels{display:block;width:100%;max-width:960px;height:auto;margin:6px 0}
"""

STYLE = (
    _theme(".ponprobe", LIGHT)
    + f"@media (prefers-color-scheme:dark){{{_theme('.ponprobe', DARK)}}}"
    + "".join(_theme(f"{where} .ponprobe", LIGHT) for where in ("[data-jp-theme-light='true']", ".vscode-light"))
    + "".join(_theme(f"{where} .ponprobe", DARK) for where in ("[data-jp-theme-light='false']", ".vscode-dark"))
    + " ".join(_PARTS.split())
    + "@media print{.ponprobe.ponprobe,.ponprobe .pp-badge,.ponprobe .pp-none{color:#000;background:#fff}}"
)
