// What can go wrong, in the ways in which callers tell it apart.

import { NAMES } from './codes.mjs';

/** How much of a strange answer an error shows. */
const SHOWN_MAX = 200;

/** Anything that went wrong in a call of the service. */
export class PeykError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The service refused. `code` is the number on the wire, `codeName` its name, `text` its words. */
export class ApiError extends PeykError {
  constructor(code, text = '') {
    const codeName = NAMES[code] ?? 'Unknown';
    super(text === '' ? `${code} ${codeName}` : `${code} ${codeName}: ${text}`);
    this.code = code;
    this.codeName = codeName;
    this.text = text;
  }
}

/** The address of this machine is not on the account's list of addresses. */
export class AddressDenied extends PeykError {
  constructor() {
    super("this machine's address is not on the account's list of addresses");
  }
}

/**
 * No answer of the service came. `outcomeUnknown` says whether it may have done what was asked. After
 * a send, the same send with `localId` is safe within 24 hours: it is not sent twice.
 */
export class TransportError extends PeykError {
  constructor(message, { outcomeUnknown, localId, cause } = {}) {
    super(message, { cause });
    this.outcomeUnknown = outcomeUnknown;
    this.localId = localId;
  }
}

/** Something answered, but not in the words of the service: mostly a wrong address. */
export class ProtocolError extends PeykError {
  constructor(expected, body) {
    const shown = body.slice(0, SHOWN_MAX);
    super(`expected ${expected}, but the answer is: ${JSON.stringify(shown)}`);
    this.body = shown;
  }
}
