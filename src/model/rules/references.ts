import type { Issue } from "../issue.ts";
import { imageServices } from "../lab-services.ts";
import type { Lab } from "../lab.ts";

/** Every name refers to something. */
export function referenceIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const known = (kind: "images" | "networks", name: string, path: Issue["path"]) => {
    if (name in lab[kind]) return;
    const names = Object.keys(lab[kind]).join(", ") || "none";
    const elsewhere = kind === "images" ? ", nor is there one that `cloison image` has made" : "";
    issues.push({ path, message: `${name} is not among the ${kind} of this lab (${names})${elsewhere}` });
  };
  for (const [name, domain] of Object.entries(lab.domains)) {
    known("images", domain.image, ["domains", name, "image"]);
    domain.nics?.forEach((nic, i) => known("networks", nic.network, ["domains", name, "nics", i, "network"]));
    if (!(domain.image in lab.images)) continue;
    const services = imageServices(lab, domain.image);
    domain.services?.forEach((service, i) => {
      if (!services.includes(service)) {
        issues.push({
          path: ["domains", name, "services", i],
          message: `${service} is not a service of image ${domain.image} (${services.join(", ") || "it has none"})`,
        });
      }
    });
  }
  for (const [name, network] of Object.entries(lab.networks)) {
    if ((network.mode === "routed" || network.mode === "nat") && network.lan !== undefined)
      known("networks", network.lan, ["networks", name, "lan"]);
  }
  if (lab.station.network !== undefined) known("networks", lab.station.network, ["station", "network"]);
  return issues;
}
