/** What the library says, and what an administrator does about it. */
const meanings: readonly (readonly [said: RegExp, means: string])[] = [
  [/UnknownIssuer/, 'its certificate is signed by nobody whom Sluice knows: name the authority in temporal.tls.ca'],
  [/NotValidForName/, 'its certificate is for another name: give the one that it is for as temporal.tls.serverName'],
  [/InvalidCertificate\(Expired/, 'its certificate has expired'],
  [/InvalidCertificate\((\w+)/, 'its certificate is not valid'],
  [/InvalidContentType/, 'it does not speak TLS: leave temporal.tls and temporal.apiKey out'],
  [/PrivateKeyParseError|NoPrivateKey/, 'what temporal.tls.key names is no private key (PEM)'],
  [/KeyMismatch/, 'the private key that temporal.tls.key names is not of temporal.tls.certificate'],
  [/AlertReceived\((\w+)/, 'it does not take the certificate that Sluice shows: temporal.tls.certificate'],
  [/valid authentication credentials/, 'it wants a valid key: temporal.apiKey'],
  [/does not have permission/, 'what Sluice shows has no right there: temporal.apiKey, temporal.tls.certificate'],
];

/** Codes of gRPC. */
const [permissionDenied, unauthenticated] = [7, 16];

/**
 * Why Temporal does not let us in, where waiting does not help; undefined for a server that may be starting.
 *
 * @param fault what a connection or a call failed with
 */
export function refusalOf(fault: unknown): string | undefined {
  const { code, message } = fault as { readonly code?: unknown; readonly message?: string };
  const found = meanings.find(([said]) => said.test(message ?? ''))?.[1];
  if (found !== undefined) return found;
  return code === permissionDenied || code === unauthenticated
    ? `${message}: see temporal.apiKey and temporal.tls`
    : undefined;
}
