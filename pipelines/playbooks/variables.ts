/** A value of which Ansible evaluates no template, whatever its texts look like: somebody else may have written them. */
export class Literal {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/**
 * Variables as YAML that Ansible reads, for files alone.
 *
 * @param variables plain data, in which a `Literal` may stand anywhere
 */
export function variablesText(variables: Readonly<Record<string, unknown>>): string {
  return `${flow(variables, '')}\n`;
}

function flow(value: unknown, tag: string): string {
  if (value instanceof Literal) return flow(value.value, '!unsafe ');
  if (typeof value === 'string') return tag + quoted(value);
  if (typeof value === 'number') return numberText(value);
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, tag)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return value === true || value === false ? String(value) : 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.map(([key, inner]) => `? ${quoted(key)} : ${flow(inner, tag)}`).join(', ')}}`;
}

/** JSON's form is YAML's, but for characters that YAML takes only escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** YAML 1.1 takes a number with an exponent and no point for a text. */
function numberText(value: number): string {
  return JSON.stringify(value).replace(/^(-?\d+)e/, '$1.0e');
}
