/** What the holder of a token may do with test tasks: look at them, or also ask for them and cancel them. */
export const testRoles = ['tester', 'observer'] as const;

export type TestRole = (typeof testRoles)[number];

/** Whose a token is. */
export interface TestHolder {
  readonly email: string;
  readonly role: TestRole;
}

/**
 * The role that a token names.
 *
 * @param claimed undefined for a token that names none, as clients of ALTS make them
 * @returns the least for a word that is no role here
 */
export function roleOf(claimed: string | undefined): TestRole {
  return claimed === undefined ? 'tester' : (testRoles.find((role) => role === claimed) ?? 'observer');
}
