// Writes cjs/ from src/, for programs that `require`. It knows the few forms of import and export that
// src/ uses, and refuses any other.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const source = new URL('../src/', import.meta.url);
const target = new URL('../cjs/', import.meta.url);

function convert(text) {
  const exported = [];
  const converted = text
    .replace(/^import \* as (\w+) from '\.\/(\w+)\.mjs';$/gm, "const $1 = require('./$2.cjs');")
    .replace(/^import \{ ([\w, ]+) \} from '\.\/(\w+)\.mjs';$/gm, "const { $1 } = require('./$2.cjs');")
    .replace(/^export \{ ([\w, ]+) \} from '\.\/(\w+)\.mjs';$/gm, (_, names, from) => {
      exported.push(...names.split(', '));
      return `const { ${names} } = require('./${from}.cjs');`;
    })
    .replace(/^export ((?:async )?function|class|const) (\w+)/gm, (_, kind, name) => {
      exported.push(name);
      return `${kind} ${name}`;
    });
  if (/^(import|export) /m.test(converted)) throw new Error('a form that is not known here');
  return `'use strict';\n${converted}\nmodule.exports = { ${exported.join(', ')} };\n`;
}

mkdirSync(target, { recursive: true });
for (const file of readdirSync(source).filter((name) => name.endsWith('.mjs'))) {
  const text = readFileSync(new URL(file, source), 'utf8');
  writeFileSync(new URL(file.replace('.mjs', '.cjs'), target), convert(text));
}
// The types are the same; only the name tells TypeScript which kind of module they describe.
copyFileSync(new URL('../index.d.ts', import.meta.url), new URL('index.d.cts', target));
