// node-zookeeper-client on a server, as a story in which every line is certain. Argument: PORT.
'use strict';

const net = require('net');
const zookeeper = require('node-zookeeper-client');
const { ACL, CreateMode, Id, Permission } = zookeeper;

const PATIENCE_MS = 20000;

function say(story, ...what) {
  console.log(`${story}: ${what.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' ')}`);
}

function within(promise, what) {
  const late = new Promise((_, fail) => {
    setTimeout(() => fail(new Error(`waited in vain: ${what}`)), PATIENCE_MS).unref();
  });
  return Promise.race([promise, late]);
}

// What the callback of client.<method>(...) gets, or the name of its error.
function ask(client, method, ...given) {
  return within(new Promise((done) => {
    client[method](...given, (error, ...result) => done(error ? error.getName() : result));
  }), method);
}

// The same, with a watcher: [the event that will come, the results].
async function watch(client, method, path) {
  let fire;
  const event = new Promise((done) => { fire = done; });
  const result = await ask(client, method, path, (seen) => fire(`${seen.getName()} ${seen.getPath()}`));
  return [within(event, `${method} of ${path}`), result];
}

// A port through which a client comes to the server, until it is shut.
class Relay {
  constructor(to) {
    this.open = true;
    this.sockets = new Set();
    this.server = net.createServer((from) => {
      if (!this.open) return from.destroy();
      const onward = net.connect(to, '127.0.0.1');
      for (const [one, other] of [[from, onward], [onward, from]]) {
        this.sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => { this.sockets.delete(one); other.destroy(); });
        one.pipe(other);
      }
      return undefined;
    });
  }

  start() {
    return new Promise((done) => { this.server.listen(0, '127.0.0.1', () => done(this.server.address().port)); });
  }

  shut() {
    this.open = false;
    for (const one of this.sockets) one.destroy();
  }
}

// Until a client is in a state.
function until(client, state) {
  return within(new Promise((done) => {
    const look = () => { if (client.getState().getName() === state) done(); };
    client.on('state', look);
    look();
  }), state);
}

async function connect(port, sessionTimeout) {
  const client = zookeeper.createClient(`127.0.0.1:${port}`, { sessionTimeout, spinDelay: 100 });
  client.connect();
  await until(client, 'SYNC_CONNECTED');
  return client;
}

const text = (result) => (typeof result === 'string' ? result : result[0].toString());
const version = (result) => (typeof result === 'string' ? result : result[result.length - 1].version);
const number = (buffer) => buffer.readBigInt64BE(0);

async function operations(one, other) {
  say('operations', await ask(one, 'create', '/app', Buffer.from('first')),
    await ask(one, 'create', '/app/s-', CreateMode.PERSISTENT_SEQUENTIAL),
    await ask(one, 'create', '/app/e', CreateMode.EPHEMERAL),
    await ask(one, 'create', '/app/s-', CreateMode.EPHEMERAL_SEQUENTIAL));
  const [data, stat] = await ask(other, 'getData', '/app');
  say('operations', data.toString(), stat.version, stat.cversion, stat.aversion, stat.dataLength, stat.numChildren,
    number(stat.czxid) === number(stat.mzxid), number(stat.pzxid) > number(stat.czxid));
  const [ephemeral] = await ask(other, 'exists', '/app/e');
  say('operations', ephemeral.ephemeralOwner.equals(one.getSessionId()));
  const [children] = await ask(other, 'getChildren', '/app');
  say('operations', children.sort());
  say('operations', version(await ask(one, 'setData', '/app', Buffer.from('second'), 0)),
    text(await ask(other, 'getData', '/app')));
  say('operations', await ask(one, 'mkdirp', '/app/deep/er'),
    (await ask(one, 'listSubTreeBFS', '/app/deep'))[0].sort());
  say('operations', await ask(one, 'removeRecursive', '/app/deep'), await ask(one, 'exists', '/app/deep'));
  say('errors', await ask(one, 'getData', '/none'), await ask(one, 'getChildren', '/none'),
    await ask(one, 'create', '/app'), await ask(one, 'create', '/none/child'), await ask(one, 'create', '/app/e/child'),
    await ask(one, 'setData', '/app', Buffer.alloc(0), 7), await ask(one, 'setData', '/none', Buffer.alloc(0)),
    await ask(one, 'remove', '/app'), await ask(one, 'remove', '/app/e', 5), await ask(one, 'remove', '/none'));
  say('operations', await ask(one, 'remove', '/app/e', 0), await ask(one, 'create', '/empty'),
    await ask(one, 'getData', '/empty').then(([none]) => none === undefined));
}

async function transactions(one, other) {
  const good = one.transaction().check('/app', 1).create('/app/m', Buffer.from('x'))
    .setData('/app/m', Buffer.from('y')).create('/app/gone').remove('/app/gone');
  const [results] = await ask(good, 'commit');
  say('transactions', results.map((result) => result.type), results[1].path, results[2].stat.version);
  const bad = one.transaction().create('/app/n').check('/app', 9).remove('/app/m');
  const seen = await within(new Promise((done) => {
    bad.commit((error, all) => done([error.getName(), ...all.map((result) => result.err)]));
  }), 'the transaction');
  say('transactions', seen, await ask(other, 'exists', '/app/n'), text(await ask(other, 'getData', '/app/m')));
}

