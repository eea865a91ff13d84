// What a user of the Sales types does: one sales lead from its creation to its removal.
import { strict as assert } from 'node:assert';
import createClient from 'openapi-fetch';
import type { components, paths } from './tmf699.js';

type SalesLead = components['schemas']['SalesLead'];
type TmfError = components['schemas']['Error'];

const client = createClient<paths>({ baseUrl: `${process.argv[2]}/tmf-api/sales/v4` });

const body: components['schemas']['SalesLead_Create'] = {
  name: 'Campaign',
  rating: 'hot',
  priority: 'high',
  relatedParty: [{ id: 'typescript', '@referredType': 'Individual' }],
};
const created = await client.POST('/salesLead', { body });
assert.equal(created.response.status, 201);
const lead: SalesLead | undefined = created.data;
assert(lead);
assert.equal(lead.status, 'acknowledged');
assert((await client.POST('/salesLead', { body })).data);

const path = { id: lead.id };
assert.deepEqual((await client.GET('/salesLead/{id}', { params: { path } })).data, lead);

const criteria = { 'relatedParty.id': 'typescript' };
const flat = (query: Record<string, unknown>) => {
  const { criteria: more, ...rest } = query;
  return new URLSearchParams({ ...rest, ...(more as object) } as Record<string, string>).toString();
};
const found = await client.GET('/salesLead', { params: { query: { criteria } }, querySerializer: flat });
assert.equal(found.data?.length, 2);

const page = await client.GET('/salesLead', { params: { query: { criteria, limit: 1 } }, querySerializer: flat });
assert.equal(page.response.status, 206);
assert.equal(page.response.headers.get('X-Total-Count'), '2');
assert.equal(page.data?.length, 1);

const changed = await client.PATCH('/salesLead/{id}', {
  params: { path },
  body: { status: 'inProgress', rating: null },
  headers: { 'Content-Type': 'application/merge-patch+json' },
});
assert.equal(changed.data?.status, 'inProgress');
assert.equal(changed.data?.rating, undefined);

const wrong = await client.POST('/salesLead', { body: { name: 'x'.repeat(513) } });
assert.equal(wrong.response.status, 400);
const refused: TmfError | undefined = wrong.error;
assert.equal(refused?.code, 'invalidBody');

assert.equal((await client.DELETE('/salesLead/{id}', { params: { path } })).response.status, 204);
const gone = await client.GET('/salesLead/{id}', { params: { path } });
const missing: TmfError | undefined = gone.error;
assert.deepEqual([missing?.status, missing?.code], ['404', 'notFound']);

console.log('round trip done');
