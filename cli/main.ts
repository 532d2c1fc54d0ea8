import { registerHooks } from 'node:module';

// Our own modules are named by where they are: Node would look for package.json and links around each of a hundred.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.ts')
      ? { url: new URL(specifier, context.parentURL).href, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
});
const [{ exitStatus }, { runCommandLine }] = await Promise.all([import('./fault.ts'), import('./program.ts')]);

// A reader that closes early, such as `head`, has all that it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  process.stderr.write(`sluice: cannot write: ${error.message}\n`);
  process.exit(exitStatus.failed);
});
process.exitCode = await runCommandLine(process.argv.slice(2));
