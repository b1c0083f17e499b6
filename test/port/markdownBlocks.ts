/** A fenced block of code of a Markdown page. */
export interface Block {
  /** As it stands behind the fence; empty where there is none. */
  readonly language: string;
  readonly text: string;
  /** Where the paragraph before it says so: Save this as `file`. */
  readonly file?: string;
}

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** All blocks of a page, in their order. */
export function blocksOf(markdown: string): Block[] {
  let end = 0;
  return [...markdown.matchAll(fence)].map(({ 0: whole, 1: language, 2: text, index }) => {
    const before = markdown.slice(end, index).trim().split('\n\n').at(-1) ?? '';
    end = index + whole.length;
    const file = /this as `([\w.]+)`/.exec(before)?.[1];
    return { language, text, ...(file === undefined ? {} : { file }) };
  });
}
