/*
 * Colours by class, so that one file is readable on a light and on a dark page. They differ in lightness
 * as well as in hue, and are told apart by those who see no red or green (after Okabe and Ito).
 */

export const lineColours = [
  { light: '#0072b2', dark: '#56b4e9' },
  { light: '#d55e00', dark: '#ff9a4d' },
  { light: '#00805c', dark: '#3ddc97' },
] as const;

export type Colour = 0 | 1 | 2;

/** Everything else that a picture, or the page around it, is painted with. */
export const palette = {
  ink: { light: '#1f2328', dark: '#e6edf3' },
  faint: { light: '#59636e', dark: '#9198a1' },
  grid: { light: '#d1d9e0', dark: '#3d444d' },
  paper: { light: '#ffffff', dark: '#0d1117' },
  wrong: { light: '#c1121f', dark: '#ff7b72' },
} as const;

const rules = (theme: 'light' | 'dark'): string =>
  [
    `.paper{fill:${palette.paper[theme]}}`,
    `text{fill:${palette.ink[theme]}}`,
    `.faint{fill:${palette.faint[theme]}}`,
    `.grid{stroke:${palette.grid[theme]}}`,
    `.halo{stroke:${palette.paper[theme]}}`,
    `.spot{fill:${palette.ink[theme]};stroke:${palette.paper[theme]}}`,
    `.axis,.neutral{stroke:${palette.faint[theme]}}`,
    ...lineColours.flatMap(({ [theme]: colour }, i) => [
      `.c${i}{stroke:${colour}}`,
      `.d${i}{fill:${colour}}`,
    ]),
  ].join('');

/** How the lines of a run are drawn; a thin dashed line stays visible on a wide one that it follows. */
export const strokes = ['solid', 'wide', 'dashed', 'dotted', 'dash-dotted'] as const;
export type Stroke = (typeof strokes)[number];

export const strokeRules = [
  '.line{fill:none;stroke-linejoin:round;stroke-linecap:butt}',
  '.solid{stroke-width:2}',
  '.wide{stroke-width:5;stroke-opacity:.4}',
  '.dashed{stroke-width:1.8;stroke-dasharray:7 4}',
  '.dotted{stroke-width:1.8;stroke-dasharray:2 3}',
  '.dash-dotted{stroke-width:1.8;stroke-dasharray:9 3 2 3}',
].join('');

export const styleSheet = [
  'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:12px}',
  '.title{font-size:16px;font-weight:600}',
  '.head{font-size:13px;font-weight:600}',
  '.grid,.axis{stroke-width:1;fill:none}',
  '.mark{stroke-dasharray:3 3}',
  '.halo{paint-order:stroke;stroke-width:3.5;stroke-linejoin:round}',
  '.band{fill-opacity:.1}',
  '.contour{fill:none;stroke-width:1.2;stroke-linejoin:round}',
  '.spot{stroke-width:1.5}',
  strokeRules,
  rules('light'),
  `@media (prefers-color-scheme:dark){${rules('dark')}}`,
].join('\n');
