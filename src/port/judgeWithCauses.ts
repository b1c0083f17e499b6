import type { ProbeReference } from '../align/reference/probeReference.ts';
import { diagnosedPort } from '../diagnose/port.ts';
import {
  judge as judgePort,
  type PortJudgeOptions,
  type Recording,
  type Verdicts,
} from './judgePort.ts';

/** As `judge` in a page, and every failure is told with what the mistake is. */
export const judge = (
  recording: Recording,
  reference: ProbeReference,
  options: PortJudgeOptions = {},
): Verdicts => judgePort(recording, reference, { diagnose: diagnosedPort, ...options });
