// Fastify with ajv over a Map: what a fast framework of another language does with the same contract's schemas.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const port = Number(process.env.BENCH_PORT)
const base = '/tmf-api/quoteManagement/v4/quote'
const url = `http://127.0.0.1:${port}${base}`
const schema = (name) => JSON.parse(readFileSync(`${process.env.BENCH_SCHEMAS}/${name}.json`, 'utf8'))

const app = Fastify({
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false } },
})
app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))

const stored = new Map()

function completed(body) {
  const id = randomUUID()
  const quote = { id, href: `${url}/${id}`, ...body }
  if (body.requestedQuoteCompletionDate) quote.expectedQuoteCompletionDate ??= body.requestedQuoteCompletionDate
  quote.quoteDate ??= new Date().toISOString()
  quote.state ??= 'inProgress'
  quote.version ??= '1'
  for (const item of quote.quoteItem ?? []) item.state ??= 'inProgress'
  return quote
}

function merge(target, patch) { // RFC 7386
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch
  const merged = target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value)
  }
  return merged
}

app.post(base, { schema: { body: schema('create') } }, (request, reply) => {
  const quote = completed(request.body)
  stored.set(quote.id, quote)
  reply.code(201).header('location', quote.href).send(quote)
})

app.get(`${base}/:id`, (request, reply) => {
  const quote = stored.get(request.params.id)
  if (quote) reply.send(quote)
  else reply.code(404).send({ code: 'notFound' })
})

app.get(base, (request, reply) => {
  const { externalId, fields = '' } = request.query
  const limit = Number(request.query.limit ?? 100)
  if (!(Number.isInteger(limit) && limit >= 0 && limit <= 1000)) return reply.code(400).send({ code: 'invalidQuery' })
  const page = []
  let total = 0
  if (externalId === undefined) {
    total = stored.size
    for (const quote of stored.values()) {
      if (page.length >= limit) break
      page.push(quote)
    }
  } else {
    const names = ['id', 'href', ...fields.split(',')]
    for (const quote of stored.values()) {
      if (quote.externalId !== externalId) continue
      total += 1
      if (page.length < limit) {
        page.push(Object.fromEntries(names.filter((name) => name in quote).map((name) => [name, quote[name]])))
      }
    }
  }
  reply.header('x-total-count', total).header('x-result-count', page.length).send(page)
})

const update = schema('update')
app.patch(`${base}/:id`, { schema: { body: schema('merge') } }, (request, reply) => {
  const quote = stored.get(request.params.id)
  if (!quote) return reply.code(404).send({ code: 'notFound' })
  const merged = merge(quote, request.body)
  if (!request.validateInput(merged, update)) return reply.code(409).send({ code: 'patchResultRefused' })
  stored.set(merged.id, merged)
  return reply.send(merged)
})

await app.listen({ host: '127.0.0.1', port })
