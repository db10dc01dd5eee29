// Reads the answers of the service. Each function takes the body and gives the data, or throws what the
// answer says: ApiError, AddressDenied, ProtocolError.

import { AddressDenied, ApiError, ProtocolError } from './errors.mjs';

export const CONTACT_SAVED = 102;
export const BULK_CANCELLED = 455;
export const BULK_UNKNOWN = 456;

const MOMENT = /^(\d{4})[-/](\d{2})[-/](\d{2}) (\d{2}:\d{2}:\d{2})$/;

/** The JSON of an answer, whatever it is. */
export function decoded(body) {
  const trimmed = body.trim();
  if (trimmed === 'deny' || trimmed === '"deny"') throw new AddressDenied();
  return parse(trimmed, 'JSON', body);
}

/** Throws what `[code,"text"]` says. */
export function refuse(value) {
  const error = refusal(value);
  if (error !== null) throw error;
}

/** `data` of `[0,data]`. */
export function data(body) {
  const value = decoded(body);
  refuse(value);
  if (Array.isArray(value) && value.length === 2 && isWhole(value[0])) return value[1];
  throw new ProtocolError('[0,data]', body);
}

/** `[0,number]` or `[0,"number"]`. */
export function number(body) {
  return toWhole(data(body), body);
}

/** A number alone. */
export function bareNumber(body) {
  const value = decoded(body);
  refuse(value);
  return toWhole(value, body);
}

/** `[0,"text"]`. */
export function text(body) {
  const value = data(body);
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw new ProtocolError('a text', body);
  return value;
}

/** The JSON that stands in the text of `[0,"…"]`. */
export function inner(body) {
  return parse(text(body), 'JSON in a text', body);
}

/** The list of objects that stands in the text; objects may be texts in turn. */
export function rows(body) {
  const found = inner(body);
  if (!Array.isArray(found)) throw new ProtocolError('a list', body);
  return found.map((item) => {
    const row = typeof item === 'string' ? parse(item, 'objects', body) : item;
    if (!isObject(row)) throw new ProtocolError('objects', body);
    return row;
  });
}

/** `data` of `{"status":{"code":0,…},"data":…}`; also answers `[code,"text"]`. */
export function envelope(body, success = [0]) {
  const value = decoded(body);
  const refused = refusal(value);
  if (refused !== null) {
    if (success.includes(refused.code)) return {};
    throw refused;
  }
  const status = isObject(value) ? value.status : undefined;
  if (!isObject(status) || !isWhole(status.code)) {
    throw new ProtocolError('{"status":{"code":…},"data":…}', body);
  }
  const code = Number(status.code);
  if (!success.includes(code)) throw new ApiError(code, String(status.message ?? ''));
  return isObject(value.data) ? value.data : {};
}

/** A time of the service, which is Tehran's. Iran has had no summer time since 2022. */
export function moment(words, body) {
  const found = MOMENT.exec(words);
  const time = found && new Date(`${found[1]}-${found[2]}-${found[3]}T${found[4]}+03:30`);
  if (!time || Number.isNaN(time.getTime())) throw new ProtocolError('a time', body);
  return time;
}

/** A value that must be there. */
export function field(row, name, body) {
  if (row[name] === undefined || row[name] === null) {
    throw new ProtocolError(`\`${name}\` in each object`, body);
  }
  return row[name];
}

/** A whole number that must be there. */
export function whole(row, name, body) {
  return toWhole(field(row, name, body), body);
}

function refusal(value) {
  if (!Array.isArray(value) || !isWhole(value[0]) || Number(value[0]) === 0) return null;
  const words = value[1] ?? '';
  return typeof words === 'string' ? new ApiError(Number(value[0]), words) : null;
}

function parse(words, expected, body) {
  try {
    return JSON.parse(words);
  } catch {
    throw new ProtocolError(expected, body);
  }
}

function toWhole(value, body) {
  if (isWhole(value)) return Number(value);
  throw new ProtocolError('a whole number', body);
}

function isWhole(value) {
  return typeof value === 'string' ? /^\d+$/.test(value) : Number.isSafeInteger(value);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
