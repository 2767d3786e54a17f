// A browser that is driven over standard input and output: one request a line, one reply a line, both JSON. Package panel
// is the other end; what a request may be, and what it answers, is in `operations`.
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const patience = 60_000; // milliseconds; it ends what has failed and slows nothing else

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox'], // the tests are root
});
const windows = new Map();

// scope is a window's page, or a frame of it.
function scope({ window, frame }) {
    const { page } = windows.get(window);
    return frame ? page.frameLocator(frame) : page;
}

// locate finds an element as a person would: by its role and name, its label, its text; or by its CSS selector.
function locate(within, target) {
    const outer = target.within ? locate(within, target.within) : within;
    const { exact, name } = target;
    const found = target.role ? outer.getByRole(target.role, name === undefined ? {} : { name, exact })
        : target.label ? outer.getByLabel(target.label, { exact })
            : target.text ? outer.getByText(target.text, { exact })
                : outer.locator(target.css);
    return found.filter({ visible: true }).first();
}

const element = request => locate(scope(request), request.target);

// inner is the frame's own document, to run code in.
async function inner({ window, frame }) {
    const { page } = windows.get(window);
    return frame ? (await page.waitForSelector(frame)).contentFrame() : page;
}

const operations = {
    async open({ window, options }) {
        const context = await browser.newContext({ ...options, acceptDownloads: true, permissions: ['clipboard-read', 'clipboard-write'] });
        context.setDefaultTimeout(patience);
        const page = await context.newPage();
        const log = [];
        page.on('console', message => log.push(`${message.type()}: ${message.text()}`));
        page.on('pageerror', error => log.push(`pageerror: ${error.message}`));
        windows.set(window, { context, page, log });
    },
    async close({ window }) {
        await windows.get(window).context.close();
        windows.delete(window);
    },
    visit: ({ window, text }) => windows.get(window).page.goto(text).then(() => null),
    reload: ({ window }) => windows.get(window).page.reload().then(() => null),
    resize: ({ window, options }) => windows.get(window).page.setViewportSize(options.viewport),
    click: request => element(request).click(),
    hover: request => element(request).hover(),
    fill: request => element(request).fill(request.text),
    choose: request => element(request).selectOption(request.text),
    check: request => element(request).setChecked(request.text === 'on'),
    press: ({ window, text }) => windows.get(window).page.keyboard.press(text),
    type: ({ window, text }) => windows.get(window).page.keyboard.type(text),
    see: request => element(request).waitFor({ state: 'visible' }),
    gone: request => element(request).waitFor({ state: 'hidden' }),
    enabled: request => element(request).isEnabled(),
    checked: request => element(request).isChecked(),
    visible: request => element(request).isVisible(),
    text: request => element(request).innerText(),
    cut: request => element(request).evaluate(e => e.scrollWidth > e.clientWidth),
    value: request => element(request).inputValue(),
    attribute: request => element(request).getAttribute(request.text),
    async shot(request) {
        const what = request.target ? element(request) : windows.get(request.window).page;
        await what.screenshot({ path: request.text });
    },
    // The violations of WCAG 2.1 A and AA, and of axe's best practices.
    async axe(request) {
        const frame = await inner(request);
        await frame.evaluate(axe);
        const { violations } = await frame.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        return violations.map(v => `${v.id} (${v.impact}): ${v.help}\n` + v.nodes.map(n => `\t${n.html}\n\t\t${n.failureSummary}`).join('\n'));
    },
    // What a browser keeps or shows of a page: where a secret must not be.
    async traces({ window }) {
        const { page, context } = windows.get(window);
        const kept = [page.url(), await page.title(), JSON.stringify(await context.storageState())];
        for (const frame of page.frames())
            kept.push(frame.url(), await frame.evaluate(() => document.title + JSON.stringify({ ...localStorage, ...sessionStorage, ...history.state })));
        return kept;
    },
    log: async ({ window }) => windows.get(window).log,
    clipboard: async ({ window }) => windows.get(window).page.evaluate(() => navigator.clipboard.readText()),
    async download(request) {
        const file = windows.get(request.window).page.waitForEvent('download');
        await element(request).click();
        return readFile(await (await file).path(), 'utf8');
    },
    // Clicks what would print, and returns what the paper would show.
    async print(request) {
        const frame = await inner(request);
        await frame.evaluate(() => { window.printed = null; window.print = () => { window.printed = document.body.innerText } });
        await element(request).click();
        await frame.waitForFunction(() => window.printed !== null);
        return frame.evaluate(() => window.printed);
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let reply;
    try {
        reply = { value: await operations[request.do](request) ?? null };
    } catch (error) {
        reply = { error: error.message };
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
}
await browser.close();
