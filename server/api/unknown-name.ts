/** Names that are listed at most in an answer. */
const most = 50;

/** That there is no such name, with those that there are. */
export function unknownName(kind: string, name: string, names: readonly string[]): Error {
  const shown = [...names].sort().slice(0, most);
  const rest = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  const there = shown.length === 0 ? 'there is none at all' : `there are: ${shown.join(', ')}${rest}`;
  return Object.assign(new Error(`there is no ${kind} ${name}; ${there}`), { name: 'UnknownName' });
}
