/** What each engine architecture takes from the package registries. */
export declare const architectures: Readonly<
  Record<'amd64' | 'arm64', { readonly npmPackage: string; readonly wheel: string }>
>;
/**
 * The lab image's tag: a hash of the recipe and the engine's architecture.
 * @throws {RangeError} for an architecture that the lab has no image for
 */
export declare function labImageTag(architecture: string): string;
/** The tag of a release lab's image: a hash of what it adds to the lab's image, and of that image's tag. */
export declare function controlImageTag(labTag: string): string;
