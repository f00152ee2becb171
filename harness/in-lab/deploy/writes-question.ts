/** How read-own-writes.ts learns which writes of a service of the user's own are stored. */
export type WritesQuestion =
  | { readonly kind: 'sql'; readonly database: string; readonly sql: string }
  | { readonly kind: 'command'; readonly command: string }
  | {
      readonly kind: 'url';
      /** Path and query, with `{id}`. */
      readonly url: string;
      readonly host: string;
      /** Ports that the service may listen at; the first that is open is asked. */
      readonly ports: readonly number[];
      /** A file with the id of every write, a line each. */
      readonly idsFile: string;
    };
