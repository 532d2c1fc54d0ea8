/** How a machine has ended in which an ISO image was to install a system. */
export interface InstallationEnd {
  /** What the emulator has said of it, a JSON document on each line (QMP). */
  readonly events: string;
  /** What the emulator itself has complained of. */
  readonly said: string;
  /** What was printed on the serial console. */
  readonly console: string;
  /** Seconds that it may take, and whether they were over. */
  readonly limit: number;
  readonly late: boolean;
}

/** Characters of a console, or of an emulator's complaint, that a reason ends with: a kernel that gives up prints as much. */
const most = 2_000;

/**
 * Why nothing was installed; null where the machine has switched itself off, as it is to at the end.
 *
 * A machine that starts anew may be done as well, or its kernel may have given up: these look alike.
 */
export function whyNotInstalled({ events, said, console, limit, late }: InstallationEnd): string | null {
  const reason = reasonIn(events);
  if (!late && reason === 'guest-shutdown') return null;
  const words = console.replace(/[^\n\t\x20-\x7e]/g, '').trim();
  const printed =
    words === '' ? '; nothing is on its serial console' : `; the end of its console:\n${words.slice(-most)}`;
  if (late) return `the installer has not switched the machine off after ${limit} s (\`timeout\`)${printed}`;
  if (reason === 'guest-reset') {
    return `the installer starts the machine anew: it must switch it off where it is done, and may have given up${printed}`;
  }
  return `the machine of the installer has ended: ${reason ?? (said.trim().slice(-most) || 'nobody says why')}${printed}`;
}

/** Why the machine was shut down, in the emulator's words. */
function reasonIn(events: string): string | undefined {
  for (const line of events.split('\n')) {
    if (!line.includes('"SHUTDOWN"')) continue;
    const { event, data } = JSON.parse(line) as {
      readonly event?: string;
      readonly data?: { readonly reason?: string };
    };
    if (event === 'SHUTDOWN') return data?.reason;
  }
  return undefined;
}
