/** `1 stage`, `10 stages`. */
export const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** `features.0.weight`, `features.0.weight and 31 more`. */
export const firstFew = (names: readonly string[], few = 1): string => {
  const more = names.length - few;
  return names.slice(0, few).join(', ') + (more > 0 ? ` and ${more} more` : '');
};

/** `1 stage`, `all 10 stages`. */
export const allOf = (n: number, what: string): string =>
  n === 1 ? counted(n, what) : `all ${counted(n, what)}`;
