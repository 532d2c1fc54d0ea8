import { registerHooks } from 'node:module';

// Modules that are named by where they are, ours and zod's: Node would look for package.json and links around each of
// two hundred. zod brings its messages in sixty languages, which nobody asks for.
registerHooks({
  resolve: (specifier, context, next) => {
    const from = context.parentURL ?? '';
    if (!specifier.startsWith('.')) return next(specifier, context);
    if (specifier.endsWith('.ts')) return found(new URL(specifier, from).href, 'module-typescript');
    if (!specifier.endsWith('.js') || !from.includes('/node_modules/zod/')) return next(specifier, context);
    return found(specifier.endsWith('/locales/index.js') ? 'data:text/javascript,' : new URL(specifier, from).href);
  },
});

function found(url: string, format = 'module') {
  return { url, format, shortCircuit: true };
}

const [{ exitStatus }, { runCommandLine }] = await Promise.all([import('./fault.ts'), import('./program.ts')]);

// A reader that closes early, such as `head`, has all that it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  process.stderr.write(`sluice: cannot write: ${error.message}\n`);
  process.exit(exitStatus.failed);
});
process.exitCode = await runCommandLine(process.argv.slice(2));
