import { workerData } from 'node:worker_threads';

import { torch } from '../torch';
import { type Part, type Recipe, RowFiller } from './row_filler';
import { serveTasks } from './worker_pool';

torch.setThreadLocalThreads(1);
const filler = new RowFiller(workerData as Recipe);
serveTasks((part: Part) => filler.fill(part));
