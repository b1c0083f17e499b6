import type { Window } from '../../ir/op.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { KernelTable } from './kernel.ts';
import { axes, inside, windowCount } from './sliding.ts';
import { floats } from './value.ts';

/** One window's part inside one channel plane: rows [top, bottom), columns [left, right). */
interface Patch {
  /** Offset of the plane's first element. */
  readonly plane: number;
  readonly rowLength: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The windows over an image batch of `shape`, in the order of the pooled result. */
function* patches(shape: Shape, window: Window): Generator<Patch> {
  const [height, width] = axes([shape[2], shape[3]], window);
  for (let channel = 0; channel < shape[0] * shape[1]; channel++) {
    const plane = channel * height.size * width.size;
    for (let p = 0; p < windowCount(height); p++) {
      const [top, bottom] = inside(height, p);
      for (let q = 0; q < windowCount(width); q++) {
        const [left, right] = inside(width, q);
        yield { plane, rowLength: width.size, top, bottom, left, right };
      }
    }
  }
}

function pooledShape([n, c, h, w]: Shape, window: Window): Shape {
  const [height, width] = axes([h, w], window);
  return [n, c, windowCount(height), windowCount(width)];
}

/**
 * Offset of a window's greatest element: the first of equals, and a NaN before any number (the last
 * NaN, as in PyTorch). Padding counts as −∞ and never wins; −1 where the window holds nothing else.
 */
function winner(x: Float64Array, { plane, rowLength, top, bottom, left, right }: Patch): number {
  if (top >= bottom || left >= right) return -1;
  let best = plane + top * rowLength + left;
  for (let r = top; r < bottom; r++) {
    for (let c = left; c < right; c++) {
      const at = plane + r * rowLength + c;
      if (x[at] > x[best] || Number.isNaN(x[at])) best = at;
    }
  }
  return best;
}

const windowSize = ({ kernel }: Window): number => kernel[0] * kernel[1];

export const pooling: KernelTable<'maxPool2d' | 'maxPool2dGrad' | 'avgPool2d' | 'avgPool2dGrad'> = {
  maxPool2d: (window, [x]) => {
    const out = Float64Array.from(patches(x.shape, window), (patch) => {
      const at = winner(x.data, patch);
      return at < 0 ? -Infinity : x.data[at];
    });
    return floats(pooledShape(x.shape, window), out);
  },

  // dx[winner of window k] += dy[k]
  maxPool2dGrad: (window, [x, dy]) => {
    const out = new Float64Array(x.data.length);
    let k = 0;
    for (const patch of patches(x.shape, window)) {
      const at = winner(x.data, patch);
      if (at >= 0) out[at] += dy.data[k];
      k++;
    }
    return floats(x.shape, out);
  },

  // y[k] = Σ x in window k / window size, padding counted as zeros
  avgPool2d: (window, [x]) => {
    const out = Float64Array.from(patches(x.shape, window), (patch) => {
      let sum = 0;
      for (let r = patch.top; r < patch.bottom; r++) {
        for (let c = patch.left; c < patch.right; c++) {
          sum += x.data[patch.plane + r * patch.rowLength + c];
        }
      }
      return sum / windowSize(window);
    });
    return floats(pooledShape(x.shape, window), out);
  },

  // dx[everywhere in window k] += dy[k] / window size
  avgPool2dGrad: ({ inputSize, ...window }, [dy]) => {
    const shape = [dy.shape[0], dy.shape[1], ...inputSize];
    const out = new Float64Array(shape[0] * shape[1] * inputSize[0] * inputSize[1]);
    let k = 0;
    for (const patch of patches(shape, window)) {
      const share = dy.data[k++] / windowSize(window);
      for (let r = patch.top; r < patch.bottom; r++) {
        for (let c = patch.left; c < patch.right; c++) {
          out[patch.plane + r * patch.rowLength + c] += share;
        }
      }
    }
    return floats(shape, out);
  },
};
