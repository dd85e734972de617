'use strict';

// Reads COUNT Avro events from a queue, and prints each as a line of JSON. The writers' schemas come from a registry,
// by the fingerprint at the beginning of each payload.
//
//   AMQP_URI, QUEUE, COUNT, REGISTRY (base URL of its API, without /subjects), SUBJECT
//
// Numbers of 64 bits are printed as decimal text and bytes in hexadecimal, so that no digit is lost.

const amqp = require('amqplib');
const avro = require('avsc');

const EMPTY = 0xc15d213aa4d7a795n;
const TABLE = Array.from({ length: 256 }, (_, i) => {
  let crc = BigInt(i);
  for (let bit = 0; bit < 8; bit++) {
    crc = (crc >> 1n) ^ (crc & 1n ? EMPTY : 0n);
  }
  return crc;
});

/** CRC-64-AVRO, as in Avro's specification. */
function fingerprint(text) {
  let crc = EMPTY;
  for (const byte of Buffer.from(text, 'utf8')) {
    crc = (crc >> 8n) ^ TABLE[Number((crc ^ BigInt(byte)) & 0xffn)];
  }
  return crc;
}

const NAMED = ['record', 'enum', 'fixed'];

/** The parsing canonical form: full names, seven attributes in their order, nothing else. */
function canonical(schema, namespace) {
  if (typeof schema === 'string') {
    return JSON.stringify(isPrimitive(schema) ? schema : fullName(schema, namespace));
  }
  if (Array.isArray(schema)) {
    return '[' + schema.map((branch) => canonical(branch, namespace)).join(',') + ']';
  }
  const { type } = schema;
  if (typeof type !== 'string') {
    return canonical(type, namespace);
  }
  if (isPrimitive(type)) {
    return JSON.stringify(type);
  }
  if (type === 'array') {
    return '{"type":"array","items":' + canonical(schema.items, namespace) + '}';
  }
  if (type === 'map') {
    return '{"type":"map","values":' + canonical(schema.values, namespace) + '}';
  }
  if (!NAMED.includes(type)) {
    return canonical(type, namespace);
  }
  const name = fullName(schema.name, schema.namespace === undefined ? namespace : schema.namespace);
  const inside = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  let text = '{"name":' + JSON.stringify(name) + ',"type":"' + type + '"';
  if (type === 'record') {
    const fields = schema.fields.map(
      (field) => '{"name":' + JSON.stringify(field.name) + ',"type":' + canonical(field.type, inside) + '}'
    );
    text += ',"fields":[' + fields.join(',') + ']';
  } else if (type === 'enum') {
    text += ',"symbols":' + JSON.stringify(schema.symbols);
  } else {
    text += ',"size":' + schema.size;
  }
  return text + '}';
}

function isPrimitive(type) {
  return ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].includes(type);
}

function fullName(name, namespace) {
  return name.includes('.') || !namespace ? name : namespace + '.' + name;
}

/** All 64 bits of a long, which do not fit into a JavaScript number. */
const LONG = avro.types.LongType.__with({
  fromBuffer: (buffer) => buffer.readBigInt64LE(),
  toBuffer: (value) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value) => typeof value === 'bigint',
  compare: (a, b) => (a === b ? 0 : a < b ? -1 : 1),
});

async function json(url) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url} answers ${response.status}`);
  }
  return response.json();
}

/** The types of all versions of a subject, by fingerprint. */
async function typesOf(registry, subject) {
  const base = `${registry}/subjects/${encodeURIComponent(subject)}/versions`;
  const types = new Map();
  for (const version of await json(base)) {
    const schema = JSON.parse((await json(`${base}/${version}`)).schema);
    types.set(fingerprint(canonical(schema, '')), avro.Type.forSchema(schema, { registry: { long: LONG } }));
  }
  return types;
}

function decode(body, types) {
  if (body.length < 10 || body[0] !== 0xc3 || body[1] !== 0x01) {
    throw new Error('not single-object encoded');
  }
  const print = body.readBigUInt64LE(2);
  const type = types.get(print);
  if (!type) {
    throw new Error(`no version has the fingerprint ${print.toString(16)}`);
  }
  return type.fromBuffer(body.subarray(10)); // throws if bytes remain
}

function printable(key, value) {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  return value && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value;
}

async function main() {
  const { AMQP_URI, QUEUE, COUNT, REGISTRY, SUBJECT } = process.env;
  const types = await typesOf(REGISTRY, SUBJECT);
  const connection = await amqp.connect(AMQP_URI);
  try {
    await readSoMany(connection, QUEUE, Number(COUNT), types);
  } finally {
    await connection.close().catch(() => {}); // it may already be closed; the original error is thrown anyway
  }
}

async function readSoMany(connection, queue, count, types) {
  const channel = await connection.createChannel();
  await channel.prefetch(100);
  let left = count;
  await new Promise((resolve, reject) => {
    connection.on('error', reject);
    channel.on('error', reject);
    channel.consume(queue, (message) => {
      if (left === 0) {
        return; // enough; the message returns to the queue when the channel closes
      }
      if (message === null) {
        reject(new Error(`the queue ${queue} is gone`));
        return;
      }
      try {
        process.stdout.write(JSON.stringify(decode(message.content, types), printable) + '\n');
        channel.ack(message);
        if (--left === 0) {
          resolve();
        }
      } catch (failure) {
        left = 0;
        reject(failure);
      }
    }).catch(reject);
  });
  await channel.close();
}

main().catch((failure) => {
  process.stderr.write(`${failure.stack}\n`);
  process.exitCode = 1;
});
