import { colourProperties, errorFigureStyle } from '../chart/errorFigure.ts';

const schemes = {
  light: `${colourProperties('light')};--raised:#f6f8fa;--passed:#116329;--warned:#7a4a00;--link:#0550ae;--failedRow:#fff0ee;--warnedRow:#fff8e1`,
  dark: `${colourProperties('dark')};--raised:#151b23;--passed:#4ac26b;--warned:#e3b341;--link:#6cb6ff;--failedRow:#2d1518;--warnedRow:#2a2310`,
} as const;

/** Calm, without a font or colour from elsewhere; light or dark as the reader's system is; light on paper. */
export const pageStyle = `:root{color-scheme:light dark;${schemes.light}}
@media (prefers-color-scheme:dark){:root{${schemes.dark}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
footer{padding-bottom:3rem;color:var(--faint);font-size:.875rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .5rem;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.3rem;line-height:1.3;margin:3rem 0 .75rem;padding-top:1.25rem;border-top:1px solid var(--grid);font-weight:650}
h3{font-size:1.05rem;margin:2rem 0 .5rem;font-weight:650}
p{max-width:46rem;margin:.5rem 0}
a{color:var(--link);text-underline-offset:.15em}
code,.hash{font-family:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
.quiet{color:var(--faint)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0 0;padding:0}
.mark{font-weight:650;white-space:nowrap}
.mark.passed{color:var(--passed)}
.mark.failed{color:var(--wrong)}
.callout{border-left:4px solid var(--wrong);background:var(--failedRow);padding:.75rem 1rem;margin:1rem 0;max-width:none}
.callout p{margin:0;max-width:none}
.callout p+p{margin-top:.5rem}
.notes{padding-left:1.25rem;margin:.5rem 0}
.notes li{max-width:60rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.scroll{overflow:auto;max-height:34rem;border:1px solid var(--grid);border-radius:6px;margin:.5rem 0 1rem;position:relative}
.scroll:focus-visible{outline-offset:0}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:.875rem;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.6rem .75rem;color:var(--faint)}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem;border-top:1px solid var(--grid);font-weight:400}
thead th{position:sticky;top:0;z-index:1;background:var(--raised);font-weight:600;white-space:nowrap;border-bottom:1px solid var(--grid)}
tbody tr:first-child>*{border-top:0}
th.n,td.n{text-align:right;white-space:nowrap}
tbody th{min-width:15rem;max-width:22rem;overflow-wrap:anywhere}
small{display:block;font-size:.9em;color:var(--faint)}
td{white-space:nowrap}
td.long{min-width:18rem;white-space:normal}
table.judged tbody td:nth-child(2){font-weight:650;color:var(--passed)}
table.judged tr.failed td:nth-child(2){color:var(--wrong)}
table.judged tr.warned td:nth-child(2){color:var(--warned)}
tr.failed>*{background:var(--failedRow)}
tr.warned>*{background:var(--warnedRow)}
thead button{all:unset;cursor:pointer;font-weight:600;border-radius:3px}
thead button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
thead button::after{content:"\\2195";display:inline-block;width:1em;margin-left:.25em;color:var(--faint);text-align:center}
[aria-sort=ascending] button::after{content:"\\2191";color:var(--ink)}
[aria-sort=descending] button::after{content:"\\2193";color:var(--ink)}
.tools{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem;margin:.75rem 0 .5rem;font-size:.875rem}
.tools[hidden]{display:none}
.tools label{display:inline-flex;align-items:center;gap:.4rem}
.tools output{color:var(--faint)}
input[type=search]{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--faint);border-radius:6px;padding:.3rem .6rem;width:16rem;max-width:100%}
input[type=checkbox]{width:1.05rem;height:1.05rem;margin:0;accent-color:var(--link)}
figure{margin:1rem 0}
figcaption{color:var(--faint);font-size:.875rem;max-width:46rem}
.chart{overflow-x:auto;border:1px solid var(--grid);border-radius:6px;padding:.5rem}
.chart svg{display:block;width:100%;min-width:47rem;height:auto}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.25rem;margin:.75rem 0}
dt{color:var(--faint)}
dd{margin:0;overflow-wrap:anywhere}
${errorFigureStyle}
@media (max-width:40rem){header,main,footer{padding-left:1rem;padding-right:1rem}header{padding-top:1.5rem}h1{font-size:1.4rem}dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.5rem}tbody th{min-width:8rem;max-width:11rem}td.long{min-width:24rem}th,td{padding:.35rem .5rem}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{:root{color-scheme:light;${schemes.light}}body{font-size:11pt}nav,.tools{display:none}.scroll{max-height:none;overflow:visible;border:0}.chart{overflow:visible;border:0}.chart svg{min-width:0}thead th{position:static}thead{display:table-header-group}tr,.chart{break-inside:avoid}h2,h3{break-after:avoid}thead button::after{content:none}table{font-size:8pt}td,td.long{white-space:normal;min-width:0;overflow-wrap:anywhere}}
`;
