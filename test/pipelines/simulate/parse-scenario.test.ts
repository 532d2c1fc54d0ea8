import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario, simulate } from '../../../pipelines/simulate/simulate.ts';
import { timeline } from '../../../pipelines/simulate/timeline.ts';

const head = "scenario: s\nconfig: ''\nchanges:\n  A: {project: p/a}\n";

function problems(text: string): readonly string[] {
  const parsed = parseScenario(text, 'f.yaml');
  assert.ok('problems' in parsed, 'the scenario is accepted');
  return parsed.problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`);
}

const rows: readonly (readonly [says: string, text: string, problem: RegExp])[] = [
  ['text that is not YAML', 'scenario: [', /^f\.yaml:1:\d+: /],
  ['something else than a map', '- 1', /^f\.yaml:1:1: a scenario is a map of keys$/],
  [
    'a key that is nearly right',
    `${head}evnts: []\n`,
    /^f\.yaml:5:1: unknown key "evnts" \(did you mean "events"\?\)$/,
  ],
  ['an unknown key', `${head}colour: red\n`, /^f\.yaml:5:1: unknown key "colour"$/],
  [
    'an unknown key of a change',
    'scenario: s\nconfig: ""\nchanges:\n  A: {project: p, x: 1}\n',
    /^f\.yaml:4:19: unknown key "x"$/,
  ],
  ['a missing title', "config: ''\n", /scenario/],
  ['a bad duration', `${head}events:\n  - {at: 3x, approve: A}\n`, /^f\.yaml:6:6: events\.0\.at: must be a duration/],
  ['a negative duration', `${head}until: -3s\n`, /^f\.yaml:5:1: until: must be a duration/],
  ['a number for a duration', `${head}until: 5\n`, /^f\.yaml:5:1: until: expected text, found 5$/],
  ['a number below its limit', `${head}labels: {vm: -1}\n`, /^f\.yaml:5:10: labels\.vm: must be at least 0$/],
  [
    'a number below any',
    `${head}labels: {vm: -99999999999999999999}\n`,
    /^f\.yaml:5:10: labels\.vm: must be at least 0$/,
  ],
  ['an unknown change in an event', `${head}events:\n  - {approve: B}\n`, /^f\.yaml:6:6: unknown change "B"$/],
  ['an unknown change in an outcome', `${head}outcomes:\n  - {change: B}\n`, /^f\.yaml:6:6: unknown change "B"$/],
  ['an unknown parent', 'scenario: s\nconfig: ""\nchanges:\n  A: {project: p, parent: B}\n', /unknown change "B"$/],
  ['an unknown result', `${head}outcomes:\n  - {result: GOOD}\n`, /^f\.yaml:6:6: outcomes\.0\.result: /],
  ['an unknown change in what is expected', `${head}expect:\n  merged: [A, B]\n`, /^f\.yaml:6:15: unknown change "B"$/],
  ['an unknown change in a report', `${head}expect: {reports: [{change: B}]}\n`, /unknown change "B"$/],
  [
    'an unknown change in what was built',
    `${head}events:\n  - check: {running: [{job: x, changes: [A, B]}]}\n`,
    /^f\.yaml:6:32: unknown change "B"$/,
  ],
  [
    'a queue of no pipeline',
    `${head}events:\n  - check: {queue: [A]}\n`,
    /^f\.yaml:6:13: queue needs "pipeline" beside it$/,
  ],
  ['a window of no pipeline', `${head}expect: {window: 3}\n`, /^f\.yaml:5:10: window needs "pipeline" beside it$/],
  ['an expression that is none', `${head}outcomes:\n  - {job: "^("}\n`, /^f\.yaml:6:6: .* not a regular expression/],
  ['an unknown key of the tenant', `${head}tenant: {size: 3}\n`, /^f\.yaml:5:10: unknown key "size"$/],
  [
    'a limit that is no number',
    `${head}tenant: {max-nodes-per-job: many}\n`,
    /^f\.yaml:5:10: tenant\.max-nodes-per-job: /,
  ],
  [
    'a label that is no expression',
    `${head}tenant: {allowed-labels: ["("]}\n`,
    /^f\.yaml:5:1: .* not a regular expression/,
  ],
  ['a missing text', `${head}events:\n  - {comment: A}\n`, /^f\.yaml:6:5: events\.0\.text: is missing$/],
  [
    'a configuration without its text',
    'scenario: s\nconfig:\n  - {project: p}\n',
    /^f\.yaml:3:5: config\.0\.text: is missing$/,
  ],
  ['an event that says nothing', `${head}events:\n  - {at: 1s}\n`, /an event needs a key/],
  [
    'an unknown event',
    `${head}events:\n  - {at: 1s, cheer: A}\n`,
    /^f\.yaml:6:5: .* says what happens; "cheer" is none$/,
  ],
  ['two events in one', `${head}events:\n  - {approve: A, abandon: A}\n`, /two events in one: approve, abandon/],
  ['a key that belongs to another event', `${head}events:\n  - {approve: A, text: x}\n`, /unknown key "text"$/],
  [
    'an expectation that only a check can have',
    `${head}expect: {queue: [A], pipeline: gate}\n`,
    /unknown key "queue"$/,
  ],
  ['a configuration that is not YAML', "scenario: s\nconfig: '- ['\n", /^f\.yaml:2:1: the configuration is not YAML/],
];

for (const [says, text, problem] of rows) {
  test(`refused: ${says}`, () => assert.match(problems(text).join('\n'), problem));
}

test('mistakes of each kind are told at once', () => {
  const text = `scenario: s
colour: red
start: soon
config: |
  - job: {name: a
  - job: {name: b, tags: [}
changes:
  A: {project: p}
events:
  - upload: A
  - upload: B
  - upload: A
    approve: A
expect:
  merged: [C]
`;
  const said = problems(text).join('\n');
  for (const each of [
    /^f\.yaml:2:1: unknown key "colour"$/m,
    /^f\.yaml:3:1: must be a time such as/m,
    /^f\.yaml:4:1: the configuration is not YAML: .* \(line 1 of it\)\nf\.yaml:4:1: .* \(line 2 of it\)$/m,
    /^f\.yaml:11:5: unknown change "B"$/m,
    /^f\.yaml:12:5: two events in one/m,
    /^f\.yaml:15:12: unknown change "C"$/m,
  ]) {
    assert.match(said, each);
  }
  assert.equal(said.split('\n').filter((line) => /is not YAML/.test(line)).length, 2, said);
});

test('several problems are told at once', () => {
  assert.equal(problems('scenario: s\nconfig: 1\ncolour: red\nsize: 3\n').length, 3);
});

test('branches and tags go by their refs in what is expected', () => {
  const text = `${head}expect: {builds-exclude: [{change: refs/heads/master}]}\n`;
  assert.ok('scenario' in parseScenario(text, 'f.yaml'));
});

test('an error inside the configuration is part of the run', () => {
  const parsed = parseScenario("scenario: s\nconfig: '- job: {name: unit, colour: red}'\n", 'f.yaml');
  assert.ok('scenario' in parsed);
  const { ok, configErrors } = simulate(parsed.scenario);
  assert.equal(ok, true);
  assert.match(configErrors[0]?.message ?? '', /colour/);
});

test('what the tenant says without effect is told with the run, as config check tells it', () => {
  const parsed = parseScenario(`${head}tenant: {web-root: https://ci.example.org}\n`, 'f.yaml');
  assert.ok('scenario' in parsed);
  const result = simulate(parsed.scenario);
  const [warning] = result.configErrors;
  assert.deepEqual([result.ok, warning?.severity, warning?.line, warning?.column], [true, 'warning', 5, 10]);
  assert.match(
    timeline(result, { width: 100 }),
    /^f\.yaml:5:10: warning: tenant: web-root has no effect: write "server\.url"/m,
  );
});

const picture = `
scenario: a picture
config: |
  - pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}, success: {gerrit: {}}, failure: {gerrit: {}}}
  - job: {name: base, parent: null}
  - job: {name: build}
  - job: {name: unit, dependencies: [build]}
  - project: {name: p/a, check: {jobs: [build, unit]}}
changes:
  A: {project: p/a}
outcomes:
  - {job: build, result: SUCCESS, after: 30s}
  - {job: unit, result: FAILURE, after: 30s}
events:
  - {upload: A}
expect: {merged: [A]}
`;

test('the picture shows each build as a bar, what came of it, and what does not hold', () => {
  const parsed = parseScenario(picture, 'f.yaml');
  assert.ok('scenario' in parsed);
  assert.deepEqual(timeline(simulate(parsed.scenario), { width: 60 }).split('\n'), [
    'a picture',
    '           0s                  30s           1m 00s',
    '',
    'A in check: FAILURE at 1m 00s',
    '  build    ━━━━━━━━━━━━━━━━━━━━                     SUCCESS',
    '  unit                         ━━━━━━━━━━━━━━━━━━━━ FAILURE',
    'nothing merged',
    '✗ at the end: merged: expected ["A"], found []',
    '',
  ]);
});

test('no line of the picture is wider than asked for', () => {
  const parsed = parseScenario(picture, 'f.yaml');
  assert.ok('scenario' in parsed);
  const result = { ...simulate(parsed.scenario), failures: [] };
  for (const width of [40, 57, 80, 200]) {
    for (const line of timeline(result, { width }).split('\n')) assert.ok(line.length <= width, `${width}: ${line}`);
  }
});
