export * from '../load/row.ts';
