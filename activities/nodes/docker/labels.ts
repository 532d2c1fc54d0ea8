/** The label that everything made here carries, with the build's id as its value. */
export const buildLabel = 'sluice.build';

/** The label with the id of the workflow that something was made for. */
export const holderLabel = 'sluice.holder';

/** The label that says whose it is: the id of an installation. */
export const installationLabel = 'sluice.installation';

/** The label of containers that may reach each other, with their group as its value. */
export const groupLabel = 'sluice.group';

/** The label of an installation's mark in the engine, with its data directory as value. */
export const dataLabel = 'sluice.data';

/** Whose the things are that are made for one build. */
export interface Owner {
  readonly build: string;
  readonly holder?: string | undefined;
  /** Absent for what is made by hand, and removed by the same command. */
  readonly installation?: string | undefined;
}

export function labels({ build, holder, installation }: Owner): Record<string, string> {
  return {
    [buildLabel]: build,
    ...(holder === undefined ? {} : { [holderLabel]: holder }),
    ...(installation === undefined ? {} : { [installationLabel]: installation }),
  };
}
