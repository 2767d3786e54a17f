// Translations: gettext's files, and what Cockpit loads in their place.
import { readFileSync } from "node:fs";
import { po as gettext } from "gettext-parser";

/** Reads a .po file: its language, its plural forms, and its entries by msgid. */
export function readPo(path) {
    const parsed = gettext.parse(readFileSync(path), "utf8");
    const entries = Object.values(parsed.translations[""] ?? {}).filter((e) => e.msgid !== "");
    return { language: parsed.headers.Language, plural: /plural=([^;]+)/.exec(parsed.headers["Plural-Forms"])[1].trim(), entries };
}

/** The script that gives the page its texts in a language. */
export function catalogue({ language, plural, entries }) {
    if (!/^[n0-9\s()!=<>?:%&|+-]+$/.test(plural)) {
        throw new Error(`plural form ${plural} is more than arithmetic`);
    }
    const texts = entries.map((e) => `${JSON.stringify(e.msgid)}: ${JSON.stringify([e.msgid_plural ?? null, ...e.msgstr])}`);
    const head = `"": {"plural-forms": (n) => ${plural}, "language": ${JSON.stringify(language)}, "language-direction": "ltr"}`;
    return `cockpit.locale({\n${[head, ...texts].join(",\n")}\n});\n`;
}

/** The script that gives the shell its texts: the menu's. (Cockpit 287 takes them from the page's own.) */
export function manifestCatalogue({ language, plural, entries }, manifest) {
    const labels = Object.values(JSON.parse(readFileSync(manifest, "utf8")).menu).map((m) => m.label);
    return catalogue({ language, plural, entries: entries.filter((e) => labels.includes(e.msgid)) });
}
