/** Methods that a request may have; apart from the schemas that name them, for whoever must begin without loading those. */
export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A method that a request may have. */
export type Method = (typeof methods)[number];
