// Against a real service: `end-to-end.mjs DEMO_JSON SCENARIO`. DEMO_JSON is what `peyk demo` writes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { ApiError, Client } from '../src/index.mjs';

const PATIENCE_MS = 60_000;

const refused = (code, codeName, call) => assert.rejects(call, (error) => {
  assert.deepEqual([error.code, error.codeName], [code, codeName], String(error));
  return true;
});

async function waitFor(client, bulkId, wanted) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = (await client.delivery(bulkId)).map(({ number, status }) => `${number}:${status}`);
    if (found.join() === wanted.join()) return;
    assert.ok(Date.now() < until, found.join());
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function everything(client, demo) {
  const stranger = new Client(demo.url, { username: demo.uname, password: 'wrong' });
  await refused(962, 'LoginWrong', stranger.credit());
  const before = await client.credit();
  const first = await client.send('09121111111', 'سلام <b>😀</b> & + %');
  assert.ok(first > 10000);
  await waitFor(client, first, ['+989121111111:delivered']);
  assert.deepEqual(await client.check(first), { status: 'Finish', approval: 'approve' });
  assert.equal(before - await client.credit(), 120, 'one Persian part');

  const two = ['9121111111', '+989351111111'];
  const both = await client.send(two, 'Hi', { line: '+983000505', localId: 'mine' });
  assert.equal(await client.send(two, 'Hi', { localId: 'mine' }), both);
  const each = await client.sendEach([['09121111112', 'سلام'], ['09351111100', 'Hi']]);
  await waitFor(client, both, ['+989121111111:delivered', '+989351111111:delivered']);
  await waitFor(client, each, ['+989121111112:delivered', '+989351111100:failed']);
  // A part is charged when the operator takes it, delivered or not.
  assert.equal(before - await client.credit(), 120 + 2 * 300 + 120 + 300);

  const later = await client.send('09121111111', 'Hi', { time: new Date(Date.now() + 86_400_000) });
  assert.equal((await client.check(later)).status, 'Active');
  await client.cancel(later);
  assert.equal((await client.check(later)).status, 'Cancel');
  await refused(456, 'BulkUnknown', client.cancel(later));
  await refused(456, 'BulkUnknown', client.check(999999));
  await refused(456, 'BulkUnknown', client.delivery(999999));
  await refused(1006, 'TimeInPast', client.send('09121111111', 'Hi', { time: '2020-01-01' }));
  await refused(3, 'LineNotOwned', client.send('09121111111', 'Hi', { line: '+98999' }));
  await refused(4, 'NoRecipient', client.send([], 'Hi'));
  await refused(1, 'EmptyMessage', client.send('09121111111', ''));
  const lines = (await client.lines()).filter((line) => line.canSend);
  assert.ok(lines.some((line) => line.number === '+983000505'));
  assert.ok(await client.expiresAt() > new Date());
}

// An answer of these is understood when it is data, or a refusal with a name.
const MORE = {
  booklist: (client) => client.books(),
  booklistV2: (client) => client.booksPage(1),
  booknumberlist: (client) => client.contacts(2 ** 30),
  phoneBookAdd: (client) => client.addContact(2 ** 30, '09121111111', 'علی'),
  booksend: (client) => client.sendToBooks([2 ** 30], 'Hi'),
  inboxlist: (client) => client.inbox(),
  pattern: (client) => client.sendPattern('nothere', '09121111111', { code: '1' }),
  patternInfo: (client) => client.patternInfo('nothere'),
  postalcodearea: (client) => client.postalAreas(),
  postalcodecount: (client) => client.postalCount('131', 'tci'),
  postalcodesend: (client) => client.sendToPostal('131', 'tci', 'Hi'),
  jobslist: (client) => client.jobs(),
  jobstrendlist: (client) => client.jobTrends(),
  jobscount: (client) => client.jobsCount([1]),
  jobssend: (client) => client.sendToJobs(1, [1], 'Hi'),
  accesslist: (client) => client.packages(),
  newuser: (client) => client.createAccount({
    username: 'x', password: 'x', name: '', accessId: 0, nationalId: '', certificateId: '', mobile: '', telephone: '', email: '', address: '',
  }),
  ticketadd: (client) => client.createTicket('آزمون', '<script>'),
};

async function understood(client, operation) {
  try {
    console.log(operation, await MORE[operation](client));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert.ok(!['Unknown', 'OperationNotAllowed'].includes(error.codeName), String(error));
    console.log(operation, String(error));
  }
}

const [demoJson, scenario] = process.argv.slice(2);
const demo = JSON.parse(readFileSync(demoJson, 'utf8'));
const client = new Client(demo.url, { username: demo.uname, password: demo.pass, line: demo.from });
await (scenario === 'everything' ? everything(client, demo) : understood(client, scenario));
