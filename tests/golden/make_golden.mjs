// Makes the golden bytes of this folder with the producers' own client libraries, so that the
// adapters are tested against what they really send. Run by hand, when a client's format may have
// changed; the results are committed:
//   npm install && node make_golden.mjs
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { HTTP, Kafka, CloudEvent } from 'cloudevents'
import { OpenMeter } from '@openmeter/sdk'
import { HeaderSchemaIdSerializer, ProtobufSerializer, SchemaRegistryClient, SerdeType }
  from '@confluentinc/schemaregistry'

const write = (name, value) =>
  writeFileSync(name, Buffer.isBuffer(value) ? value : `${JSON.stringify(value, null, 1)}\n`)

// --- cloudevents --------------------------------------------------------------------------

const usage = {
  provider: 'openai',
  model: 'gpt-5',
  team: 'search',
  input_uncached: 86,
  cache_read: '1920',
  output_text: 108,
}
const cloudEvent = (id, data) =>
  new CloudEvent({
    id,
    source: '/gateways/eu-1',
    type: 'gauger.usage',
    time: '2027-01-16T10:00:00.250Z',
    subject: 'customer-7',
    datacontenttype: 'application/json',
    data,
  })
const events = [cloudEvent('ce-1', usage), cloudEvent('ce-2', { ...usage, output_text: 1 })]
write('cloudevents_structured.json', JSON.parse(HTTP.structured(events[0]).body))
write('cloudevents_batch.json', events.map((event) => event.toJSON()))
const binary = Kafka.binary(events[0])
write('cloudevents_kafka_binary.json', { headers: binary.headers, value: JSON.stringify(binary.value) })
const structured = Kafka.structured(events[0])
write('cloudevents_kafka_structured.json', { headers: structured.headers, value: structured.value })
const http = HTTP.binary(events[0])
write('cloudevents_http_binary.json', { headers: http.headers, value: http.body })

// --- OpenMeter ----------------------------------------------------------------------------

const requests = []
const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const value = Buffer.concat(chunks).toString()
    requests.push({ headers: { 'content-type': request.headers['content-type'] }, value })
    response.writeHead(204).end()
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const openmeter = new OpenMeter({ baseUrl: `http://127.0.0.1:${server.address().port}`, apiKey: 'x' })
const tokens = (id, type, count) => ({
  id,
  source: 'my-app',
  type: 'prompt',
  subject: 'customer-1',
  time: new Date('2027-01-16T10:00:00.000Z'),
  data: { tokens: count, type, model: 'gpt-4-turbo', provider: 'openai', route: '/chat' },
})
await openmeter.events.ingest(tokens('om-1', 'input', '123'))
await openmeter.events.ingest([tokens('om-2', 'input', 100), tokens('om-3', 'output', '7')])
server.close()
write('openmeter_single.json', requests[0])
write('openmeter_batch.json', requests[1])

// --- Confluent ----------------------------------------------------------------------------

const root = new URL('../..', import.meta.url).pathname
const set = '/tmp/gauger-descriptors.binpb'
execFileSync('protoc', [`--proto_path=${root}`, '--include_imports', `--descriptor_set_out=${set}`,
  'schemas/usage_event.proto'])
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(set)))
const UsageEvent = registry.getMessage('gauger.v1.UsageEvent')
const UsageEventBatch = registry.getMessage('gauger.v1.UsageEventBatch')
const message = (id) =>
  create(UsageEvent, {
    source: 'gw-1',
    id,
    completedAt: create(TimestampSchema, { seconds: 1800007200n }),
    team: 'search',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    inputUncached: 2000n,
    outputText: 503n,
  })
const client = SchemaRegistryClient.newClient({ baseURLs: ['mock://'] })
const serializer = (schemaIdSerializer) => {
  const made = new ProtobufSerializer(client, SerdeType.VALUE,
    { autoRegisterSchemas: true, schemaIdSerializer })
  for (const type of [UsageEvent, UsageEventBatch]) made.registry.add(type)
  return made
}
write('confluent_event.bin', Buffer.from(await serializer().serialize('usage', message('cf-1'))))
const batch = create(UsageEventBatch, { events: [message('cf-2'), message('cf-3')] })
write('confluent_batch.bin', Buffer.from(await serializer().serialize('usage', batch)))
const headers = {}
const value = await serializer(HeaderSchemaIdSerializer).serialize('usage', message('cf-4'), headers)
write('confluent_header.json', {
  header_base64: Buffer.from(headers.__value_schema_id).toString('base64'),
  value_base64: Buffer.from(value).toString('base64'),
})
