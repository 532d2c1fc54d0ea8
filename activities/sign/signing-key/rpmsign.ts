import { must, run } from '../../process/run.ts';

export interface RpmsignOptions {
  /** Macros, each as `NAME BODY`. */
  readonly macros: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds; absent: no limit. */
  readonly timeout?: number | undefined;
}

/**
 * Has rpmsign sign package files in place.
 *
 * @throws ProcessError as it fails
 */
export async function rpmsign(files: readonly string[], { macros, ...options }: RpmsignOptions): Promise<void> {
  const defines = macros.flatMap((macro) => ['--define', macro]);
  // `--resign`: newer rpm leaves a package alone that another key has signed.
  const argv = ['--resign', ...(await forOldReaders()), ...defines, '--', ...files];
  const { timeout, env } = options;
  await must('rpmsign', argv, { env, ...(timeout === undefined ? {} : { timeout }) });
}

/** What makes rpmsign write a signature that rpm 4 and dnf 4 see: from rpm 6 on they see none in packages of format 6. */
async function forOldReaders(): Promise<readonly string[]> {
  return oldReadersIn((await run('rpmsign', ['--help'])).stdout);
}

/** The option for that, where the program's help has it: an older rpmsign writes no other. */
export function oldReadersIn(help: string): readonly string[] {
  return /^\s+--rpmv4\b/m.test(help) ? ['--rpmv4'] : [];
}
