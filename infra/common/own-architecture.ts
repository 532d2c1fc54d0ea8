import { ownArchitectureFaults } from '../config/architectures.ts';
import { type Config, invalidAt } from '../config/load.ts';

/**
 * Asked by the server's processes alone: whoever asks a server reads the file on a machine of any architecture.
 *
 * @throws InvalidConfiguration for projects that are not built for this machine's, where what all have is made
 */
export function requireOwnArchitecture({ file, projects }: Pick<Config, 'file' | 'projects'>): void {
  const faults = ownArchitectureFaults(projects);
  if (file !== null && faults.length > 0) throw invalidAt(file, faults);
}
