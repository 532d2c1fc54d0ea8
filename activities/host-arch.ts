import { architectureOf } from '../pipelines/model/architecture.ts';

/** This machine's architecture as Debian names it; its build queue is called by it. */
export function hostArch(): string {
  return architectureOf(process.arch);
}
