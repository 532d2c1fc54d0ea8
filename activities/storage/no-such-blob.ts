/** There is no content of this digest in the store. */
export class NoSuchBlob extends Error {
  constructor(digest: string) {
    super(`no content ${digest} in artifact storage`);
    this.name = 'NoSuchBlob';
  }
}
