import { ranks } from './ranks';

/** Writes files while training goes on, on the first rank, one at a time. */
export class BackgroundWrites {
  /** true when the last write has failed */
  failed = false;
  private writing: Promise<void> = Promise.resolve();
  private fault: { error: unknown } | undefined;

  /**
   * Starts a write when the one before is done. Other ranks do nothing.
   * @throws the error of the write before
   */
  async start(write: () => Promise<void>): Promise<void> {
    if (ranks().rank > 0) return;
    await this.done();
    this.failed = false;
    this.writing = write().catch((error: unknown) => {
      this.failed = true;
      this.fault = { error };
    });
  }

  /** @throws the error of the last write, once, if it has failed by now */
  check(): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw fault.error;
  }

  /** Waits until nothing is being written. Does not throw. */
  async idle(): Promise<void> {
    await this.writing;
  }

  /** Waits for the last write. @throws its error */
  async done(): Promise<void> {
    await this.writing;
    this.check();
  }
}
