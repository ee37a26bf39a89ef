import { ExitCode, LabError } from "../model/error.ts";

/** What ssh says when there is no connection, and what it means; the first that fits. */
const CONNECTING: { says: RegExp; means: string; hint: (login: string) => string }[] = [
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    means: "its host key is not the one that is known of it; nothing was sent",
    hint: (login) => `find out why; if it was installed anew: ssh-keygen -R its name, then ssh ${login}`,
  },
  {
    says: /Host key verification failed|host key is known for/,
    means: "its host key is not known here; nothing was sent",
    hint: (login) => `log in once by hand and compare the key's fingerprint: ssh ${login}`,
  },
  {
    says: /Permission denied \(|Too many authentication failures|No more authentication methods/,
    means: "it does not let you in",
    hint: (login) => `have a key that it takes, and unlocked (ssh-add); ssh ${login} must work`,
  },
  {
    says: /Could not resolve hostname/,
    means: "nothing is known by this name",
    hint: () => "name it as ssh knows it: by DNS, or in ~/.ssh/config",
  },
];

/** Of a connection that did not come to be. @param login what follows `ssh` on a command line */
export function connectionError(address: string, login: string, said: string): LabError {
  const known = CONNECTING.find(({ says }) => says.test(said));
  if (known !== undefined) {
    return new LabError(`${address}: ${known.means}`, { hint: known.hint(login), exit: ExitCode.unavailable });
  }
  return new LabError(`${address} can't be reached: ${lastLine(said) || "ssh does not say why"}`, {
    hint: `ssh ${login} must work`,
    exit: ExitCode.unavailable,
  });
}

/** Of something that was to be written there. */
export function sendingError(address: string, where: string, said: string): LabError {
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    return new LabError(`${address} has no room in ${where} for what Cloison needs there`, {
      hint: "make room, or set XDG_CACHE_HOME there; nothing of it was kept",
      exit: ExitCode.unavailable,
    });
  }
  return new LabError(`${address}: nothing can be put in ${where}: ${lastLine(said)}`, { exit: ExitCode.unavailable });
}

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.trim() ?? "";
}
