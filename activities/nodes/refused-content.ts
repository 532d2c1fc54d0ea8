/** What a machine hands out is nothing that is taken from it: a verdict on whoever made it, and no fault of ours. */
export class RefusedContent extends Error {
  /** The limit that it is over; undefined for content that is refused whatever its size. */
  readonly limit: 'files' | 'bytes' | undefined;

  constructor(message: string, limit?: 'files' | 'bytes') {
    super(message);
    this.name = 'RefusedContent';
    this.limit = limit;
  }
}
