import { PassThrough, type Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { type VersionRules, versionRules } from '../pipelines/formats/format.ts';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import { addCommand, jsonOption } from './command.ts';
import { misused } from './fault.ts';
import { print } from './output.ts';

interface Options {
  readonly format: PackageFormat;
  readonly stdin?: boolean;
  readonly json?: boolean;
}

const examples = [
  'sluice compare-versions --format deb 1.0~rc1-1 1.0-1',
  "printf '1:2-3\\t2-3\\n' | sluice compare-versions --format rpm --stdin",
];

/** Adds `compare-versions`. */
export function register(program: Command): void {
  addCommand(program, 'compare-versions', { examples })
    .addOption(new Option('--format <format>', 'whose order').choices(['deb', 'rpm']).makeOptionMandatory())
    .option('--stdin', 'read a TAB-separated pair a line, print a line each')
    .addOption(jsonOption())
    .argument('[versions...]', 'two versions')
    .action(async (versions: readonly string[], { format, stdin, json }: Options) => {
      const rules = versionRules[format];
      if (!stdin) return print(compareTwo(rules, versions), (order) => order, { json });
      if (versions.length > 0) throw misused('with --stdin, give no versions as arguments');
      if (!json) return compareLines(rules, process.stdin, process.stdout);
      const lines = new PassThrough();
      const [all] = await Promise.all([
        text(lines),
        compareLines(rules, process.stdin, lines).finally(() => lines.end()),
      ]);
      print(all.split('\n').slice(0, -1), (signs) => signs.join('\n'), { json });
    });
}

function compareTwo(rules: VersionRules, [a, b, ...more]: readonly string[]): string {
  if (a === undefined || b === undefined || more.length > 0) throw misused('give two versions, or --stdin');
  const problems = [a, b].flatMap((version) => {
    const problem = rules.explainVersion(version);
    return problem === null ? [] : [`${JSON.stringify(version)}: ${problem}`];
  });
  if (problems.length > 0) throw misused(problems.join('\n'));
  return sign(rules.compareVersions(a, b));
}

/** Answers each line of `input` with `<`, `=`, `>`, or `!` for a line that is no pair of versions. */
async function compareLines(rules: VersionRules, input: Readable, output: Writable): Promise<void> {
  // Versions are bytes to the packaging tools: Latin-1 keeps every one of them apart, whatever their encoding.
  input.setEncoding('latin1');
  let rest = '';
  for await (const chunk of input as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) await write(output, lines.map((line) => `${compareLine(rules, line)}\n`).join(''));
  }
  if (rest !== '') await write(output, `${compareLine(rules, rest)}\n`);
}

function compareLine(rules: VersionRules, line: string): string {
  const [a, b, ...more] = line.split('\t');
  if (a === undefined || b === undefined || more.length > 0) return '!';
  if (rules.explainVersion(a) !== null || rules.explainVersion(b) !== null) return '!';
  return sign(rules.compareVersions(a, b));
}

function sign(order: -1 | 0 | 1): string {
  return order < 0 ? '<' : order > 0 ? '>' : '=';
}

function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
