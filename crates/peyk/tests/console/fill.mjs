// Gives a new demo something to show on every page: bulks in several states, a text that waits for
// approval, a draft, people, a ticket. What the demo has already is left alone.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { base, demo } from "./browser.mjs";

const data = path.dirname(process.env.PEYK_DEMO);

/** Runs a command of peyk on the demo's data. */
export function peyk(...words) {
  return execFileSync(process.env.PEYK_BIN, ["--data", data, ...words], { encoding: "utf8", env: { PATH: process.env.PATH } });
}

/** Calls an operation of the web service; answers the body. */
export async function call(op, fields) {
  const form = new URLSearchParams({ uname: demo.uname, pass: demo.pass, op, ...fields });
  return (await fetch(demo.url, { method: "POST", body: form })).text();
}

/** A word that texts wait for approval with. */
export const HELD = "جایزه";

export async function fill() {
  const to = JSON.stringify;
  const many = Array.from({ length: 240 }, (_, place) => `0912${String(1_000_000 + place * 37)}`);
  await call("send", { from: demo.from, message: "کد تأیید شما: 48213", to: to(["09123456700"]) });
  await call("send", { from: "20001000", message: "جشنواره پاییزی فروشگاه: تا ۳۰٪ تخفیف برای همه کالاها\nhttps://shop.example", to: to(many) });
  await call("send", { from: demo.from, message: "Your order 1043 is on its way <b>now</b> \u202Eand\u202C on time.", to: to(["09351110002", "09121110003", "123"]) });
  const later = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await call("send", { from: demo.from, message: "یادآوری نوبت فردا ساعت ۱۰", to: to(["09121110003"]), time: `${later} 10:00:00` });
  peyk("approval-rule", "add", "--word", HELD, "--note", "prizes are looked at");
  await new Promise((done) => setTimeout(done, 1_500));
  await call("send", { from: "20001000", message: `شما برنده ${HELD} بزرگ ما شدید! برای دریافت تماس بگیرید.`, to: to(many.slice(0, 20)) });
  peyk("user", "add", `${demo.uname}/sara`, "--role", "sender", "--title", "سارا رضایی");
  peyk("user", "add", "staff:nima", "--role", "moderator", "--title", "نیما");
  await call("ticketadd", { subject: "افزایش سقف ارسال", description: "لطفاً سقف روزانه را بیشتر کنید.", type: "fiscal", importance: "middle", sms_notification: "no" });
}

/** Fills the places of addresses with what the pages themselves link to. */
export function found(pattern, links) {
  const parts = pattern.split("/").map((part) => (part.startsWith("{") ? "[^/?#]+" : part.replace(".", "\\.")));
  const form = new RegExp(`^${parts.join("/")}$`);
  return [...links].find((link) => form.test(link) && !link.endsWith("/new"));
}

export { base };
