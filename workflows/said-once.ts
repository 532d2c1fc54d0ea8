/** What is said in a log once, and again when it has become something else: what is tried each minute fails each minute. */
export class SaidOnce {
  readonly #said = new Map<string, string>();

  /** Whether nobody has heard this yet about something that goes wrong. */
  isNews(about: string, what = ''): boolean {
    const isNew = this.#said.get(about) !== what;
    this.#said.set(about, what);
    return isNew;
  }

  /** It goes well: what goes wrong with it from here on is news. */
  forget(about: string): void {
    this.#said.delete(about);
  }

  /** Forgets all but these. */
  keep(abouts: readonly string[]): void {
    const kept = new Set(abouts);
    for (const about of this.#said.keys()) if (!kept.has(about)) this.forget(about);
  }
}
