import type { Recipe } from "../model/image.ts";
import { DOCUMENT_ROOT, SERVER_CONF, preforkConf } from "./apache-configuration.ts";
import { COMPUTE_PAGE, LARGE_FILE_COMMAND, STATIC_PAGE } from "./web-pages.ts";

/** What every domain has: a first process that reaps and forwards signals, a DHCP client, and tools to look around. */
const COMMON_PACKAGES = ["tini", "udhcpc", "procps", "iproute2", "iputils-ping"];

const file = (content: string) => ({ content, mode: "0644" });

const plain: Recipe = { base: "minbase", packages: COMMON_PACKAGES, files: {}, commands: [], services: {} };

/** Apache with PHP in its own processes (prefork), the study's web server. */
const web: Recipe = {
  base: "minbase",
  packages: [...COMMON_PACKAGES, "apache2", "libapache2-mod-php"],
  files: {
    [`${DOCUMENT_ROOT}/index.html`]: file(STATIC_PAGE),
    [`${DOCUMENT_ROOT}/compute.php`]: file(COMPUTE_PAGE),
    "/etc/apache2/conf-available/cloison.conf": file(SERVER_CONF),
    "/etc/apache2/mods-available/cloison-prefork.conf": file(preforkConf(24)),
  },
  commands: [
    LARGE_FILE_COMMAND,
    // The package's links would be followed by whoever writes the domain's own settings in their place.
    "rm /etc/apache2/mods-enabled/mpm_prefork.conf && mv /etc/apache2/mods-available/cloison-prefork.conf /etc/apache2/mods-enabled/mpm_prefork.conf",
    "a2dissite -q 000-default && a2disconf -q other-vhosts-access-log && a2enconf -q cloison",
    "apache2ctl configtest",
  ],
  services: {
    apache: {
      command: [
        "sh",
        "-c",
        // What apache2ctl does first; the directories are on /run, which may be empty in a new domain.
        '. /etc/apache2/envvars && mkdir -p /run/lock "$APACHE_RUN_DIR" "$APACHE_LOCK_DIR" "$APACHE_LOG_DIR" && rm -f "$APACHE_PID_FILE" && exec apache2 -D FOREGROUND',
      ],
    },
  },
};

/** The stressors' tools. stress-ng as root makes itself unkillable for the OOM killer unless it is told `--oomable`. */
const stress: Recipe = {
  base: "minbase",
  packages: [...COMMON_PACKAGES, "stress-ng", "fio", "iperf3"],
  files: {},
  commands: [],
  services: {},
};

/** The recipes that Cloison brings. */
export const RECIPES: Record<"web" | "stress" | "plain", Recipe> = { web, stress, plain };
