/** Of cockpit.js what the tests of pure parts need: texts stay English, and are put together as Cockpit does. */
export default {
    language: "en",
    gettext: (text: string) => text,
    ngettext: (one: string, many: string, n: number) => (n === 1 ? one : many),
    format: (text: string, ...values: (string | number)[]) => text.replace(/\$(\d)/g, (_all, i: string) => String(values[Number(i)])),
};
