/** The folder of this checkout or package, without a slash at its end. */
export const projectFolder: string;

/** Is it a checkout? Else it is the package, which lies in another project's node_modules. */
export const isCheckout: boolean;

/** The folder whose .npmrc says where packages are from. */
export const npmFolder: string;

/** Where downloads are kept: in a checkout its own .cache, else a folder of the user's that all their projects share. */
export function cacheFolder(): string;
