export { load, loadMetadata, type LoadOptions, warningOf } from './load';
export type { Unread } from './pickle/plain';
export { save, saveAsync, type SaveOptions } from './save';
export { IntDict, OrderedDict, PyFloat, PyObject, PyTuple } from '../python_values';
