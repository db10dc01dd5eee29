// Writes a picture of each page into a folder, and says what is wrong with it: accessibility, layout,
// scripts, weight. `scripts/screenshots` and the test of the pages run it.
//
//   node shots.mjs FOLDER [NAME...]       only the pages whose names begin with one of these
import fs from "node:fs";
import path from "node:path";
import { base, isQuiet, launch, layoutFaults, serious, signIn, visitor } from "./browser.mjs";
import { fill, found } from "./fill.mjs";
import { pages } from "./pages.mjs";

/** Octets of a page with all that it loads but the font, gzipped. */
const WEIGHT_MAX = 100_000;

const [folder, ...wanted] = process.argv.slice(2);
const looks = [
  { language: "fa", size: "desktop", theme: "light" },
  { language: "fa", size: "phone", theme: "light" },
  { language: "en", size: "desktop", theme: "dark" },
  { language: "en", size: "phone", theme: "dark" },
];
fs.mkdirSync(folder, { recursive: true });
await fill();
const browser = await launch();
/** Where the pages lead to, by which addresses with places in them are filled. */
const links = new Set();
const faults = [];
const weights = [];

// PEYK_LOOK: one of them alone, by its place.
const chosen = process.env.PEYK_LOOK === undefined ? looks : [looks[Number(process.env.PEYK_LOOK)]];
for (const look of chosen) {
  const visitors = {};
  for (const who of ["nobody", "account", "staff"]) {
    visitors[who] = await visitor(browser, look);
    if (who !== "nobody") await signIn(visitors[who], { staff: who === "staff" });
  }
  for (const [name, pattern, who] of pages) {
    const page = visitors[who];
    const address = pattern.includes("{") ? found(pattern, links) : pattern;
    if (!address) {
      faults.push(`${name}: no page leads to ${pattern}`);
      continue;
    }
    if (wanted.length > 0 && !wanted.some((begin) => name.startsWith(begin))) continue;
    // A page that streams is never idle.
    try {
      await page.goto(base + address, { waitUntil: "load" });
    } catch (error) {
      faults.push(`${name}: ${address}: ${error.message.split("\n")[0]}`);
      continue;
    }
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(150);
    for (const link of await page.$$eval("a[href]", (all) => all.map((one) => new URL(one.href).pathname))) links.add(decodeURI(link));
    const at = `${name} (${look.language}, ${look.size}, ${look.theme})`;
    const status = await page.evaluate(() => performance.getEntriesByType("navigation")[0].responseStatus);
    if (status !== 200) faults.push(`${at}: status ${status}`);
    if (decodeURI(new URL(page.url()).pathname) !== address) faults.push(`${at}: leads to ${page.url()}`);
    for (const fault of await layoutFaults(page)) faults.push(`${at}: ${fault}`);
    for (const { id, help, where } of await serious(page)) faults.push(`${at}: ${id}: ${help}\n    ${where.join("\n    ")}`);
    try { isQuiet(page); } catch (error) { faults.push(`${at}: ${error.message}`); page.trouble.length = 0; }
    if (look.language === "fa" && look.size === "desktop") {
      const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
      const fresh = await weigh(address, page.context());
      weights.push({ name, octets: fresh, paint: Math.round(paint) });
      if (fresh > WEIGHT_MAX) faults.push(`${at}: weighs ${fresh} octets, and may ${WEIGHT_MAX}`);
    }
    await page.screenshot({ path: path.join(folder, `${name}.${look.language}.${look.size}.png`), fullPage: true });
  }
  for (const page of Object.values(visitors)) await page.context().close();
}

/** A page with everything that it loads, as a browser gets it that was never here. */
async function weigh(address, context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  const fonts = new Set();
  let octets = 0;
  session.on("Network.responseReceived", ({ requestId, type }) => { if (type === "Font") fonts.add(requestId); });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => { if (!fonts.has(requestId)) octets += encodedDataLength; });
  await page.goto(base + address, { waitUntil: "load" });
  await page.waitForTimeout(100);
  await page.close();
  return octets;
}

await browser.close();
fs.writeFileSync(path.join(folder, "weights.json"), `${JSON.stringify(weights, null, 1)}\n`);
for (const { name, octets, paint } of weights) console.log(`${name.padEnd(24)} ${String(octets).padStart(7)} octets, first paint ${paint} ms`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
