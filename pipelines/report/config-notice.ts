/** How the configuration file of a running server differs from what runs. */
export interface ConfigNotice {
  /** `broken`: the file cannot be used, and what was read before goes on. */
  readonly kind: 'differs' | 'broken';
  /** Keys that `sluice reload` takes over, and keys that are read at a start only. */
  readonly reload: readonly string[];
  readonly restart: readonly string[];
  /** What is wrong with the file, `FILE:LINE:COL: message` each. */
  readonly problems: readonly string[];
  /** All of it in one sentence. */
  readonly text: string;
}

/** What came of reading the configuration file again. */
export interface Reloaded {
  /** Null where there is no file. */
  readonly file: string | null;
  /** Keys that changed and hold from now on. */
  readonly applied: readonly string[];
  /** Keys that changed and hold after a restart. */
  readonly restart: readonly string[];
}

export function differs(reload: readonly string[], restart: readonly string[]): ConfigNotice {
  const parts = [
    ...(reload.length > 0 ? [`${reload.join(', ')} (\`sluice reload\` takes that over)`] : []),
    ...(restart.length > 0 ? [`${restart.join(', ')} (needs a restart)`] : []),
  ];
  const text = `The configuration file differs from what runs: ${parts.join('; ')}.`;
  return { kind: 'differs', reload, restart, problems: [], text };
}

export function broken(problems: readonly string[]): ConfigNotice {
  const text = `The configuration file is broken, and what was read before goes on: ${problems.join('; ')}`;
  return { kind: 'broken', reload: [], restart: [], problems, text };
}

/** What a reload did, in lines. */
export function reloadedText({ file, applied, restart }: Reloaded): string {
  const holds = `Holds from now on: ${applied.join(', ')}`;
  const waits = `Needs a restart (\`sluice down\`, then \`sluice up\`), and is as it was until then: ${restart.join(', ')}`;
  const lines = [...(applied.length > 0 ? [holds] : []), ...(restart.length > 0 ? [waits] : [])];
  const nothing =
    file === null ? 'There is no configuration file: the defaults hold.' : `What runs is what ${file} says.`;
  return lines.length === 0 ? nothing : lines.join('\n');
}
