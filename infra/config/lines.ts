import { z } from 'zod';
import { builtInPlatforms } from '../images/platforms.ts';

const branchPattern = z
  .string()
  .regex(/^[\w.+*-]+(?:\/[\w.+*-]+)*$/, 'must be a branch, or a pattern: `*` within a part, `**` for anything')
  .refine((pattern) => !pattern.startsWith('refs/'), 'must be a branch by its short name, without refs/heads/');

/** At least one, and none twice. */
function namesOf(item: z.ZodType<string>) {
  return z
    .array(item)
    .min(1)
    .superRefine((all, context) => {
      for (const [index, one] of all.entries()) {
        if (all.indexOf(one) < index) context.addIssue({ code: 'custom', path: [index], message: 'is given twice' });
      }
    });
}

/** A released repository besides the formats' own. */
const line = z.strictObject({
  platforms: namesOf(z.string().min(1)).describe(
    'Platforms of one format whose packages go into the repository of this name, and whose jobs see it.',
  ),
  branches: namesOf(branchPattern)
    .optional()
    .describe('Branches that it is for, `*` and `**` as in names of projects. Default: all that no other line names.'),
  codename: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/)
    .optional()
    .describe('Distribution name of an APT repository. Default: that of its first platform.'),
  with: namesOf(z.string())
    .optional()
    .describe('Other released repositories of the format that its jobs see, too: lines, `deb` or `rpm`.'),
  versions: z
    .enum(['security', 'hotfix'])
    .optional()
    .describe('`security`: builds have a version BASE.0.N. `hotfix`: BASE.N.0. Default: any.'),
  publish: z
    .enum(['merged', 'planned'])
    .optional()
    .describe(
      '`planned`: what is merged waits for `sluice release commit`. Default: `merged`, it is released at once.',
    ),
});

const lineName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]*$/, 'must begin with a small letter, and have no other characters than a-z 0-9 . _ -')
  .refine((name) => !['deb', 'rpm', 'generations'].includes(name), 'is taken: give the line another name');

export const linesSchema = z.record(lineName, line);

/** What is wrong with lines that no single one of them shows. */
export function lineFaults(
  lines: z.infer<typeof linesSchema>,
  own: Readonly<Record<string, { readonly format: string }>>,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const formats = new Map(builtInPlatforms.map(({ name, format }) => [name, format as string]));
  for (const [name, { format }] of Object.entries(own)) formats.set(name, format);
  const formatOf = (name: string) => formats.get(lines[name]?.platforms[0] ?? '') ?? name;
  return Object.entries(lines).flatMap(([name, { platforms, codename, with: others = [] }]) => {
    const unknown = platforms.findIndex((platform) => !formats.has(platform));
    if (unknown >= 0) {
      return [{ path: [name, 'platforms', unknown], message: `no platform is called "${platforms[unknown]}"` }];
    }
    const [format, other] = new Set(platforms.map((platform) => formats.get(platform)));
    if (other !== undefined) return [{ path: [name, 'platforms'], message: 'must be of one format: DEB or RPM' }];
    const stranger = others.findIndex((one) => one === name || formatOf(one) !== format);
    if (stranger >= 0) {
      const known = ['deb', 'rpm', ...Object.keys(lines)].filter((one) => one !== name && formatOf(one) === format);
      const message = `no other repository of the format is called "${others[stranger]}": ${known.join(', ')}`;
      return [{ path: [name, 'with', stranger], message }];
    }
    if (codename !== undefined && format !== 'deb') {
      return [{ path: [name, 'codename'], message: 'is for APT repositories: leave it out' }];
    }
    const before = earlierTwin(lines, name);
    if (before === undefined) return [];
    const message = `has a platform and branch that are of the line ${before} already: a package goes into one line`;
    return [{ path: [name, 'platforms'], message }];
  });
}

/** The line before this one with a platform and a branch (or none) the same, which would take what this one is for. */
function earlierTwin(lines: z.infer<typeof linesSchema>, name: string): string | undefined {
  const { platforms = [], branches } = lines[name] ?? {};
  const names = Object.keys(lines);
  return names.slice(0, names.indexOf(name)).find((other) => {
    const earlier = lines[other];
    if (!earlier?.platforms.some((platform) => platforms.includes(platform))) return false;
    if (branches === undefined || earlier.branches === undefined) return branches === earlier.branches;
    return branches.some((branch) => earlier.branches?.includes(branch));
  });
}
