import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

/** Pictures of a report, light and dark, on a desktop and on a phone: `tsx scripts/screenshot-report.ts report.html FOLDER`. */
const [report, folder] = process.argv.slice(2);
if (report === undefined || folder === undefined) {
  console.error("usage: tsx scripts/screenshot-report.ts REPORT.html FOLDER");
  process.exit(2);
}

const SCREENS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const FLAGS = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: [...FLAGS, "--no-sandbox", "--disable-gpu"],
});
try {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [screen, viewport] of Object.entries(SCREENS)) {
      const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: screen === "phone" ? 2 : 1 });
      await page.goto(pathToFileURL(resolve(report)).href);
      await page.screenshot({ path: join(folder, `${screen}-${colorScheme}.png`), fullPage: true });
      // The README's picture: what a reader sees first.
      await page.screenshot({ path: join(folder, `${screen}-${colorScheme}-top.png`) });
      await page.close();
    }
  }
} finally {
  await browser.close();
}
