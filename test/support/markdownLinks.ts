/** A link or an image of a Markdown page that leads to another file of the repository, or to a place on a page. */
export interface Link {
  /** From the page's folder; empty for a place on the page itself. */
  readonly path: string;
  /** Without its #; undefined where the link names none. */
  readonly anchor?: string;
}

/** What stands between fences or backticks is code, and links nowhere. */
const withoutCode = (markdown: string): string =>
  markdown
    .replace(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, '')
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '``');

/** All links of a page that need no network. */
export function linksOf(markdown: string): Link[] {
  const targets = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)];
  return targets
    .map(([, target]) => target)
    .filter((target) => !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split('#');
      return { path: decodeURI(path), ...(anchor === undefined ? {} : { anchor }) };
    });
}

/** A heading's anchor, as GitHub makes it. */
const slug = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** The anchors of a page; the second heading of the same words is numbered. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const code = markdown.replace(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, '');
  return new Set(
    [...code.matchAll(/^#{1,6} +(.*?)\s*#*$/gm)].map(([, heading]) => {
      const name = slug(heading);
      const times = seen.get(name) ?? 0;
      seen.set(name, times + 1);
      return times === 0 ? name : `${name}-${times}`;
    }),
  );
}
