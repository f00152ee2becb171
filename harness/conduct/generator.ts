/** The conversation with the load generator, wherever it runs: the only place that speaks with it. */
import { HarnessError } from '../base/errors.ts';
import type { Conversation } from '../base/conversation.ts';
import type { LoadCommand, LoadMessage, LoadPlan } from '../in-lab/load/plan.ts';

/** How long a generator that was told to stop may take: two seconds for requests under way, and room to say so. */
const stopDeadlineMs = 4_000;

/** It speaks four times a second; one that is silent for so long is paused, or its machine is gone. */
const mostSilentMs = 30_000;

/** Counts so far, and at the end. */
export type LoadProgress = Extract<LoadMessage, { kind: 'progress' | 'done' }>;

/** Hears of a load while it goes on; the next message waits until a listener has returned. */
export interface LoadListener {
  /** The first request is about to be due. */
  readonly began: (origin: LoadOrigin) => unknown;
  readonly progress: (counts: LoadProgress) => unknown;
}

/** When a load begins, by the clocks of its kernel. */
export interface LoadOrigin {
  /** CLOCK_MONOTONIC of the first due time, in microseconds. */
  readonly originUs: number;
  /** Wall clock minus CLOCK_MONOTONIC, in microseconds. */
  readonly wallOffsetUs: number;
}

/** What a load came to. */
export interface LoadEnd {
  readonly originUs: number | null;
  /** Wall clock minus CLOCK_MONOTONIC, before and after the load; null when the generator did not live to tell it. */
  readonly wallOffsetUs: [number, number] | null;
  /** The generator's last word; null when there was none. */
  readonly done: Extract<LoadMessage, { kind: 'done' }> | null;
  /** Why the load did not come to its end, as a sentence; null when it did. */
  readonly aborted: string | null;
}

/** A load generator with its plan. */
export class Generator {
  private readonly talk: Conversation;
  private readonly gaveUp = Promise.withResolvers<undefined>();
  private deadline: NodeJS.Timeout | undefined;
  private origin: LoadOrigin | null = null;
  private done: LoadEnd['done'] = null;
  private aborted: string | null = null;

  constructor(talk: Conversation, plan: LoadPlan) {
    this.talk = talk;
    this.say(plan);
  }

  /**
   * Resolves when the load can begin: notes are written, slots are made.
   * @throws {HarnessError} `site-failed` when the site did not take a note; `generator-failed`
   */
  async ready(): Promise<void> {
    const line = await this.talk.lines.next();
    const message = line.done === true ? null : (JSON.parse(line.value) as LoadMessage);
    if (message?.kind === 'primed') return;
    if (message?.kind === 'unprimed') {
      const what = message.error === null ? message.outcome : `${message.outcome} (${message.error})`;
      throw new HarnessError(
        'site-failed',
        `Before the load, the site did not acknowledge note ${message.note + 1} of those that the load reads: ${what}.`,
      );
    }
    throw failedBeforeLoad('the load generator', message?.kind === 'error' ? message.message : this.talk.stderr());
  }

  /** Begins the load; resolves when every request has its outcome, or the generator will say no more. */
  async run(listener: LoadListener): Promise<LoadEnd> {
    this.say({ kind: 'go' });
    await Promise.race([this.hear(listener), this.gaveUp.promise]).finally(() => clearTimeout(this.deadline));
    const { origin, done } = this;
    if (done === null) this.aborted ??= `The load generator ended without a word. ${this.talk.stderr()}`.trim();
    const offsetAfterUs = done === null ? null : done.clock.wallUs - done.clock.monotonicUs;
    return {
      originUs: origin?.originUs ?? null,
      wallOffsetUs: origin === null || offsetAfterUs === null ? null : [origin.wallOffsetUs, offsetAfterUs],
      done,
      aborted: this.aborted,
    };
  }

  /**
   * Lets no request be due beyond these slots (default: those due by now), and waits for the others' outcomes.
   * @param withinMs how long the load may still take; else as long as its requests have
   */
  finish({ slots, withinMs }: { slots?: number; withinMs?: number } = {}): void {
    this.say({ kind: 'finish', ...(slots !== undefined && { slots }) });
    if (withinMs !== undefined) this.giveUpAfter(withinMs);
  }

  /** Breaks the load off: no further request is sent, and those under way have two seconds. */
  stop(why: string): void {
    this.aborted ??= why;
    this.say({ kind: 'stop' });
    this.giveUpAfter(stopDeadlineMs);
  }

  close(): void {
    clearTimeout(this.deadline);
    this.talk.close();
  }

  private async hear({ began, progress }: LoadListener): Promise<void> {
    const silence = setTimeout(() => {
      this.aborted ??= `The load generator said nothing for ${mostSilentMs / 1000} s.`;
      this.giveUp();
    }, mostSilentMs).unref();
    for await (const line of this.talk.lines) {
      silence.refresh();
      const message = JSON.parse(line) as LoadMessage;
      if (message.kind === 'origin') {
        const wallOffsetUs = message.clock.wallUs - message.clock.monotonicUs;
        this.origin = { originUs: message.originUs, wallOffsetUs };
        await began(this.origin);
      } else if (message.kind === 'progress') await progress(message);
      else if (message.kind === 'error') {
        this.aborted ??= `The load generator failed: ${message.message.replace(/\.$/u, '')}.`;
      } else if (message.kind === 'done') {
        await progress(message);
        this.done = message;
        break;
      }
    }
    clearTimeout(silence);
  }

  private giveUpAfter(ms: number): void {
    this.deadline ??= setTimeout(() => this.giveUp(), ms);
  }

  private giveUp(): void {
    this.talk.kill?.();
    this.gaveUp.resolve(undefined);
  }

  private say(words: LoadCommand | LoadPlan): void {
    this.talk.say(JSON.stringify(words));
  }
}

/** @param said its last words */
export function failedBeforeLoad(who: string, said: string): HarnessError {
  const words = said.trim() === '' ? 'it said nothing' : said.trim();
  return new HarnessError('generator-failed', `Before the load began, ${who} failed: ${words}`);
}
