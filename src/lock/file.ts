import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { temporaryName } from '../files';
import { isSharedDisk } from './disk';
import { describeHolder, hasEnded, ownHolder, parseHolder } from './holder';

const TRIES = 50;

/**
 * Takes a lock by creating its file, which fails if the file exists. A lock whose process has ended is taken over; only
 * one process at a time can do so.
 * @returns a function that releases the lock
 */
export function lockByFile(file: string, refusal: (holder: string) => Error): () => void {
  const own = JSON.stringify(ownHolder());
  for (let tries = 0; tries < TRIES; tries++) {
    if (create(file, own)) return () => readShortly(file) === own && rmSync(file, { force: true });
    const text = readShortly(file);
    if (text === undefined) continue; // it has just been released
    const holder = parseHolder(text);
    const ended = holder && hasEnded(holder, isSharedDisk(file));
    if (ended !== true) throw refusal(describeHolder(holder, ended === undefined ? file : undefined));
    if (!takeOver(file, text, own)) sleep(10);
  }
  throw refusal(`another process that is taking it over (if there is none, delete '${takeoverOf(file)}')`);
}

const takeoverOf = (file: string): string => `${file}.takeover`;

/**
 * Removes the lock of a process that has ended, but not a lock that another process has put in its place. Returns false
 * when another process is doing this.
 */
function takeOver(file: string, text: string, own: string): boolean {
  const takeover = takeoverOf(file);
  if (!create(takeover, own)) return false;
  try {
    if (readShortly(file) === text) rmSync(file, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
  return true;
}

/**
 * Creates a file with this content and returns whether it did; false if the file exists. Where the file system has hard
 * links, the file appears with all of its content.
 */
function create(file: string, content: string): boolean {
  const temporary = join(dirname(file), temporaryName('lock'));
  writeFileSync(temporary, content, { flag: 'wx' });
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // over NFS the link may have been made, and the reply lost
    if (code === 'EEXIST') return statSync(temporary).nlink === 2;
    return createAtOnce(file, content);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createAtOnce(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Reads a lock's file and waits shortly until its holder has written it; undefined when there is no file. */
export function readShortly(file: string): string | undefined {
  let text: string | undefined;
  for (let tries = 0; tries < TRIES && !text?.endsWith('}'); tries++) {
    if (tries > 0) sleep(2);
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
  return text;
}

const sleep = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
