/** The process behind `helper.ts`: starts what it is told to, and answers. It ends with whoever has started it. */

import type { HelperAnswer, HelperQuestion } from './helper.ts';
import { start } from './start.ts';

const running = new Map<number, AbortController>();

process.on('message', (question: HelperQuestion) => {
  if ('abort' in question) running.get(question.id)?.abort();
  else void answer(question);
});
process.on('disconnect', () => process.exit());
// A service manager stops all processes of a service at once: this one is needed until the last has ended.
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => {});

async function answer({ id, program, args, options }: Extract<HelperQuestion, { program: string }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    say({ id, result: await start(program, args, { ...options, signal: controller.signal }) });
  } catch (error) {
    // Fields of a system's error are lost where an error is sent as it is.
    const { message, ...fields } = error as Error;
    say({ id, error: { ...fields, message } });
  } finally {
    running.delete(id);
  }
}

function say(answer: HelperAnswer): void {
  if (process.connected) process.send?.(answer);
}
