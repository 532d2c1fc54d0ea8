/**
 * What apt, dnf and dnf5 say when something could not be fetched. Anchored to their own words at the start of a line: a
 * maintainer script that cannot reach a server of its own is the package's affair.
 */
const faults: readonly RegExp[] = [
  /^\s*(?:- |>>> )?Curl error \(\d+\): .*$/m,
  /^Failed to download metadata \(.*\) for repository .*$/m,
  /^Error: (?:Failed to download metadata|Error downloading packages|Cannot download).*$/m,
  /^[EW]: Failed to fetch .*$/m,
  /^[EW]: (?:Some index files failed to download|Unable to fetch some archives).*$/m,
];

/** Debian's dnf has a plugin whose repository is not there before something was downloaded: dnf goes on without it. */
const ofLocalPlugin = /^.*(?:_dnf_local\b|\/var\/lib\/dnf\/plugins\/local\/).*$/gm;

/**
 * The line by which a package manager says that it could not fetch an index or a package, or null. That is a fault of
 * the network or of a server, and says nothing of the packages.
 */
export function downloadFault(output: string): string | null {
  const said = output.replace(ofLocalPlugin, '');
  for (const fault of faults) {
    const line = fault.exec(said)?.[0];
    if (line !== undefined) return line.trim().replace(/^(?:- |>>> )/, '');
  }
  return null;
}

/** What a server answers where what was asked for is not there, or not for everybody. */
const refusedBy = /(?:\s\s|Status code: )4(?!08|29)\d\d(?:\s\s| for )/;
const awayBy: readonly RegExp[] = [
  /could(?: not|n't) (?:connect|resolve)|unable to connect|connection (?:refused|failed|timed out|reset)/i,
  /temporary failure resolving|timeout was reached|timed out|(?:network|host) is unreachable|no route to host/i,
  /(?:\s\s|Status code: )(?:408|429|5\d\d)(?:\s\s| for )|server returned nothing/i,
];

/** Whether what apt or dnf could not fetch is a server that is away, and not one that has no such thing. */
export function isServerAway(output: string): boolean {
  return !refusedBy.test(output) && awayBy.some((pattern) => pattern.test(output));
}

/** @throws when a package manager failed because it could not fetch something. */
export function assertFetched(output: string): void {
  const fault = downloadFault(output);
  if (fault !== null) throw new Error(`a repository cannot be read: ${fault}`);
}
