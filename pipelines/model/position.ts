/** Where something stands in a configuration file; `line` and `column` count from 1. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Something wrong, or worth a warning, in a configuration: always with the place to mend. */
export interface Problem extends Position {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** The repository and branch that the file was read from; absent for a file that belongs to none. */
  readonly project?: string;
  readonly branch?: string;
}
