// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

/// The style of the page: light and dark, and of paper. Lines have the colours of Okabe and Ito, darker on
/// white and lighter on black; scores have viridis: both can be told apart by colour-blind readers.
inline constexpr std::string_view page_style = R"css(
:root{color-scheme:light dark;--paper:#fbfcfe;--card:#fff;--ink:#18222e;--soft:#566374;--rule:#d9e1ea;--link:#0a5fa5;
--c0:#2b323b;--c1:#0072b2;--c2:#c44e00;--c3:#007d5a;--c4:#a8478a;--c5:#946b00;--c6:#3289c2;--less:#6e7885;
--f0:#f6cf8b;--f1:#86bdea;--f2:#1d4279;--slant:#2d5f92}
@media screen and (prefers-color-scheme:dark){:root{--paper:#11161d;--card:#182029;--ink:#e6ebf1;--soft:#9fadbd;
--rule:#2e3945;--link:#7cc0f5;--c0:#e1e6ec;--c1:#4fb0ee;--c2:#ff8d4a;--c3:#33c695;--c4:#e79fcb;--c5:#eec04a;--c6:#a6d8ff;
--less:#95a1af;--f0:#d9a95a;--f1:#6aa8dc;--f2:#234f92;--slant:#153a63}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:80rem;padding:1.5rem clamp(1rem,4vw,2.5rem) 4rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:clamp(1.6rem,4vw,2.3rem);line-height:1.2;margin:.5rem 0 .75rem}
h2{font-size:1.4rem;line-height:1.25;margin:3.5rem 0 .5rem;padding-top:1rem;border-top:2px solid var(--rule)}
h3{font-size:1.05rem;margin:1.5rem 0 .4rem}
p{max-width:48rem;margin:.5rem 0}
.columns{columns:2 26rem;column-gap:2.5rem}
.columns p{margin-top:0}
a{color:var(--link);text-underline-offset:.15em}
code{font:.86em/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
.soft,figcaption,caption{color:var(--soft);font-size:.9rem}
.scroll{overflow-x:auto;margin:.75rem 0 1.25rem;border:1px solid var(--rule);border-radius:.5rem;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .75rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:normal;min-width:5.5rem;line-height:1.3}
th:first-child,td.text{text-align:left}
tbody th{font-weight:600;position:sticky;left:0;background:var(--card)}
td.text{white-space:normal;min-width:22rem}
.second{display:block;color:var(--soft);font-size:.85em}
.front{font-weight:600;color:var(--c3)}
details{margin:.9rem 0;border:1px solid var(--rule);border-radius:.5rem;padding:0 1rem;background:var(--card)}
details .scroll{border:0;margin:.25rem -1rem .5rem;border-radius:0}
summary{cursor:pointer;padding:.6rem 0;font-weight:600}
details[open]>summary{border-bottom:1px solid var(--rule);margin-bottom:.75rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.plots{display:grid;gap:1rem 1.5rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));margin:1rem 0}
.plots.wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr))}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{font-weight:600;color:var(--ink);margin-bottom:.2rem}
svg[role]{display:block;width:100%;height:auto;max-width:34rem}
.wide svg[role]{max-width:30rem}
svg text{fill:var(--soft);font-size:12px;font-family:inherit}
svg .axis{fill:var(--ink)}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid,.line,.bar,.slant,.gap,.frame{fill:none}
.grid{stroke:var(--rule);stroke-width:1}
.line{stroke-width:2.2;stroke-linejoin:round;stroke:currentColor}
.line.thin{stroke-width:1;opacity:.45}
.bar{stroke:currentColor;stroke-width:1.4}
.mark{fill:currentColor;stroke:var(--card);stroke-width:1.2}
.field{shape-rendering:crispEdges}
.slant,.gap{stroke:var(--slant);stroke-width:.8;opacity:.65;vector-effect:non-scaling-stroke}
.gap{stroke:var(--soft)}
.frame{stroke:var(--rule)}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}
.c5{color:var(--c5)}.c6{color:var(--c6)}
.line.d1{stroke-dasharray:7 3}.line.d2{stroke-dasharray:2 3}
.less{color:var(--less)}.line.less{stroke-dasharray:4 4;stroke-width:1.5}
.none0{fill:none}.f0{fill:var(--f0)}.f1{fill:var(--f1)}.f2{fill:var(--f2)}
.h0{fill:#440154}.h1{fill:#472d7b}.h2{fill:#3b528b}.h3{fill:#2c728e}.h4{fill:#21918c}.h5{fill:#28ae80}.h6{fill:#5ec962}
.h7{fill:#addc30}.h8{fill:#fde725}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.5rem 0;padding:0;font-size:.9rem}
.legend li{display:flex;align-items:center;gap:.4rem}
.legend .sample{width:36px;flex:none}
.legend .fields{width:auto;height:14px;flex:none}
@media (max-width:40rem){tbody th{white-space:normal;min-width:7.5rem}}
@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-before:page}a{color:inherit}
.scroll{overflow:visible}th,td{white-space:normal;padding:.2rem .35rem}td.text{min-width:0}
details::details-content{content-visibility:visible;block-size:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";
