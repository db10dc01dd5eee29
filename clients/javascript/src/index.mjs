// A client of the peyk SMS service, with no dependencies: Node 18 or newer, and whatever has `fetch`.

export { Client } from './client.mjs';
export { AddressDenied, ApiError, PeykError, ProtocolError, TransportError } from './errors.mjs';
export { AnswerLost, NotSent } from './transport.mjs';
