import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { messages } from "../po/messages.mjs";
import { catalogue, readPo } from "../po/po.mjs";

declare const __page: string; // where the page's sources are, put here by test.mjs

const places = (text: string) => (text.match(/\$\d/g) ?? []).sort().join(" ");

for (const file of readdirSync(join(__page, "po")).filter((name) => name.endsWith(".po"))) {
    const po = readPo(join(__page, "po", file));
    const wanted = messages(__page);

    test(`${file} has every text of the page, and no other`, () => {
        assert.deepEqual(po.entries.map((e) => e.msgid).sort(), [...wanted.keys()].sort());
    });

    test(`${file} leaves no text out, and each has the values of the original`, () => {
        for (const e of po.entries) {
            const message = wanted.get(e.msgid);
            assert.equal(e.msgid_plural, message?.plural, e.msgid);
            assert.equal(e.msgstr.length, message?.plural === undefined ? 1 : 2, e.msgid);
            assert.ok(!(e.comments?.flag ?? "").includes("fuzzy"), `fuzzy: ${e.msgid}`);
            for (const text of e.msgstr) {
                assert.notEqual(text, "", e.msgid);
                assert.equal(places(text), places(e.msgid), e.msgid);
            }
        }
    });

    test(`${file} becomes what Cockpit loads`, () => {
        let texts: Record<string, unknown[]> = {};
        let plural: ((n: number) => number | boolean) | undefined;
        const cockpit = {
            locale: (data: Record<string, unknown[]> & { "": { "plural-forms": typeof plural } }) => {
                texts = data;
                plural = data[""]["plural-forms"];
            },
        };
        new Function("cockpit", catalogue(po))(cockpit); // eslint-disable-line -- as a script tag does
        assert.equal(Object.keys(texts).length, wanted.size + 1);
        assert.equal(texts.Save?.length, 2);
        assert.equal(texts["$0 is selected."]?.length, 3);
        assert.equal(Number(plural?.(1)), 0);
        assert.equal(Number(plural?.(2)), 1);
    });
}
