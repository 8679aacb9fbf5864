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
 * Worker threads that each do their tasks one after another. A task goes at once to the thread with the fewest, so that
 * the threads keep working while the calling thread is busy. Idle threads do not keep the process alive.
 */
export class WorkerPool<Task, Result> {
  private readonly members: Member<Result>[];
  private failure: Error | undefined;
  private closing = false;
  private nextId = 0;

  /**
   * @param file a module that calls {@link serveTasks}
   * @param workerData given to each thread
   */
  constructor(file: string, workerData: unknown, count: number) {
    this.members = Array.from({ length: count }, () => this.start(new Worker(file, { workerData })));
  }

  /** Rejects when the task throws, when its thread dies, and when a thread of the pool has died before. */
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

  /** Lets every thread finish the tasks it has, then ends it. */
  async close(): Promise<void> {
    this.closing = true;
    this.failure ??= new CleanclipError('The worker threads were closed.', 'ERR_ABORTED');
    for (const { worker } of this.members) {
      worker.ref();
      worker.postMessage(null);
    }
    await Promise.all(this.members.map(({ exited }) => exited));
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

/** In a worker thread: does the tasks of the {@link WorkerPool} that started it, one after another. */
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
