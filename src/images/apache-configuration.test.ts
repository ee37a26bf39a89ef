import { expect, test } from "vitest";
import { apacheFiles } from "./apache-configuration.ts";

test("one pool for all sites, as large as they are together, started whole and kept", () => {
  expect(
    apacheFiles([
      { name: "apache1", workers: 24 },
      { name: "apache2", workers: 300 },
    ]),
  ).toEqual({
    "/etc/apache2/mods-enabled/mpm_prefork.conf": `ServerLimit 324
MaxRequestWorkers 324
StartServers 324
MinSpareServers 324
MaxSpareServers 325
MaxConnectionsPerChild 0
`,
    "/etc/apache2/sites-enabled/001-apache1.conf": `<VirtualHost *:80>
    ServerName apache1
    DocumentRoot /srv/www
</VirtualHost>
`,
    "/etc/apache2/sites-enabled/002-apache2.conf": `<VirtualHost *:80>
    ServerName apache2
    DocumentRoot /srv/www
</VirtualHost>
`,
  });
});

test("without sites the server answers all the same", () => {
  const files = apacheFiles([]);
  expect(Object.keys(files)).toEqual(["/etc/apache2/mods-enabled/mpm_prefork.conf"]);
  expect(Object.values(files).join("")).toContain("MaxRequestWorkers 24\n");
});
