// An SMSC on the npm package `smpp`. It prints its port, then one JSON line for each message as
// that package decodes it, and sends receipts that say `delivered` in text only.
'use strict';
const smpp = require('smpp');

let lastId = 7000;
// Sessions that take what is delivered.
const receivers = new Set();

function print(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

// The package gives the information elements of the header one by one.
function segment(elements) {
  for (const element of elements || []) {
    if (element[0] === 0x00) {
      return { reference: element[2], total: element[3], number: element[4] };
    }
    if (element[0] === 0x08) {
      return { reference: element.readUInt16BE(2), total: element[4], number: element[5] };
    }
  }
  return null;
}

function receipt(pdu, id) {
  return {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 `
      + 'stat:DELIVRD err:000 text:',
  };
}

function takeSubmit(session, pdu) {
  const id = String(++lastId);
  print({
    to: pdu.destination_addr,
    from: pdu.source_addr,
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
    segment: segment(pdu.short_message.udh),
    text: pdu.short_message.message,
  });
  session.send(pdu.response({ message_id: id }));
  if (pdu.registered_delivery & 1) {
    setTimeout(() => [...receivers][0].deliver_sm(receipt(pdu, id)), 30);
  }
}

const server = smpp.createServer((session) => {
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, (pdu) => {
      session.send(pdu.response({ system_id: 'node' }));
      if (bind !== 'bind_transmitter') receivers.add(session);
    });
  }
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => session.send(pdu.response(), () => session.close()));
  session.on('submit_sm', (pdu) => takeSubmit(session, pdu));
  session.on('error', () => session.close());
  session.on('close', () => receivers.delete(session));
});
server.listen(0, '127.0.0.1', () => print({ port: server.address().port }));

// The test's end closes our input.
process.stdin.on('end', () => process.exit(0)).resume();
