/** Processes that the runs of a command have left behind: a run that is cut short ends them, any other leaves them alone. */
import type { RunningCommand } from './command.ts';
import type { ProcessSeen } from './processes.ts';

/** The runs of the command of which something may go on. */
export class LeftRunning {
  private readonly commands = new Set<RunningCommand>();

  /** Takes a command into its care, and lets go of those of which nothing goes on. */
  async add(command: RunningCommand): Promise<void> {
    const before = [...this.commands];
    this.commands.add(command);
    for (const one of before) {
      if ((await one.others()).length > 0) continue;
      this.commands.delete(one);
      await one.close();
    }
  }

  async processes(): Promise<ProcessSeen[]> {
    return (await Promise.all([...this.commands].map((one) => one.others()))).flat();
  }

  async endAll(): Promise<ProcessSeen[]> {
    return (await Promise.all([...this.commands].map((one) => one.endAll()))).flat();
  }

  async close(): Promise<void> {
    await Promise.all([...this.commands].map((one) => one.close()));
  }
}
