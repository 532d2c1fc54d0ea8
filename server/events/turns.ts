/** Work on one thing at a time, in the order in which it came; what fails keeps nobody from the next. */
export interface Turns {
  /** Whether something is done with it, or waits. */
  isTaken(name: string): boolean;
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    isTaken: (name) => last.has(name),
    take(name, work) {
      const before = last.get(name) ?? Promise.resolve();
      const next = before.catch(() => {}).then(work);
      last.set(name, next);
      const forget = () => {
        if (last.get(name) === next) last.delete(name);
      };
      next.then(forget, forget);
      return next;
    },
  };
}
