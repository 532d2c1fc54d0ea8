import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeChangelogs, splitSpec } from '../../pipelines/formats/rpm/merge-changelog.ts';
import { temporaryPrefix } from '../process/temporary.ts';

/*
 * A merge driver of git, run by it as `node merge-spec.ts BASE OURS THEIRS`: merges two spec files, their changelogs by
 * entries, into OURS. Ends with 0, or 1 for a conflict.
 */

function main(names: readonly string[]): number {
  // A character for each byte: not every old entry is UTF-8.
  const [base, ours, theirs] = names.map((name) => splitSpec(readFileSync(name, 'latin1')));
  if (base === undefined || ours === undefined || theirs === undefined) return 2;
  const changelog = mergeChangelogs(base.changelog, ours.changelog, theirs.changelog);
  const whole = changelog === null;
  const work = mkdtempSync(temporaryPrefix('sluice-merge'));
  try {
    const files = [ours, base, theirs].map(({ before, changelog: entries, after }, index) => {
      const file = join(work, `${index}`);
      // A mark keeps what is before the changelog from what is behind it.
      writeFileSync(file, whole ? before + entries + after : `${before}${mark}${after}`, 'latin1');
      return file;
    });
    const { text, conflict } = mergeFile(files);
    writeFileSync(names[1] ?? '', whole ? text : text.replace(mark, () => changelog), 'latin1');
    return conflict || whole ? 1 : 0;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const mark = '\u0001 changelog\n';

function mergeFile(files: readonly string[]): { readonly text: string; readonly conflict: boolean } {
  try {
    return { text: execFileSync('git', ['merge-file', '-p', ...files], { encoding: 'latin1' }), conflict: false };
  } catch (error) {
    const { status, stdout } = error as { readonly status?: number; readonly stdout?: string };
    // The number of conflicts, or above for a fault.
    if (status === undefined || status === null || status > 127 || stdout === undefined) throw error;
    return { text: stdout, conflict: true };
  }
}

process.exitCode = main(process.argv.slice(2));
