// What is this client's own: addresses, times, names of codes, CommonJS, and real sockets on this machine.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { inspect } from 'node:util';

import { Client, TransportError } from '../src/index.mjs';
import { pause } from '../src/client.mjs';
import { NAMES } from '../src/codes.mjs';

const LOGIN = { username: 'u', password: 'secret', line: '1' };

function kept(body = '[0,10001]') {
  const requests = [];
  const transport = async (request) => {
    requests.push(request);
    return { status: 200, body };
  };
  return { requests, transport };
}

test('the address is the base or the whole', () => {
  for (const [url, wanted] of [
    ['http://h:1', 'http://h:1/services.jspd'],
    [' https://h/ ', 'https://h/services.jspd'],
    ['http://h/services.jspd/', 'http://h/services.jspd'],
    ['http://h/api/select', 'http://h/api/select'],
    ['https://h/sms', 'https://h/sms/services.jspd'],
  ]) assert.equal(new Client(url, LOGIN).url, wanted);
});

test('what is no address is refused', () => {
  for (const url of ['', 'h:80', 'ftp://h', 'http://', 'file:///etc/passwd', 'http://u:p@h', 'http://h/?x=1']) {
    assert.throws(() => new Client(url, LOGIN), TypeError, url);
  }
});

test('a login and a line are needed', async () => {
  assert.throws(() => new Client('http://h', {}), TypeError);
  assert.throws(() => new Client('http://h', { username: 'u' }), TypeError);
  const client = new Client('http://h', { username: 'u', password: 'p', ...kept() });
  await assert.rejects(client.send('0912', 'a'), TypeError);
});

test('an api key goes instead of user and password', async () => {
  const { requests, transport } = kept('10001');
  const client = new Client('http://h', { apiKey: 'key-1', line: 1, transport });
  await client.sendPattern('p', '0912', { code: 12 });
  const body = JSON.parse(requests[0].body);
  assert.equal(body.apikey, 'key-1');
  assert.equal(body.inputData.code, '12');
  assert.ok(!('user' in body));
});

test('the password is not shown', () => {
  assert.doesNotMatch(inspect(new Client('http://h', LOGIN), { showHidden: true, depth: 9 }), /secret/);
  assert.doesNotMatch(JSON.stringify(new Client('http://h', LOGIN)), /secret/);
});

test('times are written in the time of Tehran', async () => {
  const { requests, transport } = kept();
  const client = new Client('http://h', { ...LOGIN, transport });
  for (const [time, wanted] of [
    [new Date('2030-01-01T20:30:00Z'), '2030-01-02 00:00:00'],
    ['2030-01-01', '2030-01-01'],
  ]) {
    await client.send('0912', 'a', { time });
    assert.equal(new URLSearchParams(requests.at(-1).body).get('time'), wanted);
  }
});

test('two sends have two keys', async () => {
  const { requests, transport } = kept();
  const client = new Client('http://h', { ...LOGIN, transport });
  await client.send('0912', 'a');
  await client.send('0912', 'a');
  const keys = requests.map((request) => new URLSearchParams(request.body).get('localid'));
  assert.notEqual(keys[0], keys[1]);
});

test('pauses grow and end and heed the server', () => {
  for (let attempt = 0; attempt < 40; attempt += 1) assert.ok(pause(attempt) <= 5000);
  assert.ok(pause(0) < pause(3));
  assert.equal(pause(0, 2000), 2000);
  assert.equal(pause(0, 3_600_000), 5000);
});

test('every code of the service has its name', () => {
  const table = readFileSync(new URL('../../../crates/domain/data/refusals.tsv', import.meta.url), 'utf8');
  const rows = table.trimEnd().split('\n').slice(1).map((line) => line.split('\t'));
  const wanted = rows.filter(([code]) => code !== '0').map(([code, name]) => [code, name]);
  assert.deepEqual({ ...NAMES }, Object.fromEntries(wanted));
});

test('a program that requires the package has the same', async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build-cjs.mjs', import.meta.url))]);
  const required = createRequire(import.meta.url)('../cjs/index.cjs');
  assert.deepEqual(Object.keys(required).sort(), Object.keys(await import('../src/index.mjs')).sort());
  const client = new required.Client('http://h', { ...LOGIN, ...kept() });
  assert.equal(await client.send('0912', 'a'), 10001);
  const denied = new required.Client('http://h', { ...LOGIN, ...kept('deny') });
  await assert.rejects(denied.credit(), required.AddressDenied);
});

/** Asks for the credit of a server that gives these octets once; `null` is silence. */
async function ask(answer, options = {}) {
  const sockets = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => { if (answer !== null) socket.end(answer); });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${server.address().port}`;
    return await new Client(url, { ...LOGIN, retries: 0, ...options }).credit();
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const http = (body, head = 'HTTP/1.1 200 OK') => `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('an answer is read', async () => {
  assert.equal(await ask(http('[0,"12"]')), 12);
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[0,"\r\n4\r\n12"]\r\n0\r\n\r\n';
  assert.equal(await ask(chunked), 12);
});

const lost = (error) => error instanceof TransportError && error.outcomeUnknown === true;

test('an answer that is cut off is lost', async () => {
  await assert.rejects(ask('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[0,"1'), lost);
});

test('a connection that closes without an answer is lost', async () => {
  await assert.rejects(ask(''), lost);
});

test('silence ends with the time-out', async () => {
  await assert.rejects(ask(null, { timeout: 200 }), lost);
});

test('a redirection is not followed', async () => {
  await assert.rejects(
    ask(http('', 'HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/')),
    /HTTP status 307/,
  );
});

test('a closed port is told apart', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  const client = new Client(`http://127.0.0.1:${port}`, { ...LOGIN, sleep: async () => {} });
  await assert.rejects(client.send('0912', 'a', { localId: 'k' }), (error) => {
    assert.equal(error.outcomeUnknown, false, error.message);
    assert.equal(error.localId, 'k');
    return true;
  });
});
