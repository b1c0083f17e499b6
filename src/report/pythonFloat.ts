/**
 * A float64 as Python's repr writes it: the shortest digits that read back the same, an exponent of two
 * digits at least below 1e-4 and from 1e16 on. Our logs then compare with reprod_log's to the letter.
 */
export function pythonFloat(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const [digits, exponent] = x.toExponential().split('e') as [string, string];
  const e = Number(exponent);
  if (e < -4 || e >= 16) {
    return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
  }
  const sign = x < 0 ? '-' : '';
  const plain = digits.replace('-', '').replace('.', '');
  if (e < 0) return `${sign}0.${'0'.repeat(-e - 1)}${plain}`;
  const whole = plain.slice(0, e + 1).padEnd(e + 1, '0');
  return `${sign}${whole}.${plain.slice(e + 1) || '0'}`;
}
