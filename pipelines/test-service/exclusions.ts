import { z } from 'zod';
import type { TestRequest } from './request.ts';

/** Tests that are not run: by distribution (`almalinux-8`), then by the beginning of a package's name. */
export const testExclusions = z.record(z.string(), z.record(z.string(), z.array(z.string())));

export type TestExclusions = z.infer<typeof testExclusions>;

/** The tests that a package is spared, in the order of the list: those of the distribution's version, and of its first part. */
export function excludedTests(
  list: TestExclusions,
  request: Pick<TestRequest, 'dist_name' | 'dist_version' | 'package_name'>,
): readonly string[] {
  const { dist_name: name, package_name: tested } = request;
  const version = String(request.dist_version);
  const found = [...new Set([version, version.split('.')[0]])].flatMap((number) =>
    Object.entries(list[`${name}-${number}`] ?? {}).flatMap(([prefix, tests]) =>
      tested.startsWith(prefix) ? tests : [],
    ),
  );
  return [...new Set(found)];
}