async function access(one, other) {
  const digest = new Id('digest', 'ann:jCGiEdrYj+1tqpDzBMq0fBTrD9E=');  // of "ann:secret"
  const list = (result) => (typeof result === 'string' ? result
    : result[0].map((entry) => [entry.permission, entry.id.scheme, entry.id.id]));
  say('access', await ask(one, 'create', '/private', Buffer.from('x'), [new ACL(Permission.ALL, digest)]));
  say('access', await ask(one, 'getData', '/private').then(text), await ask(one, 'getACL', '/private'));
  one.addAuthInfo('digest', Buffer.from('ann:secret'));
  say('access', await ask(one, 'getData', '/private').then(text), list(await ask(one, 'getACL', '/private')));
  say('access', await ask(other, 'getData', '/private').then(text),
    await ask(other, 'setData', '/private', Buffer.alloc(0)), await ask(other, 'getChildren', '/private'));
  const opened = [...ACL.CREATOR_ALL_ACL, ...ACL.READ_ACL_UNSAFE];
  say('access', version(await ask(one, 'setACL', '/private', opened, 0)), list(await ask(other, 'getACL', '/private')));
  say('access', await ask(one, 'setACL', '/private', ACL.OPEN_ACL_UNSAFE, 7),
    await ask(one, 'setACL', '/private', [new ACL(Permission.ALL, new Id('odd', 'x'))]),
    await ask(other, 'create', '/odd', ACL.CREATOR_ALL_ACL));
}

async function watches(one, other) {
  say('watches', await ask(one, 'create', '/watched'));
  const [changed] = await watch(one, 'getData', '/watched');
  const [grown] = await watch(one, 'getChildren', '/watched');
  const [born] = await watch(one, 'exists', '/watched/child');
  await ask(other, 'create', '/watched/child');
  say('watches', await born, await grown);
  await ask(other, 'setData', '/watched', Buffer.from('x'));
  say('watches', await changed);
  const [gone] = await watch(one, 'exists', '/watched/child');
  await ask(other, 'remove', '/watched/child');
  say('watches', await gone);
  const [refused] = await watch(other, 'getData', '/watched/none');
  const [late] = await watch(other, 'exists', '/watched/none');
  await ask(one, 'create', '/watched/none');
  say('watches', await late, await Promise.race([refused, 'no watch without a node']));
}

async function returning(port, other) {
  const relay = new Relay(port);
  const one = await connect(await relay.start(), 8000);
  const session = one.getSessionId();
  one.addAuthInfo('digest', Buffer.from('ann:secret'));
  await ask(one, 'create', '/returning', CreateMode.EPHEMERAL);
  const [changed] = await watch(one, 'getData', '/returning');
  const [born] = await watch(one, 'exists', '/returning-too');
  relay.shut();
  await until(one, 'DISCONNECTED');
  await ask(other, 'setData', '/returning', Buffer.from('x'));
  relay.open = true;
  say('returning', await changed);
  await ask(other, 'create', '/returning-too');
  say('returning', await born);
  say('returning', one.getSessionId().equals(session), text(await ask(one, 'getData', '/returning')),
    version(await ask(one, 'setData', '/private', Buffer.from('z'))));
  const [gone] = await watch(other, 'exists', '/returning');
  one.close();
  say('returning', await gone);
  relay.server.close();
}

async function expiry(port, other) {
  const relay = new Relay(port);
  const one = await connect(await relay.start(), 1000);
  await ask(one, 'create', '/expiring', CreateMode.EPHEMERAL);
  const [gone] = await watch(other, 'exists', '/expiring');
  relay.shut();
  say('expiry', await gone);
  relay.open = true;
  await until(one, 'EXPIRED');
  say('expiry', one.getState().getName());
  relay.server.close();
}

async function sizes(one) {
  say('sizes', await ask(one, 'create', '/large', Buffer.alloc(1000000, 'x')),
    (await ask(one, 'getData', '/large'))[0].length);
  say('sizes', await ask(one, 'setData', '/large', Buffer.alloc(1048576)));
  await until(one, 'SYNC_CONNECTED');
  const made = await Promise.all(Array.from({ length: 200 },
    () => ask(one, 'create', '/large/s-', CreateMode.PERSISTENT_SEQUENTIAL)));
  say('sizes', made[0], made[199], (await ask(one, 'getChildren', '/large'))[0].length);
}

async function main(port) {
  const one = await connect(port, 8000);
  const other = await connect(port, 8000);
  await operations(one, other);
  await transactions(one, other);
  await access(one, other);
  await watches(one, other);
  await returning(port, other);
  await expiry(port, other);
  await sizes(one);
  const [names] = await ask(other, 'getChildren', '/');
  say('end', names.sort());
  one.close();
  other.close();
}

main(Number(process.argv[2])).then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
