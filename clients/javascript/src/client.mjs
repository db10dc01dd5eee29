// The client: one method for each operation of the web service. index.d.ts describes them.

import * as answers from './answers.mjs';
import { ApiError, ProtocolError, TransportError } from './errors.mjs';
import { NotSent, AnswerLost, post } from './transport.mjs';

const PATHS = ['/services.jspd', '/api/select'];
/** Answers of servers on the way that say nothing of what became of the request. */
const PASSING_STATUSES = [502, 503, 504];
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 5000;
const TEHRAN_MS = 3.5 * 3600 * 1000;

/** A client of one account of a peyk service. */
export class Client {
  #login;
  #transport;
  #sleep;

  constructor(url, options = {}) {
    this.url = endpoint(url);
    const { username, password, apiKey, line, timeout = 10_000, retries = 2 } = options;
    if (apiKey !== undefined) {
      this.#login = { apikey: apiKey };
    } else if (username !== undefined && password !== undefined) {
      this.#login = { uname: username, pass: password };
    } else {
      throw new TypeError('either username and password, or apiKey');
    }
    Object.assign(this, { line, timeout, retries });
    this.#transport = options.transport ?? post;
    this.#sleep = options.sleep ?? ((ms) => new Promise((done) => setTimeout(done, ms)));
  }

  // Sending

  send(to, text, options = {}) {
    // With commas and not as an array, beside which a text such as ["a"] would be read as many.
    return this.#send('send', { to: numbers(to).join(','), message: text }, options, true);
  }

  sendEach(messages, options = {}) {
    const pairs = Array.from(messages);
    const fields = {
      to: JSON.stringify(pairs.map(([to]) => String(to))),
      message: JSON.stringify(pairs.map(([, text]) => text)),
    };
    return this.#send('send', fields, options, true);
  }

