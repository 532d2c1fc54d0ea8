/** What makes the machines cannot be reached, or lost one: worth another try, and no verdict on a package. */
export class EngineUnavailable extends Error {
  /** @param engine what is away, for the error's text */
  constructor(what: string, cause: unknown, engine = 'the container engine') {
    super(`${engine} is away: ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'EngineUnavailable';
  }

  /** A machine has ended by somebody's hand, or with what it ran on. */
  static ended(machine: string): EngineUnavailable {
    return Object.assign(new EngineUnavailable('', ''), { message: `${machine} has ended while it was in use` });
  }
}
