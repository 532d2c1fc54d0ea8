import { HostRefusal } from '../http.ts';

/** What Octokit throws. */
export interface Failure {
  readonly status?: number;
  readonly name?: string;
  readonly message?: string;
  readonly response?: {
    readonly headers?: { readonly date?: string };
    readonly data?: { readonly message?: unknown; readonly errors?: unknown };
  };
}

/** What is not there is null: 404, 410, and 422 of a commit that there is not. */
export function absent(error: Failure): null {
  if (error.name === 'HttpError' && [404, 410, 422].includes(error.status ?? 0)) return null;
  return refuse(error);
}

/** @throws HostRefusal with GitHub's own reason, or what kept GitHub from being asked */
export function refuse(error: Failure): never {
  const cause = (error as { readonly cause?: unknown }).cause;
  if (error.name !== 'HttpError') throw error;
  // Octokit makes an HttpError of what the transport throws, too.
  if (error.response === undefined) throw cause instanceof Error ? cause : error;
  throw new HostRefusal(sentence(error.response.data), error.status ?? 0);
}

/** GitHub's own words, bounded. */
function sentence(data: { readonly message?: unknown; readonly errors?: unknown } | undefined): string {
  const errors = Array.isArray(data?.errors) ? data.errors : [];
  const more = errors.flatMap((each: unknown) => {
    const text = typeof each === 'string' ? each : (each as { readonly message?: unknown } | null)?.message;
    return typeof text === 'string' ? [text] : [];
  });
  const all = [String(data?.message ?? 'it gives no reason'), ...more].join(': ');
  return all.slice(0, 500).replace(/\.$/, '');
}
