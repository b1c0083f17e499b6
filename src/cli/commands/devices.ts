import { type DeviceReport, probeDevices } from '../../backends/devices.ts';
import type { RegisterCommand } from '../context.ts';

const lineOf = ({ backend, device, runs, what }: DeviceReport): string =>
  [backend.padEnd(8), device.padEnd(12), runs ? 'runs' : '-   ', what].join('  ');

/** What `--backend` and `--device` can name on this machine, each tried out. */
export const devices: RegisterCommand = (command, context) => {
  command.action(async () => {
    const preferred = new Map<string, string>();
    for await (const report of probeDevices()) {
      context.print(lineOf(report));
      const { backend, device } = report;
      if (!preferred.has(backend)) preferred.set(backend, 'cpu');
      if (report.preferred && preferred.get(backend) === 'cpu') preferred.set(backend, device);
    }
    for (const [backend, device] of preferred) {
      context.print(`--backend ${backend} --device auto takes ${device}`);
    }
  });
};
