// Builds the page into dist/: what Cockpit serves from /usr/share/cockpit/sallyport. Needs nothing but node_modules.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { catalogue, manifestCatalogue, readPo } from "./po/po.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/** Cockpit's own script is loaded by the page, and its fonts are Cockpit's. */
const fromCockpit = {
    name: "from-cockpit",
    setup(build) {
        build.onResolve({ filter: /^cockpit$/ }, () => ({ path: "cockpit", namespace: "global" }));
        build.onLoad({ filter: /.*/, namespace: "global" }, () => ({ contents: "export default window.cockpit" }));
        build.onResolve({ filter: /\.woff2$/ }, (args) => ({ path: `../../static/fonts/${basename(args.path)}`, external: true }));
    },
};

const options = {
    absWorkingDir: here,
    entryPoints: ["src/index.tsx"],
    outdir: "dist",
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2021",
    jsx: "automatic",
    legalComments: "none",
    define: { "process.env.NODE_ENV": "\"production\"" },
    metafile: true,
};

// Esbuild leaves out scripts that nothing uses, but not the style sheets that they import: PatternFly's would all be there.
// So the scripts are built first, and then a component's style sheet is taken where its script is.
const scripts = await esbuild.build({ ...options, plugins: [fromCockpit], loader: { ".css": "empty" }, write: false });
const used = new Set(Object.values(scripts.metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([input]) => join(here, input))));
const onlyUsedStyles = {
    name: "only-used-styles",
    setup(build) {
        build.onLoad({ filter: /react-styles\/css\/.*\.css$/ }, ({ path }) =>
            (used.has(path.replace(/css$/, "mjs")) ? null : { contents: "", loader: "css" }));
    },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const result = await esbuild.build({ ...options, plugins: [fromCockpit, onlyUsedStyles] });
for (const file of ["index.html", "manifest.json"]) {
    copyFileSync(join(here, file), join(dist, file));
}
for (const file of readdirSync(join(here, "po")).filter((name) => name.endsWith(".po")).sort()) {
    const po = readPo(join(here, "po", file));
    const language = basename(file, ".po");
    writeFileSync(join(dist, `po.${language}.js`), catalogue(po));
    writeFileSync(join(dist, `po.manifest.${language}.js`), manifestCatalogue(po, join(here, "manifest.json")));
}
writeFileSync(join(dist, "licenses.txt"), licenses(result.metafile));

/** The licences of the packages that are in the bundle. */
function licenses(metafile) {
    const packages = new Set();
    for (const output of Object.values(metafile.outputs)) {
        for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
            const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
            if (name && bytesInOutput > 0) {
                packages.add(name[1]);
            }
        }
    }
    return [...packages].sort().map((name) => {
        const dir = join(here, "node_modules", name);
        const { version, license } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
        const file = readdirSync(dir).find((f) => /^licen[sc]e/i.test(f));
        return `${name} ${version} (${license})\n\n${file ? readFileSync(join(dir, file), "utf8").trim() : ""}\n`;
    }).join("\n" + "-".repeat(78) + "\n\n");
}
