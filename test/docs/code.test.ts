import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command } from 'commander';
import ts from 'typescript';

import * as api from '../../src';
import { command as doctor } from '../../src/cli/doctor';
import { addOptions, normaliseArguments, toInput } from '../../src/cli/option_table';
import { command as setup } from '../../src/cli/setup';
import { commandLineFlags } from '../../src/options/command_line';
import { commandName, type JobCommand, type JobCommandName, jobCommands } from '../../src/options/commands';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { type Block, blocks, files, pages, root, withoutCode } from './pages';

const all = pages.flatMap(blocks);
const place = ({ page, line }: Block): string => `${page}:${line}`;

test('every block of code says its language', () => {
  expect(all.filter(({ language }) => !/^(js|ts|sh|text|mermaid)$/.test(language)).map(place)).toEqual([]);
});

const moduleOf = (block: Block): string =>
  block.page === 'docs/reference.md' ? exampleModule(block) : asModule(block);

test('JavaScript and TypeScript fit the types of the package, in the examples of the reference too', () => {
  const sources = new Map(
    [...all, ...blocks('docs/reference.md')]
      .filter(({ language, code }) => /^[jt]s$/.test(language) && !code.includes('…'))
      .map((block) => [`${root}/${block.page}.${block.line}.ts`, block]),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noImplicitAny: false, // the blocks are JavaScript
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.Preserve,
    types: ['node'],
    paths: { cleanclip: [`${root}/dist/index.d.ts`] },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => (sources.has(path) ? moduleOf(sources.get(path)!) : readFile(path));
  host.getSourceFile = (path, target, ...rest) =>
    sources.has(path)
      ? ts.createSourceFile(path, moduleOf(sources.get(path)!), target)
      : getSourceFile(path, target, ...rest);
  const faults = ts.getPreEmitDiagnostics(ts.createProgram([...sources.keys()], options, host));
  expect(
    faults.map(({ file, start = 0, messageText }) => {
      const block = sources.get(file!.fileName)!;
      const code = file!.text.slice(start, file!.text.indexOf('\n', start));
      return `${place(block)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} (${code})`;
    }),
  ).toEqual([]);
});

/** What the examples of the API reference take as given. */
const GIVEN = `
declare const ids: Tensor, pixels: Tensor, image: Tensor, imageEmbeds: Tensor, textEmbeds: Tensor, parameters: Tensor[];
declare const clip: Clip, optimizer: AdamW, loss: Tensor, table: PairTable;
`;

/** An example of the reference as a module that has every export of the package at hand. */
function exampleModule({ code }: Block): string {
  const names = Object.keys(api).filter((name) => name !== 'default');
  return `import { ${names.join(', ')}, type PairTable } from 'cleanclip';\n${GIVEN}{\n${code}\n}\nexport {};\n`;
}

/** A block as a module, in which `cc` is the package; `require` becomes an import, which types know. */
function asModule({ code, preamble }: Block): string {
  const imports = /\bcc = require|import .* from 'cleanclip'/.test(code) ? '' : "import cc = require('cleanclip');\n";
  const body = code
    .replace(/^const (\w+) = require\(('[^']+')\);/gm, 'import $1 = require($2);')
    .replace(/^const (\{[^}]+\}) = require\(('[^']+')\);/gm, 'import $1 from $2;');
  return `${imports}${preamble}${body}\nexport {};\n`;
}

/** The commands of a text: lines that end in \ are joined, comments and what stands for more left out. */
const commands = (text: string): string[] =>
  text
    .replace(/\\\n/g, ' ')
    .split(/\n|&&|\|/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .replace(/…|\.\.\.$/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');

const tables: Record<string, JobCommand> = {
  'cleanclip-train': { flags: trainOptions, required: [] },
  ...Object.fromEntries(
    Object.entries(jobCommands).map(([job, command]) => [`cleanclip ${commandName(job as JobCommandName)}`, command]),
  ),
};

/** What is wrong with a command line of the package; undefined when nothing is, or when it is not one. */
function faultIn(line: string): string | undefined {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c);
  const at = words.findIndex((word) => word === 'cleanclip' || word === 'cleanclip-train');
  if (at < 0 || words[at - 1] === 'install') return undefined;
  const name = words[at] === 'cleanclip' ? `cleanclip ${words[at + 1]}` : words[at];
  const given = words.slice(at + name.split(' ').length);
  try {
    if (name === 'cleanclip setup' || name === 'cleanclip doctor') {
      const { options } = name === 'cleanclip setup' ? setup : doctor;
      const unknown = given.find((flag) => !options.some(({ long }) => long === flag));
      return unknown === undefined ? undefined : `${line}: ${name} has no ${unknown}`;
    }
    const table = tables[name];
    if (table === undefined) return `${line}: there is no command ${name}`;
    const { flags, args = {}, aliases, required } = table;
    const program = addOptions(new Command(name), { ...flags, ...commandLineFlags })
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    for (const [arg, { several }] of Object.entries(args)) {
      const words = `${arg}${several ? '...' : ''}`;
      program.argument(required.includes(arg) ? `<${words}>` : `[${words}]`);
    }
    program.allowExcessArguments(false).parse(normaliseArguments(given, flags, aliases), { from: 'user' });
    resolve(flags, toInput(flags, program.opts()));
    return undefined;
  } catch (error) {
    return `${line}: ${(error as Error).message}`;
  }
}

test('every command line of the package has flags and values that it takes', () => {
  const lines = all.filter(({ language }) => language === 'sh').flatMap(({ code }) => commands(code));
  expect(lines.filter((line) => line.includes('cleanclip-train')).length).toBeGreaterThan(10);
  expect(lines.map(faultIn).filter(Boolean)).toEqual([]);
});

test('a wrong flag, value and command would be told', () => {
  expect(faultIn('npx cleanclip-train --train_dat x.csv')).toMatch(/no option --train_dat/);
  expect(faultIn('cleanclip poison --num_backdoor none')).toMatch(/num_backdoor must be/);
  expect(faultIn('cleanclip upload')).toMatch(/no command/);
});

/** The code within the sentences and tables of a page. */
const inline = (page: string): string[] => [...withoutCode(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);
const everywhere = [...pages.flatMap(inline), ...all.flatMap(({ code }) => code.split('\n'))];

test('every npm script and program that is named exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const named = everywhere.flatMap((code) => [...code.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name));
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const programs = everywhere.flatMap((code) =>
    [...code.matchAll(/\bnode ([\w/]+\.[mc]?js)/g)].map(([, path]) => path),
  );
  expect(programs.filter((path) => path.includes('/') && !files.includes(path))).toEqual([]);
});

test('every command of the package that a sentence names exists', () => {
  const named = pages
    .flatMap(inline)
    .flatMap((code) => [...code.matchAll(/(?:^|npx )(cleanclip [a-z-]+)/g)].map(([, name]) => name));
  expect(named.filter((name) => !(name in tables) && !/ (setup|doctor)$/.test(name))).toEqual([]);
});

test('every flag that a sentence names is one of a command or of a script', () => {
  const names = Object.values(tables).flatMap(({ flags, args }) => Object.keys({ ...args, ...flags }));
  const scripts = files
    .filter((file) => /^(scripts|bench|test\/fuzz|src\/cli|examples)\/.*\.[mc]?[jt]s$/.test(file))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const named = pages.flatMap((page) =>
    inline(page)
      .flatMap((code) => [...code.matchAll(/^--([\w-]+)/g)].map(([, flag]) => flag))
      .filter((flag) => flag !== 'help' && !names.includes(flag.replaceAll('-', '_')))
      .filter((flag) => !new RegExp(`--${flag}\\b|\\b${flag}: \\{? ?type:`).test(scripts))
      .map((flag) => `${page}: --${flag}`),
  );
  expect(named).toEqual([]);
});
