// A real browser before a running peyk: what scenarios and screenshots share.
//
//   PEYK_PEERS    the folder into which scripts/test installs foreign packages
//   PEYK_DEMO     the demo's file: where it is, and how one signs in
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const require = createRequire(path.join(path.resolve(process.env.PEYK_PEERS), "browser", "here.js"));
const { chromium } = require("playwright-core");
const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What the demo says of itself; nothing where none was named. */
export const demo = process.env.PEYK_DEMO ? JSON.parse(fs.readFileSync(process.env.PEYK_DEMO, "utf8")) : {};
export const base = (demo.url ?? "").replace("/services.jspd", "");

/** The sizes in which pages are looked at. */
export const sizes = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 375, height: 740 },
};

const programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the browser. It runs as root in a test machine, which needs its sandbox switched off. */
export async function launch() {
  const executablePath = process.env.PEYK_CHROMIUM ?? programs.find((file) => fs.existsSync(file));
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"] });
}

/** A page in a context of its own: cookies, size, language, look. Errors of scripts end the test. */
export async function visitor(browser, { size = "desktop", language = "fa", theme = "light" } = {}) {
  const context = await browser.newContext({
    viewport: sizes[size],
    deviceScaleFactor: 1,
    locale: language === "fa" ? "fa-IR" : "en-GB",
    timezoneId: "Asia/Tehran",
    hasTouch: size === "phone",
    isMobile: size === "phone",
  });
  const cookie = (name, value) => ({ name, value, url: `${base}/console` });
  await context.addCookies([cookie("peyk_language", language), cookie("peyk_theme", theme)]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.trouble = [];
  page.on("pageerror", (error) => page.trouble.push(`script: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") page.trouble.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("dialog", (dialog) => dialog.accept());
  return page;
}

/** Signs in: the demo's account, somebody else of an account, or the staff. */
export async function signIn(page, { staff = false, name, password } = {}) {
  await page.goto(`${base}/console${staff ? "/staff" : ""}/sign-in`);
  await page.fill("input[name=name]", name ?? (staff ? "admin" : demo.uname));
  await page.fill("input[name=password]", password ?? (staff ? demo.staff_pass : demo.pass));
  await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/sign-in")), page.click("button.primary")]);
}

/** Fails where scripts of the page failed. */
export function isQuiet(page) {
  if (page.trouble.length > 0) throw new Error(`on ${page.url()}:\n${page.trouble.join("\n")}`);
}

/** What axe-core finds that is serious or worse. */
export async function serious(page) {
  const found = await page.evaluate(async (source) => {
    // The page's policy lets no script in but its own; the browser's own evaluation is not bound by it.
    if (!window.axe) (0, eval)(source);
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.failureSummary ?? ""}`) }));
  }, axeSource);
  return found.filter(({ impact }) => ["serious", "critical"].includes(impact));
}

/** What stands out of the page at its side, or lies over something else that one would touch. */
export async function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    // A phone makes room for what is too wide, and shows all of it smaller.
    const width = Math.min(window.innerWidth, screen.width);
    const wide = document.documentElement.scrollWidth - width;
    if (wide > 1) faults.push(`the page is ${wide} px wider than the window`);
    const scrolls = (element) => element.closest(".table, pre, .chart, .calendar, .nav, .offscreen, .skip, .popup") !== null;
    for (const element of document.querySelectorAll("main *")) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || !element.checkVisibility() || scrolls(element) || getComputedStyle(element).position === "absolute") continue;
      if (box.left < -1 || box.right > window.innerWidth + 1) {
        faults.push(`<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> reaches from ${Math.round(box.left)} to ${Math.round(box.right)}`);
      }
      const clipped = element.scrollWidth - element.clientWidth > 2 && getComputedStyle(element).overflowX === "hidden";
      if (clipped && !element.closest(".clip, .who, input, select, textarea")) faults.push(`<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> is cut off: ${element.textContent.trim().slice(0, 40)}`);
    }
    const touched = [...document.querySelectorAll("main a, main button, main input:not([type=hidden]), main select, main textarea")].filter((one) => one.checkVisibility() && one.getClientRects().length === 1 && !scrolls(one));
    for (let first = 0; first < touched.length; first += 1) {
      for (const other of touched.slice(first + 1)) {
        if (touched[first].contains(other) || other.contains(touched[first])) continue;
        const [a, b] = [touched[first].getBoundingClientRect(), other.getBoundingClientRect()];
        const over = Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
        if (over) faults.push(`"${touched[first].textContent.trim() || touched[first].name}" lies over "${other.textContent.trim() || other.name}"`);
      }
    }
    return faults.slice(0, 10);
  });
}
