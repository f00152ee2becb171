/** What a gate allows: for each thing that is measured, the limits of its figures. */
import { z } from 'zod';
import { requestsSchema } from './requests.ts';
import { figureNames, figures, type FigureName } from '../figures.ts';

const because = z.string().min(10, 'say why, in at least ten letters');

const limits = {
  min: z.number().nonnegative().optional(),
  max: z.number().nonnegative().optional(),
  /** Every restart must drop something. */
  all: z.literal(true).optional(),
  /** Within this many percent of what timeline and options predict, on both sides. */
  withinPercentOfPrediction: z.number().positive().optional(),
  /** At most this many percent above the longest outage window of the same run. */
  abovePercentOfOutage: z.number().nonnegative().optional(),
};
type LimitName = keyof typeof limits;
const limitNames = Object.keys(limits) as LimitName[];

const budgetShape = z.strictObject({
  ...limits,
  /** One that does not block is reported, and fails nothing. */
  blocking: z.boolean().default(true),
  because,
});

/** The figures of limits that not every figure may have. */
const figuresOf: Partial<Record<LimitName, readonly FigureName[]>> = {
  all: ['badRestarts'],
  withinPercentOfPrediction: ['dropped'],
  abovePercentOfOutage: ['longestWaitMs', 'directLongestWaitMs', 'gapMs'],
};
/** Nobody predicts what a service of the user's drops, or sees when its port is closed. */
const ofExperiments: readonly LimitName[] = ['withinPercentOfPrediction', 'abovePercentOfOutage'];

function budgetSchemaOf(figure: FigureName, ofServices: boolean) {
  return budgetShape.superRefine((budget, context) => {
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const named = limitNames.filter((limit) => budget[limit] !== undefined);
    if (named.length === 0) refuse([], 'a budget has a limit: max, min, or one of the others');
    if (budget.min !== undefined && budget.max !== undefined && budget.min > budget.max) {
      refuse(['min'], 'must not be above max');
    }
    for (const limit of named) {
      const own = figuresOf[limit] ?? [figure];
      if (!own.includes(figure)) refuse([limit], `belongs to ${own.join(', ')}`);
      if (ofServices && ofExperiments.includes(limit)) {
        refuse([limit], 'is known of experiments only: use min and max');
      }
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
  /** A service of the user's own in place of the demo site: its service.yaml, relative to this file. */
  app: z.string().min(1).optional(),
  restarts: z.number().int().positive().max(1_000).optional(),
  /** Fields of the experiment that differ in the gate, by the paths of --set. */
  set: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  /** False: whatever comes of it is reported, and fails nothing. */
  blocking: z.boolean().default(true),
  because,
  budgets: budgetsSchema(figureNames, false),
});

/** The share of gates of an unchanged tree in which a comparison with the baselines may fail by chance. */
export const defaultAlpha = 0.01;

/** experiments/gate.yaml. */
export const gateFileSchema = z.strictObject({
  alpha: z.number().positive().max(0.1).default(defaultAlpha),
  entries: z.array(gateEntrySchema).min(1),
});

const serviceEntrySchema = z.strictObject({
  name: fileNameSchema,
  /** Options of `measure`, by their names without dashes before them: `url`, `expect-status`; the command checks them. */
  measure: z.object({ requests: requestsSchema.optional() }).catchall(z.unknown()).default({}),
  blocking: z.boolean().default(true),
  because: because.optional(),
  /** Left out: nothing may be dropped. */
  budgets: budgetsSchema(
    figureNames.filter((name) => figures[name].ofServices === true),
    true,
  ).optional(),
});

/** A budgets file for services that the user runs. */
export const serviceFileSchema = z.strictObject({ services: z.array(serviceEntrySchema).min(1) });

/** An experiment in the gate. */
export type GateEntryData = z.infer<typeof gateEntrySchema>;
/** A service in a budgets file. */
export type ServiceEntryData = z.infer<typeof serviceEntrySchema>;

/** A budget, and the line of the file that it begins on. */
export interface Budget extends z.infer<typeof budgetShape> {
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
