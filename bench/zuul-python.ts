import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../activities/process/run.ts';
import { checkout } from '../infra/bootstrap/find.ts';

const version = '14.3.0';

/** A Python that has Zuul: the one that `ZUUL_PYTHON` names, else our own, which is installed once. */
export async function zuulPython(): Promise<string> {
  if (process.env.ZUUL_PYTHON !== undefined) return process.env.ZUUL_PYTHON;
  const place = join(checkout, '.tools', `zuul-${version}`);
  const [python, whole] = [join(place, 'bin', 'python'), join(place, 'whole')];
  if (existsSync(whole)) return python;
  await rm(place, { recursive: true, force: true });
  await must('python3', ['-m', 'venv', place]);
  await must(python, ['-m', 'pip', 'install', '--quiet', `zuul==${version}`], { timeout: 1_200_000 });
  await mkdir(whole);
  return python;
}
