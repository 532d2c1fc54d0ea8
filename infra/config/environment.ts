import { type Document, parse, type Scalar, visit } from 'yaml';

const reference = /\$\$\{|\$\{([^}]*)\}?/g;

export interface MissingReference {
  /** Offset in the file. */
  readonly offset: number;
  readonly message: string;
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every value of a document; `$${` stands for a plain `${`. A plain value
 * that was replaced is read again, so that `port: ${PORT}` is a number.
 *
 * @returns the references that cannot be replaced, and values that no path and no program could be given
 */
export function replaceReferences(
  document: Document,
  env: Readonly<Record<string, string | undefined>>,
): MissingReference[] {
  const missing: MissingReference[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      const miss = (message: string) => missing.push({ offset: node.range?.[0] ?? 0, message });
      if (node.value.includes('\0')) miss('must not have a NUL character');
      else if (node.value.includes('${')) replaceIn(node, env, miss);
    },
  });
  return missing;
}

function replaceIn(
  node: Scalar,
  env: Readonly<Record<string, string | undefined>>,
  miss: (message: string) => void,
): void {
  const text = String(node.value).replace(reference, (whole: string, inner?: string) => {
    if (inner === undefined) return '${';
    if (!whole.endsWith('}')) {
      miss(`${whole} has no "}": write \${NAME}, or $\${ for a plain \${`);
      return whole;
    }
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? [];
    if (name === undefined) miss(`${whole} is not a reference: write \${NAME} or \${NAME:-default}`);
    else if (!env[name] && fallback === undefined) miss(`the environment variable ${name} is not set`);
    return (name === undefined ? undefined : env[name]) || (fallback ?? '');
  });
  node.value = node.type === 'PLAIN' ? readPlain(text) : text;
}

function readPlain(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === 'number' || typeof value === 'boolean' ? value : text;
  } catch {
    return text;
  }
}
