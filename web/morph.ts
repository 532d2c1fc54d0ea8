/**
 * Makes `from` look like `to` by the fewest changes that a walk in order finds, so that focus, selection, scroll
 * positions and what the reader has opened stay. Elements with an id are moved, never redrawn for a neighbour.
 */
export function morph(from: Element, to: Element): void {
  syncAttributes(from, to);
  const named = new Map([...from.children].flatMap((child) => (child.id === '' ? [] : [[child.id, child]])));
  let cursor = from.firstChild;
  for (const next of [...to.childNodes]) {
    const match = next instanceof Element && next.id !== '' ? named.get(next.id) : cursor;
    if (match && alike(match, next)) {
      if (match === cursor) cursor = cursor.nextSibling;
      else from.insertBefore(match, cursor);
      update(match, next);
    } else {
      from.insertBefore(next, cursor);
    }
  }
  while (cursor) {
    const after = cursor.nextSibling;
    cursor.remove();
    cursor = after;
  }
}

function alike(a: Node, b: Node): boolean {
  if (a.nodeName !== b.nodeName) return false;
  return !(a instanceof Element && b instanceof Element) || a.id === b.id;
}

function update(node: Node, next: Node): void {
  if (node instanceof Element && next instanceof Element) morph(node, next);
  else if (node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue;
}

function syncAttributes(from: Element, to: Element): void {
  for (const { name } of [...from.attributes]) {
    // Whoever reads opens and closes; what is drawn anew stays so.
    const isReaders = name === 'open' && from.tagName === 'DETAILS';
    if (!to.hasAttribute(name) && !isReaders) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
}
