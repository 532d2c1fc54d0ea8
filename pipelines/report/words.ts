/** A number with its noun: `1 job`, `2 jobs`. `many`: where an s does not do. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
