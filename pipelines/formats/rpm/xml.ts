/** An element of repository metadata: enough XML for what createrepo_c writes (no DTD, no mixed content). */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const token = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([^\s<>/]+)([^<>]*?)(\/?)>|([^<]+)/g;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads a document into a tree. Entities of a DTD are not expanded, so no document can grow while being read.
 *
 * @throws RangeError when the tags do not match.
 */
export function parseXml(text: string): Element {
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const stack: Open[] = [root];
  for (const match of text.matchAll(token)) take(stack, match);
  const document = root.children[0];
  if (stack.length !== 1 || document === undefined) throw new RangeError('the XML document is cut off');
  return document;
}

function take(stack: Open[], match: RegExpMatchArray): void {
  const [, cdata, closing, name, attributes = '', empty, text] = match;
  const top = stack.at(-1);
  if (top === undefined) return;
  if (text !== undefined) top.text += decode(text);
  else if (cdata !== undefined) top.text += cdata;
  else if (name === undefined) return;
  else if (closing === '/') close(stack, name);
  else {
    stack.push({ name, attributes: parseAttributes(attributes), children: [], text: '' });
    if (empty === '/') close(stack, name);
  }
}

function close(stack: Open[], name: string): void {
  const element = stack.pop();
  const parent = stack.at(-1);
  if (element?.name !== name || parent === undefined) throw new RangeError(`unexpected </${name}>`);
  parent.children.push(element);
}

function parseAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (text === '') return found;
  for (const [, name = '', double, single] of text.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    found[name] = decode(double ?? single ?? '');
  }
  return found;
}

export function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (!name.startsWith('#')) return entities[name] ?? whole;
    const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** The first child of that name. */
export function child(element: Element, name: string): Element | undefined {
  return element.children.find((one) => one.name === name);
}
