import { parentPort, Worker } from 'node:worker_threads';

import { CleanclipError, type ErrorCode, optionError } from '../errors';

interface Reply<Result> {
  id: number;
  result?: Result;
  error?: { message: string; code: ErrorCode };
}

interface Pending<Result> {
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface Member<Result> {
  worker: Worker;
  pending: Map<number, Pending<Result>>;
  exited: Promise<void>;
}

/**
 * A pool of worker threads, each of which performs its tasks one after another. A task is sent at once to the thread
 * with the fewest tasks, so that threads continue while the calling thread is busy. Idle threads do not keep the
 * process alive.
 */
export class WorkerPool<Task, Result> {
  private readonly members: Member<Result>[];
  private failure: Error | undefined;
  private closing = false;
  private nextId = 0;

  /**
   * @param file a module that calls {@link serveTasks}
   * @param workerData passed to each thread
   * @param count number of threads
   */
  constructor(file: string, workerData: unknown, count: number) {
    this.members = Array.from({ length: count }, () => this.start(new Worker(file, { workerData })));
  }

  /** Performs a task. Rejects when the task throws, when its thread dies, or when any thread of the pool has died. */
  run(task: Task): Promise<Result> {
    if (this.failure) return Promise.reject(this.failure);
    const member = this.members.reduce((least, other) => (other.pending.size < least.pending.size ? other : least));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (member.pending.size === 0) member.worker.ref();
      member.pending.set(id, { resolve, reject });
      member.worker.postMessage({ id, task });
    });
  }

  /** Lets every thread finish its tasks, then ends it. */
  async close(): Promise<void> {
    this.closing = true;
    this.failure ??= new CleanclipError('The worker threads were closed.', 'ERR_ABORTED');
    for (const { worker } of this.members) {
      worker.ref();
      worker.postMessage(null);
    }
    await Promise.all(this.members.map(({ exited }) => exited));
  }

  /** Ends every thread at once. Its tasks reject. */
  async terminate(): Promise<void> {
    this.failure ??= new CleanclipError('The worker threads were ended.', 'ERR_ABORTED');
    await Promise.all(this.members.map(({ worker }) => worker.terminate()));
  }

  private start(worker: Worker): Member<Result> {
    const pending = new Map<number, Pending<Result>>();
    worker.unref();
    worker.on('message', ({ id, result, error }: Reply<Result>) => {
      const task = pending.get(id);
      pending.delete(id);
      if (pending.size === 0 && !this.closing) worker.unref();
      if (error) task?.reject(new CleanclipError(error.message, error.code));
      else task?.resolve(result as Result);
    });
    const fail = (reason: string): void => {
      const error = new CleanclipError(`A worker thread that loads data ended: ${reason}.`, 'ERR_DATA');
      if (!this.closing) this.failure ??= error;
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    };
    worker.on('error', (error) => fail(error.message));
    const exited = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        if (!this.closing || pending.size > 0) fail(`exit code ${code}`);
        resolve();
      });
    });
    return { worker, pending, exited };
  }
}

/** Performs the tasks of the {@link WorkerPool} that started this worker thread, one after another. */
export function serveTasks<Task, Result>(perform: (task: Task) => Promise<Result>): void {
  const port = parentPort;
  if (!port) throw optionError('serveTasks works in a worker thread only.');
  let last: Promise<void> = Promise.resolve();
  const answer = async (id: number, task: Task): Promise<void> => {
    let reply: Reply<Result>;
    try {
      reply = { id, result: await perform(task) };
    } catch (error) {
      const { message, code } = error as CleanclipError;
      reply = { id, error: { message, code: code ?? 'ERR_DATA' } };
    }
    port.postMessage(reply);
  };
  port.on('message', (message: { id: number; task: Task } | null) => {
    last = last.then(() => (message ? answer(message.id, message.task) : port.close()));
  });
}
