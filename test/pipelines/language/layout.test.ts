import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  layoutPipelines,
  Pattern,
  placement,
  projectSettings,
  semaphores,
} from '../../../pipelines/language/language.ts';
import { layoutOf, messages, pipelines, simple, type World } from './fixtures.ts';

const base = `${pipelines}- job: {name: base, parent: null, run: r}\n`;

const faults: readonly [sentence: string, world: World, error: RegExp][] = [
  [
    'an untrusted project defines no pipeline',
    { config: { text: base }, app: { text: pipelines } },
    /only config-projects may define pipelines/,
  ],
  [
    'an untrusted project defines no base job',
    { config: { text: base }, app: { text: '- job: {name: a, parent: null}' } },
    /only config-projects may define base jobs/,
  ],
  ['a pipeline is defined once', { config: { text: base + pipelines } }, /pipeline "check" is already defined/],
  [
    'jobs are not shadowed',
    { config: { text: base }, app: { text: '- job: {name: base}' } },
    /already defined in project config/,
  ],
  [
    'noop is not redefined',
    { config: { text: `${base}- job: {name: noop, run: r}` } },
    /already defined in Sluice itself/,
  ],
  [
    'a project is configured by itself only',
    { config: { text: base }, app: { text: '- project: {name: config, check: {jobs: [noop]}}' } },
    /only by itself or a config-project/,
  ],
  ['a project must be known', { config: { text: `${base}- project: {name: no/such}` } }, /"no\/such" is not known/],
  [
    'a template must be defined',
    { config: { text: `${base}- project: {templates: [t]}` } },
    /project-template "t" is not defined/,
  ],
  [
    'an attached job must be defined',
    { config: { text: `${base}- project: {check: {jobs: [j]}}` } },
    /job "j" is not defined/,
  ],
  ['a parent must be defined', { config: { text: `${base}- job: {name: a, parent: b}` } }, /parent "b" is not defined/],
  [
    'a final job is no parent',
    { config: { text: `${base}- job: {name: f, final: true}\n- job: {name: a, parent: f}` } },
    /is final and cannot be inherited/,
  ],
  [
    'a dependency must be defined',
    { config: { text: `${base}- job: {name: a, dependencies: b}` } },
    /dependencies: job "b" is not defined/,
  ],
  [
    'a nodeset must be defined',
    { config: { text: `${base}- job: {name: a, nodeset: n}` } },
    /nodeset "n" is not defined/,
  ],
  [
    'a nodeset is not its own alternative',
    { config: { text: `${base}- nodeset: {name: n, alternatives: [n]}` } },
    /among its own alternatives/,
  ],
  [
    'a secret is used in its own project',
    { config: { text: `${base}- secret: {name: s, data: {}}` }, app: { text: '- job: {name: a, secrets: s}' } },
    /belongs to project config/,
  ],
  [
    'a nodeset is defined in one project',
    { config: { text: `${base}- nodeset: {name: n, nodes: []}` }, app: { text: '- nodeset: {name: n, nodes: []}' } },
    /already defined in project config/,
  ],
  [
    'a nodeset is the same on all branches',
    {
      config: { text: base },
      app: {
        branches: {
          master: '- nodeset: {name: n, nodes: []}',
          old: '- nodeset: {name: n, nodes: {name: a, label: b}}',
        },
      },
    },
    /differs from its definition on branch master/,
  ],
  [
    'a superseded pipeline must be defined',
    { config: { text: '- pipeline: {name: p, manager: independent, supercedes: q, trigger: {}}' } },
    /supercedes pipeline "q"/,
  ],
  [
    'parameters need a pipeline that allows them',
    { config: { text: `${base}- project: {check: {parameters: {name: x, type: bool}}}` } },
    /does not allow parameters/,
  ],
  [
    'a timeout stays within the tenant’s limit',
    { config: { text: `${base}- job: {name: a, timeout: 20000}` } },
    /exceeds the tenant's limit/,
  ],
  [
    'a job stays within the tenant’s limit of nodes',
    {
      config: {
        text: `${base}- job: {name: a, nodeset: {nodes: {name: [a], label: x}}}\n- job: {name: b, nodeset: {nodes: [{name: a, label: x}, {name: b, label: x}, {name: c, label: x}]}}`,
      },
    },
    /limit of 2 nodes/,
  ],
  [
    'a label must be allowed',
    { config: { text: `${base}- job: {name: a, nodeset: {nodes: {name: a, label: gpu}}}` } },
    /label "gpu" is not allowed/,
  ],
];

for (const [sentence, world, error] of faults) {
  test(sentence, () => {
    const limits = { maxNodesPerJob: 2, disallowedLabels: [Pattern.of('gpu')] };
    assert.match(messages(layoutOf(world, limits)).join('\n'), error);
  });
}

test('what is missing is a warning where only part of the tenant was given', () => {
  const text = `${base}- job: {name: a, parent: b, nodeset: n}\n- project: {name: x/y, templates: [t], check: {jobs: [j]}}`;
  const layout = layoutOf({ config: { text } }, { partial: true });
  assert.deepEqual(messages(layout), []);
  assert.equal(messages(layout, 'warning').length, 3);
});

