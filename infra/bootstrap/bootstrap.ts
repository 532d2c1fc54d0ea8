import type { Config } from '../config/load.ts';
import { foreignArchitectures } from './emulation.ts';
import { containerEngine } from './engine.ts';
import { containerImages } from './images.ts';
import { debianPackages } from './packages.ts';
import { signerUser } from './signer.ts';
import type { Finding, Step } from './step.ts';
import { temporalServer } from './temporal.ts';

/** All that a machine must have, in the order in which it is made good. */
export function bootstrapSteps(config: Pick<Config, 'platforms' | 'projects' | 'workers'>): readonly Step[] {
  return [
    ...[debianPackages(), temporalServer(), signerUser(), containerEngine()],
    ...[foreignArchitectures(config), containerImages(config)],
  ];
}

/** A step that found something missing. */
export interface Need {
  readonly step: Step;
  readonly findings: readonly Finding[];
}

/** Looks at everything at once, and changes nothing. */
export async function findNeeds(steps: readonly Step[]): Promise<readonly Need[]> {
  const needs = await Promise.all(steps.map(async (step) => ({ step, findings: await step.check() })));
  return needs.filter(({ findings }) => findings.length > 0);
}

/**
 * Makes one need good, and looks again.
 *
 * @throws with what is still missing, and the commands that mend it.
 */
export async function meet({ step, findings }: Need, report: (line: string) => void): Promise<void> {
  // An earlier step may have made it good already: a package that brings its service along.
  const current = await step.check();
  if (current.length === 0) return;
  try {
    await step.act(current, report);
  } catch (error) {
    throw new Error(`${step.name}: ${error instanceof Error ? error.message : error}\n${mends(findings)}`);
  }
  const left = await step.check();
  if (left.length > 0) throw new Error(`${step.name}: still missing\n${mends(left)}`);
}

function mends(findings: readonly Finding[]): string {
  return findings.map(({ missing, mend }) => `  ${missing}: ${mend}`).join('\n');
}
