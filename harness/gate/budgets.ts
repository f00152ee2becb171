/** What a gate allows: for each thing that is measured, the limits of its figures. */
import { z } from 'zod';
import { figureNames, figures, type FigureName } from './figures.ts';

const because = z.string().min(10, 'say why, in at least ten letters');

const limitNames = ['min', 'max', 'all', 'withinPercentOfPrediction', 'abovePercentOfOutage'] as const;
const waits = new Set<FigureName>(['longestWaitMs', 'directLongestWaitMs', 'gapMs']);

const budgetShape = z.strictObject({
  min: z.number().nonnegative().optional(),
  max: z.number().nonnegative().optional(),
  /** Of bad restarts: every one is. */
  all: z.literal(true).optional(),
  /** Of dropped requests: what timeline and options predict, give or take so much, on both sides. */
  withinPercentOfPrediction: z.number().positive().optional(),
  /** Of a wait: at most so much above the longest outage window of the same run. */
  abovePercentOfOutage: z.number().nonnegative().optional(),
  /** One that is not is reported, and fails nothing. */
  blocking: z.boolean().default(true),
  because,
});

type BudgetData = z.infer<typeof budgetShape>;

/** Nobody predicts what a service of the user's drops, or sees when its port is closed. */
function budgetSchemaOf(name: FigureName, ofServices: boolean) {
  return budgetShape.superRefine((budget, context) => {
    const wrong = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    if (limitNames.every((limit) => budget[limit] === undefined)) {
      wrong([], 'a budget has a limit: max, min, or one of the others');
    }
    if (budget.min !== undefined && budget.max !== undefined && budget.min > budget.max) {
      wrong(['min'], 'must not be above max');
    }
    if (budget.all !== undefined && name !== 'badRestarts') wrong(['all'], 'belongs to badRestarts');
    if (budget.withinPercentOfPrediction !== undefined && name !== 'dropped') {
      wrong(['withinPercentOfPrediction'], 'belongs to dropped');
    }
    if (budget.abovePercentOfOutage !== undefined && !waits.has(name)) {
      wrong(['abovePercentOfOutage'], `belongs to ${[...waits].join(', ')}`);
    }
    for (const limit of ['withinPercentOfPrediction', 'abovePercentOfOutage'] as const) {
      if (ofServices && budget[limit] !== undefined) wrong([limit], 'is known of experiments only: use min and max');
    }
  });
}

function budgetsSchema(names: readonly FigureName[], ofServices: boolean) {
  const fields = Object.fromEntries(names.map((name) => [name, budgetSchemaOf(name, ofServices).optional()]));
  return z
    .strictObject(fields as Record<FigureName, z.ZodOptional<ReturnType<typeof budgetSchemaOf>>>)
    .refine((budgets) => Object.keys(budgets).length > 0, 'at least one figure');
}

/** A name that becomes a file's. */
export const fileNameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9@._-]*$/u, 'must be letters, digits, @, dots and dashes, as it becomes a file’s name');

const gateEntrySchema = z.strictObject({
  /** Left out: `E5`, or `E5@as-seeded`. */
  name: fileNameSchema.optional(),
  experiment: z.string().regex(/^E\d+$/u, 'must be E and a number'),
  variant: z.string().optional(),
  restarts: z.number().int().positive().max(1_000).optional(),
  /** Fields of the experiment that differ in the gate, by the paths of --set. */
  set: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  /** False: whatever comes of it is reported, and fails nothing. */
  blocking: z.boolean().default(true),
  because,
  budgets: budgetsSchema(figureNames, false),
});

/** The share of gates of an unchanged tree in which a comparison with the baselines may fail by chance. */
const alpha = z.number().positive().max(0.1).default(0.01);

/** experiments/gate.yaml. */
export const gateFileSchema = z.strictObject({ alpha, entries: z.array(gateEntrySchema).min(1) });

const serviceEntrySchema = z.strictObject({
  name: fileNameSchema,
  /** Options of `measure`, by their names without dashes before them: `url`, `expect-status`; the command checks them. */
  measure: z.record(z.string(), z.unknown()).default({}),
  blocking: z.boolean().default(true),
  because: because.optional(),
  budgets: budgetsSchema(
    figureNames.filter((name) => figures[name].ofServices),
    true,
  ),
});

/** A budgets file for services that the user runs. */
export const serviceFileSchema = z.strictObject({ services: z.array(serviceEntrySchema).min(1) });

/** An experiment in the gate. */
export type GateEntryData = z.infer<typeof gateEntrySchema>;
/** A service in a budgets file. */
export type ServiceEntryData = z.infer<typeof serviceEntrySchema>;

/** A budget, and the line of the file that it begins on. */
export interface Budget extends BudgetData {
  readonly figure: FigureName;
  readonly line: number;
}

/** One thing that is measured, and what is allowed of it. */
export interface Entry {
  readonly name: string;
  readonly line: number;
  readonly blocking: boolean;
  readonly because: string;
  readonly budgets: readonly Budget[];
}

/** The name of an experiment's entry, and of its baseline. */
export function entryName({
  name,
  experiment,
  variant,
}: Pick<GateEntryData, 'name' | 'experiment' | 'variant'>): string {
  return name ?? (variant === undefined ? experiment : `${experiment}@${variant}`);
}

/** The entry without what it takes to run it. */
export function entryOf(
  name: string,
  { blocking, because: why, budgets }: Pick<ServiceEntryData, 'blocking' | 'because' | 'budgets'>,
  lineOf: (figure?: FigureName) => number,
): Entry {
  return {
    name,
    line: lineOf(),
    blocking,
    because: why ?? '',
    budgets: figureNames.flatMap((figure) => {
      const budget = budgets[figure];
      return budget === undefined ? [] : [{ ...budget, figure, line: lineOf(figure) }];
    }),
  };
}
