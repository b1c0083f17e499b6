import type { BackendFlags, PrecisionFlag } from '../arguments/backendFlags.ts';
import type { ReportFlags } from './reportFiles.ts';

/** The flags of `diff`. */
export interface DiffOptions extends ReportFlags, BackendFlags, PrecisionFlag {
  readonly model?: string;
  readonly reference?: string;
  readonly allBackends?: boolean;
  readonly backends?: readonly string[];
  readonly weights?: string;
  readonly out: string;
  readonly trace?: boolean;
  readonly flips?: boolean;
  readonly tolerances?: string;
}
