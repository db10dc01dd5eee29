// What people do in the console, from signing in to the end, in a real browser:
//
//   node scenarios.mjs LANGUAGE SIZE
import { base, demo, isQuiet, launch, signIn, visitor } from "./browser.mjs";
import { HELD, call, peyk } from "./fill.mjs";

const [language, size] = process.argv.slice(2);
const browser = await launch();
const open = () => visitor(browser, { language, size });
const words = (fa, en) => (language === "fa" ? fa : en);

/** Follows a form to the page behind it. */
const press = (page, selector) => Promise.all([page.waitForLoadState("load"), page.waitForNavigation(), page.locator(selector).first().click()]);

/** The page changes by itself until it says that the bulk is finished. */
const finished = (page) => page.locator(".badge", { hasText: words("پایان‌یافته", "finished") }).first().waitFor({ timeout: 30_000 });

function expect(right, what) {
  if (!right) throw new Error(what);
}

async function sends_to_a_phonebook_and_watches_it_finish() {
  const page = await open();
  await signIn(page);
  await page.goto(`${base}/console/compose`);
  await page.check('input[name=way][value="books"]');
  await page.check("input[name=books] >> nth=0");
  await page.fill("textarea[name=text]", words("سلام {name}، سفارش شما آماده است.", "Hello {name}, your order is ready."));
  await press(page, "form.compose .button.primary");
  const review = await page.textContent("main");
  expect(review.includes(words("ریال", "rials")), `the review names no price: ${review}`);
  await press(page, 'form[action="/console/compose/send"] .button.primary');
  expect(/\/console\/bulks\/\d+/.test(page.url()), `it leads to ${page.url()}`);
  await finished(page);
  const told = await page.textContent("main");
  expect(told.includes(words("رسیده", "delivered")), `no recipient is delivered: ${told}`);
  isQuiet(page);
}

async function reads_a_message_from_a_handset() {
  const page = await open();
  await signIn(page);
  await page.goto(`${base}/console/inbox`);
  await press(page, "main table a");
  const thread = await page.textContent("main .message");
  expect(thread.trim().length > 0, "the thread is empty");
  isQuiet(page);
}

async function approves_a_text_that_is_held() {
  peyk("approval-rule", "add", "--word", HELD, "--note", "prizes are looked at");
  await new Promise((done) => setTimeout(done, 1_500));
  const [code, bulk] = JSON.parse(await call("send", { from: "20001000", message: `شما برنده ${HELD} شدید`, to: JSON.stringify(["09121112233"]) }));
  expect(code === 0, `it was refused with ${code}`);
  const customer = await open();
  await signIn(customer);
  await customer.goto(`${base}/console/bulks/${bulk}`);
  expect((await customer.textContent("main")).includes(words("تأیید", "approval")), "it does not say that it waits for approval");
  const moderator = await open();
  await signIn(moderator, { staff: true });
  await moderator.goto(`${base}/console/staff/approvals`);
  expect((await moderator.textContent("main")).includes(HELD), "the queue does not show the text");
  await press(moderator, 'form:not(#many) button[name=decision][value="approve"]');
  await finished(customer);
  isQuiet(customer);
  isQuiet(moderator);
}

async function opens_a_sub_account() {
  const page = await open();
  await signIn(page);
  await page.goto(`${base}/console/sub-accounts/new`);
  await page.fill("input[name=user_name]", "branch7");
  await page.fill("input[name=password]", "a1long2secret3");
  await page.selectOption("select[name=package]", { index: 1 });
  const given = { name: "سارا رضایی", national_id: "0013542419", certificate_id: "12", mobile: "09121110022", telephone: "02188776655", email: "sara@shop.example", address: "تهران" };
  for (const field of await page.locator("form input[required]:not([name=user_name]):not([name=password])").all()) {
    const name = await field.getAttribute("name");
    if (given[name] !== undefined && !(await field.inputValue())) await field.fill(given[name]);
  }
  await press(page, "main form .button.primary");
  const told = await page.textContent("main");
  expect(told.includes("branch7") && !page.url().endsWith("/new"), `it leads to ${page.url()}: ${told}`);
  await page.goto(`${base}/console/sub-accounts`);
  expect((await page.textContent("main")).includes("branch7"), "the list does not have it");
  isQuiet(page);
}

async function is_not_let_in_with_a_wrong_password() {
  const page = await open();
  await page.goto(`${base}/console/home`);
  await page.fill("input[name=name]", demo.uname);
  await page.fill("input[name=password]", "wrong");
  await page.click("button.primary");
  await page.locator(".notice.bad").waitFor();
  await page.fill("input[name=password]", demo.pass);
  await press(page, "button.primary");
  expect(page.url().endsWith("/console/home"), `it leads to ${page.url()}`);
}

let failures = 0;
for (const scenario of [
  is_not_let_in_with_a_wrong_password,
  sends_to_a_phonebook_and_watches_it_finish,
  reads_a_message_from_a_handset,
  approves_a_text_that_is_held,
  opens_a_sub_account,
]) {
  try {
    await scenario();
    console.log(`${scenario.name}: ok`);
  } catch (error) {
    failures += 1;
    console.error(`${scenario.name}: ${error.stack}`);
  }
}
await browser.close();
process.exit(failures === 0 ? 0 : 1);
