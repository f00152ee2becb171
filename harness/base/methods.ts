/** Methods that a request may have. In a file of their own: the load generator must start without loading zod. */
export const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A method that a request may have. */
export type Method = (typeof methods)[number];
