import { checkInteger } from '../../integers';
import { addon } from '../addon';
import { checkTimeout, DEFAULT_TIMEOUT, naming } from './failure';
import type { NativeStore } from './native';

/**
 * Holds keys and values that all ranks see and find one another by (torch.distributed.Store). Its methods reject with
 * CleanclipError `ERR_DISTRIBUTED` when the time limit is over or the connection breaks, and `ERR_TORCH` once it is
 * closed.
 */
export abstract class Store {
  /** @internal */
  readonly native: NativeStore;
  /** milliseconds that `get` and `wait` take at most */
  readonly timeout: number;
  private readonly name: string;

  /** @internal */
  protected constructor(native: NativeStore, timeout: number, name: string) {
    this.native = native;
    this.timeout = timeout;
    this.name = name;
  }

  /** Sets the value of a key. A string is kept as UTF-8. */
  async set(key: string, value: string | Uint8Array): Promise<void> {
    await this.call(`set('${key}')`, () => addon().storeSet(this.native, key, Buffer.from(value)));
  }

  /** Waits until a key is set, and returns its value. */
  async get(key: string): Promise<Buffer> {
    return this.call(`get('${key}')`, () => addon().storeGet(this.native, key));
  }

  /** Adds to a counter, which begins at 0, and returns its new value, atomically. */
  async add(key: string, amount: number): Promise<number> {
    return this.call(`add('${key}')`, () => addon().storeAdd(this.native, key, amount));
  }

  /**
   * Waits until all keys are set.
   * @param timeout milliseconds; default the store's
   */
  async wait(keys: string[], timeout = this.timeout): Promise<void> {
    const list = keys.map((key) => `'${key}'`).join(', ');
    await naming({ who: this.name, operation: `wait(${list})`, timeout: checkTimeout(timeout) }, () =>
      addon().storeWait(this.native, keys, timeout),
    );
  }

  /** Returns whether all keys are set, without waiting. */
  async check(keys: string[]): Promise<boolean> {
    return this.call('check', () => addon().storeCheck(this.native, keys));
  }

  /** Deletes a key; returns false when there was none. */
  async deleteKey(key: string): Promise<boolean> {
    return this.call(`deleteKey('${key}')`, () => addon().storeDelete(this.native, key));
  }

  /** Closes the store. The process that hosts it serves the others as long as a group uses it. */
  close(): void {
    addon().storeClose(this.native);
  }

  private call<T>(operation: string, start: () => Promise<T>): Promise<T> {
    return naming({ who: this.name, operation, timeout: this.timeout }, start);
  }
}

/** Options of `TCPStore.create`. */
export interface TCPStoreOptions {
  /** the master's name or address */
  host: string;
  /** 0 to 65535; the master may take 0 for a free one, see {@link TCPStore.port} */
  port: number;
  /** with it, creation waits until this many processes have connected, the master included */
  worldSize?: number;
  /** whether this process hosts the store; default false */
  isMaster?: boolean;
  /** milliseconds; default 30 minutes */
  timeout?: number;
  /**
   * for the master: whether all processes run on this machine. If so, and the host is a loopback address, it listens
   * there alone; default false: it listens on all interfaces
   */
  loopback?: boolean;
}

/** A store that one process hosts (torch.distributed.TCPStore). */
export class TCPStore extends Store {
  /**
   * Hosts the store or connects to it.
   * @throws CleanclipError `ERR_OPTION` for a wrong port or time limit, `ERR_DISTRIBUTED` when the store or a process
   * is not there in time
   */
  static async create({
    host,
    port,
    worldSize = 0,
    isMaster = false,
    timeout = DEFAULT_TIMEOUT,
    loopback = false,
  }: TCPStoreOptions): Promise<TCPStore> {
    // A master may choose: port 0.
    checkInteger('The port of a TCPStore', port, { least: isMaster ? 0 : 1, most: 65535 });
    checkTimeout(timeout);
    const name = `The store at ${host}:${port}`;
    const operation = isMaster ? 'hosting' : 'connecting';
    const native = await naming({ who: name, operation, timeout }, () =>
      addon().tcpStore(host, port, worldSize, isMaster, timeout, loopback),
    );
    return new TCPStore(native, timeout, name);
  }

  /** The port that it listens on or is connected to. */
  get port(): number {
    return addon().storePort(this.native);
  }
}

/** A store in a file that all processes can open (torch.distributed.FileStore). */
export class FileStore extends Store {
  /**
   * Opens the file, or makes it.
   * @param worldSize the last of this many processes to end deletes the file
   * @param timeout milliseconds that `get` and `wait` take at most; default 30 minutes
   * @throws CleanclipError `ERR_OPTION` for a wrong time limit, `ERR_DISTRIBUTED` when the file cannot be opened, which
   * is tried for 5 minutes
   */
  static async create(path: string, worldSize: number, timeout = DEFAULT_TIMEOUT): Promise<FileStore> {
    checkTimeout(timeout);
    const name = `The store in ${path}`;
    const native = await naming({ who: name, operation: 'opening', timeout }, () =>
      addon().fileStore(path, worldSize, timeout),
    );
    return new FileStore(native, timeout, name);
  }
}
