import { getSystemErrorName } from "node:util";
import { ExitCode, LabError } from "../model/error.ts";
import { readAttributes, readText } from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink-request.ts";

const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** strerror(3) of what rtnetlink answers with, and what to do about it. */
const ERRORS: Record<string, { text: string; hint?: string }> = {
  EPERM: { text: "Operation not permitted", hint: "run it as root" },
  ENOENT: { text: "No such file or directory" },
  ESRCH: { text: "No such process" },
  EBUSY: { text: "Device or resource busy" },
  EEXIST: { text: "File exists", hint: "something else has made it; `cloison down` takes a lab away, then try again" },
  ENODEV: { text: "No such device", hint: "something else has removed it; `cloison up` repairs a lab" },
  EINVAL: { text: "Invalid argument" },
  ENOBUFS: { text: "No buffer space available" },
  ENOMEM: { text: "Cannot allocate memory" },
  ERANGE: { text: "Numerical result out of range" },
  // Of the two names of this number, the one that Node.js uses.
  ENOTSUP: {
    text: "Operation not supported",
    hint: "this machine's kernel lacks it; `cloison check` says what it can do",
  },
  EADDRNOTAVAIL: { text: "Cannot assign requested address" },
  ENOTCONN: { text: "Transport endpoint is not connected" },
  ENETDOWN: { text: "Network is down" },
  ENETUNREACH: { text: "Network is unreachable", hint: "the gateway must lie in a subnet of the interface" },
};

/** The kernel's answer to one request. */
export interface Acknowledgement {
  /** errno's name; null: done. */
  code: string | null;
  /** What the kernel says about it in words (extended ack), or "". */
  detail: string;
}

/** Reads an NLMSG_ERROR, which is also the form of success. */
export function decodeAcknowledgement(flags: number, payload: Buffer): Acknowledgement {
  const error = payload.readInt32LE(0);
  // The request's header follows, and the rest of the request too unless it was capped.
  const echoed = (flags & NLM_F_CAPPED) !== 0 || error === 0 ? 16 : (payload.readUInt32LE(4) + 3) & ~3;
  const detail =
    (flags & NLM_F_ACK_TLVS) === 0 ? undefined : readAttributes(payload, 4 + echoed).get(NLMSGERR_ATTR_MSG);
  return {
    code: error === 0 ? null : getSystemErrorName(error),
    detail: detail === undefined ? "" : readText(detail),
  };
}

/** What the kernel answers when the object of a request is not there. */
const GONE = ["ENODEV", "ENOENT", "ESRCH", "EADDRNOTAVAIL"];

/** Whether the answer says that there is no such object. */
export function isAbsent({ code }: Acknowledgement): boolean {
  return code !== null && GONE.includes(code);
}

/** Whether the answer leaves the kernel as the request wanted it. */
export function isFulfilled(request: NetlinkRequest, answer: Acknowledgement): boolean {
  // What is not there any more need not be deleted.
  return answer.code === null || (request.do.startsWith("delete-") && isAbsent(answer));
}

/** Remedies for what one kind of request needs of the kernel. */
export function hintFor(request: NetlinkRequest, { code }: Acknowledgement): string | undefined {
  if (request.do === "add-vlan" && code === "ENOTSUP") {
    return "this machine's kernel has no 802.1Q (`modprobe 8021q` may load it); the network's backend `openvswitch` needs none";
  }
  return undefined;
}

/** `adding veth vif1.0: File exists (…)`. */
export function requestError(
  what: string,
  { code, detail }: Acknowledgement,
  others: number,
  hint = ERRORS[code ?? ""]?.hint,
): LabError {
  const known = ERRORS[code ?? ""];
  const more = others > 0 ? `; ${others} more of the batch failed` : "";
  return new LabError(
    `${what}: ${known?.text ?? code}${detail === "" ? "" : ` (${detail.replace(/\.$/, "")})`}${more}`,
    {
      ...(hint === undefined ? {} : { hint }),
      ...(code === "EPERM" ? { exit: ExitCode.unavailable } : {}),
    },
  );
}
