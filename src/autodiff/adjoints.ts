import { elementwise } from './elementwise.ts';
import { imageOps } from './imageOps.ts';
import { linear } from './linear.ts';
import type { AdjointTable } from './rule.ts';
import { shapeOps } from './shapeOps.ts';

/** Every op's adjoint. */
export const adjoints: AdjointTable = { ...shapeOps, ...elementwise, ...linear, ...imageOps };
