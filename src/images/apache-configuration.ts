/** Where the image's pages are; every site serves the same ones. */
export const DOCUMENT_ROOT = "/srv/www";

/** Workers of an image that runs without any site planned. */
const DEFAULT_WORKERS = 24;

/**
 * What does not depend on the sites. Part of every reading's conditions, so stated:
 * no access log (its writes would be the neighbours' disk load); a listen queue of 511, Apache's default, of which the kernel
 * takes as much as net.core.somaxconn allows; connections kept alive for 5 s and 100 requests, Apache's defaults, for clients
 * that ask; a request may take 300 s, so that it is the client who gives up and counts. Errors go to standard output, through
 * a pipe: opening /dev/stderr would fail where it is a socket.
 */
export const SERVER_CONF = `ServerName localhost
ServerTokens Prod
DocumentRoot ${DOCUMENT_ROOT}
<Directory ${DOCUMENT_ROOT}>
    Options None
    AllowOverride None
    Require all granted
</Directory>
ListenBacklog 511
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests 100
Timeout 300
HostnameLookups Off
EnableSendfile On
LogLevel warn
ErrorLog "|/bin/cat"
`;

/** A site that domains serve under its own name, and the worker processes that it is granted. */
export interface ApacheSite {
  name: string;
  workers: number;
}

/**
 * The files that make the `web` image serve these sites: absolute path → text. Prefork has one pool of processes for all sites;
 * its size is the sum of theirs. All are started at once and none is ever ended, so that the pool is the same in every phase.
 */
export function apacheFiles(sites: ApacheSite[]): Record<string, string> {
  const workers = sites.reduce((sum, site) => sum + site.workers, 0);
  const files: Record<string, string> = {
    "/etc/apache2/mods-enabled/mpm_prefork.conf": preforkConf(workers || DEFAULT_WORKERS),
  };
  for (const [index, site] of sites.entries()) {
    const number = String(index + 1).padStart(3, "0");
    files[`/etc/apache2/sites-enabled/${number}-${site.name}.conf`] = `<VirtualHost *:80>
    ServerName ${site.name}
    DocumentRoot ${DOCUMENT_ROOT}
</VirtualHost>
`;
  }
  return files;
}

/** MaxSpareServers is one more than there can be: Apache never finds one too many. ServerLimit comes first: it bounds the rest. */
export function preforkConf(workers: number): string {
  return `ServerLimit ${workers}
MaxRequestWorkers ${workers}
StartServers ${workers}
MinSpareServers ${workers}
MaxSpareServers ${workers + 1}
MaxConnectionsPerChild 0
`;
}
