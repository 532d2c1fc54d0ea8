/** What is done so. */
export interface NowAndThen {
  /** Has it done at once, unless it is being done, or was stopped. */
  again(): void;
  stop(): Promise<void>;
}

/**
 * Does something every so often until it is stopped, and never twice at the same time: what takes longer than `period` is
 * not begun again meanwhile.
 *
 * @param work tells of its own faults, and throws none
 * @param period milliseconds
 */
export function nowAndThen(work: () => Promise<void>, period: number): NowAndThen {
  let working: Promise<void> | undefined;
  let over = false;
  const again = () => {
    if (over) return;
    working ??= work().finally(() => {
      working = undefined;
    });
  };
  again();
  const timer = setInterval(again, period);
  return {
    again,
    async stop() {
      over = true;
      clearInterval(timer);
      await working;
    },
  };
}
