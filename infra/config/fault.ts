/** What is wrong with keys only beside others. */
export interface Fault {
  /** Below the section that is looked at. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}
