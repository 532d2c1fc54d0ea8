import type { Node } from '../nodes/packages/node.ts';
import { exercise } from './exercise.ts';
import { look } from './inventory.ts';
import { runOtherTests } from './other-tests.ts';
import { checkIntegrity, exactly, install, remove, renew, type TriedPackage } from './package.ts';
import { type PackageReport, Steps } from './steps.ts';
import type { TrialSettings } from './trial-settings.ts';
import { oldOnes, standInAmong } from './under-test.ts';
import { tryUpgrades } from './upgrade.ts';

/**
 * Installs one package, looks at it, exercises it, removes it; then upgrades it from the released version, where there
 * is one. A step that fails ends the trial but for the removal.
 */
export async function tryPackage(quiet: Node, wanted: TriedPackage, settings: TrialSettings): Promise<PackageReport> {
  const { name, version = 'newest', arch = 'any' } = wanted;
  const { timeout, begun } = settings;
  quiet.log.section(`${name} ${version} (${arch})`);
  const steps = new Steps(quiet);
  const { node } = steps;
  const brought: string[] = [];
  const report: PackageReport = { package: name, version, arch, steps: steps.reports, brought };
  begun?.(report);
  const plain = await look(node, 'known', timeout);
  const old = oldOnes(node, plain.installed).filter((one) => one.name !== name);
  const isReady = old.length === 0 || (await steps.run('system', () => renew(node, old, timeout)));
  const before = old.length === 0 ? plain : await look(node, 'known', timeout);
  let installed = before;
  const installTested = async () => {
    const found = await install(node, wanted, timeout);
    if (found.problem !== null) return found;
    installed = await look(node, 'came', timeout);
    const wish = { wanted: [exactly(wanted)], timeout };
    return { ...found, problem: await standInAmong(node, installed.installed, wish) };
  };
  const there = isReady && (await steps.run('install', installTested));
  let good = there && (await steps.run('integrity', () => checkIntegrity(node, name, timeout)));
  if (good && !wanted.debug) good = await steps.run('exercise', () => exercise(node, name, settings));
  const { others = [] } = settings;
  if (good && others.length > 0) good = await steps.run('tests', () => runOtherTests(node, others, settings));
  // Whatever came of it, the next package finds a clean node.
  const gone = there && (await steps.run('remove', () => remove(node, name, { before, installed, timeout })));
  if (good && gone && !wanted.debug) await tryUpgrades(steps, wanted, { before, ...settings });
  const came = [...installed.packages].filter(([each, at]) => before.packages.get(each) !== at);
  brought.push(...came.map((pair) => pair.join(' ')));
  return report;
}
