import { debugComponent } from '../../../pipelines/formats/deb/release.ts';
import type { PackageId } from '../port.ts';

/** The component's part of the pool. */
const shelf = `pool/${debugComponent}/`;

/** Whether a list of the component names the file, by its path. */
export function isOnDebugShelf(path: string): boolean {
  return path.startsWith(shelf);
}

/** Where a package's file stands. Whatever another archive has called a component `debug` belongs into `main` here. */
export function shelved({ name, path }: Pick<PackageId, 'name'> & { readonly path: string }, debug: boolean): string {
  const apart = debug && name.endsWith('-dbgsym') && path.endsWith('.deb');
  if (apart) return isOnDebugShelf(path) ? path : `${shelf}${path.replace(/^(?:\.\/)*(?:pool\/[^/]+\/)?/, '')}`;
  return isOnDebugShelf(path) ? path.replace(shelf, 'pool/main/') : path;
}
