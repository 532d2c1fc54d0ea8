const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Names from outside become labels, filters and parts of paths. */
export function assertName(what: string, name: string): void {
  if (!namePattern.test(name)) throw new Error(`${what} name ${JSON.stringify(name)}: use letters, digits, _ . and -`);
}
