// Kong's own converter (openapi-2-kong), from the gateways' form of each contract.
const fs = require('node:fs');
const path = require('node:path');
const { generate } = require('openapi-2-kong');

const [contracts, target] = process.argv.slice(2);

async function main() {
  fs.mkdirSync(target, { recursive: true });
  for (const file of fs.readdirSync(contracts).filter((name) => name.endsWith('.gateway.yaml'))) {
    const { documents } = await generate(path.join(contracts, file), 'kong-declarative-config');
    const written = path.join(target, file.replace('.gateway.yaml', '.kong.json'));
    fs.writeFileSync(written, `${JSON.stringify(documents[0], null, 2)}\n`);
    console.log(written);
  }
}

main();
