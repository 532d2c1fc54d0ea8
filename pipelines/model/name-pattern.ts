/** Whether a name fits: `*` stands for anything within a part of it, `**` for anything. */
export function fitsPattern(pattern: string, name: string): boolean {
  const parts = pattern.split(/(\*+)/).map((part) => {
    if (part === '*') return '[^/]*';
    return part.startsWith('**') ? '.*' : part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`).test(name);
}
