import { describe, expect, test } from "vitest";
import {
  debianCodename,
  debianOwn,
  formatDeb822Sources,
  listFileName,
  parseDeb822Sources,
  parseRelease,
  parseSourcesList,
  type Release,
} from "./debian-sources.ts";

const DEBIAN_KEY = "/usr/share/keyrings/debian-archive-keyring.gpg";
const nothingKnown = () => null;
const chosen = (text: string, releases: (uri: string, suite: string) => Release | null = nothingKnown) =>
  debianOwn([...parseSourcesList(text), ...parseDeb822Sources(text)], "bookworm", releases).map(
    ({ uris, suites }) => `${uris[0]} ${suites[0]}`,
  );

describe("debianOwn", () => {
  test("takes Debian's own stanzas apart, with their key, component main only", () => {
    const text = `Types: deb deb-src
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: ${DEBIAN_KEY}

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: ${DEBIAN_KEY}
`;
    const own = debianOwn(parseDeb822Sources(text), "bookworm", nothingKnown);
    expect(own.map(({ uris, suites, components }) => [...uris, ...suites, ...components].join(" "))).toEqual([
      "http://deb.debian.org/debian bookworm main",
      "http://deb.debian.org/debian bookworm-updates main",
      "http://deb.debian.org/debian-security bookworm-security main",
    ]);
    expect(own.map(({ options }) => options)).toEqual(Array.from({ length: 3 }, () => ({ "Signed-By": DEBIAN_KEY })));
  });

  test("leaves other vendors' sources alone, in both forms", () => {
    expect(
      chosen(`deb https://packages.cloud.google.com/apt cloud-sdk-bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian bookworm stable
deb [signed-by=/usr/share/keyrings/microsoft.gpg] https://packages.microsoft.com/debian/12/prod bookworm main
deb https://mirror.example/linux/debian bookworm main
deb-src http://deb.debian.org/debian bookworm main
# deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian trixie main
`),
    ).toEqual([]);
    expect(
      chosen(`Types: deb
URIs: https://deb.nodesource.com/node_20.x
Suites: nodistro
Components: main
Signed-By: /usr/share/keyrings/nodesource.gpg

Enabled: no
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
`),
    ).toEqual([]);
  });

  test("knows mirrors without a key by their path", () => {
    expect(
      chosen(`deb http://ftp.fr.debian.org/debian/ bookworm main non-free-firmware # the nearest
deb http://security.debian.org/debian-security bookworm-security main
deb mirror+file:///etc/apt/mirrors/debian.list bookworm-updates main
deb http://elsewhere.example/apt bookworm main
`),
    ).toEqual([
      "http://ftp.fr.debian.org/debian/ bookworm",
      "http://security.debian.org/debian-security bookworm-security",
      "mirror+file:///etc/apt/mirrors/debian.list bookworm-updates",
    ]);
  });

  test("believes what the archive says of itself before anything else", () => {
    const text = "deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/os bookworm main\n";
    const releases = (uri: string): Release => ({
      origin: uri.endsWith("/os") ? "Debian" : "Example",
      codename: "bookworm",
    });
    expect(chosen(text, releases)).toEqual(["http://mirror.example/os bookworm"]);
  });

  test("takes `stable` only when the archive says that it is this machine's release", () => {
    const text = "deb http://deb.debian.org/debian stable main\n";
    expect(chosen(text)).toEqual([]);
    expect(chosen(text, () => ({ origin: "Debian", codename: "bookworm" }))).toHaveLength(1);
    expect(chosen(text, () => ({ origin: "Debian", codename: "trixie" }))).toEqual([]);
  });

  test("does not take one archive twice", () => {
    expect(chosen("deb http://deb.debian.org/debian bookworm main\n".repeat(2))).toHaveLength(1);
  });
});

test("options of the one-line form become fields", () => {
  const [source] = parseSourcesList(
    `deb [ signed-by=${DEBIAN_KEY} arch=amd64,i386 check-valid-until=no lang=de ] http://deb.debian.org/debian bookworm main`,
  );
  expect(formatDeb822Sources(source === undefined ? [] : [source])).toBe(`Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Targets: Packages
Signed-By: ${DEBIAN_KEY}
Architectures: amd64 i386
Check-Valid-Until: no
`);
});

test("a key inside the stanza stays whole", () => {
  const key =
    "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w\n -----END PGP PUBLIC KEY BLOCK-----";
  const [source] = parseDeb822Sources(
    `Types: deb\nURIs: http://x/debian\nSuites: bookworm\nComponents: main\nSigned-By:${key}\n`,
  );
  expect(source?.options["Signed-By"]).toBe(key);
});

test("list files are named as apt names them", () => {
  expect(listFileName("http://deb.debian.org/debian", "bookworm", "InRelease")).toBe(
    "deb.debian.org_debian_dists_bookworm_InRelease",
  );
  expect(listFileName("https://user:word@mirror.example:8080/a_b/debian/", "bookworm", "InRelease")).toBe(
    "mirror.example:8080_a%5fb_debian_dists_bookworm_InRelease",
  );
  expect(listFileName("mirror+file:///etc/apt/mirrors/debian.list", "bookworm", "InRelease")).toBe(
    "_etc_apt_mirrors_debian.list_dists_bookworm_InRelease",
  );
});

test("a release file says whose it is", () => {
  expect(
    parseRelease(
      "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian\nCodename: bookworm\n",
    ),
  ).toEqual({
    origin: "Debian",
    codename: "bookworm",
  });
});

test("another system than Debian is refused", () => {
  expect(debianCodename("ID=debian\nVERSION_CODENAME=trixie\n")).toBe("trixie");
  expect(() => debianCodename('PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nVERSION_CODENAME=noble\n')).toThrow(
    "images are made of Debian's packages, and this machine is Ubuntu 24.04 LTS",
  );
});
