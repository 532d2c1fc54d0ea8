import type { StageContext } from '../ports.ts';

/** What the stage of programs gets besides what every stage gets. */
export interface ScriptContext extends StageContext {
  /** Says at once, before the job ends, that it fails: a line of its output says so. Saying it twice is harmless. */
  failing(line: string): Promise<void>;
  /** Says how secrets are taken out of the machines, should somebody want to look at them afterwards. */
  scrubBy?(scrub: () => Promise<void>): void;
}
