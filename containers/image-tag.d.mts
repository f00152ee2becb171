/** What each engine architecture takes from the package registries. */
export declare const architectures: Readonly<
  Record<'amd64' | 'arm64', { readonly npmPackage: string; readonly wheel: string }>
>;
/**
 * The lab image's tag: a hash of the recipe and the engine's architecture.
 * @throws {RangeError} for an architecture that the lab has no image for
 */
export declare function labImageTag(architecture: string): string;
