/**
 * Runs a program with ever more milliseconds until it has said something before its timeout: on a busy machine a short
 * one ends it before it has begun. The last try stands.
 */
export async function untilItSays<Key extends string, Result extends Readonly<Record<Key, string>>>(
  run: (timeout: number) => Promise<Result>,
  output: Key,
): Promise<Result> {
  for (let timeout = 200; ; timeout *= 5) {
    const result = await run(timeout);
    if (result[output] !== '' || timeout > 60_000) return result;
  }
}
