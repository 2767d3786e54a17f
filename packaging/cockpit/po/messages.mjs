// The texts of the page that are to be translated: what its sources give to _(), ngettext() and counted(), and the menu's.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** Every text by its msgid: { msgid, plural }, where plural is undefined for most. Throws where one is not a literal. */
export function messages(page) {
    const found = new Map();
    const dir = join(page, "src");
    for (const name of readdirSync(dir).filter((n) => /\.tsx?$/.test(n) && !n.endsWith(".d.ts") && n !== "i18n.ts").sort()) {
        const source = ts.createSourceFile(name, readFileSync(join(dir, name), "utf8"), ts.ScriptTarget.ES2021, true, name.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
        visit(source, source, found);
    }
    for (const { label } of Object.values(JSON.parse(readFileSync(join(page, "manifest.json"), "utf8")).menu)) {
        found.set(label, { msgid: label, plural: undefined });
    }
    return found;
}

/** Who takes texts, and how many. */
const texts = new Map([["_", 1], ["ngettext", 2], ["counted", 2]]);

function visit(node, source, found) {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && texts.has(node.expression.text)) {
        const [msgid, plural] = node.arguments.slice(0, texts.get(node.expression.text)).map((argument) => {
            if (!ts.isStringLiteral(argument)) {
                throw new Error(`${source.fileName}: ${argument.getText()} is no literal: it cannot be translated`);
            }
            return argument.text;
        });
        const known = found.get(msgid);
        found.set(msgid, { msgid, plural: plural ?? known?.plural });
    }
    ts.forEachChild(node, (child) => visit(child, source, found));
}
