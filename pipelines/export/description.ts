import { z } from 'zod';
import { digestSchema } from '../model/artifact.ts';

/** What this program writes, and the newest that it reads. */
export const exportVersion = 1;

/** The file that says what is in an export; it names every other one. */
export const descriptionFile = 'export.json';

/** A path below the export's directory: it leads nowhere else, whatever reads it. */
function isPlainPath(path: string): boolean {
  const parts = path.split('/');
  const dubious = parts.some((part) => part === '' || part === '.' || part === '..' || part.length > 255);
  return path.length <= 1024 && !dubious && !/[\p{Cc}\\]/u.test(path);
}

const path = z.string().refine(isPlainPath, 'is no path below the directory: it has "..", a "/" too many, or the like');
const name = z.string().min(1).max(500);
const state = z.object({ project: name, branch: name, commit: z.string(), tree: z.string() });
const artifact = z.object({
  ...{ name, url: z.string(), metadata: z.record(z.string(), z.unknown()).optional() },
  ...{ project: name, branch: name.optional(), change: name, patchset: z.int(), job: name },
});

const job = z.object({
  key: name,
  name,
  voting: z.boolean(),
  /** The package stage that it is; absent for a job with programs. */
  uses: z.string().optional(),
  labels: z.array(name),
  /** Names of the secrets that its programs are given. */
  secrets: z.array(name),
  /** Null where it was never begun. */
  result: z.string().nullable(),
  summary: z.string(),
  attempts: z.int().min(0),
  /** Whether it kept its nodes while jobs that depend on it ran; absent in exports from before it was said. */
  paused: z.boolean().optional(),
  /** Test repositories and other artifacts of changes ahead and needed, oldest first; null where nobody knows. */
  offered: z.array(artifact).nullable(),
  /** Id of the image that a package was built in, as the container engine named it. */
  image: z.string().optional(),
});

const description = z.object({
  version: z.literal(exportVersion),
  /** RFC 3339, UTC. */
  made: z.string(),
  buildSet: z.object({
    ...{ key: name, tenant: name, pipeline: name, queue: name, project: name, change: name, patchset: z.int() },
    ...{ changes: z.array(name), result: z.string(), started: z.string(), ended: z.string() },
  }),
  graph: path,
  /** A bundle for each project: the state that was tested, and the branches that jobs take programs from. */
  sources: z.array(z.object({ project: name, bundle: path, states: z.array(state) })),
  /** Released repositories as the jobs saw them; no path: nothing was released there. */
  released: z.array(z.object({ repository: name, path: path.nullable() })),
  /** What must have signed them. */
  archiveKey: path.nullable(),
  release: z.object({
    origin: z.string(),
    rules: z.object({ codename: z.string(), lines: z.array(z.looseObject({ name, platforms: z.array(name) })) }),
  }),
  /** Test repositories that jobs were offered, by the names in their addresses. */
  repositories: z.array(z.object({ name, path })),
  /** Manifests of what is in them, by digest. */
  manifests: z.array(z.object({ digest: digestSchema, path })),
  /** The platforms of the jobs' nodes, as they were configured. */
  platforms: z.record(name, z.looseObject({ name, format: z.enum(['deb', 'rpm']), codename: z.string() })),
  /** Snapshots that virtual machines of the platforms are restored from; the saved memory itself is not here. */
  snapshots: z.array(z.object({ platform: name, id: z.string(), made: z.string() })),
  jobs: z.array(job),
  files: z.record(path, z.object({ digest: digestSchema, size: z.int().min(0) })),
});

export type ExportDescription = z.infer<typeof description>;
export type ExportedJob = z.infer<typeof job>;

/** `export.json` cannot be used; the message says what is wrong with it, line by line. */
export class BadExport extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadExport';
  }
}

/** Reads the text of `export.json`. @throws BadExport */
export function parseDescription(text: string): ExportDescription {
  const value = parseJson(text, descriptionFile);
  const version = z.object({ version: z.number() }).safeParse(value).data?.version;
  if (version !== undefined && version > exportVersion) {
    throw new BadExport(
      `${descriptionFile}: it is an export of version ${version}, and this Sluice reads up to ${exportVersion}: import it with a newer one`,
    );
  }
  const parsed = description.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const why = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return `${descriptionFile}: ${issue.path.join('.')}: ${why}`;
  });
  throw new BadExport(faults.join('\n'));
}

/** @param file its name, for messages. @throws BadExport */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadExport(`${file}: ${(error as Error).message}`);
  }
}
