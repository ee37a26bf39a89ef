/**
 * Names of labs, domains, networks and images: they become parts of paths, hostnames, cgroups and namespaces.
 * No dot, because `cloison.<lab>.<part>` names a namespace, and a dot in a part would make two labs look alike.
 */
export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,29}$/;
