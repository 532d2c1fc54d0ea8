import type { Platform } from '../../pipelines/model/platform.ts';
import type { AssignedMachine } from '../../pipelines/nodes/machines.ts';
import { readyIdsIn } from '../../pipelines/nodes/ready.ts';
import type { ReadyActivities } from '../../workflows/nodes-contract.ts';
import type { Provider } from './port.ts';

/** How a machine is named until it is lent, and what it is good for: what stages ask for that try packages. */
export const readyNeed = { name: 'node', kind: 'system', network: 'open' } as const;

export interface ReadyDeps {
  readonly provider: Provider;
  readonly platforms: readonly Platform[];
}

/** What the worker of a machine does about nodes that stand ready there. */
export function createReadyActivities({ provider, platforms }: ReadyDeps): ReadyActivities {
  const find = (label: string) => platforms.find(({ name }) => name === label);
  return {
    async makeReady({ id, label, holder }) {
      const platform = find(label);
      if (platform === undefined) return { failed: `this worker knows no platform ${label}: start it again` };
      const begin = performance.now();
      try {
        await provider.makeReady?.({ id, holder, platform });
      } catch (error) {
        return { failed: error instanceof Error ? error.message : String(error) };
      }
      return { took: Math.round(performance.now() - begin) };
    },

    async lookAtReady({ holder, ready, known }) {
      const made = (await provider.list()).filter((each) => each.holder === holder).map(({ build }) => build);
      for (const build of new Set(made)) if (!known.includes(build)) await provider.sweep(build);
      const looked = await Promise.all(
        ready.map(async ({ id, label }) => {
          const platform = find(label);
          const reason = platform === undefined ? 'gone' : await provider.whyNotReady?.({ id, platform });
          return reason === null ? [] : [id];
        }),
      );
      return { gone: looked.flat() };
    },
  };
}

/** What a lease was given that stood ready: each is taken once. */
export class ReadyOnes {
  readonly #left: AssignedMachine[];

  constructor(machines: readonly AssignedMachine[] = []) {
    const ids = readyIdsIn(machines);
    this.#left = machines.filter(({ name }) => ids.includes(name));
  }

  take(label: string): AssignedMachine | undefined {
    const index = this.#left.findIndex((each) => each.label === label);
    return index < 0 ? undefined : this.#left.splice(index, 1)[0];
  }
}

/** What a log says of a machine that stood ready. @param begin when it was asked for, by `performance.now` */
export function readyWords(name: string, { took = 0 }: Pick<AssignedMachine, 'took'>, begin: number): string {
  const [lent, made] = [performance.now() - begin, took].map((each) => (each / 1000).toFixed(1));
  return `${name}: stood ready, and was there in ${lent} s; making it had taken ${made} s`;
}
