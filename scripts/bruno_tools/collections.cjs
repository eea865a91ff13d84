// Bruno collections, by Bruno's own converter, of the Postman collections: they run from top to bottom as those do.
const fs = require('node:fs');
const path = require('node:path');
const { postmanToBruno } = require('@usebruno/converters');
const { stringifyCollection, stringifyFolder, stringifyRequest } = require('@usebruno/filestore');

const [postman, target] = process.argv.slice(2);
const format = { format: 'bru' };

function fileName(name) {
  return name.replace(/[^A-Za-z0-9 ]+/g, '').replaceAll(' ', '-');
}

// The converter takes {{baseUrl}} for a host, and adds the parameters that are switched off.
function urlOf({ url, params }) {
  const query = params.filter((each) => each.type === 'query' && each.enabled);
  const path = url.slice(url.indexOf('}}') + 2).replace(/\?.*/, '');
  return `{{baseUrl}}${path}${query.map(({ name, value }, index) => `${index ? '&' : '?'}${name}=${value}`).join('')}`;
}

function writeItems(items, folder) {
  items.forEach((item, index) => {
    const file = fileName(item.name);
    item.seq = index + 1;
    if (item.type === 'folder') {
      fs.mkdirSync(path.join(folder, file));
      item.root.meta = { name: item.name, seq: item.seq };
      fs.writeFileSync(path.join(folder, file, 'folder.bru'), stringifyFolder(item.root, format));
      writeItems(item.items, path.join(folder, file));
    } else {
      item.request.url = urlOf(item.request);
      fs.writeFileSync(path.join(folder, `${file}.bru`), stringifyRequest(item, format));
    }
  });
}

async function main() {
  for (const file of fs.readdirSync(postman)) {
    const source = JSON.parse(fs.readFileSync(path.join(postman, file), 'utf8'));
    const { collection } = await postmanToBruno(source);
    const folder = path.join(target, file.replace('.postman_collection.json', ''));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    const manifest = { version: '1', name: collection.name, type: 'collection' };
    fs.writeFileSync(path.join(folder, 'bruno.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    fs.writeFileSync(path.join(folder, 'collection.bru'), stringifyCollection(collection.root, manifest, format));
    writeItems(collection.items, folder);
    console.log(folder);
  }
}

main();
