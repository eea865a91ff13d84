// Collections by openapi-to-postmanv2, made to run from top to bottom: the id of what was created is the id that is
// read, changed and deleted; optional parameters and headers wait switched off; each answer must be a success.
const fs = require('node:fs');
const path = require('node:path');
const { convert } = require('openapi-to-postmanv2');

const [contracts, target] = process.argv.slice(2);
const options = {
  folderStrategy: 'Tags',
  parametersResolution: 'Example',
  requestParametersResolution: 'Example',
  exampleParametersResolution: 'Example',
  includeWebhooks: false,
};
const MANDATORY_HEADERS = new Set(['content-type', 'accept']);
// The converter makes up some filters; one is enough. The name of such a parameter is the path of an attribute.
const FIRST_FILTER = 'key_0';
const FURTHER_FILTER = /^key_[1-9]/;
const EACH_ITS_OWN = { 'idempotency-key': '{{$guid}}', 'last-event-id': '' };
const STATES = ['state', 'status'];

function converted(document) {
  return new Promise((resolve, reject) => {
    convert({ type: 'json', data: document }, options, (error, result) =>
      error || !result.result ? reject(error ?? result.reason) : resolve(result.output[0].data),
    );
  });
}

function script(lines) {
  return { listen: 'test', script: { type: 'text/javascript', exec: lines } };
}

function isRequired({ description }) {
  return /^\(Required\)/.test(description?.content ?? description ?? '');
}

function isRemoval({ request }) {
  return Number(request.method === 'DELETE');
}

// The default of each query parameter of an operation: one without waits empty, as a made-up value would not work.
function defaultsOf(document, { method, url }) {
  const path = `/${url.path.join('/').replace(':id', '{id}')}`;
  const parameters = (document.paths[path][method.toLowerCase()].parameters ?? []).map(({ $ref, ...written }) =>
    $ref ? document.components.parameters[$ref.split('/').at(-1)] : written,
  );
  return new Map(parameters.map(({ name, schema }) => [name, schema?.default]));
}

// Insomnia reads nothing but the text of a URL.
function textOf({ host, path, query = [] }) {
  const sent = query.filter(({ disabled }) => !disabled).map(({ key, value }) => `${key}=${encodeURIComponent(value)}`);
  return [...host, ...path].join('/') + (sent.length ? `?${sent.join('&')}` : '');
}

function prepare(folder, item, document) {
  const { request } = item;
  const defaults = defaultsOf(document, request);
  request.url.query = request.url.query?.filter(({ key }) => !FURTHER_FILTER.test(key));
  for (const query of request.url.query ?? []) {
    query.disabled = !isRequired(query);
    if (query.disabled) query.value = String(defaults.get(query.key) ?? '');
    if (query.key === FIRST_FILTER) query.key = 'attribute';
  }
  request.url.raw = textOf(request.url);
  for (const header of request.header ?? []) {
    header.disabled = !MANDATORY_HEADERS.has(header.key.toLowerCase());
    header.value = EACH_ITS_OWN[header.key.toLowerCase()] ?? header.value;
  }
  for (const variable of request.url.variable ?? []) variable.value = `{{${folder}Id}}`;
  const lines = ["pm.test('is a success', () => pm.expect(pm.response.code).to.be.within(200, 299));"];
  const creates = request.method === 'POST' && !request.url.variable?.length;
  if (creates) lines.push(`pm.collectionVariables.set('${folder}Id', pm.response.json().id);`);
  if (request.method === 'PATCH') {
    // The sample's state belongs to a later stage of its life than the one that a new resource is in.
    const body = JSON.parse(request.body.raw);
    for (const state of STATES) delete body[state];
    request.body.raw = JSON.stringify(body, null, 2);
    request.header.find((header) => header.key === 'Content-Type').value = 'application/merge-patch+json';
  }
  item.event = [script(lines)];
}

async function main() {
  fs.mkdirSync(target, { recursive: true });
  for (const file of fs.readdirSync(contracts).filter((name) => /^[^.]+\.json$/.test(name))) {
    const document = JSON.parse(fs.readFileSync(path.join(contracts, file), 'utf8'));
    const collection = await converted(document);
    for (const folder of collection.item) {
      folder.item.sort((one, other) => isRemoval(one) - isRemoval(other));
      for (const item of folder.item) prepare(folder.name, item, document);
    }
    collection.variable = [
      { key: 'baseUrl', value: `http://127.0.0.1:8080${document.servers[0].url}` },
      ...collection.item.map((folder) => ({ key: `${folder.name}Id`, value: '' })),
    ];
    const written = path.join(target, file.replace('.json', '.postman_collection.json'));
    fs.writeFileSync(written, `${JSON.stringify(collection, null, 2)}\n`);
    console.log(written);
  }
}

main();
