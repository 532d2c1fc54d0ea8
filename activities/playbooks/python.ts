import { type Node, onNode } from '../nodes/packages/node.ts';

/** Milliseconds for the installation of Python. */
const patience = 600_000;

const script = `command -v python3 >/dev/null && exit
if command -v apt-get >/dev/null
then
  install() { apt-get -q -y --no-install-recommends install python3; }
  install || { apt-get -q update && install; }
else dnf -q -y install python3
fi`;

/** Ansible needs it on each node, and a minimal system has none. @throws where it cannot be had */
export async function addPython(node: Node): Promise<void> {
  const { code, output } = await onNode(node, ['sh', '-c', script], patience);
  if (code === 0) return;
  throw new Error(
    `${node.name} has no Python 3 for playbooks, and none can be installed: ${output.slice(-500).trim()}`,
  );
}
