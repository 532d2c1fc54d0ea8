const ROOTS = ['zuul.yaml', 'zuul.d', '.zuul.yaml', '.zuul.d'] as const;

/** Whether a path may hold configuration, apart from a project's extra paths. */
export function isConfigPath(path: string): boolean {
  return ROOTS.some((root) => path === root || (root.endsWith('.d') && path.startsWith(`${root}/`)));
}
