import { exitStatus } from './fault.ts';
import { runCommandLine } from './program.ts';

// A reader that closes early, such as `head`, has all that it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  process.stderr.write(`sluice: cannot write: ${error.message}\n`);
  process.exit(exitStatus.failed);
});
process.exitCode = await runCommandLine(process.argv.slice(2));
