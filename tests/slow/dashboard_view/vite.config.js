import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic' },
  build: { outDir: 'dist', target: 'esnext', minify: false, chunkSizeWarningLimit: 20000 },
});
