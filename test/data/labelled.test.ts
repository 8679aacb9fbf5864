import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readClasses } from '../../src/data/classes';
import { readLabelledSet } from '../../src/data/labelled';
import { temporaryFolder } from './temporary';

const json = JSON.stringify({ classes: ['cat', 'dog', 'fox'], templates: ['a photo of a {}.', '{} or {}'] });
const python =
  '{\n "classes": ["cat", "dog", "fox"],\n "superclasses": [["cat", "fox"], ["dog"]],\n "templates": [lambda s: ' +
  'f"a photo of a {s}.", lambda s: f"{s} or {s}"]\n}\n';
const labels = 'image,label\nimages/a.png,2\n/elsewhere/b.png,0\n';

test.each([
  ['classes.json', json],
  ['classes.py', python],
])('a folder with labels.csv and %s is read', async (name, classes) => {
  const folder = temporaryFolder({ 'labels.csv': labels, [name]: classes });
  const set = await readLabelledSet(folder);
  expect(set.images).toEqual([join(folder, 'images/a.png'), '/elsewhere/b.png']);
  expect([...set.labels]).toEqual([2, 0]);
  expect(set.classes).toEqual(['cat', 'dog', 'fox']);
  expect(set.templates.map((template) => template('{fox}'))).toEqual(['a photo of a {fox}.', '{fox} or {fox}']);
});

test('classes.json is preferred to classes.py', async () => {
  const folder = temporaryFolder({ 'labels.csv': 'image,label\na.png,0\n', 'classes.json': json, 'classes.py': '{}' });
  expect((await readLabelledSet(folder)).classes).toHaveLength(3);
});

test.each([
  ['image,label\na.png,3\n', /line 2: expected an integer from 0 to 2, .* found "3"/],
  ['image,label\na.png,0\nb.png,cat\n', /line 3: .* found "cat"/],
  ['image,label\na.png,1.5\n', /found "1.5"/],
  ['image,label\na.png,-1\n', /found "-1"/],
  ['image,label\na.png,\n', /found ""/],
  ['image,label\n,1\n', /line 2: it names no image/],
  ['image,label\na.png,1,2\n', /line 2: it has 3 fields where the header has 2/],
  ['image,label\n', /header but no rows/],
  ['image,class\na.png,1\n', /no column "label"; its columns are "image", "class"/],
])('labels.csv that cannot be used is refused (%#)', async (text, message) => {
  const folder = temporaryFolder({ 'labels.csv': text, 'classes.json': json });
  await expect(readLabelledSet(folder)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(message),
  });
});

test('a folder without classes is refused', async () => {
  const folder = temporaryFolder({ 'labels.csv': labels });
  await expect(readLabelledSet(folder)).rejects.toThrow(/neither classes\.json nor classes\.py/);
});

test.each([
  ['{', /not valid JSON/],
  ['null', /expected a list "classes"/],
  ['{"classes": []}', /expected a list "classes" with at least one item/],
  ['{"classes": ["a", 1.5], "templates": ["{}"]}', /the name of a class as item 1 of "classes", found 1.5/],
  ['{"classes": ["a"], "templates": "a {}"}', /expected a list "templates"/],
  ['{"classes": ["a"], "templates": ["{}", "a photo."]}', /item 1 of "templates"/],
])('classes.json that says something else is refused (%#)', (text, message) => {
  const file = join(temporaryFolder({ 'classes.json': text }), 'classes.json');
  expect(() => readClasses(file)).toThrow(message);
});

test('classes.py that says something else is refused, and a missing file', () => {
  const folder = temporaryFolder({ 'a.py': '["cat"]', 'b.py': '{"classes": ["a"], "templates": [lambda s: "photo"]}' });
  expect(() => readClasses(join(folder, 'a.py'))).toThrow(/expected {"classes"/);
  expect(() => readClasses(join(folder, 'b.py'))).toThrow(/item 0 of "templates"/);
  expect(() => readClasses(join(folder, 'c.py'))).toThrow(/c\.py.*no such file/);
});

test('labels.csv with an index column, blanks, CR LF, quotes and labels of pandas beside gaps', async () => {
  const csv = '\uFEFF,image, label \r\n0, a.jpg , 1\r\n1,"b, c.jpg",0.0\n2,"d.jpg","1"\r';
  const folder = temporaryFolder({ 'labels.csv': csv, 'classes.json': '{"classes": ["cat", 7], "templates": ["{}"]}' });
  const set = await readLabelledSet(folder);
  expect(set.images).toEqual(['a.jpg', 'b, c.jpg', 'd.jpg'].map((name) => join(folder, name)));
  expect(Array.from(set.labels)).toEqual([1, 0, 1]);
  expect(set.classes).toEqual(['cat', '7']);
});

test.each([
  ['cat', /line 2: expected an integer from 0 to 1.*found "cat", which is the name of class 0: write the number/],
  ['0.5', /found "0.5"/],
  ['2', /found "2"/],
  ['-1', /found "-1"/],
  ['', /found ""/],
])('the label %p is refused', async (label, message) => {
  const folder = temporaryFolder({
    'labels.csv': `image,label\na.jpg,${label}\n`,
    'classes.json': '{"classes": ["cat", "dog"], "templates": ["{}"]}',
  });
  await expect(readLabelledSet(folder)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(message),
  });
});

test.each([
  [5, {}],
  ['x', null],
  ['x', 5],
])('arguments of another kind are refused (%#)', async (folder, options) => {
  await expect(readLabelledSet(folder as string, options as object)).rejects.toMatchObject({ code: 'ERR_OPTION' });
});

test.each([
  ['labels.csv', undefined],
  ['classes.json', undefined],
  ['classes.py', undefined],
  ['test_32x32.mat', 'SVHN'],
  ['cifar-10-batches-py/test_batch', 'CIFAR10'],
  ['cifar-10-batches-bin/test_batch.bin', 'CIFAR10'],
  ['food-101/meta/test.json', 'Food101'],
  ['oxford-iiit-pet/annotations/test.txt', 'OxfordIIITPet'],
  ['gtsrb/GT-final_test.csv', 'GTSRB'],
] as const)('a FIFO as %s is refused at once', async (name, dataType) => {
  const folder = temporaryFolder(name.startsWith('classes') ? {} : { 'classes.json': json });
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  execFileSync('mkfifo', [join(folder, name)]);
  await expect(readLabelledSet(folder, { dataType })).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining('is a FIFO'),
  });
});
