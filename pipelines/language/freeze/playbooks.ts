import { isPlaybook, type Playbook, type RoleSource, type SecretUse } from '../../model/job.ts';
import { shippedProject } from '../../model/shipped.ts';
import type { Layout } from '../layout.ts';
import { findProject } from '../project-index.ts';
import type { JobVariant } from '../stanza.ts';
import { FreezeError } from './freeze-error.ts';

type Entry = string | { name: string; semaphores?: string[] | undefined; cleanup?: boolean | undefined };

/**
 * The projects whose roles playbooks of a variant find besides its own project's: the nearest first.
 *
 * @param before those of the variants that were applied before, with the projects of these variants
 * @throws FreezeError for a project that is not the tenant's
 */
export function roleSources(layout: Layout, variant: JobVariant, before: readonly RoleSource[]): readonly RoleSource[] {
  const names = (variant.attributes.roles ?? []).flatMap(({ zuul }) => (zuul === undefined ? [] : [zuul]));
  const named = names.map((name) => {
    const project = findProject(layout.projects, name)?.name;
    if (project !== undefined || layout.tenant.partial) return { project: project ?? name, named: true };
    const message = `job "${variant.name}": project "${name}", which roles are taken from, is not known to the tenant`;
    throw new FreezeError(message, variant);
  });
  const { project: origin } = variant.origin;
  const own = variant.attached || origin === shippedProject ? [] : [{ project: origin, named: false }];
  const sources = new Map<string, RoleSource>();
  for (const { project, named: one } of [...own, ...named, ...before]) {
    sources.set(project, { project, named: one || (sources.get(project)?.named ?? false) });
  }
  return [...sources.values()];
}

/** Whether a variant is a config-project's. */
export function isTrusted(layout: Layout, { origin }: JobVariant): boolean {
  return layout.projects.byName.get(origin.project)?.trusted ?? origin.trusted;
}

/**
 * The playbooks that one variant brings, each bound to the repository and branch that it is read from.
 * @param roles where those of Ansible find roles
 * @param level number of the variants that were applied before
 */
export function bindPlaybooks(
  layout: Layout,
  variant: JobVariant,
  { roles, level }: { readonly roles: readonly RoleSource[]; readonly level: number },
): Record<'preRun' | 'run' | 'postRun', Playbook[]> {
  const { attributes, origin } = variant;
  const trusted = isTrusted(layout, variant);
  const secrets = (attributes.secrets ?? []).map((use) => {
    const { name, secret } = typeof use === 'string' ? { name: use, secret: use } : use;
    return { name, secret };
  });
  const others = roles.filter(({ project }) => project !== origin.project);
  const bind = (entry: Entry): Playbook => {
    const written = typeof entry === 'string' ? { name: entry } : entry;
    return {
      path: written.name,
      project: origin.project,
      branch: origin.branch,
      trusted,
      cleanup: written.cleanup ?? false,
      level,
      semaphores: [...(written.semaphores ?? [])].sort(),
      ...(secrets.length > 0 && { secrets }),
      ...(others.length > 0 && isPlaybook({ path: written.name }) && { roles: others }),
    };
  };
  const cleanup = (attributes['cleanup-run'] ?? []).map((entry) => ({ ...bind(entry), cleanup: true }));
  return {
    preRun: (attributes['pre-run'] ?? []).map(bind),
    run: (attributes.run ?? []).map(bind),
    postRun: [...(attributes['post-run'] ?? []).map(bind), ...cleanup],
  };
}

/**
 * The secrets that one variant uses.
 * @throws FreezeError for one that is not defined, or not in the variant's own project
 */
export function bindSecrets(layout: Layout, variant: JobVariant): SecretUse[] {
  return (variant.attributes.secrets ?? []).map((written) => {
    const use = typeof written === 'string' ? { name: written, secret: written } : written;
    const secret = layout.secrets.get(use.secret);
    if (secret === undefined || secret.origin.project !== variant.origin.project) {
      const where = secret === undefined ? 'is not defined' : `belongs to project ${secret.origin.project}`;
      const missing = secret === undefined ? use.secret : undefined;
      throw new FreezeError(`job "${variant.name}": secret "${use.secret}" ${where}`, variant, missing);
    }
    const passToParent = ('pass-to-parent' in use && use['pass-to-parent']) || false;
    return { name: use.name, secret: use.secret, passToParent, project: secret.origin.project };
  });
}
