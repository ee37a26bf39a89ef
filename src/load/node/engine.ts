import type { LoadEngine } from "../messages.ts";
import { LiveCounts } from "../summary.ts";
import { NodeConnectLoop } from "./connect-loop.ts";
import { NodeHttpLoop } from "./http-loop.ts";
import { runPing } from "./ping-run.ts";

/** The engine that needs nothing but Node and `ping`: its process was started inside the namespace. */
export function createNodeEngine(): LoadEngine {
  return {
    run(job, memory) {
      const live = new LiveCounts(memory);
      switch (job.kind) {
        case "http":
          return new NodeHttpLoop(job, live).run();
        case "connect":
          return new NodeConnectLoop(job, live).run();
        case "ping":
          return runPing(job, live);
      }
    },
  };
}
