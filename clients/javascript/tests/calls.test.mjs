// The calls that all clients have in common (../../calls.json), without a network.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import * as peyk from '../src/index.mjs';

const { calls } = JSON.parse(readFileSync(new URL('../../calls.json', import.meta.url), 'utf8'));
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** How the named arguments of the table are given to each method. */
const POSITIONS = {
  send: ['to', 'text'],
  send_each: ['messages'],
  send_pattern: ['code', 'to', 'values'],
  delivery: ['bulk_id'],
  check: ['bulk_id'],
  cancel: ['bulk_id'],
  credit: [],
  lines: [],
  expires_at: [],
  books: [],
  books_page: ['page'],
  contacts: ['book_id'],
  add_contact: ['book_id', 'number', 'name'],
  send_to_books: ['book_ids', 'text'],
  inbox: [],
  pattern_info: ['code'],
  postal_areas: [],
  postal_count: ['prefix', 'operator', 'gender'],
  send_to_postal: ['prefix', 'operator', 'text'],
  jobs: [],
  job_trends: ['job_id'],
  jobs_count: ['trend_ids'],
  send_to_jobs: ['job_id', 'trend_ids', 'text'],
  packages: [],
  create_account: [],
  create_ticket: ['subject', 'description'],
};

function canned(replies) {
  const requests = [];
  const transport = async (request) => {
    const reply = replies[requests.length];
    requests.push(request);
    if (reply.fails === 'unsent') throw new peyk.NotSent('refused');
    if (reply.fails === 'lost') throw new peyk.AnswerLost('timed out');
    return reply;
  };
  return { requests, transport };
}

function run({ method, arguments: given }, transport) {
  const client = new peyk.Client('http://sms.test', {
    username: 'user', password: 'secret', line: '3000505', transport, sleep: async () => {},
  });
  const positions = POSITIONS[method];
  const rest = Object.entries(given).filter(([name]) => !positions.includes(name));
  const options = Object.fromEntries(rest.map(([name, value]) => [camel(name), value]));
  const positional = positions.map((name) => given[name]);
  return client[camel(method)](...positional, ...(rest.length > 0 ? [options] : []));
}

/** A result as it stands in the table. */
function plain(value, method) {
  if (method === 'credit') return String(value);
  if (value === undefined) return null;
  if (value instanceof Date) {
    return `${new Date(value.getTime() + 12_600_000).toISOString().slice(0, 19)}+03:30`;
  }
  if (Array.isArray(value)) return value.map((inner) => plain(inner));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [snake(k), plain(v)]));
}

function checkRequest(call, request) {
  assert.equal(request.url, 'http://sms.test/services.jspd');
  const isJson = call.encoding === 'json';
  const kind = isJson ? 'application/json' : 'application/x-www-form-urlencoded';
  assert.equal(request.headers['Content-Type'], `${kind}; charset=UTF-8`);
  const found = isJson ? JSON.parse(request.body) : Object.fromEntries(new URLSearchParams(request.body));
  const wanted = { ...call.request, [isJson ? 'user' : 'uname']: 'user', pass: 'secret' };
  if (call.localid === 'generated') {
    assert.match(found.localid, /^[0-9a-f-]{32,}$/);
    delete found.localid;
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value?.json !== undefined) {
      wanted[name] = value.json;
      found[name] = JSON.parse(found[name]);
    }
  }
  assert.deepEqual(found, wanted);
}

function checkError(wanted, error) {
  const kinds = {
    api: peyk.ApiError, denied: peyk.AddressDenied, transport: peyk.TransportError, protocol: peyk.ProtocolError,
  };
  const own = { name: 'codeName', message: 'text', code: 'code', outcome_unknown: 'outcomeUnknown' };
  assert.equal(error.constructor, kinds[wanted.kind], String(error.stack));
  for (const [name, value] of Object.entries(wanted)) {
    if (name !== 'kind') assert.equal(error[own[name]], value, name);
  }
  assert.doesNotMatch(`${error}`, /secret/);
}

for (const call of calls) {
  test(call.claim, async () => {
    const { requests, transport } = canned(call.replies);
    if (call.error) {
      await assert.rejects(run(call, transport), (error) => {
        checkError(call.error, error);
        return true;
      });
    } else {
      assert.deepEqual(plain(await run(call, transport), call.method), call.result);
    }
    assert.equal(requests.length, call.attempts);
    for (const request of requests) checkRequest(call, request);
    assert.equal(new Set(requests.map((request) => request.body)).size, 1, 'the same each time');
  });
}

test('every method of the client stands in the table', () => {
  const own = Object.getOwnPropertyNames(peyk.Client.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(own.sort(), [...new Set(calls.map((call) => camel(call.method)))].sort());
});

test('every method of the client is described for TypeScript', () => {
  const types = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8');
  for (const { method } of calls) assert.ok(types.includes(`  ${camel(method)}(`), method);
  for (const name of Object.keys(peyk)) assert.ok(types.includes(`export class ${name}`), name);
});
