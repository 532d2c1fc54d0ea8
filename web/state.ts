/** What of a build says how far it is. */
interface Standing {
  readonly result: string | null;
  readonly waiting?: true;
  readonly startTime: number;
  readonly endTime: number | null;
}

/** A build's result, else `running`, or `waiting` for what it takes to begin. */
export function stateOf({ result, waiting }: Pick<Standing, 'result' | 'waiting'>): string {
  return result ?? (waiting ? 'waiting' : 'running');
}

/** Milliseconds from the beginning of a build's work to its end; undefined of one that has not ended, or never began. */
export function tookOf({ waiting, startTime, endTime }: Omit<Standing, 'result'>): number | undefined {
  return waiting || endTime === null ? undefined : endTime - startTime;
}
