/** A machine that is there, as an administrator has described it. */
export interface GivenSettings {
  readonly name: string;
  /** Labels of nodes that it serves. */
  readonly labels: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Root, or an account that may `sudo` without a password. */
  readonly user: string;
  /** The host's key as `known_hosts` and `.pub` files have it: type and base64. */
  readonly hostKey: string;
  /** Reads the private key of the account, in OpenSSH's form. */
  readonly key: () => Promise<string>;
  /** The program that makes it as it was, run by root after each lease, and before the first. */
  readonly clean: readonly string[];
  /** Milliseconds that it may take. */
  readonly cleanTimeout: number;
}
