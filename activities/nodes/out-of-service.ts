/** A machine that was to be lent is away, or cannot be made clean: another one may do, and this is no verdict. */
export class OutOfService extends Error {
  constructor(machine: string, why: string) {
    super(`${machine} is out of service: ${why}`);
    this.name = 'OutOfService';
  }
}
