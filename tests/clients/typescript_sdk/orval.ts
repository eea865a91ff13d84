// What a user of the clients of orval does: one quote and one sales lead from their creation to their removal.
import { strict as assert } from 'node:assert';
import * as quotes from './orval648';
import * as sales from './orval699';

// The generated functions fetch paths below the base URL, as a page of the same origin does.
const fetchUrl = globalThis.fetch;
const below = (baseUrl: string) => {
  globalThis.fetch = (path, init) => fetchUrl(`${baseUrl}${path}`, init);
};

async function quote(baseUrl: string) {
  below(baseUrl);
  const body: quotes.QuoteCreate = {
    category: 'enterprise',
    description: 'First',
    quoteItem: [{ id: '1', action: 'add', quoteItem: [{ id: '2', action: 'add' }] }],
    relatedParty: [{ id: 'orval', '@referredType': 'Organization' }],
  };
  const created = await quotes.createQuote(body);
  assert(created.status === 201);
  const id = created.data.id;
  assert(id);
  assert.equal(created.data.state, 'inProgress');
  assert.equal(created.data.quoteItem?.[0]?.quoteItem?.[0]?.id, '2');
  assert.equal((await quotes.createQuote(body)).status, 201);

  const read = await quotes.retrieveQuote(id);
  assert.deepEqual(read.data, created.data);
  assert(read.headers.get('ETag'));

  const page = await quotes.listQuote({ filter: "relatedParty[?(@.id=='orval')]", limit: 1 });
  assert(page.status === 206);
  assert.equal(page.headers.get('X-Total-Count'), '2');
  assert.equal(page.data.length, 1);

  const changed = await quotes.patchQuote(id, { category: 'residential', description: null });
  assert(changed.status === 200);
  assert.equal(changed.data.category, 'residential');
  assert.equal(changed.data.description, undefined);

  const operations = [{ op: 'replace', path: '/category', value: 'enterprise' }];
  const headers = { 'Content-Type': 'application/json-patch+json' };
  const patched = await quotes.patchQuote(id, operations as quotes.QuoteMergePatch, undefined, { headers });
  assert(patched.status === 200);
  assert.equal(patched.data.category, 'enterprise');

  const wrong = await quotes.createQuote({ quoteItem: [] });
  assert(wrong.status === 400);
  assert.match(wrong.data.message, /\/quoteItem/);
  const conflict = await quotes.patchQuote(id, { state: 'accepted' });
  assert(conflict.status === 409);
  assert.equal(conflict.data.status, '409');

  const subscription = await quotes.registerListener({ callback: 'http://127.0.0.1:9/orval' });
  assert(subscription.status === 201);
  assert.equal(subscription.data.query, null);
  assert.equal((await quotes.unregisterListener(subscription.data.id)).status, 204);

  assert.equal((await quotes.deleteQuote(id)).status, 204);
  const gone = await quotes.retrieveQuote(id);
  assert(gone.status === 404);
  assert.equal(gone.data.code, 'notFound');
}

async function lead(baseUrl: string) {
  below(baseUrl);
  const created = await sales.createSalesLead({ name: 'Campaign', rating: 'hot', priority: 'high' });
  assert(created.status === 201);
  assert.equal(created.data.status, 'acknowledged');

  const changed = await sales.patchSalesLead(created.data.id, { status: 'inProgress', rating: null });
  assert(changed.status === 200);
  assert.equal(changed.data.status, 'inProgress');
  assert.equal(changed.data.rating, undefined);
  assert.equal((await sales.deleteSalesLead(created.data.id)).status, 204);
}

quote(`${process.argv[2]}/tmf-api/quoteManagement/v4`)
  .then(() => lead(`${process.argv[2]}/tmf-api/sales/v4`))
  .then(() => console.log('round trip done'));
