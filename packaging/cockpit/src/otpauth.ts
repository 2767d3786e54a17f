/** The key of a set-up, as an app wants it typed. */

/** What an otpauth URI says (github.com/google/google-authenticator, "Key Uri Format"). */
export interface Key {
    issuer: string;
    account: string;
    /** Seconds for which a code is shown; 0: it goes by a counter. */
    period: number;
}

export function parseKey(uri: string): Key {
    const url = new URL(uri);
    const label = decodeURIComponent(url.pathname.replace(/^\/+[^/]*\/|^\//, ""));
    const colon = label.indexOf(":");
    return {
        issuer: url.searchParams.get("issuer") ?? (colon < 0 ? "" : label.slice(0, colon)),
        account: label.slice(colon + 1).trim(),
        period: uri.startsWith("otpauth://hotp/") ? 0 : Number(url.searchParams.get("period") ?? "30"),
    };
}

/** A base32 secret in groups of four, as people type it. */
export function grouped(secret: string): string {
    return secret.match(/.{1,4}/g)?.join(" ") ?? "";
}

/** Whole minutes and seconds, as on a clock: 9:05. */
export function minutes(milliseconds: number): string {
    const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds until an app shows the next code. */
export function untilNext(now: number, period: number): number {
    return period - Math.floor(now / 1000) % period;
}
