// Makes the three pictures of the README: node readme.mjs FOLDER
import fs from "node:fs";
import path from "node:path";
import { base, launch, signIn, visitor } from "./browser.mjs";
import { fill } from "./fill.mjs";

const folder = process.argv[2];
fs.mkdirSync(folder, { recursive: true });
await fill();
const browser = await launch();

async function picture(name, look, address, before = async () => {}) {
  const page = await visitor(browser, look);
  await signIn(page);
  await page.goto(base + address);
  await page.evaluate(() => document.fonts.ready);
  await before(page);
  await page.waitForTimeout(600);
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.context().close();
}

await picture("dashboard", { language: "fa", size: "desktop" }, "/console/home");
await picture("compose", { language: "en", size: "desktop", theme: "dark" }, "/console/compose", async (page) => {
  await page.fill("textarea[name=numbers]", "09121110001 09351110002, 09211110013");
  await page.fill("textarea[name=text]", "سلام! سفارش شما آماده است 🎁\nfrom the coffee shop");
});
await picture("bulk", { language: "fa", size: "phone" }, "/console/bulks/10003");
await browser.close();
