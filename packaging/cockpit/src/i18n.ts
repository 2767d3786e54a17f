/** Texts in the person's language, and what depends on it. */
import cockpit from "cockpit";

export const _ = (text: string): string => cockpit.gettext(text);
export const ngettext = (one: string, many: string, n: number): string => cockpit.ngettext(one, many, n);
export const format = (text: string, ...values: (string | number)[]): string => cockpit.format(text, ...values);

/** n with its noun: counted("$0 user", "$0 users", 3). */
export const counted = (one: string, many: string, n: number): string => format(ngettext(one, many, n), n.toLocaleString(locale()));

/** Cockpit writes de_DE where the browser wants de-DE. */
export const locale = (): string => (cockpit.language || "en").replace("_", "-");

/** A time as people write it: with its date, and to the minute. */
export function moment(at: string): string {
    return new Date(at).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}

export function day(at: string): string {
    return new Date(at).toLocaleDateString(locale(), { dateStyle: "medium" });
}

export function clockTime(at: Date, seconds = false): string {
    return at.toLocaleTimeString(locale(), seconds ? { timeStyle: "medium" } : { timeStyle: "short" });
}
