import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type InputType } from 'node:zlib';

import { Agent, type Dispatcher, request } from 'undici';

import { checkHost, Names, PrivateAddress } from './addresses';

/** How rows are asked for. */
export interface RequestOptions {
  timeout: number;
  redirects: number;
  maxBytes: number;
  perHost: number;
  userAgent: string;
  allowPrivate: boolean;
}

/** What came of one attempt: the bytes of the answer, or why there are none. */
export type Attempt = { status: number; bytes: Buffer } | Failure;

/** Why an attempt failed. */
export interface Failure {
  /** the status of the answer, if there was one */
  status?: number;
  /** why, as a short sentence without a full stop */
  error: string;
  /** bytes that have come */
  bytes?: undefined;
  /** whether another attempt may succeed, after `wait` milliseconds at least */
  again?: { wait?: number };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);
const ORIGINS = 500; // of one agent, which keeps something for each; then it is replaced

/** Asks servers for images. */
export class Requests {
  private agent: Agent;
  private readonly retired = new Set<Promise<void>>();
  private readonly origins = new Set<string>();
  private readonly active = new Set<AbortController>();
  private stopped = false;

  constructor(
    private readonly options: RequestOptions,
    private readonly names: Pick<Names, 'lookup'> = new Names(options.allowPrivate),
  ) {
    this.agent = this.newAgent();
  }

  /**
   * Asks once for a URL, and follows its redirects, each to a checked address. It rejects only after {@link stop}.
   */
  async get(url: string): Promise<Attempt> {
    const attempt = new AbortController();
    if (this.stopped) throw new Error('stopped');
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      attempt.abort();
    }, 1000 * this.options.timeout);
    this.active.add(attempt);
    try {
      return await this.follow(new URL(url), attempt.signal);
    } catch (error) {
      if (this.stopped) throw error;
      if (late) return { error: `it did not answer in full within ${this.options.timeout} s` };
      return failureOf(error as NodeJS.ErrnoException);
    } finally {
      clearTimeout(timer);
      this.active.delete(attempt);
    }
  }

  /** Ends all attempts, which reject. */
  stop(): void {
    this.stopped = true;
    for (const attempt of this.active) attempt.abort();
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([this.agent.destroy(), ...this.retired]);
  }

  private async follow(first: URL, signal: AbortSignal): Promise<Attempt> {
    const visited = new Set<string>();
    for (let url = first; ;) {
      visited.add(url.href);
      if (!this.options.allowPrivate) checkHost(url.hostname);
      const answer = await request(url, {
        dispatcher: this.agentFor(url.origin),
        signal,
        headers: { 'user-agent': this.options.userAgent, accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity' },
      });
      const { statusCode: status, headers, body } = answer;
      if (!REDIRECTS.has(status)) return status === 200 ? await this.content(answer) : await refused(answer);
      discard(body);
      const location = [headers.location].flat()[0];
      const nowhere = location === undefined || !URL.canParse(location, url.href);
      if (nowhere) return { status, error: 'it redirects to nowhere' };
      if (visited.size > this.options.redirects)
        return { status, error: `it redirects more than ${this.options.redirects} times` };
      url = new URL(location, url);
      if (visited.has(url.href)) return { status, error: 'its redirects go in a circle' };
      if (!/^https?:$/.test(url.protocol)) return { status, error: `it redirects to ${url.protocol.slice(0, 20)}` };
    }
  }

  /** Reads the body of an answer, and undoes its compression. */
  private async content({ statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<Attempt> {
    const { maxBytes } = this.options;
    const tooLarge = { status, error: `it has more than the ${maxBytes} bytes of --max_bytes` };
    if (Number(headers['content-length'] ?? 0) > maxBytes) {
      discard(body);
      return tooLarge;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return tooLarge; // leaving the loop ends the connection
      chunks.push(chunk);
    }
    const encoding = [headers['content-encoding']].flat()[0]?.trim().toLowerCase() || 'identity';
    const bytes = Buffer.concat(chunks);
    if (encoding === 'identity') return { status, bytes };
    const unpack = ENCODINGS[encoding];
    if (unpack === undefined) return { status, error: `it is encoded as ${encoding.slice(0, 40)}` };
    try {
      return { status, bytes: await unpack(bytes, { maxOutputLength: maxBytes }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge;
      return { status, error: `its ${encoding} cannot be unpacked: ${(error as Error).message}`, again: {} };
    }
  }

  private agentFor(origin: string): Agent {
    if (!this.origins.has(origin) && this.origins.size >= ORIGINS) {
      const closing = this.agent.close().finally(() => this.retired.delete(closing));
      this.retired.add(closing);
      this.agent = this.newAgent();
      this.origins.clear();
    }
    this.origins.add(origin);
    return this.agent;
  }

  private newAgent(): Agent {
    const { timeout, perHost } = this.options;
    return new Agent({
      connections: perHost,
      connect: { lookup: this.names.lookup, timeout: 1000 * timeout },
      autoSelectFamily: true,
      keepAliveTimeout: 4000,
      headersTimeout: 0, // the timeout of the whole attempt holds
      bodyTimeout: 0,
      maxHeaderSize: 65_536,
    });
  }
}

type Unpack = (bytes: InputType, options: { maxOutputLength: number }) => Promise<Buffer>;

const ENCODINGS: Record<string, Unpack | undefined> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Leaves the rest of a body unread. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {});
  body.destroy();
}

async function refused({ statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<Failure> {
  await body.dump({ limit: 16_384 }).catch(() => {}); // a short body leaves the connection usable
  const error = `the server answered ${status}`;
  if (!AGAIN.has(status)) return { status, error };
  return { status, error, again: { wait: retryAfter([headers['retry-after']].flat()[0]) } };
}

/** Reads the header Retry-After, seconds or a date, as milliseconds. */
export function retryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const wait = /^\s*\d+\s*$/.test(value) ? 1000 * Number(value) : Date.parse(value) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

const LASTING = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED']);

/** Describes an error of the network. Names that do not exist and wrong certificates are not tried again. */
function failureOf(error: NodeJS.ErrnoException): Failure {
  if (error instanceof PrivateAddress) return { error: error.message };
  const inner = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  const { code = '', message } = inner;
  if (inner instanceof PrivateAddress) return { error: inner.message };
  const lasting = LASTING.has(code) || /CERT|SELF_SIGNED|ERR_INVALID|UND_ERR_INVALID/.test(code);
  return {
    error: `${message || code}`.split('\n', 1)[0].slice(0, 200).replace(/\.$/, ''),
    ...(!lasting && { again: {} }),
  };
}
