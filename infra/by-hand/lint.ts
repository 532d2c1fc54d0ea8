import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lintFiles } from '../../activities/lint/stage.ts';
import { makeTemporary } from '../../activities/process/temporary.ts';
import type { LintReport } from '../../pipelines/model/lint.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { handContext, type Lend, openLog, withMachines } from './context.ts';

export interface HandLint {
  readonly paths: readonly string[];
  readonly platform: Platform;
  /** Absent: containers of this machine. */
  readonly lend?: Lend;
  readonly signal: AbortSignal;
}

/** Checks package files, as the gate's lint stage does, against nothing: every error is new. */
export async function lintByHand({ paths, platform, lend = withMachines, signal }: HandLint): Promise<LintReport> {
  const workdir = await makeTemporary('sluice-lint');
  const build = `hand-${randomBytes(6).toString('hex')}`;
  try {
    const [folder, released] = [await mkdtemp(join(workdir, 'in-')), await mkdtemp(join(workdir, 'none-'))];
    for (const path of paths) await copyFile(path, join(folder, basename(path)));
    const log = await openLog(join(workdir, 'lint.log'), () => {});
    return await lend(build, (lease) => {
      const context = handContext({ log, workdir, signal, lease });
      return lintFiles({ platform, folder, released, context });
    });
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}
