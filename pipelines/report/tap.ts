import type { TestCase } from './junit.ts';

/** Writes cases in the Test Anything Protocol (testanything.org, version 14), in their order. */
export function tapText(cases: readonly TestCase[]): string {
  const lines = cases.flatMap((one, index) => caseLines(one, index + 1));
  return ['TAP version 14', `1..${cases.length}`, ...lines, ''].join('\n');
}

function caseLines({ suite, name, seconds, failure, skipped, commands }: TestCase, number: number): readonly string[] {
  const verdict = failure === undefined ? 'ok' : 'not ok';
  const left = skipped === undefined ? '' : ` # SKIP ${inLine(skipped)}`;
  const about = [`duration_ms: ${(seconds * 1000).toFixed(0)}`];
  // A text in JSON is one in YAML.
  if (failure !== undefined) about.unshift(`message: ${JSON.stringify(failure.message)}`);
  if (commands !== undefined) about.push(`commands: ${JSON.stringify(commands)}`);
  const block = ['---', ...about, '...'].map((line) => `  ${line}`);
  return [`${verdict} ${number} - ${inLine(`${suite}: ${name}`)}${left}`, ...block];
}

/** What begins a directive, and line ends, stand for themselves. */
function inLine(text: string): string {
  return text.replace(/[\\#]/g, '\\$&').replace(/\s+/g, ' ');
}
