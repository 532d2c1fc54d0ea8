import Docker from 'dockerode';
import { ask } from './faults.ts';

interface Inspected {
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] };
}

/** The address under which containers on the engine's default network reach this machine. */
export async function bridgeAddress(): Promise<string> {
  const network = (await ask('look at the default network', new Docker().getNetwork('bridge').inspect())) as Inspected;
  const config = network.IPAM?.Config?.find(({ Subnet }) => Subnet?.includes('.'));
  // An engine that was not told a gateway takes the first address, and does not always say so.
  const address = config?.Gateway ?? config?.Subnet?.replace(/\d+\/\d+$/, '1');
  if (address === undefined) throw new Error("the engine's default network has no IPv4 subnet");
  return address;
}
