/** The same figures, request by request of a mix that the user wrote. */
import { query } from './query.ts';

export const requestQueries = {
  'request-before': query(
    'Of each request of a mix, those that were settled before the first restart began: how many, and how many were ok.',
    `
    select request, count(*) as asked, count(*) filter (outcome = 'ok') as ok,
      coalesce(mode(outcome) filter (outcome <> 'ok'), '') as other
    from ledger
    where request is not null and doneUs < coalesce((select min(deployBeginUs) from restarts), 1e15)
    group by request
    order by min(line)`,
  ),
  'request-outcomes': query(
    'Requests of a mix, by name and outcome: due, and of them sent.',
    `
    select request, outcome, count(*) as due, count(sentUs) as sent, bool_or(dropped) as dropped
    from ledger
    where request is not null
    group by request, outcome
    order by min(line)`,
  ),
  'request-waits': query(
    'Of each request of a mix: how long its ok answers took, µs.',
    `
    select request, quantile_disc(waitUs, 0.5) as p50Us, quantile_disc(waitUs, 0.99) as p99Us, max(waitUs) as longestUs
    from ledger
    where request is not null and outcome = 'ok'
    group by request
    order by min(line)`,
  ),
  'request-missed': query(
    'Wrong answers of each request of a mix, by the expectation that they miss.',
    `
    select request, error as expectation, count(*) as missed
    from ledger
    where request is not null and outcome = 'wrong'
    group by request, error
    order by min(line)`,
  ),
} as const;
