/** How TLS is spoken to a server. */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsPlan } from '../load/plan.ts';

/** What all connections to a server share: certificates, and the session where sessions are resumed. */
export class SecureTarget {
  private readonly plan: TlsPlan;
  private readonly protocol: 'h2' | 'http/1.1';
  private readonly context: SecureContext;
  private session: Buffer | undefined;

  /** @throws when a certificate or key cannot be read */
  constructor(plan: TlsPlan, protocol: 'h2' | 'http/1.1' = 'http/1.1') {
    this.plan = plan;
    this.protocol = protocol;
    const { ca, cert, key } = plan;
    this.context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
    });
  }

  /** Begins a handshake over this stream. */
  connect(stream: Duplex): TLSSocket {
    const { serverName, isInsecure, resumes } = this.plan;
    const { session } = this;
    const socket = connect({
      socket: stream,
      secureContext: this.context,
      // The name that the certificate must be for; SNI carries names only (RFC 6066, 3).
      host: serverName,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      // Said in any case: a variable of the environment must not decide it.
      rejectUnauthorized: !isInsecure,
      ALPNProtocols: [this.protocol],
      ...(resumes && session !== undefined ? { session } : {}),
    });
    if (resumes) socket.on('session', (given) => (this.session = given));
    return socket;
  }
}
