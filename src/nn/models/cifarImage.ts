import type { Shape } from '../../tensor/shape.ts';

/** What the networks of the paper see: three planes of 32 × 32. */
export const cifarImage: Shape = [3, 32, 32];
