import { pathToFileURL } from 'node:url';

import { ParquetFile, type Task } from './parquet_file';
import { serveTasks } from './worker_pool';

// TypeScript would turn import() into require(), which cannot load these packages.
const load = new Function('url', 'return import(url)') as (url: string) => Promise<object>;
const loadPackage = (name: string): Promise<object> => load(pathToFileURL(require.resolve(name)).href);

let file: ParquetFile | undefined;

serveTasks(async (task: Task) => {
  if (file?.path !== task.file) {
    file?.close();
    file = undefined;
    file = await ParquetFile.open(task.file, loadPackage);
  }
  return task.columns === undefined ? file.describe() : file.rows(task.group, task.columns);
});
