import type { z } from 'zod';
import { asking } from '../language/near-key.ts';
import type { PlacedEvent } from './check-scenario.ts';
import { checkConfig, readConfig, readExpectation } from './read-parts.ts';
import type { ScenarioEvent } from './scenario.ts';
import { eventSchemas } from './schema.ts';
import type { Source } from './source.ts';

type Kind = keyof typeof eventSchemas;
type Raw = { [K in Kind]: z.infer<(typeof eventSchemas)[K]> };

/**
 * Reads one event: exactly one of its keys names its kind, but for keys that other kinds take as an addition.
 *
 * @param place where it stands, and the time that counts when it gives none
 */
export function readEvent(
  source: Source,
  raw: Readonly<Record<string, unknown>>,
  place: { readonly at: number; readonly index: number },
): PlacedEvent | undefined {
  const path = ['events', place.index];
  const kinds = Object.keys(raw).filter((key): key is Kind => key in eventSchemas);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    source.report(path, kind === undefined ? nothingHappens(raw) : `two events in one: ${kinds.join(', ')}`);
    return undefined;
  }
  const parsed = eventSchemas[kind].safeParse(raw, asking);
  if (!parsed.success) {
    source.reportIssues(parsed.error.issues, path);
    return undefined;
  }
  if ('config' in parsed.data) checkConfig(source, parsed.data.config, [...path, 'config']);
  const at = parsed.data.at ?? place.at;
  const event = { at, ...bodies[kind](parsed.data as never) } as ScenarioEvent;
  return { event, index: place.index, ...('check' in parsed.data ? { check: parsed.data.check } : {}) };
}

function nothingHappens(raw: Readonly<Record<string, unknown>>): string {
  const others = Object.keys(raw).filter((key) => key !== 'at');
  const none = others.length === 0 ? '' : `; "${others.join('", "')}" is none`;
  return `an event needs a key that says what happens${none}`;
}

/** What each kind of event becomes. */
const bodies: { [K in Kind]: (raw: Raw[K]) => object } = {
  upload: (raw) => ({ kind: 'upload', change: raw.upload }),
  patchset: (raw) => ({
    kind: 'patchset',
    change: raw.patchset,
    ...(raw.files ? { files: raw.files } : {}),
    ...(raw['depends-on'] ? { dependsOn: raw['depends-on'] } : {}),
    ...(raw.message === undefined ? {} : { message: raw.message }),
  }),
  approve: (raw) => ({ kind: 'approve', change: raw.approve, label: raw.label, value: raw.value }),
  comment: (raw) => ({ kind: 'comment', change: raw.comment, text: raw.text }),
  abandon: (raw) => ({ kind: 'abandon', change: raw.abandon }),
  restore: (raw) => ({ kind: 'restore', change: raw.restore }),
  merge: (raw) => ({ kind: 'merge', change: raw.merge }),
  'ref-updated': (raw) => ({ kind: 'ref-updated', project: raw['ref-updated'], ref: raw.ref }),
  'edit-message': (raw) => ({ kind: 'edit-message', change: raw['edit-message'], dependsOn: raw['depends-on'] }),
  mergeable: (raw) => ({ kind: 'mergeable', change: raw.mergeable, value: raw.value }),
  enqueue: (raw) => ({ kind: 'enqueue', change: raw.enqueue, pipeline: raw.pipeline }),
  dequeue: (raw) => ({ kind: 'dequeue', change: raw.dequeue, pipeline: raw.pipeline }),
  promote: (raw) => ({ kind: 'promote', changes: raw.promote, pipeline: raw.pipeline }),
  retrigger: (raw) => ({ kind: 'retrigger', job: raw.retrigger, change: raw.change, pipeline: raw.pipeline }),
  autohold: (raw) => ({ kind: 'autohold', job: raw.autohold, project: raw.project, count: raw.count }),
  config: (raw) => ({ kind: 'config', config: readConfig(raw.config) }),
  labels: (raw) => ({ kind: 'labels', labels: raw.labels }),
  check: (raw) => ({ kind: 'check', check: readExpectation(raw.check) }),
};
