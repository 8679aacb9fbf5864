import { addon } from '../addon';
import { isExchangeFailure, isTimeout, named, naming, whoIs } from './failure';
import type { NativeGroup, NativeHeartbeat, Question } from './native';
import type { Store } from './store';

/** Options of {@link Heartbeat.start}. */
export interface HeartbeatOptions {
  rank: number;
  worldSize: number;
  /** milliseconds that an operation takes at most */
  timeout: number;
  /** milliseconds without a heartbeat of a rank that this one waits for; after them the group has failed */
  silence: number;
  /** whether rank 0's process hosts the store */
  firstHosts: boolean;
}

/** An operation, and its number among this rank's collectives. */
interface Begun {
  operation: string;
  number: number;
}

/**
 * Shows the other ranks that this one lives, and finds which rank is the cause when an operation fails. Ranks that met
 * through a file have no heartbeat, so their errors name no rank.
 */
export class Heartbeat {
  private constructor(
    private readonly native: NativeHeartbeat | undefined,
    private readonly who: string,
    private readonly timeout: number,
  ) {}

  /** Starts the heartbeat of this rank. */
  static async start(
    store: Store,
    { rank, worldSize, timeout, silence, firstHosts }: HeartbeatOptions,
  ): Promise<Heartbeat> {
    const who = whoIs({ rank, worldSize });
    const native = await naming({ who, operation: 'initProcessGroup', timeout }, () =>
      addon().startHeartbeat(store.native, rank, worldSize, firstHosts, silence),
    );
    return new Heartbeat(native, who, timeout);
  }

  /** Aborts the group as soon as a rank finds that it has failed. */
  guard(group: NativeGroup): void {
    if (this.native !== undefined) addon().guardGroup(this.native, group);
  }

  /** Awaits an operation of several ranks. Its error names who waited, for what, and the rank that is the cause. */
  async during<T>(operation: string, collective: boolean, start: () => Promise<T>): Promise<T> {
    const exchange = start(); // throws what is wrong with its arguments
    const begun = this.begin(operation, collective);
    try {
      return await exchange;
    } catch (error) {
      const question = this.question(begun, error);
      throw this.named(begun, error, question && (await addon().findCause(...question)));
    } finally {
      this.end();
    }
  }

  /** Does the same for an operation that blocks this thread. */
  duringBlock<T>(operation: string, collective: boolean, block: () => T): T {
    const begun = this.begin(operation, collective);
    try {
      return block();
    } catch (error) {
      const question = this.question(begun, error);
      throw this.named(begun, error, question && addon().findCauseSync(...question));
    } finally {
      this.end();
    }
  }

  /** Tells the other ranks the cause of the group's failure, unless they know one. */
  async announce(cause: string): Promise<void> {
    if (this.native !== undefined) await addon().announceFailure(this.native, cause);
  }

  /** Tells the others that this rank leaves the group, and stops. */
  async stop(): Promise<void> {
    if (this.native !== undefined) await addon().stopHeartbeat(this.native);
  }

  private begin(operation: string, collective: boolean): Begun {
    return { operation, number: this.native === undefined ? 0 : addon().beginOperation(this.native, collective) };
  }

  private end(): void {
    if (this.native !== undefined) addon().endOperation(this.native);
  }

  private question({ operation, number }: Begun, error: unknown): Question | undefined {
    if (this.native === undefined || !isExchangeFailure(error)) return undefined;
    const limit = isTimeout(error) ? `${this.timeout / 1000} s` : '';
    return [this.native, operation, number, limit, error.message.replace(/\.$/, '')];
  }

  private named({ operation }: Begun, error: unknown, cause?: string): unknown {
    return named({ who: this.who, operation, timeout: this.timeout }, error, cause);
  }
}
