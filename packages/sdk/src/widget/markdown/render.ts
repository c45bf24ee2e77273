import { h } from '../dom.js';
import { parseMarkdown, type Block, type Inline } from './parse.js';

/** Markdown as DOM nodes. `newTab` is what a screen reader hears after a link. */
export const renderMarkdown = (source: string, newTab: string): Node[] =>
  parseMarkdown(source).map((block) => renderBlock(block, newTab));

function renderBlock(block: Block, newTab: string): Node {
  if (block.type === 'code') return h('pre', { tabindex: 0 }, h('code', {}, block.text));
  if (block.type === 'paragraph') return h('p', {}, ...renderInlines(block.children, newTab));
  const items = block.items.map((item) => h('li', {}, ...renderInlines(item, newTab)));
  return block.ordered ? h('ol', { start: block.start }, ...items) : h('ul', {}, ...items);
}

const renderInlines = (nodes: Inline[], newTab: string): Node[] => nodes.map((node) => renderInline(node, newTab));

function renderInline(node: Inline, newTab: string): Node {
  switch (node.type) {
    case 'text':
      return new Text(node.text);
    case 'break':
      return h('br');
    case 'code':
      return h('code', {}, node.text);
    case 'strong':
      return h('strong', {}, ...renderInlines(node.children, newTab));
    case 'emphasis':
      return h('em', {}, ...renderInlines(node.children, newTab));
    case 'link':
      return externalLink(node.href, newTab, ...renderInlines(node.children, newTab));
  }
}

/** A link out of the chat: it gets no hold of the page, no referrer, and no credit with search engines. */
export function externalLink(href: string, newTab: string, ...content: (Node | string)[]): HTMLAnchorElement {
  const hint = h('span', { class: 'sr' }, ` (${newTab})`);
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, ...content, hint);
}
