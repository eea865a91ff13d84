// What a user of openapi-generator's clients for fetch does: one quote and one sales lead from creation to removal.
import { strict as assert } from 'node:assert';
import * as quotes from './tmf648';
import * as sales from './tmf699';

// The contract's Error with which a call ends; the client throws the response.
async function errorOf(call: Promise<unknown>): Promise<quotes.ModelError> {
  const rejected: unknown = await call.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  );
  assert(rejected instanceof quotes.ResponseError || rejected instanceof sales.ResponseError);
  return quotes.ModelErrorFromJSON(await rejected.response.json());
}

async function quote(basePath: string) {
  const configuration = new quotes.Configuration({ basePath });
  const api = new quotes.QuoteApi(configuration);
  const hub = new quotes.HubApi(configuration);
  const quoteCreate: quotes.QuoteCreate = {
    category: 'enterprise',
    description: 'First',
    quoteItem: [{ id: '1', action: 'add', quoteItem: [{ id: '2', action: 'add' }] }],
    relatedParty: [{ id: 'typescript-fetch', atReferredType: 'Organization' }],
  };
  const created = await api.createQuote({ quoteCreate });
  const id = created.id;
  assert(id);
  assert.equal(created.state, quotes.QuoteStateType.InProgress);
  assert.equal(created.quoteItem?.[0]?.quoteItem?.[0]?.id, '2');
  await api.createQuote({ quoteCreate });
  assert.deepEqual(await api.retrieveQuote({ id }), created);

  const page = await api.listQuoteRaw({ criteria: { 'relatedParty.id': 'typescript-fetch' }, limit: 1 });
  assert.equal(page.raw.status, 206);
  assert.equal(page.raw.headers.get('X-Total-Count'), '2');
  assert.match(page.raw.headers.get('Link') ?? '', /rel="next"/);
  assert.equal((await page.value()).length, 1);

  const changed = await api.patchQuote({ id, quoteMergePatch: { category: 'residential', description: null } });
  assert.equal(changed.category, 'residential');
  assert.equal(changed.description, undefined);

  const operations = [{ op: 'replace', path: '/category', value: 'enterprise' }];
  const patched = await api.patchQuote({ id, quoteMergePatch: {} }, async ({ init }) => ({
    headers: { ...init.headers, 'Content-Type': 'application/json-patch+json' },
    body: new Blob([JSON.stringify(operations)]), // the client would write a string as JSON once more
  }));
  assert.equal(patched.category, 'enterprise');

  const wrong = await errorOf(api.createQuote({ quoteCreate: { quoteItem: [] } }));
  assert.equal(wrong.status, '400');
  assert.match(wrong.message, /\/quoteItem/);
  const conflict = await errorOf(api.patchQuote({ id, quoteMergePatch: { state: quotes.QuoteStateType.Accepted } }));
  assert.equal(conflict.status, '409');

  const eventSubscriptionInput = { callback: 'http://127.0.0.1:9/typescript-fetch' };
  const subscription = await hub.registerListener({ eventSubscriptionInput });
  assert.equal(subscription.query, null);
  await hub.unregisterListener({ id: subscription.id });

  await api.deleteQuote({ id });
  assert.equal((await errorOf(api.retrieveQuote({ id }))).code, 'notFound');
}

async function lead(basePath: string) {
  const api = new sales.SalesLeadApi(new sales.Configuration({ basePath }));
  const { id, status } = await api.createSalesLead({ salesLeadCreate: { name: 'Campaign', rating: 'hot' } });
  assert.equal(status, sales.SalesLeadStateType.Acknowledged);

  const salesLeadMergePatch = { status: sales.SalesLeadStateType.InProgress, rating: null };
  const changed = await api.patchSalesLead({ id, salesLeadMergePatch });
  assert.equal(changed.status, sales.SalesLeadStateType.InProgress);
  assert.equal(changed.rating, undefined);
  await api.deleteSalesLead({ id });
}

quote(`${process.argv[2]}/tmf-api/quoteManagement/v4`)
  .then(() => lead(`${process.argv[2]}/tmf-api/sales/v4`))
  .then(() => console.log('round trip done'));
