/**
 * A command that another host does for this user's machine works below a folder there (src/remote/session.ts). What it says
 * names files as they are called where the user sits.
 */
export function ownPaths(text: string): string {
  const tree = process.env["CLOISON_TREE"];
  return tree === undefined ? text : text.replaceAll(`${tree}/`, "/");
}
