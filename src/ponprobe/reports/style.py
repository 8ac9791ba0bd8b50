"""The look of an HTML report: light, dark and paper, without a font, a picture or a script from elsewhere."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--fg:#1b1f24;--soft:#57606a;--bg:#fff;--panel:#f6f8fa;--line:#d0d7de;--head:#1f4e79;
--pass:#116329;--pass-bg:#dafbe1;--marginal:#7d4e00;--marginal-bg:#fff8c5;--fail:#a40e26;--fail-bg:#ffebe9}
@media (prefers-color-scheme:dark){:root{--fg:#e6edf3;--soft:#9da7b1;--bg:#0d1117;--panel:#161b22;--line:#3d444d;
--head:#79c0ff;--pass:#7ee787;--pass-bg:#12361f;--marginal:#f2cc60;--marginal-bg:#3a2d05;--fail:#ffa198;
--fail-bg:#4b1113}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1360px;padding:24px;background:var(--bg);color:var(--fg);
font:14px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei","PingFang SC","WenQuanYi Zen Hei",sans-serif}
h1{font-size:24px;margin:0 0 4px}
h2{font-size:18px;margin:28px 0 8px;color:var(--head);border-bottom:2px solid var(--head)}
h3{font-size:16px;margin:0 0 6px;display:flex;gap:10px;align-items:baseline;flex-wrap:wrap;overflow-wrap:anywhere}
h4{font-size:13px;margin:12px 0 4px;color:var(--soft)}
p{margin:4px 0}a{color:inherit}
.soft{color:var(--soft)}
.badge{display:inline-block;padding:1px 9px;border-radius:10px;border:1px solid currentColor;font-weight:600;
font-size:13px;white-space:nowrap}
.pass{color:var(--pass);background:var(--pass-bg)}
.marginal{color:var(--marginal);background:var(--marginal-bg)}
.fail{color:var(--fail);background:var(--fail-bg)}
.none{color:var(--soft);background:var(--panel)}
.banner{padding:12px 16px;border-radius:8px;border:1px solid currentColor;margin:12px 0}
.banner b{font-size:18px;margin-right:10px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border:1px solid var(--line);padding:3px 6px;text-align:left;vertical-align:top;white-space:pre-wrap;
overflow-wrap:anywhere}
th{background:var(--panel);font-weight:600;overflow-wrap:normal}
.wide th{overflow-wrap:normal;white-space:normal;min-width:4.6em}
.overview{font-size:12px}.overview .badge{font-size:11px;padding:0 5px}.overview td,.overview th{padding:3px 5px}
.overview th:first-child{min-width:0}
.wide td{overflow-wrap:normal}
td.n,td.i{text-align:right;white-space:nowrap}
.wide td.w,.wide th.w{min-width:13em;overflow-wrap:anywhere;word-break:normal}
td.t,td.k{white-space:nowrap}
.facts th{width:17em}.facts td:nth-child(2){min-width:15em}
.open td:first-child,.open th:first-child{width:22em}
.limits td:nth-child(2),.decisions td:first-child,.decisions td:nth-child(2){white-space:nowrap}
.card{border:1px solid var(--line);border-radius:8px;padding:12px 14px;margin:14px 0;break-inside:avoid-page}
figure{margin:0}.card figure svg{display:block;width:100%;height:auto;margin:0}
.pair{display:grid;grid-template-columns:minmax(0,50%) minmax(0,1fr);gap:14px;align-items:start;margin:8px 0}
.next{border-left:4px solid var(--fail);padding:4px 10px;margin:6px 0;background:var(--panel)}
.next ol{margin:2px 0;padding-left:20px}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(225px,1fr));gap:0 14px;margin:0;font-size:12.5px}
dl .badge{font-size:11.5px;padding:0 6px}
dl div{display:flex;gap:8px;border-bottom:1px dotted var(--line);padding:1px 0}
dt{color:var(--soft);flex:0 0 46%}dl .w{grid-column:1/-1}dl .w dt{flex-basis:11em}
dd{margin:0;flex:1;min-width:0;white-space:pre-wrap;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.photos{display:flex;flex-wrap:wrap;gap:12px}
.photos figure{margin:0;width:200px;font-size:12px;overflow-wrap:anywhere}
.photos img,.photos .blank{display:block;width:200px;height:150px;object-fit:contain;border:1px solid var(--line);
background:var(--panel)}
.photos .blank{display:flex;align-items:center;justify-content:center;color:var(--soft);text-align:center;padding:8px}
.warn{color:var(--marginal)}
.sign td{height:52px}
@media (max-width:900px){.pair{grid-template-columns:minmax(0,1fr)}.pair figure:has(>svg){overflow-x:auto}
.pair figure>svg{min-width:600px}}
@media screen and (max-width:640px){body{padding:12px}.facts,.facts tbody,.facts tr,.facts th,.facts td{display:block}
.facts th,.facts td:nth-child(2){width:auto;min-width:0}.facts th,.facts td{border:0;padding:1px 4px}
.facts tr{border:1px solid var(--line);border-width:0 0 1px;padding:4px 0}.facts th{background:none;color:var(--soft)}
.facts td:empty,.facts td:has(bdi:empty){display:none}.open td:first-child,.open th:first-child{width:40%}}
footer{margin-top:24px;font-size:12px;color:var(--soft);border-top:1px solid var(--line);padding-top:6px}
@page{size:A4 landscape;margin:12mm}
@media print{:root{color-scheme:light;--fg:#000;--soft:#444;--bg:#fff;--panel:#f3f3f3;--line:#999;--head:#1f4e79;
--pass:#116329;--pass-bg:#fff;--marginal:#7d4e00;--marginal-bg:#fff;--fail:#a40e26;--fail-bg:#fff}
body{max-width:none;padding:0;font-size:10.5px}
h2{break-after:avoid;font-size:15px;margin:14px 0 6px}h3,h4{break-after:avoid;margin:4px 0 2px}h3{font-size:13px}
thead{display:table-header-group}tr,.next,.photos figure{break-inside:avoid}
.card{padding:6px 8px;margin:6px 0;font-size:9.5px;line-height:1.35}
.pair{grid-template-columns:minmax(0,44%) minmax(0,1fr);gap:8px;margin:3px 0}
dl{grid-template-columns:repeat(3,1fr);gap:0 8px;font-size:7.4px;line-height:1.2}
dl .badge,.history .badge{font-size:7.6px;padding:0 4px}.badge{font-size:10.5px}.history{font-size:8px}
.photos figure{width:112px;font-size:7.6px;line-height:1.25}.photos img,.photos .blank{width:112px;height:76px}
.wide{overflow:visible}.overview{font-size:9px}.overview .badge{font-size:9px;padding:0 4px}.sign td{height:40px}
a{text-decoration:none}a.to{display:none}}
"""
