// What `import` gives: the named exports of what `require` gives, which is also the default export.
export * from './dist/public.js';
export { default } from './dist/public.js';
