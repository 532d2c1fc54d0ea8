import { z } from 'zod';
import type { Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';

const place = z.url({ protocol: /^https?$/ });

/** `tests:`: packages that are tested by request; see `docs/test-service.md`. */
export function testsSchema(resolve: Resolve) {
  const secret = secretSchema(resolve);
  return z.strictObject({
    secret: secret.describe(`What tokens of the test service are signed with, 32 characters at least: ${secretForms}.`),
    repositories: z
      .array(place)
      .default([])
      .describe("URLs below which a request's repositories may be, besides the server's own."),
    sources: z
      .array(place)
      .default([])
      .describe('URLs below which Git repositories of tests may be that a request names.'),
    exclusions: place
      .optional()
      .describe('URL of a list of tests that are not run: `{"NAME-VERSION": {"PACKAGE": ["TEST"]}}`. Default: none.'),
    callback: z
      .strictObject({
        url: place.describe("Where it is reached; a request's `callback_href` is a path there."),
        token: secret.describe(`What it knows Sluice by, as a bearer token: ${secretForms}.`),
      })
      .optional()
      .describe('The host that results are posted to. Default: none.'),
  });
}
