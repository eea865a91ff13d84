// Kong's own converter (openapi-2-kong), from the gateways' form of each contract.
//
// The converter puts the base path into the service and leaves it out of the routes: clients would call /quote and /hub,
// the links of the service would have no route, and both APIs would share /hub. Here the base path goes into the routes.
const fs = require('node:fs');
const path = require('node:path');
const { generate } = require('openapi-2-kong');

const [contracts, target] = process.argv.slice(2);

function withBasePathInRoutes(configuration) {
  for (const service of configuration.services) {
    for (const route of service.routes) {
      route.paths = route.paths.map((each) => service.path + each);
    }
    delete service.path;
  }
  return configuration;
}

async function main() {
  fs.mkdirSync(target, { recursive: true });
  for (const file of fs.readdirSync(contracts).filter((name) => name.endsWith('.gateway.yaml'))) {
    const { documents } = await generate(path.join(contracts, file), 'kong-declarative-config');
    const written = path.join(target, file.replace('.gateway.yaml', '.kong.json'));
    fs.writeFileSync(written, `${JSON.stringify(withBasePathInRoutes(documents[0]), null, 2)}\n`);
    console.log(written);
  }
}

main();
