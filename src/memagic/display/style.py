"""The style sheet of the HTML report.

No colour is set: rules and muted words are shades of the page's own text colour, so that light and
dark themes both work. Selectors name the element too, to win over the notebook's own table styles.
"""

from __future__ import annotations

__all__ = ["STYLE"]

_RULES = """
.memagic-report{max-width:100%;line-height:1.4;font-variant-numeric:tabular-nums lining-nums;
 --memagic-rule:currentColor;--memagic-hair:currentColor}
@supports (color:color-mix(in srgb,currentColor,transparent)){.memagic-report{
 --memagic-rule:color-mix(in srgb,currentColor 70%,transparent);
 --memagic-hair:color-mix(in srgb,currentColor 25%,transparent)}}
.memagic-report p{margin:.35em 0}
.memagic-report p.memagic-title{font-size:1.15em;font-weight:600;margin:.2em 0 .5em}
.memagic-report p.memagic-note{max-width:46em;font-size:.92em;opacity:.8}
.memagic-report p.memagic-lr{display:flex;flex-wrap:wrap;gap:.1em 2em;margin:.6em 0 .35em}
.memagic-report .memagic-facts{display:flex;flex-wrap:wrap;align-items:flex-start;
 gap:.6em 3.5em;margin:0 0 .8em}
.memagic-report .memagic-facts dl{display:grid;grid-template-columns:auto auto;gap:.1em 1.2em;margin:0;
 padding:0;width:auto;float:none;overflow:visible}
.memagic-report .memagic-facts dl dt,.memagic-report .memagic-facts dl dd{margin:0;padding:0;width:auto;
 float:none;clear:none;white-space:nowrap;font-weight:400;text-align:left}
.memagic-report .memagic-facts dl dt{opacity:.7}
.memagic-report .memagic-facts dl.memagic-numbers dd{text-align:right}
.memagic-report .memagic-scroll{max-width:100%;overflow-x:auto}
.memagic-report table.memagic-table{border-collapse:collapse;border:0;margin:0;width:auto;table-layout:auto;
 font-size:1em;background:none;color:inherit;border-top:2px solid var(--memagic-rule);
 border-bottom:2px solid var(--memagic-rule)}
.memagic-report table.memagic-table caption{position:absolute;width:1px;height:1px;overflow:hidden;
 clip-path:inset(50%);white-space:nowrap}
.memagic-report table.memagic-groups{margin:0 0 .8em}
.memagic-report table.memagic-groups caption{position:static;width:auto;height:auto;clip-path:none;
 caption-side:top;text-align:left;padding:0 0 .3em;opacity:.7;color:inherit}
.memagic-report table.memagic-table tr,.memagic-report table.memagic-table tbody tr:nth-child(n){
 background:none;border:0}
.memagic-report table.memagic-table th,.memagic-report table.memagic-table td{border:0;padding:.14em .8em;
 text-align:right;vertical-align:baseline;white-space:nowrap;font-weight:400;background:none;max-width:none}
.memagic-report table.memagic-table thead th{font-weight:600;vertical-align:bottom;padding-top:.35em;
 padding-bottom:.35em}
.memagic-report table.memagic-table th:first-child{text-align:left;padding-left:.2em;padding-right:1.6em}
.memagic-report table.memagic-table thead th.memagic-interval{text-align:center}
.memagic-report table.memagic-table tbody{border-top:1px solid var(--memagic-hair)}
.memagic-report table.memagic-table thead+tbody{border-top:1px solid var(--memagic-rule)}
.memagic-report table.memagic-table tbody tr:first-child>*{padding-top:.4em}
.memagic-report table.memagic-table tbody tr:last-child>*{padding-bottom:.4em}
.memagic-report table.memagic-table tr.memagic-gap>*{padding-top:.55em}
.memagic-report table.memagic-table tr.memagic-in>th:first-child{padding-left:1.5em}
.memagic-report table.memagic-table tr.memagic-below>td{padding-top:0;opacity:.8}
.memagic-report table.memagic-table th.memagic-group{font-style:italic}
.memagic-report table.memagic-table td.memagic-word{text-align:left;opacity:.7}
.memagic-report details.memagic-log{margin:.3em 0 .7em;font-size:.92em}
.memagic-report details.memagic-log summary{cursor:pointer;opacity:.7}
.memagic-report details.memagic-log pre{margin:.3em 0 0;padding:0 0 0 1.1em;background:none;border:0;
 color:inherit;overflow-x:auto;line-height:1.35}
@media print{.memagic-report .memagic-scroll{overflow:visible}
 .memagic-report details.memagic-log:not([open]){display:none}
 .memagic-report tr{break-inside:avoid}}
"""

# A number with n decimals fewer than its column has is shifted left by n digits, so that points line up.
_SHIFTS = "".join(
    f".memagic-report table.memagic-table td.memagic-s{n}{{padding-right:calc(.8em + {n}ch)}}\n"
    for n in range(1, 10)
)

STYLE = _RULES.replace("\n ", "").lstrip() + _SHIFTS
