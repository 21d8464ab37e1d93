import { createServer } from 'node:net';
import { GlasshouseError } from '../../core/errors.ts';

/** The wanted port of 127.0.0.1 where it is free (0: none is wanted), else any that is. */
export async function choosePort(wanted: number): Promise<number> {
  const port = (wanted === 0 ? null : await freePort(wanted)) ?? (await freePort(0));
  if (port === null) throw new GlasshouseError('unavailable', 'No port of 127.0.0.1 is free for the warehouse.');
  return port;
}

/** The port where it is free (0: any that is), else null. */
function freePort(port: number): Promise<number | null> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(null));
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : null));
    });
  });
}

export function portTaken(port: number): GlasshouseError {
  return new GlasshouseError(
    'unavailable',
    `Port ${port} of 127.0.0.1 is taken by another program. Stop it, or choose another port for the warehouse.`,
  );
}
