/** Returns the id of the merge of two tokens, or undefined if there is none. A lower id has precedence. */
export type MergeOf = (left: number, right: number) => number | undefined;

/**
 * Merges the tokens of a long piece pair by pair in O(n log n). The pair with the lowest id comes first, and the
 * leftmost of equal pairs. BPE merges in rounds in the same order, because a merged token takes part only in merges of
 * higher ids.
 */
export function mergeLong(ids: number[], mergeOf: MergeOf): number[] {
  const next = Int32Array.from(ids, (_, i) => i + 1); // the place of the next token, for each place
  const previous = Int32Array.from(ids, (_, i) => i - 1);
  const tokens = Int32Array.from(ids); // -1 where a token was merged into the one before
  const heap = new Heap();
  const offer = (place: number): void => {
    const id = place >= 0 && next[place] < tokens.length ? mergeOf(tokens[place], tokens[next[place]]) : undefined;
    if (id !== undefined) heap.push(id * PLACES + place);
  };
  for (let place = 0; place < tokens.length; place++) offer(place);
  for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
    const place = key % PLACES;
    const id = (key - place) / PLACES;
    const right = next[place];
    // the pair has changed since it was pushed
    if (tokens[place] < 0 || right >= tokens.length || mergeOf(tokens[place], tokens[right]) !== id) continue;
    tokens[place] = id;
    tokens[right] = -1;
    next[place] = next[right];
    if (next[place] < tokens.length) previous[next[place]] = place;
    offer(previous[place]);
    offer(place);
  }
  return Array.from(tokens.filter((id) => id >= 0));
}

const PLACES = 2 ** 32;

/** A binary heap of numbers; `pop` returns the least. */
class Heap {
  private readonly keys: number[] = [];

  push(key: number): void {
    const { keys } = this;
    let at = keys.push(key) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && keys[parent] > key; parent = (at - 1) >> 1) {
      keys[at] = keys[parent];
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number | undefined {
    const { keys } = this;
    const least = keys[0];
    const last = keys.pop();
    if (last === undefined || keys.length === 0) return least;
    let at = 0;
    for (let child = 1; child < keys.length; child = 2 * at + 1) {
      if (child + 1 < keys.length && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= last) break;
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = last;
    return least;
  }
}
