/**
 * Checks of what comes from outside: anybody may start a workflow or send it a message from Temporal's page. A guard
 * answers with what is wrong, at which place, or undefined. It asks for what the workflows read, not for all there is:
 * what an older version has written passes.
 */
export type Guard = (value: unknown, path: string) => string | undefined;

/** Text that can be kept: the store takes no NUL. */
export const text: Guard = (value, path) => {
  if (typeof value !== 'string') return wrong(path, 'text', value);
  return value.includes('\0') ? `${path} has a NUL character` : undefined;
};

export const count: Guard = (value, path) => {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : wrong(path, 'a whole number', value);
};

export const number: Guard = (value, path) => {
  return typeof value === 'number' && Number.isFinite(value) ? undefined : wrong(path, 'a number', value);
};

export const flag: Guard = (value, path) => {
  return typeof value === 'boolean' ? undefined : wrong(path, 'true or false', value);
};

export function one(of: readonly string[]): Guard {
  return (value, path) => {
    return of.some((each) => each === value) ? undefined : wrong(path, `one of ${of.join(', ')}`, value);
  };
}

export function list(of: Guard): Guard {
  return (value, path) => {
    if (!Array.isArray(value)) return wrong(path, 'a list', value);
    return first(value.map((each, index) => () => of(each, `${path}[${index}]`)));
  };
}

/** An object whose values are all of a kind. */
export function record(of: Guard): Guard {
  return (value, path) => {
    if (!isObject(value)) return wrong(path, 'an object', value);
    return first(
      Object.entries(value).map(
        ([key, each]) =>
          () =>
            of(each, `${path}.${key}`),
      ),
    );
  };
}

/** An object with at least these fields. */
export function object(fields: Readonly<Record<string, Guard>>): Guard {
  return (value, path) => {
    if (!isObject(value)) return wrong(path, 'an object', value);
    return first(
      Object.entries(fields).map(
        ([key, guard]) =>
          () =>
            guard(value[key], `${path}.${key}`),
      ),
    );
  };
}

/** What may be left out. */
export function maybe(of: Guard): Guard {
  return (value, path) => (value === undefined ? undefined : of(value, path));
}

export function nullable(of: Guard): Guard {
  return (value, path) => (value === null ? undefined : of(value, path));
}

/** An object whose `type` says which of these it is. */
export function tagged(kinds: Readonly<Record<string, Guard>>): Guard {
  const type = one(Object.keys(kinds));
  return (value, path) => {
    if (!isObject(value)) return wrong(path, 'an object', value);
    return type(value.type, `${path}.type`) ?? kinds[String(value.type)]?.(value, path);
  };
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function wrong(path: string, expected: string, value: unknown): string {
  return `${path} should be ${expected}, and is ${kindOf(value)}`;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value).slice(0, 40)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