  async sendPattern(code, to, values, options = {}) {
    const all = numbers(to);
    const localId = options.localId ?? newLocalId();
    const { uname, ...login } = this.#login;
    const body = JSON.stringify({
      ...(uname === undefined ? {} : { user: uname }),
      ...login,
      op: 'pattern',
      fromNum: this.#line(options.line),
      toNum: all.length === 1 ? all[0] : all,
      patternCode: code,
      inputData: Object.fromEntries(Object.entries(values).map(([k, v]) => [k, String(v)])),
      localid: localId,
    });
    return answers.bareNumber(await this.#exchange(body, 'application/json', true, localId));
  }

  // What became of it

  async delivery(bulkId) {
    const body = await this.#ask('delivery', { uinqid: bulkId });
    const items = answers.inner(body);
    if (items === null) throw new ApiError(answers.BULK_UNKNOWN);
    if (!Array.isArray(items)) throw new ProtocolError('a list', body);
    return items.map((item) => {
      const at = String(item).lastIndexOf(':');
      return { number: String(item).slice(0, at), status: String(item).slice(at + 1) };
    });
  }

  async check(bulkId) {
    const body = await this.#ask('checkmessage', { messageid: bulkId });
    const value = answers.decoded(body);
    answers.refuse(value);
    if (typeof value !== 'object' || value === null) throw new ProtocolError('an object', body);
    return {
      status: String(answers.field(value, 'statusMessage', body)),
      approval: String(answers.field(value, 'validMessage', body)),
    };
  }

  async cancel(bulkId) {
    try {
      answers.data(await this.#do('deleteperiod', { bulkid: bulkId }));
    } catch (error) {
      if (!(error instanceof ApiError && error.code === answers.BULK_CANCELLED)) throw error;
    }
  }

  // The account

  async credit() {
    const body = await this.#ask('credit');
    const words = answers.text(body);
    if (!/^-?\d+(\.\d+)?$/.test(words)) throw new ProtocolError('an amount', body);
    return Number(words);
  }

  async lines() {
    const body = await this.#ask('lines');
    return answers.rows(body).map((row) => ({
      number: String(answers.field(row, 'number', body)),
      canSend: String(row.send) === '1',
      canReceive: String(row.gets) === '1',
    }));
  }

  async expiresAt() {
    const body = await this.#ask('usertime');
    return answers.moment(answers.text(body), body);
  }

  // Phonebooks

  async books() {
    return entries(await this.#ask('booklist'));
  }

  async booksPage(page) {
    const body = await this.#ask('booklistV2', { page });
    const books = answers.envelope(body).phoneBook ?? [];
    if (!Array.isArray(books)) throw new ProtocolError('a list', body);
    return books.map((book) => ({
      id: answers.whole(book, 'phoneBookId', body),
      title: String(answers.field(book, 'title', body)),
    }));
  }

  async contacts(bookId) {
    const body = await this.#ask('booknumberlist', { phonebook_id: bookId });
    const value = answers.decoded(body);
    // Numbers begin with a plus, so that none of them is taken for a code.
    answers.refuse(value);
    if (!Array.isArray(value)) throw new ProtocolError('a list', body);
    return value.map(String);
  }

  async addContact(bookId, number, name) {
    const fields = { phoneBookId: bookId, number, ...(name === undefined ? {} : { name }) };
    answers.envelope(await this.#do('phoneBookAdd', fields), [0, answers.CONTACT_SAVED]);
  }

  sendToBooks(bookIds, text, options = {}) {
    const fields = { bookid: JSON.stringify(Array.from(bookIds)), message: text };
    return this.#send('booksend', fields, options, true);
  }

  // Inbound messages and patterns

  async inbox() {
    // The answer marks them as read, so that a lost one must not look like an empty inbox.
    const body = await this.#do('inboxlist');
    return answers.rows(body).map((row) => ({
      text: String(answers.field(row, 'message', body)),
      sender: String(answers.field(row, 'from', body)),
      line: String(answers.field(row, 'to', body)),
      time: answers.moment(String(answers.field(row, 'time', body)), body),
    }));
  }

  async patternInfo(code) {
    const body = await this.#ask('patternInfo', { patternCode: code });
    const found = answers.envelope(body);
    const variables = found.patternParams ?? [];
    if (!Array.isArray(variables)) throw new ProtocolError('a list', body);
    return {
      text: String(answers.field(found, 'patternMessage', body)),
      variables: variables.map(String),
    };
  }

  // Postal codes and jobs

  async postalAreas() {
    const body = await this.#ask('postalcodearea');
    return answers.rows(body).map((row) => ({
      id: String(answers.field(row, 'id', body)),
      title: String(answers.field(row, 'title', body)),
    }));
  }

  async postalCount(prefix, operator, gender = 0) {
    const fields = { type: operator, gender, postalcode: prefix };
    return answers.number(await this.#ask('postalcodecount', fields));
  }

  sendToPostal(prefix, operator, text, options = {}) {
    const fields = { type: operator, gender: options.gender ?? 0, postalcode: prefix, message: text };
    return this.#send('postalcodesend', fields, options);
  }

  async jobs() {
    return entries(await this.#ask('jobslist'));
  }

  async jobTrends(jobId) {
    const body = await this.#ask('jobstrendlist', jobId === undefined ? {} : { jobsid: jobId });
    return answers.rows(body).map((row) => ({
      id: answers.whole(row, 'id', body),
      title: String(answers.field(row, 'title', body)),
      jobId: row.jobsid === undefined ? undefined : answers.whole(row, 'jobsid', body),
    }));
  }

  async jobsCount(trendIds) {
    const fields = { trendid: JSON.stringify(Array.from(trendIds)) };
    return answers.number(await this.#ask('jobscount', fields));
  }

  sendToJobs(jobId, trendIds, text, options = {}) {
    const fields = { jobsid: jobId, trendid: JSON.stringify(Array.from(trendIds)), message: text };
    return this.#send('jobssend', fields, options);
  }

  // Resellers and tickets

  async packages() {
    return entries(await this.#ask('accesslist'));
  }

  async createAccount(account) {
    const fields = {
      user_uname: account.username,
      user_pass: account.password,
      name: account.name,
      company: account.company ?? '',
      national_id: account.nationalId,
      certificate_id: account.certificateId,
      access_id: account.accessId,
      tell: account.telephone,
      mobile: account.mobile,
      postalcode: account.postalCode ?? '',
      email: account.email,
      address: account.address,
    };
    return answers.number(await this.#do('newuser', fields));
  }

  async createTicket(subject, description, options = {}) {
    const { type = 'webservice', importance = 'middle', notifyBySms = false, file } = options;
    const fields = { subject, description, type, importance };
    fields.sms_notification = notifyBySms ? 'yes' : 'no';
    if (file !== undefined) fields.file = file;
    return answers.number(await this.#do('ticketadd', fields));
  }

  // The way there and back

  #line(line) {
    const chosen = line ?? this.line;
    if (chosen === undefined || chosen === null) {
      throw new TypeError('no line to send from: give `line` to the client or to the send');
    }
    return String(chosen);
  }

  async #send(op, fields, options, again = false) {
    const localId = options.localId ?? newLocalId();
    const all = { from: this.#line(options.line), ...fields, localid: localId };
    if (options.time !== undefined) all.time = inTehran(options.time);
    return answers.number(await this.#call(op, all, again, localId));
  }

  /** A call that changes nothing, so that it may be repeated. */
  #ask(op, fields = {}) {
    return this.#call(op, fields, true);
  }

  /** A call that must not be carried out twice. */
  #do(op, fields = {}) {
    return this.#call(op, fields, false);
  }

  #call(op, fields, again, localId) {
    const form = new URLSearchParams({ ...this.#login, op });
    for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
    return this.#exchange(form.toString(), 'application/x-www-form-urlencoded', again, localId);
  }

  /** The answer's body. `again` says whether a request that may have arrived is repeated. */
  async #exchange(body, kind, again, localId) {
    const headers = { 'Content-Type': `${kind}; charset=UTF-8` };
    const request = { url: this.url, headers, body, timeout: this.timeout };
    let outcomeUnknown = false;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(request);
      if (outcome.body !== undefined) return outcome.body;
      outcomeUnknown ||= outcome.mayHaveArrived;
      const mayRepeat = outcome.passes && (again || !outcome.mayHaveArrived);
      if (!mayRepeat || attempt >= this.retries) {
        throw new TransportError(outcome.why, { outcomeUnknown, localId, cause: outcome.cause });
      }
      await this.#sleep(pause(attempt, outcome.retryAfter));
    }
  }

  /** One attempt: the body of the answer, or why there is none and whether that may pass. */
  async #attempt(request) {
    try {
      const { status, body, retryAfter } = await this.#transport(request);
      if (status === 200) return { body };
      const passes = PASSING_STATUSES.includes(status);
      const why = `${this.url} answers with HTTP status ${status}`;
      return { why, passes, mayHaveArrived: passes, retryAfter };
    } catch (error) {
      const isKnown = error instanceof NotSent || error instanceof AnswerLost;
      if (!isKnown) throw error;
      const mayHaveArrived = error instanceof AnswerLost;
      return { why: error.message, passes: true, mayHaveArrived, cause: error };
    }
  }
}

/** Milliseconds before the next attempt; spread, so that many clients do not come back at once. */
export function pause(attempt, asked) {
  const wanted = asked ?? PAUSE_MS * 2 ** attempt * (0.5 + Math.random());
  return Math.min(wanted, PAUSE_MS_MAX);
}

function endpoint(text) {
  const url = new URL(text);
  if (!['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError(`not the address of a web service: ${text}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('the address has no user name, query or fragment in it');
  }
  let path = url.pathname.replace(/\/+$/, '');
  if (!PATHS.some((known) => path.endsWith(known))) path += PATHS[0];
  return url.origin + path;
}

function numbers(to) {
  return typeof to === 'string' || typeof to === 'number' ? [String(to)] : Array.from(to, String);
}

function inTehran(time) {
  if (!(time instanceof Date)) return String(time);
  return new Date(time.getTime() + TEHRAN_MS).toISOString().slice(0, 19).replace('T', ' ');
}

function entries(body) {
  return answers.rows(body).map((row) => ({
    id: answers.whole(row, 'id', body),
    title: String(answers.field(row, 'title', body)),
  }));
}

/** Two sends with one name would be one send, so the name must never come twice. */
function newLocalId() {
  const octets = new Uint8Array(16);
  // Node 18 has no global `crypto`, and needs no more than different names.
  if (globalThis.crypto?.getRandomValues) globalThis.crypto.getRandomValues(octets);
  else octets.forEach((_, at) => { octets[at] = Math.random() * 256; });
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
