import type { ImageConfiguration } from "./image-configuration.ts";
import type { Issue } from "./issue.ts";

/** First line of a key in any of the forms that OpenSSL and OpenSSH write. */
export const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** What a schema can't say of an image's configuration. All problems at once. */
export function imageIssues(configuration: ImageConfiguration): Issue[] {
  const issues: Issue[] = [];
  for (const [path, file] of Object.entries(configuration.files)) {
    const at = ["files", path];
    if (path.endsWith("/") || path.split("/").some((part, i) => i > 0 && ["", ".", ".."].includes(part))) {
      issues.push({ path: at, message: `is not the plain path of a file: write it as /etc/motd` });
    }
    if ("content" in file && PRIVATE_KEY.test(file.content)) {
      issues.push({ path: at, message: "holds a private key: an image is copied, and secrets are never a part of it" });
    }
  }
  return issues;
}
