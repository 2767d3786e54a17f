/** The settings that the page changes: read from the policy, checked as they are typed, written as TOML. Pure. */
import { _, format } from "./i18n";
import type { Policy, Setting } from "./sallyport";

/** What a setting is, and what it may be (as internal/policy's schema has it, whose word counts). */
export type Kind =
    | { is: "text" }
    | { is: "number"; least: number; most: number }
    | { is: "time"; most: number }
    | { is: "choice"; of: string[] }
    | { is: "servers" };

const hours = 3600;

export const kinds = {
    "issuer": { is: "text" },
    "codes.window": { is: "number", least: 0, most: 10 },
    "lockout.failures": { is: "number", least: 1, most: 1000 },
    "lockout.within": { is: "time", most: 24 * hours },
    "lockout.lock": { is: "time", most: 720 * hours },
    "lockout.lock_max": { is: "time", most: 720 * hours },
    "lockout.user_failures": { is: "number", least: 1, most: 1000 },
    "sessions.limit": { is: "number", least: 0, most: 1000 },
    "sessions.excess": { is: "choice", of: ["displace", "deny", "ask"] },
    "clock.servers": { is: "servers" },
} satisfies Record<string, Kind>;

export type Name = keyof typeof kinds;

export const names = Object.keys(kinds) as Name[];

export function settingOfPolicy(policy: Policy, name: string): Setting | undefined {
    return policy.settings.find((s) => s.name === name);
}

/** A setting's value as TOML; empty where the daemon does not know it. */
export function valueOf(policy: Policy, name: string): string {
    return settingOfPolicy(policy, name)?.value ?? "";
}

/** A list of texts. One that the daemon prints is JSON as well as TOML. */
export function listOf(policy: Policy, name: string): string[] {
    const value = parsed(valueOf(policy, name));
    return Array.isArray(value) ? value.map(String) : [];
}

function parsed(toml: string): unknown {
    try {
        return JSON.parse(toml);
    } catch {
        return toml;
    }
}

/** A value as it is typed: without quotes; servers one to a line. */
export function shown(name: Name, toml: string): string {
    const value = parsed(toml);
    return Array.isArray(value) ? value.join("\n") : kinds[name].is === "number" ? toml : String(value);
}

/** What was typed, as TOML. */
export function written(name: Name, typed: string): string {
    switch (kinds[name].is) {
    case "number":
        return String(Number(typed.trim()));
    case "servers":
        return JSON.stringify(lines(typed));
    default:
        return JSON.stringify(typed.trim());
    }
}

const lines = (typed: string) => typed.split(/[\n,]/).map((l) => l.trim()).filter((l) => l !== "");

/** What is wrong with what is typed; empty where nothing is. */
export function fault(name: Name, typed: string): string {
    const kind: Kind = kinds[name];
    switch (kind.is) {
    case "text":
        return issuerFault(typed);
    case "number":
        return /^\s*\d{1,9}\s*$/.test(typed) && Number(typed) >= kind.least && Number(typed) <= kind.most ? ""
            : format(_("It must be a whole number from $0 to $1."), kind.least, kind.most);
    case "time": {
        const s = seconds(typed.trim());
        return s !== undefined && s >= 1 && s <= kind.most && Number.isInteger(s) ? ""
            : format(_("It must be a time in whole seconds up to $0 h, such as \"90s\", \"10m\" or \"1h30m\"."), kind.most / hours);
    }
    case "choice":
        return kind.of.includes(typed) ? "" : format(_("It must be one of $0."), kind.of.join(", "));
    case "servers":
        return serversFault(lines(typed));
    }
}

function issuerFault(typed: string): string {
    if (new TextEncoder().encode(typed.trim()).length > 64) {
        return _("It must not be longer than 64 bytes.");
    }
    if (typed.includes(":")) {
        return _("It must not contain \":\", which separates it from the account in authenticator apps.");
    }
    return /\p{C}/u.test(typed) ? _("It contains characters that cannot be printed.") : "";
}

function serversFault(all: string[]): string {
    const bad = all.find((s) => !/^(\[[0-9a-f:.]+\](:\d{1,5})?|[0-9a-f]*:[0-9a-f:.]+|[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?(:\d{1,5})?)$/i.test(s));
    return bad === undefined ? "" : format(_("\"$0\" is no host name and no address."), bad);
}

/** The contradiction between values that are right by themselves; empty where there is none. */
export function contradiction(typed: Record<Name, string>): string {
    const [lock, most] = [seconds(typed["lockout.lock"].trim()), seconds(typed["lockout.lock_max"].trim())];
    return lock !== undefined && most !== undefined && lock > most ? _("A lock must not be longer than the longest lock.") : "";
}

/** A time as Go writes it ("1h30m"), in seconds; undefined where it is none. */
export function seconds(text: string): number | undefined {
    const units: Record<string, number> = { h: 3600, m: 60, s: 1 };
    if (!/^(\d+(\.\d+)?[hms])+$/.test(text)) {
        return undefined;
    }
    let sum = 0;
    for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)) {
        sum += Number(number) * (units[unit ?? ""] ?? NaN);
    }
    return sum;
}

/** The settings that are not what they were, as Set takes them. */
export function changes(policy: Policy, typed: Record<Name, string>): Record<string, string> {
    const all: Record<string, string> = {};
    for (const name of names) {
        if (typed[name].trim() !== shown(name, valueOf(policy, name)).trim()) {
            all[name] = written(name, typed[name]);
        }
    }
    return all;
}
