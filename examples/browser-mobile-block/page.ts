/// <reference lib="dom" />
import * as tf from '@tensorflow/tfjs';
import {
  diagnose,
  fetchReference,
  htmlReport,
  judge,
  type PortReference,
  referenceFromFiles,
} from 'swa-align/browser';
import { type Mistake, run } from './port.ts';

const element = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!;
const verdict = element<HTMLElement>('#verdict');
const report = element<HTMLIFrameElement>('iframe');

function say(state: 'busy' | 'passed' | 'failed', head: string, message: string): void {
  verdict.className = state;
  verdict.textContent = head;
  element('#message').textContent = message;
}

/** Shows a whole page inside this one. It has an address of its own, so that its links stay in it. */
async function show(html: string): Promise<void> {
  URL.revokeObjectURL(report.src);
  report.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  report.hidden = false;
  await new Promise((loaded) => report.addEventListener('load', loaded, { once: true }));
  fitHeight();
}

/** As high as what it shows: one page scrolls, not two. */
function fitHeight(): void {
  report.style.height = 'auto';
  report.style.height = `${report.contentDocument?.documentElement.scrollHeight ?? 0}px`;
}
addEventListener('resize', fitHeight);

/** Computes the port on a reference and shows what the judge says of it. */
async function judgeOn(reference: Promise<PortReference>): Promise<void> {
  say('busy', 'Computing …', '');
  report.hidden = true;
  try {
    const ref = await reference;
    const wanted = new URLSearchParams(location.search);
    const backend = wanted.get('backend') ?? 'webgl';
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
    const rec = await run(ref, (wanted.get('mistake') ?? 'none') as Mistake);
    const verdicts = judge(rec, ref, { diagnose });
    const { passed, message } = verdicts;
    await show(
      htmlReport(verdicts, ref, {
        ours: `mobile block on ${backend}`,
        versions: { 'TensorFlow.js': tf.version.tfjs, browser: navigator.userAgent },
      }),
    );
    say(passed ? 'passed' : 'failed', passed ? '✓ Aligned' : '✗ Not aligned', message);
  } catch (error) {
    say('failed', '✗ Nothing was judged', (error as Error).message);
  }
}

for (const [name, value] of new URLSearchParams(location.search)) {
  const choice = document.querySelector<HTMLSelectElement>(`select[name="${CSS.escape(name)}"]`);
  if (choice !== null) choice.value = value;
}
const chosen = element<HTMLInputElement>('input[type=file]');
chosen.addEventListener('change', () => judgeOn(referenceFromFiles(chosen.files!)));
await judgeOn(fetchReference(new URL('ref', location.href)));
