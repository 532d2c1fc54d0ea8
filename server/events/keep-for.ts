/** The answer to a question, asked again when the last one is older than so many milliseconds. */
export function keepFor<T>(age: number, ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly time: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (known === undefined || Date.now() - known.time > age) known = { time: Date.now(), answer: ask() };
    return known.answer;
  };
}
