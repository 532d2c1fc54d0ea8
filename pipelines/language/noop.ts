import type { JobVariant } from './stanza.ts';

/** The built-in job that always succeeds, without a node. */
export const noop: JobVariant = {
  name: 'noop',
  origin: { project: '', branch: '', path: 'noop', trusted: true, lineStarts: [0] },
  offset: 0,
  marks: {},
  attributes: { parent: null, final: true, deduplicate: true, description: 'Succeeds without doing anything.' },
  attached: false,
};
