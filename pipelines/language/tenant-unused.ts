/**
 * What a tenant file may say as Zuul's, and Sluice does not follow: why, or where Sluice has it. Zuul's preset, where it
 * is written out, asks for nothing.
 */
interface Unused {
  readonly preset?: unknown;
  readonly instead: string;
}

const access = { instead: 'who may do what is not said in a tenant file: see docs/trust.md' };
const oidc = { instead: 'oidc tokens are not issued' };
const branches = {
  preset: false,
  instead: 'name the branches whose configuration counts in "branches" of the project, in sluice.yaml',
};
const cycles = { preset: false, instead: 'write it into the queue, as Zuul wants it, too' };
const nodes = { instead: "nodes come from Sluice's own platforms" };
const limits = { instead: 'pipelines of a server have no such limit' };

const ofTenant: Readonly<Record<string, Unused>> = {
  'max-changes-per-pipeline': limits,
  'max-dependencies': limits,
  'max-oidc-ttl': { ...oidc, preset: 10_800 },
  'default-oidc-ttl': { ...oidc, preset: 3600 },
  'allowed-oidc-issuers': oidc,
  'exclude-unprotected-branches': branches,
  'exclude-locked-branches': branches,
  'allow-circular-dependencies': cycles,
  'default-ansible-version': { instead: "playbooks run with the Ansible of the node's platform" },
  'access-rules': access,
  'admin-rules': access,
  'anonymous-read-access': { ...access, preset: true },
  'role-mappings': access,
  'authentication-realm': access,
  'report-build-page': { preset: false, instead: 'reports link to the log' },
  'use-nodepool': { ...nodes, preset: true },
  'web-root': { instead: 'write "server.url" into sluice.yaml' },
};

const ofProject: Readonly<Record<string, Unused>> = {
  'include-provider-config': { ...nodes, preset: false },
  'exclude-unprotected-branches': branches,
  'exclude-locked-branches': branches,
  'allow-circular-dependencies': cycles,
};

/** Objects of Zuul's tenant file besides those that are used. */
export const unusedObjects: Readonly<Record<string, string>> = {
  'authorization-rule': access.instead,
  'authorization-role': access.instead,
  'admin-rule': access.instead,
  role: access.instead,
  'api-root': access.instead,
};

/** A key that is without effect: the way to what has it, and what to say of it. */
interface UnusedKey {
  readonly path: readonly (string | number)[];
  readonly key: string;
  readonly message: string;
}

/** The keys of a tenant and of its projects that are without effect. @param source its project lists, by connection */
export function* unusedKeys(body: object, source: object = {}): Generator<UnusedKey> {
  yield* unusedIn(body, [], ofTenant);
  for (const [connection, lists] of Object.entries(source)) {
    for (const [list, entries] of Object.entries<readonly unknown[]>(lists)) {
      for (const [at, entry] of entries.entries()) yield* unusedOfEntry(entry, ['source', connection, list, at]);
    }
  }
}

/** Of a name, a name with options, or a group of such. */
function* unusedOfEntry(entry: unknown, path: UnusedKey['path']): Generator<UnusedKey> {
  if (typeof entry !== 'object' || entry === null) return;
  const { projects } = entry as { projects?: unknown };
  if (!Array.isArray(projects)) {
    for (const [name, options] of Object.entries<object>(entry as Record<string, object>)) {
      yield* unusedIn(options, [...path, name], ofProject);
    }
    return;
  }
  yield* unusedIn(entry, path, ofProject);
  for (const [at, member] of projects.entries()) yield* unusedOfEntry(member, [...path, 'projects', at]);
}

function* unusedIn(body: object, path: UnusedKey['path'], table: typeof ofTenant): Generator<UnusedKey> {
  for (const [key, value] of Object.entries(body)) {
    const unused = Object.hasOwn(table, key) ? table[key] : undefined;
    if (unused === undefined || value === undefined || value === unused.preset) continue;
    yield { path, key, message: `${key} has no effect: ${unused.instead}` };
  }
}
