/** Something to do at a host. */
export interface HostTask {
  host: string;
}

interface Host<Task> {
  waiting: Task[];
  active: number;
  /** whether it is in the list of hosts that are ready */
  listed: boolean;
  /** time before which nothing may be asked of it, in milliseconds of `performance.now()` */
  pausedUntil: number;
}

/** Queues of tasks by host, from which hosts are served in turn, each with a limited number of tasks at a time. */
export class HostQueues<Task extends HostTask> {
  private readonly hosts = new Map<string, Host<Task>>();
  private readonly ready: string[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();

  /**
   * @param perHost the most tasks of a host at a time
   * @param onReady called when a task becomes ready after a pause
   */
  constructor(
    private readonly perHost: number,
    private readonly onReady: () => void,
  ) {}

  /** Adds a task, at the end or in front. */
  push(task: Task, inFront = false): void {
    const host = this.hosts.get(task.host) ?? { waiting: [], active: 0, listed: false, pausedUntil: 0 };
    this.hosts.set(task.host, host);
    if (inFront) host.waiting.unshift(task);
    else host.waiting.push(task);
    this.list(task.host, host);
  }

  /** Adds a task after a pause, in milliseconds. */
  pushLater(task: Task, pause: number): void {
    this.after(pause, () => this.push(task, true));
  }

  /** Takes the next task that may be done now; {@link release} follows when it is done. */
  take(): Task | undefined {
    for (let name = this.ready.shift(); name !== undefined; name = this.ready.shift()) {
      const host = this.hosts.get(name)!;
      host.listed = false;
      if (!this.mayStart(host)) continue;
      const task = host.waiting.shift()!;
      host.active++;
      this.list(name, host);
      return task;
    }
    return undefined;
  }

  /** Ends a task that was taken. */
  release({ host: name }: Task): void {
    const host = this.hosts.get(name)!;
    host.active--;
    if (host.active === 0 && host.waiting.length === 0 && host.pausedUntil <= performance.now())
      this.hosts.delete(name);
    else this.list(name, host);
  }

  /** Asks nothing more of a host for some milliseconds. */
  pause(name: string, pause: number): void {
    const host = this.hosts.get(name)!;
    host.pausedUntil = Math.max(host.pausedUntil, performance.now() + pause);
    this.after(pause + 1, () => {
      const now = this.hosts.get(name);
      if (now !== undefined) this.list(name, now);
    });
  }

  /** Forgets all pauses. */
  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private mayStart(host: Host<Task>): boolean {
    return host.waiting.length > 0 && host.active < this.perHost && host.pausedUntil <= performance.now();
  }

  private list(name: string, host: Host<Task>): void {
    if (host.listed || !this.mayStart(host)) return;
    host.listed = true;
    this.ready.push(name);
  }

  private after(pause: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
      this.onReady();
    }, pause);
    this.timers.add(timer);
  }
}
