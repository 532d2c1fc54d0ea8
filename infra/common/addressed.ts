import { infrastructureFault } from '../../activities/failure.ts';
import { testRepositoryIn } from '../../activities/publish/publish-stage.ts';
import type { StageActivities } from '../../activities/stages.ts';
import type { Trees } from '../../activities/storage/port.ts';
import type { StageInput } from '../../workflows/contract.ts';

/** Where containers of this machine find test repositories. */
export interface Surroundings {
  readonly trees: Pick<Trees, 'has'>;
  /** Ends with a slash. */
  readonly base: () => Promise<string>;
}

/** The same work, with the addresses by which containers of this machine reach what it is about. */
export function asSeenFromHere(stages: StageActivities, from: Surroundings): StageActivities {
  return {
    ...stages,
    runStage: async (input) => stages.runStage(await addressed(input, from)),
    resumeStage: async (input) => stages.resumeStage({ ...input, stage: await addressed(input.stage, from) }),
  };
}

/**
 * A stage's input with the test repositories where this machine's containers find them. Which one is meant its name
 * says: the rest of the address is that of people, and may have changed since the repository was made.
 *
 * @throws ApplicationFailure while it cannot be told where that is: the work is tried again
 */
export async function addressed(input: StageInput, { trees, base }: Surroundings): Promise<StageInput> {
  const move = async <T extends { readonly url: string }>(one: T): Promise<T> => {
    const name = testRepositoryIn(one.url);
    return name !== undefined && (await trees.has(name)) ? { ...one, url: `${await base()}${name}/` } : one;
  };
  try {
    const [parents, provided] = await Promise.all([
      Promise.all(input.parents.map(move)),
      Promise.all(input.provided.map(move)),
    ]);
    return { ...input, parents, provided };
  } catch (error) {
    // As of a first attempt: whatever is away is waited for.
    throw infrastructureFault(error, 1);
  }
}

/** Where nodes reach what people reach at the server, by addresses of either: others stay as they are. */
export function reachBy(people: string, nodes: () => Promise<string>): (url: string) => Promise<string> {
  const base = `${people}/`;
  return async (url) => (url.startsWith(base) ? `${await nodes()}/${url.slice(base.length)}` : url);
}
