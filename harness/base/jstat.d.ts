/** The part of jstat that is used; the package has no types of its own. */
declare module 'jstat' {
  const jstat: {
    readonly beta: { inv(p: number, alpha: number, beta: number): number };
    /** The logarithm of the gamma function. */
    gammaln(x: number): number;
    readonly studentt: { inv(p: number, degreesOfFreedom: number): number };
  };
  export default jstat;
}
