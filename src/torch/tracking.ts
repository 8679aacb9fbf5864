import { addon } from './addon';
import type { Handle } from './handle';

/** What is known of a tensor whose memory JavaScript's garbage collector frees. */
interface Tracked {
  readonly handle: Handle;
  /** bytes reported to V8; undefined while a scope owns the tensor */
  trackedBytes: number | undefined;
}

// Tensors outside every tidy scope are freed when JavaScript collects them.
const collected = new FinalizationRegistry<{ handle: Handle; bytes: number }>(({ handle, bytes }) => {
  addon().release(handle);
  addon().adjustMemory(-bytes);
});

/** @internal How many tidy scopes are open. */
export const scope = { depth: 0 };

/** @internal Hands a tensor that no scope owns to the garbage collector. */
export function track(tensor: Tracked): void {
  if (tensor.trackedBytes !== undefined) return;
  const bytes = addon().storageBytes(tensor.handle);
  tensor.trackedBytes = bytes;
  collected.register(tensor, { handle: tensor.handle, bytes }, tensor);
  if (bytes > 0) addon().adjustMemory(bytes);
}

/** @internal Takes a tensor back from the garbage collector. */
export function untrack(tensor: Tracked): void {
  if (tensor.trackedBytes === undefined) return;
  collected.unregister(tensor);
  if (tensor.trackedBytes > 0) addon().adjustMemory(-tensor.trackedBytes);
  tensor.trackedBytes = undefined;
}

/** @internal Counts the memory of a tensor again, which has become the only one in its storage. */
export function retrack(tensor: Tracked): void {
  if (tensor.trackedBytes === undefined) return;
  untrack(tensor);
  track(tensor);
}
