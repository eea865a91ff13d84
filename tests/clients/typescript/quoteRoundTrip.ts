// What a user of the Quote types does: one quote from its creation to its removal.
import { strict as assert } from 'node:assert';
import createClient from 'openapi-fetch';
import type { components, paths } from './tmf648.js';

type TmfError = components['schemas']['Error'];

const client = createClient<paths>({ baseUrl: `${process.argv[2]}/tmf-api/quoteManagement/v4` });

const body: components['schemas']['Quote_Create'] = {
  category: 'enterprise',
  description: 'First',
  quoteItem: [{ id: '1', action: 'add', quoteItem: [{ id: '2', action: 'add' }] }],
  relatedParty: [{ id: 'typescript', '@referredType': 'Organization' }],
};
const created = await client.POST('/quote', { body });
assert.equal(created.response.status, 201);
assert(created.data && created.data.id);
assert.equal(created.data.state, 'inProgress');
assert.equal(created.data.quoteItem?.[0]?.quoteItem?.[0]?.id, '2');
assert((await client.POST('/quote', { body })).data);

const path = { id: created.data.id };
assert.deepEqual((await client.GET('/quote/{id}', { params: { path } })).data, created.data);

const criteria = { 'relatedParty.id': 'typescript' };
const flat = (query: Record<string, unknown>) => {
  const { criteria: more, ...rest } = query;
  return new URLSearchParams({ ...rest, ...(more as object) } as Record<string, string>).toString();
};
const found = await client.GET('/quote', { params: { query: { criteria } }, querySerializer: flat });
assert.equal(found.data?.length, 2);

const page = await client.GET('/quote', { params: { query: { criteria, limit: 1 } }, querySerializer: flat });
assert.equal(page.response.status, 206);
assert.equal(page.response.headers.get('X-Total-Count'), '2');
assert.equal(page.data?.length, 1);

const changed = await client.PATCH('/quote/{id}', {
  params: { path },
  body: { category: 'residential', description: null },
  headers: { 'Content-Type': 'application/merge-patch+json' },
});
assert.equal(changed.data?.category, 'residential');
assert.equal(changed.data?.description, undefined);

const operations = [{ op: 'replace', path: '/category', value: 'enterprise' }];
const patched = await client.PATCH('/quote/{id}', {
  params: { path },
  body: operations as components['schemas']['Quote_MergePatch'],
  headers: { 'Content-Type': 'application/json-patch+json' },
});
assert.equal(patched.data?.category, 'enterprise');

const wrong = await client.POST('/quote', { body: { quoteItem: [] } });
assert.equal(wrong.response.status, 400);
const rejected: TmfError | undefined = wrong.error;
assert.match(rejected?.message ?? '', /quoteItem/);
const conflict = await client.PATCH('/quote/{id}', {
  params: { path },
  body: { state: 'accepted' },
  headers: { 'Content-Type': 'application/merge-patch+json' },
});
const conflicting: TmfError | undefined = conflict.error;
assert.equal(conflicting?.status, '409');

const subscription = await client.POST('/hub', { body: { callback: 'http://127.0.0.1:9/typescript' } });
assert(subscription.data);
assert.equal(subscription.data.query, null);
const hub = { params: { path: { id: subscription.data.id } } };
assert.equal((await client.DELETE('/hub/{id}', hub)).response.status, 204);

assert.equal((await client.DELETE('/quote/{id}', { params: { path } })).response.status, 204);
const gone = await client.GET('/quote/{id}', { params: { path } });
const missing: TmfError | undefined = gone.error;
assert.deepEqual([missing?.status, missing?.code], ['404', 'notFound']);

console.log('round trip done');
