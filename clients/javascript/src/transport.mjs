// One HTTP request and its answer, through `fetch`. It does not follow redirections, which would carry
// the password elsewhere, and it tells what never left from what may have arrived.

/** Octets of the longest answer that is read: the delivery of 100,000 recipients takes 3 MiB. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** What `fetch` of Node says when no connection was made. Other errors may come after the request. */
const NEVER_LEFT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|.*SELF_SIGNED.*|UNABLE_TO_.*)$/;

/** The request never left: nothing was done. */
export class NotSent extends Error {}

/** The request left, or may have, but its answer did not come whole: it may have been done. */
export class AnswerLost extends Error {}

/** The transport of every client that is given no other. */
export async function post({ url, headers, body, timeout }) {
  try {
    const signal = AbortSignal.timeout(timeout);
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    const asked = answer.headers.get('retry-after');
    return {
      status: answer.status,
      body: await readAll(answer),
      retryAfter: asked !== null && /^\d+$/.test(asked) ? Number(asked) * 1000 : undefined,
    };
  } catch (error) {
    const cause = error.cause ?? error;
    const why = `${new URL(url).host}: ${cause.message || cause.code || error.message}`;
    if (NEVER_LEFT.test(String(cause.code ?? ''))) {
      throw new NotSent(`cannot reach ${why}`, { cause: error });
    }
    throw new AnswerLost(`no answer of ${why}`, { cause: error });
  }
}

async function readAll(answer) {
  if (answer.body === null) return '';
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  let text = '';
  let octets = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    octets += value.byteLength;
    if (octets > ANSWER_BYTES_MAX) {
      await reader.cancel();
      throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} octets`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
