export { load, loadMetadata } from './load';
export { save } from './save';
export { IntDict, OrderedDict, PyFloat, PyTuple } from './values';
