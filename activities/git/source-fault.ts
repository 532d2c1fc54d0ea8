/** What is wrong with the sources themselves, in one line: it is said of the change, and no further try mends it. */
export class SourceFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SourceFault';
  }
}
