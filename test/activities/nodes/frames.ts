import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Who has 10.77.0.11? Tell 10.77.0.10. */
const question = Buffer.from(
  `ffffffffffff525400000001080600010800060400015254000000010a4d000a${'00'.repeat(6)}0a4d000b`,
  'hex',
);

/** The same as tcpdump says it. */
export const heard = 'ARP, Request who-has 10.77.0.11 tell 10.77.0.10, length 28';

/** Sends frames as an emulator does. */
export async function sendFrames(to: { readonly group: string; readonly port: number }, count: number): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  for (let sent = 0; sent < count; sent += 1) {
    await new Promise<void>((resolve, reject) => {
      socket.send(question, to.port, to.group, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}
