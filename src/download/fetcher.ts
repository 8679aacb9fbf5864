import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { HostQueues } from './host_queues';
import type { Journal, Outcome } from './journal';
import type { NameOf } from './names';
import type { DownloadOptions } from './options';
import { type Attempt, type Failure, Requests } from './request';
import type { ShardPacker } from './shards';
import type { Store } from './store';
import type { UrlRow } from './url_table';

/** What has been done so far, in rows. */
export interface Tally {
  /** rows that are done, by this run or an earlier one */
  rows: number;
  /** those with an image */
  images: number;
  /** those that were asked for by this run */
  asked: number;
}

/** A URL to download, for all rows that name it. */
interface Task {
  host: string;
  url: string;
  name: string;
  rows: number[];
  tries: number;
}

const AHEAD = 4096; // rows that may wait at a time, so that other hosts are asked while one is slow
const FIRST_PAUSE = 500; // milliseconds before a second attempt; each further pause is twice as long
const LONGEST_PAUSE = 120_000; // a server that asks for more is not waited for

/** Downloads the images of rows, many at a time, and writes each outcome to the journal. */
export class Fetcher {
  readonly tally: Tally = { rows: 0, images: 0, asked: 0 };
  private readonly requests: Requests;
  private readonly queues: HostQueues<Task>;
  private readonly inFlight = new Map<string, Task>();
  private active = 0;
  private pending = 0;
  private failure: unknown;
  private stopped = false;
  private wake: () => void = () => {};

  constructor(
    private readonly journal: Journal,
    private readonly store: Store,
    private readonly nameOf: NameOf,
    private readonly options: Omit<DownloadOptions, 'userAgent'> & { userAgent: string },
    private readonly packer?: ShardPacker,
  ) {
    this.requests = new Requests(options);
    this.queues = new HostQueues(options.perHost, () => this.pump());
  }

  /** Takes rows, and returns when there is room for more. */
  async take(rows: readonly UrlRow[]): Promise<void> {
    for (const [i, row] of rows.entries()) {
      while (this.pending >= AHEAD && !this.ended()) await this.change();
      if (this.ended()) return;
      this.begin(row);
      if (i % 256 === 255) await yieldToEvents();
    }
  }

  /**
   * Waits for all rows that were taken.
   * @throws what made it impossible to go on, such as a full disk
   */
  async finish(): Promise<void> {
    while (this.active > 0 || (this.pending > 0 && !this.ended())) await this.change();
    this.queues.clear();
    await this.requests.close();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends what is under way without an outcome. */
  stop(): void {
    this.stopped = true;
    this.requests.stop();
    this.wake();
  }

  /** Ends what is under way, because it is impossible to go on. */
  fail(error: unknown): void {
    if (!this.stopped) this.failure ??= error;
    this.requests.stop();
    this.wake();
  }

  /** Whether no more rows are taken. */
  ended(): boolean {
    return this.stopped || this.failure !== undefined;
  }

  private begin({ row, url, fault }: UrlRow): void {
    const before = this.journal.get(row);
    if (fault !== undefined) {
      if (before?.error !== fault || before.name !== '') this.journal.add(row, { ...NOTHING, error: fault });
      return this.count([row], false);
    }
    const name = this.nameOf(url, row);
    if (before?.name === name && this.stands(before)) return this.count([row], before.image !== '');
    const same = this.inFlight.get(name);
    if (same !== undefined) {
      same.rows.push(row);
      this.pending++;
      return;
    }
    const other = this.journal.find(name);
    if (other !== undefined && this.stands(other)) {
      if (other.image !== '') this.packer?.reopen(row);
      this.journal.add(row, other);
      return this.count([row], other.image !== '');
    }
    const task = { host: new URL(url).hostname, url, name, rows: [row], tries: 0 };
    this.inFlight.set(name, task);
    this.pending++;
    this.queues.push(task);
    this.pump();
  }

  /** Whether an earlier outcome is kept. */
  private stands({ image }: Outcome): boolean {
    return image === '' ? !this.options.retryFailed : this.store.has(image) || this.packer?.has(image) === true;
  }

  private pump(): void {
    while (this.active < this.options.workers && !this.ended()) {
      const task = this.queues.take();
      if (task === undefined) return;
      this.active++;
      void this.work(task);
    }
  }

  private async work(task: Task): Promise<void> {
    try {
      const attempt = await this.requests.get(task.url);
      if (!this.triesAgain(task, attempt)) this.end(task, await this.outcome(task, attempt));
    } catch (error) {
      this.fail(error);
    }
    this.queues.release(task);
    this.active--;
    this.pump();
    this.wake();
  }

  /** Lets a task wait for another attempt, if the failure and the number of attempts allow one. */
  private triesAgain(task: Task, attempt: Attempt): boolean {
    const { again } = attempt as Failure;
    if (again === undefined || task.tries >= this.options.retries || (again.wait ?? 0) > LONGEST_PAUSE) return false;
    const pause = again.wait ?? FIRST_PAUSE * 2 ** task.tries * (1 + Math.random());
    task.tries++;
    if (again.wait === undefined) this.queues.pushLater(task, Math.min(pause, LONGEST_PAUSE));
    else {
      this.queues.pause(task.host, pause);
      this.queues.push(task, true);
    }
    return true;
  }

  private async outcome({ name }: Task, attempt: Attempt): Promise<Outcome & { part?: string }> {
    const { status = 0, bytes } = attempt;
    if (bytes === undefined) return { ...NOTHING, name, status, error: attempt.error };
    const stored = await this.store.make(bytes);
    if ('error' in stored) return { ...NOTHING, name, status, bytes: bytes.length, error: stored.error };
    const { width, height, ending, part } = stored;
    return { name, status, bytes: bytes.length, image: `${name}.${ending}`, width, height, error: '', part };
  }

  /**
   * Records the outcome of a task. The journal comes first: a row that it names is asked for again only if its image is
   * missing, so a process that is killed at any point leaves nothing that is asked for twice or lost.
   */
  private end({ name, rows }: Task, { part, ...outcome }: Outcome & { part?: string }): void {
    if (part !== undefined) this.packer?.reopen(rows[0]);
    for (const row of rows) this.journal.add(row, outcome);
    if (part !== undefined) this.store.keep(part, outcome.image);
    this.inFlight.delete(name);
    this.pending -= rows.length;
    this.tally.asked += rows.length;
    this.count(rows, outcome.image !== '');
  }

  private count(rows: readonly number[], hasImage: boolean): void {
    this.tally.rows += rows.length;
    if (hasImage) this.tally.images += rows.length;
    for (const row of rows) this.packer?.done(row);
  }

  private change(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }
}

const NOTHING: Outcome = { image: '', name: '', status: 0, error: '', bytes: 0, width: 0, height: 0 };
