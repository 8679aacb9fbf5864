const FIELDS = 5; // of a cell
const DEEPEST = 40; // levels; points that still share a cell are taken as one place

/**
 * A quadtree of points in the plane, for sums over all other points that take a far cell as one point at its centre of
 * mass (Barnes and Hut 1986). It is built anew for each step of t-SNE, in arrays that are kept.
 */
export class Quadtree {
  private capacity: number;
  private nodes = 0;
  private child: Int32Array; // four of each node; 0: none
  private count: Float64Array;
  private massX: Float64Array; // the sum while building, then the mean
  private massY: Float64Array;
  private width: Float64Array; // squared
  /** centre, squared width, number of points and end of each cell, outer cells before inner ones */
  private flat = new Float64Array(0);
  private readonly stack = new Int32Array(10 * (DEEPEST + 2));

  constructor(points: number) {
    this.capacity = Math.max(64, 4 * points);
    this.child = new Int32Array(4 * this.capacity);
    [this.count, this.massX, this.massY, this.width] = [0, 0, 0, 0].map(() => new Float64Array(this.capacity));
  }

  /** Builds the tree of points x0, y0, x1, y1, … */
  build(points: Float64Array): void {
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      left = Math.min(left, points[i]);
      right = Math.max(right, points[i]);
      bottom = Math.min(bottom, points[i + 1]);
      top = Math.max(top, points[i + 1]);
    }
    const half = Math.max(right - left, top - bottom, 1e-12) / 2;
    const [x, y] = [(left + right) / 2, (bottom + top) / 2];
    this.nodes = 0;
    this.add(half);
    for (let i = 0; i < points.length; i += 2) this.insert(points[i], points[i + 1], x, y, half);
    this.flatten();
  }

  /**
   * Sums the repulsion of all points on one point. With q = 1 / (1 + d²) of each other point at distance d, it stores
   * Σ q²·dx, Σ q²·dy and Σ q in `sums`.
   * @param theta largest width of a cell, as a share of its distance, that counts as one point
   */
  repulse(x: number, y: number, theta: number, sums: Float64Array): void {
    const { flat } = this;
    const end = this.nodes * FIELDS;
    const limit = theta * theta;
    let [sumX, sumY, sumQ] = [0, 0, 0];
    for (let node = 0; node < end;) {
      const dx = x - flat[node];
      const dy = y - flat[node + 1];
      const square = dx * dx + dy * dy;
      if (flat[node + 2] < limit * square) {
        const q = 1 / (1 + square);
        const all = flat[node + 3] * q;
        sumQ += all;
        sumX += all * q * dx;
        sumY += all * q * dy;
        node = flat[node + 4];
      } else node += FIELDS; // its first child
    }
    sums[0] = sumX;
    sums[1] = sumY;
    sums[2] = sumQ - 1; // less the point itself, whose q is 1
  }

  /** Lays the nodes out so that the cells within a cell follow it. A cell that is passed over as a whole is a jump. */
  private flatten(): void {
    const { child, count, massX, massY, width, stack } = this;
    if (this.flat.length < FIELDS * this.capacity) this.flat = new Float64Array(FIELDS * this.capacity);
    const { flat } = this;
    let [size, at] = [0, 0];
    stack[size++] = 0;
    stack[size++] = 0;
    while (size > 0) {
      const before = stack[--size];
      const node = stack[--size];
      if (node < 0) {
        flat[before + 4] = at; // the end of a cell that has others within
        continue;
      }
      const first = 4 * node;
      const own = at;
      at += FIELDS;
      flat[own] = massX[node] / count[node];
      flat[own + 1] = massY[node] / count[node];
      flat[own + 3] = count[node];
      const isLeaf = (child[first] | child[first + 1] | child[first + 2] | child[first + 3]) === 0;
      flat[own + 2] = isLeaf ? -1 : width[node]; // a leaf always counts as one point
      if (isLeaf) {
        flat[own + 4] = at;
        continue;
      }
      stack[size++] = -1;
      stack[size++] = own;
      for (let i = 3; i >= 0; i--) {
        if (child[first + i] === 0) continue;
        stack[size++] = child[first + i];
        stack[size++] = 0;
      }
    }
  }

  private add(half: number): number {
    if (this.nodes === this.capacity) this.grow();
    const node = this.nodes++;
    this.child.fill(0, 4 * node, 4 * node + 4);
    this.count[node] = this.massX[node] = this.massY[node] = 0;
    this.width[node] = 4 * half * half;
    return node;
  }

  /** Inserts a point. A leaf with a point in another place is split, and its points move down. */
  private insert(px: number, py: number, x: number, y: number, half: number): void {
    let node = 0;
    for (let level = 0; ; level++) {
      const count = this.count[node];
      const first = 4 * node;
      const isLeaf = (this.child[first] | this.child[first + 1] | this.child[first + 2] | this.child[first + 3]) === 0;
      if (isLeaf && count > 0 && level < DEEPEST) {
        const [oldX, oldY] = [this.massX[node] / count, this.massY[node] / count];
        if (oldX !== px || oldY !== py) {
          const down = this.add(half / 2);
          this.child[first + (oldX > x ? 1 : 0) + (oldY > y ? 2 : 0)] = down;
          this.count[down] = count;
          this.massX[down] = this.massX[node];
          this.massY[down] = this.massY[node];
        }
      }
      const split = (this.child[first] | this.child[first + 1] | this.child[first + 2] | this.child[first + 3]) !== 0;
      this.count[node]++;
      this.massX[node] += px;
      this.massY[node] += py;
      if (!split) return;
      const place = first + (px > x ? 1 : 0) + (py > y ? 2 : 0);
      half /= 2;
      x += px > x ? half : -half;
      y += py > y ? half : -half;
      node = this.child[place];
      if (node === 0) {
        node = this.add(half); // it may replace `child`
        this.child[place] = node;
      }
    }
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = (old: Float64Array): Float64Array => {
      const next = new Float64Array(this.capacity);
      next.set(old);
      return next;
    };
    const child = new Int32Array(4 * this.capacity);
    child.set(this.child);
    this.child = child;
    [this.count, this.massX, this.massY, this.width] = [this.count, this.massX, this.massY, this.width].map(larger);
  }
}
