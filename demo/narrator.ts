/** One step of the story as `sluice demo --json` tells it. `seconds` counts from the step's start to its end. */
export interface DemoStep {
  readonly id: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly url: string | null;
  readonly reason: string;
}

/** What a step comes to when all goes as told. */
export interface Outcome {
  readonly url?: string;
  readonly reason: string;
}

/** Tells the story while it happens and keeps the table for the end. */
export interface Narrator {
  /** Runs one step; an error ends the story, told in one line. */
  step(id: string, title: string, work: () => Promise<Outcome>): Promise<void>;
  /** A line about what happens inside a step. */
  say(text: string): void;
  readonly steps: readonly DemoStep[];
}

/** The step that failed has been told already; the story ends here. */
export class StoryEnded extends Error {}

/** @param write where the lines go; standard error when standard output belongs to a JSON document */
export function createNarrator(write: (text: string) => void): Narrator {
  const begun = performance.now();
  const steps: DemoStep[] = [];
  const say = (text: string) => write(`  ${clock(performance.now() - begun)}  ${text}\n`);
  return {
    steps,
    say,
    async step(id, title, work) {
      write(`\n${title}\n`);
      const start = performance.now();
      const seconds = () => Math.round((performance.now() - start) / 100) / 10;
      try {
        const { url = null, reason } = await work();
        steps.push({ id, ok: true, seconds: seconds(), url, reason });
        say(`✓ ${reason}${url === null ? '' : `  ${url}`}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        steps.push({ id, ok: false, seconds: seconds(), url: null, reason });
        say(`✗ ${reason}`);
        throw new StoryEnded(reason);
      }
    },
  };
}

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`.padStart(5);
}
