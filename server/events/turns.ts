/** Work on one thing at a time, in the order in which it came. */
export function createTurns() {
  const last = new Map<string, Promise<number>>();
  return {
    /** Whether something is done with it, or waits. */
    isTaken: (name: string): boolean => last.has(name),
    take(name: string, work: () => Promise<number>): Promise<number> {
      const before = last.get(name) ?? Promise.resolve(0);
      const next = before.catch(() => 0).then(work);
      last.set(name, next);
      const forget = () => {
        if (last.get(name) === next) last.delete(name);
      };
      next.then(forget, forget);
      return next;
    },
  };
}
