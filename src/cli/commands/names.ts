import { existsSync } from 'node:fs';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { destinationOf } from '../../io/output/destination.ts';
import { readRecording } from '../../io/recording.ts';
import { rowsOf } from '../../port/names/folded.ts';
import { namesTable } from '../../port/names/namesTable.ts';
import { proposeNames } from '../../port/names/propose.ts';
import { openReference } from '../../port/openReference.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';

interface Flags {
  readonly reference: string;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly partial?: boolean;
  readonly json?: string;
}

/** Throws UsageError for a map that somebody may have edited. */
function checkFree(path: string, overwrite: boolean): void {
  if (overwrite || destinationOf(path).kind !== 'file' || !existsSync(path)) return;
  throw new UsageError('exists already', {
    where: path,
    fix: 'give another --out, or --overwrite',
  });
}

/** Proposes which tensor of a recording is which probe, as a map to edit. */
export const names: RegisterCommand = (command, context) => {
  command
    .argument('<ours>', 'what a port computed: .safetensors, .npz, a reprod_log file')
    .requiredOption('--reference <dir>', 'what recorder.py wrote')
    .addOption(outputFile('--out <file>', 'the map, for judge --map').default('map.json'))
    .option('--overwrite', 'replace an existing file')
    .option('--partial', 'list probes without a tensor of yours, but do not fail')
    .addOption(outputFile('--json <file>', 'write every proposal, with its error'))
    .action((path: string, { reference: folder, out, overwrite = false, partial, json }: Flags) => {
      checkFree(out, overwrite);
      const reference = openReference(folder);
      const { tensors, unread, notes } = readRecording(path);
      for (const note of notes) context.print(`${path}: ${note}`);
      for (const [name, { what }] of unread) context.print(`${path}: ${name} is left out: ${what}`);
      const found = proposeNames(tensors, reference);
      const rows = rowsOf([...tensors.keys()], found.proposals);
      const write = (file: string, value: unknown): void =>
        writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
      if (json !== undefined) write(json, found);
      for (const line of namesTable(found, rows)) context.print(line);
      if (rows.length > 0) {
        write(out, { format: 'swa-align-names/1', names: rows.map(({ entry }) => entry) });
        context.print(`map in ${named(out)}: read it, edit it, and give it to judge by --map`);
      } else if (found.proposals.length > 0) {
        context.print('every name is right already: no map is needed');
      }
      const lacks = found.unnamed.length > 0 && partial !== true;
      if (lacks || found.proposals.length === 0) context.fail();
    });
};
