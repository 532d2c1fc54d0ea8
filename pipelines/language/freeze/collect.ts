import type { Layout } from '../layout.ts';
import { jobMatcher, type MatchedRef } from '../match.ts';
import { findProject } from '../project-index.ts';
import { placeText, type Stanza } from '../source.ts';
import type { JobVariant } from '../stanza.ts';
import { FreezeError } from './freeze-error.ts';

/** What collecting the variants of one attached job works with. */
export interface Collection {
  readonly layout: Layout;
  readonly ref: MatchedRef;
  readonly debug: string[];
  /** Where the job is attached: the place to mend when the job is missing. */
  readonly user: Stanza | undefined;
  /** Variants found so far, parents before children. */
  readonly variants: JobVariant[];
  /** Every job looked at, in order: a parent of several is taken once. */
  readonly path: string[];
}

/** Branch that a project is looked at on instead of the change's; key null holds for all projects. */
export type OverrideCheckouts = ReadonlyMap<string | null, string>;

/**
 * Finds the variants of a job and of its parents that are meant for the ref, in the order in which they apply.
 * @returns undefined when the job, or one of the parents, has no variant for the ref: it is not run then
 * @throws FreezeError when a definition is missing, broken, or among its own parents
 */
export function collectVariants(
  context: Pick<Collection, 'layout' | 'ref' | 'debug' | 'user'>,
  name: string,
  checkouts: OverrideCheckouts,
): readonly JobVariant[] | undefined {
  const collection: Collection = { ...context, variants: [], path: [] };
  return collectJob(collection, name, { stack: [], checkouts }) ? collection.variants : undefined;
}

interface Climb {
  readonly stack: readonly string[];
  readonly checkouts: OverrideCheckouts;
}

function collectJob(collection: Collection, name: string, climb: Climb): boolean {
  const { layout, debug, path } = collection;
  path.push(name);
  const indent = '  '.repeat(path.length + 1);
  debug.push(`${indent}Collecting job variants for ${name}`);
  refuseBroken(collection, name);
  const variants = layout.jobs.get(name);
  if (variants === undefined)
    throw new FreezeError(`job "${name}" is not defined`, collection.variants.at(-1) ?? collection.user, name);
  const overridden = overriddenBranch(layout, variants, climb.checkouts);
  const ref = overridden === undefined ? collection.ref : { branch: overridden };
  let checkouts = climb.checkouts;
  let matched = false;
  for (const variant of variants) {
    const applies = jobMatcher(layout.projects, variant)(ref);
    debug.push(`${indent}Variant ${name} at ${placeText(variant)} ${applies ? 'matched' : 'did not match'}`);
    if (!applies) continue;
    checkouts = withCheckouts(layout, checkouts, variant);
    const parent = parentOf(collection, variant);
    if (parent === name && collection.variants.length > 0) {
      debug.push(`${indent}Variant ${name} names its own job as parent, which adds nothing`);
    } else if (parent !== undefined && !path.includes(parent)) {
      if (!collectJob(collection, parent, { stack: [...climb.stack, name], checkouts })) return false;
    } else if (parent !== undefined && (parent === name || climb.stack.includes(parent))) {
      throw new FreezeError(
        `job "${name}" is among its own parents: ${[...climb.stack, name, parent].join(' < ')}`,
        variant,
      );
    }
    matched = true;
    if (!collection.variants.includes(variant)) collection.variants.push(variant);
  }
  if (!matched) debug.push(`${indent}No matching variant of ${name}`);
  return matched;
}

/** The parent that a variant names; the first of all variants without one has the tenant's default parent. */
function parentOf(collection: Collection, variant: JobVariant): string | undefined {
  const { parent } = variant.attributes;
  if (parent === null) return undefined;
  if (parent !== undefined) return parent;
  if (collection.variants.length > 0 || variant.name === 'noop') return undefined;
  return collection.layout.tenant.defaultParent;
}

/** Fail closed: a definition that could not be read might have changed anything. */
function refuseBroken({ layout, ref }: Collection, name: string): void {
  for (const stanza of layout.broken.jobs.get(name) ?? []) {
    const variant: JobVariant = { ...stanza, attributes: {}, attached: false };
    if (!jobMatcher(layout.projects, variant)(ref)) continue;
    throw new FreezeError(`job "${name}" has a broken definition at ${placeText(stanza)}`, stanza);
  }
}

function overriddenBranch(
  layout: Layout,
  [first]: readonly JobVariant[],
  checkouts: OverrideCheckouts,
): string | undefined {
  if (first === undefined || checkouts.size === 0) return undefined;
  const branch = checkouts.get(first.origin.project) ?? checkouts.get(null);
  const known = layout.projects.byName.get(first.origin.project)?.branches ?? [];
  return branch !== undefined && known.includes(branch) ? branch : undefined;
}

/** Adds what a variant says of the branches to look at. */
export function withCheckouts(layout: Layout, checkouts: OverrideCheckouts, variant: JobVariant): OverrideCheckouts {
  const own = variant.attributes['override-checkout'];
  const required = variant.attributes['required-projects']?.value ?? [];
  if (own === undefined && required.length === 0) return checkouts;
  const result = new Map(checkouts);
  if (own !== undefined) result.set(null, own);
  for (const entry of required) {
    const checkout = typeof entry === 'string' ? undefined : entry['override-checkout'];
    if (typeof entry === 'string' || checkout === undefined) continue;
    result.set(findProject(layout.projects, entry.name)?.name ?? entry.name, checkout);
  }
  return result;
}
