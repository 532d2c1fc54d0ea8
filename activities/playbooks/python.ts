import { type Node, onNode } from '../nodes/packages/node.ts';

/** Milliseconds for the installation of Python at least. */
const least = 600_000;

const script = `command -v python3 >/dev/null && exit
if command -v apt-get >/dev/null
then
  install() { apt-get -q -y --no-install-recommends install python3; }
  install || { apt-get -q update && install; }
else dnf -q -y install python3
fi`;

/** Ansible needs it on each node, and a minimal system has none. @param timeout milliseconds, where ten minutes are too few @throws where it cannot be had */
export async function addPython(node: Node, timeout = least): Promise<void> {
  const patience = Math.max(timeout, least);
  const { code, output, timedOut } = await onNode(node, ['sh', '-c', script], patience);
  if (code === 0) return;
  const why = timedOut ? `was installed in ${patience / 1000} s` : 'can be installed';
  throw new Error(
    `${node.name} has no Python 3 for playbooks, and none ${why}: ${output.replaceAll('\r', '').slice(-500).trim()}`,
  );
}
