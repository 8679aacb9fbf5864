import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { temporaryName } from '../files';
import { isSharedDisk } from './disk';
import { describeHolder, hasEnded, ownHolder, parseHolder } from './holder';

const TRIES = 50;

/**
 * Takes a lock that is nothing but a file, of which there can be one. One whose process has ended is taken over, by one
 * process at a time.
 * @returns what frees it
 */
export function lockByFile(file: string, refusal: (holder: string) => Error): () => void {
  const own = JSON.stringify(ownHolder());
  for (let tries = 0; tries < TRIES; tries++) {
    if (create(file, own)) return () => readShortly(file) === own && rmSync(file, { force: true });
    const text = readShortly(file);
    if (text === undefined) continue; // it has just been freed
    const holder = parseHolder(text);
    const ended = holder && hasEnded(holder, isSharedDisk(file));
    if (ended !== true) throw refusal(describeHolder(holder, ended === undefined ? file : undefined));
    if (!takeOver(file, text, own)) sleep(10);
  }
  throw refusal(`another process that takes it over right now (if there is none, delete '${takeoverOf(file)}')`);
}

const takeoverOf = (file: string): string => `${file}.takeover`;

/**
 * Removes a lock of a process that has ended, but never the one that somebody else has put in its place; false when
 * another does it.
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
 * Makes a file with this content, if there is none: whole, by giving a written file a second name, where the disk can.
 */
function create(file: string, content: string): boolean {
  const temporary = join(dirname(file), temporaryName('lock'));
  writeFileSync(temporary, content, { flag: 'wx' });
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // over NFS it may have been made, and the answer lost
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

/** The content of a lock's file, once its holder has written it; undefined when there is no file. */
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
