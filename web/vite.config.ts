import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The fonts' licence asks that its text comes with them. */
function fontLicences(): Plugin {
  const packages = {
    "ibm-plex-sans": "@fontsource-variable/ibm-plex-sans",
    "ibm-plex-mono": "@fontsource/ibm-plex-mono",
  };
  return {
    name: "font-licences",
    apply: "build",
    generateBundle() {
      for (const [name, folder] of Object.entries(packages)) {
        const source = readFileSync(new URL(`node_modules/${folder}/LICENSE`, import.meta.url));
        this.emitFile({ type: "asset", fileName: `licences/${name}.txt`, source });
      }
    },
  };
}

const proxy = { "/api": process.env.PANICLE_SERVER ?? "http://127.0.0.1:7171" };

export default defineConfig({
  plugins: [react(), fontLicences()],
  build: {
    target: "es2022",
    // Data URLs of scripts and fonts are not allowed by the server's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy },
  preview: { proxy },
});
