import type { LiveEvent } from '../activities/report/port.ts';

/** Hands on what happens to everyone who watches just now; whoever comes later reads the status first. */
export interface LiveStream {
  publish(event: LiveEvent): void;
  /** Answers with the way to stop listening. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
  readonly watchers: number;
}

export function createLiveStream(): LiveStream {
  const listeners = new Set<(event: LiveEvent) => void>();
  return {
    publish: (event) => {
      for (const listener of listeners) listener(event);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get watchers() {
      return listeners.size;
    },
  };
}
