import { isMap, isNode, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import { parseConfigFile } from '../language/language.ts';
import { meant } from '../language/near-key.ts';
import { quoted, toldOnce, wording } from '../language/wording.ts';
import type { Problem } from '../model/position.ts';

/** The YAML of a scenario, with the places of its values. */
export class Source {
  readonly problems: Problem[] = [];
  readonly #path: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(text: string, path: string) {
    this.#path = path;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const error of this.#document.errors) this.#problem(error.pos[0], error.message);
    if (this.problems.length === 0 && !isMap(this.#document.contents)) this.#problem(0, 'a scenario is a map of keys');
  }

  inOrder(): readonly Problem[] {
    return this.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  value(): unknown {
    return this.#document.toJS({ maxAliasCount: 1000 });
  }

  report(at: readonly PropertyKey[], message: string): void {
    this.#problem(this.#offset(at), message);
  }

  /** What has no effect, at its place; the scenario is sound. */
  warning(at: readonly PropertyKey[], message: string): Problem {
    return this.#placed(this.#offset(at), message, 'warning');
  }

  reportIssues(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[]): void {
    for (const issue of toldOnce(issues)) {
      const at = [...prefix, ...issue.path];
      const inner = issue.code === 'invalid_union' ? issue.errors.flat().filter(({ path }) => path.length > 0) : [];
      if (inner.length > 0) this.reportIssues(inner, at);
      else if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys) this.report([...at, key], `unknown key "${key}"${meant(key, issue)}`);
      else this.report(at, `${label(at)}: ${this.#document.hasIn(at) ? wording(issue, quoted) : 'is missing'}`);
    }
  }

  /** A configuration inside the scenario: it must be YAML, whatever it then says. */
  checkYaml(text: string, at: readonly PropertyKey[]): void {
    const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
    if (document.errors.length === 0) return;
    const { problems } = parseConfigFile({ project: '', branch: '', path: '', text, trusted: true });
    for (const { message, line } of problems) {
      const [, reason] = /^YAML: (.*)/s.exec(message) ?? [];
      if (reason !== undefined) this.report(at, `the configuration is not YAML: ${reason} (line ${line} of it)`);
    }
  }

  /** Where a key stands, or the nearest thing around it. */
  #offset(at: readonly PropertyKey[]): number {
    for (let length = at.length; length > 0; length -= 1) {
      const above = this.#document.getIn(at.slice(0, length - 1), true);
      const pair = isMap(above) ? above.items.find((item) => keyOf(item.key) === String(at[length - 1])) : undefined;
      const node = pair ? pair.key : this.#document.getIn(at.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }

  #problem(offset: number, message: string): void {
    this.problems.push(this.#placed(offset, message, 'error'));
  }

  #placed(offset: number, message: string, severity: Problem['severity']): Problem {
    const { line, col } = this.#lines.linePos(offset);
    return { path: this.#path, line: Math.max(line, 1), column: Math.max(col, 1), severity, message };
  }
}

function keyOf(key: unknown): string {
  return String(isNode(key) && 'value' in key ? (key as ParsedNode & { value: unknown }).value : key);
}

function label(at: readonly PropertyKey[]): string {
  return at.length === 0 ? 'scenario' : at.map(String).join('.');
}
