/** The list of users: searched, sorted, cut into pages. Pure, and quick with 10,000 of them. */
import type { User } from "./sallyport";

export type Column = "user" | "devices" | "since" | "last" | "codes" | "state";

export interface Order {
    by: Column;
    descending: boolean;
}

/** Those whose name, devices or last login have all words of the search in them. */
export function search(users: User[], text: string): User[] {
    const words = text.toLowerCase().split(/\s+/).filter((w) => w !== "");
    if (words.length === 0) {
        return users;
    }
    return users.filter((u) => {
        const hay = [u.user, ...u.devices.map((d) => d.label), u.last?.service ?? "", u.last?.source ?? "", u.problem ?? ""].join("\n").toLowerCase();
        return words.every((w) => hay.includes(w));
    });
}

/** Sorted anew; what is the same stays in the order of names. Times are RFC 3339 in UTC, and so sort as text. */
export function sorted(users: User[], order: Order): User[] {
    const sign = order.descending ? -1 : 1;
    const key = keys[order.by];
    return users
        .map((user) => ({ user, key: key(user) }))
        .sort((a, b) => sign * compare(a.key, b.key) || compare(a.user.user, b.user.user))
        .map((e) => e.user);
}

const keys: Record<Column, (u: User) => string | number> = {
    user: (u) => u.user,
    devices: (u) => u.devices.length,
    since: (u) => u.since ?? "",
    last: (u) => u.last?.at ?? "",
    codes: (u) => u.recovery_codes,
    state: (u) => (u.problem !== undefined ? 2 : u.locked_until !== undefined ? 1 : 0),
};

function compare<T extends string | number>(a: T, b: T): number {
    return a < b ? -1 : a > b ? 1 : 0;
}

/** A page, from 1; beyond the last it is the last. */
export function pageOf<T>(all: T[], page: number, size: number): { rows: T[]; page: number } {
    const last = Math.max(1, Math.ceil(all.length / size));
    const at = Math.min(Math.max(1, page), last);
    return { rows: all.slice((at - 1) * size, at * size), page: at };
}

/** Everybody in the list whose second factor "Disable All" removes: all but the accounts of who asks. */
export function allBut(users: User[], own: string[]): string[] {
    return users.filter((u) => u.user !== "" && u.devices.length > 0 && !own.includes(u.user)).map((u) => u.user);
}
