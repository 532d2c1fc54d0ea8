import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildLayout, defaultTenant, parseConfigFile } from '../../pipelines/language/language.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { gateOf, observing, route, type View } from '../../server/events/route.ts';
import { change } from '../workflows/make.ts';

const text = `
- pipeline: {name: check, manager: independent, trigger: {git: [{event: patchset-created}]}}
- pipeline: {name: gate, manager: dependent, trigger: {git: [{event: comment-added}]}}
- pipeline: {name: after, manager: independent, trigger: {zuul: [{event: project-change-merged}]}}
`;
const source = { project: 'config', branch: 'master', path: 'zuul.yaml', trusted: true, text };
const project = { name: 'config', connection: 'git', trusted: true, branches: ['master'], defaultBranch: 'master' };
const files = [parseConfigFile({ ...source, connections: { git: 'git' } })];
const layout = buildLayout({ tenant: defaultTenant, projects: [project], files });

const one = change('git:1');
const view: View = { tenant: 't', layout, change: one, around: [one], joins: new Set(), proposals: [] };
const event = (type: string): TriggerEvent => {
  return { type, driver: 'git', connection: 'git', project: 'tinycdb', branch: 'main', change: 'git:1', time: 5 };
};
const shown = (routed: ReturnType<typeof route>) =>
  routed.map(({ gate, starts }) => [gate.pipeline, gate.queue, starts]);

test('an event is routed to the gates of the pipelines that it triggers, with the facts first', () => {
  const [routed, ...more] = route(view, { id: 'git:1/1', event: event('patchset-created'), time: 7 });
  assert.deepEqual(more, []);
  assert.deepEqual(routed?.gate, { tenant: 't', pipeline: 'check', queue: 'tinycdb' });
  assert.equal(routed.message.id, 'git:1/1');
  assert.deepEqual(routed.message.commands, [
    { type: 'observe', time: 7, changes: [one] },
    { type: 'enqueue', time: 7, pipeline: 'check', change: 'git:1,1', event: event('patchset-created') },
  ]);
  assert.equal(routed.message.pipeline?.name, 'check');
  assert.deepEqual(routed.message.limits, { fires: ['project-change-merged'] }, 'what some pipeline waits for');
  assert.deepEqual(route(view, { id: 'x', event: event('change-abandoned'), time: 7 }), []);
});

test('a project that does not use a pipeline only joins the gate that is there, unless it brings itself in', () => {
  const stranger = { ...one, placements: {} };
  const outside = { ...view, change: stranger };
  const occurrence = { id: 'x', event: event('comment-added'), time: 7 };
  assert.deepEqual(shown(route(outside, occurrence)), [['gate', 'tinycdb', false]]);
  assert.equal(route(outside, occurrence)[0]?.message.pipeline, undefined);
  assert.deepEqual(shown(route({ ...outside, joins: new Set(['gate']) }, occurrence)), [['gate', 'tinycdb', true]]);
  assert.deepEqual(shown(route(view, occurrence)), [['gate', 'q', true]]);
});

test('every gate that may hold a change, or one around it, is concerned, each once', () => {
  const two = change('git:2', { project: 'mbw', placements: {} });
  const shown = observing({ ...view, around: [one, two, change('git:3')] }, 'id');
  assert.deepEqual(
    shown.map(({ gate: { pipeline, queue }, starts }) => `${pipeline} ${queue}${starts ? ' starts' : ''}`),
    ['check tinycdb', 'gate q', 'after tinycdb', 'check mbw', 'gate mbw', 'after mbw'],
  );
  assert.deepEqual(gateOf('t', one, 'gate'), { tenant: 't', pipeline: 'gate', queue: 'q' });
});
