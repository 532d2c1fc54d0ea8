/** The container engine cannot be reached, or lost the container: worth another try, and no verdict on a package. */
export class EngineUnavailable extends Error {
  constructor(what: string, cause: unknown) {
    super(`the container engine is away: ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'EngineUnavailable';
  }
}
