// What a user of the clients of hey-api does: one quote and one sales lead from their creation to their removal.
import { strict as assert } from 'node:assert';
import * as quotes from './heyApi648';
import { client as quoteClient } from './heyApi648/client.gen';
import * as sales from './heyApi699';
import { client as salesClient } from './heyApi699/client.gen';

async function quote(baseUrl: string) {
  quoteClient.setConfig({ baseUrl });
  const body: quotes.QuoteCreate = {
    category: 'enterprise',
    description: 'First',
    quoteItem: [{ id: '1', action: 'add', quoteItem: [{ id: '2', action: 'add' }] }],
    relatedParty: [{ id: 'hey-api', '@referredType': 'Organization' }],
  };
  const created: quotes.Quote | undefined = (await quotes.createQuote({ body })).data;
  assert(created?.id);
  assert.equal(created.state, 'inProgress');
  assert.equal(created.quoteItem?.[0]?.quoteItem?.[0]?.id, '2');
  assert((await quotes.createQuote({ body })).data);

  const path = { id: created.id };
  assert.deepEqual((await quotes.retrieveQuote({ path })).data, created);

  const page = await quotes.listQuote({ query: { criteria: { 'relatedParty.id': 'hey-api' }, limit: 1 } });
  assert.equal(page.response.headers.get('X-Total-Count'), '2');
  assert.match(page.response.headers.get('Link') ?? '', /rel="next"/);
  assert.equal(page.data?.length, 1);

  const changed = await quotes.patchQuote({ path, body: { category: 'residential', description: null } });
  assert.equal(changed.data?.category, 'residential');
  assert.equal(changed.data?.description, undefined);

  const operations = [{ op: 'replace', path: '/category', value: 'enterprise' }];
  const headers = { 'Content-Type': 'application/json-patch+json' };
  const patched = await quotes.patchQuote({ path, headers, body: operations as quotes.QuoteMergePatch });
  assert.equal(patched.data?.category, 'enterprise');

  const wrong: quotes.Error | undefined = (await quotes.createQuote({ body: { quoteItem: [] } })).error;
  assert.equal(wrong?.status, '400');
  assert.match(wrong?.message ?? '', /\/quoteItem/);
  const conflict: quotes.Error | undefined = (await quotes.patchQuote({ path, body: { state: 'accepted' } })).error;
  assert.equal(conflict?.status, '409');

  const subscription = (await quotes.registerListener({ body: { callback: 'http://127.0.0.1:9/hey-api' } })).data;
  assert(subscription);
  assert.equal(subscription.query, null);
  assert.equal((await quotes.unregisterListener({ path: { id: subscription.id } })).response?.status, 204);

  assert.equal((await quotes.deleteQuote({ path })).response?.status, 204);
  assert.equal((await quotes.retrieveQuote({ path })).error?.code, 'notFound');
}

async function lead(baseUrl: string) {
  salesClient.setConfig({ baseUrl });
  const created = (await sales.createSalesLead({ body: { name: 'Campaign', rating: 'hot', priority: 'high' } })).data;
  assert(created);
  assert.equal(created.status, 'acknowledged');

  const path = { id: created.id };
  const changed = (await sales.patchSalesLead({ path, body: { status: 'inProgress', rating: null } })).data;
  assert.equal(changed?.status, 'inProgress');
  assert.equal(changed?.rating, undefined);

  assert.equal((await sales.createSalesLead({ body: { name: 'x'.repeat(513) } })).error?.code, 'invalidBody');
  assert.equal((await sales.deleteSalesLead({ path })).response?.status, 204);
}

quote(`${process.argv[2]}/tmf-api/quoteManagement/v4`)
  .then(() => lead(`${process.argv[2]}/tmf-api/sales/v4`))
  .then(() => console.log('round trip done'));
