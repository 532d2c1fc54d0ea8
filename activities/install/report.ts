import { andMore } from '../../pipelines/model/words.ts';
import type { TestCase } from '../../pipelines/report/junit.ts';
import type { StageResult } from '../../workflows/contract.ts';
import type { BlobStore } from '../ports.ts';
import { keepTexts } from '../storage/keep-texts.ts';
import { caseArtifacts } from './case-artifacts.ts';
import type { PackageReport, StepReport } from './steps.ts';

/** The reports as test cases: one for each step of each package, and for each test in it. */
function testCases(reports: readonly PackageReport[]): TestCase[] {
  return reports.flatMap(({ package: name, version, steps }) =>
    steps.flatMap((step) => {
      const suite = `install ${name} ${version}`;
      const tests = (step.tests ?? []).map((test) => ({
        ...{ suite, name: `${step.step}: ${test.name}`, seconds: test.seconds },
        ...outcome(test.problem, test.skipped, step.output),
      }));
      const { seconds, commands, output } = step;
      const whole = { suite, name: nameOf(step), seconds, commands, output };
      return [{ ...whole, ...outcome(step.problem, step.leftOut, output) }, ...tests];
    }),
  );
}

function outcome(problem: string | null, skipped: string | undefined, text: string) {
  if (problem !== null) return { failure: { message: problem, text } };
  return skipped === undefined ? {} : { skipped };
}

function nameOf({ step, about }: Pick<StepReport, 'step' | 'about'>): string {
  return about === undefined ? step : `${step} ${about}`;
}

/** Each step that failed, in one line. */
function failuresOf(reports: readonly PackageReport[]): string[] {
  return reports.flatMap(({ package: name, version, steps }) =>
    steps.flatMap((step) => (step.problem === null ? [] : [`${name} ${version}: ${nameOf(step)}: ${step.problem}`])),
  );
}

/** Keeps what was tried in all its forms, and says how it went. */
export async function report(
  store: BlobStore,
  system: string,
  reports: readonly PackageReport[],
): Promise<StageResult> {
  const texts = { 'install.json': `${JSON.stringify({ packages: reports }, null, 2)}\n`, 'system.txt': system };
  const artifacts = [...(await caseArtifacts(store, testCases(reports))), ...(await keepTexts(store, texts))];
  const failures = failuresOf(reports);
  if (failures[0] === undefined) return { result: 'SUCCESS', summary: goodSummary(reports), artifacts };
  return { result: 'FAILURE', summary: `${failures[0]}${andMore(failures.length)}`, artifacts };
}

/** What was done with which packages: a system lets go of some only by breaking. */
export function goodSummary(reports: readonly PackageReport[]): string {
  if (reports.length === 0) return 'nothing to install here: all packages are for the installer';
  const kept = reports.filter(({ steps }) => steps.some((one) => one.step === 'remove' && one.leftOut !== undefined));
  const said = (text: string, of: readonly string[]) => (of.length === 0 ? [] : [`${text}: ${of.join(', ')}`]);
  const names = (of: readonly PackageReport[]) => of.map((one) => one.package);
  const removed = reports.filter((one) => !kept.includes(one));
  const upgraded = reports.flatMap(({ package: name, steps }) => {
    const from = steps.find((one) => one.step === 'upgrade') && steps.find((one) => one.step === 'released')?.about;
    return from === undefined ? [] : [`${name} from ${from}`];
  });
  return [
    ...said('installed, exercised and removed', names(removed)),
    ...said('installed and exercised, not removed because the system cannot be without it', names(kept)),
    ...said('upgraded', upgraded),
  ].join('; ');
}
