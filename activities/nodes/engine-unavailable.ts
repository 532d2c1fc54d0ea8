/** What makes the machines cannot be reached, or lost one: worth another try, and no verdict on a package. */
export class EngineUnavailable extends Error {
  private constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineUnavailable';
  }

  /** @param engine what is away, for the error's text */
  static away(what: string, cause: unknown, engine = 'the container engine'): EngineUnavailable {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new EngineUnavailable(`${engine} is away: ${what}: ${why}`, { cause });
  }

  /** A machine has ended by somebody's hand, or with what it ran on. */
  static ended(machine: string): EngineUnavailable {
    return new EngineUnavailable(`${machine} has ended while it was in use`);
  }
}
