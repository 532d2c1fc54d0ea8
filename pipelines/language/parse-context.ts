import type { Problem } from '../model/position.ts';
import { faultsOf } from './faults.ts';
import type { Origin } from './source.ts';
import type { RawStanza } from './yaml.ts';
import type { Fault } from './yaml-document.ts';

/** What a parser of one kind of stanza works with. */
export interface ParseContext {
  readonly origin: Origin;
  readonly drivers: (connection: string) => string;
  report(severity: Problem['severity'], offset: number, message: string): void;
}

/** Reports faults of a stanza, each with the stanza's kind and name in front. */
export function reportFaults(stanza: RawStanza, faults: readonly Fault[], report: ParseContext['report']): void {
  const name = typeof stanza.body.name === 'string' ? ` "${stanza.body.name}"` : '';
  for (const { offset, message } of faults) report('error', offset, `${stanza.kind}${name}: ${message}`);
}

/** Reports what a schema found; the stanza is left out. */
export function refuse(stanza: RawStanza, context: ParseContext, issues: Parameters<typeof faultsOf>[1]): undefined {
  reportFaults(stanza, faultsOf(stanza, issues), context.report);
  return undefined;
}
