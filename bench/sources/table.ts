import type { StageName } from './stages.ts';
import { limits, type Summary } from './summary.ts';
import type { SourceResult } from './try-source.ts';

/** The page that tells what came of the sources. */
export function renderTable(results: readonly SourceResult[], summary: Summary): string {
  const { listed, ran, same, ratio, spread, loads } = summary;
  const rows = results.map(row);
  const failures = results.flatMap(({ name, differences }) => differences.map((line) => `- ${name}: ${cell(line)}`));
  const shared = results.flatMap(({ name, shared: lines }) => lines.map((line) => `- ${name}: ${cell(line)}`));
  return `# A hundred real sources

Made by \`scripts/bench sources\`; \`bench/sources/README.md\` says how. ${listed} small sources of Debian 12 are listed in
\`bench/sources/list.tsv\`; ${ran} of them ran.

- **${same} of ${ran} end as Debian's own build of them does** (at least ${limits.same} of 100 are wanted).
- **A build takes ${ratio} times as long as \`dpkg-buildpackage\`**, median (at most ${limits.ratio} is wanted); a tenth of
  the sources stays below ${spread[0]}, nine tenths below ${spread[1]}. Both sides install the build dependencies and ran one
  after the other, each as often first as the other, at a load of the machine between ${loads[0]} and ${loads[2]}, median ${loads[1]}.

## Where Sluice ends otherwise

${failures.length === 0 ? 'Nowhere.' : failures.join('\n')}

## Stages that fail as Debian's own tools do

${shared.length === 0 ? 'None.' : shared.join('\n')}

## The sources

✓: as Debian's own tools; =: fails as they do; ✗: otherwise; –: not come to. Seconds are of the build.

${aligned([header, ...rows])}
`;
}

const header = ['source', 'format', 'because of', 'build', 'lint', 'publish', 'install', 'packages'].concat([
  'Sluice',
  'Debian',
  'ratio',
]);

/** A table whose columns are as wide as their widest cell: what the formatter would make of it. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = [rows[0] ?? [], widths.map((width) => '-'.repeat(width)), ...rows.slice(1)];
  return lines.map((cells) => `| ${cells.map((text, n) => text.padEnd(widths[n] ?? 0)).join(' | ')} |`).join('\n');
}

function row(result: SourceResult): readonly string[] {
  const { name, version, format, tags, packages, times } = result;
  const marks = (['build', 'lint', 'publish', 'install'] as const).map((stage) => markOf(result, stage));
  const ratio = packages > 0 ? (times.sluice / times.debian).toFixed(2) : '–';
  const seconds = [times.sluice, times.debian].map((value) => value.toFixed(1));
  return [`${name} ${version}`, format, tags.join(', '), ...marks, String(packages), ...seconds, ratio];
}

function markOf({ stages, differences, shared }: SourceResult, stage: StageName): string {
  if (stages[stage] === undefined) return '–';
  const of = (lines: readonly string[]) => lines.some((line) => line.startsWith(`${stage}: `));
  if (of(differences)) return '✗';
  return of(shared) ? '=' : '✓';
}

/** Text of a program that a table can hold. */
function cell(text: string): string {
  const line = text.replace(/\s+/g, ' ').slice(0, 300);
  return line.replace(/[|<>*_`]/g, (sign) => `\\${sign}`);
}
