import { stridesOf } from '../../tensor/shape.ts';
import { bytesOf, type Tensor, type TensorMap } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { checkNames } from '../names.ts';
import { type PickleCall, type PickleNode, pickleChunks } from '../pickle/pickleWriter.ts';
import { zipChunks } from '../zip/zipWriter.ts';
import { storageClass } from './torchPickle.ts';

/** The folder every entry lives in; PyTorch takes any. */
const ROOT = 'archive';
/** PyTorch maps storages into memory at this alignment. */
const ALIGN = 64;

const emptyOrderedDict: PickleCall = { call: { global: ['collections', 'OrderedDict'] }, args: [] };

function storageNode(t: Tensor, key: string): PickleNode {
  const typed = storageClass[t.dtype];
  const global: PickleNode = {
    global: typed === undefined ? ['torch.storage', 'UntypedStorage'] : ['torch', typed],
  };
  const size = typed === undefined ? t.data.byteLength : t.data.length;
  return { persistent: { tuple: ['storage', global, key, 'cpu', size] } };
}

/** One storage a tensor, C order, no gradient asked for and no hooks. */
function tensorNode(t: Tensor, key: string): PickleNode {
  const typed = storageClass[t.dtype] !== undefined;
  const described: PickleNode[] = [
    storageNode(t, key),
    0,
    { tuple: t.shape },
    { tuple: stridesOf(t.shape) },
    false,
    emptyOrderedDict,
  ];
  return {
    call: { global: ['torch._utils', typed ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3'] },
    args: typed ? described : [...described, { global: ['torch', t.dtype] }],
  };
}

/** The chunks of a checkpoint, the tensors' own memory among them. */
export function torchCheckpointChunks(tensors: TensorMap): Iterable<Uint8Array> {
  checkNames(tensors.keys(), '.pt');
  const named = [...tensors];
  const stateDict: PickleNode = {
    ...emptyOrderedDict,
    items: named.map(([name, t], i) => [name, tensorNode(t, String(i))]),
  };
  const ascii = (text: string) => [new TextEncoder().encode(text)];
  return zipChunks(
    [
      { name: `${ROOT}/data.pkl`, chunks: pickleChunks(stateDict, 2) },
      { name: `${ROOT}/byteorder`, chunks: ascii('little') },
      ...named.map(([, t], i) => ({ name: `${ROOT}/data/${i}`, chunks: [bytesOf(t)] })),
      { name: `${ROOT}/version`, chunks: ascii('3\n') },
    ],
    { align: ALIGN },
    '.pt file',
  );
}

/**
 * A PyTorch checkpoint holding the tensors as a state_dict in map order, for
 * `torch.load(path, weights_only=True)`. Equal maps give equal bytes. uint16, uint32 and uint64 need
 * PyTorch 2.3 or later.
 */
export const writeTorchCheckpoint = (tensors: TensorMap): Uint8Array<ArrayBuffer> =>
  concatBytes(torchCheckpointChunks(tensors));
