import { architectureOf } from '../../pipelines/model/architecture.ts';

/** This machine's architecture as Debian names it: the name of its build queue. */
export function hostArch(): string {
  return architectureOf(process.arch);
}
