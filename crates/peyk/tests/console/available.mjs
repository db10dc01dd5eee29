// Says whether a browser can be had: starts it and ends it.
try {
  const { launch } = await import("./browser.mjs");
  await (await launch()).close();
} catch (error) {
  console.error(`no browser: ${String(error.message).split("\n")[0]}`);
  process.exit(1);
}
