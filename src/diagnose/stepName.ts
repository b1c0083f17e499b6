/**
 * `step1/fc.weight` → the step it is of, and its name within. Stages call steps iterations, and what they leave final;
 * theirs of one part, as `layers/`, are told by the part.
 */
export function withinStep(name: string): { readonly when: string; readonly bare: string } {
  const [, when = '', bare] =
    /^((?:step\d+|iter\d+|after iter\d+|initial|final|layers|sgd|(?:resumed: )?(?:epoch|average of) \d+|\d+ ranks(?:, (?:rank \d+|step \d+|average))?)\/)?(.*)$/.exec(
      name,
    )!;
  return { when: when.replace(/\/$/, ''), bare };
}
