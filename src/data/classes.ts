import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { dataError } from '../errors';
import { readRegular } from '../input_files';
import { packageRoot } from '../paths';
import type { EvalDataType } from './data_types';
import { parsePythonLiteral } from './python_literal';
import { NAME, TextTemplate } from './python_text';

const LARGEST = 1 << 24; // bytes of a classes file

/** Class names and caption templates for zero-shot classification. */
export interface Classes {
  /** class names; the index of a name is its label */
  classes: string[];
  /** functions that make a caption from a class name, such as name => `a photo of a ${name}.` */
  templates: ((name: string) => string)[];
}

/**
 * Reads class names and templates from a JSON file `{"classes": ["tench", …], "templates": ["a photo of a {}.", …]}`,
 * or from a Python file `{"classes": […], "templates": [lambda s: f"a photo of a {s}.", …]}`. Python is parsed, never
 * executed.
 *
 * @param file path; a file whose name ends in `.json` is read as JSON, any other as Python
 * @throws CleanclipError ERR_DATA when the file is missing, larger than 16 MiB or malformed
 */
export function readClasses(file: string): Classes {
  const source = readText(file);
  const { classes, templates } = file.endsWith('.json') ? fromJson(source, file) : fromPython(source, file);
  return {
    classes: nonEmptyList(classes, 'classes', file).map((name, i) => {
      if (typeof name === 'string' && name !== '') return name;
      if (Number.isSafeInteger(name)) return String(name);
      throw dataError(`${file}: expected the name of a class as item ${i} of "classes", found ${show(name)}.`);
    }),
    templates: nonEmptyList(templates, 'templates', file).map((template, i) => {
      if (template instanceof TextTemplate && template.hasName) return (name) => template.fill(name);
      throw dataError(
        `${file}: expected a string with a placeholder for the class as item ${i} of "templates", such as ` +
          '"a photo of a {}.".',
      );
    }),
  };
}

/**
 * Reads the class names and templates of a labelled set: from `classes.json` in its folder, else from `classes.py`,
 * else those that ship with the package for a known set. See {@link readClasses}.
 *
 * @param dataType name of the known set, if it is one
 * @throws CleanclipError ERR_DATA when none of them exists, or the file is malformed
 */
export function readClassesOf(folder: string, dataType?: EvalDataType): Classes {
  const file = ['classes.json', 'classes.py'].map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file) return readClasses(file);
  if (dataType) return readClasses(join(packageRoot, 'data', 'classes', `${dataType}.json`));
  throw dataError(
    `${folder} has neither classes.json nor classes.py: expected the class names and templates in one of them, ` +
      'or the name of a known set with --eval_data_type.',
  );
}

function fromJson(source: string, file: string): { classes: unknown; templates: unknown } {
  let value: { classes?: unknown; templates?: unknown } | null;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw dataError(`${file} is not valid JSON: ${(error as Error).message}.`, error);
  }
  const templates = value?.templates;
  return {
    classes: value?.classes,
    templates: Array.isArray(templates)
      ? templates.map((text) => (typeof text === 'string' ? placesIn(text) : text))
      : templates,
  };
}

/** Parses a template of the JSON form, in which `{}` stands for the name. */
function placesIn(text: string): TextTemplate {
  return new TextTemplate(text.split('{}').flatMap((part, i) => (i === 0 ? [part] : [NAME, part])));
}

function fromPython(source: string, file: string): { classes: unknown; templates: unknown } {
  const value = parsePythonLiteral(source, file);
  if (value instanceof Map) return { classes: value.get('classes'), templates: value.get('templates') };
  throw dataError(`${file}: expected {"classes": […], "templates": […]}.`);
}

function nonEmptyList(value: unknown, key: string, file: string): unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw dataError(`${file}: expected a list "${key}" with at least one item.`);
}

function readText(file: string): string {
  const bytes = readRegular(file, { wanted: 'class names and templates', maxBytes: LARGEST });
  if (!isUtf8(bytes)) throw dataError(`${file} is not UTF-8 text; save it as UTF-8.`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

const show = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'a list'
      : 'an object'
    : String(JSON.stringify(value)).slice(0, 200);
