import { addon } from './addon';
import type { Handle } from './handle';

/** A tensor whose memory JavaScript's garbage collector may free. */
interface Tracked {
  readonly handle: Handle;
  /** bytes that V8 was told of; undefined while a scope owns the tensor */
  trackedBytes: number | undefined;
}

// Frees a tensor outside every `tidy` when JavaScript collects it.
const collected = new FinalizationRegistry<{ handle: Handle; bytes: number }>(({ handle, bytes }) => {
  addon().release(handle);
  addon().adjustMemory(-bytes);
});

/** @internal How many calls of `tidy` this thread is in. */
export const scope = { depth: 0 };

/** @internal Lets the garbage collector free a tensor that no scope owns. */
export function track(tensor: Tracked): void {
  if (tensor.trackedBytes !== undefined) return;
  const bytes = addon().storageBytes(tensor.handle);
  tensor.trackedBytes = bytes;
  collected.register(tensor, { handle: tensor.handle, bytes }, tensor);
  if (bytes > 0) addon().adjustMemory(bytes);
}

/** @internal Ends what {@link track} began. */
export function untrack(tensor: Tracked): void {
  if (tensor.trackedBytes === undefined) return;
  collected.unregister(tensor);
  if (tensor.trackedBytes > 0) addon().adjustMemory(-tensor.trackedBytes);
  tensor.trackedBytes = undefined;
}

/** @internal Tells V8 again of the bytes of a tensor that has become the only one of its storage. */
export function retrack(tensor: Tracked): void {
  if (tensor.trackedBytes === undefined) return;
  untrack(tensor);
  track(tensor);
}
