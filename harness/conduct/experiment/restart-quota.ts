/**
 * Decides, while a load goes on, when it may end: not before the last restart has begun and is over, and not before
 * those that were voided by late requests have been made up for.
 */
import { patienceMs, type DeploySchedule } from '../../experiment/deploy-schedule.ts';

/** How long before the load's end it is decided: both sides must hear of it in time. */
const decideBeforeEndMs = 1_000;

/** Counts the restarts that are used; asks for no more than the schedule has. */
export class RestartQuota {
  private readonly schedule: DeploySchedule;
  /** When each restart began in truth: on a slow machine later than planned, since each rests after the one before. */
  private readonly beganMs: number[] = [];
  private overs = 0;
  private restarts: number;
  private endMs: number | null = null;

  constructor(schedule: DeploySchedule) {
    this.schedule = schedule;
    this.restarts = schedule.wanted;
  }

  /** Restarts that the run has, as far as is known. */
  get used(): number {
    return this.restarts;
  }

  /** Length of the load in milliseconds, as far as is known. */
  get durationMs(): number {
    return this.endMs ?? this.schedule.durationMs(this.restarts) + this.slipMs();
  }

  /** The next restart began, at this time after the load's origin. */
  began(atMs: number): void {
    this.beganMs.push(atMs);
  }

  /** The restart that began last is over: its version is ready, and has rested. */
  rested(): void {
    this.overs = this.beganMs.length;
  }

  /**
   * Another restart, enough of them, or nothing to decide now.
   * @param atUs since the load's origin
   * @param lateDueUs due times of the slots that left too late
   */
  decide(atUs: number, lateDueUs: readonly number[]): 'another' | 'enough' | null {
    const { wanted, beginsMs } = this.schedule;
    const atMs = atUs / 1000;
    if (this.endMs !== null || atMs < this.durationMs - decideBeforeEndMs) return null;
    if (this.overs < this.restarts && atMs < this.durationMs + patienceMs) return null;
    const voided = new Set(
      lateDueUs.map((dueUs) =>
        this.beganMs.slice(0, this.restarts).findLastIndex((beganMs) => dueUs >= beganMs * 1000),
      ),
    );
    voided.delete(-1);
    if (this.restarts - voided.size < wanted && this.restarts < beginsMs.length) {
      this.restarts++;
      return 'another';
    }
    this.endMs = Math.max(this.durationMs, Math.ceil(atMs) + decideBeforeEndMs);
    return 'enough';
  }

  /** By how much the restart that began last did so later than planned. */
  private slipMs(): number {
    const index = Math.min(this.beganMs.length, this.restarts) - 1;
    return index < 0 ? 0 : Math.max(0, (this.beganMs[index] ?? 0) - (this.schedule.beginsMs[index] ?? 0));
  }
}
