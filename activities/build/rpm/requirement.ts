/** One capability that a spec asks for. */
export interface Requirement {
  /** As written, for messages and for dnf. */
  readonly text: string;
  readonly name: string;
  /** Whether a version fits, told by its order relative to the one that is asked for. */
  accepts(compare: (other: string) => -1 | 0 | 1): boolean;
}

const accepted: Readonly<Record<string, readonly number[]>> = {
  '<': [-1],
  '<=': [-1, 0],
  '=': [0],
  '==': [0],
  '>=': [0, 1],
  '>': [1],
};

/**
 * Reads a requirement, rich ones included: `(a or b)`, `(a and b)`, `(a with b)`.
 *
 * @returns alternatives, each a list that goes together; null for one that cannot be decided here (`if`, `unless`).
 */
export function alternativesOf(text: string): readonly (readonly Requirement[])[] | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('(')) return [[simple(trimmed)]];
  const { parts, operators } = split(trimmed.slice(1, -1));
  const [operator] = operators;
  const inner = parts.map(alternativesOf);
  const read = inner.filter((each) => each !== null);
  if (read.length !== inner.length || operators.some((each) => each !== operator)) return null;
  if (operator === undefined || operator === 'or') return read.flat();
  if (operator !== 'and' && operator !== 'with') return null;
  return read.reduce((all, next) => all.flatMap((left) => next.map((right) => [...left, ...right])), [[]]);
}

function simple(text: string): Requirement {
  const [, name = text, operator, version] = /^(\S+)\s*(<=|>=|==|=|<|>)\s*(\S+)$/.exec(text) ?? [];
  const orders = accepted[operator ?? ''];
  const bare = version?.replace(/^\d+:/, '').replace(/-[^-]*$/, '') ?? '';
  return { text, name, accepts: (compare) => orders === undefined || orders.includes(compare(bare)) };
}

/** Splits at the operators outside of inner parentheses. */
function split(text: string): { readonly parts: readonly string[]; readonly operators: readonly string[] } {
  const parts: string[] = [''];
  const operators: string[] = [];
  let depth = 0;
  for (const word of text.split(/\s+/)) {
    const operator = depth === 0 && /^(?:or|and|with|without|if|unless|else)$/.test(word);
    depth += (word.match(/\(/g)?.length ?? 0) - (word.match(/\)/g)?.length ?? 0);
    if (operator) {
      operators.push(word);
      parts.push('');
    } else {
      parts[parts.length - 1] = `${parts.at(-1)} ${word}`.trim();
    }
  }
  return { parts, operators };
}
