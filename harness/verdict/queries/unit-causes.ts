/** Why a service of the user's dropped a request, by systemd's journal: what the unit was doing just then. */
import { toleranceUs } from '../tolerances.ts';
import { query } from './query.ts';

/** The client saw that nobody listened, or that the connection was cut; a proxy in front tells neither from the other. */
const refused = "outcome = 'refused'";
const cut = "outcome in ('reset', 'closed', 'truncated', 'tls')";
const unprocessed = "outcome = 'refused-stream'";
const unavailable = "outcome in ('status-502', 'status-503', 'status-504')";

/** A step to the causes. */
export const ofUnit = query(
  'Of a service of your own with --journal: what a unit was doing when the drop was known, and the line that shows it.',
  `
  with again as (
    select u.line, doneUs as againUs
    from (from unit_spans where state <> 'stopping') as u
      asof join (
        select sentUs, doneUs from ledger where outcome = 'ok' and sentUs is not null and exists (from unit_spans)
      ) as ok on u.fromUs < ok.sentUs
  ), spans as (
    -- Once somebody is answered again, what fails has another cause.
    select u.*, case when state = 'stopping' then toUs + ${toleranceUs} else least(toUs, coalesce(againUs, toUs)) end as untilUs
    from unit_spans as u left join again using (line)
  ), met as (
    select lost.line, outcome, lost.status, lost.fromUs,
      -- The last that had begun; journald may have its line a moment late.
      arg_max(u, case when u.fromUs <= doneUs then u.fromUs else -u.fromUs end) as event
    from lost join spans as u on doneUs >= u.fromUs - ${toleranceUs} and lost.fromUs <= u.untilUs
    where ${refused} or ${unavailable} or (${cut} and state <> 'starting') or (${unprocessed} and state = 'stopping')
    group by all
  )
  select line, event.line as unitLine, event.said, case
      when ${refused} then 'refused: nobody listened; ' || event.unit || case event.state
        when 'stopping' then ' was stopping' when 'gone' then ' had no process' else ' had started, and did not listen yet' end
      when ${cut} then case when event.state = 'stopping' then 'cut while ' || event.unit || ' was stopping'
        -- Somebody in front of it takes connections.
        when fromUs > event.fromUs + ${toleranceUs} then 'cut while ' || event.unit || ' had no process'
        else 'cut: the process of ' || event.unit || ' ended with the request under way' end
      when ${unprocessed} then 'not processed, as the server said, while ' || event.unit || ' was stopping'
      else 'answered ' || status || ' while ' || event.unit || case event.state
        when 'stopping' then ' was stopping' when 'gone' then ' had no process' else ' was starting' end
    end as cause
  from met`,
);
