// Requests as Node programs write them. Arguments: the base URL and the habit; prints the raw reply.
const http = require('http');
const [, , base, habit] = process.argv;
const fields = {
  op: 'send', uname: 'shop', pass: 'secret-1', from: '+983000505',
  message: 'سلام «علی»\n5% & <b>', to: ['09121110001', '+989351110002'],
};
const asText = { ...fields, to: JSON.stringify(fields.to) };

function request(options, body) {
  const sent = http.request(`${base}/services.jspd`, { method: 'POST', ...options }, (reply) => {
    reply.setEncoding('utf8');
    reply.on('data', (piece) => process.stdout.write(piece));
  });
  sent.on('error', (error) => { console.error(error); process.exit(1); });
  sent.end(body);
}

async function fetched(body, headers) {
  const reply = await fetch(`${base}/services.jspd`, { method: 'POST', body, headers });
  process.stdout.write(await reply.text());
}

const habits = {
  'fetch-json': () => fetched(JSON.stringify(fields), { 'Content-Type': 'application/json' }),
  'fetch-form': () => fetched(new URLSearchParams(asText)),
  'fetch-multipart': () => {
    const form = new FormData();
    Object.entries(asText).forEach(([name, value]) => form.append(name, value));
    return fetched(form);
  },
  // As the package `request` writes `json: true`, with numbers as numbers.
  'request-json': () => {
    const body = JSON.stringify({ ...fields, from: 3000505, to: [9121110001, 9351110002] });
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    request({ headers }, body);
  },
  // No length: the body comes in chunks, and without a content type.
  'http-chunked': () => request({}, new URLSearchParams(asText).toString()),
};
habits[habit]();
