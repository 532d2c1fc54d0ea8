type Variables = Readonly<Record<string, unknown>>;

/** Joins two trees of variables; where both have a map they are joined in turn, else the second wins. */
export function mergeVariables(under: Variables, over: Variables): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    merged[key] = isMap(below) && isMap(value) ? mergeVariables(below, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is Variables {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
