#!/usr/bin/node
// Has Sallyport check a code: verify.js USER SERVICE [ADDRESS] <CODE
//
// Status 0 lets the person in, 1 does not. A panel requires this file and calls verify().
'use strict';
const fs = require('node:fs');
const net = require('node:net');

const SOCKET = '/run/sallyport/io.sallyport';
const MILLISECONDS = 10_000; // for all of it
const LONGEST = 64 << 10; // bytes of a reply

// Resolves to {allowed, message}: whether to let the person in, and what to tell them. Whatever goes wrong lets nobody in.
async function verify(user, code, service, address) {
  const parameters = { user, code, service };
  if (address) parameters.rhost = address;
  try {
    const reply = await call('io.sallyport.Login.Verify', parameters);
    return { allowed: ['granted', 'not_required'].includes(reply.verdict), message: String(reply.message) };
  } catch (e) {
    console.error(`sallyport: ${e.message}`);
    return { allowed: false, message: 'The code cannot be checked at the moment.' };
  }
}

// One Varlink call: JSON and a NUL out, JSON and a NUL back.
function call(method, parameters) {
  return new Promise((resolve, reject) => {
    const s = net.connect(SOCKET);
    const timer = setTimeout(() => s.destroy(new Error('no reply in time')), MILLISECONDS);
    let reply = Buffer.alloc(0);
    s.on('connect', () => s.write(JSON.stringify({ method, parameters }) + '\0'));
    s.on('data', (part) => {
      reply = Buffer.concat([reply, part]);
      const end = reply.indexOf(0);
      if (end < 0) {
        if (reply.length > LONGEST) s.destroy(new Error('a reply without an end'));
        return;
      }
      s.destroy();
      try {
        resolve(read(reply.subarray(0, end)));
      } catch (e) {
        reject(e);
      }
    });
    s.on('error', reject);
    s.on('close', () => {
      clearTimeout(timer);
      reject(new Error('no whole reply')); // nothing, where there was one
    });
  });
}

function read(bytes) {
  const reply = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (reply.error !== undefined) throw new Error(`${reply.error} ${JSON.stringify(reply.parameters)}`);
  return reply.parameters;
}

async function main([user, service, address, ...rest]) {
  if (!service || rest.length > 0) {
    console.error('verify.js USER SERVICE [ADDRESS] <CODE');
    return 2;
  }
  const line = Buffer.alloc(1024);
  const code = line.toString('utf8', 0, fs.readSync(0, line)).split('\n')[0];
  const { allowed, message } = await verify(user, code, service, address);
  console.log(message || 'Let in.');
  return allowed ? 0 : 1;
}

module.exports = { verify };
if (require.main === module) main(process.argv.slice(2)).then((status) => (process.exitCode = status));
