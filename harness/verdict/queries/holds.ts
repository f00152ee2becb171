/** What became of the connections that were held open beside the load. */
import { query } from './query.ts';

/** So long messages must have come, and must have stayed away. */
const regularForUs = 1_000_000;

export const holdQueries = {
  'hold-totals': query(
    'Held connections: their lives, those that opened, what came on them, and whether the file agrees with itself.',
    `
    with numbered as (
      select *, row_number() over (partition by holder order by generation) as nth,
        lag(endedUs) over (partition by holder order by generation) as beforeUs
      from holds
    )
    select count(*) as lives, count(openedUs) as opened, count(*) filter (isEnded) as endedByService,
      coalesce(sum(messages), 0) as messages, coalesce(sum(bytes), 0) as bytes,
      -- One life follows the other; none is missing, and no two are open at once.
      count(*) filter (generation <> nth or begunUs < beforeUs) as outOfOrder
    from numbered`,
  ),
  'hold-ends': query(
    'Held connections that the service ended: by restart, step and ending, with the longest until one was back.',
    `
    select restart, step, ending, closeCode, count(*) as connections, max(untilBackUs) as longestBackUs,
      count(*) filter (untilBackUs is null) as notBack
    from held
    where isEnded
    group by all
    order by min(line)`,
  ),
  'hold-open': query(
    'Of each restart: held connections that were open when the command began.',
    `
    select restart, count(*) as connections
    from restarts join holds on openedUs <= deployBeginUs and endedUs > deployBeginUs
    group by restart`,
  ),
  'hold-silent': query(
    'Held connections, open until the load ended, that had messages one after another and then none for ten times as long; µs.',
    `
    with regular as (
      select endedUs - lastMessageUs as silentUs, (lastMessageUs - openedUs) / messages as everyUs
      from holds
      -- Several at once when it opens are no measure of how often they come.
      where ending = 'end-of-load' and messages >= 5 and lastMessageUs - openedUs >= ${regularForUs}
    )
    select count(*) as connections, min(silentUs) as leastUs
    from regular where silentUs > 10 * everyUs and silentUs >= ${regularForUs}`,
  ),
  'hold-failures': query(
    'Tries to open a held connection that failed: by ending, with what the first of them said.',
    `
    select ending, status, count(*) as tries, arg_min(error, line) as error
    from holds
    where openedUs is null and ending <> 'end-of-load'
    group by all
    order by min(line)`,
  ),
} as const;
