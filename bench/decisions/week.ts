import { defaultTenant } from '../../pipelines/language/language.ts';
import type { Scenario, ScenarioChange, SimulationResult } from '../../pipelines/simulate/scenario.ts';
import { type SimulateOptions, simulate } from '../../pipelines/simulate/simulate.ts';

const day = 86_400_000;

const config = `
- pipeline:
    name: check
    manager: independent
    trigger: {gerrit: [{event: patchset-created}]}
    success: {gerrit: {Verified: 1}}
    failure: {gerrit: {Verified: -1}}
- pipeline:
    name: gate
    manager: dependent
    precedence: high
    require: {gerrit: {open: true, current-patchset: true, approval: [{Approved: 1}]}}
    trigger: {gerrit: [{event: comment-added, approval: [{Approved: 1}]}]}
    success: {gerrit: {Verified: 2, submit: true}}
    failure: {gerrit: {Verified: -2}}
    supercedes: [check]
- job: {name: base, parent: null}
- queue: {name: core}
- job: {name: build}
- job: {name: lint, dependencies: [build]}
- job: {name: install, dependencies: [build]}
- project: {name: "^pkg/.*", queue: core, check: {jobs: [build, lint]}, gate: {jobs: [build, lint, install]}}
`;

/** A week of changes to 50 packages, spread evenly; one in twenty fails its install test in the gate. */
export function weekOf(changesADay: number): Scenario {
  const count = changesADay * 7;
  const gap = Math.floor((7 * day) / count);
  const changes = Array.from({ length: count }, (_, index) => change(index));
  const failing = changes.filter((_, index) => index % 20 === 7).map(({ name }) => name);
  return {
    path: 'week.yaml',
    title: `${changesADay} changes a day for a week`,
    config: [
      { kind: 'file', file: { project: 'config', trusted: true, branch: 'master', path: '.zuul.yaml', text: config } },
    ],
    labels: {},
    tenant: defaultTenant,
    warnings: [],
    changes,
    outcomes: [
      { change: failing, job: 'install', pipeline: 'gate', result: 'FAILURE', after: 300_000, ...usual },
      { job: 'build', result: 'SUCCESS', after: 600_000, ...usual },
      { result: 'SUCCESS', after: 240_000, ...usual },
    ],
    events: changes.flatMap(({ name }, index) => [
      { at: index * gap, kind: 'upload', change: name } as const,
      { at: index * gap + 1_800_000, kind: 'approve', change: name, label: 'Approved', value: 1 } as const,
    ]),
    start: Date.UTC(2030, 0, 7),
    until: 14 * day,
    expect: undefined,
  };
}

/** Runs the week; the events are those of `weekOf`, put in order. */
export function runWeek(scenario: Scenario, options: SimulateOptions = {}): SimulationResult {
  return simulate({ ...scenario, events: [...scenario.events].sort((a, b) => a.at - b.at) }, options);
}

const usual = { artifacts: [], phase: 'run', retry: true } as const;

function change(index: number): ScenarioChange {
  return {
    name: `c${index}`,
    project: `pkg/p${index % 50}`,
    branch: 'master',
    patchset: 1,
    files: ['debian/control'],
    message: 'Update',
    owner: 'maintainer',
    dependsOn: [],
    conflicts: [],
    tag: false,
    mergeable: true,
    refuseSubmit: false,
    labels: {},
  };
}
