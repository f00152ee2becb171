/** Decides, while a load goes on, whether a restart was voided by late requests and another has to make up for it. */
import type { DeploySchedule } from '../timeline/deploy-schedule.ts';

/** How long before the load's end it is decided: both sides must hear of it in time. */
const decideBeforeEndMs = 1_000;

/** Counts the restarts that are used; asks for no more than the schedule has. */
export class SpareRestarts {
  private readonly schedule: DeploySchedule;
  private restarts: number;
  private over = false;

  constructor(schedule: DeploySchedule) {
    this.schedule = schedule;
    this.restarts = schedule.wanted;
  }

  /** Restarts that the run has, as far as is known. */
  get used(): number {
    return this.restarts;
  }

  /**
   * Another restart, enough of them, or nothing to decide now.
   * @param atUs since the load's origin
   * @param lateDueUs due times of the slots that left too late
   */
  decide(atUs: number, lateDueUs: readonly number[]): 'another' | 'enough' | null {
    const { wanted, beginsMs } = this.schedule;
    if (this.over || atUs < (this.schedule.durationMs(this.restarts) - decideBeforeEndMs) * 1000) return null;
    const voided = new Set(
      lateDueUs.map((dueUs) => beginsMs.slice(0, this.restarts).findLastIndex((beginMs) => dueUs >= beginMs * 1000)),
    );
    voided.delete(-1);
    if (this.restarts - voided.size < wanted && this.restarts < beginsMs.length) {
      this.restarts++;
      return 'another';
    }
    this.over = true;
    return 'enough';
  }
}
