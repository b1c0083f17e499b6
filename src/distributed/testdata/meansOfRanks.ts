/** A rank that takes part in the mean of arrays of several sizes, and prints what it got: one line of JSON. */
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { manualSeed } from '../../torch/generator.ts';
import { rand } from '../../torch/uniform.ts';
import { openMpi } from '../mpi/openMpi.ts';
import { meanOverRanks } from '../reduce.ts';

/** From one number to some that are added up in several pieces. */
const sizes = [1, 7, 1000, 50_001, (1 << 20) + 3, 3_000_017];

const ofRank = (rank: number, size: number): Float32Array =>
  rand(manualSeed(1000 * rank + (size % 997)), size);

const comm = await openMpi();
const means: { readonly sha256: string; readonly worst: number }[] = [];
for (const size of sizes) {
  const mean = await meanOverRanks(comm, ofRank(comm.rank, size), 'fast');
  const all = Array.from({ length: comm.size }, (_, rank) => ofRank(rank, size));
  let worst = 0;
  for (let i = 0; i < size; i++) {
    const truth = all.reduce((sum, own) => sum + own[i], 0) / comm.size;
    worst = Math.max(worst, Math.abs(mean[i] - truth));
  }
  means.push({ sha256: sha256Hex(new Uint8Array(mean.buffer)), worst });
}
console.log(JSON.stringify({ rank: comm.rank, size: comm.size, means }));
await comm.close();
