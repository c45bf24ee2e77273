/** The subset of Markdown that agents write, as a tree. Whatever is not part of it stays the text it was. */
export type Inline =
  | { type: 'text'; text: string }
  | { type: 'break' }
  | { type: 'code'; text: string }
  | { type: 'strong' | 'emphasis'; children: Inline[] }
  | { type: 'link'; href: string; children: Inline[] };

export type Block =
  | { type: 'paragraph'; children: Inline[] }
  | { type: 'code'; text: string }
  | { type: 'list'; ordered: boolean; start: number; items: Inline[][] };

const LIST_ITEM = /^ {0,3}(?:[-*+•]|(\d{1,9})[.)])[ \t]+(.*)$/;
const HEADING = /^ {0,3}#{1,6}[ \t]+(.*)$/;
const FENCE = /^ {0,3}```/;
// Deeper nesting is no text that anybody wrote to be read.
const DEEPEST = 8;

export function parseMarkdown(source: string): Block[] {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length) blocks.push({ type: 'paragraph', children: parseInline(paragraph.join('\n')) });
    paragraph = [];
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const heading = HEADING.exec(line)?.[1];
    const item = LIST_ITEM.exec(line);
    if (FENCE.test(line)) {
      endParagraph();
      const end = lines.findIndex((other, at) => at > index && FENCE.test(other));
      const last = end < 0 ? lines.length : end;
      blocks.push({ type: 'code', text: lines.slice(index + 1, last).join('\n') });
      index = last;
    } else if (item) {
      endParagraph();
      addItem(blocks, lines[index - 1] ?? '', item);
    } else if (heading !== undefined) {
      // A bubble has no outline of its own; a heading in it is a strong line.
      endParagraph();
      blocks.push({ type: 'paragraph', children: [{ type: 'strong', children: parseInline(heading) }] });
    } else if (line.trim()) paragraph.push(line.trim());
    else endParagraph();
  }
  endParagraph();
  return blocks;
}

function addItem(blocks: Block[], lineBefore: string, match: RegExpExecArray): void {
  const [, number, text = ''] = match;
  const ordered = number !== undefined;
  const last = blocks.at(-1);
  const goesOn = LIST_ITEM.test(lineBefore) || !lineBefore.trim();
  const children = parseInline(text.trim());
  if (last?.type === 'list' && last.ordered === ordered && goesOn) last.items.push(children);
  else blocks.push({ type: 'list', ordered, start: Number(number ?? 1), items: [children] });
}

export function parseInline(source: string, depth = 0): Inline[] {
  const nodes: Inline[] = [];
  let text = '';
  const add = (node: Inline): void => {
    if (text) nodes.push({ type: 'text', text });
    text = '';
    nodes.push(node);
  };
  for (let at = 0; at < source.length; ) {
    const found = depth < DEEPEST ? special(source, at, depth) : undefined;
    if (!found) text += source[at++] ?? '';
    else {
      if (typeof found.node === 'string') text += found.node;
      else add(found.node);
      at = found.end;
    }
  }
  if (text) nodes.push({ type: 'text', text });
  return nodes;
}

interface Found {
  node: Inline | string;
  end: number;
}

/** What begins at `at`, if it is more than a plain character. */
function special(source: string, at: number, depth: number): Found | undefined {
  switch (source[at]) {
    case '\n':
      return { node: { type: 'break' }, end: at + 1 };
    case '\\':
      return /[!-/:-@[-`{-~]/.test(source[at + 1] ?? '') ? { node: source[at + 1] ?? '', end: at + 2 } : undefined;
    case '`': {
      const end = source.indexOf('`', at + 1);
      return end > at + 1 ? { node: { type: 'code', text: source.slice(at + 1, end) }, end: end + 1 } : undefined;
    }
    case '*':
    case '_':
      return emphasis(source, at, depth);
    case '[':
      return link(source, at, depth);
    case 'h':
      return address(source, at);
    default:
      return undefined;
  }
}

const isWord = (character: string | undefined): boolean => /[\p{L}\p{N}]/u.test(character ?? '');

function emphasis(source: string, at: number, depth: number): Found | undefined {
  const mark = source[at] ?? '';
  const double = source[at + 1] === mark;
  const fence = double ? mark + mark : mark;
  const start = at + fence.length;
  // snake_case and 2 * 3 are no emphasis.
  if (/\s/.test(source[start] ?? ' ') || (mark === '_' && isWord(source[at - 1]))) return undefined;
  for (let end = source.indexOf(fence, start + 1); end > 0; end = source.indexOf(fence, end + 1)) {
    const after = end + fence.length;
    const closes =
      !/\s/.test(source[end - 1] ?? ' ') &&
      (double || (source[after] !== mark && source[end - 1] !== mark)) &&
      !(mark === '_' && isWord(source[after]));
    if (!closes) continue;
    const children = parseInline(source.slice(start, end), depth + 1);
    return { node: { type: double ? 'strong' : 'emphasis', children }, end: after };
  }
  return undefined;
}

function link(source: string, at: number, depth: number): Found | undefined {
  const middle = source.indexOf('](', at);
  const end = middle < 0 ? -1 : source.indexOf(')', middle);
  if (end < 0) return undefined;
  const label = source.slice(at + 1, middle);
  if (label.includes('[') || label.includes('\n')) return undefined;
  const children = parseInline(label, depth + 1);
  const href = safeAddress(source.slice(middle + 2, end).trim());
  // A link we do not follow keeps its words.
  return href ? { node: { type: 'link', href, children }, end: end + 1 } : { node: label, end: end + 1 };
}

function address(source: string, at: number): Found | undefined {
  if (isWord(source[at - 1])) return undefined;
  const match = /^https?:\/\/[^\s<>"'`*\])]+/.exec(source.slice(at, at + 2048))?.[0].replace(/[.,;:!?]+$/, '');
  const href = match && safeAddress(match);
  return href ? { node: { type: 'link', href, children: [{ type: 'text', text: match }] }, end: at + match.length } : undefined;
}

/** The address if it leads to the web, a mailbox or a telephone; nothing else may be followed from a message. */
export function safeAddress(address: string): string | undefined {
  try {
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(new URL(address).protocol) ? address : undefined;
  } catch {
    return undefined;
  }
}
