/** How products are made: in float32, or in NVIDIA's TensorFloat-32, which keeps 10 bits of 23. */
export const precisions = ['fp32', 'tf32'] as const;
export type Precision = (typeof precisions)[number];
