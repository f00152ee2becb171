/** Keys and certificates, as PEM, for an engine behind TLS. */
export interface EngineTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Must the engine prove who it is? */
  readonly verify: boolean;
}

/** Where an engine listens; `named`: who says so, in words for an error's sentence, null for this machine's own socket. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string; readonly named: string | null }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: EngineTls | null;
      readonly named: string | null;
    }
  | {
      readonly kind: 'ssh';
      /** `user@host`, or a host of the user's ~/.ssh/config. */
      readonly destination: string;
      readonly port: string | null;
      readonly named: string | null;
    };

/** The context that is asked for does not exist, or cannot be read. */
export class ContextError extends Error {}

/**
 * The engine that Docker's own client would talk with.
 * @throws {ContextError} with a sentence, when a context does not exist or names no address
 */
export function engineAddress(env?: NodeJS.ProcessEnv, home?: string): EngineAddress;
