import { pathToFileURL } from 'node:url';

import type * as Observable from '@observablehq/plot';

/** Observable Plot, and a document in which it makes its elements. */
export interface PlotLibrary {
  Plot: typeof Observable;
  document: NonNullable<Observable.PlotOptions['document']>;
}

// Observable Plot is an ES module. TypeScript would compile `import()` to `require`, which Node 20.17 refuses for it.
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>;

let library: Promise<PlotLibrary> | undefined;

/** Loads the library that draws pictures, once. Its elements are made by linkedom, a light DOM. */
export async function plotLibrary(): Promise<PlotLibrary> {
  library ??= (async () => {
    const file = pathToFileURL(require.resolve('@observablehq/plot')).href;
    const [Plot, { parseHTML }] = await Promise.all([importModule(file), import('linkedom')]);
    return { Plot: Plot as typeof Observable, document: parseHTML('<html></html>').document };
  })();
  return library;
}
