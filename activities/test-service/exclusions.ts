import { type TestExclusions, testExclusions } from '../../pipelines/test-service/exclusions.ts';
import { ask, type HttpPatience } from '../review/http.ts';

/** Milliseconds that a list is good for. */
const fresh = 600_000;
/** Somebody waits for the answer. */
const patience: HttpPatience = { timeout: 10_000, size: 4 * 1024 * 1024, tries: 3, pause: 250, longestPause: 1_000 };

/** The list cannot be read now: who asks may try again later. */
class NoExclusions extends Error {
  readonly statusCode = 503;
}

/**
 * Reads the list of excluded tests, once in ten minutes.
 *
 * @param now milliseconds, of a clock that only goes on
 */
export function createExclusions(url: string, now: () => number = () => performance.now()) {
  let known: { readonly at: number; readonly list: Promise<TestExclusions> } | undefined;
  return (): Promise<TestExclusions> => {
    if (known !== undefined && now() - known.at < fresh) return known.list;
    const mine = { at: now(), list: read(url) };
    known = mine;
    // What failed is asked for again.
    mine.list.catch(() => {
      if (known === mine) known = undefined;
    });
    return mine.list;
  };
}

async function read(url: string): Promise<TestExclusions> {
  const fail = (why: string) =>
    new NoExclusions(`the list of excluded tests, tests.exclusions, cannot be read: ${why}`);
  const { status, body } = await ask({ url }, (answer) => answer, patience).catch((error: Error) => {
    throw fail(error.message);
  });
  if (status !== 200) throw fail(`${url} answers with ${status}`);
  const found = testExclusions.safeParse(jsonIn(body));
  if (found.success) return found.data;
  throw fail(`${url} is no JSON of the form {"NAME-VERSION": {"PACKAGE": ["TEST"]}}`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
