import { expect, test } from "vitest";
import { parseDisks } from "./power.ts";
import { parseList } from "./toolstack.ts";

// As xl 4.17 prints it.
const LIST = `Name                                        ID   Mem VCPUs	State	Time(s) UUID                            Reason-Code	Security Label NODE Affinity
Domain-0                                     0   512     1     r-----      31.5 00000000-0000-0000-0000-000000000000        -                - all
cloison.study.www                            3    96     1     -b----       2.6 6a6c2a1e-5a0d-8c3f-8111-0123456789ab        -                - all
cloison.study.two                           14    96     2     --p---       0.0 7a6c2a1e-5a0d-8c3f-8111-0123456789ab        -                - all
(null)                                      15     0     1     --psr-      10.0 8a6c2a1e-5a0d-8c3f-8111-0123456789ab        0                - all
`;

test("domains are found by their UUIDs, whatever they are called", () => {
  const domains = parseList(LIST);
  expect([...domains.values()]).toEqual([
    { id: 0, state: "running", cpuNs: 31.5e9, memoryMiB: 512 },
    { id: 3, state: "running", cpuNs: 2.6e9, memoryMiB: 96 },
    { id: 14, state: "paused", cpuNs: 0, memoryMiB: 96 },
    { id: 15, state: "ended", cpuNs: 10e9, memoryMiB: 0 },
  ]);
  expect(domains.get("6a6c2a1e-5a0d-8c3f-8111-0123456789ab")?.id).toBe(3);
});

test("of the disks the domain's own is counted", () => {
  const text = `#block154: rd_bytes=4096 wr_bytes=512 rd_operations=2 wr_operations=1 flush_operations=0
#block360: rd_bytes=9 wr_bytes=9 rd_operations=9 wr_operations=9
`;
  expect(parseDisks(text)).toEqual({ diskReadBytes: 4096, diskWrittenBytes: 512, diskReads: 2, diskWrites: 1 });
  expect(parseDisks("").diskReads).toBeNull();
});
