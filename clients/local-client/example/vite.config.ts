import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic' },
  // An application has the package in its node_modules; this one lies within it.
  resolve: { alias: { 'passerelle-local-client': new URL('../dist/index.js', import.meta.url).pathname } },
});
