/**
 * Returns the order of points x0, y0, x1, y1, … along a Z-shaped curve. Points that follow one another are close, so
 * that walks through a tree from them read the same memory.
 */
export function zOrder(points: Float64Array): Int32Array {
  const count = points.length / 2;
  const keys = new Float64Array(count);
  for (const axis of [0, 1]) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < points.length; i += 2) {
      low = Math.min(low, points[i]);
      high = Math.max(high, points[i]);
    }
    const scale = 1023 / (high - low || 1);
    for (let i = 0; i < count; i++) keys[i] += spread(Math.floor((points[2 * i + axis] - low) * scale)) * (axis + 1);
  }
  return Int32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);
}

/** Puts a 0 before each of the lower 10 bits: abc becomes 0a0b0c. */
function spread(bits: number): number {
  let value = bits & 0x3ff;
  value = (value | (value << 8)) & 0xff00ff;
  value = (value | (value << 4)) & 0xf0f0f0f;
  value = (value | (value << 2)) & 0x33333333;
  return (value | (value << 1)) & 0x55555555;
}
