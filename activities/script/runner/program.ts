import type { Runner } from './runner.ts';

/** Programs: the exit status is the verdict, and the last line says why. */
export const programRunner: Runner = {
  prepare: async ({ place }) => ({ argv: [place.program], env: {} }),
  judge: async ({ script }, { code, output, timedOut }) => {
    if (code === 0 || timedOut) return undefined;
    const last = output.trim().split('\n').at(-1) ?? '';
    return { result: 'FAILURE', summary: `${script.path} ended with ${code}${last === '' ? '' : `: ${last}`}` };
  },
};
