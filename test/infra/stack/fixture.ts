import { appendFileSync } from 'node:fs';
import { runPart } from '../../../infra/stack/part.ts';
import { untilListening } from '../../../infra/stack/ports.ts';

/** A part for the tests: it writes down that it came and went, and works until it is told to end. */
const [file = '', how = 'work'] = process.argv.slice(2);

if (how === 'fail') process.exit(3);
if (how === 'wrong') {
  const fault = Object.assign(new Error('sluice.yaml:1:2: no'), { name: 'InvalidConfiguration' });
  await runPart(() => Promise.reject(fault));
}
await runPart(async (told) => {
  // From here on it hears when it is told to end.
  appendFileSync(file, `start ${process.pid}\n`);
  // Nobody listens there.
  if (how === 'wait') await untilListening('127.0.0.1', 1, { patience: 600_000, signal: told });
  const work = setInterval(() => {}, 1_000);
  return {
    ended: new Promise<void>(() => {}),
    async stop() {
      clearInterval(work);
      appendFileSync(file, `stop ${process.pid}\n`);
    },
  };
});
