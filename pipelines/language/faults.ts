import type { z } from 'zod';
import { meant } from './near-key.ts';
import { quoted, toldOnce, wording } from './wording.ts';
import type { RawStanza } from './yaml.ts';
import type { Fault } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;

/** Most faults told of one stanza: finding each one's place costs a walk through the stanza. */
const MAX_FAULTS = 50;

/** Says in words, and with a place each, what a schema found wrong with a stanza. */
export function faultsOf(stanza: RawStanza, issues: readonly Issue[], prefix: readonly PropertyKey[] = []): Fault[] {
  const found = toldOnce(issues)
    .slice(0, MAX_FAULTS)
    .flatMap((issue) => innermost(issue, [...prefix, ...issue.path]))
    .slice(0, MAX_FAULTS);
  return found.flatMap(({ issue: cause, path }) => {
    const subject = attributeText(path);
    if (cause.code === 'unrecognized_keys') {
      return cause.keys.slice(0, MAX_FAULTS).map((key) => ({
        offset: stanza.locate(path, key),
        message: `unknown attribute "${subject === '' ? key : `${subject}.${key}`}"${meant(key, cause)}`,
      }));
    }
    return [
      {
        offset: stanza.locate(path),
        message: subject === '' ? wording(cause, quoted) : `${subject}: ${wording(cause, quoted)}`,
      },
    ];
  });
}

interface Placed {
  readonly issue: Issue;
  readonly path: readonly PropertyKey[];
}

/** Of the alternatives of a union, the one that got furthest is what was meant: all that is wrong with it. */
function innermost(issue: Issue, path: readonly PropertyKey[]): readonly Placed[] {
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const branches = issue.errors.filter((errors) => errors.length > 0);
  const deep = branches.find(([first]) => first && (first.path.length > 0 || first.code !== 'invalid_type'));
  if (deep === undefined) return [{ issue, path }];
  return toldOnce(deep).flatMap((inner) => innermost(inner, [...path, ...inner.path]));
}

/** `value` is the inside of an attribute that may carry a merge mode: not something that was written. */
function attributeText(path: readonly PropertyKey[]): string {
  return path
    .filter((step) => step !== 'value')
    .map(String)
    .join('.');
}
