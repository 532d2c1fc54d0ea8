import type { Stanza } from '../source.ts';

/** A job cannot be frozen; caught where freezing begins and handed back as a value. */
export class FreezeError extends Error {
  /** The stanza to mend, where one is known. */
  readonly stanza: Stanza | undefined;

  /** The name of what is not there, where that is the reason. */
  readonly missing: string | undefined;

  constructor(message: string, stanza?: Stanza, missing?: string) {
    super(message);
    this.stanza = stanza;
    this.missing = missing;
  }
}
