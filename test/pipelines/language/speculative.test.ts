import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speculativeLayout } from '../../../pipelines/language/language.ts';
import { freeze, jobsOf, layoutOf, messages, pipelines } from './fixtures.ts';

const config = `${pipelines}- job: {name: base, parent: null, run: r}\n- job: {name: unit, files: ["^src/"]}\n`;
const base = layoutOf({ config: { text: config }, app: { text: '- project: {check: {jobs: [unit]}}' }, other: {} });
const change = (text: string | null, project = 'app') => ({
  project,
  branch: 'master',
  files: [{ path: 'zuul.yaml', text }],
});
const names = (result: Parameters<typeof jobsOf>[0]) => jobsOf(result).map(({ name }) => name);

test('a change is frozen with its own configuration, and the one in force stays', () => {
  const { layout, problems } = speculativeLayout(base, [
    change('- job: {name: lint}\n- project: {check: {jobs: [unit, lint]}}'),
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual(names(freeze(layout)), ['unit', 'lint']);
  assert.deepEqual(names(freeze(base)), ['unit']);
});

test('later changes build on earlier ones', () => {
  const first = change('- job: {name: lint}\n- project: {check: {jobs: [lint]}}');
  const second = change('- project: {check: {jobs: [unit, lint]}}', 'other');
  const { layout } = speculativeLayout(base, [first, second]);
  assert.deepEqual(names(freeze(layout)), ['lint']);
  assert.deepEqual(names(freeze(layout, { project: 'other' })), ['unit', 'lint']);
});

test('a removed file defines nothing', () => {
  const { layout } = speculativeLayout(base, [change(null)]);
  assert.deepEqual(names(freeze(layout)), []);
});

test('changes that touch no configuration leave the layout alone', () => {
  assert.equal(speculativeLayout(base, [{ project: 'app', branch: 'master', files: [] }]).layout, base);
});

test('a change of a config-project is checked and not used', () => {
  const good = speculativeLayout(base, [change(`${config}- job: {name: more}`, 'config')]);
  assert.deepEqual(good.problems, []);
  assert.equal(good.layout.jobs.has('more'), false);
  const bad = speculativeLayout(base, [change(`${config}- job: {name: more, foo: 1}`, 'config')]);
  assert.match(messages(bad).join(), /unknown attribute "foo"/);
});

test('a change that needs a config-project’s change waits for its merge', () => {
  const needed = change(`${config}- job: {name: more}`, 'config');
  const { problems } = speculativeLayout(base, [needed, change('- project: {check: {jobs: [more]}}')]);
  assert.match(messages({ problems }).join(), /depends on a change to a config project/);
});

test('a change of another project may not define a pipeline', () => {
  const { problems } = speculativeLayout(base, [change('- pipeline: {name: own, manager: independent, trigger: {}}')]);
  assert.match(messages({ problems }).join(), /only config-projects may define pipelines/);
});

test('pipelines and semaphores are those in force', () => {
  const { layout } = speculativeLayout(base, [
    change('- semaphore: {name: s, max: 9}\n- project: {check: {jobs: [unit]}}'),
  ]);
  assert.equal(layout.pipelines.get('check'), base.pipelines.get('check'));
  assert.equal(layout.semaphores.has('s'), false);
});

const broken = layoutOf({
  config: { text: config },
  app: { text: '- project: {check: {jobs: [unit]}}' },
  other: { text: '- job: {name: x, foo: 1}' },
});
test('a problem that was there before, elsewhere, does not count', () => {
  const { problems } = speculativeLayout(broken, [change('- project: {check: {jobs: [unit]}}')]);
  assert.deepEqual(problems, []);
});

test('a problem in the change’s own project and branch counts, new or not', () => {
  const { problems } = speculativeLayout(broken, [change('- job: {name: x, foo: 1}', 'other')]);
  assert.match(messages({ problems }).join(), /unknown attribute "foo"/);
});

test('a change that breaks another project counts', () => {
  const user = layoutOf({
    config: { text: config },
    lib: { text: '- job: {name: l}' },
    app: { text: '- project: {check: {jobs: [l]}}' },
  });
  const { problems } = speculativeLayout(user, [change('', 'lib')]);
  assert.match(messages({ problems }).join(), /job "l" is not defined/);
});

test('a job that the change alters runs whatever its file matchers say', () => {
  const own = layoutOf({
    config: { text: config },
    app: { text: '- job: {name: j, files: "^src/"}\n- project: {check: {jobs: [j, unit]}}' },
  });
  const altered = change('- job: {name: j, files: "^src/", timeout: 5}\n- project: {check: {jobs: [j, unit]}}');
  const files = ['zuul.yaml'];
  assert.deepEqual(names(freeze(speculativeLayout(own, [altered]).layout, { files })), ['j']);
  const matchers = change('- job: {name: j, files: "^lib/"}\n- project: {check: {jobs: [j, unit]}}');
  assert.deepEqual(names(freeze(speculativeLayout(own, [matchers]).layout, { files })), []);
});

test('a branch that the tenant does not read is left out', () => {
  const away = { ...change('- job: {name: z}'), branch: 'personal' };
  assert.equal(speculativeLayout(base, [away]).layout.jobs.has('z'), false);
});
