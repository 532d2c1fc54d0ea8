import { installReleased, type Node, onNode } from '../nodes/packages/node.ts';
import { type Inventory, look } from './inventory.ts';
import { checkIntegrity, install, problemOf, remove, type TriedPackage } from './package.ts';
import { scriptDirectory } from './place-scripts.ts';
import type { Finding, Steps } from './steps.ts';
import type { TrialSettings } from './trial-settings.ts';

interface UpgradeSettings extends Pick<TrialSettings, 'released' | 'timeout'> {
  /** The node without the package. */
  readonly before: Inventory;
}

interface Trial extends UpgradeSettings {
  readonly steps: Steps;
  readonly wanted: TriedPackage;
  /** The version to begin with. */
  readonly from: string;
}

/**
 * Installs the released version of a package, upgrades it to the one under test, and removes it. Where it has configuration
 * files, all of that once more with each of them changed: what somebody has changed is not lost.
 */
export async function tryUpgrades(steps: Steps, wanted: TriedPackage, settings: UpgradeSettings): Promise<void> {
  const from = wanted.version === undefined ? null : await releasedVersion(steps.node, wanted.name, settings);
  if (from === null || from === wanted.version) return;
  const trial = { ...settings, steps, wanted, from };
  const files = await tryUpgrade(trial, []);
  if (files.length > 0) await tryUpgrade(trial, files);
}

async function releasedVersion(node: Node, name: string, settings: UpgradeSettings): Promise<string | null> {
  const { released = [], timeout } = settings;
  if (released.length === 0) return null;
  await node.door?.open();
  const { code, output } = await onNode(node, node.manager.versions(name), timeout);
  return code === 0 ? node.manager.releasedVersion(output, released) : null;
}

/**
 * @param change configuration files that are changed before the upgrade
 * @returns the configuration files of the released version; none when anything has failed
 */
async function tryUpgrade({ steps, wanted, from, ...settings }: Trial, change: readonly string[]) {
  const { node } = steps;
  const { name } = wanted;
  const { before, timeout } = settings;
  const about = change.length === 0 ? from : `${from} with its configuration changed`;
  if (!(await steps.run('released', () => begin(node, { name, version: from, timeout }), from))) return [];
  const files = await configurationOf(node, name, timeout);
  if (change.length > 0) await onNode(node, [`${scriptDirectory}/change`, ...change], timeout);
  // What the released version itself leaves behind nobody can mend.
  await look(node, 'also-known', timeout);
  const good = await steps.run('upgrade', () => upgrade(node, wanted, timeout), `from ${about}`);
  const installed = await look(node, 'came', timeout);
  const end = () => remove(node, name, { before, installed, except: besideChanged, timeout });
  const gone = await steps.run('remove', end, 'after the upgrade');
  return good && gone ? files : [];
}

/** What a package manager puts beside a configuration file that somebody has changed. */
const besideChanged = /\.(rpmnew|rpmsave|rpmorig|dpkg-\w+)$/;

interface Beginning {
  readonly name: string;
  readonly version: string;
  readonly timeout: number;
}

/** A released version that cannot be installed says nothing of the one under test. */
async function begin(node: Node, { name, version, timeout }: Beginning): Promise<Finding> {
  const result = await installReleased(node, [{ name, version }], timeout);
  const problem = problemOf(node, result, timeout);
  if (problem === null) return { problem, output: result.output };
  await onNode(node, node.manager.remove([name]), timeout);
  return { problem: null, leftOut: `the released version cannot be installed: ${problem}`, output: result.output };
}

async function configurationOf(node: Node, name: string, timeout: number): Promise<readonly string[]> {
  const { output } = await onNode(node, node.manager.configuration(name), timeout);
  const paths = output.split('\n').map((line) => line.trim().split(' ')[0] ?? '');
  return paths.filter((path) => path.startsWith('/'));
}

async function upgrade(node: Node, wanted: TriedPackage, timeout: number): Promise<Finding> {
  const installed = await install(node, wanted, timeout);
  if (installed.problem !== null) return installed;
  const { output } = await onNode(node, [`${scriptDirectory}/kept`], timeout);
  const lost = output.split('\n').find((line) => line !== '');
  if (lost !== undefined) return { problem: `loses what was changed in ${lost}`, output: installed.output };
  const { problem, output: looked } = await checkIntegrity(node, wanted.name, timeout);
  return { problem, output: `${installed.output}${looked}` };
}
