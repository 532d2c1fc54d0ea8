import fc from 'fast-check';
import { Choices } from './choices.ts';
import { type Ground, Play, type Scene } from './play.ts';

/** Stories of one kind: where they play, what must hold at their end, and what is not to happen in them. */
export interface Stories<S extends Scene> {
  readonly scene: (ground: Ground) => S;
  readonly judge: (play: Play<S>) => Promise<void>;
  readonly spared?: RegExp;
}

/** `SEED=…` plays the same stories again, `RUNS=…` as many as one likes. */
const wanted = { seed: numberIn(process.env.SEED), runs: numberIn(process.env.RUNS) };

/**
 * Plays stories that nobody has thought of, and makes the first one shorter that does not end well. It is not cut off
 * by time: a story that went on beside the next one would mix up their executions.
 *
 * @throws with the seed and the steps of the story
 */
export async function playStories<S extends Scene>(
  stories: Stories<S>,
  { runs, seed }: { readonly runs: number; readonly seed?: number },
): Promise<void> {
  const numbers = fc.array(fc.nat(9_999_999), { minLength: 40, maxLength: 300, size: 'max' });
  const property = fc.asyncProperty(numbers, (choices) => playStory(stories, choices));
  const from = wanted.seed ?? seed;
  const numRuns = wanted.runs ?? runs;
  await fc.assert(property, { numRuns, ...(from === undefined ? {} : { seed: from }) });
}

async function playStory<S extends Scene>(stories: Stories<S>, choices: readonly number[]): Promise<void> {
  const play = new Play(new Choices(choices), stories.scene, stories.spared);
  await told(play, async () => {
    await play.run();
    await stories.judge(play);
  });
}

/**
 * Plays a story that somebody has thought of: things go their usual way to the first of these steps, then to the next.
 *
 * @param choices what the story begins with
 * @throws with all of its steps when it does not end well
 */
export async function direct<S extends Scene>(
  stories: Stories<S>,
  steps: readonly RegExp[],
  choices: readonly number[] = [],
): Promise<void> {
  const play = new Play(new Choices(choices), stories.scene);
  await told(play, async () => {
    for (const step of steps) await play.go(step);
    await play.settle();
    await stories.judge(play);
  });
}

async function told(play: Play<Scene>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const steps = play.log.map((line, index) => `${index}. ${line}`).join('\n');
    throw new Error(`${error instanceof Error ? error.stack : error}\n${steps}`, { cause: error });
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
