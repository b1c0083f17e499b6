import type { ReportFlags } from './reportFiles.ts';

/** The flags of `diff`. */
export interface DiffOptions extends ReportFlags {
  readonly model?: string;
  readonly reference?: string;
  readonly backend: string;
  readonly device: string;
  readonly grad?: string;
  readonly allBackends?: boolean;
  readonly backends?: readonly string[];
  readonly threads?: number;
  readonly weights?: string;
  readonly out: string;
  readonly trace?: boolean;
  readonly flips?: boolean;
  readonly tolerances?: string;
}
