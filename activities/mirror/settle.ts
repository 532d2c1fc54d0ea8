/** Waits for all to end, so that nothing goes on behind whoever comes next. @throws the first one's error. */
export async function settleAll<T extends readonly unknown[]>(going: readonly [...T]): Promise<AwaitedAll<T>> {
  await Promise.allSettled(going);
  return Promise.all(going) as Promise<AwaitedAll<T>>;
}

type AwaitedAll<T extends readonly unknown[]> = { -readonly [K in keyof T]: Awaited<T[K]> };