test('a timer whose schedule cannot be read is a warning: the pipeline has other triggers, perhaps', () => {
  const text = `- pipeline: {name: p, manager: independent, trigger: {timer: [{time: 0 3 * *}, {time: 0 3 * * *}]}}`;
  const found = messages(layoutOf({ config: { text } }), 'warning');
  assert.deepEqual(found.length, 1);
  assert.match(found.join(), /timer "0 3 \* \*" never fires: write MINUTE HOUR/);
});

test('a project that may shadow another is left out where it does', () => {
  const world = { config: { text: base }, app: { text: '- job: {name: base, timeout: 1}', shadow: ['config'] } };
  const layout = layoutOf(world);
  assert.deepEqual(messages(layout), []);
  assert.equal(layout.jobs.get('base')?.length, 1);
});

test('only the kinds of objects that are let in are read', () => {
  const text = '- job: {name: a}\n- nodeset: {name: n, nodes: []}';
  const layout = layoutOf({ config: { text: base }, app: { text, include: ['nodeset'] } });
  assert.equal(layout.jobs.has('a'), false);
  assert.equal(layout.nodesets.has('n'), true);
});

test('the same object on two branches is one', () => {
  const text = '- nodeset: {name: n, nodes: []}\n- semaphore: {name: s, max: 3}';
  const layout = layoutOf(
    { config: { text: base }, app: { branches: { master: text, old: text } } },
    { globalSemaphores: { g: 5 } },
  );
  assert.deepEqual(messages(layout), []);
  assert.deepEqual(semaphores(layout), { s: 3, g: 5 });
});

test('pipelines come with every default filled in', () => {
  const [check, gate] = layoutPipelines(simple(''));
  assert.equal(gate?.postReview, true);
  assert.deepEqual(check?.window, {
    size: 20,
    floor: 3,
    ceiling: null,
    increaseType: 'linear',
    increaseFactor: 1,
    decreaseType: 'exponential',
    decreaseFactor: 2,
  });
  assert.equal(check?.messages.success, 'Build succeeded.');
  assert.deepEqual(check?.triggers, [{ connection: 'gerrit', body: { event: 'patchset-created' } }]);
});

test('a pipeline need not have a trigger', () => {
  const layout = layoutOf({ config: { text: '- pipeline: {name: p, manager: independent}' } });
  assert.deepEqual(messages(layout), []);
  assert.deepEqual(layoutPipelines(layout)[0]?.triggers, []);
});

test('conflicts and configuration errors are reported as failures unless they have reporters', () => {
  const text =
    '- pipeline: {name: p, manager: independent, trigger: {}, failure: {gerrit: {V: -1}}, config-error: {gerrit: {V: -2}}}';
  const [pipeline] = layoutPipelines(layoutOf({ config: { text } }));
  assert.deepEqual(pipeline?.reporters['merge-conflict'], [{ connection: 'gerrit', body: { V: -1 } }]);
  assert.deepEqual(pipeline?.reporters['config-error'], [{ connection: 'gerrit', body: { V: -2 } }]);
});

const queued = layoutOf({
  config: {
    text: `${base}
- queue: {name: core, allow-circular-dependencies: true, dependencies-by-topic: true}
- queue: {name: branchy, per-branch: true}
- project-template: {name: t, queue: branchy, gate: {jobs: [noop]}}
- project: {name: a, queue: core, templates: [t], merge-mode: squash-merge}
- project: {name: b, templates: [t], default-branch: main}
- project: {name: c, queue: implied, gate: {jobs: [noop]}}
- project: {name: d, gate: {jobs: [noop]}}
- queue: {name: chosen, type: branch-assigned}`,
  },
  a: {},
  b: {},
  c: {},
  d: {},
  e: {
    branches: { master: '- project: {gate: {jobs: [noop]}}', new: '- project: {queue: chosen, gate: {jobs: [noop]}}' },
  },
});
const places: readonly [
  sentence: string,
  project: string,
  branch: string,
  queue: string | undefined,
  shared: boolean,
][] = [
  ['a project’s queue beats its template’s', 'a', 'master', 'core', true],
  ['a queue per branch has the branch in its name', 'b', 'old', 'branchy old', true],
  ['a queue that nobody defines is shared by name', 'c', 'master', 'implied', true],
  ['a project without a queue has its own', 'd', 'master', 'd', false],
  ['a branch may choose a queue', 'e', 'new', 'chosen', true],
  ['another branch need not', 'e', 'master', 'e', false],
  ['a project that is not in the pipeline has no place', 'config', 'master', undefined, false],
];
for (const [sentence, project, branch, queue, shared] of places) {
  test(sentence, () => {
    const place = placement(queued, 'gate', project, branch);
    assert.equal(place?.queue, queue);
    assert.equal(place?.shared ?? false, shared);
  });
}

test('a queue’s properties come with it', () => {
  const { allowCircularDependencies, dependenciesByTopic } = placement(queued, 'gate', 'a', 'master') ?? {};
  assert.deepEqual([allowCircularDependencies, dependenciesByTopic], [true, true]);
});

test('settings of a project are those of its stanzas, else of the review system', () => {
  assert.equal(projectSettings(queued, 'a')?.mergeMode, 'squash-merge');
  assert.equal(projectSettings(queued, 'b')?.defaultBranch, 'main');
  assert.equal(projectSettings(queued, 'b')?.mergeMode, 'merge');
  assert.equal(projectSettings(queued, 'nobody'), undefined);
});
