// A small shop with no drain at all: SIGTERM ends the process where it stands.
import { DatabaseSync } from 'node:sqlite';
import express from 'express';

const [address = '127.0.0.1:18080', databaseFile = 'shop.db'] = process.argv.slice(2);
const [host, port] = address.split(':');

const database = new DatabaseSync(databaseFile, { timeout: 20_000 });
database.exec('pragma journal_mode = wal; pragma synchronous = normal');
database.exec('create table if not exists orders (id text not null)');
const insert = database.prepare('insert into orders (id) values (?)');

const shop = express();
shop.use((request, response, next) => {
  response.set('X-App-Version', process.env.APP_VERSION ?? '');
  next();
});
shop.get('/items/:id', (request, response) => {
  const { id } = request.params;
  response.json({ id: Number(id), name: `Item ${id}` });
});
shop.get('/report', (request, response) => {
  setTimeout(() => response.json({ sold: 42 }), 300);
});
shop.post('/orders', express.json(), (request, response) => {
  const id = request.body?.id;
  if (typeof id !== 'string') return response.status(400).json({ error: 'an order needs an id' });
  insert.run(id);
  response.status(201).json({ id });
});
shop.get('/healthz', (request, response) => response.json({ ready: true }));

shop.listen(Number(port), host, (error) => {
  if (error) throw error;
});
